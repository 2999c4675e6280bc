import { z } from 'zod'
import type { SentFile } from '../../src/files/send.ts'
import type { ListFilter } from '../../src/http/filter.ts'
import type { Page } from '../../src/http/paging.ts'

/** `open`: something is still to be sent. `overdue`: the same, and its day has passed. `done`: nothing is. */
export const statuses = ['open', 'overdue', 'done'] as const
export const sorts = ['due', 'newest'] as const

export const Summary = z.object({
  id: z.string(),
  name: z.string(),
  /** A plain date. */
  dueOn: z.iso.date().nullable(),
  overdue: z.boolean(),
  /** `closed` and `withdrawn`: nothing can be sent any more. */
  state: z.enum(['open', 'closed', 'withdrawn']),
  /** How many things are asked for, how many of them are done, and how many of the others were sent back. */
  items: z.number().int(),
  done: z.number().int(),
  returned: z.number().int(),
  /** Whether only the reader can see it, and not everybody at the client. */
  personal: z.boolean(),
  /** Who asks, and when. */
  by: z.string(),
  at: z.iso.datetime(),
})
export type Summary = z.infer<typeof Summary>

export const RequestedFile = z.object({
  id: z.string(),
  /** With its extension. */
  name: z.string(),
  /** Media type, by the content. */
  type: z.string(),
  /** In bytes. */
  size: z.number(),
  /** `arriving`: somebody is sending it. Only those that are `ready` can be downloaded. */
  state: z.enum(['arriving', 'checking', 'ready', 'infected']),
  threat: z.string().nullable(),
  at: z.iso.datetime(),
  by: z.string(),
  /** Whether the reader sent it. */
  own: z.boolean(),
  /** Whether the reader may remove it: who sent it, within a day, until it is accepted. */
  removable: z.boolean(),
})
export type RequestedFile = z.infer<typeof RequestedFile>

export const Item = z.object({
  id: z.string(),
  name: z.string(),
  /** What to send. */
  hint: z.string(),
  /** How many files are asked for. */
  wanted: z.number().int(),
  /** `returned`: sent back by staff. `skipped`: it does not apply. `withdrawn`: it is not asked for any more. */
  state: z.enum(['open', 'sent', 'returned', 'skipped', 'withdrawn']),
  /** Why it does not apply, or why it was sent back. */
  reason: z.string().nullable(),
  /** Who changed it last, if anybody, and when. */
  by: z.string().nullable(),
  at: z.iso.datetime(),
  accepted: z.boolean(),
  example: z.object({ name: z.string(), size: z.number() }).nullable(),
  files: z.array(RequestedFile),
})
export type Item = z.infer<typeof Item>

export const RequestedList = Summary.extend({ about: z.string(), list: z.array(Item) })
export type RequestedList = z.infer<typeof RequestedList>

/** Each count stops at 1,000, where 1,001 means more. */
export const Counts = z.object({ all: z.number(), open: z.number(), overdue: z.number(), done: z.number() })
export type Counts = z.infer<typeof Counts>

export type RequestFilter = ListFilter<(typeof statuses)[number], (typeof sorts)[number]>

/** A file that has arrived and is kept in the file store. */
export interface ArrivedFile {
  id: string
  name: string
  type: string
  size: number
}

/** The bytes of a file. */
export interface FileContent extends SentFile {
  /** Its key in the file store: previews are stored beside it. */
  key: string
}

/** What this section asks of a CRM, on behalf of one customer to whom it is already bound. */
export interface Requests {
  /** Searches in names. A token that this port did not make gives the first page. */
  list(filter: RequestFilter): Promise<Page<Summary>>
  /** Of all, or of what a search finds. */
  counts(search?: string): Promise<Counts>
  /** Throws NotFound, also for another client's, and for those of another person. */
  find(id: string): Promise<RequestedList>
  /** The bytes of a file that was sent. Throws NotFound, or BeingChecked until it is ready. */
  content(id: string, file: string): Promise<FileContent>
  /** The example of an item. Throws NotFound. */
  example(id: string, item: string): Promise<FileContent>
  /** Adds files to an item, in the transaction of their rows. Throws NotFound, or Conflict where it takes none now. */
  addFiles(id: string, item: string, files: ArrivedFile[]): Promise<Changed>
  /** Throws NotFound where the customer may not remove it. The bytes stay. */
  removeFile(id: string, item: string, file: string): Promise<Changed>
  /** Says that an item does not apply. Throws NotFound, or Conflict where it is accepted or not asked for any more. */
  dismiss(id: string, item: string, reason: string): Promise<Changed>
  /** Takes that back. Throws NotFound or Conflict. */
  undismiss(id: string, item: string): Promise<Changed>
}

/** What was changed, in the words of the activity log. */
export interface Changed {
  request: string
  item: string
  /** Whether only one person at the client can see it: the log, which others read, does not name it then. */
  personal: boolean
  /** Of a file that was removed. */
  file?: string
}

declare global {
  namespace Portico {
    interface Ports {
      requests: Requests
    }
  }
}
