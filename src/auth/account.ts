import { type RequestHandler, Router } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { Invalid } from '../http/errors.ts'
import { read } from '../http/forms.ts'
import { showAgainOnError } from '../http/respond.ts'
import { recordEventIn } from '../platform/activity.ts'
import { query, within } from '../platform/database.ts'
import { languageName, languages, zoneOf } from '../platform/i18n.ts'
import { anyMember } from '../plugin/permissions.ts'
import { addressRoutes } from './address.ts'
import { limitIn } from './approval-limit.ts'
import { type MailContext, withMail } from './mail-context.ts'
import { hashPassword, passwordMatches, weakness } from './passwords.ts'
import { accountOf, ownWords } from './people.ts'
import { changePassword } from './reset.ts'
import { saveSession, storedId } from './sessions.ts'
import { safeRedirect } from './sign-in.ts'

interface Parts extends Pick<MailContext, 'database' | 'limits'> {
  mailContext: MailContext | undefined
}

/** The account page, and a page for each topic: language and appearance, password, e-mail address. */
export function accountRoutes({ database, limits, mailContext }: Parts): Router {
  const router = Object.assign(Router(), { at: '/account' })
  const show = showWith(mailContext !== undefined)

  router.get('/', anyMember, show)
  router.post('/client', anyMember, switchClient, showAgainOnError(show))
  router.get('/preferences', anyMember, showPreferences)
  router.post('/preferences', anyMember, savePreferences(database), showAgainOnError(showPreferences))
  router.get('/password', anyMember, showPassword)
  router.post(
    '/password',
    anyMember,
    replacePassword({ database, limits, mailContext }),
    showAgainOnError(showPassword),
  )
  if (mailContext) router.use(addressRoutes(mailContext))
  return router
}

const showPassword: RequestHandler = (_req, res) => res.respond('auth/password', {})

const showPreferences: RequestHandler = (_req, res) =>
  res.respond('auth/preferences', { languages: languageNames, zones })

const switchClient: RequestHandler = async (req, res) => {
  const { client, next } = read(z.object({ client: z.string(), next: z.string().optional() }), req)
  const mine = req.portal.user?.memberships.find(it => it.client === client)
  if (!mine) throw new Invalid({ client: ['Choose one of your companies.'] }, {})
  req.portal.sessionRequest.session.client = mine.client
  await saveSession(req)
  res.redirect(303, safeRedirect(req, next))
}

const savePreferences =
  (database: Knex): RequestHandler =>
  async (req, res) => {
    const { language, timeZone, theme } = read(Preferences, req)
    const { workspace, customer } = req.portal
    await within(database, { workspace: workspace.id }, async tx => {
      await query(tx, {
        text: `update portal.client_users set language = $3, time_zone = $4, theme = $5
               where workspace_id = $1 and id = $2`,
        values: [workspace.id, customer.person.id, language || null, timeZone || null, theme || null],
      })
      await recordEventIn(tx, req, { event: 'account.changed' })
    })
    res.redirect(303, req.portal.url('/account?saved'))
  }

const replacePassword =
  ({ database, limits, mailContext }: Parts): RequestHandler =>
  async (req, res) => {
    const { current, password } = read(Passwords, req)
    const { workspace, customer, sessionRequest } = req.portal
    const { person } = customer
    const scope = { workspace: workspace.id }
    const succeeded = await limits.count(req, { account: `change ${person.id}` })
    const stored = await within(database, scope, tx => accountOf(tx, workspace.id, person.email))
    if (!(await passwordMatches(stored?.password_hash, current)))
      throw new Invalid({ current: ['This is not your password.'] }, {})
    await succeeded()
    const own = await within(database, scope, tx => ownWords(tx, workspace, person.id))
    const weak = await weakness(password, own)
    if (weak) throw new Invalid({ password: [weak] }, {})
    const passwordHash = await hashPassword(password)
    const keep = storedId(sessionRequest.sessionID)
    const change = (tx: Knex) => changePassword(mailContext, req, tx, person.id, passwordHash, keep)
    await (mailContext ? withMail(mailContext, req, change) : within(database, scope, change))
    res.redirect(303, req.portal.url('/account?saved=password'))
  }

const Passwords = z.object({
  current: z.string('Enter your password.').min(1, 'Enter your password.'),
  password: z.string('Choose a password.').min(1, 'Choose a password.'),
})

const Preferences = z.object({
  language: z.enum([...languages, ''], 'Choose one of these languages.'),
  timeZone: z
    .string()
    .refine(it => it === '' || zoneOf(it) === it || zones.includes(it), 'Choose one of these time zones.'),
  theme: z.enum(['light', 'dark', ''], 'Choose one of these.'),
})

const zones = Intl.supportedValuesOf('timeZone')

/** Each with its name in its own language. */
const languageNames = languages.map(it => [it, languageName(it)])

const showWith =
  (mails: boolean): RequestHandler =>
  async (req, res) => {
    const { user, customer } = req.portal
    const filled = await req.portal.fillSlots(req, 'account', 'account-end')
    res.respond('auth/account', {
      memberships: (user?.memberships ?? []).map(it => ({
        ...it,
        limit: limitIn(user?.settings ?? [], it.client, customer.person.id, it.role),
      })),
      languages: languageNames,
      saved: req.query.saved,
      ...filled,
      mails,
    })
  }
