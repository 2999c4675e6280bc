import { adapterOf, type Crm, type Customer, NotFound, type Ports, type Workspace } from '../../src/index.ts'
import { type Difference, differencesOf, differingSums, differingTotals, type Shown } from './compare.ts'
import { type Copy, customerOf, mapFor, workspacesOf } from './database.ts'
import { inTurns } from './in-turns.ts'
import type { Snapshot } from './snapshots.ts'
import type { SectionName, TrueClient, TrueDocument, Truth } from './truth.ts'

/** All that was read of a snapshot through the ports, beside its truth. */
export interface Reading {
  documents: Difference[]
  clients: Difference<'totals' | 'statement'>[]
  /** What somebody was shown that is not theirs. */
  leaks: string[]
  /** How often a client was asked for somebody else's document. */
  asked: number
}

/** A client in a workspace, with its ports. */
interface Asking {
  workspace: string
  client: string
  timeZone: string
  ports: Partial<Ports>
  /** Ids by section, as their lists have them. */
  listed: Record<SectionName, Set<string>>
}

const sections: SectionName[] = ['invoices', 'quotations', 'proposals']

/** Reads every document, list, total and statement as each client, and asks each for what is the others'. */
export async function readAll(snapshot: Snapshot, copy: Copy, truth: Truth): Promise<Reading> {
  const asking = await inTurns(clientsIn(truth), async ({ workspace, client }) => {
    const { ports, timeZone } = await portsOf(snapshot, copy, truth.asOf, workspace, client)
    return { workspace, client, timeZone, ports, listed: await listsOf(ports) }
  })
  const [documents, clients, foreign] = [
    (await inTurns(truth.documents, it => compared(it, asking))).flat(),
    (await inTurns(truth.clients, it => comparedClient(it, asking, truth.asOf))).flat(),
    await inTurns(asking, it => foreignShownTo(it, truth)),
  ]
  return {
    documents,
    clients,
    leaks: [...foreign.flatMap(it => it.leaks), ...listedTwice(asking)],
    asked: foreign.reduce((sum, it) => sum + it.asked, 0),
  }
}

/** Every client that has a document or totals. */
function clientsIn({ clients, documents }: Truth): { workspace: string; client: string }[] {
  const all = [...clients.map(it => ({ workspace: it.workspace, client: it.id })), ...documents]
  const known = new Map(all.map(({ workspace, client }) => [`${workspace} ${client}`, { workspace, client }]))
  return [...known.values()].filter(it => it.client !== '')
}

const adapters = new WeakMap<Copy, Map<string, { crm: Crm; workspace: Promise<Workspace> }>>()

async function portsOf(snapshot: Snapshot, copy: Copy, today: string, id: string, client: string) {
  const known = adapters.get(copy) ?? new Map()
  adapters.set(copy, known)
  if (!known.has(id)) known.set(id, adapterFor(snapshot, copy, id))
  const { crm, workspace } = known.get(id)!
  const customer: Customer = customerOf(await workspace, client, today)
  return { ports: crm.connect(customer), timeZone: customer.workspace.timeZone }
}

function adapterFor({ map }: Snapshot, { database, owner }: Copy, id: string) {
  const its = mapFor(map, id)
  const workspace = workspacesOf(its, owner).then(all => {
    const found = all.get(id)
    if (!found) throw new Error(`the map has no workspace ${id}`)
    return found
  })
  return { crm: adapterOf(its, database), workspace }
}

async function listsOf(ports: Partial<Ports>): Promise<Asking['listed']> {
  const lists = sections.map(async section => [section, await idsIn(ports, section)] as const)
  return Object.fromEntries(await Promise.all(lists)) as Asking['listed']
}

async function idsIn(ports: Partial<Ports>, section: SectionName): Promise<Set<string>> {
  const ids = new Set<string>()
  let after: string | undefined
  do {
    const page = await ports[section]?.list({ sort: 'newest', size: 500, ...(after ? { after } : {}) })
    for (const it of page?.items ?? []) ids.add(it.id)
    after = page?.next ?? undefined
  } while (after)
  return ids
}

const isOf = (one: { workspace: string; client: string }, other: { workspace: string; client: string }) =>
  one.workspace === other.workspace && one.client === other.client

async function compared(truth: TrueDocument, asking: Asking[]): Promise<Difference[]> {
  const its = asking.find(it => isOf(it, truth))
  if (!its) return []
  const shown = await find(its.ports, truth)
  const listed = its.listed[truth.section].has(truth.id)
  if (listed === (shown !== null)) return differencesOf(truth, shown, its.timeZone)
  const of = `${truth.section}/${truth.id}`
  return [{ of, field: 'visibility', sentence: `${of} is ${listed ? 'only listed' : 'not in the list'}` }]
}

/** Null for what this client is not to see. */
async function find(ports: Partial<Ports>, { section, id }: TrueDocument): Promise<Shown | null> {
  try {
    return (await ports[section]?.find(id)) ?? null
  } catch (error) {
    if (error instanceof NotFound) return null
    throw error
  }
}

/** Totals as the CRM has them, and a statement that ends with what is due. */
async function comparedClient(truth: TrueClient, asking: Asking[], today: string): Promise<Reading['clients']> {
  const its = asking.find(it => isOf(it, { workspace: truth.workspace, client: truth.id }))
  const invoices = its?.ports.invoices
  if (!invoices) return []
  const of = `clients/${truth.workspace}/${truth.id}`
  const overview = await invoices.overview()
  const statement = await invoices.statement(today, '2099-12-31')
  const due = Object.fromEntries(overview.due.map(it => [it.currency, it.amount]))
  const wrong = {
    totals: differingTotals(truth, overview),
    statement: differingSums(
      'closing balance',
      [due],
      statement.map(it => it.closing),
    ),
  }
  return (['totals', 'statement'] as const).flatMap(field =>
    wrong[field] ? [{ of, field, sentence: `${of} (${truth.name}): ${wrong[field]}` }] : [],
  )
}

async function foreignShownTo({ ports, listed, ...its }: Asking, { documents }: Truth) {
  const others = documents.filter(it => !isOf(it, its))
  const shown = await inTurns(others, async it =>
    (await find(ports, it)) || listed[it.section].has(it.id) ? it : null,
  )
  const leaks = shown.filter(it => it !== null)
  return {
    asked: others.length,
    leaks: leaks.map(it => `${it.section}/${it.id} of ${it.client} is shown to client ${its.client}`),
  }
}

/** Two clients' lists have nothing in common, whatever truth.json says of it. */
function listedTwice(asking: Asking[]): string[] {
  const owners = new Map<string, Asking>()
  return asking.flatMap(it =>
    sections.flatMap(section =>
      [...it.listed[section]].flatMap(id => {
        const other = owners.get(`${section}/${id}`)
        owners.set(`${section}/${id}`, it)
        return other ? [`${section}/${id} is in the lists of clients ${other.client} and ${it.client}`] : []
      }),
    ),
  )
}
