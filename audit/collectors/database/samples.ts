import type { Column, Facts, Table } from '../../model.ts'
import { wordsIn } from '../../names.ts'
import type { Ask } from './ask.ts'
import type { Dialect } from './dialect.ts'

/** How rows are looked at, and for how long. */
interface Sampling {
  ask: Ask
  dialect: Dialect
  stop(): boolean
}

/** Guesses foreign keys that nobody declared: the name says which table, and the values are found there. */
export async function guessKeys({ tables }: Facts, { ask, dialect, stop }: Sampling): Promise<void> {
  const { quote, address, comparable } = dialect
  const named = new Map(tables.filter(it => !it.view).map(it => [wordsIn(it.name.replace(/^\w+\./, '')).join('_'), it]))
  for (const table of tables)
    for (const column of table.columns) {
      if (stop()) return
      const target = column.references || table.view ? undefined : named.get(referencedWords(column.name))
      const key = target?.columns.find(it => /^(id|rowid|uuid)$/i.test(it.name))
      if (!target || !key || target === table || comparable(key.type) !== comparable(column.type)) continue
      const rows = await ask<{ all: string; found: string }>(
        `select count(*) as ${quote('all')},
           count(case when exists (select 1 from ${address(target)} t where t.${quote(key.name)} = s.v) then 1 end) as found
         from (select ${quote(column.name)} as v from ${address(table)} where ${quote(column.name)} is not null limit 200) s`,
      )
      const { all, found } = rows?.[0] ?? { all: '0', found: '0' }
      if (Number(found) >= Number(all) * 0.95) Object.assign(column, { references: target.name, guessed: true })
    }
}

/** What a column refers to by its name: `order_item` for `order_item_id`; empty where it is no key. */
function referencedWords(column: string): string {
  if (!/(_id|Id|_uuid|ID)$|^(fk|id)_/.test(column)) return ''
  return wordsIn(column.replace(/^(fk|id)_/, '').replace(/(_id|Id|_uuid|ID)$/, '')).join('_')
}

const statusColumn =
  /^(\w+_)?(status|state|stage|phase|kind|type|priority|etat|statut|estado|stato|zustand|visibility)(_?(code|name))?$/i
const personalColumn = /(marital|gender|sex|health|relig|blood|ethnic|civil|birth)/i

/** Reads the values of status columns. Words that could be a person's are dropped. */
export async function sampleStatuses({ tables }: Facts, { ask, dialect, stop }: Sampling): Promise<void> {
  for (const table of tables) {
    for (const column of table.columns) {
      if (stop()) return
      if (column.values || table.view || !holdsStatus(column, table, dialect)) continue
      const name = dialect.quote(column.name)
      const rows = await ask<{ v: string }>(
        `select distinct ${dialect.asText('v')} as v
         from (select ${name} as v from ${dialect.address(table)} where ${name} is not null limit 20000) s
         order by 1 limit 21`,
      )
      const values = rows?.map(it => it.v).filter(it => /^[\p{L}][\p{L}_ -]{0,24}$|^-?\d{1,3}$/u.test(it)) ?? []
      if (rows && rows.length <= 20 && values.length === rows.length && values.length) column.values = values
    }
  }
}

function holdsStatus({ name, type }: Column, table: Table, { text, shortNumber }: Dialect): boolean {
  const isAddress = table.columns.some(it => /^(city|zip|postcode|postal_?code)/i.test(it.name))
  if (isAddress && /state/i.test(name)) return false
  const isShort = text.test(type) || shortNumber.test(type)
  return isShort && statusColumn.test(name) && !personalColumn.test(name)
}

const formats: Record<string, string> = {
  email: '^[^@[:space:]]+@[^@[:space:]]+[.][^@[:space:]]+$',
  url: '^https?://',
  uuid: '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-',
  path: '^[^[:space:]]*/[^[:space:]]*[.][[:alnum:]_]{2,5}$|^[[:alnum:]_-]+[.][[:alnum:]_]{2,5}$',
  'currency code': '^[A-Z]{3}$',
  number: '^-?[0-9]+([.,][0-9]+)?$',
}

/** Finds out what values look like, inside of the database: no value leaves it. */
export async function sampleFormats({ tables }: Facts, { ask, dialect, stop }: Sampling): Promise<void> {
  for (const table of tables) {
    if (stop()) return
    const columns = table.view ? [] : table.columns.filter(it => isSampled(it, dialect)).slice(0, 40)
    if (!columns.length) continue
    const sampled = columns.map(it => dialect.quote(it.name)).join(', ')
    const counted = columns.flatMap((column, at) => [
      `count(${dialect.quote(column.name)}) as n${at}`,
      ...Object.values(formats).map(
        (pattern, kind) =>
          `count(case when ${dialect.fits(dialect.quote(column.name), pattern)} then 1 end) as n${at}_${kind}`,
      ),
    ])
    const rows = await ask<Record<string, string>>(
      `select ${counted.join(', ')} from (select ${sampled} from ${dialect.address(table)} limit 100) s`,
    )
    columns.forEach((column, at) => {
      const all = Number(rows?.[0]?.[`n${at}`] ?? 0)
      const fits = Object.keys(formats).find((_, kind) => all > 0 && Number(rows![0]![`n${at}_${kind}`]) >= all * 0.9)
      if (fits) column.format = fits
    })
  }
}

const isSampled = ({ name, type, values }: Column, { text }: Dialect) =>
  !values &&
  text.test(type) &&
  /(mail|path|file|url|link|key|token|number|ref|code|currency|total|amount|uuid|_no$)/i.test(name)
