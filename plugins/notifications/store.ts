import type { Knex } from 'knex'
import { z } from 'zod'
import type { Customer } from '../../src/crm/crm.ts'
import { NotFound } from '../../src/http/errors.ts'
import { keyOf, type Page, page } from '../../src/http/paging.ts'
import type { NotificationFacts } from '../../src/notifications/kinds.ts'
import { query, readWithin, within } from '../../src/platform/database.ts'
import { tellChange } from '../../src/platform/events.ts'

/** One notification of the signed-in person, as it is stored. */
export interface Notification {
  id: string
  kind: string
  section: string
  /** The id of the record that it leads to; empty for the section's list. */
  record: string
  /** The place on its page, such as `#talk`, or an empty text. */
  rest: string
  facts: NotificationFacts
  /** How many of its kind about this record came before anybody read them. */
  count: number
  at: Date
  readAt: Date | null
}

/** Of which kinds, about records of which sections: those that this person may see. */
export interface Seen {
  kinds: string[]
  sections: string[]
}

interface Asked extends Seen {
  unread: boolean
  size: number
  after?: string | undefined
}

/** How many there are of each kind. */
export interface KindCount {
  kind: string
  all: number
  unread: number
}

/** What one person is told, for one of their clients. */
export interface Notifications {
  /** Newest first. */
  list(asked: Asked): Promise<Page<Notification>>
  /** Of the newest thousand. */
  counts(seen: Seen): Promise<KindCount[]>
  /** A hundred at most. */
  unread(seen: Seen): Promise<number>
  /** Whether one came since then, or within the second before. */
  isNewSince(moment: Date): Promise<boolean>
  /** Throws NotFound, for somebody else's too. */
  find(id: string): Promise<Notification>
  /** Marks one as read, or all of these kinds. */
  read(which: { id: string } | Seen): Promise<void>
  /** Marks those about a record as read, when its page is shown. */
  readRecord(section: string, record: string): Promise<void>
}

declare global {
  namespace Portico {
    interface Ports {
      notifications: Notifications
    }
  }
}

const columns = `n.id::text, n.kind, n.section, n.record_id as record, n.rest, n.facts, n.count, n.at, n.read_at as "readAt"`
const own = 'n.workspace_id = scope.workspace and n.client_id = scope.client and n.person_id = $3::uuid and n.shown'
const isSeen = 'n.kind = any($4) and n.section = any($5)'
const Key = z.tuple([z.iso.datetime(), z.string().regex(/^\d{1,18}$/)])

export function notificationsOf({ workspace, client, person }: Customer, database: Knex): Notifications {
  const scope = { workspace: workspace.id, client: client.id }
  const change = (where: string, values: unknown[]) =>
    within(database, scope, async tx => {
      const changed = await query(tx, {
        text: `update portal.client_notifications n set read_at = portal.now()
               where n.workspace_id = $1 and n.client_id = $2 and n.person_id = $3::uuid and n.read_at is null and ${where}
               returning 1`,
        values: [workspace.id, client.id, person.id, ...values],
      })
      if (changed.length) await tellChange(tx, { ...scope, section: 'notifications', id: person.id })
    })
  return {
    async list({ kinds, sections, unread, size, after }) {
      const [at, id] = keyOf(after, Key) ?? []
      const rows = await readWithin<Notification>(database, scope, {
        text: `select ${columns} from portal.client_notifications n
               where ${own} and ${isSeen} ${unread ? 'and n.read_at is null' : ''}
                 and ($6::timestamptz is null or (n.at, n.id) < ($6, $7::bigint))
               order by n.at desc, n.id desc limit $8`,
        values: [person.id, kinds, sections, at ?? null, id ?? null, size + 1],
      })
      return page(rows, size, it => [it.at.toISOString(), it.id])
    },

    counts: ({ kinds, sections }) =>
      readWithin<KindCount>(database, scope, {
        name: 'portal.notification-counts',
        text: `select kind, count(*)::int as all, count(*) filter (where read_at is null)::int as unread from (
                 select n.kind, n.read_at from portal.client_notifications n
                 where ${own} and ${isSeen} order by n.at desc, n.id desc limit 1000) n group by kind`,
        values: [person.id, kinds, sections],
      }),

    async unread({ kinds, sections }) {
      const [row] = await readWithin<{ count: number }>(database, scope, {
        name: 'portal.notifications-unread',
        text: `select count(*)::int as count from (select from portal.client_notifications n
                 where ${own} and ${isSeen} and n.read_at is null limit 100) n`,
        values: [person.id, kinds, sections],
      })
      return row?.count ?? 0
    },

    async isNewSince(moment) {
      const [row] = await readWithin<{ found: boolean }>(database, scope, {
        name: 'portal.notifications-since',
        text: `select exists (select from portal.client_notifications n
                 where ${own} and n.at > $4::timestamptz - interval '1 second') as found`,
        values: [person.id, moment],
      })
      return row?.found ?? false
    },

    async find(id) {
      const [found] = await readWithin<Notification>(database, scope, {
        text: `select ${columns} from portal.client_notifications n where ${own} and n.id::text = $4`,
        values: [person.id, id],
      })
      if (!found) throw new NotFound()
      return found
    },

    async read(which) {
      if ('id' in which) await change('n.id::text = $4', [which.id])
      else await change(isSeen, [which.kinds, which.sections])
    },

    async readRecord(section, record) {
      await change('n.section = $4 and n.record_id = $5', [section, record])
    },
  }
}
