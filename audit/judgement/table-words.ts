import { entities } from '../lexicon.ts'
import type { Table } from '../model.ts'
import { wordsIn } from '../names.ts'

/** The words of a table's name, without the prefix that many tables of the CRM share. */
export type TableWords = (name: string) => string[]

export function createTableWords(tables: Table[]): TableWords {
  const prefixes = sharedPrefixes(tables)
  return name => {
    const shared = prefixes.find(it => name.startsWith(it))
    const bare = shared ? name.slice(shared.length) : name
    return wordsIn(bare.replace(usualPrefix, ''))
  }
}

const usualPrefix = /^(crm|tbl|tab|app|sys|ext|mod)_(?=\w)|^tab(?=[A-Z])/i

function sharedPrefixes(tables: Table[]): string[] {
  const byPrefix = Map.groupBy(tables, it => it.name.match(/^[a-z]+_|^tab(?=[A-Z])/)?.[0] ?? '')
  const entityWords = new Set(Object.values(entities).flatMap(it => it.split(' ')))
  return [...byPrefix]
    .filter(([prefix, { length }]) => {
      const share = length / tables.length
      const ownPrefix = !entityWords.has(prefix.replace('_', '')) && prefix.length > 4 && length >= 10
      return prefix && length > 3 && (share > 0.4 || (ownPrefix && share > 0.08))
    })
    .map(([prefix]) => prefix)
}
