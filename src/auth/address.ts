import { type Request, type RequestHandler, Router } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { note } from '../activity.ts'
import { otherwise } from '../answer.ts'
import { query, within } from '../database.ts'
import { Gone, Invalid } from '../errors.ts'
import { read } from '../form.ts'
import { anybody, anyMember } from '../section.ts'
import { disown } from './disown.ts'
import { fits } from './passwords.ts'
import { accountOf } from './people.ts'
import { rungIn } from './step-up.ts'
import { find, issue, type Token, use } from './tokens.ts'
import { linkTo, mailing, type Ways, write } from './way.ts'

const good = { confirming: 60, undoing: 7 * 24 * 60 }

/** Asks for another address: nothing changes before that one has been confirmed. Nobody learns whose it is already. */
export function address(ways: Ways, show: RequestHandler): Router {
  const router = Router()
  const [secret = ''] = ways.secrets

  router.post(
    '/address',
    anyMember,
    unless(ways),
    async (req, res) => {
      const { email, current } = read(Wanted, req)
      const { workspace, customer } = req.portal
      const { person } = customer
      const succeeded = await ways.limits.count(req, { account: `change ${person.id}`, mail: `address ${email}` })
      const mine = await within(ways.database, { workspace: workspace.id }, tx =>
        accountOf(tx, workspace.id, person.email),
      )
      if (mine?.password_hash && !asksSecond(req) && !(await fits(mine.password_hash, current)))
        throw new Invalid({ 'address-current': ['This is not your password.'] }, { email })
      await succeeded()
      await mailing(ways, req, async tx => {
        const taken = await accountOf(tx, workspace.id, email)
        const { token } = await issue(tx, {
          ...{ workspace: workspace.id, kind: 'address', person: person.id, email, minutes: good.confirming, secret },
        })
        const to = taken ? undefined : { ...person, email, person: person.id }
        await write(ways, req, tx, 'address', to, { url: linkTo(ways, req, `/address/${token}`) })
      })
      res.redirect(303, req.portal.url('/account?saved=address'))
    },
    otherwise(show),
  )

  return router
}

/** Who has no password to type, or where it is not enough, shows otherwise who they are (OWASP ASVS 5.0, 7.5.1). */
const unless =
  ({ database }: Ways): RequestHandler =>
  async (req, res, next) => {
    const { workspace, customer } = req.portal
    const mine = await within(database, { workspace: workspace.id }, tx =>
      accountOf(tx, workspace.id, customer.person.email),
    )
    if (mine?.password_hash && !asksSecond(req)) return next()
    // The page that asks carries what was typed, and no password.
    const { current, ...typed } = Object(req.portal.body)
    req.portal.body = typed
    return req.portal.climb('account.address', res, next)
  }

/** Where the workspace asks for a second factor, a password is not enough and not needed. */
const asksSecond = ({ portal }: Request<any>) => rungIn(portal.visitor?.settings ?? [], 'account.address') === 'second'

/** The links that such a change is confirmed and taken back with, by whoever has them. */
export function confirmed(ways: Ways): Router {
  const router = Router()
  const [secret = ''] = ways.secrets

  const show =
    (kind: 'address' | 'undo'): RequestHandler<any> =>
    async (req, res) => {
      const workspace = req.portal.workspace.id
      const { email } = await within(ways.database, { workspace }, tx => find(tx, workspace, kind, req.params.token))
      req.portal.frame = 'solo'
      res.answer('auth/address', { email, undoes: kind === 'undo' })
    }

  router.get('/address/:token', anybody, show('address'))

  router.post('/address/:token', anybody, async (req, res) => {
    const { workspace } = req.portal
    await mailing(ways, req, async tx => {
      const token = await use(tx, workspace.id, 'address', String(req.params.token))
      const before = await change(tx, req, token)
      await note(tx, req, {
        event: 'account.address-changed',
        actor: { kind: 'client', id: before.id, name: before.name },
      })
      const undo = await issue(tx, {
        ...{
          workspace: workspace.id,
          kind: 'undo',
          person: before.id,
          email: before.email,
          minutes: good.undoing,
          secret,
        },
      })
      await write(
        ways,
        req,
        tx,
        'address-changed',
        { ...before, person: before.id },
        {
          facts: { email: token.email },
          url: linkTo(ways, req, `/address/undo/${undo.token}`),
        },
      )
    })
    res.redirect(303, req.portal.url('/account?saved=confirmed'))
  })

  router.get('/address/undo/:token', anybody, show('undo'))

  router.post('/address/undo/:token', anybody, async (req, res) => {
    const { workspace } = req.portal
    await within(ways.database, { workspace: workspace.id }, async tx => {
      const token = await use(tx, workspace.id, 'undo', String(req.params.token))
      const { id, name, email } = await change(tx, req, token)
      await disown(tx, workspace.id, token)
      await forgetAddress(tx, workspace.id, id, email)
      await note(tx, req, { event: 'account.address-undone', actor: { kind: 'client', id, name } })
    })
    res.redirect(303, req.portal.url('/forgot-password'))
  })

  return router
}

const Wanted = z.object({
  email: z.string().trim().toLowerCase().max(320).pipe(z.email('Type an e-mail address, like jo@example.com.')),
  current: z.string().default(''),
})

interface Before {
  id: string
  name: string
  email: string
  language: string | null
  timeZone: string | null
}

/** Gives the person as they were. Throws Gone where somebody else has the address by now, or had it and is suspended. */
async function change(tx: Knex, req: Request<any>, { person, email }: Token): Promise<Before> {
  const workspace = req.portal.workspace.id
  const [before] = await query<Before>(tx, {
    text: `select id, name, email, language, time_zone as "timeZone" from portal.client_users
           where workspace_id = $1 and id = $2 for update`,
    values: [workspace, person],
  })
  const taken = await accountOf(tx, workspace, email)
  if (!before || (taken && taken.id !== before.id)) throw new Gone()
  if (await wasSuspended(tx, workspace, before.id, email)) throw new Gone()
  await query(tx, {
    text: 'update portal.client_users set email = $3 where workspace_id = $1 and id = $2',
    values: [workspace, person, email],
  })
  return before
}

/** Whether one of the others who have or had this address is suspended. */
async function wasSuspended(tx: Knex, workspace: string, person: string, email: string): Promise<boolean> {
  const rows = await query(tx, {
    text: `select 1 from portal.client_emails e
             join portal.client_users u on u.workspace_id = e.workspace_id and u.id = e.person_id
           where e.workspace_id = $1 and e.person_id <> $2 and e.email = $3 and u.suspended_at is not null limit 1`,
    values: [workspace, person, email],
  })
  return rows.length > 0
}

/** An address that somebody else had put in was never theirs. */
const forgetAddress = (tx: Knex, workspace: string, person: string, email: string) =>
  query(tx, {
    text: 'delete from portal.client_emails where workspace_id = $1 and person_id = $2 and email = $3',
    values: [workspace, person, email],
  })
