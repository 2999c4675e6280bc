import { query } from '../../src/platform/database.ts'
import type { Privacy } from '../../src/plugin/parts.ts'

export const privacy: Privacy = {
  exports: async (tx, { workspace, person }) => ({
    'push-devices': await query(tx, {
      text: `select label, since, hidden from portal.client_push_devices
             where workspace_id = $1 and person_id = $2 order by since`,
      values: [workspace, person],
    }),
  }),
  async erases(tx, { workspace, person }) {
    await query(tx, {
      text: 'delete from portal.client_push_devices where workspace_id = $1 and person_id = $2',
      values: [workspace, person],
    })
  },
}
