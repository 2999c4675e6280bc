import type { Request, RequestHandler } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { contactAt } from '../auth/identity.ts'
import { sendInvitation } from '../auth/invitation-sender.ts'
import { invite } from '../auth/invitations.ts'
import { type MailContext, sendMail, withMail } from '../auth/mail-context.ts'
import { renewCode } from '../auth/register.ts'
import { type Crm, roles } from '../crm/crm.ts'
import { NotFound } from '../http/errors.ts'
import { recordEventIn } from '../platform/activity.ts'
import { unsealOrUndefined } from '../platform/crypto.ts'
import { query, readWithin, within } from '../platform/database.ts'

interface Parts {
  crm: Crm
  mailContext: MailContext
}

interface Registration {
  id: string
  name: string
  email: string
  client: string
  clientName: string
  language: string
  at: Date
}

/** Returns the requests with a confirmed address that wait for staff. */
export const registrationsOf = (database: Knex, workspace: string): Promise<Registration[]> =>
  readWithin(
    database,
    { workspace },
    {
      name: 'portal.registrations',
      text: `select r.id::text, r.name, r.email, r.client_id as client, r.client_name as "clientName", r.language,
               r.confirmed_at as at
             from portal.client_registrations r
             where r.workspace_id = scope.workspace and r.confirmed_at is not null order by r.confirmed_at limit 100`,
    },
  )

/** Returns the code by which people of this client may request access; undefined if there is none. */
export async function codeOf(database: Knex, workspace: string, client: string, secrets: string[]) {
  const [row] = await readWithin<{ sealed: Buffer }>(
    database,
    { workspace },
    {
      name: 'portal.code',
      text: 'select c.sealed from portal.client_registration_codes c where c.workspace_id = scope.workspace and c.client_id = $3',
      values: [client],
    },
  )
  return row && unsealOrUndefined(row.sealed, secrets, 'customer code')?.replace(/^(.{5})/, '$1-')
}

export const saveCode =
  ({ crm, mailContext }: Parts): RequestHandler<any> =>
  async (req, res) => {
    const { workspace } = req.portal
    const client = await crm.directory.client(workspace, String(req.params.client))
    if (!client) throw new NotFound()
    await within(mailContext.database, { workspace: workspace.id }, tx =>
      renewCode(tx, req, client, mailContext.secrets),
    )
    res.redirect(303, req.portal.url(`/people/invite/${encodeURIComponent(client.id)}`))
  }

/** Approval sends an invitation, so that they choose a password like everybody else. */
export const saveApproval =
  ({ crm, mailContext }: Parts): RequestHandler<any> =>
  async (req, res) => {
    const { workspace, staff } = req.portal
    const { role } = z.object({ role: z.enum(roles).catch('member') }).parse(Object(req.portal.body))
    await withMail(mailContext, req, async tx => {
      const it = await taken(tx, req)
      const client = { id: it.client, name: it.clientName }
      const contact = await contactAt(crm.directory, workspace, it.client, it.email)
      const invitedBy = staff?.name ?? workspace.name
      const invitation = { email: it.email, name: it.name, client, contact: contact?.id ?? null, role, invitedBy }
      const token = await invite(tx, workspace.id, invitation, req)
      await sendInvitation(mailContext, req, tx, { ...it, client: client.name, invitedBy, token })
    })
    res.redirect(303, req.portal.url('/people?done=invited'))
  }

export const saveRefusal =
  ({ mailContext }: Parts): RequestHandler<any> =>
  async (req, res) => {
    await withMail(mailContext, req, async tx => {
      const it = await taken(tx, req)
      await recordEventIn(tx, req, {
        event: 'people.refused',
        subject: { id: it.id, email: it.email, client: it.clientName },
      })
      await sendMail(
        mailContext,
        req,
        tx,
        'refusal',
        { email: it.email, name: it.name, language: it.language },
        { facts: { client: it.clientName } },
      )
    })
    res.redirect(303, req.portal.url('/people?done=refused'))
  }

/** Takes a request to decide it. Of two concurrent decisions, one succeeds; the other throws NotFound. */
async function taken(tx: Knex, req: Request<any>): Promise<Registration> {
  const [row] = await query<Registration>(tx, {
    text: `delete from portal.client_registrations
           where workspace_id = $1 and id::text = $2 and confirmed_at is not null and client_id is not null
           returning id::text, name, email, client_id as client, client_name as "clientName", language, confirmed_at as at`,
    values: [req.portal.workspace.id, req.params.registration],
  })
  if (!row) throw new NotFound()
  return row
}
