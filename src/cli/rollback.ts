import type { Knex } from 'knex'
import { query } from '../platform/database.ts'
import { refuseFormer, rollback } from '../platform/migrations.ts'
import { type Config, connected, roleOf } from './config.ts'
import { CommandError } from './errors.ts'

/** Removes Portico's own tables. Refuses to destroy signatures that were not exported, unless told to. */
export async function destroy(
  config: Config,
  { destroy: meant, 'without-evidence': without }: { destroy?: boolean; 'without-evidence'?: boolean },
): Promise<string> {
  if (!meant) throw new CommandError('This removes all that Portico stored. Say --destroy if you mean it.')
  return connected(config.ownerUrl, async owner => {
    await refuseFormer(owner)
    if (!without) await kept(owner)
    const names = await rollback(owner, { role: roleOf(config), plugins: config.plugins })
    return `Removed ${names.join(', ')} and the schema portal. The CRM's own tables are as they were.`
  })
}

/** Throws CommandError if signatures, or their seals, are newer than their workspace's last export. */
async function kept(owner: Knex) {
  const [there] = await query(owner, { text: `select to_regclass('portal.client_signatures') as it` })
  if (!there.it) return
  const found = await query<{ name: string; all: number; left: number }>(owner, {
    text: `select coalesce(max(s.evidence::jsonb #>> '{workspace,name}'), s.workspace_id) as name, count(*)::int as all,
             count(*) filter (where e.sequence is null or s.sequence > e.sequence or s.sealed_at > e.begun)::int as left
           from portal.client_signatures s left join lateral (
             select (l.subject ->> 'sequence')::bigint as sequence, (l.subject ->> 'begun')::timestamptz as begun
             from portal.client_activity_logs l
             where l.workspace_id = s.workspace_id and l.event = 'evidence.exported' order by l.id desc limit 1) e on true
           group by s.workspace_id order by 1`,
  })
  const left = found.filter(it => it.left)
  if (!left.length) return
  const all = found.reduce((sum, it) => sum + it.all, 0)
  throw new CommandError(
    `This would destroy ${all === 1 ? 'a signature with its' : `${all} signatures with their`} evidence. In no export: ${left
      .map(it => `${it.left} of ${it.name}`)
      .join(
        ', ',
      )}. Say \`portico export --workspace SLUG --out DIR\` for each of these workspaces first, and keep the files; \
or say --without-evidence as well, if they may go.`,
  )
}
