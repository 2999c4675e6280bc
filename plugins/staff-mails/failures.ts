import { currentTime } from '../../src/platform/clock.ts'
import { query, within } from '../../src/platform/database.ts'
import { tellingOf } from './news.ts'
import { recipientsOf } from './recipients.ts'
import { rulesOf } from './rules.ts'
import type { Parts } from './shape.ts'
import { keepTold, lock, mailStaff, type Place } from './tell.ts'

/** So many are told in one mail, and listed in it; the next round tells others. */
const most = { told: 500, listed: 20 }

interface Failed {
  id: string
  recipient: string
  subject: string
}

/** Mails staff of e-mails that could not be sent since the last round, all in one mail. */
export async function tellFailures(place: Place, parts: Parts): Promise<void> {
  const { database, mailContext, workspaces } = parts
  const rules = await rulesOf(database, place.id)
  const { mode, since } = rules.kinds.failures
  if (!mailContext || mode === 'off' || since === null) return
  const workspace = await workspaces.find(place.slug)
  if (workspace?.id !== place.id) return
  const at = currentTime(database)
  const { to } = await recipientsOf(rules, { workspace, record: undefined, at, now: at }, parts)
  if (!to.length) return
  const { t } = tellingOf(workspace, rules).speech
  await within(database, { workspace: place.id }, async tx => {
    await lock(tx, `${place.id} failures`)
    const failed = await query<Failed>(tx, {
      text: `select o.id, o.recipient, o.subject from portal.client_outbox o
             where o.workspace_id = $1 and o.failed_at >= $2 and o.failed_at > portal.now() - interval '7 days'
               and o.created_at > portal.now() - interval '30 days' and o.recipient <> ''
               and o.kind not like 'staff-mails.%' and not exists (
                 select from portal.client_staff_mails m where m.workspace_id = $1 and m.about = 'mail:' || o.id)
             order by o.created_at limit ${most.told}`,
      values: [place.id, since],
    })
    if (!failed.length) return
    const waiting = mode === 'daily'
    await keepTold(tx, place.id, { abouts: failed.map(it => `mail:${it.id}`), to, at, waiting })
    if (waiting) return
    const more = failed.length - most.listed
    const facts = {
      count: failed.length,
      list: [
        ...failed.slice(0, most.listed).map(it => `${it.recipient}: ${it.subject}`),
        ...(more > 0 ? [t('and {count} more', { count: more })] : []),
      ].join('\n'),
    }
    const url = `${parts.settingsAddress}/mail?show=failed`
    for (const it of to)
      await mailStaff(tx, { parts, workspace, rules }, it, { kind: 'staff-mails.failures', facts, url })
  })
  mailContext.outbox.wake()
}
