import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundleOf, columns, type Stored, tables } from '../evidence/chain.ts'
import { bySystem, insert } from '../platform/activity.ts'
import { query, readWithin, within } from '../platform/database.ts'
import { type Config, withCrm } from './config.ts'
import { UsageError } from './errors.ts'
import { findWorkspace } from './workspace.ts'

/** Writes a bundle for each response of a workspace. Bundles can be verified without the portal. */
export const exportEvidence = (
  config: Config,
  { workspace: slug, out = 'evidence' }: { workspace?: string; out?: string },
): Promise<string> =>
  withCrm(config, async (crm, database) => {
    if (!slug) throw new UsageError('export needs --workspace, and takes --out DIR.')
    const workspace = await findWorkspace(config, crm, { slug, database })
    mkdirSync(out, { recursive: true })
    // The export may miss what is sealed from now on.
    const [{ begun }] = await query(database, { text: 'select portal.now() as begun' })
    let count = 0
    for (let last = 0; ; ) {
      const rows = await readWithin<Stored>(
        database,
        { workspace: workspace.id },
        {
          text: `select ${columns} from ${tables} where s.workspace_id = scope.workspace and s.sequence > $3 order by s.sequence limit 20`,
          values: [last],
        },
      )
      for (const row of rows) {
        const bundle = bundleOf(row)
        if (bundle)
          writeFileSync(
            join(out, `${String(row.sequence).padStart(6, '0')}-${row.id}.json`),
            JSON.stringify(bundle, null, 2),
          )
        if (bundle) count++
        last = row.sequence
      }
      if (rows.length === 20) continue
      await within(database, { workspace: workspace.id }, tx =>
        // Tells `rollback` what has been exported.
        insert(tx, [bySystem(workspace.id, { event: 'evidence.exported', subject: { count, sequence: last, begun } })]),
      )
      return `${count} answers of ${workspace.name} are in ${out}. portico verify FILE checks one.`
    }
  })
