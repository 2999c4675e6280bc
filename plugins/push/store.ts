import type { Knex } from 'knex'
import type { Customer } from '../../src/crm/crm.ts'
import { NotFound } from '../../src/http/errors.ts'
import { query, readWithin, within } from '../../src/platform/database.ts'

/** A browser that shows somebody's notifications. */
interface PushDevice {
  id: string
  label: string
  since: Date
  /** Whether what it shows says no more than that there is something. */
  hidden: boolean
  /** The stored id of the session that it ends with. */
  session: string | null
}

/** What a browser's push service said of it (RFC 8030, RFC 8291). */
interface Subscription {
  endpoint: string
  p256dh: string
  auth: string
}

interface NewDevice extends Subscription {
  label: string
  session: string
}

/** The devices of one person. */
export interface PushDevices {
  /** Newest first. */
  devices(): Promise<PushDevice[]>
  /** In a transaction of the workspace. One that another person used is this person's from then on; ten at most. */
  add(tx: Knex, it: NewDevice): Promise<void>
  /** Says that a device is still used, by which session. Throws NotFound for one that is not this person's. */
  renew(endpoint: string, session: string): Promise<void>
  /** In a transaction of the workspace. Gives its label. Throws NotFound. */
  remove(tx: Knex, id: string): Promise<string>
  hide(hidden: boolean): Promise<void>
}

declare global {
  namespace Portico {
    interface Ports {
      push: PushDevices
    }
  }
}

/** A person's devices; of more, those that were added first are forgotten. */
const most = 10

export function devicesOf({ workspace, person }: Customer, database: Knex): PushDevices {
  const scope = { workspace: workspace.id }
  const own = 'd.workspace_id = $1 and d.person_id = $2'
  const ids = [workspace.id, person.id]
  return {
    devices: () =>
      readWithin<PushDevice>(database, scope, {
        text: `select d.id::text, d.label, d.since, d.hidden, d.session from portal.client_push_devices d
               where d.workspace_id = scope.workspace and d.person_id = $3::uuid order by d.since desc, d.id desc`,
        values: [person.id],
      }),
    async add(tx, { endpoint, p256dh, auth, label, session }) {
      await query(tx, {
        text: `insert into portal.client_push_devices as d
                 (workspace_id, person_id, endpoint, p256dh, auth, label, session, hidden)
               select $1, $2, $3, $4, $5, $6, $7,
                 coalesce((select bool_or(o.hidden) from portal.client_push_devices o
                           where o.workspace_id = $1 and o.person_id = $2), false)
               on conflict (workspace_id, endpoint) do update set person_id = excluded.person_id,
                 p256dh = excluded.p256dh, auth = excluded.auth, label = excluded.label, session = excluded.session,
                 hidden = excluded.hidden, since = portal.now(), last_message = null`,
        values: [...ids, endpoint, p256dh, auth, label, session],
      })
      await query(tx, {
        text: `delete from portal.client_push_devices where workspace_id = $1 and id in (
                 select d.id from portal.client_push_devices d where ${own} order by d.since desc, d.id desc offset ${most})`,
        values: ids,
      })
    },
    async renew(endpoint, session) {
      const known = await within(database, scope, tx =>
        query(tx, {
          text: `update portal.client_push_devices d set session = $4 where ${own} and d.endpoint = $3 returning 1`,
          values: [...ids, endpoint, session],
        }),
      )
      if (!known.length) throw new NotFound()
    },
    async remove(tx, id) {
      const [gone] = await query<{ label: string }>(tx, {
        text: `delete from portal.client_push_devices d where ${own} and d.id::text = $3 returning d.label`,
        values: [...ids, id],
      })
      if (!gone) throw new NotFound()
      return gone.label
    },
    async hide(hidden) {
      await within(database, scope, tx =>
        query(tx, {
          text: `update portal.client_push_devices d set hidden = $3 where ${own}`,
          values: [...ids, hidden],
        }),
      )
    },
  }
}
