import type { Readable } from 'node:stream'
import { z } from 'zod'
import type { ListFilter } from '../../src/http/filter.ts'
import type { Page } from '../../src/http/paging.ts'
import type { ByteRange } from '../../src/platform/files.ts'

/** `new`: shared within 30 days and not opened by this person. `sent`: from the client's own people. */
export const statuses = ['new', 'sent', 'expiring'] as const
export const sorts = ['newest', 'name', 'largest'] as const

export const Summary = z.object({
  id: z.string(),
  /** With its extension. */
  name: z.string(),
  /** Null where it is in none. */
  folder: z.object({ id: z.string(), name: z.string() }).nullable(),
  /** Media type, by the content where Portico stores it. */
  type: z.string(),
  /** In bytes. */
  size: z.number(),
  /** The first is 1. */
  version: z.number().int(),
  /** When this version came, as an instant. */
  at: z.iso.datetime(),
  by: z.object({ kind: z.enum(['client', 'staff']), name: z.string() }),
  /** Whether the reader sent it. */
  own: z.boolean(),
  isNew: z.boolean(),
  /** The last day on which it can be opened, as a plain date. */
  expiresOn: z.iso.date().nullable(),
  /** Only those that are `ready` can be downloaded. */
  state: z.enum(['checking', 'ready', 'infected']),
  /** The name of what was found in an infected file. */
  threat: z.string().nullable(),
})
export type Summary = z.infer<typeof Summary>

const Version = Summary.pick({ version: true, type: true, size: true, at: true, by: true, state: true })

export const Document = Summary.extend({
  sha256: z.string().nullable(),
  /** Whether it was scanned for viruses, where Portico stores it. */
  scanned: z.boolean().nullable(),
  /** The newest first. */
  versions: z.array(Version),
  /** Whether the reader may remove it: who sent it, within a day. */
  removable: z.boolean(),
})
export type Document = z.infer<typeof Document>

/** Each count stops at 1,000, where 1,001 means more. */
export const Counts = z.object({ all: z.number(), new: z.number(), sent: z.number(), expiring: z.number() })
export type Counts = z.infer<typeof Counts>

export const Overview = z.object({
  counts: Counts,
  /** `files` stops at 100, where 101 means more. `restricted`: not every role sees it. */
  folders: z.array(z.object({ id: z.string(), name: z.string(), files: z.number(), restricted: z.boolean() })),
})
export type Overview = z.infer<typeof Overview>

export interface DocumentFilter extends ListFilter<(typeof statuses)[number], (typeof sorts)[number]> {
  /** The id of a folder. */
  folder?: string
}

/** The bytes of one version. */
export interface DocumentContent {
  name: string
  type: string
  size: number
  /** Never the same for other bytes. */
  tag: string
  /** Its key in the file store, where Portico keeps it: previews are stored beside it. */
  key?: string
  /** Reads it, or a range of it. */
  open(range?: ByteRange): Promise<Readable>
  /** An address from which a browser may fetch it for a short time: see `FileStore`. */
  address?: (as: { type: string; disposition: string }) => Promise<string>
}

/** What this section asks of a CRM, on behalf of one customer to whom it is already bound. */
export interface Documents {
  /** Searches in names, folders and people. A token that this port did not make gives the first page. */
  list(filter: DocumentFilter): Promise<Page<Summary>>
  /** Folders that this customer may see, by name, each with how many files it has. */
  overview(): Promise<Overview>
  /** `counts` of what a search finds. Without it the list shows no counts beside a search. */
  counts?(search: string): Promise<Counts>
  /** Throws NotFound, also for another client's, for those of other roles, and for those that have expired. */
  find(id: string): Promise<Document>
  /** The bytes of a version. Throws NotFound, or BeingChecked until it is ready. */
  content(id: string, version?: number): Promise<DocumentContent>
}

declare global {
  namespace Portico {
    interface Ports {
      documents: Documents
    }
  }
}
