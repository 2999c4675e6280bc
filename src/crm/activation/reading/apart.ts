import type { Customer } from '../../crm.ts'
import type { Owned } from '../../mapping/map.ts'
import { followPath, placeOf } from '../../mapping/reader.ts'
import { param } from '../../mapping/sql.ts'
import type { Check } from '../checks.ts'
import type { Listing } from './questions.ts'
import { count, isShared, many, ownedSections, type RealRows, reasonOf } from './rows.ts'
import type { Sample } from './sample.ts'

/** Of each client and section at most so many. */
const mostDocuments = 200

/**
 * Asks each port as several clients, and compares: nothing is shown to two of them, and all that is shown has that
 * client in its own column.
 */
export async function checkApart(rows: RealRows, { customers }: Sample): Promise<Check> {
  const problems: string[] = []
  const numbers: string[] = []
  const notes = customers.length === 1 ? ['only one client was found: there was nobody to compare with'] : []
  for (const [section, portOf] of [...rows.compiled.ports].sort(([a], [b]) => a.localeCompare(b))) {
    const entry = ownedSections(rows.map).find(([name]) => name === section)?.[1]
    const shown = new Map<Customer, string[]>()
    for (const it of customers) {
      if (rows.isOver()) {
        problems.push(`${section}: there was no time to compare: the database answers slowly`)
        break
      }
      const ids = await idsOf(portOf(rows.ask, it) as Listing).catch(error => {
        problems.push(`${section}: its list fails on real rows: ${reasonOf(error)}`)
        return []
      })
      shown.set(it, ids)
    }
    const all = [...shown.values()].flat()
    if (!all.length && entry && (await hasOwned(rows, section, entry, customers)))
      notes.push(
        `${section}: there are some of these clients, and none is shown: see \`status\`, \`sentOn\` and \`only\``,
      )
    numbers.push(`${count(new Set(all).size)} ${section}`)
    if (!entry || !isShared(entry)) problems.push(...shared(rows, section, shown))
    if (entry) problems.push(...(await foreign(rows, section, entry, shown)))
  }
  const workspaces = new Set(customers.map(it => it.workspace.id)).size
  const whom = `${many(customers.length, 'client')} of ${many(workspaces, 'workspace')}`
  return {
    label: `clients see only what is theirs: ${whom} see ${numbers.join(', ')}`,
    problems: [...new Set(problems)],
    notes,
  }
}

async function idsOf(port: Listing): Promise<string[]> {
  const ids: string[] = []
  let after: string | undefined
  do {
    const page = await port.list?.({ sort: 'newest', size: 100, after })
    ids.push(...(page?.items.map(it => it.id) ?? []))
    after = page?.next ?? undefined
  } while (after && ids.length < mostDocuments)
  return ids
}

/** What two of them see. One client may be in all workspaces, where the map says so. */
function shared({ map }: RealRows, section: string, shown: Map<Customer, string[]>): string[] {
  const everywhere = map.clients.workspace === undefined
  const who = ({ client, workspace }: Customer) => JSON.stringify([client.id, everywhere ? '' : workspace.id])
  const seers = new Map<string, Map<string, Customer>>()
  for (const [customer, ids] of shown)
    for (const id of ids) {
      if (!seers.has(id)) seers.set(id, new Map())
      seers.get(id)!.set(who(customer), customer)
    }
  const both = [...seers].filter(([, its]) => its.size > 1)
  const [first] = both
  if (!first) return []
  const names = [...first[1].values()]
    .slice(0, 2)
    .map(({ client, workspace }) => `client ${client.id} of ${workspace.slug}`)
  return [
    `${section}: ${count(both.length)} are shown to two clients, such as ${first[0]} to ${names.join(' and to ')}: \`client\` or \`workspace\` is not the right column`,
  ]
}

/** What has another client in the column that the map names as its owner. */
async function foreign(
  rows: RealRows,
  section: string,
  entry: Owned,
  shown: Map<Customer, string[]>,
): Promise<string[]> {
  const wrong: string[] = []
  for (const [{ client }, ids] of shown) {
    const owners = await ownersOf(rows, section, entry, ids)
    wrong.push(...owners.filter(it => !it.owners.includes(client.id)).map(it => it.id))
  }
  if (!wrong.length) return []
  return [
    `${section}: ${count(wrong.length)} are shown to a client that ${entry.client} does not name, such as ${wrong[0]}`,
  ]
}

/** Whether any row has one of these clients as its owner. */
async function hasOwned({ ask, readerOf }: RealRows, section: string, entry: Owned, customers: Customer[]) {
  const place = placeOf(readerOf(section), { ...entry, only: undefined, except: undefined }, 'p')
  const rows = await ask(
    `select 1 from ${place.from} cross join lateral (${followPath(place, entry.client).rows}) owner(client)
     where owner.client::text = any(${param('clients')}::text[]) limit 1`,
    { clients: customers.map(it => it.client.id) },
  )
  return rows.length > 0
}

async function ownersOf({ ask, readerOf }: RealRows, section: string, entry: Owned, ids: string[]) {
  const place = placeOf(readerOf(section), entry, 'p')
  const key = `${place.column(place.key)}::text`
  return (await ask(
    `select ${key} as id, array(${followPath(place, entry.client).rows})::text[] as owners from ${place.from}
     where ${key} = any(${param('ids')}::text[]) and ${place.rows}`,
    { ids },
  )) as { id: string; owners: (string | null)[] }[]
}
