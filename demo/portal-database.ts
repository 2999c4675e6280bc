import { createHmac } from 'node:crypto'
import { join } from 'node:path'
import type { Knex } from 'knex'
import knex from 'knex'
import { hashPassword } from '../src/auth/passwords.ts'
import { join as joined } from '../src/auth/people.ts'
import { Audited, acceptAudit, audit, type FileStore, grantsOf, migrate } from '../src/index.ts'
import { seal } from '../src/platform/crypto.ts'
import { query, within } from '../src/platform/database.ts'
import { sections as plugins } from '../src/plugin/discover.ts'
import { adapter } from './adapter/adapter.ts'
import { key as demoKey, webhookSecret } from './payments.ts'
import people from './people.json' with { type: 'json' }

export const role = 'portico_app'

/** What the owner of the database does once for Portico: its role, the role's grants on the CRM, Portico's own tables. */
export async function preparePortal(owner: Knex, password: string): Promise<void> {
  const [known] = await owner('pg_roles').where({ rolname: role }).select('rolname')
  await owner.raw(`${known ? 'alter' : 'create'} role ${role} login password '${password.replaceAll("'", "''")}'`)
  await owner.raw(`alter role ${role} set jit = off`)
  const crm = adapter(owner)
  for (const text of grantsOf(crm, role)) await query(owner, { text })
  await migrate(owner, { role })
  const found = await audit({ source: join(import.meta.dirname, 'crm'), database: owner.client.config.connection })
  await acceptAudit(owner, crm, { audit: Audited.parse(found.json), by: 'the demo' })
}

/** What the demo's database has when it starts: what was there stays. Examples are of people who have an account by then. */
export async function fillPortal(owner: Knex, database: Knex, { password, files }: Filling): Promise<void> {
  await preparePortal(owner, password)
  const [account] = await owner('portal.client_users').select('id').limit(1)
  if (!account) await seedAccounts(owner, database)
  for (const it of plugins) await it.fixtures?.(owner, { files })
}

interface Filling {
  /** Of the role that the portal runs as. */
  password: string
  files: FileStore
}

/** The portal accounts of people.json, as if each had accepted an invitation. */
export async function seedAccounts(owner: Knex, database: Knex): Promise<void> {
  const clients = people.filter(it => it.kind === 'client')
  const hashes = new Map(
    await Promise.all(clients.map(async it => [it.email, await hashPassword(it.password)] as const)),
  )
  for (const { workspace, client, email, name, role } of clients) {
    const it = await owner('contacts as p')
      .join('clients as c', 'c.id', 'p.client_id')
      .join('workspaces as w', 'w.id', 'c.workspace_id')
      .where({ 'w.slug': workspace, 'c.company_name': client, 'p.email': email })
      .first({ workspace: 'w.id', client: 'c.id', contact: 'p.id' })
    await within(database, { workspace: String(it.workspace) }, tx =>
      joined(tx, {
        workspace: String(it.workspace),
        email,
        name,
        client: { id: String(it.client), name: client ?? '' },
        contact: String(it.contact),
        role: role as Parameters<typeof joined>[1]['role'],
        passwordHash: hashes.get(email) ?? null,
      }),
    )
  }
}

/** What an admin of each company would do under Payments: connect it to the demo bank, unless that was done before. */
export async function connectBank(owner: Knex, database: Knex, secret: string, key = demoKey): Promise<string[]> {
  const workspaces: { id: number; slug: string }[] = await owner('workspaces').select('id', 'slug')
  const access = { key, webhookSecret: webhookSecret(secret) }
  const online = { provider: 'stripe', account: 'demo', name: 'Demo bank', live: false, told: true }
  const settings = { transfer: true, online, parts: true, minimum: '10', fee: '0', keepMethod: false }
  for (const { id } of workspaces)
    await within(database, { workspace: String(id) }, async tx => {
      const add = (name: string, value: string | null, sealed: Buffer | null) =>
        query(tx, {
          text: `insert into portal.client_plugin_settings (workspace_id, name, value, sealed, changed_by)
                 values ($1, $2, $3, $4, 'the demo') on conflict do nothing`,
          values: [String(id), name, value, sealed],
        })
      await add('pay.settings', JSON.stringify(settings), null)
      await add('pay.access', null, seal(JSON.stringify(access), [secret], 'plugin setting'))
    })
  return workspaces.map(it => it.slug)
}

/** The same database, as the role that the portal runs as. */
export const connectPortal = (url: string, password: string, pool = { min: 0, max: 10 }): Knex =>
  knex({ client: 'pg', connection: portalUrl(url, password), pool, acquireConnectionTimeout: 5_000 })

export function portalUrl(url: string, password: string): string {
  const connection = new URL(url)
  connection.username = role
  connection.password = encodeURIComponent(password)
  return connection.href
}

/** The role's password follows from the secret of the data folder, so every process that may read that has it. */
export const passwordFrom = (secret: string) => createHmac('sha256', secret).update('database role').digest('base64url')
