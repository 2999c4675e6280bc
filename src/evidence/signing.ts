import type { Request } from 'express'
import type { Knex } from 'knex'
import { v7 as uuid } from 'uuid'
import { type Acting, act } from '../act.ts'
import { note } from '../activity.ts'
import { type Crm, type Customer, type Ports, roles, type Workspace } from '../crm.ts'
import { query, readWithin, within } from '../database.ts'
import { Conflict, NotFound } from '../errors.ts'
import type { Gate } from '../gate/gate.ts'
import type { Jobs } from '../jobs.ts'
import type { SignedSummary } from '../offer/content.ts'
import type { Answer, Offers } from '../offer/port.ts'
import { canonical, sha256 } from './canonical.ts'
import { append, columns, type Stored, tables } from './chain.ts'
import type { Evidence, Signature } from './evidence.ts'
import type { signingKeys } from './keys.ts'

declare global {
  namespace Portico {
    interface RequestContext {
      /** Answers with legal weight: they are kept with their evidence. */
      signing: Signing
    }
  }
}

/** The CRM's own where it has one, else ours. */
export interface Paper {
  bytes: Buffer
  by: 'portal' | 'crm'
}

type Attached = NonNullable<Evidence['document']['attachments']>[number]

/** What is signed, and how: the rest of the evidence is known of the request. */
interface Signed {
  section: string
  act: 'accepted' | 'declined'
  document: {
    id: string
    version: number
    number: string
    content: object
    pdf: Paper | null
    attachments?: Attached[]
  }
  consent: string | null
  signature: Signature | null
  reason: string | null
  order: { number: string | null; wishedOn: string | null }
  choice: Answer['choice']
  /** Answers to the same version that the CRM has had, before it offered it once more: they are superseded by this one. */
  before: string[]
  /** The same content as the CRM has it once it has taken the answer. */
  still(crm: Partial<Ports>): Promise<object>
}

export interface Signing {
  /** By staff, of what a client has accepted, once. Throws NotFound, and Conflict where somebody was quicker. */
  countersign(req: Request<any>, id: string, consent: string): Promise<void>
  /** Evidence, the CRM's change and the activity: all or none. Throws Conflict where somebody else was quicker. */
  sign(req: Request<any>, what: Signed): Promise<string>
  /** What was signed of these documents and is in the CRM, as a list shows it, by their ids. */
  listed(req: Request<any>, section: string, documents: string[]): Promise<Map<string, SignedSummary>>
  /** Of one document of this client, the newest first. */
  of(req: Request<any>, section: string, document: string): Promise<Stored[]>
}

export interface Parts {
  crm: Crm
  database: Knex
  door: Gate
  jobs: Jobs
  keyOf: ReturnType<typeof signingKeys>
}

export const queue = 'answers'

/** What the job of an answer is told. */
export interface Queued {
  workspace: string
  slug: string
  id: string
}

export function signing(parts: Parts): Signing {
  const { database, jobs, keyOf } = parts

  return {
    async sign(req, what) {
      const { workspace, customer, now } = req.portal
      const key = await keyOf(workspace)
      const id = uuid()
      const evidence = await evidenceOf(database, req, what, id)
      const answer: Answer = {
        key: id,
        act: what.act,
        version: what.document.version,
        at: now,
        on: customer.today,
        by: { name: customer.person.name, email: customer.person.email, contact: contactOf(req) },
        reason: what.reason,
        orderNumber: what.order.number,
        wishedOn: what.order.wishedOn,
        choice: what.choice,
      }
      await act(
        req,
        async it => {
          const told = await tell(it, what, answer)
          if (what.before.length) await supersede(it.tx, workspace.id, what.before)
          await append(it.tx, { evidence, document: what.document.pdf?.bytes ?? null, settled: told }, key)
          await jobs.send(it.tx, queue, { workspace: workspace.id, slug: workspace.slug, id } satisfies Queued)
        },
        () => ({ event: `${what.section}.${what.act}`, subject: subjectOf(what, id) }),
      ).catch(taken)
      jobs.wake()
      return id
    },

    async countersign(req, id, consent) {
      const { workspace, staff, locale } = req.portal
      const key = await keyOf(workspace)
      await within(database, { workspace: workspace.id }, async tx => {
        const [row] = await query<{ evidence: string; done: boolean }>(tx, {
          text: `select s.evidence, exists (select from portal.client_signatures c where c.workspace_id = $1 and c.act = 'countersigned'
                   and c.section = s.section and c.document_id = s.document_id and c.version = s.version) as done
                 from portal.client_signatures s
                 where s.workspace_id = $1 and s.id = $2 and s.act = 'accepted' and s.state = 'confirmed' and s.evidence is not null`,
          values: [workspace.id, id],
        })
        if (!row) throw new NotFound()
        if (row.done) throw new Conflict()
        const signed: Evidence = JSON.parse(row.evidence)
        const evidence: Omit<Evidence, 'at'> = {
          ...{ format: signed.format, id: uuid(), act: 'countersigned' },
          workspace: signed.workspace,
          document: { ...signed.document, pdf: null },
          signer: {
            id: staff?.id ?? '',
            name: staff?.name ?? '',
            email: '',
            role: null,
            client: signed.signer.client,
            contact: null,
          },
          consent: { text: consent, language: locale, sha256: sha256(consent) },
          ...{ signature: { way: 'ticked' }, choice: signed.choice, reason: null },
          order: { number: null, wishedOn: null },
          authentication: [],
          from: fromOf(req),
          seen: { times: 0, first: null, last: null },
        }
        await append(tx, { evidence, document: null, settled: true }, key)
        const { section, number } = signed.document
        const subject = { id: signed.document.id, number, version: signed.document.version }
        const actor = { kind: 'staff' as const, id: staff?.id, name: staff?.name, client: signed.signer.client.id }
        await note(tx, req, { event: `${section}.countersigned`, subject, actor })
      }).catch(taken)
    },

    async listed(req, section, documents) {
      if (!documents.length) return new Map()
      const rows = await readWithin<{ id: string; content: SignedSummary }>(
        database,
        { workspace: req.portal.workspace.id, client: req.portal.customer.client.id },
        {
          name: 'portal.signed-summaries',
          text: `select distinct on (s.document_id) s.document_id as id, (
                   select jsonb_build_object('number', c -> 'number', 'title', c -> 'title', 'total', c -> 'total',
                     'validUntil', c -> 'validUntil')
                   from (select s.evidence::jsonb #> '{document,content}' as c offset 0) it) as content
                 from portal.client_signatures s
                 where s.workspace_id = scope.workspace and s.client_id = scope.client and s.section = $3
                   and s.document_id = any($4) and s.act = 'accepted' and s.state = 'confirmed' and s.evidence is not null
                 order by s.document_id, s.link desc`,
          values: [section, documents],
        },
      )
      return new Map(rows.map(it => [it.id, it.content]))
    },

    of: (req, section, document) =>
      readWithin<Stored>(
        database,
        { workspace: req.portal.workspace.id, client: req.portal.customer.client.id },
        {
          name: 'portal.signatures',
          text: `select ${columns} from ${tables}
                 where s.workspace_id = scope.workspace and s.client_id = scope.client and s.section = $3 and s.document_id = $4
                   and s.act <> 'countersigned'
                 order by s.link desc limit 20`,
          values: [section, document],
        },
      ),
  }
}

const supersede = (tx: Knex, workspace: string, ids: string[]) =>
  query(tx, {
    text: `update portal.client_signatures set state = 'superseded'
           where workspace_id = $1 and id = any($2) and state = 'confirmed'`,
    values: [workspace, ids],
  })

/** Whoever signed, as the CRM is asked on their behalf later. */
export const customerOf = ({ signer }: Evidence, workspace: Workspace, today: string): Customer => ({
  workspace,
  client: signer.client,
  person: { id: signer.id, name: signer.name, email: signer.email },
  role: roles.find(it => it === signer.role) ?? 'viewer',
  today,
})

/** What of a section's port takes answers. */
export const portOf = (crm: Partial<Ports>, section: string): Pick<Offers, 'answer' | 'find' | 'passOn'> | undefined =>
  crm[section as keyof Ports] as Pick<Offers, 'answer' | 'find' | 'passOn'> | undefined

/** Whether the CRM has taken it in this transaction; if not, it is passed on later. */
async function tell({ crm, here }: Acting, { section, document, still }: Signed, answer: Answer): Promise<boolean> {
  const port = portOf(crm, section)
  if (!here || !port?.answer) return false
  await port.answer(document.id, answer)
  // What was shown is what the CRM holds now, while nobody else can change it.
  if (canonical(await still(crm)) !== canonical(document.content)) throw new Conflict()
  return true
}

/** Another answer to the same version is there already. */
const taken = (error: any) => {
  throw error.code === '23505' && /one_(answer|countersignature)/.test(error.constraint) ? new Conflict() : error
}

const contactOf = ({ portal: { visitor, customer } }: Request<any>) =>
  visitor?.memberships.find(it => it.client === customer.client.id)?.contact ?? null

const subjectOf = ({ document, reason }: Signed, signature: string) => ({
  id: document.id,
  number: document.number,
  version: document.version,
  reason,
  signature,
})

async function evidenceOf(database: Knex, req: Request<any>, what: Signed, id: string): Promise<Omit<Evidence, 'at'>> {
  const { workspace, customer, guest, locale, aside } = req.portal
  const { person, role, client } = customer
  const { section, act, document, consent, signature, reason, order } = what
  return {
    format: 'portico-evidence/1',
    id,
    act,
    workspace: { id: workspace.id, name: workspace.name },
    document: {
      section,
      id: document.id,
      version: document.version,
      number: document.number,
      content: document.content,
      sha256: sha256(canonical(document.content)),
      pdf: document.pdf && {
        sha256: sha256(document.pdf.bytes),
        bytes: document.pdf.bytes.length,
        by: document.pdf.by,
      },
      ...(document.attachments?.length ? { attachments: document.attachments } : {}),
    },
    signer: {
      ...{ id: person.id, name: person.name, email: person.email, role: guest ? 'contact' : role },
      ...{ client, contact: contactOf(req) },
    },
    consent: consent === null ? null : { text: consent, language: locale, sha256: sha256(consent) },
    signature,
    choice: what.choice ? 'own' : 'as offered',
    reason,
    order,
    authentication: (aside.session.proofs ?? []).map(it => ({ by: it.by, at: new Date(it.at).toISOString() })),
    from: fromOf(req),
    seen: await seen(database, req, section, document.id),
    ...(guest && {
      publicLink: {
        ...{ id: guest.link.id, madeBy: guest.link.madeBy, madeAt: guest.link.madeAt.toISOString() },
        seen: await seen(database, req, section, document.id, guest.link.id),
      },
    }),
  }
}

const fromOf = (req: Request<any>) => ({
  address: req.ip ?? null,
  agent: req.get('User-Agent')?.slice(0, 500) ?? null,
})

/** By people of the client, or by those who came by a link. */
async function seen(
  database: Knex,
  req: Request<any>,
  section: string,
  document: string,
  link = '',
): Promise<Evidence['seen']> {
  const { workspace, customer } = req.portal
  const [row] = await readWithin(
    database,
    { workspace: workspace.id, client: customer.client.id },
    {
      name: 'portal.seen',
      text: `select count(*)::int as times, min(at) as first, max(at) as last from portal.client_activity_logs l
             where l.workspace_id = scope.workspace and l.client_id = scope.client and l.subject_id = $3 and l.event = $4
               and case when $5 = '' then l.actor_kind = 'client' else l.actor_kind = 'link' and l.actor_id = $5 end`,
      values: [document, `${section}.viewed`, link],
    },
  )
  return { times: row.times, first: row.first?.toISOString() ?? null, last: row.last?.toISOString() ?? null }
}
