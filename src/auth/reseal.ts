import type { Knex } from 'knex'
import { customerCodeHash, seal, unsealWith } from '../platform/crypto.ts'
import { query, within } from '../platform/database.ts'
import type { FileStore } from '../platform/files.ts'
import { type SealedColumn, sealedColumns } from '../platform/sealed.ts'
import { secretsFit } from '../platform/secrets.ts'

export interface ResealCounts {
  /** How many values were sealed again with the first secret. */
  anew: number
  /** How many values none of the secrets can open. */
  lost: number
}

interface Place extends SealedColumn {
  /** Returns other columns that depend on the plain text. */
  also?(text: string, secret: string): Record<string, string>
}

const places: Place[] = sealedColumns.map(it =>
  it.use === 'customer code' ? { ...it, also: (text, secret) => ({ code_hash: customerCodeHash(text, secret) }) } : it,
)

/** The portal uses a secret that is not among these: other instances could not open what this one seals. */
export class AnotherSecret extends Error {}

/** How many rows are read at once. */
const most = 500

/**
 * Seals values of older secrets again with the first one, so that the older ones can be retired. It may run in several
 * processes at once and stop at any moment: a value is replaced only if it has not changed since it was read. Throws
 * AnotherSecret, and changes nothing, if the secret in use is none of these. The keys of encrypted files are in their store.
 */
export async function reseal(
  database: Knex,
  secrets: string[],
  files?: Pick<FileStore, 'reseal'>,
): Promise<ResealCounts> {
  if (!(await secretsFit(database, secrets))) throw new AnotherSecret()
  const sum = { anew: 0, lost: 0, ...(await files?.reseal?.()) }
  const workspaces = await query<{ id: string }>(database, { text: 'select portal.workspace_ids() as id' })
  for (const { id: workspace } of workspaces)
    for (const place of places) {
      const { anew, lost } = await resealPlace(database, workspace, place, secrets)
      sum.anew += anew
      sum.lost += lost
    }
  return sum
}

async function resealPlace(database: Knex, workspace: string, place: Place, secrets: string[]): Promise<ResealCounts> {
  const sum = { anew: 0, lost: 0 }
  for (let after = ''; ; ) {
    const rows = await sealedRows(database, workspace, place, after)
    for (const { id, sealed } of rows) {
      const found = unsealWith(sealed, secrets, place.use)
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

/** Returns how many rows changed: 0 if another process was quicker. */
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
