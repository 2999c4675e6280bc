import { query } from '../../src/platform/database.ts'
import type { Privacy } from '../../src/plugin/parts.ts'

const tables = [
  'client_notifications',
  'client_notifications_told',
  'client_notification_messages',
  'client_notification_summaries',
]

export const privacy: Privacy = {
  exports: async (tx, { workspace, person }) => ({
    notifications: await query(tx, {
      text: `select kind, section, record_id as record, facts, count, at, read_at from portal.client_notifications
             where workspace_id = $1 and person_id = $2 and shown order by at`,
      values: [workspace, person],
    }),
    'notification-settings': await query(tx, {
      text: `select choices, quiet, summary, changed_at from portal.client_notification_choices
             where workspace_id = $1 and person_id = $2`,
      values: [workspace, person],
    }),
  }),

  async erases(tx, { workspace, person }) {
    for (const table of [...tables, 'client_notification_choices'])
      await query(tx, {
        text: `delete from portal.${table} where workspace_id = $1 and person_id = $2`,
        values: [workspace, person],
      })
  },

  async prunes(owner) {
    const gone = await query(owner, {
      text: `delete from portal.client_notifications
             where at < portal.now() - interval '400 days' or read_at < portal.now() - interval '180 days' returning 1`,
    })
    await query(owner, {
      text: `delete from portal.client_notification_messages where at < portal.now() - interval '90 days'`,
    })
    await query(owner, {
      text: `delete from portal.client_notification_summaries where day < portal.now()::date - 90`,
    })
    await query(owner, {
      text: `delete from portal.client_notifications_told where at < portal.now() - interval '800 days'`,
    })
    return `${gone.length} notifications read 180 days ago or older than 400 days`
  },
}
