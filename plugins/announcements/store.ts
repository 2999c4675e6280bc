import type { Knex } from 'knex'
import { z } from 'zod'
import type { Customer } from '../../src/crm/crm.ts'
import { NotFound } from '../../src/http/errors.ts'
import { keyOf, page } from '../../src/http/paging.ts'
import { query, readWithin, within } from '../../src/platform/database.ts'
import type { Announcement, Announcements } from './port.ts'

/** The port over Portico's own tables, bound to one customer. */
export function storeOf({ workspace, client, person, role, today }: Customer, database: Knex): Announcements {
  const scope = { workspace: workspace.id, client: client.id }
  const read = (name: string, rest: string, values: unknown[]) =>
    readWithin<Announcement>(database, scope, {
      name: `portal.announcements-${name}`,
      text: `select ${columns} from ${tables} where ${visible} ${rest}`,
      values: [role, today, person.id, ...values],
    })

  const find = async (id: string) => {
    const [found] = await read('one', 'and a.id::text = $6', [id])
    if (!found) throw new NotFound()
    return found
  }

  const note = (id: string, dismissed: boolean) =>
    within(database, scope, tx => keepRead(tx, [workspace.id, id, client.id, person.id], dismissed))

  return {
    async list({ after, size }) {
      const [on, id] = keyOf(after, Key) ?? []
      const rest = `and ($6::date is null or (a.starts_on, a.id) < ($6::date, $7::uuid))
        order by a.starts_on desc, a.id desc limit $8`
      return page(await read('list', rest, [on ?? null, id ?? null, size + 1]), size, it => [it.publishedOn, it.id])
    },
    current: size =>
      read('current', 'and r.dismissed_at is null order by a.important desc, a.starts_on desc, a.id desc limit $6', [
        size,
      ]),
    find,
    markRead: id => note(id, false),
    async dismiss(id) {
      await find(id)
      await note(id, true)
    },
  }
}

const Key = z.tuple([z.iso.date(), z.uuid()])

/** What holds on $4 for this client and the role $3. */
const visible = `a.workspace_id = scope.workspace and a.withdrawn_at is null
  and a.starts_on <= $4::date and a.ends_on >= $4::date
  and (a.client_ids is null or scope.client = any (a.client_ids)) and (a.roles is null or $3 = any (a.roles))`

const tables = `portal.client_announcements a
  left join portal.client_announcement_reads r on r.workspace_id = a.workspace_id and r.announcement_id = a.id
    and r.client_id = scope.client and r.person_id = $5`

const columns = `a.id::text, a.title, a.text, a.important, a.starts_on::text as "publishedOn",
  nullif(a.ends_on, 'infinity')::text as until, r.person_id is not null as read,
  r.dismissed_at is not null as dismissed`

/** Resolves to whether there was no note before. */
async function keepRead(tx: Knex, key: string[], dismissed: boolean): Promise<boolean> {
  const made = await query(tx, {
    text: `insert into portal.client_announcement_reads (workspace_id, announcement_id, client_id, person_id)
           values ($1, $2, $3, $4) on conflict do nothing returning 1`,
    values: key,
  })
  if (dismissed)
    await query(tx, {
      text: `update portal.client_announcement_reads set dismissed_at = coalesce(dismissed_at, portal.now())
             where workspace_id = $1 and announcement_id = $2 and client_id = $3 and person_id = $4`,
      values: key,
    })
  return made.length > 0
}
