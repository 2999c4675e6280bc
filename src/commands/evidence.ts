import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bySystem, insert } from '../activity.ts'
import { query, readWithin, within } from '../database.ts'
import { bundleOf, columns, type Stored, tables } from '../evidence/chain.ts'
import { type Config, withCrm } from './config.ts'
import { Trouble, Wrong } from './problems.ts'

/** A bundle for each answer of a workspace, which verify without the portal. */
export const exportEvidence = (
  config: Config,
  { workspace: slug, out = 'evidence' }: { workspace?: string; out?: string },
): Promise<string> =>
  withCrm(config, async ({ directory }, database) => {
    if (!slug) throw new Wrong('export needs --workspace, and takes --out DIR.')
    const workspace = await directory.workspace(slug)
    if (!workspace) throw new Trouble(`The CRM has no workspace "${slug}".`)
    mkdirSync(out, { recursive: true })
    // What is sealed from now on may not be in it.
    const [{ begun }] = await query(database, { text: 'select portal.now() as begun' })
    let count = 0
    for (let last = 0; ; ) {
      const rows = await readWithin<Stored>(
        database,
        { workspace: workspace.id },
        {
          text: `select ${columns} from ${tables} where s.workspace_id = scope.workspace and s.link > $3 order by s.link limit 20`,
          values: [last],
        },
      )
      for (const row of rows) {
        const bundle = bundleOf(row)
        if (bundle)
          writeFileSync(
            join(out, `${String(row.link).padStart(6, '0')}-${row.id}.json`),
            JSON.stringify(bundle, null, 2),
          )
        if (bundle) count++
        last = row.link
      }
      if (rows.length === 20) continue
      await within(database, { workspace: workspace.id }, tx =>
        // By it `rollback` knows what is in an export.
        insert(tx, [bySystem(workspace.id, { event: 'answers.exported', subject: { count, link: last, begun } })]),
      )
      return `${count} answers of ${workspace.name} are in ${out}. portico verify FILE checks one.`
    }
  })
