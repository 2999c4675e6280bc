import type { Knex } from 'knex'
import { readWithin } from '../platform/database.ts'

/** Something that happened to a record of a plugin. */
interface Step {
  at: Date
  event: string
  /** Of whoever did it; null is the portal. */
  name: string | null
  subject: Record<string, string>
}

interface Which {
  workspace: string
  client: string
  /** The name of the plugin. */
  section: string
  id: string
}

/** What happened to a record, the latest first, as the activity log has it: the last two hundred. */
export const trailOf = (database: Knex, { workspace, client, section, id }: Which): Promise<Step[]> =>
  readWithin(
    database,
    { workspace },
    {
      name: 'portal.record-trail',
      text: `select l.at, l.event, l.actor_name as name, l.subject from portal.client_activity_logs l
             where l.workspace_id = scope.workspace and l.client_id = $3 and l.subject_id = $4 and l.event like $5 || '.%'
             order by l.id desc limit 200`,
      values: [client, id, section],
    },
  )
