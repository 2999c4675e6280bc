import type { Knex } from 'knex'
import type { CrmMap } from '../../mapping/map.ts'
import type { Mapped } from '../../mapping/section.ts'
import type { Check } from '../checks.ts'
import { checkApart } from './apart.ts'
import { checkKeys } from './keys.ts'
import { checkQuestions } from './questions.ts'
import { checkRowSecurity } from './row-security.ts'
import { many, openRows, reasonOf } from './rows.ts'
import { sampleFailed, sampleOf } from './sample.ts'
import { checkSums } from './sums.ts'
import { checkValues } from './values.ts'

/**
 * Reads for real what a map names, as the portal's role: every question on real rows, and as several clients whether
 * each sees only what is theirs. The map must fit the database. Nothing is changed.
 */
export async function checkReading(map: CrmMap, database: Knex, plugins: Mapped[] = []): Promise<Check[]> {
  const rows = await openRows(map, database, plugins)
  const secured = await finished('row-level security of the CRM', checkRowSecurity(rows))
  const sample = await sampleOf(rows).catch(sampleFailed)
  const { all, customers, problems } = sample
  const found = `workspaces and clients are found: ${many(all, 'workspace')}, ${many(customers.length, 'client')} to ask as`
  if (problems.length) return [secured, { label: found, problems }]
  return [
    secured,
    { label: found, problems },
    await finished('keys and paths', checkKeys(rows)),
    await finished('clients see only what is theirs', checkApart(rows, sample)),
    await finished('the values of the rows', checkValues(rows)),
    await finished('every question is answered on real rows', checkQuestions(rows, sample)),
    await finished('documents add up', checkSums(rows, sample)),
  ]
}

/** A check that cannot be made is none that passed. */
const finished = (label: string, check: Promise<Check>): Promise<Check> =>
  check.catch(error => ({ label, problems: [`this cannot be checked: ${reasonOf(error)}`] }))
