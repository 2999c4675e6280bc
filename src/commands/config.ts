import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import knex, { type Knex } from 'knex'
import { adapterOf } from '../crm/map/adapter.ts'
import type { CrmMap } from '../crm/map/map.ts'
import { shapeProblems } from '../crm/map/shape.ts'
import type { Crm } from '../crm.ts'
import { sendUnnamed } from '../database.ts'
import type { Options } from '../options.ts'
import type { Section } from '../section.ts'
import { Trouble } from './problems.ts'

/** What `portico.config.ts` exports by default, or a function that gives it. */
export interface Config {
  /** Connection string of the role that owns Portico's tables: for migrate, rollback, enable and disable. */
  ownerUrl: string
  /** Connection string of the role that the portal runs as. */
  url: string
  /** The same, past a pooler: `serve` has its job queue use it. */
  directUrl?: string
  /** The CRM's adapter; the argument is connected as the portal's role. */
  crm(database: Knex): Crm
  /** Where clients find the portal, for links: `https://crm.example/portal`. */
  address: string
  /** Where the adapter is made of a map: it is checked as such, and `doctor` says which indexes would help. */
  map?: CrmMap
  /** How the portal sends its mail, to be tried by `doctor` and `enable`; 'kept' where it is only written down. */
  mail?: Options['mail'] | 'kept'
  /** The portal's secrets, the newest first: for `reseal`. Read from PORTAL_SECRETS or PORTAL_SECRET if not given. */
  secrets?: string[]
  /** The same that `createPortal` is given, where there are any. */
  plugins?: Section[]
  /** Where the CRM's tables are in another database: a connection string of a role that may read its catalogue. */
  crmUrl?: string
}

export async function configOf(named: string | undefined, map: string | undefined): Promise<Config> {
  if (map) return ofMap(map)
  const file = named
    ? resolve(named)
    : ['portico.config.ts', 'portico.config.js'].map(it => resolve(it)).find(existsSync)
  if (!file || !existsSync(file))
    throw new Trouble(
      `There is no ${named ?? 'portico.config.ts'} here. README.md shows one; or name a map: --map crm.map.ts.`,
    )
  const { default: config } = await import(pathToFileURL(file).href)
  return typeof config === 'function' ? config() : config
}

async function ofMap(file: string): Promise<Config> {
  if (!existsSync(file)) throw new Trouble(`There is no ${file} here.`)
  const found = await import(pathToFileURL(resolve(file)).href)
  const map: CrmMap = found.default ?? found.map
  const problems = shapeProblems(map)
  if (problems.length) throw new Trouble(problems.map(it => `${file}: ${it}`).join('\n'))
  const {
    DATABASE_URL,
    PORTAL_DATABASE_URL,
    DIRECT_DATABASE_URL,
    CRM_DATABASE_URL,
    PORTAL_ADDRESS,
    PORT = '3000',
    SMTP_URL,
    MAIL_FROM,
  } = process.env
  if (!DATABASE_URL)
    throw new Trouble('Set DATABASE_URL: a connection as the owner of the database, for Portico’s own tables.')
  if (!PORTAL_DATABASE_URL)
    throw new Trouble(
      'Set PORTAL_DATABASE_URL: the same database as a role of the portal’s own, for example portal_app. It may not be there yet.',
    )
  if (SMTP_URL && !MAIL_FROM) throw new Trouble('Set MAIL_FROM beside SMTP_URL: the address that mails come from.')
  return {
    map,
    mail: SMTP_URL && MAIL_FROM ? { url: SMTP_URL, from: MAIL_FROM } : undefined,
    ownerUrl: DATABASE_URL,
    url: PORTAL_DATABASE_URL,
    directUrl: DIRECT_DATABASE_URL,
    crmUrl: CRM_DATABASE_URL,
    crm: database => adapterOf(map, CRM_DATABASE_URL ? pool(CRM_DATABASE_URL, 10) : database),
    address: PORTAL_ADDRESS ?? `http://127.0.0.1:${PORT}/portal`,
  }
}

export const roleOf = ({ url }: Config) => decodeURIComponent(new URL(url).username)

export function pool(connection: string, max = 2): Knex {
  const made = knex({ client: 'pg', connection, pool: { min: 0, max }, acquireConnectionTimeout: 5_000, log: quiet })
  if (process.env.PREPARED_STATEMENTS === 'false') sendUnnamed(made)
  return made
}

/** What goes wrong is said by the command, once. */
const quiet = { warn: () => {}, error: () => {}, deprecate: () => {}, debug: () => {} }

export async function connected<T>(url: string, work: (database: Knex) => Promise<T>): Promise<T> {
  const database = pool(url)
  try {
    return await work(database)
  } finally {
    await database.destroy()
  }
}

/** The CRM by its adapter, as the portal's role. */
export const withCrm = <T>(config: Config, work: (crm: Crm, database: Knex) => Promise<T>): Promise<T> =>
  connected(config.url, async database => {
    const crm = config.crm(database)
    try {
      return await work(crm, database)
    } finally {
      if (crm.database && crm.database !== database) await crm.database.destroy()
    }
  })
