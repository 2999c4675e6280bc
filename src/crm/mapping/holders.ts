import { containing } from './listing.ts'
import type { CrmMap, OffersMap } from './map.ts'
import { inWorkspace } from './owned.ts'
import { followPath, placeOf, type Reader, text } from './reader.ts'
import type { Ask, FindHolders } from './section.ts'
import { param } from './sql.ts'

/** A document of a client, with a number and perhaps a title. */
type Named = Parameters<typeof placeOf>[1] & Pick<OffersMap, 'client' | 'number' | 'title'>

/** The clients of documents with these words; the port of each says which of them are for its people. */
export function holdersOf(reader: Reader, map: CrmMap, it: Named): (ask: Ask) => FindHolders {
  const d = placeOf(reader, it, 'd')
  const c = placeOf(reader, map.clients, 'c')
  const client = followPath(d, it.client).sql
  const words = [it.number, it.title].filter(its => its !== undefined).map(its => text(d, its))
  const has = words.map(its => `${its} ilike ${param('search')}`).join(' or ') || 'false'
  const sql = `select distinct (${client})::text as id from ${d.from} where (${has}) and ${d.rows}
    and exists (select from ${c.from} where ${c.column(c.key)}::text = (${client})::text and ${c.rows}
                and ${inWorkspace(map, c, map.clients.workspace)}) limit 10`
  return ask => async (workspace, search) => {
    const rows = await ask(sql, { workspace, search: containing(search) })
    return rows.map(row => row.id)
  }
}
