import { wordsOf } from '../lexicon.ts'
import type { Table } from '../model.ts'
import { pointsAt, type Stem } from './places.ts'

/** The table that every other one belongs to, and by which column; undefined where one company has it all to itself. */
export function tenantOf(tables: Table[], staff: Table | undefined, isDocument: (table: Table) => boolean, stem: Stem) {
  const candidates = tables.filter(
    it =>
      it !== staff &&
      wordsOf('tenants').includes(
        stem(it.name)
          .join('_')
          .replace(/^(crm|core|auth|res)_/, ''),
      ),
  )
  const judged = candidates.map(table => {
    const users = tables.filter(
      it => it !== table && it.columns.some(one => pointsAt(one, table, stem) || named(one.name, table, stem)),
    )
    const column = mostly(
      users.flatMap(it =>
        it.columns.filter(one => pointsAt(one, table, stem) || named(one.name, table, stem)).map(one => one.name),
      ),
    )
    const share = users.length / tables.length
    const documents = users.filter(isDocument).length
    const strong = /tenant|workspace|organi[sz]ation|^org$|team/.test(stem(table.name).join('_'))
    const others = users.filter(it => /client|customer|contact|account/i.test(it.name)).length
    const clients = users.filter(it => theirs.includes(stem(it.name).join('_'))).length
    // A client's table is pointed at by documents; a tenant's by nearly everything, clients and their contacts too.
    const both = documents > 0 && ((strong && others > 0) || clients > 0)
    const enough = share > 0.45 || (strong && share > 0.25) || both
    return { table, column, share, enough, note: `${users.length} tables have ${column}` }
  })
  return judged.filter(it => it.enough && it.column).sort((a, b) => b.share - a.share)[0]
}

/** Names that nobody gives to the company whose CRM it is. */
const theirs = ['client', 'customer', 'cliente', 'kunde', 'societe', 'partner', 'res_partner']

const named = (column: string, table: Table, stem: Stem) => {
  const short = stem(table.name).join('_')
  const name = column.replace(/([a-z])([A-Z])/g, '$1_$2').toLowerCase()
  return name === `${short}_id` || (/^organi[sz]ation$/.test(short) && /^(org|organi[sz]ation)_id$/.test(name))
}

const mostly = (names: string[]) => [...Map.groupBy(names, it => it)].sort((a, b) => b[1].length - a[1].length)[0]?.[0]
