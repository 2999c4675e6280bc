import { type Request, type RequestHandler, Router } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { Invalid } from '../http/errors.ts'
import { read } from '../http/forms.ts'
import { showAgainOnError } from '../http/respond.ts'
import { anybody } from '../http/rules.ts'
import { recordEventIn } from '../platform/activity.ts'
import { query, within } from '../platform/database.ts'
import { linkTo, type MailContext, sendMail, withMail } from './mail-context.ts'
import { hashPassword, weakness } from './passwords.ts'
import { accountOf, ownWords } from './people.ts'
import { storedId } from './sessions.ts'
import { findToken, issueToken, useToken } from './tokens.ts'

/** How long a reset link is valid, in minutes. */
const validMinutes = 30

/**
 * Resets a forgotten password by a mailed link that works once. Responses do not reveal which addresses have an
 * account.
 */
export function passwordResetRoutes(mailContext: MailContext): Router {
  const router = Router()
  const showReset = showChoose(mailContext)
  router.get('/forgot-password', anybody, showForgot)
  router.post('/forgot-password', anybody, mailReset(mailContext), showAgainOnError(showForgot))
  router.get('/reset-password/:token', anybody, showReset)
  router.post('/reset-password/:token', anybody, choosePassword(mailContext), showAgainOnError(showReset))
  return router
}

const mailReset =
  (mailContext: MailContext): RequestHandler =>
  async (req, res) => {
    const [secret = ''] = mailContext.secrets
    const { email } = read(Forgotten, req)
    await mailContext.limits.count(req, { mail: email })
    const workspace = req.portal.workspace.id
    await withMail(mailContext, req, async tx => {
      const account = await accountOf(tx, workspace, email)
      const known = account && !account.suspended ? account : undefined
      const asked = { workspace, kind: 'reset' as const, person: known?.id, email, minutes: validMinutes, secret }
      const { token } = await issueToken(tx, asked)
      await sendMail(mailContext, req, tx, 'reset', known && { ...known, person: known.id }, {
        facts: { minutes: validMinutes },
        url: linkTo(mailContext, req, `/reset-password/${token}`),
      })
    })
    res.redirect(303, req.portal.url('/forgot-password?sent'))
  }

const showChoose =
  ({ database }: MailContext): RequestHandler<any> =>
  async (req, res) => {
    const workspace = req.portal.workspace.id
    const { email } = await within(database, { workspace }, tx => findToken(tx, workspace, 'reset', req.params.token))
    req.portal.frame = 'bare'
    res.respond('auth/reset', { email })
  }

const choosePassword =
  (mailContext: MailContext): RequestHandler<any> =>
  async (req, res) => {
    const { workspace } = req.portal
    const token = String(req.params.token)
    const { password } = read(Chosen, req)
    const own = await within(mailContext.database, { workspace: workspace.id }, async tx => {
      const { person } = await findToken(tx, workspace.id, 'reset', token)
      return ownWords(tx, workspace, String(person))
    })
    const weak = await weakness(password, own)
    if (weak) throw new Invalid({ password: [weak] }, {})
    const passwordHash = await hashPassword(password)
    await withMail(mailContext, req, async tx => {
      const { person } = await useToken(tx, workspace.id, 'reset', token)
      await changePassword(mailContext, req, tx, String(person), passwordHash)
    })
    res.redirect(303, req.portal.url('/sign-in?changed'))
  }

/**
 * Changes the password, ends every session of this person and mails them. `keep` is the stored id of a session that
 * stays.
 */
export async function changePassword(
  mailContext: MailContext | undefined,
  req: Request<any>,
  tx: Knex,
  person: string,
  passwordHash: string,
  keep = '',
) {
  const { workspace } = req.portal
  const [row] = await query(tx, {
    text: `update portal.client_users set password_hash = $3 where workspace_id = $1 and id = $2
           returning id as person, email, name, language, time_zone as "timeZone"`,
    values: [workspace.id, person, passwordHash],
  })
  await endSessionsOf(tx, workspace.id, person, keep)
  await recordEventIn(tx, req, {
    event: 'account.password-changed',
    actor: { kind: 'client', id: person, name: row.name, client: req.portal.customer?.client.id },
  })
  if (mailContext)
    await sendMail(mailContext, req, tx, 'password-changed', row, {
      facts: ({ time }) => ({ time: time(req.portal.now) }),
      url: linkTo(mailContext, req, '/forgot-password'),
    })
}

/** Ends all sessions of this person except the current one (OWASP ASVS 5.0, 7.4.3). */
export const endOtherSessions = (tx: Knex, { portal: { workspace, customer, sessionRequest } }: Request<any>) =>
  endSessionsOf(tx, workspace.id, customer.person.id, storedId(sessionRequest.sessionID))

const endSessionsOf = (tx: Knex, workspace: string, person: string, keep: string) =>
  query(tx, {
    text: 'delete from portal.client_sessions where workspace_id = $1 and person_id = $2 and sid <> $3',
    values: [workspace, person, keep],
  })

const Forgotten = z.object({
  email: z.string('Enter your e-mail address.').trim().toLowerCase().max(320).min(1, 'Enter your e-mail address.'),
})

const Chosen = z.object({ password: z.string('Choose a password.') })

const showForgot: RequestHandler = (req, res) => {
  req.portal.frame = 'bare'
  res.respond('auth/forgot', { sent: req.query.sent === '' })
}
