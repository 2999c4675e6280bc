import { type ZodType, z } from 'zod'
import type { FindChanges } from '../changes.ts'
import type { Customer } from '../crm.ts'
import type { CrmMap } from './map.ts'
import type { Reader } from './reader.ts'

declare global {
  namespace Portico {
    interface Plugin {
      /** How it is read by a map, under the plugin's name there. */
      mapping?: MapPart
    }
    /** Entries of a map that plugins add, by declaration merging: `tickets?: TicketsMap`. */
    interface MapEntries {}
  }
}

/** A plugin's part of a map: its shape, and how it compiles to a port. */
export interface MapPart<Entry = any> {
  shape: ZodType<Entry>
  /**
   * Puts the entry into SQL once. Everything that it selects goes through `placeOf`, so that it is granted and watched.
   */
  compile(reader: Reader, entry: Entry, map: CrmMap): (ask: Ask, customer: Customer) => object
  /** All that its pages ask of the port; without it, `doctor` asks for a list alone. */
  questions?: Questions
  /** How a draft finds it. Table, key, client and workspace come from the audit. */
  draft?: DraftEntry
}

/** A section in the draft of a map. */
export interface DraftEntry {
  /** What the audit calls it: `tickets`, `tasks`, `projects`, `documents` or `messages`. */
  entity: string
  /** Its other entries, each with the names that its column may have, the best first. A draft asks where none fits. */
  columns: Record<string, RegExp[]>
}

/**
 * What `doctor` and `enable` ask a port on real rows, each under a name for their sentences: `the list by amount`.
 * Nothing of it changes anything. `id` is of something that its list showed, `today` a plain date.
 */
export type Questions<Port = any> = (
  port: Port,
  known: { id: string | undefined; today: string },
) => Record<string, () => Promise<unknown>>

/** A plugin as a map needs it. */
export interface Mapped {
  name: string
  mapping?: MapPart
}

/** What the engine takes from plugins. */
export const mappingShape = {
  mapping: z
    .object({
      shape: z.custom(it => typeof Object(it).safeParse === 'function', 'must be a schema of zod'),
      compile: z.custom(it => typeof it === 'function', 'must be a function'),
      questions: z.custom(it => typeof it === 'function', 'must be a function').optional(),
      draft: z
        .looseObject({ entity: z.string(), columns: z.record(z.string(), z.array(z.instanceof(RegExp))) })
        .optional(),
    })
    .optional(),
}

/** Runs a statement for one customer and returns its rows. `param` marks the values in it. */
export type Ask = (sql: string, values?: Record<string, unknown>) => Promise<any[]>

/** Returns ids of clients who have a document with these words in its number or title. */
export type FindHolders = (workspace: string, search: string) => Promise<string[]>

/** How a section is read by a map: `plugins/<name>/map.ts` exports it by default. */
export interface MappedSection<Port = any> {
  name: string
  /** Puts the section's part of the map into SQL once; undefined where the map has none. */
  compile(reader: Reader, map: CrmMap): ((ask: Ask, customer: Customer) => Port) | undefined
  /** How the clients are found whose documents have these words; undefined where the map has none of them. */
  holders?(reader: Reader, map: CrmMap): ((ask: Ask) => FindHolders) | undefined
  /** How what the CRM changed is found; undefined where the map does not say. */
  changes?(reader: Reader, map: CrmMap): ((ask: Ask) => FindChanges) | undefined
  /** All that its pages ask of the port. */
  questions?: Questions<Port>
}

export const mapped = <Port>(it: MappedSection<Port>): MappedSection<Port> => it
