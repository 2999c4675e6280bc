import { z } from 'zod'
import { columns } from '../../../audit/columns.ts'

/** What `portico audit` writes as audit.json, as far as activation needs it. */
const Place = z.looseObject({ table: z.string().nullable() })

/** The part of `audit.json` that activation needs. Parse the file with it: `Audited.parse(JSON.parse(text))`. */
export const Audited = z.looseObject({
  answers: z.record(
    z.string(),
    z.looseObject({ status: z.enum(['implemented', 'partial', 'missing', 'not-examined']) }),
  ),
  data: z.record(z.string(), Place),
  columns: z.record(z.string(), z.string()).optional(),
  fingerprint: z.string().min(1),
})
export type Audited = z.infer<typeof Audited>

/** Tables that the audit found the CRM's data in. */
export const tablesOf = ({ data }: Audited): string[] => [
  ...new Set(Object.values(data).flatMap(it => (it.table ? [it.table] : []))),
]

/** Several for one name are told with commas between. */
export const columnsIn = ({ data }: Audited): { table: string; column: string }[] =>
  Object.values(data).flatMap(({ table, ...its }) =>
    columns
      .flatMap(name => (typeof its[name] === 'string' ? its[name].split(',') : []))
      .flatMap(column => (table ? [{ table, column }] : [])),
  )
