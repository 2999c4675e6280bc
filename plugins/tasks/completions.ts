import type { Knex } from 'knex'
import type { Customer } from '../../src/crm/crm.ts'
import { query, readWithin } from '../../src/platform/database.ts'
import type { Completion, State } from './port.ts'

/** For so many minutes a completion can be undone. */
export const undoMinutes = 30

/** Who completed a task in the portal last, and how it was then. */
export interface Completed extends Completion {
  task: string
  /** ISO 8601. */
  at: string
  name: string
  own: boolean
  /** Whether it was completed so lately that it can be undone. */
  fresh: boolean
}

/** Over `c`, with the reader's id as a parameter. */
export const completedColumns = (person: string) => `c.task_id as task, c.before, c.version,
  to_char(c.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at, c.by_name as name, c.by_id = ${person} as own,
  c.at > portal.now() - interval '${undoMinutes} minutes' as fresh`

/** Those of this client's tasks that somebody completed in the portal, by the task's id. */
export async function completedOf(
  database: Knex,
  { workspace, client, person }: Customer,
  ids: string[],
): Promise<Map<string, Completed>> {
  if (!ids.length) return new Map()
  const rows = await readWithin<Completed>(
    database,
    { workspace: workspace.id, client: client.id },
    {
      name: 'portal.task-completions',
      text: `select ${completedColumns('$3')} from portal.client_task_completions c
             where c.workspace_id = scope.workspace and c.client_id = scope.client and c.task_id = any ($4)`,
      values: [person.id, ids],
    },
  )
  return new Map(rows.map(it => [it.task, it]))
}

/** Notes who completed it, in the transaction in which they do. */
export const keepCompletion = (
  tx: Knex,
  { workspace, client, person }: Customer,
  task: string,
  { before, version }: Completion,
) =>
  query(tx, {
    name: 'portal.keep-task-completion',
    text: `insert into portal.client_task_completions (workspace_id, client_id, task_id, by_id, by_name, before, version)
           values ($1, $2, $3, $4, $5, $6, $7)
           on conflict (workspace_id, client_id, task_id) do update
             set by_id = excluded.by_id, by_name = excluded.by_name, before = excluded.before, version = excluded.version,
               at = portal.now()`,
    values: [workspace.id, client.id, task, person.id, person.name, before, version],
  })

/** Takes the completion that can be undone, so that one of two who do so has it; undefined where there is none. */
export async function takeCompletion(
  tx: Knex,
  { workspace, client }: Customer,
  task: string,
): Promise<{ before: State; version: string; fresh: boolean } | undefined> {
  const [row] = await query<{ before: State; version: string; fresh: boolean }>(tx, {
    name: 'portal.take-task-completion',
    text: `delete from portal.client_task_completions c
           where c.workspace_id = $1 and c.client_id = $2 and c.task_id = $3
           returning c.before, c.version, c.at > portal.now() - interval '${undoMinutes} minutes' as fresh`,
    values: [workspace.id, client.id, task],
  })
  return row
}
