import type { Customer, Workspace } from '../../crm.ts'
import { followPath, placeOf } from '../../mapping/reader.ts'
import { param } from '../../mapping/sql.ts'
import { oneWorkspace, workspaceSlugs } from '../../mapping/workspaces.ts'
import { many, ownedSections, type RealRows, reasonOf } from './rows.ts'

/** Whom the checks ask as. */
export interface Sample {
  /** How many workspaces there are; a thousand at most. */
  all: number
  /** Those of the customers. */
  workspaces: Workspace[]
  /** Clients with the most documents, of several workspaces where there are some. */
  customers: Customer[]
  problems: string[]
}

/** At most so many, of at most so many workspaces. */
const most = { workspaces: 4, clients: 6 }

/** Finds workspaces and clients as the portal would, and says what to do where there are none. */
export async function sampleOf(rows: RealRows): Promise<Sample> {
  const slugs = await slugsOf(rows)
  const named = slugs.filter(it => it.slug)
  const workspaces = await workspacesBySlug(rows, named.slice(0, most.workspaces))
  const problems = [...noWorkspace(rows, workspaces), ...repeatedSlugs(slugs)]
  if (problems.length) return { all: slugs.length, workspaces, customers: [], problems }
  const customers = await customersOf(rows, slugs)
  return {
    all: slugs.length,
    workspaces: [...new Map(customers.map(it => [it.workspace.id, it.workspace])).values()],
    customers,
    problems: customers.length ? [] : [noClients(rows, slugs.length)],
  }
}

interface Slug {
  id: string
  slug: string | null
}

/** Slugs and ids of all workspaces, a thousand at most. */
export async function slugsOf({ map, ask, readerOf }: RealRows): Promise<Slug[]> {
  const sql = workspaceSlugs(readerOf('workspaces'), map)
  const one = oneWorkspace(map.workspaces)
  return sql ? ask(sql) : one ? [one] : []
}

async function workspacesBySlug({ compiled, ask }: RealRows, slugs: Slug[]): Promise<Workspace[]> {
  const directory = compiled.directory(ask)
  const found: Workspace[] = []
  for (const { slug } of slugs) {
    const workspace = slug ? await directory.workspace(slug) : undefined
    if (workspace) found.push(workspace)
  }
  return found
}

const noWorkspace = ({ map }: RealRows, found: Workspace[]) =>
  found.length ? [] : [`workspaces: none is found${filtered(map.workspaces)}, so that there is no portal to open`]

function repeatedSlugs(slugs: Slug[]): string[] {
  const named = slugs.flatMap(it => it.slug ?? [])
  const twice = new Set(named.filter((it, at) => it !== '' && named.indexOf(it) !== at))
  return [...twice].map(it => `workspaces: several have the address ${it}: only the first of them is ever found`)
}

/** The clients with the most documents: some in each of several workspaces. */
async function customersOf(rows: RealRows, slugs: Slug[]): Promise<Customer[]> {
  const today = await todayOf(rows)
  const byWorkspace = new Map<string, Customer[]>()
  for (const { client, workspace: id } of await busiestClients(rows)) {
    const its = id === undefined ? slugs.slice(0, most.workspaces) : slugs.filter(it => it.id === id)
    for (const one of its) {
      const there = byWorkspace.get(one.id) ?? []
      const full = byWorkspace.size >= most.workspaces && !there.length
      if (full || there.length >= most.clients) continue
      const [workspace] = await workspacesBySlug(rows, [one])
      const known = workspace && (await rows.compiled.directory(rows.ask).client(workspace, client))
      if (known) byWorkspace.set(one.id, [...there, customerOf(workspace, known, today)])
    }
  }
  return [...byWorkspace.values()].flat()
}

const filtered = (it: object) =>
  'only' in it || 'except' in it || 'deleted' in it ? ' with these `only`, `except` and `deleted`' : ''

const todayOf = async ({ ask }: RealRows): Promise<string> =>
  (await ask(`select (now() at time zone 'UTC')::date::text as today`))[0].today

interface Pair {
  client: string
  /** Undefined where clients belong to all workspaces. */
  workspace: string | undefined
}

/** Clients with the workspace that they belong to, those with the most documents first, and then any others. */
async function busiestClients(rows: RealRows): Promise<Pair[]> {
  const { map, ask, readerOf } = rows
  const counted = new Map<string, number>()
  for (const [section, it] of ownedSections(map)) {
    const place = placeOf(readerOf(section), it, 'p')
    const sql = `select client, count(*)::int as documents
      from (select owner.client::text as client
            from ${place.from} cross join lateral (${followPath(place, it.client).rows}) owner(client)
            where ${place.rows} limit 200000) it
      where client is not null group by 1 order by 2 desc limit 200`
    for (const row of await ask(sql).catch(() => []))
      counted.set(row.client, (counted.get(row.client) ?? 0) + row.documents)
  }
  const c = placeOf(readerOf('clients'), map.clients, 'c')
  const key = `${c.column(c.key)}::text`
  const workspace = map.clients.workspace ? `${followPath(c, map.clients.workspace).sql}::text` : 'null::text'
  const found = await ask(
    `select client, workspace from (
       (select ${key} as client, ${workspace} as workspace from ${c.from} where ${key} = any(${param('busy')}::text[]) and ${c.rows} limit 1000)
       union (select ${key}, ${workspace} from ${c.from} where ${c.rows} limit 200)) it`,
    { busy: [...counted.keys()] },
  )
  const one = oneWorkspace(map.workspaces)?.id
  return found
    .map(it => ({ client: it.client as string, workspace: map.clients.workspace ? it.workspace : one }))
    .sort((a, b) => (counted.get(b.client) ?? 0) - (counted.get(a.client) ?? 0))
}

const customerOf = (workspace: Workspace, client: { id: string; name: string }, today: string): Customer => ({
  workspace,
  client,
  person: { id: '', name: 'portico doctor', email: '' },
  role: 'admin',
  today,
})

const noClients = ({ map }: RealRows, workspaces: number) =>
  `clients: none is found in ${many(workspaces, 'workspace')}${filtered(map.clients)}: see \`clients\`, and \`workspace\` in it`

/** Whether an error comes from the sample itself, as a sentence. */
export const sampleFailed = (error: any): Sample => ({
  all: 0,
  workspaces: [],
  customers: [],
  problems: [`workspaces and clients cannot be read: ${reasonOf(error)}`],
})
