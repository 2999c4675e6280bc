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

export interface FoundPlace {
  place: Place
  columns: Map<string, Kind>
  /** As PostgreSQL writes them: `numeric(12,2)`. */
  types: Map<string, string>
}

export function placeIn(place: Place | undefined, { tables }: Catalogue): FoundPlace | undefined {
  const columns = place?.table ? tables.get(qualified(place.table)) : undefined
  if (!place || !columns) return undefined
  return {
    place,
    columns: new Map([...columns].map(([name, { type }]) => [name, kindOf(type)])),
    types: new Map([...columns].map(([name, { type }]) => [name, type])),
  }
}

/** A table that the audit does not look for, by its name. */
export function tableLike({ tables }: Catalogue, name: RegExp): FoundPlace | undefined {
  const [table] = [...tables.keys()].filter(it => name.test(it))
  return table ? placeIn({ table: table.replace(/^public\./, '') }, { tables, queries: new Map() }) : undefined
}

/** What the audit says comes first; names that fit come next. */
export function guess(
  { place, columns }: FoundPlace,
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
  return needed ? [undecided(entry, 'nothing was found that could be it')] : []
}

/** An entry that the developer has to decide: `enable` refuses a map with one. */
export const undecided = (entry: string, question: string) => `${entry}: todo(${quoted(question)}),`

/** A key that the audit found; names alone never decide whose a row is. */
export const audited = ({ place, columns }: FoundPlace, from: string, names: RegExp[]): Guess | undefined => {
  const column = place[from]
  if (typeof column !== 'string' || !columns.has(column)) return undefined
  return { column, sure: names.some(it => it.test(column)) ? 95 : 75, others: [] }
}
