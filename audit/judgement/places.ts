import type { Column, Table } from '../model.ts'
import { root, wordsIn } from '../names.ts'
import { anyName } from '../patterns.ts'
import type { TableWords } from './table-words.ts'

/** Where an entity is kept, and under which names. Null is: not found. */
export interface Place {
  table: string | null
  id?: string
  name?: string
  number?: string
  tenant?: string
  client?: string
  /** Columns that may all be `client`, where there are several: somebody has to decide. */
  clientColumns?: string[]
  /** The document that a line or a payment belongs to. */
  parent?: string
  owner?: string
  status?: string
  statuses?: string[]
  amount?: string
  currency?: string
  issued?: string
  due?: string
  file?: string
  token?: string
  at?: string
  note?: string
}

/** Whether a column refers to a table: by its key, or where it has none by its name. */
export function pointsAt(column: Column, table: Table, tableWords: TableWords): boolean {
  if (column.references) {
    const name = column.references.toLowerCase()
    if (name === table.name.toLowerCase() || name === table.model?.toLowerCase()) return true
    return tableWords(column.references).join('_') === tableWords(table.name).join('_')
  }
  const words = wordsIn(column.name.replace(/^(fk|id)_/, '')).filter(it => it !== 'id' && it !== 'uuid' && it !== 'fk')
  return (
    /(_id|Id|_uuid|_fk|ID)$|^(fk|id)_/.test(column.name) &&
    words.map(root).join('_') === tableWords(table.name).map(root).join('_')
  )
}

/** The table of a document's lines: it points at the document and has quantities and prices. */
export function findLines(document: Table, tables: Table[], tableWords: TableWords): Table | undefined {
  return tables
    .filter(it => it !== document && mayBelongTo(it, document, tableWords))
    .map(table => ({ table, score: lineScore(table, tableWords(document.name), tableWords(table.name)) }))
    .filter(it => it.score >= 70)
    .sort((a, b) => b.score - a.score)[0]?.table
}

function mayBelongTo(table: Table, document: Table, tableWords: TableWords): boolean {
  const key = `_${tableWords(document.name).join('_')}_id`
  return table.columns.some(
    it =>
      pointsAt(it, document, tableWords) ||
      wordsIn(it.name).join('_').endsWith(key) ||
      /^(parent|parent_?id|document_?id)$/i.test(it.name),
  )
}

function lineScore(table: Table, documentWords: string[], words: string[]): number {
  const has = (pattern: RegExp) => table.columns.some(it => pattern.test(it.name))
  const name = words.join('_')
  let score = 0
  if (has(/qty|quantit|menge|cantidad/i)) score += 30
  if (has(/price|prix|preis|precio|rate|subprice|amount|cost|cents/i)) score += 20
  if (lineWord.test(words.at(-1) ?? '') || lineTable.test(table.name)) score += 30
  if (documentWords.every(it => name.includes(it))) score += 40
  // Lines of several kinds of documents may share a table, and refer to theirs as the parent.
  if (has(/^parent_?(id|type)$/i)) score += 20
  if (words.some(it => otherLineWord.test(it) && !documentWords.includes(it))) score -= 60
  return score
}

const lineWord = /^(item|line|det|detail|entry|position|row|ligne|linea|posten|product)$/
const lineTable = /(det|line|item)s?$|^(lineas?|lignes?|righe|posten|positionen)/
const otherLineWord = /^(recurring|template|tax|amount|draft|credit|deposit|tier|batch)$/

interface PlaceContext {
  tableWords: TableWords
  /** The table that every other one belongs to, and the column by which they do. */
  tenant: { table: Table; column: string | undefined } | undefined
  clients: Table | undefined
  staff: Table | undefined
}

/** A table with the columns that matter, found by their names. */
export function describePlace(table: Table | undefined, context: PlaceContext): Place {
  if (!table) return { table: null }
  const find = columnFinder(table, context.tableWords)
  const status = statusColumn(table, context.tableWords)
  return {
    table: table.name,
    id: find(/^id$/i, /^_id$/, /^rowid$/i, /^uuid$/i, /^(pk|ID)$/) ?? ownKey(table, context) ?? find(/_id$/i),
    name: nameColumns(find),
    number: find(numberName),
    ...ownerColumns(table, context),
    status: status?.name,
    statuses: status?.values,
    amount: find(amountName),
    currency: find(/^currency(_?(code|id))?$/i, /^(devise|moneda|waehrung|moeda|valuta|multicurrency_code)$/i),
    issued: find(issuedName),
    due: find(dueName),
    file: find(fileName),
    token: table.columns.find(it => documentToken.test(it.name))?.name,
    at: table.at,
  }
}

type FindColumn = (...patterns: RegExp[]) => string | undefined

/** Finds a column by the first pattern that one fits, with or without the table's name in front of its own. */
const columnFinder =
  (table: Table, tableWords: TableWords): FindColumn =>
  (...patterns) =>
    patterns
      .map(
        pattern =>
          table.columns.find(it => pattern.test(it.name) || pattern.test(bareName(it.name, table, tableWords)))?.name,
      )
      .find(it => it !== undefined)

/** `invoice_number` of invoices is `number`. */
function bareName(column: string, table: Table, tableWords: TableWords): string {
  const prefix = `${tableWords(table.name).join('_')}_`
  const name = wordsIn(column).join('_')
  return name.startsWith(prefix) ? name.slice(prefix.length) : column
}

function nameColumns(find: FindColumn): string | undefined {
  const name = find(nameColumn)
  if (name) return name
  const firstName = find(/^first_?name$/i, /^prenom$/i, /^vorname$/i)
  const lastName = find(/^last_?name$/i, /^nom$/i, /^nachname$/i, /^surname$/i)
  if (firstName && lastName) return `${firstName},${lastName}`
  return firstName ?? find(/^(description|content|email|action)$/i)
}

/** The first unique column; of a key that begins with the tenant's column the other one. The primary key comes first. */
function ownKey(table: Table, { tenant }: PlaceContext): string | undefined {
  const isTenants = (column: string) => table !== tenant?.table && column === tenant?.column
  const keys = (table.unique ?? []).map(names => names.filter(it => !isTenants(it)))
  return keys.find(it => it.length === 1)?.[0]
}

/** The columns that say to whom a row belongs: tenant, client, and member of staff. */
function ownerColumns(
  table: Table,
  context: PlaceContext,
): Pick<Place, 'tenant' | 'client' | 'clientColumns' | 'owner'> {
  const { tableWords, tenant, staff } = context
  const pointsAtStaff = (it: Column, target: Table) => pointsAt(it, target, tableWords) || staffColumn.test(it.name)
  const find = (target: Table | undefined, fits: (column: Column, target: Table) => boolean) =>
    target && table !== target ? table.columns.find(it => fits(it, target))?.name : undefined
  const clients = clientColumns(table, context)
  return {
    tenant: find(tenant?.table, it => it.name === tenant?.column),
    client: clients[0],
    ...(clients.length > 1 && { clientColumns: clients }),
    owner: find(staff, pointsAtStaff),
  }
}

/** Columns that lead to the client: declared keys; where there are none, those that values or names suggest. */
function clientColumns(table: Table, { tableWords, tenant, clients }: PlaceContext): string[] {
  if (!clients || table === clients) return []
  const possible = table.columns.filter(it => it.name !== tenant?.column)
  const pointing = possible.filter(it => pointsAt(it, clients, tableWords))
  const declared = pointing.filter(it => it.references && !it.guessed)
  const named = possible.filter(it => !it.references && clientColumn.test(it.name))
  const found = declared.length ? declared : [...pointing, ...named]
  return [...new Set(found.map(it => it.name))]
}

const clientColumn = /^(client|customer|kunde|cliente|account|company|partner|fk_soc)(_?id)?$/i
const staffColumn = /^(owner|assigned_?(to|user)|assignee|user_id|created_?by)(_?id)?$/i

function statusColumn(table: Table, tableWords: TableWords): Column | undefined {
  const isAddress = table.columns.some(it => /^(city|zip|postcode|postal_?code|country)/i.test(it.name))
  return table.columns.find(
    it =>
      !(isAddress && it.name === 'state') &&
      (statusName.test(it.name) || /^status(_id)?$/.test(bareName(it.name, table, tableWords))),
  )
}

const statusName = anyName(
  'status state etat statut estado fk_statut zustand stato',
  /\w*_?status(_id)?|status\w*/,
  'docstatus payment_state',
)

const nameColumn = anyName(
  'name title full_?name display_?name company_?name subject nom name1 label libelle bezeichnung titulo nome nombre',
)

const numberName = anyName(
  'number no nr ref_?no reference ref code doc_?num(ber)? numero nummer order_?id',
  /\w+_(number|no|nr)/,
)

const totals = /(grand_?total|total_?(amount|ttc)|amount_?total|total|montant_ttc|amount)(_?(in_)?cents)?/
const amountName = anyName(totals, 'cents', /gesamt\w*/, 'importe valor')

const issuedName = anyName(
  /issue[d_]?\w*date|issued_?(on|at)/,
  'invoice_?date date datef transaction_date posting_date quote_?date date_?(issued|created)',
  'created_?(at|on) createdAt created datec creation',
)

const dueName = anyName(
  'due_?(date|on|at)? date_?due dueDate valid_?(until|till|to)',
  /expir\w+/,
  'date_?expires fin_validite date_lim_reglement',
  /faellig\w*/,
)

const fileName = /^(path|file_?path|storage_?key|url|file_?url|filename|file_?name|key|store_fname|filepath)$/i
const documentToken = /(public|share|access|url|tracking|approval).*(token|key|hash)|unique_hash/i
