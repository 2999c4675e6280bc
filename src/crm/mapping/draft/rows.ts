import type { Kind } from '../../catalogue.ts'
import { audited, comment, type FoundPlace, type Guess, guess, line, quoted, undecided } from '../guess.ts'

/** What the rows say, as far as they may be read. */
export interface Samples {
  /** Values of a column that has few. */
  valuesOf(table: string, column: string): Promise<string[]>
  /** The largest value of a column of numbers, and the one in the middle; undefined where there are no rows. */
  amountsOf(table: string, column: string): Promise<{ largest: string; typical: string } | undefined>
  /** No row was read: what only rows tell is asked. */
  unread?: boolean
}

/** What the drafts of documents look up beside their own table. */
export interface Around extends Samples {
  tenants: boolean
  staff: FoundPlace | undefined
  contacts: FoundPlace | undefined
  credits: FoundPlace | undefined
}

export const dates: Kind[] = ['date', 'timestamp', 'timestamptz']

export const numbers: Kind[] = ['integer', 'number']

export const base = (it: FoundPlace): string[] => {
  const id = guess(it, 'id', [/^id$/, /^(row)?id$/, /_id$/])
  const deleted = guess(it, undefined, [
    /^deleted(_at|_on)?$/,
    /^(archived|is_archived|is_deleted|trashed)(_at)?$/,
    /^left(_on|_at)?$/,
  ])
  return [
    `table: ${quoted(String(it.place.table))},`,
    ...(id && id.column !== 'id' ? line('id', id) : []),
    ...(deleted ? line('deleted', deleted) : inactive(it)),
  ]
}

/** Rows that are not active count as deleted. */
function inactive(it: FoundPlace): string[] {
  const active = guess(it, undefined, [/^(is_)?active$/, /^enabled$/], ['boolean'])
  return active ? [`deleted: { column: ${quoted(active.column)}, when: false },${comment(active)}`] : []
}

const tenantNames = [/^(workspace|tenant|company|organi[sz]ation)(_id)?$/]

/** Left out, clients of every workspace are those of all: so it is asked for where nothing was found. */
export function workspace(it: FoundPlace, needed = false): string[] {
  const found = audited(it, 'tenant', tenantNames)
  if (found || !needed) return line('workspace', found)
  return [undecided('workspace', `which column of ${it.place.table} leads to the workspace?`)]
}

const clientNames = [/^(client|customer|company|partner|account)(_id)?$/]

/** The currency; where no column has it and nobody saw a row, it is asked for. */
export function currencyOf(it: FoundPlace, { unread }: Samples, names: RegExp[], otherwise: string): string[] {
  const found = guess(it, 'currency', names, ['text'])
  if (found) return line('currency', found)
  if (!unread) return [otherwise]
  return [undecided('currency', `no column of ${it.place.table} has it: which is it? { value: "EUR" }`)]
}

/** Whose it is: by the audit's own key, or a question where it found none or several. Never the tenant's column. */
export function owner(it: FoundPlace): string[] {
  const { table, clientColumns, tenant } = it.place
  if (Array.isArray(clientColumns) && clientColumns.length > 1)
    return [undecided('client', `${clientColumns.join(' or ')}: which of them says whose a row of ${table} is?`)]
  const found = audited(it, 'client', clientNames)
  if (found && found.column !== tenant) return line('client', found)
  return [
    undecided('client', `no column of ${table} leads to the clients: name one, or a path (a_id > others.client_id)`),
  ]
}

/** A person's name, along a key to where people are. */
export function along(entry: string, key: Guess | undefined, people: FoundPlace | undefined): string[] {
  const names = String(people?.place.name ?? '')
    .split(',')
    .filter(Boolean)
  if (!key || !people || !names.length) return []
  const all = names.map(name => quoted(pathTo(key, people, name)))
  return [`${entry}: ${all.length > 1 ? `[${all.join(', ')}]` : all[0]},${comment(key)}`]
}

/** The e-mail address of whoever a key leads to, where there is a column of addresses. */
export function addressAlong(entry: string, key: Guess | undefined, people: FoundPlace | undefined): string[] {
  const email = people && guess(people, undefined, [/^e?mail$/, /^email_?address$/], ['text'])
  return key && people && email ? [`${entry}: ${quoted(pathTo(key, people, email.column))},${comment(key)}`] : []
}

function pathTo(key: Guess, { place }: FoundPlace, column: string): string {
  const id = place.id && place.id !== 'id' ? `(${place.id})` : ''
  return `${key.column} > ${place.table}${id}.${column}`
}

export const idOf = (it: FoundPlace) => guess(it, 'id', [/^id$/])

/** The invoice that a row pays or credits: a key of the same kind as the invoices' own. */
export function invoiceOf(it: FoundPlace, invoices: FoundPlace | undefined): Guess | undefined {
  const key = invoices && idOf(invoices)
  const kind = key && invoices.columns.get(key.column)
  const found = guess(it, undefined, [/^(invoice|bill)_?id$/, /invoice/], kind && [kind])
  return found && found.column !== it.place.id && found.column !== it.place.tenant ? found : undefined
}

/** Whether amounts are whole cents. Where only whole numbers are kept and no name says so, nobody knows but the CRM. */
export async function cents(
  it: FoundPlace,
  amount: Guess | undefined,
  { amountsOf, unread }: Samples,
): Promise<string[]> {
  if (it.place.inCents !== undefined) return it.place.inCents ? ['inCents: true, // 100 %: answered'] : []
  if ([...it.columns.keys()].some(name => /(^|_)cents$/.test(name))) return ['inCents: true, // 80 %']
  const type = amount && it.types.get(amount.column)
  if (!type || !/^(smallint|integer|bigint|numeric\(\d+(,0)?\))$/.test(type)) return []
  const seen = await amountsOf(String(it.place.table), amount.column)
  const none = unread ? 'no row was read' : 'there are no rows to look at'
  const rows = seen ? `the largest is ${seen.largest}, a typical one ${seen.typical}` : none
  const question = `${amount.column} is ${type}: are these cents? Here ${rows}. Write true, or take this line out`
  return [undecided('inCents', question)]
}
