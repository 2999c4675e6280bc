import { z } from 'zod'
import type { ListFilter } from '../../src/http/filter.ts'
import type { Page } from '../../src/http/paging.ts'

/**
 * `mine`: to be done, for the reader or for anybody at the client. `everybody`: all that is not done, with what is for
 * colleagues and what has a status that nobody mapped. `overdue`: to be done, for anybody, and late.
 */
export const statuses = ['mine', 'everybody', 'overdue', 'done'] as const
/** `due`: the first due first, those without a date last; of what is done, the last one done first. */
export const sorts = ['due', 'newest'] as const

/** What it is to be done with a task. `other` is a status that nobody mapped: it is shown, and nothing is offered. */
export const states = ['open', 'doing', 'done'] as const
export type State = (typeof states)[number]

export const Summary = z.object({
  id: z.string(),
  title: z.string(),
  /** The project, or another heading; null where it has none. */
  project: z.string().nullable(),
  /** Of the company; null where nobody is named. */
  askedBy: z.string().nullable(),
  /** A plain date. */
  dueOn: z.iso.date().nullable(),
  status: z.enum([...states, 'other']),
  /** What the CRM calls it, where the status is `other`. */
  word: z.string().optional(),
  /** Whether it is to be done and its day has passed at the workspace. */
  overdue: z.boolean(),
  /** For whom it is: with the name of a colleague. */
  for: z.object({ kind: z.enum(['you', 'colleague', 'anybody']), name: z.string().nullable() }),
  /** How often it comes again, in the CRM's words; null where it does not, or the CRM does not say. */
  repeats: z.string().nullable(),
  /** Items of its checklist; null where it has none. */
  checklist: z.object({ done: z.number().int(), all: z.number().int() }).nullable(),
  /** A plain date; null where it is not done, or the CRM does not say. */
  doneOn: z.iso.date().nullable(),
  /** Who completed it in the portal, and when; null where nobody did. */
  completed: z.object({ at: z.iso.datetime({ offset: true }), name: z.string(), own: z.boolean() }).nullable(),
  /** Never the same after anything of it has changed: what an action was meant for. */
  version: z.string(),
})
export type Summary = z.infer<typeof Summary>

const Item = z.object({ id: z.string(), title: z.string(), done: z.boolean() })

export const Task = Summary.extend({
  text: z.string().nullable(),
  items: z.array(Item),
  /** Whether its completion can be undone now. */
  undoable: z.boolean(),
})
export type Task = z.infer<typeof Task>

/** Each count stops at 1,000, where 1,001 means more. `anybody` are those of `mine` that are for nobody in particular. */
export const Counts = z.object({
  ...{ mine: z.number(), anybody: z.number(), everybody: z.number(), overdue: z.number(), done: z.number() },
})
export type Counts = z.infer<typeof Counts>

export type TaskFilter = ListFilter<(typeof statuses)[number], (typeof sorts)[number]>

/** How a task was before and after it was completed: what undoing it needs. */
export interface Completion {
  /** The state that it had. */
  before: State
  /** Its version afterwards. */
  version: string
}

/**
 * What this section asks of a CRM, on behalf of one customer to whom it is already bound. Whose tasks are done by
 * nobody in particular are for anybody at the client. What changes a task is for the version that the reader saw, throws
 * Conflict where it has changed since, and NotFound as `find` does.
 */
export interface Tasks {
  /** The states that a task can have here, in the order of the board. */
  columns: readonly State[]
  /** Searches in titles, projects and who asked. Without a status it is all of them. */
  list(filter: TaskFilter): Promise<Page<Summary>>
  /** Of all, or of what a search finds. */
  overview(search?: string): Promise<Counts>
  /** Throws NotFound, also for another client's. */
  find(id: string): Promise<Task>
  /**
   * Makes it done. Throws AlreadyDone where it is: two people may do so at once. Missing where the CRM only shows tasks.
   */
  complete?(id: string, version: string): Promise<Completion>
  /** Makes it what it was, where it has not changed since it was completed. */
  reopen?(id: string, completion: Completion): Promise<void>
  /** Ticks an item of its checklist, or takes the tick away. */
  tick?(id: string, item: string, done: boolean): Promise<void>
  /** Moves it into another of the columns in which a task is not done. */
  move?(id: string, column: State, version: string): Promise<void>
}

declare global {
  namespace Portico {
    interface Ports {
      tasks: Tasks
    }
  }
}
