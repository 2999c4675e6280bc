import { type Request, type RequestHandler, Router } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { Gone, Invalid } from '../http/errors.ts'
import { read } from '../http/forms.ts'
import { showAgainOnError } from '../http/respond.ts'
import { anybody } from '../http/rules.ts'
import { recordEventIn } from '../platform/activity.ts'
import { query, within } from '../platform/database.ts'
import { anyMember } from '../plugin/permissions.ts'
import { recoverAccount } from './account-recovery.ts'
import { type ContactParts, keepContactChange, submitContactChanges } from './contact-changes.ts'
import { linkTo, type MailContext, sendMail, withMail } from './mail-context.ts'
import { passwordMatches } from './passwords.ts'
import { accountOf } from './people.ts'
import { configuredLevel } from './step-up.ts'
import { findToken, issueToken, type Token, useToken } from './tokens.ts'

const validMinutes = { confirming: 60, undoing: 7 * 24 * 60 }

/**
 * Changes the e-mail address. Nothing changes until the new address is confirmed. The page does not reveal whether an
 * address is taken.
 */
export function addressRoutes(mailContext: MailContext): Router {
  const router = Router()
  const show: RequestHandler = (_req, res) => res.respond('auth/new-address', {})
  router.get('/address', anyMember, show)
  router.post('/address', anyMember, unless(mailContext), requestAddress(mailContext), showAgainOnError(show))
  return router
}

const requestAddress =
  (mailContext: MailContext): RequestHandler =>
  async (req, res) => {
    const { email, current } = read(Wanted, req)
    const { workspace, customer } = req.portal
    const { person } = customer
    const counted = { account: `change ${person.id}`, mail: `address ${email}` }
    const succeeded = await mailContext.limits.count(req, counted)
    const mine = await within(mailContext.database, { workspace: workspace.id }, tx =>
      accountOf(tx, workspace.id, person.email),
    )
    if (mine?.password_hash && !asksSecond(req) && !(await passwordMatches(mine.password_hash, current)))
      throw new Invalid({ 'address-current': ['This is not your password.'] }, { email })
    await succeeded()
    await mailConfirmation(mailContext, req, email)
    res.redirect(303, req.portal.url('/account?saved=address'))
  }

/** Mails a confirmation to the new address. An address that is taken causes the same work, but no mail. */
const mailConfirmation = (mailContext: MailContext, req: Request<any>, email: string) =>
  withMail(mailContext, req, async tx => {
    const [secret = ''] = mailContext.secrets
    const { workspace, customer } = req.portal
    const { person } = customer
    const taken = await accountOf(tx, workspace.id, email)
    const { token } = await issueToken(tx, {
      workspace: workspace.id,
      kind: 'address',
      person: person.id,
      email,
      minutes: validMinutes.confirming,
      secret,
    })
    const to = taken ? undefined : { ...person, email, person: person.id }
    await sendMail(mailContext, req, tx, 'address', to, { url: linkTo(mailContext, req, `/address/${token}`) })
  })

/**
 * Verifies the person by a step-up where they have no password, or where a password is not enough (OWASP ASVS 5.0,
 * 7.5.1).
 */
const unless =
  ({ database }: MailContext): RequestHandler =>
  async (req, res, next) => {
    const { workspace, customer } = req.portal
    const mine = await within(database, { workspace: workspace.id }, tx =>
      accountOf(tx, workspace.id, customer.person.email),
    )
    if (mine?.password_hash && !asksSecond(req)) return next()
    // The step-up page carries the form's fields, but no password.
    const { current, ...typed } = Object(req.portal.body)
    req.portal.body = typed
    return req.portal.requireStepUp('account.address', res, next)
  }

/** Whether the workspace requires a second factor for this action: a password is then neither enough nor needed. */
const asksSecond = ({ portal }: Request<any>) =>
  configuredLevel(portal.user?.settings ?? [], 'account.address') === 'second'

/** The links that confirm an address change and take it back. They work without signing in. */
export function confirmed(mailContext: MailContext, contacts: ContactParts): Router {
  const router = Router()
  const { database } = mailContext
  router.get('/address/:token', anybody, showChange(database, 'address'))
  router.post('/address/:token', anybody, confirmAddress(mailContext, contacts))
  router.get('/address/undo/:token', anybody, showChange(database, 'undo'))
  router.post('/address/undo/:token', anybody, undoAddress(contacts))
  return router
}

const showChange =
  (database: Knex, kind: 'address' | 'undo'): RequestHandler<any> =>
  async (req, res) => {
    const workspace = req.portal.workspace.id
    const { email } = await within(database, { workspace }, tx => findToken(tx, workspace, kind, req.params.token))
    req.portal.frame = 'bare'
    res.respond('auth/address', { email, undoes: kind === 'undo' })
  }

const confirmAddress =
  (mailContext: MailContext, contacts: ContactParts): RequestHandler<any> =>
  async (req, res) => {
    const { workspace } = req.portal
    const person = await withMail(mailContext, req, async tx => {
      const token = await useToken(tx, workspace.id, 'address', String(req.params.token))
      const before = await change(tx, req, token)
      const actor = { kind: 'client' as const, id: before.id, name: before.name }
      await recordEventIn(tx, req, { event: 'account.address-changed', actor })
      await mailUndo(mailContext, req, tx, before, token.email)
      return before.id
    })
    await submitContactChanges(contacts, workspace, person)
    res.redirect(303, req.portal.url('/account?saved=confirmed'))
  }

/** Mails the former address a link that takes the change back. */
async function mailUndo(mailContext: MailContext, req: Request<any>, tx: Knex, before: Before, email: string) {
  const [secret = ''] = mailContext.secrets
  const { token } = await issueToken(tx, {
    workspace: req.portal.workspace.id,
    kind: 'undo',
    person: before.id,
    email: before.email,
    minutes: validMinutes.undoing,
    secret,
  })
  const to = { ...before, person: before.id }
  await sendMail(mailContext, req, tx, 'address-changed', to, {
    facts: { email },
    url: linkTo(mailContext, req, `/address/undo/${token}`),
  })
}

const undoAddress =
  (contacts: ContactParts): RequestHandler<any> =>
  async (req, res) => {
    const { workspace } = req.portal
    const person = await within(contacts.database, { workspace: workspace.id }, async tx => {
      const token = await useToken(tx, workspace.id, 'undo', String(req.params.token))
      const { id, name, email } = await change(tx, req, token)
      await recoverAccount(tx, workspace.id, token)
      await forgetAddress(tx, workspace.id, id, email)
      await recordEventIn(tx, req, { event: 'account.address-undone', actor: { kind: 'client', id, name } })
      return id
    })
    await submitContactChanges(contacts, workspace, person)
    res.redirect(303, req.portal.url('/forgot-password'))
  }

const Wanted = z.object({
  email: z.string().trim().toLowerCase().max(320).pipe(z.email('Enter an e-mail address, like jo@example.com.')),
  current: z.string().default(''),
})

interface Before {
  id: string
  name: string
  email: string
  language: string | null
  timeZone: string | null
}

/**
 * Changes the address and returns the person as they were before. Throws Gone where the address now belongs to somebody
 * else, or belonged to somebody who is suspended.
 */
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
  await keepContactChange(tx, { workspace, person: before.id }, { email })
  return before
}

/** Whether anybody else who has or had this address is suspended. */
async function wasSuspended(tx: Knex, workspace: string, person: string, email: string): Promise<boolean> {
  const rows = await query(tx, {
    text: `select 1 from portal.client_emails e
             join portal.client_users u on u.workspace_id = e.workspace_id and u.id = e.person_id
           where e.workspace_id = $1 and e.person_id <> $2 and e.email = $3 and u.suspended_at is not null limit 1`,
    values: [workspace, person, email],
  })
  return rows.length > 0
}

/** Forgets an address that somebody else had entered: it was never this person's. */
const forgetAddress = (tx: Knex, workspace: string, person: string, email: string) =>
  query(tx, {
    text: 'delete from portal.client_emails where workspace_id = $1 and person_id = $2 and email = $3',
    values: [workspace, person, email],
  })
