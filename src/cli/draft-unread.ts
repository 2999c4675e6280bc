import type { Ask } from '../../audit/collectors/database/ask.ts'
import { mysql } from '../../audit/collectors/database/dialect.ts'
import { askMysql } from '../../audit/collectors/database/mysql.ts'
import type { Audit } from '../../audit/index.ts'
import type { Catalogue } from '../crm/catalogue.ts'
import { qualified } from '../crm/catalogue.ts'
import type { Samples } from '../crm/mapping/draft/rows.ts'
import { postgresType } from '../crm/mapping/draft/written-types.ts'
import { draft } from '../crm/mapping/draft.ts'
import { knownMap } from '../crm/mapping/known-maps.ts'
import type { Mapped } from '../crm/mapping/section.ts'
import { sections as installed } from '../plugin/discover.ts'

type Tables = Audit['tables']

type Found = Pick<Audit, 'json' | 'tables' | 'support'>

/** A draft from the tables that an audit found, without a look at any row; of a CRM that is known its kept map. */
export function draftUnread(found: Found, plugins = installed as Mapped[]): Promise<string> {
  const { tables } = found
  const samples = { valuesOf: valuesIn(tables), amountsOf: async () => undefined, unread: true }
  return drafted(found, samples, { plugins, heading: fromTheSource(tables) })
}

/** A draft of a CRM on MySQL or MariaDB, on which this version cannot run. */
export const draftOfMysql = (found: Found, url: string, plugins = installed as Mapped[]): Promise<string> =>
  askMysql(url, ask => {
    const heading = [
      `// ${found.support.sentence}`,
      '// Keep this draft until a later version can; `portico doctor` and `enable` cannot use it before.',
    ]
    return drafted(found, samplesOf(ask, found.tables), { plugins, heading })
  })

async function drafted(
  { json, tables }: Found,
  samples: Samples,
  { plugins, heading }: { plugins: Mapped[]; heading: string[] },
): Promise<string> {
  const known = knownMap(tables.map(it => it.name))
  if (known) return [...heading, known].join('\n')
  return draft(json.data, catalogueOf(tables), samples, { plugins, heading })
}

const valuesIn = (tables: Tables) => async (table: string, column: string) =>
  tables.find(it => it.name === table)?.columns.find(it => it.name === column)?.values ?? []

/** Values of columns that have few, and how large amounts are, from the first rows. */
function samplesOf(ask: Ask, tables: Tables): Samples {
  const { quote } = mysql
  return {
    async valuesOf(table, column) {
      const declared = await valuesIn(tables)(table, column)
      if (declared.length) return declared
      const rows = await ask<{ value: string }>(
        `select distinct it.value from (select cast(${quote(column)} as char) as value from ${quote(table)} limit 20000) it
         where it.value is not null and char_length(it.value) <= 30 order by 1 limit 21`,
      )
      return !rows || rows.length > 20 ? [] : rows.map(it => it.value)
    },
    async amountsOf(table, column) {
      const rows = await ask<{ value: string }>(
        `select cast(it.value as char) as value
         from (select ${quote(column)} as value from ${quote(table)} where ${quote(column)} <> 0 limit 20000) it
         order by it.value`,
      )
      const typical = rows?.[Math.floor((rows.length - 1) / 2)]
      return rows && typical && { largest: rows.at(-1)!.value, typical: typical.value }
    },
  }
}

/** The tables as PostgreSQL would have them. */
function catalogueOf(tables: Tables): Catalogue {
  const columnsOf = ({ columns }: Tables[number]) =>
    new Map(columns.map(it => [it.name, { type: postgresType(it.type, it.name).type, readable: true }]))
  return { tables: new Map(tables.map(it => [qualified(it.name), columnsOf(it)])), queries: new Map() }
}

function fromTheSource(tables: Tables): string[] {
  const columns = tables.flatMap(it => it.columns)
  const guessed = columns.filter(it => postgresType(it.type, it.name).guessed).length
  const types = guessed
    ? ` ${guessed} of ${columns.length} columns have no type in it: their names were taken for one.`
    : ''
  return [
    `// Drafted from the source alone: ${tables.length} tables as migrations and models describe them.${types}`,
    '// No row was read. What only rows tell (the values of a status, kinds of documents, cents) is a todo(), unless the',
    '// source says it; `portico enable` refuses a map with one. With --database most of it is answered.',
  ]
}
