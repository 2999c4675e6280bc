import type { Request, RequestHandler } from 'express'
import type { Knex } from 'knex'
import { v7 as uuid } from 'uuid'
import { z } from 'zod'
import { Conflict, Invalid } from '../../src/http/errors.ts'
import { read } from '../../src/http/forms.ts'
import { query } from '../../src/platform/database.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { runStaffAction } from '../../src/settings/plugin-actions.ts'
import { placeOf } from './desk.ts'
import { findForStaff } from './desk-reads.ts'

/** The most items of one checklist. */
const mostItems = 100

const checklist = z
  .string()
  .max(40_000)
  .default('')
  .transform(text => [...new Set(text.split(/\r?\n/).map(it => it.trim()))].filter(it => it !== ''))
  .refine(it => it.length <= mostItems, 'Use at most 100 items.')
  .refine(it => it.every(one => one.length <= 300), 'Use at most 300 characters in each line.')

/** What staff say of a task. */
export const fields = {
  title: z.string('Enter a title.').trim().min(1, 'Enter a title.').max(200, 'Use at most 200 characters.'),
  text: z
    .string()
    .trim()
    .max(4_000, 'Use at most 4,000 characters.')
    .default('')
    .transform(it => it || null),
  items: checklist,
  dueOn: z.union([z.literal('').transform(() => null), z.iso.date('Enter a date.')], 'Enter a date.').default(null),
}

/** Throws Invalid for a day that has passed, unless the task had it before. */
export function requireFuture(req: Request<any>, dueOn: string | null, today: string, before?: string | null): void {
  if (dueOn && dueOn < today && dueOn !== before)
    throw new Invalid({ dueOn: ['This day has passed. Choose today or a later one.'] }, req.portal.body)
}

const Version = z.coerce
  .number('Reload the page and try again.')
  .int()
  .max(2 ** 31 - 1)

const Changed = z.object({ ...fields, version: Version })

/** Changes what a task says. Items of the checklist whose text stays keep their tick. */
export const saveTask =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const place = placeOf(req, host)
    const task = await findForStaff(host.database, place, req.params.id)
    const { version, title, text, dueOn, items } = read(Changed, req)
    requireFuture(req, dueOn, place.today, task.dueOn)
    await runStaffAction(
      req,
      async tx => {
        const [changed] = await query(tx, {
          text: `update portal.client_tasks set title = $4, text = $5, due_on = $6, version = version + 1
                 where workspace_id = $1 and id = $2 and version = $3 and state <> 'done' returning id`,
          values: [place.workspace, task.id, version, title, text, dueOn],
        })
        if (!changed) throw new Conflict()
        await saveItems(tx, { workspace: place.workspace, task: task.id, client: task.client }, items)
      },
      () => ({ event: 'tasks.changed', subject: { id: task.id, number: title }, client: task.client }),
    )
    res.redirect(303, req.portal.url(`/tasks/${task.id}?changed`))
  }

/** Makes these the items of a task, in this order. Those that have the same text stay. */
export async function saveItems(
  tx: Knex,
  { workspace, task, client }: { workspace: string; task: string; client: string },
  items: string[],
): Promise<void> {
  await query(tx, {
    text: `delete from portal.client_task_items where workspace_id = $1 and task_id = $2 and title <> all ($3)`,
    values: [workspace, task, items],
  })
  await query(tx, {
    text: `update portal.client_task_items i set position = it.position
           from unnest($3::text[]) with ordinality it (title, position)
           where i.workspace_id = $1 and i.task_id = $2 and i.title = it.title`,
    values: [workspace, task, items],
  })
  await query(tx, {
    text: `insert into portal.client_task_items (workspace_id, task_id, client_id, id, position, title)
           select $1, $2, $3, it.id, it.position, it.title
           from unnest($4::uuid[], $5::text[]) with ordinality it (id, title, position)
           where not exists (select from portal.client_task_items i
                             where i.workspace_id = $1 and i.task_id = $2 and i.title = it.title)`,
    values: [workspace, task, client, items.map(() => uuid()), items],
  })
}

/** Takes a task away from the client. One that is done stays. */
export const saveWithdrawal =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const place = placeOf(req, host)
    const task = await findForStaff(host.database, place, req.params.id)
    const { version } = read(z.object({ version: Version }), req)
    await runStaffAction(
      req,
      async tx => {
        const [gone] = await query(tx, {
          text: `delete from portal.client_tasks
                 where workspace_id = $1 and id = $2 and version = $3 and state <> 'done' returning id`,
          values: [place.workspace, task.id, version],
        })
        if (!gone) throw new Conflict()
      },
      () => ({ event: 'tasks.withdrawn', subject: { id: task.id, number: task.title }, client: task.client }),
    )
    res.redirect(303, req.portal.url('/tasks?withdrawn'))
  }
