import { type Payload, Value } from './described.ts'

/** An entry of the activity log, without from where and with what it was done. */
export interface SentEntry {
  id: string
  at: Date
  event: string
  actor_kind: Payload['data']['actor']['kind']
  actor_id: string | null
  actor_name: string | null
  client_id: string | null
  subject: Record<string, unknown>
}

export const payloadOf = (it: SentEntry, { id, slug }: { id: string; slug: string }): Payload => ({
  type: it.event,
  timestamp: it.at.toISOString(),
  data: {
    id: it.id,
    event: it.event,
    workspace: { id, slug },
    client: it.client_id === null ? null : { id: it.client_id },
    actor: { kind: it.actor_kind, id: it.actor_id, name: it.actor_name },
    subject: plainFields(it.subject),
    at: it.at.toISOString(),
  },
})

/** Texts, numbers and amounts: what the schema has. */
const plainFields = (subject: Record<string, unknown>) =>
  Object.fromEntries(
    Object.entries(subject).filter(([, it]) => Value.safeParse(it).success),
  ) as Payload['data']['subject']
