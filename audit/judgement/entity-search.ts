import { type Entity, wordsOf } from '../lexicon.ts'
import type { Column, Table } from '../model.ts'
import { root } from '../names.ts'
import { either } from '../patterns.ts'
import { pointsAt } from './places.ts'
import { createTableWords, type TableWords } from './table-words.ts'
import { type Tenant, tenantOf } from './tenant.ts'

/** The tables of a CRM, and which of them is found to hold which entity. A table holds one entity at most. */
export interface EntitySearch {
  tables: Table[]
  tableWords: TableWords
  /** Names of the tables that clients' own actions write. */
  writtenTables: string[]
  found: Partial<Record<Entity, Table>>
  taken: Set<Table>
  tenant: Tenant | undefined
}

/** Finds the table of each entity: documents first, because they show who the clients are. */
export function findEntities(tables: Table[], writtenTables: string[]): EntitySearch {
  const search: EntitySearch = {
    tables,
    tableWords: createTableWords(tables),
    writtenTables,
    found: {},
    taken: new Set(),
    tenant: undefined,
  }
  findDocuments(search)
  findStaffAndTenant(search)
  findClientsAndContacts(search)
  findRecords(search)
  return search
}

function findDocuments(search: EntitySearch) {
  for (const entity of ['invoices', 'quotations', 'proposals', 'orders'] as const)
    assign(search, entity, table => addToName(search, entity, table, documentScore))
  if (search.found.invoices) return
  const vouchers = search.tables.filter(it => !search.taken.has(it) && isVoucher(it, search.tableWords))
  const largest = vouchers.sort((a, b) => b.columns.length - a.columns.length)[0]
  if (!largest) return
  search.found.invoices = largest
  search.taken.add(largest)
}

function findStaffAndTenant(search: EntitySearch) {
  assign(search, 'staff_users', table => addToName(search, 'staff_users', table, it => staffScore(search, it)))
  const documents = documentsOf(search)
  const isDocument = (table: Table) => documents.includes(table)
  search.tenant = tenantOf(search.tables, search.found.staff_users, isDocument, search.tableWords)
  if (search.tenant) search.taken.add(search.tenant.table)
}

function findClientsAndContacts(search: EntitySearch) {
  const { found } = search
  assign(search, 'clients', table => clientScore(search, table))
  assign(search, 'contacts', table => addToName(search, 'contacts', table, it => contactScore(search, it)))
  const contacts = found.contacts
  if (found.clients || !contacts) return
  // Where documents point at persons, and there are no companies, the persons are the clients.
  if (documentsOf(search).some(it => refersTo(search, it, contacts))) {
    found.clients = contacts
    found.contacts = undefined
  }
}

function findRecords(search: EntitySearch) {
  for (const entity of ['payments', 'tasks', 'projects', 'documents', 'tickets'] as const)
    assign(search, entity, table =>
      addToName(
        search,
        entity,
        table,
        it => columnScore(entity, it) + (refersTo(search, it, search.found.clients) ? 5 : 0),
      ),
    )
  assign(search, 'messages', table => addToName(search, 'messages', table, it => messageScore(search, it)))
  assign(search, 'activity', table =>
    addToName(search, 'activity', table, it => columnScore('activity', it) + plannedWorkScore(it)),
  )
}

/** Gives the entity the table of the highest score, where one has at least 40. */
function assign({ tables, taken, found }: EntitySearch, entity: Entity, score: (table: Table) => number) {
  const best = tables
    .filter(it => !taken.has(it))
    .map(table => ({ table, score: score(table) }))
    .filter(it => it.score >= 40)
    .sort((a, b) => b.score - a.score || a.table.name.length - b.table.name.length)[0]
  if (!best) return
  found[entity] = best.table
  taken.add(best.table)
}

/** The score of a table's name and of its columns together; 0 where the name does not fit the entity. */
function addToName(search: EntitySearch, entity: Entity, table: Table, score: (table: Table) => number): number {
  const name = nameScore(entity, search.tableWords(table.name))
  return name && name + score(table)
}

function nameScore(entity: Entity, words: string[]): number {
  const name = words.join('_')
  const options = wordsOf(entity)
  const rank = options.indexOf(name)
  if (rank !== -1) return 100 - Math.min(rank, 14) * 2
  const sameRoot = options.findIndex(it => it.length > 4 && root(it) === root(name))
  if (sameRoot !== -1) return 88 - Math.min(sameRoot, 14) * 2
  const ending = options.findIndex(it => name.endsWith(`_${it}`) && it.length > 3)
  if (ending !== -1 && !derivedName.test(name)) return (words.length === 2 ? 66 : 52) - ending
  const beginning = options.findIndex(
    it => name.startsWith(it) && /^(s|e|es|en|n|det)?(cli|cus)?$/.test(name.slice(it.length)),
  )
  return beginning === -1 ? 0 : 70 - beginning
}

const settingsOfEntity = either(
  'type status state categor template setting tag log histor item line detail draft recurring embedding',
)
const otherSubjects = either(
  'target lead vendor supplier purchase expense campaign import export bank api email_message custom(?!er) bug',
  'team staff employee internal sync queue cron kanban notification chunk metric event_type password sms payroll credit',
)
/** Tables about an entity, and not of it: its types, its lines, its log. */
const derivedName = new RegExp(`(${either(settingsOfEntity, otherSubjects).source})`)

function documentScore(table: Table): number {
  const ofSupplier = hasColumn(table, /vendor|supplier|fournisseur|proveedor|lieferant|fornitore/i)
  const ofClient = hasColumn(table, /client|customer|contact/i)
  const amount = hasColumn(table, /(total|amount|balance|montant|importe|summe|betrag)/i) ? 15 : -15
  const number = hasColumn(table, /(number|no$|ref|name|_id$)/i) ? 5 : 0
  const date = hasColumn(table, /date|_at$|_on$/i) ? 5 : 0
  return (ofSupplier && !ofClient ? -60 : 0) + amount + number + date
}

/** A table of several kinds of documents, invoices among them: it has number, amount and due date. */
const isVoucher = (table: Table, tableWords: TableWords) =>
  /^(document|voucher|sale|bill|billing_document)$/.test(tableWords(table.name).join('_')) &&
  [/(number|ref)/i, /(amount|total)/i, /due/i].every(it => hasColumn(table, it))

function staffScore(search: EntitySearch, table: Table): number {
  const password = hasColumn(table, /passw|pwd|pass_crypted/i) ? 25 : 0
  const rights = /role|permission/.test(table.name) ? 60 : 0
  return password + countReferencing(search, table) - rights
}

function clientScore(search: EntitySearch, table: Table): number {
  const name = nameScore('clients', search.tableWords(table.name))
  if (!name || isSignInAccount(table)) return 0
  const documents = documentsOf(search).filter(it => refersTo(search, it, table)).length
  if (hasColumn(table, /(bank|iban|opening_?balance|routing|swift)/i) && !documents) return 0
  const referencing = countReferencing(search, table)
  const unsureName = !/(client|customer|kund|societe|cliente|tiers)/i.test(table.name)
  // Nearly everything points at the company that runs the CRM; a client is pointed at by fewer tables.
  const tooMany = referencing > Math.max(8, search.tables.length * 0.4)
  const tooFew = !documents && referencing < 2
  if (unsureName && (tooMany || tooFew)) return 0
  return name + documents * 15 + Math.min(referencing, 10)
}

const isSignInAccount = (table: Table) =>
  /account/i.test(table.name) && hasColumn(table, /provider_?(id|account)|refresh_?token/i)

const contactScore = (search: EntitySearch, table: Table) =>
  (refersTo(search, table, search.found.clients) ? 20 : 0) + (hasColumn(table, /mail/i) ? 15 : -30)

function messageScore(search: EntitySearch, table: Table): number {
  const written = search.writtenTables.includes(table.name)
  const conversation = hasColumn(table, /^(is_?internal|is_?public|post|visibility|reply_?to|thread)/i)
  const staffNotes = /note/i.test(table.name) && !conversation && !written
  return columnScore('messages', table) + (staffNotes ? -70 : 0) + (written ? 80 : 0)
}

/** Calls and meetings are called activities too: they are work to be done, not a log of what was done. */
const plannedWorkScore = (table: Table) =>
  hasColumn(table, /^(duration|outcome|due_?(at|date|on)|scheduled\w*)$/i) ? -30 : 0

function columnScore(entity: Entity, table: Table): number {
  if (hasColumn(table, jobColumn)) return -80
  const expected = expectedColumns[entity]
  return !expected || hasColumn(table, expected) ? 10 : -40
}

/** Columns of a job queue, whatever its table is called. */
const jobColumn = /^(attempts|payload|queue\w*|execute\w*|service_?name|available_at|cron\w*|process_?id)$/i

const expectedColumns: Partial<Record<Entity, RegExp>> = {
  payments: /(amount|montant|total|importe|betrag|valor|cents)/i,
  tasks: /(title|subject|name|description|content|label)/i,
  projects: /(title|name|label|subject)/i,
  documents: /(file|path|url|mime|size|storage|key|filename|name)/i,
  messages: /(body|content|message|comment|text|note|post)/i,
  tickets: /(subject|title|status|priority|name|state)/i,
  activity: /(action|event|type|description|what|verb|changes|log)/i,
}

const documentsOf = ({ found }: EntitySearch): Table[] =>
  [found.invoices, found.quotations, found.proposals].filter(it => it !== undefined)

const hasColumn = (table: Table, name: RegExp) => table.columns.some((it: Column) => name.test(it.name))

const refersTo = ({ tableWords }: EntitySearch, table: Table, target: Table | undefined) =>
  target !== undefined && table.columns.some(it => pointsAt(it, target, tableWords))

const countReferencing = (search: EntitySearch, table: Table) =>
  search.tables.filter(it => it !== table && refersTo(search, it, table)).length
