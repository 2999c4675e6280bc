import { decimal, type Money, money } from './amounts.ts'
import type { CrmMap, InvoicesMap, OffersMap } from './map.ts'
import { belongs, equals } from './owned.ts'
import { dateOf, day, expectType, hintIndex, isOneOf, type Place, placeOf, type Reader, same, text } from './reader.ts'
import { literal } from './sql.ts'

/** A kind of document as SQL: one relation under names that are the same for every CRM. */
export interface DocumentRelation {
  place: Place
  /** Over the table under its alias: that a row is this customer's to see. */
  mine: string
  amounts: Money
  /** Type of its key. */
  key: string
  sent: { date: string; raw: string; type: string }
  /** `select … from … where …`, of this customer's documents; more columns may be told. */
  relation(columns: Record<string, string>): string
  /** Whether the status is one that the map gives this meaning; never null. */
  means(...words: string[]): string
  /** More columns for `relation`, where a document is read as a whole. */
  details(): Record<string, string>
  /** What is selected of one document alone, over the relation `d`. */
  whole(): string
}

/** `name` is what they are called in the map. */
export function documentRelation(
  reader: Reader,
  map: CrmMap,
  it: OffersMap | InvoicesMap,
  name: string,
): DocumentRelation {
  const place = placeOf(reader, it, 'p')
  const amounts = money(place, it)
  const { status } = it
  const valuesOf = (words: string[]) =>
    Object.entries(status?.words ?? {})
      .filter(([, word]) => words.includes(word))
      .map(([value]) => value)
  const sent = day(place, it.sentOn)
  if (!it.sentOn.includes(' > ')) hintIndex(place, it, it.client, [it.sentOn, place.key], `lists of ${name}`)
  hintIndex(place, it, it.client, [amounts.of(place, it.total), place.key], `lists of ${name} by amount`)
  const mine = [
    belongs(reader, map, place, it),
    place.rows,
    `${sent.raw} is not null`,
    ...(status?.draft?.length ? [`not ${isOneOf(place, status.column, status.draft)}`] : []),
  ].join(' and ')
  const columns = {
    id: place.column(place.key),
    number: `coalesce(${text(place, it.number)}, ${place.column(place.key)}::text)`,
    title: `coalesce(${[it.title, it.number]
      .filter(one => one !== undefined)
      .map(one => text(place, one))
      .join(', ')}, '')`,
    total: amounts.of(place, it.total),
    currency: amounts.currency,
    sent: sent.date,
    sent_at: sent.raw,
    state: status ? `coalesce(${place.column(status.column)}::text, '')` : `''`,
  }

  return {
    place,
    mine,
    amounts,
    key: place.type(place.key),
    sent,
    relation: more => {
      const all = Object.entries({ ...columns, ...more }).map(([name, sql]) => `${sql} as ${name}`)
      return `(select ${all.join(', ')} from ${place.from}${amounts.join} where ${mine}) d`
    },
    means: (...words) => (status ? isOneOf(place, status.column, valuesOf(words)) : String(words.includes('open'))),
    details: () => ({
      net: it.net ? amounts.of(place, it.net) : 'null::numeric',
      discount: decimal(place, it.discount),
      contact: text(place, it.contact),
    }),
    whole: () => `${addressee(reader, map)} as addressee, ${linesOf(reader, it, place, amounts, name)}`,
  }
}

/** Company, person, lines of the address. */
export function addressee(reader: Reader, map: CrmMap, contact = 'd.contact'): string {
  const c = placeOf(reader, map.clients, 'ca')
  const [first = text(c, map.clients.name), ...rest] = (map.clients.address ?? []).map(it => text(c, it))
  const lines = [`coalesce(${first}, ${text(c, map.clients.name)})`, contact, ...rest].map(it => `${it}::text`)
  return `(select array_remove(array[${lines.join(', ')}], null) from ${c.from} where ${equals(c, c.key, 'client')})`
}

/** Lines as JSON, what they come to, and the tax of each rate: over the document `d`. */
function linesOf(
  reader: Reader,
  { lines: it, ...whole }: OffersMap | InvoicesMap,
  document: Place,
  amounts: Money,
  name: string,
): string {
  if (!it) return `'[]'::jsonb as lines, null::text as lines_total, '[]'::jsonb as taxes`
  const l = placeOf(reader, it, 'l')
  // The document's key under its name in the relation.
  hintIndex(l, it, it.of, [it.order].flat().slice(0, 1), `lines of ${name}`)
  const d: Place = { ...document, alias: 'd', column: () => 'd.id' }
  const from = `${l.from} where ${same(l, it.of, d, document.key)} and ${l.rows}`
  const total = amounts.of(l, it.total, 'd.currency')
  const price = it.price ? amounts.price(l, it.price, 'd.currency') : total
  const heading = Object.entries(it.headings ?? {}).map(([name, values]) => isOneOf(l, name, values))
  const flag = (name: string | undefined, otherwise: boolean) => {
    if (!name) return String(otherwise)
    expectType(l, name, ['boolean'], 'true or false')
    return `coalesce(${l.column(name)}, ${otherwise})`
  }
  const counts = [`not (${flag(it.optional, false)})`, flag(it.chosen, true)].join(' or ')
  const selection = 'responses' in whole && whole.responses?.selection && !whole.responses.off
  const parts = {
    id: selection ? `${l.column(l.key)}::text` : 'null::text',
    tax: it.tax ? `trim_scale(${decimal(l, it.tax)})::text` : 'null::text',
    heading: heading.join(' and ') || 'false',
    group: text(l, it.group),
    title: `coalesce(${text(l, it.title)}, '')`,
    details: text(l, it.details),
    quantity: it.quantity ? `coalesce(trim_scale(${decimal(l, it.quantity)}), 1)::text` : `'1'`,
    unit: text(l, it.unit),
    price: `coalesce(${price}, 0)::text`,
    discount: `trim_scale(${decimal(l, it.discount)})::text`,
    total: `coalesce(${total}, 0)::text`,
    optional: flag(it.optional, false),
    chosen: flag(it.chosen, true),
  }
  const json = Object.entries(parts).map(([name, sql]) => `${literal(name)}, ${sql}`)
  const counted = `${from} and (${counts}) and not (${parts.heading})`
  const rates = it.tax
    ? `(select coalesce(jsonb_agg(jsonb_build_object('percent', trim_scale(rate)::text, 'amount', amount::text) order by rate desc), '[]')
        from (select rate, round(round(sum(net) * (1 - coalesce(d.discount, 0) / 100), scale(d.total)) * rate / 100, scale(d.total)) as amount
              from (select ${decimal(l, it.tax)} as rate, ${total} as net from ${counted}) rated group by rate) rates where rate > 0)`
    : `'[]'::jsonb`
  return `(select coalesce(jsonb_agg(jsonb_build_object(${json.join(', ')}) order by ${[it.order]
    .flat()
    .map(one => l.column(one))
    .join(', ')}), '[]') from ${from}) as lines,
    (select sum(${total}) from ${counted})::text as lines_total, ${rates} as taxes`
}

export const dates = (place: Place, its: Record<string, string | undefined>): Record<string, string> =>
  Object.fromEntries(Object.entries(its).map(([name, source]) => [name, dateOf(place, source)]))
