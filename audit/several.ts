import { dirname } from 'node:path/posix'
import { wordsOf } from './lexicon.ts'
import type { Evidence, Facts } from './model.ts'
import { wordsIn } from './names.ts'

/**
 * A sentence where a tree holds several CRMs: folders with a manifest, routes and tables of their own, one of them of
 * clients or invoices. Undefined where there is one at most.
 */
export function severalCrms({ packages, routes, tables }: Facts): string | undefined {
  const folders = [...new Set(packages.map(it => folderOf(it.at)))].sort((a, b) => b.length - a.length)
  const owner = (at: Evidence) => folders.find(it => it === '.' || at.startsWith(`${it}/`))
  const withRoutes = new Set(routes.filter(it => !it.page).map(it => owner(it.at)))
  const crms = folders.filter(folder => {
    const own = tables.filter(it => owner(it.at) === folder)
    return withRoutes.has(folder) && own.length > 1 && own.some(it => isOfCrm(it.name))
  })
  if (crms.length < 2) return undefined
  return `The source holds ${crms.length} programs with tables and routes of their own (${crms.sort().join(', ')}); their answers are mixed here. If these are several CRMs, run the audit for each with --source.`
}

const folderOf = (at: Evidence) => dirname(at)

const isOfCrm = (table: string) => names.has(wordsIn(table).join('_'))
const names = new Set([...wordsOf('clients'), ...wordsOf('invoices')])
