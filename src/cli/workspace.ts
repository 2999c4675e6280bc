import type { Knex } from 'knex'
import { openRows } from '../crm/activation/reading/rows.ts'
import { slugsOf } from '../crm/activation/reading/sample.ts'
import type { Client, Crm, Workspace } from '../crm/crm.ts'
import type { Config } from './config.ts'
import { CommandError, UsageError } from './errors.ts'

/** So many are named where somebody has to choose. */
const most = 20

/** Finds a workspace. Throws a CommandError where there is none of this name, with those that a map knows. */
export async function findWorkspace(
  { map }: Config,
  { directory, database: own }: Crm,
  { slug, database }: { slug: string; database: Knex },
): Promise<Workspace> {
  const workspace = await directory.workspace(slug)
  if (workspace) return workspace
  const slugs = map ? await slugsOf(await openRows(map, own ?? database, [])).catch(() => []) : []
  const known = slugs.flatMap(it => it.slug ?? [])
  throw new CommandError(`The CRM has no workspace "${slug}".${listed('There are', known)}`)
}

/** Finds a client. Throws a CommandError where there is none with this id, with clients to choose from. */
export async function findClient({ directory }: Crm, workspace: Workspace, id: string): Promise<Client> {
  const client = id ? await directory.client(workspace, id) : undefined
  if (client) return client
  const named = id ? await directory.clients?.(workspace, id) : []
  const some = named?.length ? named : ((await directory.clients?.(workspace, '')) ?? [])
  const clients = listed(
    'Some are',
    some.map(it => `${it.id} (${it.name})`),
  )
  if (!id) throw new UsageError(`Say --client with the client’s id.${clients}`)
  throw new CommandError(`Workspace "${workspace.slug}" has no client ${id}.${clients}`)
}

const listed = (begin: string, names: string[]) =>
  names.length ? ` ${begin}: ${names.slice(0, most).join(', ')}.` : ''
