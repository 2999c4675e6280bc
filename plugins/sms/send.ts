import type { NotificationChannel } from '../../src/notifications/channels.ts'
import { query, within } from '../../src/platform/database.ts'
import { sendText } from './provider.ts'
import { textOf } from './text.ts'

export const channel: NotificationChannel = {
  label: 'SMS',
  hint: 'to your mobile',
  async reaches(tx, { workspace, people }) {
    const rows = await query<{ person: string }>(tx, {
      text: `select n.person_id::text as person from portal.client_sms_numbers n
             where n.workspace_id = $1 and n.person_id = any($2::uuid[]) and n.confirmed_at is not null`,
      values: [workspace, people],
    })
    return rows.map(it => it.person)
  },
  async send({ workspace, person, id, text, url }, host) {
    const [found] = await within(host.database, { workspace: workspace.id }, tx =>
      query<{ number: string }>(tx, {
        text: `select n.number from portal.client_sms_numbers n
               where n.workspace_id = $1 and n.person_id = $2 and n.confirmed_at is not null`,
        values: [workspace.id, person],
      }),
    )
    if (!found) return 'unreachable'
    const message = { id, to: found.number, text: textOf({ from: workspace.name, text, url }) }
    const result = await sendText(host, { workspace: workspace.id, person }, message)
    return result === 'sent' ? 'sent' : 'unreachable'
  },
}
