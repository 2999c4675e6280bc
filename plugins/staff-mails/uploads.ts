import { excerptOf } from '../../src/mail/content.ts'
import { type Entry, entryOf } from '../../src/platform/activity.ts'
import { readWithin } from '../../src/platform/database.ts'
import type { News, Parts, Telling } from './shape.ts'

/** Seconds between two uploads of one person after which the second begins another batch. */
const gap = 90

/** Seconds after an upload until it is told: by then it is known whether it was the last of its batch. */
export const batchSeconds = gap + 30

/** Names in a mail; the others are counted. */
const named = 20

/**
 * Files that one person sent one after the other, by the last entry of the activity log. Undefined for an entry that is
 * not the last: the last one tells of all.
 */
export async function uploadNews(parts: Parts, id: string, { workspace, speech }: Telling): Promise<News | undefined> {
  const last = await entryOf(parts.database, workspace.id, id)
  if (!last?.client_id) return undefined
  const { client_id: client } = last
  if ((await around(parts, workspace.id, last, 'after')).some(it => isNear(it, last))) return undefined
  const batch = batchOf(last, await around(parts, workspace.id, last, 'before'))
  const count = batch.reduce((sum, it) => sum + Number(it.subject.count ?? 1), 0)
  const name = String(last.actor_name ?? '')
  const company = (await parts.crm.directory.client(workspace, client))?.name ?? name
  const { t } = speech
  const names = batch
    .flatMap(it => String(it.subject.names ?? it.subject.number ?? '').split('\n'))
    .filter(it => it !== '')
    .slice(0, named)
  const more = count - names.length
  const list = [...names, ...(more > 0 ? [t('And {more} more', { more })] : [])].join('\n')
  const section = last.event.slice(0, last.event.lastIndexOf('.'))
  const page = count === 1 ? last.subject.id : `clients/${encodeURIComponent(client)}`
  return {
    ...{ kind: 'uploads', record: { section, id: String(last.subject.id), client } },
    facts: { name, client: company, count, list },
    title: t('{client} sent {count, plural, one {a file} other {# files}}', { client: company, count }),
    text: excerptOf(names.join(', '), 140),
    url: `${parts.settingsAddress}/${section}/${page}`,
  }
}

/** From the first on, as long as each came soon after the one before. */
function batchOf(last: Entry, before: Entry[]): Entry[] {
  const batch = [last]
  for (const it of before) {
    if (!isNear(it, batch[0]!)) break
    batch.unshift(it)
  }
  return batch
}

const isNear = (a: Entry, b: Entry) => Math.abs(a.at.getTime() - b.at.getTime()) <= gap * 1_000

/** Uploads of the same person for the same client, the nearest first. */
const around = ({ database }: Parts, workspace: string, it: Entry, where: 'before' | 'after') =>
  readWithin<Entry>(
    database,
    { workspace, client: it.client_id! },
    {
      name: `portal.uploads-${where}`,
      text: `select l.id::text, l.at, l.event, l.subject from portal.client_activity_logs l
             where l.workspace_id = scope.workspace and l.client_id = scope.client and l.event = $3 and l.actor_id = $4
               and l.id ${where === 'before' ? '<' : '>'} $5::bigint and l.at ${where === 'before' ? '> $6::timestamptz - ' : '< $6::timestamptz + '}interval '1 day'
             order by l.id ${where === 'before' ? 'desc' : ''} limit 500`,
      values: [it.event, it.actor_id, it.id, it.at],
    },
  )
