import { wordsOf } from '../lexicon.ts'
import type { Column, Table } from '../model.ts'
import { pointsAt } from './places.ts'
import type { TableWords } from './table-words.ts'

export interface Tenant {
  table: Table
  /** The column by which most tables point at it. */
  column: string | undefined
  note: string
}

/** The table that every other one belongs to, and by which column; undefined where one company has the CRM to itself. */
export function tenantOf(
  tables: Table[],
  staff: Table | undefined,
  isDocument: (table: Table) => boolean,
  tableWords: TableWords,
): Tenant | undefined {
  const isCandidate = (table: Table) => {
    const name = tableWords(table.name).join('_')
    return table !== staff && wordsOf('tenants').includes(name.replace(/^(crm|core|auth|res)_/, ''))
  }
  return tables
    .filter(isCandidate)
    .map(table => weigh(table, tables, isDocument, tableWords))
    .filter(it => it.belongsToIt && it.column)
    .sort((a, b) => b.share - a.share)[0]
}

function weigh(table: Table, tables: Table[], isDocument: (table: Table) => boolean, tableWords: TableWords) {
  const name = tableWords(table.name).join('_')
  const isKey = (column: Column) => pointsAt(column, table, tableWords) || isNamedAfter(column.name, name)
  const referencing = tables.filter(it => it !== table && it.columns.some(isKey))
  const keys = referencing.flatMap(it => it.columns.filter(isKey).map(column => column.name))
  const column = mostFrequent(keys)
  const share = referencing.length / tables.length
  const certainName = /tenant|workspace|organi[sz]ation|^org$|team/.test(name)
  const contacts = referencing.some(it => /client|customer|contact|account/i.test(it.name))
  const clients = referencing.some(it => clientTables.includes(tableWords(it.name).join('_')))
  // Documents point at a client; documents, clients and their contacts point at a tenant.
  const ownsClients = referencing.some(isDocument) && ((certainName && contacts) || clients)
  const belongsToIt = share > 0.45 || (certainName && share > 0.25) || ownsClients
  return { table, column, share, belongsToIt, note: `${referencing.length} tables have ${column}` }
}

/** Names that nobody gives to the company that runs the CRM. */
const clientTables = ['client', 'customer', 'cliente', 'kunde', 'societe', 'partner', 'res_partner']

function isNamedAfter(column: string, table: string): boolean {
  const name = column.replace(/([a-z])([A-Z])/g, '$1_$2').toLowerCase()
  return name === `${table}_id` || (/^organi[sz]ation$/.test(table) && /^(org|organi[sz]ation)_id$/.test(name))
}

const mostFrequent = (names: string[]) =>
  [...Map.groupBy(names, it => it)].sort((a, b) => b[1].length - a[1].length)[0]?.[0]
