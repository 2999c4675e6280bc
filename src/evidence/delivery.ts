import type { Knex } from 'knex'
import { documentAt, greeting } from '../auth/way.ts'
import type { Branded, Workspaces } from '../branding/workspaces.ts'
import { query, readWithin, within } from '../database.ts'
import { Conflict, NotFound } from '../errors.ts'
import type { Job } from '../jobs.ts'
import { dateIn, type Speech, speak, zoneOf } from '../language.ts'
import type { Log } from '../log.ts'
import type { Facts, LetterKind } from '../mail/letters.ts'
import type { Outbox } from '../mail/outbox.ts'
import { said, textOf } from '../mail/texts.ts'
import type { Attachment } from '../mail/transport.ts'
import { type Content, contentOf } from '../offer/content.ts'
import type { Answer } from '../offer/port.ts'
import { Policy, policyName } from '../offer/signing.ts'
import { pdfOf } from '../pdf/pdf.ts'
import type { Section } from '../section.ts'
import { canonical } from './canonical.ts'
import { certificate } from './certificate.ts'
import { appendSeal, columns, type Stored, tables } from './chain.ts'
import type { Evidence } from './evidence.ts'
import { behind, seal } from './seal.ts'
import { customerOf, portOf, type Queued, queue, type Parts as Signing } from './signing.ts'

export interface Parts extends Signing {
  flags: { enabled(workspace: string): boolean }
  log: Log
  /** Undefined where no mail is sent. */
  mailed: { outbox: Outbox; address: string } | undefined
  /** Where clients find the portal. */
  address: string | undefined
  places: Workspaces
  /** Address of a time-stamp authority, where there is one. */
  timestamps: string | undefined
  sections: Section[]
}

/**
 * What follows an answer, by a job that is tried again until it is done: the CRM is told where it was not yet, the
 * accepted paper is sealed, and both sides get their copies. Each step is stored before the next begins.
 */
export function delivering(parts: Parts) {
  const { database, jobs } = parts
  jobs.work<Queued>(queue, async job => {
    try {
      await deliver(job, parts)
    } catch (error) {
      // What somebody signed is not given up.
      if (job.retryCount >= job.retryLimit) await database.transaction(tx => jobs.send(tx, queue, job.data, 3_600))
      throw error
    }
  })
}

async function deliver({ data: { workspace: id, slug, id: signature } }: Job<Queued>, parts: Parts) {
  const { database, door, flags, places } = parts
  if (!flags.enabled(slug) || !(await door.opened())) throw new Error(`The portal of ${slug} is switched off.`)
  const workspace = await places.find(slug)
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
  if (row.state === 'saved' || row.state === 'passing') {
    if (!(await passOn(row, evidence, workspace, parts))) return
  } else if (row.state === 'refused') return
  if (evidence.act === 'accepted' && !row.sealed) await finish(row, evidence, workspace, parts)
}

/** Whether the CRM has taken it. Throws where it cannot be asked: the job comes again. */
async function passOn(row: Stored, evidence: Evidence, workspace: Branded, parts: Parts): Promise<boolean> {
  const { database, log } = parts
  const change = (tx: Knex, set: string, values: unknown[] = []) =>
    query(tx, {
      text: `update portal.client_signatures set ${set}
             where workspace_id = $1 and id = $2 and state in ('saved', 'passing') returning id`,
      values: [row.workspace_id, row.id, ...values],
    })
  const settle = (set: string, values: unknown[] = [], more?: (tx: Knex) => Promise<void>) =>
    within(database, { workspace: row.workspace_id }, async tx => {
      const [changed] = await change(tx, set, values)
      if (changed) await more?.(tx)
    })

  await settle(`state = 'passing', tries = tries + 1, tried_at = portal.now()`)
  try {
    await told(row, evidence, workspace, parts)
  } catch (error: any) {
    const final = error instanceof Conflict || error instanceof NotFound
    const why = String(error.message).slice(0, 300)
    log.warn({ workspace: workspace.slug, signature: row.id, error: why, final }, 'an answer could not be passed on')
    if (!final) {
      await settle('why = $3', [why])
      throw error
    }
    await settle(`state = 'refused', settled_at = portal.now(), why = $3`, [why], tx =>
      refused(tx, evidence, row, workspace, parts),
    )
    parts.mailed?.outbox.wake()
    return false
  }
  await settle(`state = 'confirmed', settled_at = portal.now(), why = null`)
  return true
}

/** The CRM takes it, or says that it is too late: also where it holds something else by now than what was signed. */
async function told(row: Stored, evidence: Evidence, workspace: Branded, parts: Parts) {
  const { document } = evidence
  const customer = customerOf(evidence, workspace, dateIn(zoneOf(workspace.timeZone), row.at))
  const { crm, database, door } = parts
  const portIn = (tx?: Knex.Transaction) => portOf(door.passing(crm.connect(customer, tx)), document.section)
  const answer = answerOf(evidence, customer.today)
  const port = portIn()
  const signed = document.content as Content
  if (port?.passOn) {
    const now = await port.find(document.id)
    const fixed = answer.choice ? withoutChoice : canonical
    if (now.status === 'open' && fixed(contentOf(now)) !== fixed(signed)) throw new Conflict()
    return port.passOn(document.id, answer)
  }
  // In the CRM's own database: all of it is written there, or nothing.
  await (crm.database ?? database).transaction(async tx => {
    const there = portIn(tx)
    if (!there?.answer) throw new Error('The CRM takes no answers right now.')
    const before = await there.find(document.id)
    await there.answer(document.id, answer)
    // One that has arrived already may have been changed there since.
    if (before.status !== 'open') return
    if (canonical(contentOf(await there.find(document.id))) !== canonical(signed)) throw new Conflict()
  })
}

const withoutChoice = ({ lines, sums, total, ...content }: Content) => canonical(content)

function answerOf({ id, act, at, document, signer, reason, order, choice }: Evidence, on: string): Answer {
  const { lines, sums } = document.content as { lines: any[]; sums: any }
  return {
    key: id,
    act: act as Answer['act'],
    version: document.version,
    at: new Date(at),
    on,
    by: { name: signer.name, email: signer.email, contact: signer.contact },
    reason,
    orderNumber: order.number,
    wishedOn: order.wishedOn,
    choice: choice === 'own' ? { lines: lines.filter(it => it.optional && it.id), sums } : null,
  }
}

/** Seals what was accepted, and posts a copy to both sides, in one transaction. */
async function finish(row: Stored, evidence: Evidence, workspace: Branded, parts: Parts) {
  const { database, keyOf, mailed, sections, places, address } = parts
  const section = sections.find(it => it.name === row.section)
  if (!section?.signed) return
  const language = evidence.consent?.language ?? 'en-GB'
  const speech = speak(`${language}|${zoneOf(workspace.timeZone)}`)
  const reader = { ...speech, workspace }
  const verify = address && `${address}/${workspace.slug}/verify`
  const printed = section.signed(evidence.document.content, reader)
  const certified = { ...printed, stamp: undefined, certificate: certificate({ evidence, row, verify }, reader) }
  const logo = await places.logo(workspace)
  const first = { by: '', first: true }
  const print = (alone: boolean) => pdfOf({ ...certified, alone }, logo, first)
  const frozen = row.document
  const ours = frozen && evidence.document.pdf?.by !== 'crm' && frozen.equals(await pdfOf(printed, logo, first))
  // The frozen paper itself with the certificate behind it; ours as one print, where that is the same but for tags that
  // hold for both. One that nothing can be added to is named in the certificate by its fingerprint.
  const paper =
    (!ours && frozen && (await behind(frozen, await print(true)).catch(() => undefined))) || (await print(false))
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
    if (!first || !mailed) return
    const { copies } = Policy.parse((await setting(tx, row.workspace_id)) ?? {})
    const copy: Copy = {
      kind: 'signed-copy',
      facts: {
        name: evidence.signer.name,
        number: row.number,
        version: row.version,
        client: evidence.signer.client.name,
      },
      url: evidence.publicLink ? undefined : linkTo(mailed, workspace, row, '/evidence'),
      attachments: [
        {
          filename: `${row.number}.pdf`,
          content: sealed.toString('base64'),
          encoding: 'base64',
          contentType: 'application/pdf',
        },
      ],
    }
    await post(tx, { mailed, workspace, speech }, copy, evidence.signer)
    if (copies) await post(tx, { mailed, workspace, speech }, copy, { email: copies })
  })
  mailed?.outbox.wake()
}

interface Copy {
  kind: LetterKind
  facts: Facts
  /** Undefined for who has no account to look by. */
  url: string | undefined
  attachments?: Attachment[]
}

interface Posting {
  mailed: NonNullable<Parts['mailed']>
  workspace: Branded
  speech: Speech
}

const linkTo = (
  mailed: Posting['mailed'],
  { slug }: Branded,
  { section, document_id: id, client_id: client }: Stored,
  rest?: string,
) => documentAt(mailed, slug, { client, section, id, rest })

async function post(
  tx: Knex,
  { mailed, workspace, speech }: Posting,
  { kind, facts, url, attachments }: Copy,
  to: { id?: string; name?: string; email: string },
) {
  const own = await textOf(tx, workspace.id, kind, speech.language)
  const words = said(kind, speech, { ...facts, workspace: workspace.name }, own, url)
  await mailed.outbox.post(tx, {
    ...{ workspace, kind, speech, attachments },
    to: { email: to.email, person: to.id },
    letter: { ...words, greeting: greeting(speech, to.name) },
  })
}

/** Whoever signed must know that it came to nothing. */
async function refused(tx: Knex, evidence: Evidence, row: Stored, workspace: Branded, { mailed }: Parts) {
  if (!mailed) return
  const speech = speak(`${evidence.consent?.language ?? 'en-GB'}|${zoneOf(workspace.timeZone)}`)
  const url = evidence.publicLink ? undefined : linkTo(mailed, workspace, row)
  const copy: Copy = { kind: 'answer-refused', facts: { number: row.number }, url }
  await post(tx, { mailed, workspace, speech }, copy, evidence.signer)
}

const setting = async (tx: Knex, workspace: string) => {
  const [row] = await query(tx, {
    text: `select value from portal.client_portal_settings
           where workspace_id = $1 and client_id = '' and person_id = '' and name = $2`,
    values: [workspace, policyName],
  })
  return row?.value
}
