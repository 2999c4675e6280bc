import { createHash, randomBytes } from 'node:crypto'
import type { Knex } from 'knex'
import { portalOffSql } from '../../src/auth/portal-switch.ts'
import type { Customer } from '../../src/crm/crm.ts'
import { query, readWithin } from '../../src/platform/database.ts'

/** The address of one person's calendar, which is all that a reader needs. */
export interface Calendars {
  /** Since when there is one. */
  find(): Promise<{ since: Date } | undefined>
  /**
   * Makes a new address, in place of the one that was made at `replaces`. Gives its token of 256 bits, which is kept as its
   * hash; undefined where there is another one by now.
   */
  make(tx: Knex, replaces: Date | undefined): Promise<string | undefined>
  /** Whether there was one to end. */
  end(tx: Knex): Promise<boolean>
}

declare global {
  namespace Portico {
    interface Ports {
      calendar: Calendars
    }
  }
}

export function calendarOf({ workspace, person }: Customer, database: Knex): Calendars {
  const ids = [workspace.id, person.id]
  return {
    async find() {
      const [found] = await readWithin<{ since: string }>(
        database,
        { workspace: workspace.id },
        {
          text: `select c.created_at as since from portal.client_calendars c
                 where c.workspace_id = scope.workspace and c.person_id = $3::uuid`,
          values: [person.id],
        },
      )
      return found && { since: new Date(found.since) }
    },
    async make(tx, replaces) {
      const token = randomBytes(32).toString('base64url')
      const rows = await query(tx, {
        text: `insert into portal.client_calendars as c (workspace_id, person_id, hash) values ($1, $2, $3)
               on conflict (workspace_id, person_id) do update set hash = excluded.hash, created_at = portal.now()
                 where date_trunc('milliseconds', c.created_at) = $4
               returning 1`,
        values: [...ids, hash(token), replaces ?? null],
      })
      return rows.length ? token : undefined
    },
    async end(tx) {
      const rows = await query(tx, {
        text: 'delete from portal.client_calendars where workspace_id = $1 and person_id = $2 returning 1',
        values: ids,
      })
      return rows.length > 0
    },
  }
}

export interface Owner {
  person: string
  language: string | null
  /** The clients that they belong to and for whom the portal is on. */
  clients: string[]
}

/** Whose calendar this is, in a transaction of the workspace. */
export async function ownerOf(tx: Knex, workspace: string, token: string): Promise<Owner | undefined> {
  const [found] = await query<Owner>(tx, {
    text: `select u.id::text as person, u.language,
             array(select m.client_id from portal.client_memberships m
                   where m.workspace_id = u.workspace_id and m.person_id = u.id and not ${portalOffSql('m')}
                   order by m.client_name, m.client_id) as clients
           from portal.client_calendars c
             join portal.client_users u on u.workspace_id = c.workspace_id and u.id = c.person_id
           where c.workspace_id = $1 and c.hash = $2`,
    values: [workspace, hash(token)],
  })
  return found
}

const hash = (token: string) => createHash('sha256').update(token).digest('base64url')
