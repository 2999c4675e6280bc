import type { Knex } from 'knex'
import { query } from '../platform/database.ts'
import type { Flags } from '../platform/flags.ts'
import type { Stream } from './stream.ts'

/** Of these streams those whose subscribers may see more or less than when they came: they are to be judged anew. */
export async function changedAccess(
  { database, flags }: { database: Knex; flags: Flags },
  all: Iterable<Stream>,
): Promise<Stream[]> {
  const those = [...all].filter(it => it.access !== undefined && flags.enabled(it.slug))
  const changed: Stream[] = []
  for (let at = 0; at < those.length; at += 200) {
    const some = those.slice(at, at + 200)
    const sessions = some.map(it => it.session!)
    const now = await accessOf(database, sessions)
    changed.push(...some.filter(it => now.get(it.session!) !== it.access))
  }
  return changed
}

/** By the stored id of a session that has not ended: a digest of all that decides what it may see. */
export async function accessOf(database: Knex, sessions: string[]): Promise<Map<string, string>> {
  const rows = await query<{ session: string; access: string }>(database, {
    name: 'portal.access_of',
    text: `select s.id as session,
             encode(sha256(convert_to((it - 'now' - 'sess')::text || coalesce(it #>> '{sess,client}', ''), 'UTF8')), 'base64') as access
           from unnest($1::text[]) s(id), lateral portal.load_session(s.id) it where it is not null`,
    values: [[...new Set(sessions)]],
  })
  return new Map(rows.map(it => [it.session, it.access]))
}
