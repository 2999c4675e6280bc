import { documentWords, type Entity, entities } from '../lexicon.ts'
import type { Column, Table } from '../model.ts'
import { spoken } from '../names.ts'
import { type EntitySearch, findEntities } from './entity-search.ts'
import { describePlace, findLines, type Place, pointsAt } from './places.ts'

export type DataMap = Record<Entity | 'quotation_lines' | 'proposal_lines' | 'invoice_lines' | 'portal_users', Place>

/** Which table holds what. `writtenTables`, which clients' own actions write, decide between equals. */
export function mapData(tables: Table[], writtenTables: string[] = []): DataMap {
  const search = findEntities(
    tables.filter(it => it.columns.length > 1 && !it.view),
    writtenTables,
  )
  const { found, tenant } = search
  const places = Object.fromEntries(
    Object.keys(entities).map(entity => [entity, placeOf(found[entity as Entity], search)]),
  ) as Record<Entity, Place>
  const kind = found.quotations ? undefined : kindColumn(found.invoices)
  if (kind) places.quotations = { ...places.invoices, note: `among the invoices, by ${kind.name}` }
  places.tenants = tenant ? { ...placeOf(tenant.table, search), note: tenant.note } : { table: null }
  return {
    ...places,
    quotation_lines: linesOf(found.quotations, search),
    proposal_lines: linesOf(found.proposals, search),
    invoice_lines: linesOf(found.invoices, search),
    portal_users: { table: null },
  }
}

const placeOf = (table: Table | undefined, { tableWords, tenant, found }: EntitySearch): Place =>
  describePlace(table, { tableWords, tenant, clients: found.clients, staff: found.staff_users })

/** The column that tells quotations from the invoices in one table with them. */
const kindColumn = (invoices: Table | undefined): Column | undefined =>
  invoices?.columns.find(
    it =>
      /^is_?(estimate|quote|offer|quotation)/i.test(it.name) ||
      (/type|kind|tipo|genre|^art$/i.test(it.name) &&
        it.values?.some(value => documentWords.quotations.test(spoken(value)))),
  )

/** The lines of a document: a table of their own, or a column of the document with JSON. */
function linesOf(document: Table | undefined, search: EntitySearch): Place {
  if (!document) return { table: null }
  const lines = findLines(document, search.tables, search.tableWords)
  if (lines) return { ...placeOf(lines, search), parent: parentColumn(lines, document, search)?.name }
  const column = document.columns.find(it => /^(line_?items?|items|lines|details|products)$/i.test(it.name))
  if (!column) return { table: null }
  return { table: document.name, name: column.name, at: column.at, note: 'kept as JSON in the document' }
}

function parentColumn(lines: Table, document: Table, { tableWords }: EntitySearch): Column | undefined {
  const key = `_${tableWords(document.name).join('_')}_id`
  const pointing = lines.columns.filter(it => pointsAt(it, document, tableWords))
  const declared = pointing.find(it => it.references && !it.guessed)
  return declared ?? pointing[0] ?? lines.columns.find(it => it.name.endsWith(key))
}
