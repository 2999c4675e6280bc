import type { Knex } from 'knex'
import { v7 as uuid } from 'uuid'
import { z } from 'zod'
import type { PayeeDetails } from '../../src/crm/payee.ts'
import { Conflict } from '../../src/http/errors.ts'
import { query, readWithin } from '../../src/platform/database.ts'
import { isIban } from '../../src/platform/girocode.ts'

/** Hours that a change waits where no second admin confirms it. */
export const coolingOff = 24

/** One version, as staff see it. */
export interface Version {
  id: string
  details: PayeeDetails
  enteredBy: string
  enteredById: string
  enteredAt: Date
  holdsFrom: Date
  confirmedBy: string | null
  withdrawnBy: string | null
  /** Whether it holds by now. */
  holds: boolean
}

const columns = `d.id::text, d.details, d.entered_by as "enteredBy", d.entered_by_id as "enteredById",
  d.entered_at as "enteredAt", d.holds_from as "holdsFrom", d.confirmed_by as "confirmedBy",
  d.withdrawn_by as "withdrawnBy", d.holds_from <= portal.now() and d.withdrawn_at is null as holds`

/** SQL of the details that hold now, with since when, as JSON; null where none do. */
export const current = `
  (select jsonb_build_object('since', d.holds_from) || d.details from portal.client_bank_details d
   where d.workspace_id = scope.workspace and d.withdrawn_at is null and d.holds_from <= portal.now()
   order by d.holds_from desc limit 1)`

export async function currentDetails(database: Knex, workspace: string) {
  const [row] = await readWithin<{ details: unknown }>(
    database,
    { workspace },
    { text: `select ${current} as details` },
  )
  return Current.parse(row?.details)
}

/** The newest first. */
export const versions = (database: Knex, workspace: string): Promise<Version[]> =>
  readWithin<Version>(
    database,
    { workspace },
    {
      text: `select ${columns} from portal.client_bank_details d where d.workspace_id = scope.workspace
             order by d.entered_at desc, d.id desc limit 50`,
    },
  )

interface Entered {
  workspace: string
  details: PayeeDetails
  by: { id: string; name: string }
}

/** Enters new details; another change that still waits must be withdrawn first. Throws Conflict. */
export async function enterDetails(tx: Knex, { workspace, details, by }: Entered): Promise<void> {
  await query(tx, {
    text: 'select pg_advisory_xact_lock(hashtextextended($1, 0))',
    values: [`portico bank details ${workspace}`],
  })
  const made = await query(tx, {
    text: `insert into portal.client_bank_details
             (workspace_id, id, details, entered_by, entered_by_id, entered_at, holds_from)
           select $1, $2, $3, $4, $5, portal.now(), portal.now() + interval '${coolingOff} hours'
           where not exists (select from portal.client_bank_details d where d.workspace_id = $1
                             and d.withdrawn_at is null and d.holds_from > portal.now()) returning id`,
    values: [workspace, uuid(), JSON.stringify(details), by.name, by.id],
  })
  if (!made.length) throw new Conflict()
}

/** A second admin confirms a change, which holds from now on. Throws Conflict for the admin who entered it. */
export async function confirmDetails(tx: Knex, workspace: string, id: string, by: { id: string; name: string }) {
  const changed = await query(tx, {
    text: `update portal.client_bank_details
           set holds_from = portal.now(), confirmed_by = $4, confirmed_at = portal.now()
           where workspace_id = $1 and id::text = $2 and entered_by_id <> $3 and withdrawn_at is null
             and holds_from > portal.now() returning id`,
    values: [workspace, id, by.id, by.name],
  })
  if (!changed.length) throw new Conflict()
}

/** Any admin withdraws a change before it holds. Throws Conflict. */
export async function withdrawDetails(tx: Knex, workspace: string, id: string, by: string) {
  const changed = await query(tx, {
    text: `update portal.client_bank_details set withdrawn_by = $3, withdrawn_at = portal.now()
           where workspace_id = $1 and id::text = $2 and withdrawn_at is null and holds_from > portal.now() returning id`,
    values: [workspace, id, by],
  })
  if (!changed.length) throw new Conflict()
}

const line = z.string().trim().max(100, 'Use at most 100 characters.')
const optional = line.transform(it => it || null)

/** What an admin enters. */
export const DetailsForm = z
  .object({
    holder: line.min(1, 'Enter the account holder.'),
    bank: optional.default(null),
    iban: line
      .default('')
      .transform(it => it.toUpperCase().replace(/\s+/g, ''))
      .refine(it => !it || isIban(it), 'This IBAN has a typing error. Compare it with your bank’s statement.')
      .transform(it => it.replace(/(.{4})(?=.)/g, '$1 ') || null),
    number: optional.default(null),
    code: optional.default(null),
    bic: line
      .default('')
      .transform(it => it.toUpperCase().replace(/\s+/g, ''))
      .refine(it => !it || /^[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?$/.test(it), 'A BIC has 8 or 11 letters and digits.')
      .transform(it => it || null),
  })
  .refine(it => it.iban || it.number, { path: ['iban'], error: 'Enter the IBAN or the account number.' })

/** What holds now, beside a document. */
export const Current = z
  .object({
    since: z.coerce.date(),
    holder: z.string(),
    bank: z.string().nullable(),
    iban: z.string().nullable(),
    number: z.string().nullable(),
    code: z.string().nullable(),
    bic: z.string().nullable(),
  })
  .nullish()
