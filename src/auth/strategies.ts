import type { Request } from 'express'
import { Passport, type Strategy } from 'passport'
import { Strategy as LocalStrategy } from 'passport-local'
import type { Identity } from '../crm/crm.ts'
import { Gone } from '../http/errors.ts'
import { within } from '../platform/database.ts'
import type { FactorOwners } from './factor-owners.ts'
import type { Account, MailContext } from './mail-context.ts'
import type { Passkeys } from './passkeys.ts'
import { accountOf, admitted } from './people.ts'
import { useToken } from './tokens.ts'
import { verifyTypedCode } from './typed-code.ts'
import { verifyPassword } from './verify-password.ts'

/** The outcome of a sign-in attempt. */
interface StrategyOutcome<User> {
  /** The account, if the attempt succeeded. */
  account: User | undefined
  /** Why there is no account. */
  reason: string
  /** The address that the strategy redirects the browser to. */
  redirect: string | undefined
  /** Takes back the attempt that the strategy counted. */
  succeeded(): Promise<void>
}

interface StrategyInput {
  /** The strategy's `req.body`. */
  body: object
  /** The strategy's `req.session`, in place of the host's. */
  session?: object
  /** The strategy's options. */
  options?: object
}

export type Authenticate<Users> = <Name extends keyof Users & string>(
  req: Request<any>,
  name: Name,
  seen: StrategyInput,
) => Promise<StrategyOutcome<Users[Name]>>

/**
 * Creates our own Passport instance with these strategies, and without sessions: `signIn` alone begins a session. A
 * strategy gets a request that inherits from the host's, so what Passport and strategies write to it, such as
 * `req.user`, never reaches the host. Throws a strategy's error.
 */
export function authenticator<Users extends object>(strategies: Record<keyof Users, Strategy>): Authenticate<Users> {
  const passport = new Passport()
  for (const [name, strategy] of Object.entries<Strategy>(strategies)) passport.use(name, strategy)

  return (req, name, { body, session, options }) =>
    new Promise((resolve, reject) => {
      const apart = Object.create(req, Object.getOwnPropertyDescriptors({ body, session }))
      const none: StrategyOutcome<any> = {
        account: undefined,
        reason: '',
        redirect: undefined,
        succeeded: async () => undefined,
      }
      const done = (error: unknown, account?: object | false, info?: any) => {
        if (error) return reject(error)
        if (account) return resolve({ ...none, account, ...(info?.succeeded && { succeeded: info.succeeded }) })
        resolve({ ...none, reason: typeof info === 'string' ? info : (info?.message ?? '') })
      }
      const answer = redirection(redirect => resolve({ ...none, redirect }))
      passport.authenticate(name, { ...options, session: false }, done)(apart, answer, () => resolve(none))
    })
}

/** A stand-in for the response that records Passport's redirect; the route decides how to send it. */
function redirection(redirected: (address: string) => void) {
  let address = ''
  return {
    setHeader(name: string, value: string) {
      if (name === 'Location') address = value
    },
    end: () => redirected(address),
  }
}

interface StrategyResult<User> {
  account: User | undefined
  /** The reason, if there is no account. */
  reason: string
  succeeded?(): Promise<void>
}

/** Makes a strategy of a function that finds the account. */
const strategyOf = (find: (req: Request<any>) => Promise<StrategyResult<object>>): Strategy => ({
  authenticate(req) {
    find(req).then(
      ({ account, reason, succeeded }) => (account ? this.success(account, { succeeded }) : this.fail(reason)),
      error => this.error(error),
    )
  },
})

/** Signs in by e-mail and password: fields `email` and `password`. */
export const passwordStrategy = (
  find: (req: Request<any>, email: string, typed: string) => Promise<StrategyResult<object>>,
): Strategy =>
  new LocalStrategy({ usernameField: 'email', passReqToCallback: true }, (req, email, typed, done) => {
    find(req, email, typed).then(({ account, reason }) => done(null, account ?? false, { message: reason }), done)
  })

/** Signs in by a passkey: field `credential`. */
export const passkeyStrategy = (holders: Pick<FactorOwners, 'findByPasskey'>, keys: Passkeys): Strategy =>
  strategyOf(async req => ({
    account: await holders.findByPasskey(req, await keys.prove(req, req.body.credential)),
    reason: 'This passkey isn’t registered here. Sign in another way.',
  }))

/** The users of clients' strategies, by the strategy's name. */
export interface ClientUsers {
  [custom: `with ${string}`]: object
  password: Account
  code: Account
  link: Account
  passkey: NonNullable<Awaited<ReturnType<FactorOwners['findByPasskey']>>>
}

interface Parts extends Pick<MailContext, 'database' | 'limits' | 'secrets'> {
  holders: FactorOwners
  identity: Identity | undefined
  keys: Passkeys
}

/** The strategies of clients' people. Each returns only accounts that may sign in. */
export const clientStrategies = (parts: Parts): Record<keyof ClientUsers, Strategy> => ({
  password: clientPassword(parts),
  code: mailedCode(parts),
  link: mailedLink(parts),
  passkey: passkeyStrategy(parts.holders, parts.keys),
})

/**
 * Uses the CRM's password, if it has any, for people without a password in the portal. Unknown addresses are checked
 * with the CRM too, so that the timing is the same.
 */
const clientPassword = ({ database, identity }: Parts) =>
  passwordStrategy(async (req, email, typed) => {
    const { workspace } = req.portal
    const address = email.trim().toLowerCase()
    const stored = await within(database, { workspace: workspace.id }, tx => accountOf(tx, workspace.id, address))
    const right = await verifyPassword(identity, workspace, stored, typed, email)
    const reason = right && stored?.suspended ? 'Your access has been suspended.' : wrongPasswordMessage
    return { account: right ? admitted(stored) : undefined, reason }
  })

export const wrongPasswordMessage = 'That e-mail and password don’t match.'

/** Signs in by a mailed code: fields `request` (the id of the request for the code) and `code`. Throws TooOften. */
const mailedCode = ({ database, limits, secrets: [secret = ''] }: Parts) =>
  strategyOf(async req => {
    const workspace = req.portal.workspace.id
    const typed = { kind: 'sign-in' as const, id: req.body.request, code: req.body.code, secret }
    const { used, succeeded } = await verifyTypedCode({ database, limits }, req, typed)
    const account = used && (await within(database, { workspace }, tx => accountOf(tx, workspace, used.email)))
    const reason = 'This code is wrong or has expired.'
    return { account: admitted(account), reason, succeeded }
  })

/** Signs in by a mailed link: field `token`. Throws Gone. */
const mailedLink = ({ database }: Parts) =>
  strategyOf(async req => {
    const workspace = req.portal.workspace.id
    const found = await within(database, { workspace }, async tx => {
      const { email } = await useToken(tx, workspace, 'sign-in', req.body.token)
      return accountOf(tx, workspace, email)
    })
    const account = admitted(found)
    if (!account) throw new Gone()
    return { account, reason: '' }
  })
