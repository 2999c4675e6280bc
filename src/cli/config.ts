import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import knex, { type Knex } from 'knex'
import type { Crm } from '../crm/crm.ts'
import { adapterOf } from '../crm/mapping/adapter.ts'
import type { CrmMap } from '../crm/mapping/map.ts'
import { shapeProblems } from '../crm/mapping/shape.ts'
import { type Options, pluginHosts } from '../options.ts'
import { sendUnnamed } from '../platform/database.ts'
import type { FileStore } from '../platform/files.ts'
import { sections as installed } from '../plugin/discover.ts'
import type { Section } from '../plugin/plugin.ts'
import { registered } from '../plugin/registry.ts'
import { CommandError } from './errors.ts'

/** The default export of `portico.config.ts`: this object, or a function that returns it. */
export interface Config {
  /** Connection string of the role that owns Portico's tables: for migrate, rollback, enable and disable. */
  ownerUrl: string
  /** Connection string of the role that the portal runs as. */
  url: string
  /** The same without a pooler: `serve` uses it for its job queue. */
  directUrl?: string
  /** Returns the CRM's adapter; the argument is connected as the portal's role. */
  crm(database: Knex): Crm
  /** Where clients find the portal, for links: `https://crm.example/portal`. */
  address: string
  /** The map that the adapter is made of, if it is. It is checked as such, and `doctor` proposes indexes for it. */
  map?: CrmMap
  /** How the portal sends mail; `doctor` and `enable` test it. 'kept' if mails are only stored. */
  mail?: Options['mail'] | 'kept'
  /** The portal's secrets, newest first: for `reseal`. Read from PORTAL_SECRETS or PORTAL_SECRET if omitted. */
  secrets?: string[]
  /**
   * Where uploaded files are stored, as in `createPortal`: for `doctor`, and `reseal` where they are encrypted. By
   * FILES_FOLDER or FILES_S3_BUCKET if omitted.
   */
  files?: FileStore
  /** The address of clamd, as in `createPortal`: for `doctor`. CLAMAV_URL if omitted. */
  scanner?: string
  /** Where replies to mails arrive, as in `createPortal`: for `doctor`. By REPLY_ADDRESS and its like if omitted. */
  replies?: Options['replies']
  /** The same plugins as in `createPortal`. */
  plugins?: Section[]
  /** A connection string to the CRM's database, if it is a separate one, of a role that may read its catalogue. */
  crmUrl?: string
}

export async function configOf(named: string | undefined, map: string | undefined): Promise<Config> {
  if (map) return ofMap(map)
  const file = named
    ? resolve(named)
    : ['portico.config.ts', 'portico.config.js'].map(it => resolve(it)).find(existsSync)
  if (!file || !existsSync(file))
    throw new CommandError(
      `There is no ${named ?? 'portico.config.ts'} here. README.md shows one; or name a map: --map crm.map.ts.`,
    )
  const { default: config } = await import(pathToFileURL(file).href)
  return typeof config === 'function' ? config() : config
}

async function ofMap(file: string): Promise<Config> {
  if (!existsSync(file)) throw new CommandError(`There is no ${file} here.`)
  const found = await import(pathToFileURL(resolve(file)).href)
  const map: CrmMap = found.default ?? found.map
  const problems = shapeProblems(map)
  if (problems.length) throw new CommandError(problems.map(it => `${file}: ${it}`).join('\n'))
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
    throw new CommandError('Set DATABASE_URL: a connection as the owner of the database, for Portico’s own tables.')
  if (!PORTAL_DATABASE_URL)
    throw new CommandError(
      'Set PORTAL_DATABASE_URL: the same database as a role of the portal’s own, for example portal_app. It may not be there yet.',
    )
  if (SMTP_URL && !MAIL_FROM) throw new CommandError('Set MAIL_FROM beside SMTP_URL: the address that mails come from.')
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

/** Returns all installed plugins: those in plugins/ and those of the config. */
export const pluginsOf = ({ plugins = [] }: Config): Section[] => registered([...installed, ...plugins], pluginHosts)

export const roleOf = ({ url }: Config) => decodeURIComponent(new URL(url).username)

export function pool(connection: string, max = 2): Knex {
  const [, scheme = ''] = /^(\w+):\/\//.exec(connection) ?? []
  if (scheme && !/^postgres(ql)?$/i.test(scheme))
    throw new CommandError(
      `${scheme}:// is no PostgreSQL. Portico’s own tables, and a CRM that a map reads, are in PostgreSQL (postgresql://…); of others only portico audit reads MySQL and MariaDB.`,
    )
  const made = knex({ client: 'pg', connection, pool: { min: 0, max }, acquireConnectionTimeout: 5_000, log: quiet })
  if (process.env.PREPARED_STATEMENTS === 'false') sendUnnamed(made)
  return made
}

/** Mutes the library's log: the command reports an error itself, once. */
const quiet = { warn: () => {}, error: () => {}, deprecate: () => {}, debug: () => {} }

export async function connected<T>(url: string, work: (database: Knex) => Promise<T>): Promise<T> {
  const database = pool(url)
  try {
    return await work(database)
  } finally {
    await database.destroy()
  }
}

/** Runs work with the CRM's adapter, connected as the portal's role. */
export const withCrm = <T>(config: Config, work: (crm: Crm, database: Knex) => Promise<T>): Promise<T> =>
  connected(config.url, async database => {
    const crm = config.crm(database)
    try {
      return await work(crm, database)
    } finally {
      if (crm.database && crm.database !== database) await crm.database.destroy()
    }
  })
