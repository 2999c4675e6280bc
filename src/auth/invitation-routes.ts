import { type Request, type RequestHandler, Router } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import type { Crm } from '../crm/crm.ts'
import { Invalid } from '../http/errors.ts'
import { read } from '../http/forms.ts'
import { showAgainOnError } from '../http/respond.ts'
import { anybody } from '../http/rules.ts'
import { query, within } from '../platform/database.ts'
import { clientContact } from './client-contact.ts'
import { requestRenewal, showClosed, showClosedOnGone } from './closed-invitation.ts'
import { accountHoldersOf, findInvitation, joinClient, openAccount } from './invitations.ts'
import type { MailContext } from './mail-context.ts'
import { personName } from './names.ts'
import { hashPassword, weakness } from './passwords.ts'
import { accountOf } from './people.ts'
import { saveSession } from './sessions.ts'
import { signIn } from './sign-in.ts'
import { signInMethodsOf } from './sign-in-methods.ts'

interface Parts {
  crm: Crm
  database: Knex
  mailContext: MailContext | undefined
}

type Handler = RequestHandler<any>

/**
 * Accepts an invitation, or asks for a new one if it has expired. People without an account create one. People with an
 * account sign in first, and then join with one click.
 */
export function invitationRoutes(parts: Parts): Router {
  const { database, mailContext } = parts
  const router = Router()
  const show = showInvitation(parts)
  const closed = showClosedOnGone(parts)

  router.get('/invitation/:token', anybody, show, closed)
  router.post('/invitation/:token', anybody, openNewAccount(parts), showAgainOnError(show), closed)
  router.post('/invitation/:token/membership', anybody, joinByInvitation(database), closed)
  if (mailContext)
    router.post('/invitation/:token/renewal', anybody, requestRenewal(mailContext), showAgainOnError(showClosed(parts)))
  return router
}

/** How an invited person may want to sign in from now on; the first one is proposed. */
async function waysOf({ database, mailContext }: Parts, workspace: string): Promise<Way[]> {
  const methods = await signInMethodsOf(database, workspace, mailContext !== undefined)
  const offered = { password: methods.password, code: methods.code, passkey: methods.passkey && methods.mails }
  return ways.filter(it => offered[it])
}

/** A passkey needs mail: without it, nobody who loses the passkey could return. */
const ways = ['password', 'code', 'passkey'] as const
type Way = (typeof ways)[number]

/** Finds the invitation. Only a signed-in user learns whose account it is for. */
function findFor(database: Knex, req: Request<any>) {
  const { workspace, user } = req.portal
  return within(database, { workspace: workspace.id }, async tx => {
    const invitation = await findInvitation(tx, workspace.id, String(req.params.token))
    const holders = await accountHoldersOf(tx, workspace.id, invitation)
    // A session with only the first factor counts as signed out.
    const person = user?.person && !user.person.suspended ? user.person : undefined
    const suspended = await anySuspended(tx, workspace.id, holders)
    return { invitation, held: holders.length > 0, suspended, person, mine: person && holders.includes(person.id) }
  })
}

async function anySuspended(tx: Knex, workspace: string, persons: string[]): Promise<boolean> {
  if (!persons.length) return false
  const rows = await query(tx, {
    text: `select 1 from portal.client_users
           where workspace_id = $1 and id::text = any($2) and suspended_at is not null limit 1`,
    values: [workspace, persons],
  })
  return rows.length > 0
}

const showInvitation =
  (parts: Parts): Handler =>
  async (req, res) => {
    const { workspace, user } = req.portal
    const { invitation, held, suspended, person, mine } = await findFor(parts.database, req)
    const contact = await clientContact(parts.crm, workspace, invitation.client.id)
    req.portal.frame = 'bare'
    if (!held && !person) {
      const ways = await waysOf(parts, workspace.id)
      return res.respond('auth/invitation', { invitation, contact, ways })
    }
    const member = mine && user?.memberships.some(it => it.client === invitation.client.id)
    const address = `/invitation/${req.params.token}`
    res.respond('auth/invitation-known', { invitation, contact, suspended, person, mine, member, address })
  }

const openNewAccount =
  (parts: Parts): Handler =>
  async (req, res) => {
    const { database, mailContext } = parts
    const { workspace } = req.portal
    const { invitation, held, person } = await findFor(database, req)
    if (held || person) return res.redirect(303, here(req))
    const way = chosenWay(req, await waysOf(parts, workspace.id))
    const { name, password } = read<Coming>(way === 'password' ? Joining : Named, req)
    const passwordHash = await hashOf(password, { req, name, way, invitation })
    const account = await within(database, { workspace: workspace.id }, async tx => {
      const opened = await openAccount(tx, req, invitation, { name, passwordHash })
      return opened && accountOf(tx, workspace.id, invitation.email)
    })
    if (!account) return res.redirect(303, here(req))
    const verifications = [{ by: 'invitation' as const, at: req.portal.now.getTime() }]
    const next = way === 'passkey' ? req.portal.url('/account/passkeys?new') : undefined
    await signIn({ database, mailContext }, req, res, { account, next, verifications })
  }

/** The chosen way to sign in, or the proposed one for whatever is not offered. */
const chosenWay = ({ portal }: Request<any>, offered: Way[]): Way | undefined =>
  offered.find(it => it === Object(portal.body).way) ?? offered[0]

interface Chosen {
  req: Request<any>
  name: string
  way: Way | undefined
  invitation: Awaited<ReturnType<typeof findInvitation>>
}

/** Returns the password's hash, or null if none is chosen. Throws Invalid for a weak password. */
async function hashOf(password: string | undefined, { req, name, way, invitation }: Chosen): Promise<string | null> {
  if (password === undefined) return null
  const own = [name, invitation.name, invitation.email, invitation.client.name, req.portal.workspace.name]
  const weak = await weakness(password, own)
  if (weak) throw new Invalid({ password: [weak] }, { name, way })
  return hashPassword(password)
}

const joinByInvitation =
  (database: Knex): Handler =>
  async (req, res) => {
    const { invitation, person, mine } = await findFor(database, req)
    if (!person || !mine) return res.redirect(303, here(req))
    const scope = { workspace: req.portal.workspace.id }
    await within(database, scope, tx => joinClient(tx, req, invitation, person))
    req.portal.sessionRequest.session.client = invitation.client.id
    await saveSession(req)
    res.redirect(303, req.portal.url('/'))
  }

/** The page of the invitation. */
const here = ({ portal, params }: Request<any>) => portal.url(`/invitation/${encodeURIComponent(params.token)}`)

/** Who chooses no password sends none. */
interface Coming {
  name: string
  password?: string | undefined
}

const Named = z.object({
  name: personName('Enter your name.'),
  password: z.undefined().catch(undefined),
})

const Joining = Named.extend({ password: z.string('Choose a password.') })
