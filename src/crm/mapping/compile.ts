import { globSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { root } from '../../platform/root.ts'
import type { Catalogue } from '../catalogue.ts'
import type { FindChanges } from '../changes.ts'
import type { Columns, Customer, Reads } from '../crm.ts'
import { type DirectoryOfMap, directory } from './directory.ts'
import { didYouMean } from './edit-distance.ts'
import { type Identity, identity } from './identity.ts'
import type { CrmMap } from './map.ts'
import type { IndexHint, MapProblem, Reader, Step } from './reader.ts'
import type { Ask, FindHolders, Mapped, MappedSection, Questions } from './section.ts'
import { adminsOf, ownersOf } from './staff.ts'

const require = createRequire(import.meta.url)

/** How each installed section is read by a map. */
const sections: MappedSection[] = globSync('plugins/*/map.{ts,js}', { cwd: root }).map(
  file => require(join(root, file)).default,
)

export interface Compiled {
  directory(ask: Ask): DirectoryOfMap
  ports: Map<string, (ask: Ask, customer: Customer) => unknown>
  /** How the clients are found whose documents have some words, by section. */
  holders: Map<string, (ask: Ask) => FindHolders>
  /** How what the CRM changed is found, by section. */
  changes: Map<string, (ask: Ask) => FindChanges>
  /** How each port is tried on real rows. */
  questions: Map<string, Questions>
  identity?: (ask: Ask) => Identity
  staff?: (ask: Ask) => Identity
  /** Who looks after a record, and who administers a workspace. */
  owners?: ReturnType<typeof ownersOf>
  admins?: ReturnType<typeof adminsOf>
  /** What each of them selects, and nothing else is ever selected. */
  reads: Reads
  /** What answers set. */
  writes: Record<string, Columns>
  problems: MapProblem[]
  /** Indexes that would help. */
  indexHints: IndexHint[]
  /** Of all paths. */
  steps: Step[]
}

/**
 * Puts a map into SQL. Without a catalogue the SQL is only good for what it reads. `plugins` are those not in plugins/.
 */
export function compile(map: CrmMap, catalogue?: Catalogue, plugins: Mapped[] = []): Compiled {
  const problems: MapProblem[] = []
  const indexHints: IndexHint[] = []
  const steps: Step[] = []
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
      indexHints,
      steps,
      timestamps: map.timestamps ?? 'UTC',
    })
    if (made !== undefined) reads[section] = sorted(its)
    if (made !== undefined && Object.keys(set).length) writes[section] = sorted(set)
    return made
  }

  const compiled: Compiled = {
    directory: part('directory', reader => directory(reader, map)),
    ports: new Map(),
    holders: new Map(),
    changes: new Map(),
    questions: new Map(),
    reads,
    writes,
    problems,
    indexHints,
    steps,
  }
  for (const it of [...sections, ...plugins.flatMap(partOf)]) {
    const port = part(it.name, reader => {
      const holders = it.holders?.(reader, map)
      if (holders) compiled.holders.set(it.name, holders)
      const changes = it.changes?.(reader, map)
      if (changes) compiled.changes.set(it.name, changes)
      return it.compile(reader, map)
    })
    if (port) compiled.ports.set(it.name, port)
    if (port && it.questions) compiled.questions.set(it.name, it.questions)
  }
  if (map.identity) compiled.identity = part('identity', reader => identity(reader, map, map.identity!))
  if (map.staff)
    part('staff', reader => {
      compiled.staff = identity(reader, map, map.staff!)
      compiled.admins = adminsOf(reader, map, map.staff!)
      return compiled.staff
    })
  compiled.owners = part('owners', reader => ownersOf(reader, map))
  return compiled
}

/** Of a plugin that says in its contract how a map is read. */
const partOf = ({ name, mapping }: Mapped): MappedSection[] =>
  mapping
    ? [
        {
          name,
          questions: mapping.questions,
          compile(reader, map) {
            const entry = (map as unknown as Record<string, unknown>)[name]
            return entry === undefined ? undefined : mapping.compile(reader, entry, map)
          },
        },
      ]
    : []

const sorted = (its: Record<string, Set<string>>): Columns =>
  Object.fromEntries(Object.entries(its).map(([table, names]) => [table, [...names].sort()]))

/** `invoces: no such table` with the one that was probably meant. */
export const withNear = (problems: MapProblem[], tables: string[]): MapProblem[] =>
  problems.map(it => {
    const [, table] = /^(.+): no such table$/.exec(it.sentence) ?? []
    return table ? { ...it, sentence: it.sentence + didYouMean(table, tables) } : it
  })
