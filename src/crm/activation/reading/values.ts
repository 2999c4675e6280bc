import { qualified } from '../../catalogue.ts'
import type { Exceptions, Owned, Rows, Text } from '../../mapping/map.ts'
import { day, followPath, type Place, placeOf } from '../../mapping/reader.ts'
import { literal } from '../../mapping/sql.ts'
import type { Check } from '../checks.ts'
import { count, ownedSections, type RealRows, reasonOf } from './rows.ts'

/** What the rows hold that the map does not expect: it is shown as it stands, or to nobody. */
export async function checkValues(rows: RealRows): Promise<Check> {
  const problems: string[] = []
  const notes: string[] = []
  notes.push(...(await clientsOfNobody(rows).catch(error => [`clients: ${reasonOf(error)}`])))
  for (const [section, entry] of ownedSections(rows.map)) {
    if (rows.isOver()) break
    const place = placeOf(rows.readerOf(section), entry, 'p')
    try {
      const unlisted = await unlistedStatuses(rows, section, entry, place)
      // Of a document, a draft may be among them.
      if ('total' in entry) problems.push(...unlisted)
      else notes.push(...unlisted)
      problems.push(...constantCurrency(rows, section, entry))
      notes.push(...(await withoutOwner(rows, section, entry, place)))
      const { never, odd } = await oddDates(rows, section, entry, place)
      problems.push(...never)
      notes.push(...odd)
    } catch (error) {
      notes.push(`${section}: its values cannot be looked through: ${reasonOf(error)}`)
    }
  }
  return { label: 'the values of the rows are what the map says', problems, notes }
}

/** Of a table's first rows: counts end there. */
const first = 200_000
const someOf = (place: Place, columns: string, where = place.rows) =>
  `(select ${columns} from ${place.from} where ${where} limit ${first}) it`

interface Documents extends Owned {
  currency?: Text
  exceptions?: Exceptions
  status?: { column: string; words: Record<string, string>; draft?: string[] }
}

async function unlistedStatuses({ ask }: RealRows, section: string, { status }: Documents, place: Place) {
  if (!status?.column || !status.words) return []
  const known = [...Object.keys(status.words), ...(status.draft ?? [])]
  const state = followPath(place, status.column).sql
  const found: { value: string | null; n: number }[] = await ask(
    `select value, count(*)::int as n from ${someOf(place, `${state}::text as value`)} group by 1 order by 2 desc limit 50`,
  )
  const unlisted = found.filter(it => !known.includes(it.value ?? ''))
  const named = unlisted.map(it => `${it.value === null ? 'none' : `"${it.value}"`} (${count(it.n)})`)
  return named.length
    ? [
        `${section}.status: \`words\` does not list ${named.slice(0, 8).join(', ')}: clients would see these as they stand. List each, or name it in \`draft\`: then it is not shown`,
      ]
    : []
}

/** Names of columns that say in which currency a row is, as text or by a key. */
const currencyColumn =
  /^(currency|curr|moneda|devise|monnaie|waehrung|währung|valuta|moeda|divisa)(_?(id|code|iso|cd|key))?$|^fk_(currency|devise|moneda)$/i

/** A document that is told to be in the same currency as all, though its row names one that the map does not read. */
function constantCurrency({ catalogue }: RealRows, section: string, entry: Documents): string[] {
  const { table, currency, exceptions } = entry
  if (!table || typeof currency !== 'object' || !('value' in currency) || exceptions?.currency) return []
  const columns = [...(catalogue.tables.get(qualified(table))?.keys() ?? [])].filter(it => currencyColumn.test(it))
  return columns.map(
    it =>
      `${section}.currency: all are told to be in ${currency.value}, and ${table} has ${it}: read that, or say \`exceptions: { currency: 'why' }\``,
  )
}

/** Clients without a workspace, and people without a client. */
async function clientsOfNobody(rows: RealRows): Promise<string[]> {
  const { clients, contacts } = rows.map
  const of = (section: string, it: Rows & Owners) =>
    withoutOwner(rows, section, it, placeOf(rows.readerOf(section), it, 'p'))
  return [
    ...(await of('clients', { ...clients, client: undefined })),
    ...(await of('contacts', { ...contacts, workspace: undefined })),
  ]
}

interface Owners {
  client?: string
  workspace?: string
}

async function withoutOwner({ ask }: RealRows, section: string, entry: Owners, place: Place): Promise<string[]> {
  const owners = { client: entry.client, workspace: entry.workspace }
  const sources = Object.entries(owners).filter((it): it is [string, string] => it[1] !== undefined)
  if (!sources.length) return []
  const none = (source: string) =>
    `cardinality(array_remove(array(${followPath(place, source).rows})::text[], null)) = 0`
  const columns = sources.map(([name, source]) => `${none(source)} as ${name}`).join(', ')
  const counts = sources.map(([name]) => `count(*) filter (where ${name})::int as ${name}`).join(', ')
  const [row] = await ask(`select ${counts} from ${someOf(place, columns)}`)
  return sources
    .filter(([name]) => row[name])
    .map(([name, source]) => `${section}: ${count(row[name])} have no ${name} (${source}) and are shown to nobody`)
}

/** Entries that hold dates, of any section. */
const dated = ['sentOn', 'dueOn', 'validUntil', 'respondedOn', 'remindedOn', 'on']

async function oddDates({ ask }: RealRows, section: string, entry: Owned, place: Place) {
  const its = Object.entries(entry).filter(([name, it]) => dated.includes(name) && typeof it === 'string')
  const never: string[] = []
  const odd: string[] = []
  for (const [name, source] of its) {
    const { raw } = day(place, source)
    const outside = `${raw} < ${literal('1950-01-01')} or ${raw} > ${literal('2200-01-01')}`
    const found: { value: string; n: number }[] = await ask(
      `select value, count(*)::int as n from ${someOf(place, `${raw}::text as value`, `${place.rows} and (${outside})`)}
       group by 1 order by 2 desc limit 3`,
    )
    for (const { value, n } of found) {
      const sentence = `${section}.${name}: ${count(n)} have ${value}`
      if (value.endsWith('infinity'))
        never.push(`${sentence}, which is no day: leave such rows out, or use a \`query\``)
      else odd.push(`${sentence}: if that is how the CRM writes none, leave it out by a \`query\` (nullif)`)
    }
  }
  return { never, odd }
}
