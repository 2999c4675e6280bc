#!/usr/bin/env node
import { existsSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import knex, { type Knex } from 'knex'
import { audit } from '../audit/index.ts'
import { invite } from './auth/invitations.ts'
import { type Crm, type Role, roles } from './crm.ts'
import { within } from './database.ts'
import { migrate, rollback } from './migrations.ts'

/** What `portico.config.ts` exports by default, or a function that gives it. */
export interface Config {
  /** Connection string of the role that owns Portico's tables: for migrate and rollback. */
  ownerUrl: string
  /** Connection string of the role that the portal runs as. */
  url: string
  crm(database: Knex): Crm
  /** Where clients find the portal, for links: `https://crm.example/portal`. */
  address: string
}

const usage = `portico <command> [--config portico.config.ts]

  audit --database URL --source DIR --url URL look at a CRM, of which each is optional, and change nothing
        [--out AUDIT_REPORT.md] [--json audit.json] [--quiet]
  migrate                                     create or bring up to date Portico's own tables
  rollback --destroy                          remove them, with all that Portico stored
  invite --workspace SLUG --client ID         make an invitation and print its link
         --email ADDRESS [--role ${roles.join('|')}] [--name NAME] [--from NAME]

Exit status: 0 good, 1 problem found, 2 wrong usage.`

class Wrong extends Error {}
class Trouble extends Error {}

const commands: Record<string, (config: Config, options: Options) => Promise<string>> = {
  async migrate(config) {
    const names = await connected(config.ownerUrl, owner => migrate(owner, { role: roleOf(config) }))
    return names.length ? `Applied ${names.join(', ')}.` : 'Nothing to do: all migrations are applied.'
  },

  async rollback(config, { destroy }) {
    if (!destroy) throw new Trouble('This removes all that Portico stored. Say --destroy if you mean it.')
    const names = await connected(config.ownerUrl, owner => rollback(owner, { role: roleOf(config) }))
    return `Removed ${names.join(', ')} and the schema portal. The CRM's own tables are as they were.`
  },

  invite: (config, options) => connected(config.url, database => invited(database, config, options)),
}

async function audited(options: Options): Promise<string> {
  const { database, source, url, out = 'AUDIT_REPORT.md', json = 'audit.json', quiet } = options
  if (!database && !source && !url) throw new Wrong('audit needs --database, --source or --url.')
  const told = process.stderr.isTTY && !quiet
  const progress = (text: string) =>
    told && process.stderr.write(`\r\x1b[K${text.slice(0, process.stderr.columns - 1)}`)
  const found = await audit({ database, source, url, progress })
  if (told) process.stderr.write('\r\x1b[K')
  writeFileSync(out, found.report)
  writeFileSync(json, `${JSON.stringify(found.json, null, 2)}\n`)
  const problem = `${found.notes.join('\n')}\nWritten all the same: ${out} and ${json}.`
  if (!found.whole) throw new Trouble(problem)
  return quiet ? '' : `Written: ${out} and ${json}.`
}

async function invited(database: Knex, { crm, address }: Config, options: Options): Promise<string> {
  const { workspace: slug, client: id, email, role = 'admin', from = 'Your contact' } = options
  if (!slug || !id || !email) throw new Wrong('invite needs --workspace, --client and --email.')
  if (!isRole(role)) throw new Wrong(`--role must be one of ${roles.join(', ')}.`)
  if (!/^[^\s@]+@[^\s@]+$/.test(email)) throw new Wrong(`--email ${email} is no e-mail address.`)

  const { directory } = crm(database)
  const workspace = await directory.workspace(slug)
  if (!workspace) throw new Trouble(`The CRM has no workspace "${slug}".`)
  const client = await directory.client(workspace, id)
  if (!client) throw new Trouble(`Workspace "${slug}" has no client ${id}.`)
  const contact = (await directory.contacts(workspace, id)).find(it => it.email === email.toLowerCase())
  const name = options.name ?? contact?.name
  if (!name) throw new Trouble(`${email} is no contact of ${client.name}. Say --name to invite them all the same.`)

  const invitation = { email, name, client, contact: contact?.id ?? null, role, invitedBy: from }
  const token = await within(database, { workspace: workspace.id }, tx => invite(tx, workspace.id, invitation))
  return `${name} <${email}> is invited to the portal of ${workspace.name} for ${client.name}, as ${role}.
Send them this link; it is good once, for seven days:
${address}/${slug}/invitation/${token}`
}

const isRole = (it: string): it is Role => roles.some(role => role === it)

const roleOf = ({ url }: Config) => decodeURIComponent(new URL(url).username)

async function connected<T>(url: string, work: (database: Knex) => Promise<T>): Promise<T> {
  const database = knex({ client: 'pg', connection: url, pool: { min: 0, max: 2 }, acquireConnectionTimeout: 5_000 })
  try {
    return await work(database)
  } finally {
    await database.destroy()
  }
}

type Text = 'workspace' | 'client' | 'email' | 'role' | 'name' | 'from' | 'database' | 'source' | 'url' | 'out' | 'json'
type Options = { [name in Text]?: string } & { destroy?: boolean; quiet?: boolean }

async function run(): Promise<string> {
  const text = { type: 'string' } as const
  const { positionals, values } = parsed(() =>
    parseArgs({
      allowPositionals: true,
      options: {
        config: text,
        workspace: text,
        client: text,
        email: text,
        role: text,
        name: text,
        from: text,
        database: text,
        source: text,
        url: text,
        out: text,
        json: text,
        quiet: { type: 'boolean' },
        destroy: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }),
  )
  if (values.help) return usage
  if (positionals.join() === 'audit') return audited(values)
  const command = Object.hasOwn(commands, positionals[0] ?? '') ? commands[positionals[0] ?? ''] : undefined
  if (!command || positionals.length > 1) throw new Wrong(`There is no command "${positionals.join(' ')}".\n\n${usage}`)
  const config = await configOf(values.config)
  return command(config, values)
}

async function configOf(named: string | undefined): Promise<Config> {
  const file = named
    ? resolve(named)
    : ['portico.config.ts', 'portico.config.js'].map(it => resolve(it)).find(existsSync)
  if (!file || !existsSync(file))
    throw new Trouble(`There is no ${named ?? 'portico.config.ts'} here. README.md shows one.`)
  const { default: config } = await import(pathToFileURL(file).href)
  return typeof config === 'function' ? config() : config
}

function parsed<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw new Wrong(`${(error as Error).message}\n\n${usage}`)
  }
}

try {
  const said = await run()
  if (said) console.log(said)
} catch (error) {
  const { message, code } = error as Error & { code?: string }
  console.error(
    code === 'ECONNREFUSED'
      ? 'The database does not answer. Start it, or correct its address in portico.config.ts.'
      : message,
  )
  process.exitCode = error instanceof Wrong ? 2 : 1
}
