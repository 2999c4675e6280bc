import knex, { type Knex } from 'knex'
import { adapterOf, type CrmMap, type Customer, grantsOf, query, type Workspace } from '../../src/index.ts'
import { postgres, urlOf } from '../database.ts'
import { loadDump } from './dump.ts'
import type { Snapshot } from './snapshots.ts'

/** A copy of a snapshot's database, as its owner and as the portal's role, which has only the grants of the map. */
export interface Copy {
  name: string
  role: string
  /** As the portal's role. */
  url: string
  owner: Knex
  database: Knex
  close(): Promise<void>
}

const templates = new Map<string, Promise<string>>()
let copies = 0

/** A database of one's own with a snapshot in it: the first call loads it, later ones copy that. */
export async function copyOf(snapshot: Snapshot): Promise<Copy> {
  const template = templates.get(snapshot.name) ?? loaded(snapshot)
  templates.set(snapshot.name, template)
  const name = `${await template}_${++copies}`
  await postgres.raw('create database ?? template ?? strategy file_copy', [name, await template])
  const role = `portal_${name}`
  const owner = knex({ client: 'pg', connection: urlOf(name), pool: { min: 0, max: 4 } })
  await owner.raw(`create role ?? login password 'only-in-tests'`, [role])
  for (const text of grantsOf(adapterOf(snapshot.map, owner), role)) await query(owner, { text })
  const { href } = Object.assign(new URL(urlOf(name)), { username: role, password: 'only-in-tests' })
  const database = knex({ client: 'pg', connection: href, pool: { min: 0, max: 8 } })
  const close = async () => {
    await Promise.all([owner.destroy(), database.destroy()])
    await postgres.raw('drop database ?? with (force)', [name])
  }
  return { name, role, url: href, owner, database, close }
}

async function loaded({ name, dump }: Snapshot): Promise<string> {
  const template = `snapshot_${name.replaceAll('-', '_')}`
  await postgres.raw('create database ??', [template])
  await loadDump(urlOf(template), dump)
  return template
}

/**
 * The workspaces of a map by their ids. A workspace that only another installation of the map would serve (another
 * entity of Dolibarr, say) is not among them.
 */
export async function workspacesOf(map: CrmMap, owner: Knex): Promise<Map<string, Workspace>> {
  const { directory } = adapterOf(map, owner)
  const found = await Promise.all((await slugsOf(map, owner)).map(slug => directory.workspace(slug)))
  return new Map(found.filter(it => it !== undefined).map(it => [it.id, it]))
}

async function slugsOf({ workspaces: it }: CrmMap, owner: Knex): Promise<string[]> {
  if (!('slug' in it)) return [it.only.slug]
  const rows = await owner.select('*').from(it.query ? owner.raw(`(${it.query}) w`) : it.table!)
  const { slug } = it
  return rows.map(row => (typeof slug === 'string' ? row[slug] : slugFrom(String(row[slug.madeOf]))))
}

const slugFrom = (name: string) =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')

/** The map as another workspace's installation has it, where it names its only one. */
export function mapFor(map: CrmMap, workspace: string): CrmMap {
  const { workspaces } = map
  return 'slug' in workspaces || workspaces.only.id === workspace
    ? map
    : { ...map, workspaces: { only: { ...workspaces.only, id: workspace } } }
}

export const customerOf = (workspace: Workspace, client: string, today: string): Customer => ({
  workspace,
  client: { id: client, name: '' },
  person: { id: '', name: '', email: '' },
  role: 'admin',
  today,
})

/** The client with the most invoices, and the workspace where it has them. */
export async function mostInvoices(
  { invoices: it }: CrmMap,
  owner: Knex,
): Promise<{ client: string; workspace: string }> {
  const columns = [it!.client, it!.workspace!]
  const from = it!.query ? owner.raw(`(${it!.query}) i`) : it!.table!
  const found = await owner.select(columns).from(from).groupBy(columns).orderByRaw('count(*) desc').first()
  return { client: String(found[it!.client]), workspace: String(found[it!.workspace!]) }
}
