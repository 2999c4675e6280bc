import type { Knex } from 'knex'
import { documentAt, greeting } from '../auth/mail-context.ts'
import { portalOffFor } from '../auth/portal-switch.ts'
import type { Customer, Ports } from '../crm/crm.ts'
import type { BrandedWorkspace, Workspaces } from '../crm/workspaces.ts'
import { Conflict, NotFound } from '../http/errors.ts'
import type { Facts, MailKind } from '../mail/kinds.ts'
import type { Outbox } from '../mail/outbox.ts'
import { mailContentIn, textOf } from '../mail/texts.ts'
import type { Attachment } from '../mail/transport.ts'
import { pdfOf } from '../pdf/pdf.ts'
import { query, readWithin, within } from '../platform/database.ts'
import { dateIn, type Speech, speak, zoneOf } from '../platform/i18n.ts'
import type { Job } from '../platform/jobs.ts'
import type { Log } from '../platform/log.ts'
import type { DocumentReader } from '../plugin/parts.ts'
import { isStore } from '../plugin/stores.ts'
import { canonical } from './canonical.ts'
import { acceptance, certificate } from './certificate.ts'
import { appendSeal, columns, type Stored, tables } from './chain.ts'
import type { Evidence } from './evidence.ts'
import { Policy, policyName } from './policy.ts'
import { appendPages, seal } from './seal.ts'
import { type Queued, queue, type Parts as Signing } from './signing.ts'
import {
  customerOf,
  nobody,
  portIn,
  responseOf,
  type SignedFacts,
  type SignedSubject,
  subjectIn,
  submissionOf,
} from './subject.ts'

export interface Parts extends Signing {
  flags: { enabled(workspace: string): boolean }
  log: Log
  /** Undefined where no mail is sent. */
  mailContext: { outbox: Outbox; address: string } | undefined
  /** Where clients find the portal. */
  address: string | undefined
  workspaces: Workspaces
  /** Address of a time-stamp authority, where there is one. */
  timestamps: string | undefined
}

/**
 * What follows a response, by a job that is tried again until it is done: it is submitted where it was not yet, the
 * accepted paper is sealed, and both sides get their copies. Each step is stored before the next begins.
 */
export function submissionJobs(parts: Parts) {
  const { database, jobs } = parts
  jobs.work<Queued>(queue, async job => {
    try {
      await submitAndFinish(job, parts)
    } catch (error) {
      // A signed response is retried without end.
      if (job.retryCount >= job.retryLimit) await database.transaction(tx => jobs.send(tx, queue, job.data, 3_600))
      throw error
    }
  })
}

async function submitAndFinish({ data: { workspace: id, slug, id: signature } }: Job<Queued>, parts: Parts) {
  const { database, activation, flags, workspaces } = parts
  if (!flags.enabled(slug) || !(await activation.isAccepted()))
    throw new Error(`The portal of ${slug} is switched off.`)
  const workspace = await workspaces.find(slug)
  if (!workspace) throw new Error(`The CRM has no workspace ${slug}.`)
  const [row] = await readWithin<Stored>(
    database,
    { workspace: id },
    {
      text: `select ${columns} from ${tables} where s.workspace_id = scope.workspace and s.id = $3`,
      values: [signature],
    },
  )
  if (!row?.evidence) return
  const evidence: Evidence = JSON.parse(row.evidence)
  if (row.state === 'saved' || row.state === 'submitting') {
    if (!(await submit(row, evidence, workspace, parts))) return
  } else if (row.state === 'refused') return
  if (evidence.act === 'accepted' && !row.sealed) await finish(row, evidence, workspace, parts)
}

/** Whether the CRM took it. Throws if the CRM is unreachable, and the job is retried. */
async function submit(row: Stored, evidence: Evidence, workspace: BrandedWorkspace, parts: Parts): Promise<boolean> {
  const { database, log } = parts
  const change = (tx: Knex, set: string, values: unknown[] = []) =>
    query(tx, {
      text: `update portal.client_signatures set ${set}
             where workspace_id = $1 and id = $2 and state in ('saved', 'submitting') returning id`,
      values: [row.workspace_id, row.id, ...values],
    })
  const settle = (set: string, values: unknown[] = [], more?: (tx: Knex) => Promise<void>) =>
    within(database, { workspace: row.workspace_id }, async tx => {
      const [changed] = await change(tx, set, values)
      if (changed) await more?.(tx)
    })

  await settle(`state = 'submitting', attempts = attempts + 1, attempted_at = portal.now()`)
  try {
    await submitOnce(row, evidence, workspace, parts)
  } catch (error: any) {
    const final = error instanceof Conflict || error instanceof NotFound
    const why = String(error.message).slice(0, 300)
    log.warn({ workspace: workspace.slug, signature: row.id, error: why, final }, 'an answer could not be passed on')
    if (!final) {
      await settle('failure_reason = $3', [why])
      throw error
    }
    await settle(`state = 'refused', settled_at = portal.now(), failure_reason = $3`, [why], tx =>
      refused(tx, evidence, row, workspace, parts),
    )
    parts.mailContext?.outbox.wake()
    return false
  }
  await settle(`state = 'confirmed', settled_at = portal.now(), failure_reason = null`)
  return true
}

/** It is taken, or it is too late: also where the record is something else by now than what was signed. */
async function submitOnce(row: Stored, evidence: Evidence, workspace: BrandedWorkspace, parts: Parts) {
  const { section, id, content } = evidence.document
  const customer = customerOf(evidence, workspace, dateIn(zoneOf(workspace.timeZone), row.at))
  const subject = subjectIn(parts.sections, section)
  const response = responseOf(evidence, new Date(evidence.at), customer.today)
  const port = portIn(parts.activation.availablePorts(parts.crm.connect(customer)), section)
  if (!port) throw new Error(unavailable)
  const outside = submissionOf(subject, port)
  if (outside && outside !== nobody && !outside.transactional) {
    const now = await subject.read(port, id)
    const fixed = (it: object) => canonical(response.selection === 'own' ? (subject.fixed?.(it) ?? it) : it)
    if (now.open && fixed(now.content) !== fixed(content)) throw new Conflict()
    return outside.submit(id, response)
  }
  // If the port has a database: in one transaction there.
  await inItsDatabase(parts, customer, port, async ports => {
    const there = portIn(parts.activation.availablePorts(ports), section)
    const submission = there && submissionOf(subject, there)
    if (!there || !submission) throw new Error(unavailable)
    const before = await subject.read(there, id)
    if (submission !== nobody) await submission.submit(id, response)
    // One that has arrived already may have been changed there since.
    if (!before.open) return
    if (canonical((await subject.read(there, id)).content) !== canonical(content)) throw new Conflict()
  })
}

const unavailable = 'The CRM takes no responses right now.'

/** A plugin's own store is always in the portal's database. */
function inItsDatabase(
  { crm, database }: Parts,
  customer: Customer,
  port: object,
  work: (ports: Partial<Ports>) => Promise<void>,
): Promise<void> {
  const { workspace, client } = customer
  const theirs = crm.database ?? database
  if (!isStore(port)) return theirs.transaction(tx => work(crm.connect(customer, tx)))
  const scope = { workspace: workspace.id, client: client.id }
  return within(database, scope, tx => work(crm.connect(customer, theirs === database ? tx : undefined, tx)))
}

/** Seals what was accepted, and posts a copy to both sides, in one transaction. */
async function finish(row: Stored, evidence: Evidence, workspace: BrandedWorkspace, parts: Parts) {
  const { database, keyOf, mailContext, sections, workspaces, address } = parts
  const subject = sections.find(it => it.name === row.section)?.evidence
  // Its plugin was taken out: sealed when it is there again, or by an instance that has it.
  if (!subject) throw new Error(`No plugin ${row.section} says how what was signed is printed.`)
  const language = evidence.consent?.language ?? 'en-GB'
  const speech = speak(`${language}|${zoneOf(workspace.timeZone)}`)
  const reader = { ...speech, workspace }
  const verify = address && `${address}/${workspace.slug}/verify`
  const printed = subject.print(evidence.document.content, reader)
  const words = subject.certificate?.(factsOf(evidence), reader) ?? acceptance(factsOf(evidence), reader)
  const certified = { ...printed, stamp: undefined, certificate: certificate({ evidence, row, verify, words }, reader) }
  const logo = await workspaces.logo(workspace)
  const first = { by: '', first: true }
  const print = (alone: boolean) => pdfOf({ ...certified, alone }, logo, first)
  const frozen = row.document
  const ours = frozen && evidence.document.pdf?.by !== 'crm' && frozen.equals(await pdfOf(printed, logo, first))
  // The frozen paper itself with the certificate behind it; ours as one print, where that is the same but for tags that
  // hold for both. One that nothing can be added to is named in the certificate by its fingerprint.
  const paper =
    (!ours && frozen && (await appendPages(frozen, await print(true)).catch(() => undefined))) || (await print(false))
  const key = await keyOf(workspace, row.head_key)
  const sealed = await seal(paper, {
    key,
    at: row.at,
    reason: `${evidence.act} ${row.number}`,
    evidence: row.id,
    name: workspace.name,
    timestamps: parts.timestamps,
  })
  await within(database, { workspace: row.workspace_id }, async tx => {
    const own = { workspace: row.workspace_id, client: row.client_id, evidence: row.id, pdf: sealed }
    const first = await appendSeal(tx, own, key)
    if (!first || !mailContext) return
    const { copies } = Policy.parse((await setting(tx, row.workspace_id)) ?? {})
    // The law wants them to have what they signed; the page that the button opens is closed to them.
    const [off] = await portalOffFor(tx, row.workspace_id, [row.client_id])
    const copy: Copy = {
      kind: 'signed-copy',
      facts: { ...factsOf(evidence), ...summaryOf(subject, evidence, reader) },
      url: evidence.publicLink || off ? undefined : linkTo(mailContext, workspace, row, '/evidence'),
      attachments: [
        {
          filename: `${row.number}.pdf`,
          content: sealed.toString('base64'),
          encoding: 'base64',
          contentType: 'application/pdf',
        },
      ],
    }
    await post(tx, { mailContext, workspace, speech }, copy, evidence.signer)
    const companys = { ...copy, kind: 'signed-copy-company' as const }
    if (copies) await post(tx, { mailContext, workspace, speech }, companys, { email: copies })
  })
  mailContext?.outbox.wake()
}

const factsOf = ({ signer, document }: Evidence): SignedFacts => ({
  name: signer.name,
  number: document.number,
  version: document.version,
  client: signer.client.name,
})

/** As mails name it. */
function summaryOf(subject: SignedSubject | undefined, { document }: Evidence, reader: DocumentReader): Facts {
  const { title = document.number, total = '' } = subject?.summary?.(document.content, reader) ?? {}
  return { what: title, total }
}

interface Copy {
  kind: MailKind
  facts: Facts
  /** Undefined for a signer without an account, or whose portal is switched off. */
  url: string | undefined
  attachments?: Attachment[]
}

interface Posting {
  mailContext: NonNullable<Parts['mailContext']>
  workspace: BrandedWorkspace
  speech: Speech
}

const linkTo = (
  mailContext: Posting['mailContext'],
  { slug }: BrandedWorkspace,
  { section, document_id: id, client_id: client }: Stored,
  rest?: string,
) => documentAt(mailContext, slug, { client, section, id, rest })

async function post(
  tx: Knex,
  { mailContext, workspace, speech }: Posting,
  { kind, facts, url, attachments }: Copy,
  to: { id?: string; name?: string; email: string },
) {
  const own = await textOf(tx, workspace.id, kind, speech.language)
  const words = mailContentIn(kind, speech, { ...facts, workspace: workspace.name }, own, url)
  await mailContext.outbox.post(tx, {
    ...{ workspace, kind, speech, attachments },
    to: { email: to.email, person: to.id },
    letter: { ...words, greeting: greeting(speech, to.name) },
  })
}

/** Tells the signer that the response was rejected. */
async function refused(tx: Knex, evidence: Evidence, row: Stored, workspace: BrandedWorkspace, parts: Parts) {
  const { mailContext, sections } = parts
  if (!mailContext) return
  const speech = speak(`${evidence.consent?.language ?? 'en-GB'}|${zoneOf(workspace.timeZone)}`)
  const url = evidence.publicLink ? undefined : linkTo(mailContext, workspace, row)
  const subject = sections.find(it => it.name === row.section)?.evidence
  const { what } = summaryOf(subject, evidence, { ...speech, workspace })
  const copy: Copy = { kind: 'answer-refused', facts: { number: row.number, act: evidence.act, what: what! }, url }
  await post(tx, { mailContext, workspace, speech }, copy, evidence.signer)
}

const setting = async (tx: Knex, workspace: string) => {
  const [row] = await query(tx, {
    text: `select value from portal.client_portal_settings
           where workspace_id = $1 and client_id = '' and person_id = '' and name = $2`,
    values: [workspace, policyName],
  })
  return row?.value
}
