import { type RequestHandler, Router } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { note } from '../activity.ts'
import { otherwise } from '../answer.ts'
import { query, readWithin, within } from '../database.ts'
import { Invalid } from '../errors.ts'
import { read } from '../form.ts'
import { languages, zoneOf } from '../language.ts'
import { limitIn } from '../offer/limit.ts'
import { anyMember } from '../section.ts'
import { address } from './address.ts'
import { safe } from './enter.ts'
import { fits, hashed, weakness } from './passwords.ts'
import { accountOf, ownWords } from './people.ts'
import { changePassword } from './reset.ts'
import { save, storedId } from './sessions.ts'
import { mailing, type Ways } from './way.ts'

/** One's own account: which company one acts for, and how one is spoken to. */
export function account({
  database,
  limits,
  mailed,
}: Pick<Ways, 'database' | 'limits'> & { mailed: Ways | undefined }): Router {
  const router = Object.assign(Router(), { at: '/account' })

  const show = showWith(database, mailed !== undefined)
  router.get('/', anyMember, show)

  router.post(
    '/client',
    anyMember,
    async (req, res) => {
      const { client, next } = read(z.object({ client: z.string(), next: z.string().optional() }), req)
      const mine = req.portal.visitor?.memberships.find(it => it.client === client)
      if (!mine) throw new Invalid({ client: ['Choose one of your companies.'] }, {})
      req.portal.aside.session.client = mine.client
      await save(req)
      res.redirect(303, safe(req, next))
    },
    otherwise(show),
  )

  router.post(
    '/preferences',
    anyMember,
    async (req, res) => {
      const { language, timeZone, theme } = read(Preferences, req)
      const { workspace, customer } = req.portal
      await within(database, { workspace: workspace.id }, async tx => {
        await query(tx, {
          text: `update portal.client_users set language = $3, time_zone = $4, theme = $5 where workspace_id = $1 and id = $2`,
          values: [workspace.id, customer.person.id, language || null, timeZone || null, theme || null],
        })
        await note(tx, req, { event: 'account.changed' })
      })
      res.redirect(303, req.portal.url('/account?saved'))
    },
    otherwise(show),
  )

  router.post('/reminders', anyMember, async (req, res) => {
    const { reminders, 'was.reminders': was } = read(Reminders, req)
    const { workspace, customer } = req.portal
    // A form without it is none of ours: nothing is meant by it.
    if (was !== undefined)
      await within(database, { workspace: workspace.id }, async tx => {
        await query(tx, {
          text: 'update portal.client_users set reminders = $3 where workspace_id = $1 and id = $2',
          values: [workspace.id, customer.person.id, reminders === 'on'],
        })
        await note(tx, req, { event: 'account.changed' })
      })
    res.redirect(303, req.portal.url('/account?saved=reminders#reminders'))
  })

  router.post(
    '/password',
    anyMember,
    async (req, res) => {
      const { current, password } = read(Passwords, req)
      const { workspace, customer, aside } = req.portal
      const { person } = customer
      const scope = { workspace: workspace.id }
      const succeeded = await limits.count(req, { account: `change ${person.id}` })
      const stored = await within(database, scope, tx => accountOf(tx, workspace.id, person.email))
      if (!(await fits(stored?.password_hash, current)))
        throw new Invalid({ current: ['This is not your password.'] }, {})
      await succeeded()
      const own = await within(database, scope, tx => ownWords(tx, workspace, person.id))
      const weak = await weakness(password, own)
      if (weak) throw new Invalid({ password: [weak] }, {})
      const passwordHash = await hashed(password)
      const change = (tx: Knex) => changePassword(mailed, req, tx, person.id, passwordHash, storedId(aside.sessionID))
      await (mailed ? mailing(mailed, req, change) : within(database, scope, change))
      res.redirect(303, req.portal.url('/account?saved=password'))
    },
    otherwise(show),
  )

  if (mailed) router.use(address(mailed, show))

  return router
}

const Passwords = z.object({
  current: z.string('Type your password.').min(1, 'Type your password.'),
  password: z.string('Choose a password.').min(1, 'Choose a password.'),
})

const Preferences = z.object({
  language: z.enum([...languages, ''], 'Choose one of these languages.'),
  timeZone: z
    .string()
    .refine(it => it === '' || zoneOf(it) === it || zones.includes(it), 'Choose one of these time zones.'),
  theme: z.enum(['light', 'dark', ''], 'Choose one of these.'),
})

const Reminders = z.object({ reminders: z.string().optional(), 'was.reminders': z.string().optional() })

const zones = Intl.supportedValuesOf('timeZone')

const showWith =
  (database: Knex, mails: boolean): RequestHandler =>
  async (req, res) => {
    const { visitor, customer, workspace } = req.portal
    const [own] = await readWithin<{ reminders: boolean }>(
      database,
      { workspace: workspace.id },
      {
        name: 'portal.wants-reminders',
        text: 'select u.reminders from portal.client_users u where u.workspace_id = scope.workspace and u.id = $3',
        values: [customer.person.id],
      },
    )
    res.answer('auth/account', {
      memberships: (visitor?.memberships ?? []).map(it => ({
        ...it,
        limit: limitIn(visitor?.settings ?? [], it.client, customer.person.id, it.role),
      })),
      languages: languages.map(it => [it, new Intl.DisplayNames(it, { type: 'language' }).of(it) ?? it]),
      zones,
      saved: req.query.saved,
      reminders: own?.reminders ?? true,
      mails,
    })
  }
