import type { ErrorRequestHandler, Request, RequestHandler } from 'express'
import type { Knex } from 'knex'
import type { Crm } from '../crm/crm.ts'
import { Gone } from '../http/errors.ts'
import { recordEventIn } from '../platform/activity.ts'
import { query, within } from '../platform/database.ts'
import { clientContact } from './client-contact.ts'
import { askForRenewal, closedInvitation } from './invitations.ts'
import { linkTo, type MailContext, sendMail, withMail } from './mail-context.ts'

interface Parts {
  crm: Crm
  database: Knex
  mailContext: MailContext | undefined
}

/** Shows why an invitation no longer works, and what to do about it. */
export const showClosed =
  ({ crm, database, mailContext }: Parts): RequestHandler<any> =>
  async (req, res) => {
    const { workspace, customer } = req.portal
    const token = String(req.params.token)
    const closed = await within(database, { workspace: workspace.id }, tx => closedInvitation(tx, workspace.id, token))
    const contact = closed.client ? await clientContact(crm, workspace, closed.client) : undefined
    req.portal.frame = 'bare'
    res.respond('auth/invitation-closed', {
      ...{ token, contact, state: closed.state, mails: mailContext !== undefined },
      asked: req.query.asked === '',
      // Of somebody who accepted it in another tab.
      signedIn: customer !== undefined,
    })
  }

/** Ends a route of an invitation: shows that page if the invitation is used, withdrawn, expired or unknown. */
export function showClosedOnGone(parts: Parts): RequestHandler {
  const show = showClosed(parts)
  const closed: ErrorRequestHandler = (error, req, res, next) => {
    if (!(error instanceof Gone)) return next(error)
    req.portal.problem = error
    return show(req, res, next)
  }
  return closed as unknown as RequestHandler
}

export const requestRenewal =
  (mailContext: MailContext): RequestHandler<any> =>
  async (req, res) => {
    const token = String(req.params.token)
    await mailContext.limits.count(req, { mail: `renewal ${token}` })
    await withMail(mailContext, req, async tx => {
      const invitation = await askForRenewal(tx, req.portal.workspace.id, token)
      if (invitation) await tellAdmins(mailContext, req, tx, invitation)
    })
    res.redirect(303, req.portal.url(`/invitation/${encodeURIComponent(token)}?asked`))
  }

/** Mails the company's own admins. Staff see the request in the settings area. */
async function tellAdmins(
  mailContext: MailContext,
  req: Request<any>,
  tx: Knex,
  { id, name, email, client }: { id: string; name: string; email: string; client: string },
) {
  const { workspace } = req.portal
  await recordEventIn(tx, req, { event: 'team.asked', subject: { id, email }, actor: { kind: 'nobody', name } })
  const admins = await query(tx, {
    text: `select u.id as person, u.name, u.email, u.language, u.time_zone as "timeZone"
           from portal.client_memberships m join portal.client_users u
             on u.workspace_id = m.workspace_id and u.id = m.person_id
           where m.workspace_id = $1 and m.client_id = $2 and m.role = 'admin' and u.suspended_at is null limit 20`,
    values: [workspace.id, client],
  })
  for (const it of admins)
    await sendMail(mailContext, req, tx, 'renewal', it, {
      facts: { name, email },
      url: linkTo(mailContext, req, '/team'),
    })
}
