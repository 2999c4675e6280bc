import type { Knex } from 'knex'
import { codeHash } from './auth/register.ts'
import { opened, seal } from './crypto.ts'
import { query, within } from './database.ts'
import { type SealedColumn, sealedColumns } from './sealed.ts'
import { secretsFit } from './secrets.ts'

export interface Resealed {
  /** Values that are now sealed with the first secret, and were not before. */
  anew: number
  /** Values that none of the secrets opens. */
  lost: number
}

interface Place extends SealedColumn {
  /** Other columns that follow from the text. */
  also?(text: string, secret: string): Record<string, string>
}

const places: Place[] = sealedColumns.map(it =>
  it.use === 'customer code' ? { ...it, also: (text, secret) => ({ code_hash: codeHash(text, secret) }) } : it,
)

/** Another secret is in use: what this one sealed the other instances could not open. */
export class AnotherSecret extends Error {}

/** So many rows are read at once. */
const most = 500

/**
 * Seals anew with the first secret whatever an older one sealed, so that the older ones can be retired. May run in several
 * processes at once and be stopped at any moment: each value is replaced only if it is still the one that was read. Throws
 * AnotherSecret, and changes nothing, where the secret in use is none of these.
 */
export async function reseal(database: Knex, secrets: string[]): Promise<Resealed> {
  const sum = { anew: 0, lost: 0 }
  if (!(await secretsFit(database, secrets))) throw new AnotherSecret()
  const workspaces = await query<{ id: string }>(database, { text: 'select portal.workspace_ids() as id' })
  for (const { id: workspace } of workspaces)
    for (const place of places) {
      const { anew, lost } = await resealPlace(database, workspace, place, secrets)
      sum.anew += anew
      sum.lost += lost
    }
  return sum
}

async function resealPlace(database: Knex, workspace: string, place: Place, secrets: string[]): Promise<Resealed> {
  const sum = { anew: 0, lost: 0 }
  for (let after = ''; ; ) {
    const rows = await sealedRows(database, workspace, place, after)
    for (const { id, sealed } of rows) {
      const found = opened(sealed, secrets, place.use)
      if (!found) sum.lost++
      else if (!found.current)
        sum.anew += await replace(database, workspace, place, { id, sealed, text: found.text }, secrets)
    }
    const last = rows.at(-1)
    if (!last || rows.length < most) return sum
    after = last.id
  }
}

const sealedRows = (database: Knex, workspace: string, { table, id, column, which }: Place, after: string) =>
  within(database, { workspace }, tx =>
    query<{ id: string; sealed: Buffer }>(tx, {
      text: `select ${id}::text as id, ${column} as sealed from portal.${table}
             where workspace_id = $1 and ${column} is not null and ${which} and ${id}::text > $2
             order by ${id}::text limit ${most}`,
      values: [workspace, after],
    }),
  )

interface Opened {
  id: string
  sealed: Buffer
  text: string
}

/** How many rows it changed: none where somebody else was quicker. */
async function replace(database: Knex, workspace: string, place: Place, row: Opened, secrets: string[]) {
  const { table, id, column, use, also } = place
  const more = Object.entries(also?.(row.text, secrets[0] ?? '') ?? {})
  const set = [`${column} = $4`, ...more.map(([name], at) => `${name} = $${at + 5}`)]
  const changed = await within(database, { workspace }, tx =>
    query(tx, {
      text: `update portal.${table} set ${set.join(', ')}
             where workspace_id = $1 and ${id}::text = $2 and ${column} = $3 returning 1`,
      values: [workspace, row.id, row.sealed, seal(row.text, secrets, use), ...more.map(([, value]) => value)],
    }),
  )
  return changed.length
}
