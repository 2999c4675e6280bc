import { type Request, type RequestHandler, type Response, Router } from 'express'
import { z } from 'zod'
import { Invalid, NotFound } from '../http/errors.ts'
import { showAgainOnError } from '../http/respond.ts'
import { anybody } from '../http/rules.ts'
import { within } from '../platform/database.ts'
import type { Log } from '../platform/log.ts'
import { strategyName } from './custom-strategies.ts'
import { addressOf } from './identity.ts'
import type { Account, MailContext } from './mail-context.ts'
import { rememberSignIn, resumeSignIn } from './pending.ts'
import { accountOf, admitted } from './people.ts'
import { refuseSignIn, signIn } from './sign-in.ts'
import { offeredStrategies } from './sign-in-methods.ts'
import type { SignInStrategy } from './sign-in-strategy.ts'
import type { Authenticate, ClientUsers } from './strategies.ts'

interface Parts extends Pick<MailContext, 'database' | 'limits' | 'secrets'> {
  authenticate: Authenticate<ClientUsers>
  log: Log
  mailContext: MailContext | undefined
  /** Shows the sign-in page again, with the error. */
  show: RequestHandler
  /** Where clients find the portal; taken from the request if omitted. */
  address: string | undefined
  strategies: SignInStrategy[]
}

/** An identity provider may post its response by a form of its own. */
export const callbackPath = /^\/sign-in\/with\/[^/]+\/callback$/

/** Signs in by a Passport strategy of the CRM. */
export function signInWith(parts: Parts): Router {
  const router = Router()
  const { show } = parts

  router.post(
    '/sign-in/with/:name',
    anybody,
    async (req, res) => {
      const strategy = await strategyOf(parts, req)
      const { next } = Next.parse(req.portal.body ?? {})
      await attempt(parts, req, res, { strategy, body: beginning(req), session: {}, next })
    },
    showAgainOnError(show),
  )

  const callback: RequestHandler = async (req, res) => {
    const strategy = await strategyOf(parts, req)
    const { session, next } = await resumeSignIn(parts, req, res, strategy.name)
    await attempt(parts, req, res, { strategy, body: Object(req.portal.body), session, next })
  }
  router.get('/sign-in/with/:name/callback', anybody, callback, showAgainOnError(show))
  router.post('/sign-in/with/:name/callback', anybody, callback, showAgainOnError(show))

  return router
}

/**
 * A request without any input: a provider's response counts only at the callback, which knows the browser that began.
 * SAML has no state of its own; it returns what it was given as RelayState.
 */
function beginning({ query }: Request) {
  if (Object.keys(query).length) throw new NotFound()
  return { RelayState: crypto.randomUUID() }
}

/** The page to continue to; dropped if it is too long for a cookie. */
const Next = z.object({ next: z.string().max(500).optional().catch(undefined) })

interface Attempt {
  strategy: SignInStrategy
  body: object
  /** The strategy's state between redirect and callback. */
  session: object
  next: string | undefined
}

/** Runs the strategy once. Counts as an attempt, unless the strategy redirects. */
async function attempt(parts: Parts, req: Request, res: Response, { strategy, body, session, next }: Attempt) {
  const { authenticate, database, limits, log, mailContext } = parts
  const succeeded = await limits.count(req, {})
  const options = { callbackURL: callbackOf(parts, req, strategy) }
  const {
    account: user,
    redirect,
    reason,
  } = await authenticate(req, strategyName(strategy), {
    body,
    session,
    options,
  }).catch(async error => {
    // A failure of the identity provider is not a wrong attempt.
    await succeeded()
    return failed(parts, req, strategy, error)
  })
  if (redirect) {
    await succeeded()
    return leave(parts, req, res, { strategy, redirect, session, next })
  }
  if (!user) {
    log.info({ strategy: strategy.name, reason, request: req.portal.id }, 'a sign-in strategy refused somebody')
    return refuseSignIn(req, '', 'with', 'You weren’t signed in there. Try again, or sign in another way.', { next })
  }
  const account = await accountFor(parts, req, user, next)
  await succeeded()
  const verifications = [{ by: 'custom' as const, at: req.portal.now.getTime(), title: strategy.title }]
  await signIn({ database, mailContext }, req, res, { account, next, verifications })
}

/** Finds the strategy. Throws NotFound if it does not exist or is not offered in this workspace. */
async function strategyOf({ database, strategies }: Parts, req: Request): Promise<SignInStrategy> {
  const offered = await offeredStrategies(database, req.portal.workspace, strategies)
  const found = offered.find(it => it.name === req.params.name)
  if (!found) throw new NotFound()
  return found
}

const callbackOf = ({ address }: Parts, req: Request, { name }: SignInStrategy) => {
  const path = `/sign-in/with/${name}/callback`
  return address
    ? `${address}/${req.portal.workspace.slug}${path}`
    : `${req.protocol}://${req.get('host')}${req.portal.url(path)}`
}

function failed({ log }: Parts, req: Request, { name }: SignInStrategy, error: unknown): never {
  log.error({ strategy: name, err: error, request: req.portal.id }, 'a sign-in strategy failed')
  throw new Invalid({ with: ['Signing in there does not work right now. Try again, or sign in another way.'] }, {})
}

interface Leaving extends Omit<Attempt, 'body'> {
  redirect: string
}

/**
 * Leaves by a page instead of a redirect: our own form must not follow a redirect to another origin (`form-action`).
 */
function leave({ secrets }: Parts, req: Request, res: Response, { strategy, redirect, session, next }: Leaving) {
  const { name, title } = strategy
  const { href, protocol, searchParams } = new URL(redirect)
  if (!/^https?:$/.test(protocol)) throw new Error(`strategy ${name} redirects to ${protocol}`)
  const state = searchParams.get('state') ?? searchParams.get('RelayState') ?? ''
  if (state.length < 16) throw new Error(`strategy ${name} redirects without a random state of 16 characters or more`)
  rememberSignIn({ secrets }, req, res, { name, state, session, next })
  req.portal.frame = 'bare'
  res.set('Refresh', `0;url=${href}`)
  res.respond('auth/leaving', { title, address: href })
}

const Id = z.union([z.string().min(1), z.number()]).transform(String)

/** The users that a strategy may report. */
const User = z.union([
  z.object({ contact: Id, client: Id }),
  z.object({ email: z.string().trim().toLowerCase().min(1).max(320), emailVerified: z.unknown().optional() }),
])

/** Finds the account of a reported user. Shows the error beside the buttons if they may not sign in. */
async function accountFor(
  { database }: Parts,
  req: Request,
  reported: unknown,
  next: string | undefined,
): Promise<Account> {
  const workspace = req.portal.workspace.id
  const user = User.parse(reported)
  const email = 'email' in user ? user.email : ''
  const no = (sentence: string) => refuseSignIn(req, email, 'with', sentence, { next })
  if ('email' in user && user.emailVerified !== true)
    return no('Your e-mail address is not confirmed there. Confirm it there first, or sign in another way.')
  const account = await within(database, { workspace }, async tx => {
    const address = 'email' in user ? user.email : await addressOf(tx, workspace, user)
    return address === undefined ? undefined : accountOf(tx, workspace, address)
  })
  if (account?.suspended) return no('Your access has been suspended.')
  return admitted(account) ?? no('You have no account here yet. Ask for an invitation, or sign in another way.')
}
