import { type Catalogue, type Kind, kindOf, qualified } from '../catalogue.ts'

/** Where the audit found a thing, as audit.json has it under `data`. */
export interface Place {
  table: string | null
  [name: string]: any
}

/** A line of the draft: what was taken, how sure that is in per cent, and what else it could be. */
export interface Guess {
  column: string
  sure: number
  others: string[]
}

export interface Found {
  place: Place
  columns: Map<string, Kind>
}

export function placeIn(place: Place | undefined, { tables }: Catalogue): Found | undefined {
  const columns = place?.table ? tables.get(qualified(place.table)) : undefined
  return place && columns && { place, columns: new Map([...columns].map(([name, { type }]) => [name, kindOf(type)])) }
}

/** A table that the audit does not look for, by its name. */
export function tableLike({ tables }: Catalogue, name: RegExp): Found | undefined {
  const [table] = [...tables.keys()].filter(it => name.test(it))
  return table ? placeIn({ table: table.replace(/^public\./, '') }, { tables, queries: new Map() }) : undefined
}

/** What the audit says comes first; names that fit come next. */
export function guess(
  { place, columns }: Found,
  from: string | undefined,
  names: RegExp[],
  kinds?: Kind[],
): Guess | undefined {
  const told = from ? place[from] : undefined
  const fitting = (name: string) => columns.has(name) && (!kinds || kinds.includes(columns.get(name)!))
  const byName = names.flatMap((pattern, rank) =>
    [...columns.keys()]
      .filter(it => pattern.test(it) && fitting(it))
      .map(column => ({ column, sure: Math.max(85 - rank * 10, 40) })),
  )
  const audited =
    typeof told === 'string' && fitting(told) ? [{ column: told, sure: byName[0]?.column === told ? 95 : 75 }] : []
  // A name that fits exactly is better than one that the audit took for want of it.
  const ordered = [...audited, ...byName].sort((a, b) => b.sure - a.sure)
  const [best] = ordered
  const others = [...new Set(ordered.map(it => it.column))].filter(it => it !== best?.column).slice(0, 3)
  return best && { ...best, others }
}

export const quoted = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
export const key = (text: string) => (/^[A-Za-z_]\w*$/.test(text) ? text : quoted(text))

export const comment = ({ sure, others }: Guess) => ` // ${sure} %${others.length ? `; or ${others.join(', ')}` : ''}`

/** An entry, left out where nothing fits unless the map needs it. */
export function line(entry: string, it: Guess | undefined, needed = false): string[] {
  if (it) return [`${entry}: ${quoted(it.column)},${comment(it)}`]
  return needed ? [`${entry}: 'TODO', // nothing was found that could be it`] : []
}
