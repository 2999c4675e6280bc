import type { Column, Facts, Table } from '../../model.ts'
import { wordsIn } from '../../names.ts'
import type { Ask } from './ask.ts'

type Stop = () => boolean

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`
const placed = (table: Table) =>
  `${quoted(table.schema ?? 'public')}.${quoted(table.name.replace(new RegExp(`^${table.schema}\\.`), ''))}`

/** Foreign keys that nobody declared: the name says which table, and the values are found there. */
export async function guessKeys(ask: Ask, { tables }: Facts, stop: Stop): Promise<void> {
  const named = new Map(tables.filter(it => !it.view).map(it => [wordsIn(it.name.replace(/^\w+\./, '')).join('_'), it]))
  for (const table of tables)
    for (const column of table.columns) {
      if (stop()) return
      const target = column.references || table.view ? undefined : named.get(meant(column.name))
      const key = target?.columns.find(it => /^(id|rowid|uuid)$/i.test(it.name))
      if (!target || !key || target === table || key.type !== column.type) continue
      const rows = await ask<{ all: string; found: string }>(
        `select count(*) as all, count(*) filter (where exists (select from ${placed(target)} t where t.${quoted(key.name)} = s.v)) as found
         from (select ${quoted(column.name)} as v from ${placed(table)} where ${quoted(column.name)} is not null limit 200) s`,
      )
      const { all, found } = rows?.[0] ?? { all: '0', found: '0' }
      if (Number(found) >= Number(all) * 0.95) Object.assign(column, { references: target.name, guessed: true })
    }
}

const meant = (column: string) =>
  /(_id|Id|_uuid|ID)$|^(fk|id)_/.test(column)
    ? wordsIn(column.replace(/^(fk|id)_/, '').replace(/(_id|Id|_uuid|ID)$/, '')).join('_')
    : ''

const status =
  /^(\w+_)?(status|state|stage|phase|kind|type|priority|etat|statut|estado|stato|zustand|visibility)(_?(code|name))?$/i
const personal = /(marital|gender|sex|health|relig|blood|ethnic|civil|birth)/i

/** What status-like columns hold. Words that could be a person's are dropped. */
export async function sampleStatuses(ask: Ask, { tables }: Facts, stop: Stop): Promise<void> {
  for (const table of tables) {
    const address = table.columns.some(it => /^(city|zip|postcode|postal_?code)/i.test(it.name))
    for (const column of table.columns) {
      if (stop()) return
      if (
        column.values ||
        table.view ||
        !status.test(column.name) ||
        personal.test(column.name) ||
        (address && /state/i.test(column.name))
      )
        continue
      if (!/^(text|character|smallint|integer)/.test(column.type)) continue
      const rows = await ask<{ v: string }>(
        `select distinct v::text as v from (select ${quoted(column.name)} as v from ${placed(table)} where ${quoted(column.name)} is not null limit 20000) s order by 1 limit 21`,
      )
      const values = rows?.map(it => it.v).filter(it => /^[\p{L}][\p{L}_ -]{0,24}$|^-?\d{1,3}$/u.test(it)) ?? []
      if (rows && rows.length <= 20 && values.length === rows.length && values.length) column.values = values
    }
  }
}

const formats: Record<string, string> = {
  email: '^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$',
  url: '^https?://',
  uuid: '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-',
  path: '^[^\\s]*/[^\\s]*\\.\\w{2,5}$|^[\\w-]+\\.\\w{2,5}$',
  'currency code': '^[A-Z]{3}$',
  number: '^-?[0-9]+([.,][0-9]+)?$',
}

/** What values look like, decided inside of the database: no value leaves it. */
export async function sampleFormats(ask: Ask, { tables }: Facts, stop: Stop): Promise<void> {
  for (const table of tables) {
    if (stop()) return
    const columns = table.view ? [] : table.columns.filter(telling).slice(0, 40)
    if (!columns.length) continue
    const counted = columns.flatMap((column, at) => [
      `count(${quoted(column.name)}) as n${at}`,
      ...Object.values(formats).map(
        (pattern, kind) => `count(*) filter (where ${quoted(column.name)} ~ '${pattern}') as n${at}_${kind}`,
      ),
    ])
    const rows = await ask<Record<string, string>>(
      `select ${counted.join(', ')} from (select * from ${placed(table)} limit 100) s`,
    )
    columns.forEach((column, at) => {
      const all = Number(rows?.[0]?.[`n${at}`] ?? 0)
      const fits = Object.keys(formats).find((_, kind) => all > 0 && Number(rows![0]![`n${at}_${kind}`]) >= all * 0.9)
      if (fits) column.format = fits
    })
  }
}

const telling = ({ name, type, values }: Column) =>
  !values &&
  /^(text|character)/.test(type) &&
  /(mail|path|file|url|link|key|token|number|ref|code|currency|total|amount|uuid|_no$)/i.test(name)
