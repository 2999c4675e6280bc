import { accessSync, constants, mkdtempSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import knex, { type Knex } from 'knex'
import { connectPortal } from '../demo/portal-database.ts'
import { type Postgres, startPostgres } from '../demo/postgres.ts'
import { buildCluster, copyCluster, nineInTheMorning, password, setClock } from './cluster.ts'

export { password, secret, setClock, today } from './cluster.ts'

export interface Copy {
  name: string
  /** As the owner of all tables. */
  owner: Knex
  /** As the role that Portico runs as. */
  database: Knex
}

let server: Postgres
/** The whole server, outside of any copy. */
export let postgres: Knex
/** Where the server writes what it did. */
export let serverLog: string
let copies = 0
const opened: Knex[] = []

/** A database of one's own, with the demo CRM in it, and Portico unless it is asked for without. */
export async function fresh(template: 'crm' | 'portal' = 'portal'): Promise<Copy> {
  const made = await copyOf(template)
  if (template === 'portal') await beginDay(made.owner)
  return made
}

/** One more with what is in this database, to which nobody may be connected. */
export async function copyOf(template: string): Promise<Copy> {
  const name = `copy_${++copies}`
  await postgres.raw(`create database ${name} template ${template} strategy file_copy`)
  return copy(name)
}

async function beginDay(owner: Knex) {
  await setClock(owner, nineInTheMorning)
  ahead = Date.parse(nineInTheMorning) - Date.now()
}

/** What time it is in every database that has a portal, unless a test has set its clock. */
export const testTime = () => Date.now() + ahead
let ahead = 0

/** For who has opened a copy and wants to be rid of it early: a hundred of them are many connections. */
export async function close({ name, owner, database }: Copy) {
  await Promise.all([owner.destroy(), database.destroy()])
  await postgres.raw(`drop database if exists ${name} with (force)`)
}

/** PostgreSQL without a CRM in it, for what makes databases itself. */
export const urlOf = (name: string) => Object.assign(new URL(server.url), { pathname: `/${name}` }).href

/** Once in a run: the cluster of which each process of mocha starts a copy. Who runs several suites has built it before. */
export async function mochaGlobalSetup() {
  process.env.PORTICO_CLUSTER ||= await buildCluster()
}

/**
 * Side by side mocha calls these for each file in the same process: the server is started by the first one, and goes with
 * the process.
 */
export const mochaHooks = {
  async beforeAll(this: Mocha.Context) {
    this.timeout(120_000)
    started ??= start()
    await started
  },

  async afterAll(this: Mocha.Context) {
    this.timeout(30_000)
    await Promise.all(opened.splice(0).map(it => it.destroy()))
    if (process.env.MOCHA_WORKER_ID !== undefined) return
    await postgres.destroy()
    await server.stop()
  },
}

let started: Promise<void> | undefined

async function start() {
  const directory = mkdtempSync(join(memory() ?? tmpdir(), 'portico-'))
  serverLog = join(directory, 'log')
  await copyCluster(process.env.PORTICO_CLUSTER!, directory)
  server = await startPostgres({ directory, throwaway: true })
  postgres = knex({ client: 'pg', connection: server.url, pool: { min: 0, max: 2 } })
}

/** Where files are kept in memory, if there is room: copying a database takes a fifth of the time there. */
function memory() {
  try {
    accessSync('/dev/shm', constants.W_OK)
    const { bavail, bsize } = statfsSync('/dev/shm')
    return bavail * bsize > 3e9 ? '/dev/shm' : undefined
  } catch {
    return undefined
  }
}

function copy(name: string): Copy {
  const owner = knex({ client: 'pg', connection: urlOf(name), pool: { min: 0, max: 4 } })
  const database = connectPortal(urlOf(name), password, { min: 0, max: 8 })
  opened.push(owner, database)
  return { name, owner, database }
}
