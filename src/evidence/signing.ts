import type { Request } from 'express'
import type { Knex } from 'knex'
import { v7 as uuid } from 'uuid'
import type { Activation } from '../crm/activation/activation.ts'
import type { RequestContext } from '../http/context.ts'
import { Conflict, Forbidden, NotFound } from '../http/errors.ts'
import { recordEventIn } from '../platform/activity.ts'
import { query, readWithin, within } from '../platform/database.ts'
import type { Jobs } from '../platform/jobs.ts'
import { type ActionContext, runAction } from '../plugin/action.ts'
import type { Section } from '../plugin/plugin.ts'
import { isStore, type WithStores } from '../plugin/stores.ts'
import { canonical, sha256 } from './canonical.ts'
import { append, bundleOf, columns, type Stored, tables } from './chain.ts'
import { composeEvidence, fromOf, type SignedResponseFacts } from './composition.ts'
import type { Bundle, Evidence } from './evidence.ts'
import type { signingKeys } from './keys.ts'
import { nobody, portIn, responseOf, type SignedResponse, subjectIn, submissionOf } from './subject.ts'

declare global {
  namespace Portico {
    interface RequestContext {
      /** Responses with legal weight: they are kept with their evidence. */
      signing: Signing
    }
  }
}

export interface Signing {
  /** Countersigns an acceptance, once. Throws NotFound, or Conflict if another member of staff was first. */
  countersign(req: Request<any>, id: string, consent: string): Promise<void>
  /**
   * Stores evidence, the CRM's change and the activity in one transaction. Returns the evidence's id. Throws Conflict
   * if somebody else was first or the record is no longer what was shown.
   */
  sign(req: Request<any>, what: SignedResponseFacts): Promise<string>
  /** These fields of the content that was accepted of these documents and is in the CRM, by the documents' ids. */
  listed<Fields>(
    req: Request<any>,
    section: string,
    documents: string[],
    fields: readonly (string & keyof Fields)[],
  ): Promise<Map<string, Fields>>
  /** The responses of this client that are on their way to the CRM, by the documents' ids. */
  underway(context: RequestContext, section: string): Promise<Map<string, Underway>>
  /** Of one document of this client, the newest first. */
  of(req: Request<any>, section: string, document: string): Promise<Stored[]>
}

/** A response that is kept here and not in the CRM yet. */
export interface Underway {
  act: 'accepted' | 'declined'
  signer: string
}

export interface Parts {
  crm: WithStores
  database: Knex
  activation: Activation
  jobs: Jobs
  keyOf: ReturnType<typeof signingKeys>
  sections: Section[]
}

export const queue = 'submissions'

/** The data of a response's job. */
export interface Queued {
  workspace: string
  slug: string
  id: string
}

/** Stores a client's response with its evidence, in one transaction: `sign(req, { section, act, document, … })`. */
export const sign: Signing['sign'] = (req, what) => req.portal.signing.sign(req, what)

/** A response with its evidence, as it is stored. */
export interface KeptResponse extends Pick<Stored, 'id' | 'act' | 'at' | 'version' | 'number' | 'signer' | 'state'> {
  /** Why the CRM has not taken it yet, or has refused it. */
  failureReason: string | null
  /** The sealed PDF, once it is sealed. */
  sealed: Buffer | null
  /** The evidence as a file that is verified without the portal; undefined where it was erased. */
  bundle: Bundle | undefined
}

/**
 * Responses to one document of this client, the newest first. By a public link, only those of the person who uses
 * it.
 */
export async function responsesTo(req: Request<any>, section: string, document: string): Promise<KeptResponse[]> {
  const { guest, customer, signing } = req.portal
  const rows = await signing.of(req, section, document)
  return rows
    .filter(it => !guest || it.person_id === customer.person.id)
    .map(it => ({
      ...{ id: it.id, act: it.act, at: it.at, version: it.version, number: it.number, signer: it.signer },
      ...{ state: it.state, failureReason: it.failure_reason, sealed: it.sealed, bundle: bundleOf(it) },
    }))
}

export const signing = (parts: Parts): Signing => ({
  sign: (req, what) => signResponse(parts, req, what),
  countersign: (req, id, consent) => countersign(parts, req, id, consent),
  listed: (req, section, documents, fields) => signedFields(parts.database, req, section, documents, fields),
  underway: async (context, section) =>
    isSubmittedLater(parts, context, section) ? responsesUnderway(parts.database, context, section) : new Map(),
  of: (req, section, document) => signedRows(parts.database, req, section, document),
})

async function signResponse(parts: Parts, req: Request<any>, what: SignedResponseFacts): Promise<string> {
  const { database, jobs, keyOf, sections } = parts
  const { workspace, customer, guest, now } = req.portal
  // By a public link only verified contacts sign, whatever rule the route has.
  if (guest && !(guest.known && guest.signs)) throw new Forbidden()
  const { section, document } = what
  subjectIn(sections, section)
  const key = await keyOf(workspace)
  const id = uuid()
  const evidence = await composeEvidence(database, req, what, id)
  const response = responseOf(evidence, now, customer.today)
  await runAction(
    req,
    async it => {
      const settled = await submitWithin(it, sections, what, response)
      if (what.before?.length) await supersede(it.tx, workspace.id, what.before)
      await append(it.tx, { evidence, document: document.pdf?.bytes ?? null, settled }, key)
      await jobs.send(it.tx, queue, { workspace: workspace.id, slug: workspace.slug, id } satisfies Queued)
    },
    () => ({ event: `${section}.${what.act}`, subject: subjectOf(what, id) }),
  ).catch(taken)
  jobs.wake()
  return id
}

/** Whether the record's keeper has taken it in this transaction; if not, it is submitted later. */
async function submitWithin(
  { crm, here }: ActionContext,
  sections: Section[],
  { section, document }: SignedResponseFacts,
  response: SignedResponse,
): Promise<boolean> {
  const subject = subjectIn(sections, section)
  const port = portIn(crm, section)
  const submission = port && submissionOf(subject, port)
  if (!port || !submission) return false
  if (submission !== nobody) {
    if (!submission.transactional || !(here || isStore(port))) return false
    await submission.submit(document.id, response)
  }
  // Checks, under the lock, that what was shown is what is there now.
  const { content } = await subject.read(port, document.id)
  if (canonical(content) !== canonical(document.content)) throw new Conflict()
  return true
}

/** Whether a response reaches the records' keeper after its evidence is kept, and not with it. */
function isSubmittedLater({ crm, database, sections }: Parts, context: RequestContext, section: string): boolean {
  const subject = subjectIn(sections, section)
  const port = portIn(context.crm, section)
  const submission = port && submissionOf(subject, port)
  if (!port || !submission || submission === nobody) return false
  const here = crm.database === undefined || crm.database === database
  return !submission.transactional || !(here || isStore(port))
}

const supersede = (tx: Knex, workspace: string, ids: string[]) =>
  query(tx, {
    text: `update portal.client_signatures set state = 'superseded'
           where workspace_id = $1 and id = any($2) and state = 'confirmed'`,
    values: [workspace, ids],
  })

const subjectOf = ({ document, reason = null }: SignedResponseFacts, signature: string) => ({
  id: document.id,
  number: document.number,
  version: document.version,
  reason,
  signature,
})

/** Another response to the same version is there already. */
const taken = (error: any) => {
  throw error.code === '23505' && /one_(response|countersignature)/.test(error.constraint) ? new Conflict() : error
}

async function countersign({ database, keyOf }: Parts, req: Request<any>, id: string, consent: string): Promise<void> {
  const { workspace, staff } = req.portal
  const key = await keyOf(workspace)
  await within(database, { workspace: workspace.id }, async tx => {
    const signed = await uncountersigned(tx, workspace.id, id)
    await append(tx, { evidence: countersignature(req, signed, consent), document: null, settled: true }, key)
    const { section, number } = signed.document
    const subject = { id: signed.document.id, number, version: signed.document.version }
    const actor = { kind: 'staff' as const, id: staff?.id, name: staff?.name, client: signed.signer.client.id }
    await recordEventIn(tx, req, { event: `${section}.countersigned`, subject, actor })
  }).catch(taken)
}

/** Finds an acceptance without a countersignature. Throws NotFound or Conflict. */
async function uncountersigned(tx: Knex, workspace: string, id: string): Promise<Evidence> {
  const [row] = await query<{ evidence: string; done: boolean }>(tx, {
    text: `select s.evidence, exists (select from portal.client_signatures c where c.workspace_id = $1 and c.act = 'countersigned'
             and c.section = s.section and c.document_id = s.document_id and c.version = s.version) as done
           from portal.client_signatures s
           where s.workspace_id = $1 and s.id = $2 and s.act = 'accepted' and s.state = 'confirmed' and s.evidence is not null`,
    values: [workspace, id],
  })
  if (!row) throw new NotFound()
  if (row.done) throw new Conflict()
  return JSON.parse(row.evidence)
}

function countersignature(req: Request<any>, signed: Evidence, consent: string): Omit<Evidence, 'at'> {
  const { staff, locale } = req.portal
  const { client } = signed.signer
  return {
    ...{ format: signed.format, id: uuid(), act: 'countersigned' },
    workspace: signed.workspace,
    document: { ...signed.document, pdf: null },
    signer: { id: staff?.id ?? '', name: staff?.name ?? '', email: '', role: null, client, contact: null },
    consent: { text: consent, language: locale, sha256: sha256(consent) },
    ...{ signature: { method: 'ticked' }, selection: signed.selection, reason: null },
    order: { number: null, requestedOn: null },
    authentication: [],
    from: fromOf(req),
    seen: { times: 0, first: null, last: null },
  }
}

async function signedFields<Fields>(
  database: Knex,
  req: Request<any>,
  section: string,
  documents: string[],
  fields: readonly string[],
): Promise<Map<string, Fields>> {
  if (!documents.length) return new Map()
  const rows = await readWithin<{ id: string; content: Fields }>(
    database,
    { workspace: req.portal.workspace.id, client: req.portal.customer.client.id },
    {
      name: 'portal.signed-fields',
      text: `select distinct on (s.document_id) s.document_id as id, (
               select jsonb_object_agg(field, it.c -> field)
               from (select s.evidence::jsonb #> '{document,content}' as c offset 0) it, unnest($5::text[]) field) as content
             from portal.client_signatures s
             where s.workspace_id = scope.workspace and s.client_id = scope.client and s.section = $3
               and s.document_id = any($4) and s.act = 'accepted' and s.state = 'confirmed' and s.evidence is not null
             order by s.document_id, s.sequence desc`,
      values: [section, documents, fields],
    },
  )
  return new Map(rows.map(it => [it.id, it.content]))
}

const signedRows = (database: Knex, req: Request<any>, section: string, document: string): Promise<Stored[]> =>
  readWithin<Stored>(
    database,
    { workspace: req.portal.workspace.id, client: req.portal.customer.client.id },
    {
      name: 'portal.signatures',
      text: `select ${columns} from ${tables}
             where s.workspace_id = scope.workspace and s.client_id = scope.client and s.section = $3 and s.document_id = $4
               and s.act <> 'countersigned'
             order by s.sequence desc limit 20`,
      values: [section, document],
    },
  )

async function responsesUnderway(
  database: Knex,
  { workspace, customer }: RequestContext,
  section: string,
): Promise<Map<string, Underway>> {
  const rows = await readWithin<Underway & { id: string }>(
    database,
    { workspace: workspace.id, client: customer.client.id },
    {
      name: 'portal.responses-underway',
      text: `select s.document_id as id, s.act, s.signer
             from portal.client_signatures s
             where s.workspace_id = scope.workspace and s.client_id = scope.client and s.section = $3
               and s.state in ('saved', 'submitting') and s.act <> 'countersigned' limit 1000`,
      values: [section],
    },
  )
  return new Map(rows.map(({ id, ...it }) => [id, it]))
}
