import type { OwnedRecord } from '../../src/crm/crm.ts'
import { addressInCrm } from '../../src/crm/pages.ts'
import type { BrandedWorkspace } from '../../src/crm/workspaces.ts'
import type { Evidence } from '../../src/evidence/evidence.ts'
import { excerptOf } from '../../src/mail/content.ts'
import type { Facts } from '../../src/mail/kinds.ts'
import { type Entry, entryOf } from '../../src/platform/activity.ts'
import { readWithin } from '../../src/platform/database.ts'
import { localeOf, speak, zoneOf } from '../../src/platform/i18n.ts'
import type { NewsKind, Rules } from './rules.ts'
import type { News, Parts, Telling } from './shape.ts'
import { uploadNews } from './uploads.ts'

export const tellingOf = (workspace: BrandedWorkspace, { language }: Rules): Telling => ({
  workspace,
  speech: speak(`${localeOf(language)}|${zoneOf(workspace.timeZone)}`),
})

/** By the last word of an event. */
const kindOfEvent: Record<string, NewsKind> = {
  accepted: 'accepted',
  declined: 'declined',
  commented: 'questions',
  disputed: 'questions',
  uploaded: 'uploads',
  begun: 'messages',
  written: 'messages',
}

/** What an entry of the activity log is to staff; undefined where it is nothing, or by staff themselves. */
export const kindOfEntry = ({ event, actor_kind }: Entry): NewsKind | undefined =>
  ['client', 'link'].includes(actor_kind) ? kindOfEvent[event.slice(event.lastIndexOf('.') + 1)] : undefined

/** Reads an event again by its key: `entry:7`, `signature:…`, `refused:…`, `mail:…`, `upload:7`, `message:7`. Undefined where it is there no more. */
export async function newsOf(parts: Parts, about: string, telling: Telling): Promise<News | undefined> {
  const [what, id = ''] = about.split(':')
  if (what === 'signature') return countersignatureNews(parts, id, telling)
  if (what === 'refused') return refusalNews(parts, id, telling)
  if (what === 'mail') return failureNews(parts, id, telling)
  if (what === 'upload') return uploadNews(parts, id, telling)
  if (what === 'message') return messageNews(parts, id, telling)
  const entry = await entryOf(parts.database, telling.workspace.id, id)
  const kind = entry && kindOfEntry(entry)
  if (!kind || kind === 'uploads' || kind === 'messages') return undefined
  return kind === 'questions' ? questionNews(parts, entry, telling) : responseNews(parts, kind, entry, telling)
}

async function responseNews(parts: Parts, kind: NewsKind, entry: Entry, telling: Telling): Promise<News | undefined> {
  const signature = String(entry.subject.signature)
  const signed = await signedIn(parts, signature, telling)
  if (!signed) return undefined
  if (signed.state === 'refused') return refusalNews(parts, signature, telling)
  const { facts, record, evidence, state } = signed
  const { t } = telling.speech
  const names = { client: String(facts.client), number: String(facts.number) }
  const declined = kind === 'declined'
  const title = declined ? t('{client} declined {number}', names) : t('{client} accepted {number}', names)
  const reason = excerptOf(evidence.reason ?? '')
  const underway = state === 'saved' || state === 'submitting'
  const pending = underway ? t('It is being submitted to the CRM.') : ''
  return {
    ...{ kind, record, title, facts: { ...facts, ...(declined && { reason }), pending } },
    text: told([facts.name, declined ? excerptOf(reason, 140) : facts.total, pending]),
    url: addressOf(parts, record, telling, '/responses'),
  }
}

/** A response that the CRM did not take; undefined where it did. */
async function refusalNews(parts: Parts, id: string, telling: Telling): Promise<News | undefined> {
  const signed = await signedIn(parts, id, telling)
  if (signed?.state !== 'refused') return undefined
  const { facts, record, evidence } = signed
  const declined = evidence.act === 'declined'
  const names = { client: String(facts.client), number: String(facts.number) }
  return {
    ...{ kind: declined ? 'declined' : 'accepted', mail: 'refused', about: `refused:${id}`, record },
    facts: { ...facts, act: evidence.act },
    title: telling.speech.t('Rejected by the CRM: the response of {client} to {number}', names),
    text: told([facts.name, facts.total]),
    url: `${parts.settingsAddress}/responses?show=refused`,
  }
}

async function countersignatureNews(parts: Parts, id: string, telling: Telling): Promise<News | undefined> {
  const signed = await signedIn(parts, id, telling)
  if (signed?.state !== 'confirmed' || signed.countersigned) return undefined
  const { record, at } = signed
  const facts: Facts = { ...signed.facts, time: telling.speech.time(at) }
  return {
    ...{ kind: 'countersignatures', record, facts },
    title: telling.speech.t('Waiting for your countersignature: {number}', { number: String(facts.number) }),
    text: told([facts.client, facts.total]),
    // It can be countersigned here and nowhere else.
    url: `${parts.settingsAddress}/responses`,
  }
}

async function questionNews(parts: Parts, entry: Entry, telling: Telling): Promise<News | undefined> {
  const { id, number, comment } = entry.subject
  const remark = await parts.capability('comments')?.find(telling.workspace.id, String(comment))
  if (!remark || !entry.client_id) return undefined
  const record = { section: sectionOf(entry), id: String(id), client: entry.client_id }
  const facts = {
    ...{ name: remark.by, client: remark.client, number: String(number) },
    ...{ line: remark.line ?? '', text: excerptOf(remark.text, 2_000) },
    ...(remark.disputed && { disputed: 'yes' }),
    ...(remark.files.length && { attached: remark.files.length, files: remark.files.join(', ') }),
    answer: `${parts.settingsAddress}/questions`,
  }
  return {
    ...{ kind: 'questions', record, facts },
    title: remark.disputed
      ? telling.speech.t('{name} disputes {number}', { name: facts.name, number: facts.number })
      : telling.speech.t('{name} asks about {number}', { name: facts.name, number: facts.number }),
    text: told([facts.client, excerptOf(remark.text, 140)]),
    url: addressOf(parts, record, telling, '/questions'),
  }
}

/** What a client wrote in a conversation and nobody has read or answered, by the entry of its newest message. */
async function messageNews(parts: Parts, id: string, { workspace, speech }: Telling): Promise<News | undefined> {
  const entry = await entryOf(parts.database, workspace.id, id)
  const message = String(entry?.subject.message)
  const waiting = entry?.client_id && (await parts.capability('messages')?.waiting(workspace.id, message))
  if (!entry?.client_id || !waiting) return undefined
  const { thread, title, by, client, text, files, count } = waiting
  const record = { section: 'messages', id: thread, client: entry.client_id }
  return {
    ...{ kind: 'messages', record, replies: true },
    facts: {
      ...{ name: by, client, title, count, text: excerptOf(text, 4_000) },
      ...(files.length && { attached: files.length, files: files.join(', ') }),
    },
    title: speech.t('{name} writes: {title}', { name: by, title }),
    text: told([client, excerptOf(text, 140)]),
    url: `${parts.settingsAddress}/inbox/${thread}`,
  }
}

async function failureNews({ database, settingsAddress }: Parts, id: string, { workspace, speech }: Telling) {
  const [mail] = await readWithin<{ recipient: string; subject: string; error: string | null }>(
    database,
    { workspace: workspace.id },
    {
      text: `select o.recipient, o.subject, o.error from portal.client_outbox o
             where o.workspace_id = scope.workspace and o.id = $3`,
      values: [id],
    },
  )
  if (!mail) return undefined
  const text = told([mail.subject, mail.error ?? ''])
  const title = speech.t('Not sent to {recipient}', { recipient: mail.recipient })
  const news: News = { kind: 'failures', facts: {}, title, text, url: `${settingsAddress}/mail?show=failed` }
  return news
}

interface Row {
  evidence: string | null
  section: string
  document: string
  client: string
  at: Date
  state: string
  countersigned: boolean
}

/** A response with what its mails name; undefined where its evidence was erased. */
async function signedIn({ database, plugins }: Parts, id: string, { workspace, speech }: Telling) {
  const [row] = await readWithin<Row>(
    database,
    { workspace: workspace.id },
    {
      text: `select s.evidence, s.section, s.document_id as document, s.client_id as client, s.at, s.state,
               exists (select from portal.client_signatures c where c.workspace_id = s.workspace_id
                 and c.act = 'countersigned' and c.section = s.section and c.document_id = s.document_id
                 and c.version = s.version) as countersigned
             from portal.client_signatures s where s.workspace_id = scope.workspace and s.id::text = $3`,
      values: [id],
    },
  )
  if (!row?.evidence) return undefined
  const evidence: Evidence = JSON.parse(row.evidence)
  const { signer, document, order } = evidence
  const summary = plugins.find(it => it.name === row.section)?.evidence?.summary
  const { title = document.number, total = '' } = summary?.(document.content, { ...speech, workspace }) ?? {}
  const facts: Facts = {
    ...{ name: signer.name, client: signer.client.name, number: document.number, version: document.version },
    ...{ what: title, total, order: order.number ?? '' },
    requestedOn: order.requestedOn ? speech.day(order.requestedOn) : '',
  }
  const { at, state, countersigned } = row
  return { evidence, facts, at, state, countersigned, record: recordOf(row) }
}

const recordOf = ({ section, document, client }: Row): OwnedRecord => ({ section, id: document, client })

const sectionOf = ({ event }: Entry) => event.slice(0, event.lastIndexOf('.'))

const addressOf = (
  { crm, settingsAddress }: Parts,
  { section, id }: OwnedRecord,
  { workspace }: Telling,
  page: string,
): string => addressInCrm(crm, { kind: section, id, workspace }, settingsAddress) ?? settingsAddress + page

/** In one line. */
const told = (its: (string | number | undefined)[]) =>
  its
    .map(it =>
      String(it ?? '')
        .replace(/\s+/g, ' ')
        .trim(),
    )
    .filter(Boolean)
    .join(' · ')
