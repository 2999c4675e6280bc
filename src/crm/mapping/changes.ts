import { z } from 'zod'
import type { FindChanges } from '../changes.ts'
import type { CrmMap, Owned } from './map.ts'
import { checked, inWorkspace } from './owned.ts'
import { expectType, followPath, hintIndex, keyOfType, type Place, placeOf, type Reader } from './reader.ts'
import type { Ask } from './section.ts'
import { literal, param, tableIdent } from './sql.ts'

/** An entry that names the column in which the CRM writes when a row was changed. */
export type Changing = Owned & { changedOn?: string }

/** How far behind the mark those are looked for that were committed late, and how many at most. */
const late = { interval: `interval '2 minutes'`, most: 200 }

const Mark = z.tuple([z.string(), z.string()])

/**
 * How a section's changes are found, by the column that says when a row was changed: without an index on it, not at all,
 * since every look would read the whole table.
 */
export function findChangesBy(reader: Reader, map: CrmMap, it: Changing | undefined) {
  if (!it?.changedOn || !it.table) return undefined
  const place = placeOf(reader, it, 'k')
  const type = place.type(it.changedOn)
  expectType(place, it.changedOn, ['timestamptz', 'timestamp', 'integer'], 'when a row was changed')
  hintIndex(place, it, it.changedOn, [place.key], `changes of ${reader.section}`)
  const parts = sqlOf(reader, map, it, place)
  const isTime = place.kind(it.changedOn) !== 'integer'

  return (ask: Ask): FindChanges => {
    let indexed: Promise<boolean> | undefined
    return async (workspace, { since, recent, size }) => {
      indexed ??= hasIndex(ask, it.table!, it.changedOn!)
      if (!(await indexed)) {
        indexed = undefined
        return undefined
      }
      const newest = await newestMark(ask, parts)
      const [changed, id] = markIn(since) ?? []
      if (changed === undefined || newest === undefined) return { items: [], next: newest ?? '' }
      const values = { workspace: workspace.id, changed, afterId: id, size }
      // Of a database that was restored, or whose clock was set back, nothing is told again.
      const [{ back }] = await ask(`select ${parts.newestChanged} < ${param('changed')}::${type} as back`, { changed })
      if (back) return { items: [], next: newest }
      const rows = await ask(parts.after, values)
      const last = rows.at(-1)
      const behind = recent && isTime && rows.length < size ? await ask(parts.late, values) : []
      return {
        items: [...behind, ...rows].map(row => ({ id: row.id, client: row.client })),
        next: last ? JSON.stringify([last.changed, last.id]) : since,
      }
    }
  }
}

function sqlOf(reader: Reader, map: CrmMap, it: Changing, k: Place) {
  const changed = k.column(it.changedOn!)
  const type = k.type(it.changedOn!)
  const key = k.column(k.key)
  const keyType = keyOfType(k.type(k.key)).cast
  const client = followPath(k, it.client).sql
  const c = placeOf(reader, map.clients, 'c')
  const columns = `${key}::text as id, (${client})::text as client, ${changed}::text as changed`
  const mine = `${k.rows} and ${client} is not null and exists (
      select from ${c.from} where ${c.column(c.key)}::text = (${client})::text and ${c.rows}
        and ${inWorkspace(map, c, map.clients.workspace)})`
  const mark = `${param('changed')}::${type}`
  const afterId = checked('afterId', keyType)
  return {
    newest: `select ${changed}::text as changed, ${key}::text as id from ${k.from}
      where ${changed} is not null order by ${changed} desc, ${key} desc limit 1`,
    newestChanged: `(select max(${changed}) from ${k.from})`,
    after: `select ${columns} from ${k.from} where (${changed}, ${key}) > (${mark}, ${afterId}) and ${mine}
      order by ${changed}, ${key} limit ${param('size')}`,
    late: `select ${columns} from ${k.from}
      where ${changed} > ${mark} - ${late.interval} and (${changed}, ${key}) <= (${mark}, ${afterId}) and ${mine}
      order by ${changed} desc limit ${late.most}`,
  }
}

async function newestMark(ask: Ask, { newest }: ReturnType<typeof sqlOf>): Promise<string | undefined> {
  const [row] = await ask(newest)
  return row && JSON.stringify([row.changed, row.id])
}

function markIn(since: string): [string, string] | undefined {
  try {
    return Mark.parse(JSON.parse(since))
  } catch {
    return undefined
  }
}

/** Whether there is an index of all rows that begins with this column. */
async function hasIndex(ask: Ask, table: string, column: string): Promise<boolean> {
  const rows = await ask(
    `select from pg_catalog.pg_index i
       join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
     where i.indrelid = to_regclass(${literal(tableIdent(table))}) and i.indisvalid and i.indpred is null
       and a.attname = ${param('column')} limit 1`,
    { column },
  )
  return rows.length > 0
}
