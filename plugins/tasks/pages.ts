import type { Request, RequestHandler } from 'express'
import { z } from 'zod'
import { NotFound } from '../../src/http/errors.ts'
import { filterOf, listAddress } from '../../src/http/filter.ts'
import { read } from '../../src/http/forms.ts'
import { runAction } from '../../src/plugin/action.ts'
import { attachedTo } from '../../src/settings/plugin-actions.ts'
import { keepCompletion, takeCompletion, undoMinutes } from './completions.ts'
import { AlreadyDone, NotOffered, UndoExpired } from './errors.ts'
import { dueText, readingOf } from './home.ts'
import { type State, type Summary, sorts, states, statuses, type Task } from './port.ts'

export const Filter = filterOf({ statuses, sorts }).extend({
  status: z.enum(statuses).default('mine').catch('mine'),
  view: z.enum(['board']).optional().catch(undefined),
})
type Filter = z.infer<typeof Filter>

export const showList: RequestHandler<any> = async (req, res) => {
  const filter = Filter.parse(req.query)
  if (filter.view) return showBoard(req, res, filter)
  const { tasks } = req.portal.crm
  const first = !filter.after && !filter.search && ['mine', 'everybody'].includes(filter.status)
  const [page, overview, found, done] = await Promise.all([
    tasks.list(filter),
    tasks.overview(),
    filter.search ? tasks.overview(filter.search) : undefined,
    first ? doneToday(req) : [],
  ])
  const { groups, ...words } = pageWords(req, filter)
  res.respond('tasks/list', {
    ...{ ...page, filter, overview, found, doneToday: done, ...words, ...(await toast(req, done)) },
    groups: groups(page.items, done),
  })
}

async function doneToday({ portal }: Request<any>): Promise<Summary[]> {
  const { items } = await portal.crm.tasks.list({ status: 'done', sort: 'due', size: 20 })
  return items.filter(it => it.doneOn === portal.customer.today)
}

/** What the views need beside the tasks. `at` is where to come back to. */
function pageWords({ portal }: Request<any>, filter: Filter) {
  const { crm, may } = portal
  const { complete, reopen, move, columns } = crm.tasks
  return {
    dueText: (it: Summary) => dueText(it, readingOf(portal)),
    at: listAddress(filter, {}),
    lately: ({ completed }: Summary) =>
      completed !== null && Date.parse(completed.at) > portal.now.getTime() - undoMinutes * 60_000,
    completable: may('tasks.complete') && complete !== undefined,
    reopenable: may('tasks.complete') && reopen !== undefined,
    movable: may('tasks.complete') && move !== undefined,
    board: columns.length > 1,
    groups: (items: Summary[], done: Summary[]) => grouped(items, done, portal.customer.today),
  }
}

/** What the page says of what was just done, with its title; its undoing is offered for a while. */
async function toast({ portal, query }: Request<any>, known: Summary[]) {
  const of = async (id: unknown) => {
    if (typeof id !== 'string') return undefined
    return known.find(it => it.id === id) ?? (await portal.crm.tasks.find(id).catch(() => undefined))
  }
  const [completed, reopened] = [await of(query.completed), await of(query.reopened)]
  return {
    completed: completed?.status === 'done' ? completed : undefined,
    reopened: reopened && reopened.status !== 'done' ? reopened : undefined,
    already: query.already === '',
  }
}

type Group = 'late' | 'week' | 'later' | 'none' | 'other' | 'finished' | 'today'

/** Tasks under headings, in the order of the list. */
function grouped(items: Summary[], done: Summary[], today: string): { group: Group; items: Summary[] }[] {
  const groups = Map.groupBy(items, it => groupOf(it, today))
  if (done.length) groups.set('today', done)
  return [...groups].map(([group, items]) => ({ group, items }))
}

function groupOf(it: Summary, today: string): Group {
  if (it.status === 'done') return 'finished'
  if (it.status === 'other') return 'other'
  if (it.overdue) return 'late'
  if (!it.dueOn) return 'none'
  return Date.parse(it.dueOn) - Date.parse(today) < 7 * 86_400_000 ? 'week' : 'later'
}

const onBoard = 100

/** What is to be done, and what was done last, in a column for each state. */
async function showBoard(req: Request<any>, res: Parameters<RequestHandler>[1], filter: Filter) {
  const { tasks } = req.portal.crm
  const [open, done, overview] = await Promise.all([
    tasks.list({ status: 'everybody', sort: 'due', size: onBoard }),
    tasks.list({ status: 'done', sort: 'due', size: 20 }),
    tasks.overview(),
  ])
  const items = [...open.items, ...done.items]
  const columns = [...tasks.columns, ...(items.some(it => it.status === 'other') ? ['other' as const] : [])].map(
    state => ({ state, items: items.filter(it => it.status === state) }),
  )
  const { groups, ...words } = pageWords(req, { ...filter, status: 'mine' })
  res.respond('tasks/board', {
    ...{ columns, overview, ...words, ...(await toast(req, done.items)) },
    more: open.next !== null,
  })
}

export const showTask: RequestHandler<any> = async (req, res) => {
  const task = await req.portal.crm.tasks.find(req.params.id)
  const { groups, ...words } = pageWords(req, Filter.parse({}))
  res.respond('tasks/show', {
    ...{ task, ...words, tickable: words.completable && req.portal.crm.tasks.tick !== undefined },
    ...(await toast(req, [task])),
    ...(await attachedTo(req, 'tasks', task.id)),
  })
}

/** `version` is of the task as the reader saw it; `at` the list that they came from. */
export const Completing = z.object({
  version: z.string().min(1).max(200),
  at: z.string().max(1_000).optional().catch(undefined),
})
export const Returning = Completing.pick({ at: true })
export const Moving = Completing.extend({ column: z.enum(states, 'Choose a column.') })
export const Ticking = z.object({ item: z.string().min(1).max(200), done: z.enum(['on', 'off']) })

/** The page to go back to: the list that the form names, or the task. */
function back({ portal, params }: Request<any>, at: string | undefined, said: Record<string, string>): string {
  const more = new URLSearchParams(said)
  if (at === undefined) return portal.url(`/tasks/${encodeURIComponent(params.id)}?${more}`)
  const filter = Filter.parse(Object.fromEntries(new URLSearchParams(at)))
  return portal.url(`/tasks${listAddress(filter, said)}`)
}

const subjectOf = ({ id, title }: Task, more: object = {}) => ({ id, number: title, ...more })

export const saveCompletion: RequestHandler<any> = async (req, res) => {
  const task = await req.portal.crm.tasks.find(req.params.id)
  const { version, at } = read(Completing, req)
  const done = await complete(req, task, version)
  res.redirect(303, back(req, at, done ? { completed: task.id } : { completed: task.id, already: '' }))
}

/** Whether it was this person who did it. */
async function complete(req: Request<any>, task: Task, version: string): Promise<boolean> {
  const { customer } = req.portal
  try {
    await runAction(
      req,
      async ({ tx, crm }) => {
        if (!crm.tasks?.complete || task.status === 'other') throw new NotOffered()
        await keepCompletion(tx, customer, task.id, await crm.tasks.complete(task.id, version))
      },
      () => ({ event: 'tasks.completed', subject: subjectOf(task) }),
    )
    return true
  } catch (error) {
    if (error instanceof AlreadyDone) return false
    throw error
  }
}

export const saveReopening: RequestHandler<any> = async (req, res) => {
  const task = await req.portal.crm.tasks.find(req.params.id)
  const { at } = read(Returning, req)
  if (task.status === 'done')
    await runAction(
      req,
      async ({ tx, crm }) => {
        if (!crm.tasks?.reopen) throw new NotOffered()
        const completion = await takeCompletion(tx, req.portal.customer, task.id)
        if (!completion?.fresh) throw new UndoExpired()
        await crm.tasks.reopen(task.id, completion)
      },
      () => ({ event: 'tasks.reopened', subject: subjectOf(task) }),
    )
  res.redirect(303, back(req, at, { reopened: task.id }))
}

/** Moves a card on the board. Into the last column it is completed. */
export const saveColumn: RequestHandler<any> = async (req, res) => {
  const task = await req.portal.crm.tasks.find(req.params.id)
  const { version, at, column } = read(Moving, req)
  if (column === 'done') {
    await complete(req, task, version)
    return res.redirect(303, back(req, at, { completed: task.id }))
  }
  if (task.status !== column) await move(req, task, column, version)
  res.redirect(303, back(req, at, {}))
}

const move = (req: Request<any>, task: Task, column: State, version: string) =>
  runAction(
    req,
    async ({ crm }) => {
      if (!crm.tasks?.move || !crm.tasks.columns.includes(column)) throw new NotOffered()
      await crm.tasks.move(task.id, column, version)
    },
    () => ({ event: 'tasks.moved', subject: subjectOf(task, { column }) }),
  )

export const saveTick: RequestHandler<any> = async (req, res) => {
  const task = await req.portal.crm.tasks.find(req.params.id)
  const { item, done } = read(Ticking, req)
  const its = task.items.find(it => it.id === item)
  if (!its) throw new NotFound()
  if (its.done !== (done === 'on'))
    await runAction(
      req,
      async ({ crm }) => {
        if (!crm.tasks?.tick) throw new NotOffered()
        await crm.tasks.tick(task.id, item, done === 'on')
      },
      () => ({ event: 'tasks.ticked', subject: subjectOf(task, { item: its.title, done }) }),
    )
  res.redirect(303, `${req.portal.url(`/tasks/${encodeURIComponent(task.id)}`)}#checklist`)
}
