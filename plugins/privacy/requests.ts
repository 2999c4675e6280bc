import type { Request } from 'express'
import type { Knex } from 'knex'
import { v7 as uuid } from 'uuid'
import { Conflict, NotFound } from '../../src/http/errors.ts'
import { bySystem, insert } from '../../src/platform/activity.ts'
import { query } from '../../src/platform/database.ts'
import type { Section } from '../../src/plugin/plugin.ts'

export interface Export {
  id: string
  askedAt: Date
  madeAt: Date | null
  size: number | null
  goodUntil: Date | null
}

export interface Deletion {
  id: string
  askedAt: Date
  dueAt: Date
  doneAt: Date | null
  name: string
  email: string
}

const columns = `e.id, e.requested_at as "askedAt", e.completed_at as "madeAt", octet_length(e.bytes) as size,
  e.completed_at + interval '1 day' as "goodUntil"`
/** Each of these runs within the workspace. */
const there = `(e.completed_at is null and e.requested_at > portal.now() - interval '1 day' or e.bytes is not null and e.completed_at > portal.now() - interval '1 day')`

export interface Whose {
  workspace: string
  person: string
  /** The client of the copy. People who have left it cannot download the copy. */
  clients: string[]
}

export const ownerOf = ({ portal }: Request<any>): Whose => ({
  workspace: portal.workspace.id,
  person: portal.customer.person.id,
  clients: portal.user?.memberships.map(it => it.client) ?? [],
})

/** The newest that is being made or still there. */
export async function exportOf(tx: Knex, { workspace, person, clients }: Whose): Promise<Export | undefined> {
  const [row] = await query<Export>(tx, {
    text: `select ${columns} from portal.client_exports e
           where workspace_id = $1 and person_id = $2 and client_id = any($3) and ${there} order by requested_at desc, id desc limit 1`,
    values: [workspace, person, clients],
  })
  return row
}

/** Deletes the copies that these people have of a client's data. */
export async function deleteCopies(tx: Knex, { workspace, client, people }: CopiesOf): Promise<void> {
  await query(tx, {
    text: 'delete from portal.client_exports where workspace_id = $1 and client_id = $2 and person_id::text = any($3)',
    values: [workspace, client, people],
  })
}

interface CopiesOf {
  workspace: string
  client: string
  people: string[]
}

/** One for each person at a time: an earlier one is thrown away. */
export async function askExport(
  tx: Knex,
  its: { workspace: string; person: string; client: string; sections: string[] },
): Promise<string> {
  const id = uuid()
  await query(tx, {
    text: 'delete from portal.client_exports where workspace_id = $1 and person_id = $2',
    values: [its.workspace, its.person],
  })
  await query(tx, {
    text: `insert into portal.client_exports (workspace_id, id, person_id, client_id, sections) values ($1, $2, $3, $4, $5)`,
    values: [its.workspace, id, its.person, its.client, its.sections],
  })
  return id
}

/** Throws NotFound for another person's copy, and for one that has expired. */
export async function takeExport(tx: Knex, { workspace, person, clients }: Whose, id: string): Promise<Buffer> {
  const [row] = await query<{ bytes: Buffer }>(tx, {
    text: `select bytes from portal.client_exports e
           where workspace_id = $1 and person_id = $2 and client_id = any($3) and id = $4 and bytes is not null and ${there}`,
    values: [workspace, person, clients, id],
  })
  if (!row) throw new NotFound()
  return row.bytes
}

/**
 * Clients that would be left without an admin if this account ended. People who are suspended or about to leave do not
 * count as admins. Concurrent requests in the same workspace wait for this transaction.
 */
export async function alone(tx: Knex, workspace: string, person: string): Promise<{ name: string }[]> {
  await query(tx, {
    text: 'select pg_advisory_xact_lock(hashtextextended($1, 0))',
    values: [`deletions ${workspace}`],
  })
  return query(tx, {
    text: `select m.client_name as name
           from portal.client_memberships m
             join portal.client_memberships o on o.workspace_id = m.workspace_id and o.client_id = m.client_id
               and o.person_id <> m.person_id
             join portal.client_users u on u.workspace_id = o.workspace_id and u.id = o.person_id
           where m.workspace_id = $1 and m.person_id = $2 and m.role = 'admin' and u.suspended_at is null
             and not exists (select from portal.client_deletions d
                             where d.workspace_id = o.workspace_id and d.person_id = o.person_id
                               and d.withdrawn_at is null and d.completed_at is null)
           group by m.client_id, 1 having not bool_or(o.role = 'admin') order by 1`,
    values: [workspace, person],
  })
}

/** Throws Conflict where it was asked for already. */
export async function askDeletion(tx: Knex, workspace: string, person: string, days: number): Promise<{ id: string }> {
  const [row] = await query<{ id: string }>(tx, {
    text: `insert into portal.client_deletions (workspace_id, id, person_id, due_at)
           values ($1, $2, $3, portal.now() + $4 * interval '1 day')
           on conflict (workspace_id, person_id) where withdrawn_at is null and completed_at is null do nothing
           returning id`,
    values: [workspace, uuid(), person, days],
  })
  if (!row) throw new Conflict()
  return row
}

export async function deletionOf(tx: Knex, workspace: string, person: string): Promise<Deletion | undefined> {
  const [row] = await query<Deletion>(tx, {
    text: `select ${asked} where d.workspace_id = $1 and d.person_id = $2 and d.withdrawn_at is null and d.completed_at is null`,
    values: [workspace, person],
  })
  return row
}

/** For staff: those that wait, and those of the last ninety days that were done. */
export const deletionsOf = (tx: Knex, workspace: string): Promise<Deletion[]> =>
  query(tx, {
    text: `select ${asked} where d.workspace_id = $1 and d.withdrawn_at is null
             and (d.completed_at is null or d.completed_at > portal.now() - interval '90 days') order by d.due_at limit 50`,
    values: [workspace],
  })

const asked = `d.id, d.requested_at as "askedAt", d.due_at as "dueAt", d.completed_at as "doneAt", u.name, u.email
  from portal.client_deletions d join portal.client_users u on u.workspace_id = d.workspace_id and u.id = d.person_id`

/** Whether there was one to take back. */
export async function withdrawDeletion(tx: Knex, workspace: string, person: string): Promise<boolean> {
  const rows = await query(tx, {
    text: `update portal.client_deletions set withdrawn_at = portal.now()
           where workspace_id = $1 and person_id = $2 and withdrawn_at is null and completed_at is null returning id`,
    values: [workspace, person],
  })
  return rows.length > 0
}

/**
 * Whether this account is to be looked at again a day later: it is the only admin's of people who need one by now. Staff
 * are told once.
 */
export async function putOff(tx: Knex, workspace: string, id: string): Promise<boolean> {
  const [row] = await query<{ person: string; name: string }>(tx, {
    text: `select u.id as person, u.name
           from portal.client_deletions d join portal.client_users u on u.workspace_id = d.workspace_id and u.id = d.person_id
           where d.workspace_id = $1 and d.id = $2 and d.withdrawn_at is null and d.completed_at is null and d.due_at <= portal.now()`,
    values: [workspace, id],
  })
  const [client] = row ? await alone(tx, workspace, row.person) : []
  if (!row || !client) return false
  await query(tx, {
    text: `update portal.client_deletions set due_at = portal.now() + interval '1 day' where workspace_id = $1 and id = $2`,
    values: [workspace, id],
  })
  const [told] = await query(tx, {
    text: `select 1 from portal.client_activity_logs l
           where l.workspace_id = $1 and l.client_id is null and l.subject_id = $2 and l.event = 'account.deletion-waits' limit 1`,
    values: [workspace, id],
  })
  const subject = { id, name: row.name, client: client.name }
  if (!told) await insert(tx, [bySystem(workspace, { event: 'account.deletion-waits', subject })])
  return true
}

/**
 * Ends an account after its fourteen days. It can no longer sign in and no longer names the person. What must be kept
 * by law stays: signatures with their evidence, and the activity log, which cannot be changed.
 */
export async function endAccount(
  tx: Knex,
  plugins: Section[],
  { workspace, id }: { workspace: string; id: string },
): Promise<boolean> {
  const [row] = await query<{ person: string }>(tx, {
    text: `update portal.client_deletions set completed_at = portal.now()
           where workspace_id = $1 and id = $2 and withdrawn_at is null and completed_at is null and due_at <= portal.now()
           returning person_id as person`,
    values: [workspace, id],
  })
  if (!row) return false
  const [{ email }] = (await query(tx, {
    text: 'select email from portal.client_users where workspace_id = $1 and id = $2',
    values: [workspace, row.person],
  })) as [{ email: string }]
  await query(tx, {
    text: `update portal.client_users set email = 'ended-' || id || '@account.invalid', name = '–', password_hash = null,
             language = null, time_zone = null, theme = null, phone = null, photo_version = null, suspended_at = portal.now()
           where workspace_id = $1 and id = $2`,
    values: [workspace, row.person],
  })
  for (const [table, which, value] of [
    ['client_sessions', 'person_id', row.person],
    ['client_api_tokens', 'person_id', row.person],
    ['client_factors', 'person_id', row.person],
    ['client_devices', 'person_id', row.person],
    ['client_visits', 'person_id', row.person],
    ['client_photos', 'person_id', row.person],
    ['client_contact_changes', 'person_id', row.person],
    ['client_emails', 'person_id', row.person],
    ['client_memberships', 'person_id', row.person],
    ['client_tokens', 'person_id', row.person],
    ['client_exports', 'person_id', row.person],
    ['client_outbox', 'person_id', row.person],
    ['client_portal_settings', 'person_id', row.person],
    ['client_outbox', 'recipient', email],
  ] as const)
    await query(tx, {
      text: `delete from portal.${table} where workspace_id = $1 and ${which}::text = $2`,
      values: [workspace, value],
    })
  await query(tx, {
    text: `update portal.client_files set by_name = '–' where workspace_id = $1 and by_kind = 'client' and by_id = $2`,
    values: [workspace, row.person],
  })
  for (const { privacy } of plugins) await privacy?.erases?.(tx, { workspace, person: row.person })
  await query(tx, {
    text: `update portal.client_invitations set email = 'ended@account.invalid', name = '–', used_at = coalesce(used_at, portal.now())
           where workspace_id = $1 and email = $2`,
    values: [workspace, email],
  })
  await insert(tx, [bySystem(workspace, { event: 'account.deleted', subject: { id: row.person } })])
  return true
}
