import type { Request } from 'express'
import type { Knex } from 'knex'
import { suspendedSql } from '../auth/identity.ts'
import { sendInvitation } from '../auth/invitation-sender.ts'
import { inviteAgain } from '../auth/invitations.ts'
import { linkTo, type MailContext, sendMail, withMail } from '../auth/mail-context.ts'
import { portalOffSql } from '../auth/portal-switch.ts'
import { recordEventIn } from '../platform/activity.ts'
import { query } from '../platform/database.ts'
import { againDays, awayDays, lastSentSql } from './adoption-lists.ts'

/** `recent`: they were invited within a week. `gone`: they came meanwhile, or there is nobody to invite any more. */
export type Outcome = 'sent' | 'recent' | 'gone'

/** Invites one again: by a new link who has no account yet, by a reminder who has one. Of two at once, one sends. */
export const remindOne = (mailContext: MailContext, req: Request, key: string): Promise<Outcome> =>
  withMail(mailContext, req, async tx => {
    const [kind, id = ''] = key.split(':')
    if (kind === 'i') return inviteWaiting(mailContext, req, tx, id)
    return kind === 'p' ? remindPerson(mailContext, req, tx, id) : 'gone'
  })

async function inviteWaiting(mailContext: MailContext, req: Request, tx: Knex, id: string): Promise<Outcome> {
  const [row] = await query<{ email: string }>(tx, {
    text: `select i.email from portal.client_invitations i
           where i.workspace_id = $1 and i.id::text = $2 and i.used_at is null and i.revoked_at is null
             and not ${portalOffSql('i')}`,
    values: [req.portal.workspace.id, id],
  })
  if (!row) return 'gone'
  if (await wasSentLately(tx, req, row.email)) return 'recent'
  await sendInvitation(mailContext, req, tx, await inviteAgain(tx, req, id))
  return 'sent'
}

interface Person {
  id: string
  name: string
  email: string
  language: string | null
  timeZone: string | null
  client: string
}

async function remindPerson(mailContext: MailContext, req: Request, tx: Knex, id: string): Promise<Outcome> {
  const { workspace, staff } = req.portal
  const [person] = await query<Person>(tx, {
    text: `select u.id::text, u.name, u.email, u.language, u.time_zone as "timeZone", c.name as client
           from portal.client_users u
             left join portal.client_visits v on v.workspace_id = u.workspace_id and v.person_id = u.id
             cross join lateral (
               select m.client_name as name from portal.client_memberships m
               where m.workspace_id = u.workspace_id and m.person_id = u.id and not ${portalOffSql('m')}
               order by m.client_name limit 1) c
           where u.workspace_id = $1 and u.id::text = $2 and not ${suspendedSql}
             and (v.first_at is null or v.last_at < portal.now() - interval '${awayDays} days')`,
    values: [workspace.id, id],
  })
  if (!person) return 'gone'
  if (await wasSentLately(tx, req, person.email)) return 'recent'
  await query(tx, {
    text: `insert into portal.client_visits (workspace_id, person_id, recalled_at) values ($1, $2, portal.now())
           on conflict (workspace_id, person_id) do update set recalled_at = excluded.recalled_at`,
    values: [workspace.id, person.id],
  })
  await recordEventIn(tx, req, { event: 'people.recalled', subject: { id: person.id, name: person.name } })
  const facts = { invitedBy: staff?.name ?? workspace.name, client: person.client }
  const url = linkTo(mailContext, req, '/')
  await sendMail(mailContext, req, tx, 'recall', { ...person, person: person.id }, { facts, url })
  return 'sent'
}

/** Waits for whoever invites the same address at this moment. */
async function wasSentLately(tx: Knex, req: Request, email: string): Promise<boolean> {
  const workspace = req.portal.workspace.id
  await query(tx, {
    text: `select pg_advisory_xact_lock(hashtext('portico invited again'), hashtext($1))`,
    values: [`${workspace} ${email}`],
  })
  const [row] = await query<{ lately: boolean | null }>(tx, {
    text: `select ${lastSentSql('$1', '$2')} > portal.now() - interval '${againDays} days' as lately`,
    values: [workspace, email],
  })
  return row?.lately ?? false
}
