import { createHash } from 'node:crypto'
import type { Knex } from 'knex'
import { CrmUnavailable } from '../../http/errors.ts'
import { query } from '../../platform/database.ts'
import { type Catalogue, readCatalogue, tableNames } from '../catalogue.ts'
import type { FindChanges } from '../changes.ts'
import type { Crm, Customer, Directory } from '../crm.ts'
import { type Compiled, compile, withNear } from './compile.ts'
import type { DirectoryOfMap } from './directory.ts'
import { withoutHtml } from './html.ts'
import type { Identity } from './identity.ts'
import type { CrmMap, Rows } from './map.ts'
import { withKeys } from './owned.ts'
import type { MapProblem } from './reader.ts'
import type { Ask, Mapped } from './section.ts'
import { shaped, shapeProblems } from './shape.ts'
import { statement } from './sql.ts'

interface Ready {
  compiled: Compiled
  /** Of the schema that it was made for. */
  version: string
}

/** `plugins`: those that are not in plugins/ and have entries of their own in the map. */
interface With {
  plugins?: Mapped[]
}

/**
 * The adapter of a map: it reads the CRM in `database`, which may be another one than the portal's own tables are in.
 * Throws a TypeError for a map that no database could fit; `problemsOf` says what is wrong with it on this one.
 */
export function adapterOf(given: CrmMap, database: Knex, { plugins = [] }: With = {}): Crm & { staff?: Identity } {
  const map = shaped(given, plugins)
  const plan = compile(map, undefined, plugins)
  const { ready, refresh } = preparedOnce(() => prepare(map, plan, database, plugins))
  const identity = (name: 'identity' | 'staff') =>
    plan[name] &&
    identityOf(async () => {
      const it = await ready()
      return it.compiled[name]!(askOf(it, database))
    })

  return {
    directory: {
      ...directoryOf(async () => {
        const it = await ready()
        return it.compiled.directory(askOf(it, database))
      }, map.contacts.change !== undefined),
      ...staffDirectoryOf(plan, ready, database),
      ...(plan.holders.size && { clientsOfDocuments: holdersOf(ready, database) }),
    },
    connect: (customer, tx) => connectPorts(plan, ready, customer, tx ?? database),
    changes: changesOf(plan, ready, database),
    reads: plan.reads,
    writes: plan.writes,
    database,
    refresh,
    identity: identity('identity'),
    staff: identity('staff'),
    ...(map.pages && { pages: map.pages }),
  }
}

/** Prepares it when it is first asked for, and again after a failure or `refresh`. */
function preparedOnce(make: () => Promise<Ready>) {
  let made: Promise<Ready> | undefined
  const refresh = () => {
    made = undefined
  }
  const ready = () => {
    made ??= make()
    made.catch(refresh)
    return made
  }
  return { ready, refresh }
}

const askOf =
  (it: Ready, db: Knex): Ask =>
  (sql, values = {}) =>
    query(db, statement(sql, withKeys(values), it.version)).then(withoutHtml)

const identityOf = (found: () => Promise<Identity>): Identity => ({
  verify: async (...args) => (await found()).verify(...args),
  find: async (...args) => (await found()).find(...args),
  named: async (...args) => (await found()).named(...args),
})

/** Look-ups of the CRM's people, where the map names them; none where their columns have drifted. */
function staffDirectoryOf(plan: Compiled, ready: () => Promise<Ready>, database: Knex) {
  const drifted = ({ compiled }: Ready, section: string) => compiled.problems.some(it => it.section === section)
  const owner: Directory['owner'] = async (...args) => {
    const it = await ready()
    return drifted(it, 'owners') ? undefined : it.compiled.owners!(askOf(it, database))(...args)
  }
  const admins: Directory['admins'] = async workspace => {
    const it = await ready()
    return drifted(it, 'staff') ? [] : it.compiled.admins!(askOf(it, database))(workspace)
  }
  return { ...(plan.owners && { owner }), ...(plan.admins && { admins }) }
}

/** A section that has drifted is left out. */
const holdersOf =
  (ready: () => Promise<Ready>, database: Knex): Required<Directory>['clientsOfDocuments'] =>
  async (workspace, search) => {
    const it = await ready()
    const fit = [...it.compiled.holders].filter(([name]) => !it.compiled.problems.some(one => one.section === name))
    const found = await Promise.all(fit.map(([, holders]) => holders(askOf(it, database))(workspace.id, search)))
    return [...new Set(found.flat())].slice(0, 10)
  }

/** A section that has drifted tells of no changes. */
function changesOf(plan: Compiled, ready: () => Promise<Ready>, database: Knex): Record<string, FindChanges> {
  const made = new WeakMap<Ready, Map<string, FindChanges>>()
  const findIn = (it: Ready, name: string) => {
    const all = made.get(it) ?? new Map<string, FindChanges>()
    made.set(it, all)
    const find = all.get(name) ?? it.compiled.changes.get(name)!(askOf(it, database))
    all.set(name, find)
    return find
  }
  const findLater =
    (name: string): FindChanges =>
    async (...args) => {
      const it = await ready()
      if (it.compiled.problems.some(one => one.section === name)) return undefined
      return findIn(it, name)(...args)
    }
  return Object.fromEntries([...plan.changes.keys()].map(name => [name, findLater(name)]))
}

const directoryOf = (found: () => Promise<DirectoryOfMap>, changes: boolean): Directory => ({
  workspace: async slug => (await found()).workspace(slug),
  client: async (...args) => (await found()).client(...args),
  stillThere: async (...args) => (await found()).stillThere(...args),
  clients: async (...args) => (await found()).clients(...args),
  contacts: async (...args) => (await found()).contacts(...args),
  logo: async workspace => (await found()).logo(workspace),
  ...(changes && { changeContact: async (...args) => (await (await found()).changeContact?.(...args)) ?? [] }),
})

function connectPorts(plan: Compiled, ready: () => Promise<Ready>, customer: Customer, db: Knex) {
  const portOf = async (name: string) => {
    const it = await ready()
    // It drifted since it was last looked at: it is never asked with half of its columns.
    if (it.compiled.problems.some(one => one.section === name)) throw new CrmUnavailable()
    return it.compiled.ports.get(name)!(askOf(it, db), customer)
  }
  return Object.fromEntries(
    [...plan.ports].map(([name, plain]) => [name, later(plain(nothing, customer) as object, () => portOf(name))]),
  )
}

/** A port whose functions wait until the map has been compiled. */
const later = (plain: object, port: () => Promise<any>) =>
  Object.fromEntries(
    Object.entries(plain).map(([name, it]) => [
      name,
      typeof it === 'function' ? async (...args: unknown[]) => (await port())[name](...args) : it,
    ]),
  )
const nothing: Ask = async () => []

async function prepare(map: CrmMap, plan: Compiled, database: Knex, plugins: Mapped[]): Promise<Ready> {
  const catalogue = await catalogueOf(map, plan, database)
  const version = createHash('sha256').update(
    JSON.stringify([...catalogue.tables].map(([table, its]) => [table, [...its]])),
  )
  return { compiled: compile(map, catalogue, plugins), version: version.digest('base64url').slice(0, 12) }
}

/** What PostgreSQL says of all that a map reads. */
export const catalogueOf = (map: CrmMap, plan: Compiled, database: Knex): Promise<Catalogue> =>
  readCatalogue(database, [...new Set(Object.values(plan.reads).flatMap(it => Object.keys(it)))], queriesIn(map))

const queriesIn = (it: unknown): string[] =>
  typeof it !== 'object' || it === null
    ? []
    : [
        ...(typeof (it as Rows).query === 'string' ? [(it as Rows).query!] : []),
        ...Object.values(it).flatMap(queriesIn),
      ]

/**
 * Checks a map against a database, with the role of this connection. Returns every problem it finds, or an empty
 * list.
 */
export async function problemsOf(map: CrmMap, database: Knex, { plugins = [] }: With = {}): Promise<MapProblem[]> {
  const wrong = shapeProblems(map, plugins)
  if (wrong.length) return wrong.map(sentence => ({ section: 'map', sentence }))
  const catalogue = await catalogueOf(map, compile(map, undefined, plugins), database)
  const { problems } = compile(map, catalogue, plugins)
  if (!problems.length) return []
  const told = withNear(problems, await tableNames(database))
  return told.filter((it, at) => told.findIndex(({ sentence }) => sentence === it.sentence) === at)
}
