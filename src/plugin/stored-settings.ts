import type { Request } from 'express'
import type { Knex } from 'knex'
import { Conflict } from '../http/errors.ts'
import { recordEventIn } from '../platform/activity.ts'
import { query, readWithin, within } from '../platform/database.ts'

export interface Change {
  name: string
  label: string
  before: boolean | string
  after: boolean | string
  /** The sentence that it leaves, if not that of a switch. */
  event?: string
}

/** What is set for the whole workspace, or for one client of it, or for one of that client's people. */
export async function storedSettings<Value = boolean>(
  database: Knex,
  workspace: string,
  client = '',
  person = '',
): Promise<Map<string, Value>> {
  const rows = await readWithin<{ name: string; value: Value }>(
    database,
    { workspace },
    {
      name: 'portal.settings',
      text: `select name, value from portal.client_portal_settings t
             where t.workspace_id = scope.workspace and t.client_id = $3 and t.person_id = $4`,
      values: [client, person],
    },
  )
  return new Map(rows.map(it => [it.name, it.value]))
}

/** Saves all changes with their activity, or none. Throws Conflict if one was changed meanwhile. */
export const saveSettings = (database: Knex, req: Request, changes: Change[]) =>
  within(database, { workspace: req.portal.workspace.id }, async tx => {
    for (const { name, label, before, after, event = 'settings.changed' } of changes) {
      const set = await query(tx, {
        text: `insert into portal.client_portal_settings as it (workspace_id, name, value, changed_by)
               values ($1, $2, $3, $4)
               on conflict (workspace_id, client_id, person_id, name)
                 do update set value = excluded.value, changed_at = portal.now(), changed_by = excluded.changed_by
                 where it.value = $5
               returning name`,
        values: [req.portal.workspace.id, name, JSON.stringify(after), req.portal.staff?.name, JSON.stringify(before)],
      })
      if (!set.length) throw new Conflict()
      await recordEventIn(tx, req, {
        event,
        subject: { id: name, label, before, after, state: String(after) },
      })
    }
  })

/** Of a client, or of one of its people. */
export interface Key {
  workspace: string
  client: string
  /** Empty: the whole client. */
  person: string
  name: string
}

/** Sets, changes or takes away one row; undefined is none. Throws Conflict where it is not any more what it was. */
export async function replaceSetting<Value>(
  tx: Knex,
  it: Key,
  before: Value | undefined,
  after: Value | undefined,
  by: string,
) {
  const key = [it.workspace, it.client, it.person, it.name]
  const where = 'workspace_id = $1 and client_id = $2 and person_id = $3 and name = $4'
  const statement =
    before === undefined
      ? {
          text: `insert into portal.client_portal_settings (workspace_id, client_id, person_id, name, value, changed_by)
                 values ($1, $2, $3, $4, $5, $6) on conflict do nothing returning name`,
          values: [...key, JSON.stringify(after), by],
        }
      : after === undefined
        ? {
            text: `delete from portal.client_portal_settings where ${where} and value = $5 returning name`,
            values: [...key, JSON.stringify(before)],
          }
        : {
            text: `update portal.client_portal_settings set value = $6, changed_at = portal.now(), changed_by = $7
                   where ${where} and value = $5 returning name`,
            values: [...key, JSON.stringify(before), JSON.stringify(after), by],
          }
  if (!(await query(tx, statement)).length) throw new Conflict()
}
