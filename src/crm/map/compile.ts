import { globSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Columns, Customer, Directory, Reads } from '../../crm.ts'
import { root } from '../../root.ts'
import type { Catalogue } from '../catalogue.ts'
import { directory } from './directory.ts'
import { type Identity, identity } from './identity.ts'
import type { CrmMap } from './map.ts'
import { didYouMean } from './near.ts'
import type { MapProblem, Reader, Wish } from './reader.ts'
import type { Ask, MappedSection } from './section.ts'

const require = createRequire(import.meta.url)

/** How each installed section is read by a map. */
const sections: MappedSection[] = globSync('plugins/*/map.{ts,js}', { cwd: root }).map(
  file => require(join(root, file)).default,
)

export interface Compiled {
  directory(ask: Ask): Required<Directory>
  ports: Map<string, (ask: Ask, customer: Customer) => unknown>
  identity?: (ask: Ask) => Identity
  staff?: (ask: Ask) => Identity
  /** What each of them selects, and nothing else is ever selected. */
  reads: Reads
  /** What answers set. */
  writes: Record<string, Columns>
  problems: MapProblem[]
  /** Indexes that would help. */
  wishes: Wish[]
}

/** Puts a map into SQL. Without a catalogue the SQL is only good for what it reads. */
export function compile(map: CrmMap, catalogue?: Catalogue): Compiled {
  const problems: MapProblem[] = []
  const wishes: Wish[] = []
  const reads: Reads = { directory: {} }
  const writes: Record<string, Columns> = {}
  const part = <T>(section: string, make: (reader: Reader) => T): T => {
    const its: Record<string, Set<string>> = {}
    const set: Record<string, Set<string>> = {}
    const made = make({
      section,
      catalogue,
      reads: its,
      writes: set,
      problems,
      wishes,
      timestamps: map.timestamps ?? 'UTC',
    })
    if (made !== undefined) reads[section] = sorted(its)
    if (made !== undefined && Object.keys(set).length) writes[section] = sorted(set)
    return made
  }

  const compiled: Compiled = {
    directory: part('directory', reader => directory(reader, map)),
    ports: new Map(),
    reads,
    writes,
    problems,
    wishes,
  }
  for (const it of sections) {
    const port = part(it.name, reader => it.compile(reader, map))
    if (port) compiled.ports.set(it.name, port)
  }
  if (map.identity) compiled.identity = part('identity', reader => identity(reader, map, map.identity!))
  if (map.staff) compiled.staff = part('staff', reader => identity(reader, map, map.staff!))
  return compiled
}

const sorted = (its: Record<string, Set<string>>): Columns =>
  Object.fromEntries(Object.entries(its).map(([table, names]) => [table, [...names].sort()]))

/** `invoces: no such table` with the one that was probably meant. */
export const withNear = (problems: MapProblem[], tables: string[]): MapProblem[] =>
  problems.map(it => {
    const [, table] = /^(.+): no such table$/.exec(it.sentence) ?? []
    return table ? { ...it, sentence: it.sentence + didYouMean(table, tables) } : it
  })
