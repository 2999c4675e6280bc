import { type ErrorRequestHandler, type Request, type RequestHandler, Router } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { note } from '../activity.ts'
import { otherwise } from '../answer.ts'
import { query, within } from '../database.ts'
import { Gone, Invalid } from '../errors.ts'
import { read } from '../form.ts'
import { anybody } from '../section.ts'
import { enter } from './enter.ts'
import { askAgain, findInvitation, holdersOf, joinClient, openAccount } from './invitations.ts'
import { personName } from './names.ts'
import { offered } from './offered.ts'
import { hashed, weakness } from './passwords.ts'
import { accountOf } from './people.ts'
import { save } from './sessions.ts'
import { linkTo, mailing, type Ways, write } from './way.ts'

/**
 * Coming in by an invitation, and asking for another one where that is over. It opens an account for who has none. Whoever
 * has one signs in first, as ever, and then joins by one click.
 */
export function invited({ database, mailed }: { database: Knex; mailed: Ways | undefined }): Router {
  const router = Router()

  const waysOf = (workspace: string) => offered(database, workspace, mailed !== undefined)

  /** Whose account an invitation is for is seen by who is signed in, and by nobody else. */
  const find = (req: Request<any>) => {
    const { workspace, visitor } = req.portal
    return within(database, { workspace: workspace.id }, async tx => {
      const invitation = await findInvitation(tx, workspace.id, String(req.params.token))
      const holders = await holdersOf(tx, workspace.id, invitation)
      // A session of the first factor alone has nobody.
      const person = visitor?.person && !visitor.person.suspended ? visitor.person : undefined
      return { invitation, held: holders.length > 0, person, mine: person && holders.includes(person.id) }
    })
  }

  const show: RequestHandler<any> = async (req, res) => {
    const { workspace, visitor } = req.portal
    const { invitation, held, person, mine } = await find(req)
    req.portal.frame = 'solo'
    if (!held && !person) return res.answer('auth/invitation', { invitation, ways: await waysOf(workspace.id) })
    const member = mine && visitor?.memberships.some(it => it.client === invitation.client.id)
    res.answer('auth/invitation-known', {
      invitation,
      person,
      mine,
      member,
      address: `/invitation/${req.params.token}`,
    })
  }

  const over = whereOver(mailed !== undefined)
  router.get('/invitation/:token', anybody, show, over)

  router.post(
    '/invitation/:token',
    anybody,
    async (req, res) => {
      const { workspace } = req.portal
      const { invitation, held, person } = await find(req)
      if (held || person) return res.redirect(303, here(req))
      const { name, password: chosen } = read<Coming>((await waysOf(workspace.id)).password ? Joining : Named, req)
      const own = [name, invitation.name, invitation.email, invitation.client.name, workspace.name]
      const weak = chosen !== undefined && (await weakness(chosen, own))
      if (weak) throw new Invalid({ password: [weak] }, { name })
      const passwordHash = chosen === undefined ? null : await hashed(chosen)
      const account = await within(database, { workspace: workspace.id }, async tx => {
        const opened = await openAccount(tx, req, invitation, { name, passwordHash })
        return opened && accountOf(tx, workspace.id, invitation.email)
      })
      if (!account) return res.redirect(303, here(req))
      const proofs = [{ by: 'invitation' as const, at: req.portal.now.getTime() }]
      await enter({ database, mailed }, req, res, { account, next: undefined, proofs })
    },
    otherwise(show),
    over,
  )

  router.post(
    '/invitation/:token/membership',
    anybody,
    async (req, res) => {
      const { invitation, person, mine } = await find(req)
      if (!person || !mine) return res.redirect(303, here(req))
      const scope = { workspace: req.portal.workspace.id }
      await within(database, scope, tx => joinClient(tx, req, invitation, person))
      req.portal.aside.session.client = invitation.client.id
      await save(req)
      res.redirect(303, req.portal.url('/'))
    },
    over,
  )

  if (mailed)
    router.post(
      '/invitation/:token/renewal',
      anybody,
      async (req, res) => {
        const token = String(req.params.token)
        await mailed.limits.count(req, { mail: `renewal ${token}` })
        await mailing(mailed, req, async tx => {
          const it = await askAgain(tx, req.portal.workspace.id, token)
          if (it) await tell(mailed, req, tx, it)
        })
        res.redirect(303, req.portal.url(`/invitation/${encodeURIComponent(token)}?asked`))
      },
      otherwise(showOver(true)),
    )

  return router
}

/** The page of the invitation, which says what is missing. */
const here = ({ portal, params }: Request<any>) => portal.url(`/invitation/${encodeURIComponent(params.token)}`)

/** Where a workspace offers no passwords, none is chosen. */
interface Coming {
  name: string
  password?: string | undefined
}

const Named = z.object({
  name: personName('Type your name.'),
  password: z.undefined().catch(undefined),
})

const Joining = Named.extend({ password: z.string('Choose a password.') })

const showOver =
  (mails: boolean): RequestHandler =>
  (req, res) => {
    req.portal.frame = 'solo'
    res.answer('auth/invitation-over', { token: req.params.token, mails, asked: req.query.asked === '' })
  }

/** Whether it was used, taken back, too old or never there looks the same. */
function whereOver(mails: boolean) {
  const over: ErrorRequestHandler = (error, req, res, next) => {
    if (!(error instanceof Gone)) return next(error)
    req.portal.problem = error
    return showOver(mails)(req, res, next)
  }
  return over as unknown as RequestHandler
}

/** The company's own admins are mailed; staff see it in the settings area. */
async function tell(
  ways: Ways,
  req: Parameters<RequestHandler>[0],
  tx: Knex,
  { id, name, email, client }: { id: string; name: string; email: string; client: string },
) {
  const { workspace } = req.portal
  await note(tx, req, { event: 'team.asked', subject: { id, email }, actor: { kind: 'nobody', name } })
  const admins = await query(tx, {
    text: `select u.id as person, u.name, u.email, u.language, u.time_zone as "timeZone"
           from portal.client_memberships m join portal.client_users u
             on u.workspace_id = m.workspace_id and u.id = m.person_id
           where m.workspace_id = $1 and m.client_id = $2 and m.role = 'admin' and u.suspended_at is null limit 20`,
    values: [workspace.id, client],
  })
  for (const it of admins)
    await write(ways, req, tx, 'renewal', it, { facts: { name, email }, url: linkTo(ways, req, '/team') })
}
