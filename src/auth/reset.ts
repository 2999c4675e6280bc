import { type Request, type RequestHandler, Router } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { note } from '../activity.ts'
import { otherwise } from '../answer.ts'
import { query, within } from '../database.ts'
import { Invalid } from '../errors.ts'
import { read } from '../form.ts'
import { anybody } from '../section.ts'
import { hashed, weakness } from './passwords.ts'
import { accountOf, ownWords } from './people.ts'
import { storedId } from './sessions.ts'
import { find, issue, use } from './tokens.ts'
import { linkTo, mailing, type Ways, write } from './way.ts'

/** How long a link for a new password is good, in minutes. */
const good = 30

/** Forgot a password: a link by mail, good once, to choose another. Nobody learns from it which addresses are known. */
export function reset(ways: Ways): Router {
  const router = Router()
  const [secret = ''] = ways.secrets

  router.get('/forgot-password', anybody, showForgot)

  router.post(
    '/forgot-password',
    anybody,
    async (req, res) => {
      const { email } = read(Forgotten, req)
      await ways.limits.count(req, { mail: email })
      const workspace = req.portal.workspace.id
      await mailing(ways, req, async tx => {
        const account = await accountOf(tx, workspace, email)
        const known = account && !account.suspended ? account : undefined
        const { token } = await issue(tx, { workspace, kind: 'reset', person: known?.id, email, minutes: good, secret })
        await write(ways, req, tx, 'reset', known && { ...known, person: known.id }, {
          facts: { minutes: good },
          url: linkTo(ways, req, `/reset-password/${token}`),
        })
      })
      res.redirect(303, req.portal.url('/forgot-password?sent'))
    },
    otherwise(showForgot),
  )

  const showReset: RequestHandler<any> = async (req, res) => {
    const workspace = req.portal.workspace.id
    const { email } = await within(ways.database, { workspace }, tx => find(tx, workspace, 'reset', req.params.token))
    req.portal.frame = 'solo'
    res.answer('auth/reset', { email })
  }

  router.get('/reset-password/:token', anybody, showReset)

  router.post(
    '/reset-password/:token',
    anybody,
    async (req, res) => {
      const { workspace } = req.portal
      const token = String(req.params.token)
      const { password: chosen } = read(Chosen, req)
      const own = await within(ways.database, { workspace: workspace.id }, async tx => {
        const { person } = await find(tx, workspace.id, 'reset', token)
        return ownWords(tx, workspace, String(person))
      })
      const weak = await weakness(chosen, own)
      if (weak) throw new Invalid({ password: [weak] }, {})
      const passwordHash = await hashed(chosen)
      await mailing(ways, req, async tx => {
        const { person } = await use(tx, workspace.id, 'reset', token)
        await changePassword(ways, req, tx, String(person), passwordHash)
      })
      res.redirect(303, req.portal.url('/sign-in?changed'))
    },
    otherwise(showReset),
  )

  return router
}

/** Ends every session of this person, and tells them. `keep` is the id of a session that stays, as it is stored. */
export async function changePassword(
  ways: Ways | undefined,
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
  await end(tx, workspace.id, person, keep)
  await note(tx, req, {
    event: 'account.password-changed',
    actor: { kind: 'client', id: person, name: row.name, client: req.portal.customer?.client.id },
  })
  if (ways)
    await write(ways, req, tx, 'password-changed', row, {
      facts: ({ time }) => ({ time: time(req.portal.now) }),
      url: linkTo(ways, req, '/forgot-password'),
    })
}

/** All sessions of this person but the one that asks (OWASP ASVS 5.0, 7.4.3). */
export const endOthers = (tx: Knex, { portal: { workspace, customer, aside } }: Request<any>) =>
  end(tx, workspace.id, customer.person.id, storedId(aside.sessionID))

const end = (tx: Knex, workspace: string, person: string, keep: string) =>
  query(tx, {
    text: 'delete from portal.client_sessions where workspace_id = $1 and person_id = $2 and sid <> $3',
    values: [workspace, person, keep],
  })

const Forgotten = z.object({
  email: z.string('Type your e-mail address.').trim().toLowerCase().max(320).min(1, 'Type your e-mail address.'),
})

const Chosen = z.object({ password: z.string('Choose a password.') })

const showForgot: RequestHandler = (req, res) => {
  req.portal.frame = 'solo'
  res.answer('auth/forgot', { sent: req.query.sent === '' })
}
