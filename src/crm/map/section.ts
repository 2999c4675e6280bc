import type { Customer } from '../../crm.ts'
import type { CrmMap } from './map.ts'
import type { Reader } from './reader.ts'

/** Sends a statement in which `param` marks the values, on behalf of one customer, and gives its rows. */
export type Ask = (sql: string, values?: Record<string, unknown>) => Promise<any[]>

/** How a section is read by a map: `plugins/<name>/map.ts` exports it by default. */
export interface MappedSection<Port = any> {
  name: string
  /** Puts the section's part of the map into SQL once; undefined where the map has none. */
  compile(reader: Reader, map: CrmMap): ((ask: Ask, customer: Customer) => Port) | undefined
}

export const mapped = <Port>(it: MappedSection<Port>): MappedSection<Port> => it
