import { createHash } from 'node:crypto'
import type { Knex } from 'knex'
import type { Crm, Directory } from '../../crm.ts'
import { query } from '../../database.ts'
import { CrmUnavailable } from '../../errors.ts'
import { type Catalogue, readCatalogue, tableNames } from '../catalogue.ts'
import { type Compiled, compile, withNear } from './compile.ts'
import type { Identity } from './identity.ts'
import type { CrmMap, Rows } from './map.ts'
import { withKeys } from './owned.ts'
import type { MapProblem } from './reader.ts'
import type { Ask } from './section.ts'
import { shaped, shapeProblems } from './shape.ts'
import { statement } from './sql.ts'

interface Ready {
  compiled: Compiled
  /** Of the schema that it was made for. */
  version: string
}

/**
 * The adapter of a map: it reads the CRM in `database`, which may be another one than the portal's own tables are in.
 * Throws a TypeError for a map that no database could fit; `problemsOf` says what is wrong with it on this one.
 */
export function adapterOf(given: CrmMap, database: Knex): Crm & { staff?: Identity } {
  const map = shaped(given)
  const plan = compile(map)
  let made: Promise<Ready> | undefined
  const ready = () => {
    made ??= prepare(map, plan, database)
    made.catch(() => {
      made = undefined
    })
    return made
  }
  const ask =
    (it: Ready, db: Knex): Ask =>
    (sql, values = {}) =>
      query(db, statement(sql, withKeys(values), it.version))
  const identity = (name: 'identity' | 'staff'): Identity | undefined =>
    plan[name] && {
      async verify(...args) {
        const it = await ready()
        return it.compiled[name]!(ask(it, database)).verify(...args)
      },
      async find(...args) {
        const it = await ready()
        return it.compiled[name]!(ask(it, database)).find(...args)
      },
      async named(...args) {
        const it = await ready()
        return it.compiled[name]!(ask(it, database)).named(...args)
      },
    }
  const found = async () => {
    const it = await ready()
    return it.compiled.directory(ask(it, database))
  }

  return {
    directory: {
      workspace: async slug => (await found()).workspace(slug),
      client: async (...args) => (await found()).client(...args),
      stillThere: async (...args) => (await found()).stillThere(...args),
      clients: async (...args) => (await found()).clients(...args),
      contacts: async (...args) => (await found()).contacts(...args),
      logo: async workspace => (await found()).logo(workspace),
    } satisfies Directory,

    connect: (customer, tx) =>
      Object.fromEntries(
        [...plan.ports].map(([name, plain]) => [
          name,
          later(plain(nothing, customer) as object, async () => {
            const it = await ready()
            // It drifted since it was last looked at: it is never asked with half of its columns.
            if (it.compiled.problems.some(one => one.section === name)) throw new CrmUnavailable()
            return it.compiled.ports.get(name)!(ask(it, tx ?? database), customer)
          }),
        ]),
      ),

    reads: plan.reads,
    writes: plan.writes,
    database,
    refresh() {
      made = undefined
    },
    identity: identity('identity'),
    staff: identity('staff'),
  }
}

/** A port with the questions of a plain one, each of which waits until the map is ready; what is no question is as it is. */
const later = (plain: object, port: () => Promise<any>) =>
  Object.fromEntries(
    Object.entries(plain).map(([name, it]) => [
      name,
      typeof it === 'function' ? async (...args: unknown[]) => (await port())[name](...args) : it,
    ]),
  )
const nothing: Ask = async () => []

async function prepare(map: CrmMap, plan: Compiled, database: Knex): Promise<Ready> {
  const catalogue = await catalogueOf(map, plan, database)
  const version = createHash('sha256').update(
    JSON.stringify([...catalogue.tables].map(([table, its]) => [table, [...its]])),
  )
  return { compiled: compile(map, catalogue), version: version.digest('base64url').slice(0, 12) }
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

/** All that is wrong with a map on a database, as the role that it is connected as. */
export async function problemsOf(map: CrmMap, database: Knex): Promise<MapProblem[]> {
  const wrong = shapeProblems(map)
  if (wrong.length) return wrong.map(sentence => ({ section: 'map', sentence }))
  const catalogue = await catalogueOf(map, compile(map), database)
  const { problems } = compile(map, catalogue)
  if (!problems.length) return []
  const told = withNear(problems, await tableNames(database))
  return told.filter((it, at) => told.findIndex(({ sentence }) => sentence === it.sentence) === at)
}
