import type { Request, Response } from 'express'
import type { Knex } from 'knex'
import type { Rule } from '../http/rules.ts'
import { type Event, recordEventIn } from '../platform/activity.ts'
import { query, within } from '../platform/database.ts'
import { anyMember } from '../plugin/permissions.ts'
import { newRecoveryLink } from './account-recovery.ts'
import { type FactorOwner, factorsOf } from './factors.ts'
import { type Account, linkTo, type MailContext, sendMail, withMail } from './mail-context.ts'
import { type MfaPolicy, mfaPolicyFor } from './mfa-policy.ts'
import type { Named } from './passkeys.ts'
import { accountOf, admitted } from './people.ts'
import { endOtherSessions } from './reset.ts'
import type { Verification } from './sessions.ts'
import { signIn } from './sign-in.ts'
import { signInMethodsOf } from './sign-in-methods.ts'

/** The accounts that second-factor pages work on: clients' people, or staff of a stand-alone portal. */
export interface FactorOwners {
  /** The rule of the pages about one's own second factors. */
  signedIn: Rule
  /** Returns the signed-in user. */
  currentUser(req: Request<any>): Named
  /** Runs a transaction in which somebody changes a second factor, or signs in by one. */
  transaction<T>(req: Request<any>, work: (tx: Knex.Transaction) => Promise<T>): Promise<T>
  /**
   * Ends the other sessions after a second factor was added or removed, logs it and mails the owner. Call it within
   * that transaction.
   */
  factorChanged(tx: Knex, req: Request<any>, event: Event, letter: FactorMail): Promise<void>
  /** The MFA policy that applies to the signed-in user. */
  mfaPolicy(req: Request<any>): MfaPolicy | undefined
  /** Returns who has entered the first factor but not the second; undefined once that has expired. */
  pendingSignIn(req: Request<any>): Promise<PendingSignIn | undefined>
  /** Whether a passkey may sign in somebody who is not signed in yet. */
  allowsPasskeySignIn(req: Request<any>): Promise<boolean>
  /** Returns the owner of this passkey, if it may sign them in. */
  findByPasskey(req: Request<any>, person: string | undefined): Promise<SignInStep | undefined>
  /** Whether codes by mail are offered as a sign-in method. */
  canMailCodes: boolean
  /** Who removes the second factors of an account whose owner has lost all of them. */
  recoveredBy: 'workspace' | 'operator'
}

type FactorMail = 'factor-added' | 'passkey-added' | 'factor-fewer' | 'factor-removed'

interface SignInStep {
  /** Begins the session. `next` is the page to continue to, unless it is stored already. */
  signIn(res: Response, proof: Verification, next?: string): Promise<void>
}

interface PendingSignIn extends SignInStep {
  person: string
  email: string
  /** The accounts whose second factors may complete the sign-in; empty if they may no longer sign in. */
  owners: FactorOwner[]
  /** Mails the owner that a recovery code was used. */
  recovered(tx: Knex): Promise<void>
}

interface Parts extends Pick<MailContext, 'database' | 'secrets'> {
  mailContext: MailContext | undefined
}

/** Whether a passkey alone is enough to sign in. As a second factor and for step-up it always counts. */
const allowsPasskeyAlone = async (
  { database, mailContext }: Pick<Parts, 'database' | 'mailContext'>,
  req: Request<any>,
) => (await signInMethodsOf(database, req.portal.workspace.id, mailContext !== undefined)).passkey

/** Factor owners for clients' people. Where one human has several accounts, the second factors of all of them count. */
export function clientFactorOwners({ database, mailContext, secrets }: Parts): FactorOwners {
  const inside: FactorOwners['transaction'] = (req, work) =>
    mailContext ? withMail(mailContext, req, work) : within(database, { workspace: req.portal.workspace.id }, work)

  return {
    signedIn: anyMember,
    canMailCodes: mailContext !== undefined,
    recoveredBy: 'workspace',
    transaction: inside,
    mfaPolicy: req => mfaPolicyFor(req.portal),

    currentUser({ portal: { workspace, customer } }) {
      const { id, email, name } = customer.person
      return { workspace: workspace.id, person: id, email, name }
    },

    async factorChanged(tx, req, event, letter) {
      await endOtherSessions(tx, req)
      await recordEventIn(tx, req, event)
      if (mailContext) await mailFactorChange(mailContext, req, tx, letter)
    },

    pendingSignIn: req => pendingClientSignIn({ database, mailContext, secrets }, req),
    allowsPasskeySignIn: async req =>
      pendingFactorOf(req) !== undefined || allowsPasskeyAlone({ database, mailContext }, req),
    findByPasskey: (req, person) => findClientByPasskey({ database, mailContext }, req, person),
  }
}

async function pendingClientSignIn(
  { database, mailContext, secrets }: Parts,
  req: Request<any>,
): Promise<PendingSignIn | undefined> {
  const half = pendingFactorOf(req)
  if (!half) return undefined
  const workspace = req.portal.workspace.id
  const account = await within(database, { workspace }, tx => accountOf(tx, workspace, half.email))
  const known = account?.id === half.person ? admitted(account) : undefined
  return {
    person: half.person,
    email: half.email,
    owners: (known?.persons ?? []).map(person => ({ workspace, person })),
    async recovered(tx) {
      if (known) await mailRecoveryUsed({ mailContext, secrets }, req, tx, known)
    },
    async signIn(res, proof) {
      if (!known) throw new Error('nobody may come in')
      await signIn({ database, mailContext }, req, res, {
        account: known,
        next: half.next,
        verifications: [half.proof, proof],
      })
    },
  }
}

async function findClientByPasskey(
  { database, mailContext }: Omit<Parts, 'secrets'>,
  req: Request<any>,
  person: string | undefined,
): Promise<SignInStep | undefined> {
  const workspace = req.portal.workspace.id
  const half = pendingFactorOf(req)
  const account = admitted(await within(database, { workspace }, tx => findPasskeyOwner(tx, workspace, person, half)))
  const first = half?.person === account?.id ? half : undefined
  if (!account || !(first || (await allowsPasskeyAlone({ database, mailContext }, req)))) return undefined
  return {
    async signIn(res, proof, next) {
      const verifications = first ? [first.proof, proof] : [proof]
      await signIn({ database, mailContext }, req, res, { account, next: half ? half.next : next, verifications })
    },
  }
}

/** Returns the pending sign-in if this passkey belongs to that human; otherwise the passkey's owner. */
async function findPasskeyOwner(
  tx: Knex,
  workspace: string,
  person: string | undefined,
  half: ReturnType<typeof pendingFactorOf>,
) {
  if (!person) return undefined
  const first = half && (await accountOf(tx, workspace, half.email))
  if (first?.id === half?.person && first?.persons.includes(person)) return first
  const [row] = await query<{ email: string }>(tx, {
    text: 'select email from portal.client_users where workspace_id = $1 and id = $2',
    values: [workspace, person],
  })
  return row && accountOf(tx, workspace, row.email)
}

async function mailFactorChange(mailContext: MailContext, req: Request<any>, tx: Knex, kind: FactorMail) {
  const { person } = req.portal.customer
  await sendMail(
    mailContext,
    req,
    tx,
    kind,
    { ...person, person: person.id },
    {
      facts: ({ time }) => ({ time: time(req.portal.now) }),
      url: await newRecoveryLink(mailContext, req, tx, person),
    },
  )
}

async function mailRecoveryUsed(
  { mailContext, secrets }: Pick<Parts, 'mailContext' | 'secrets'>,
  req: Request<any>,
  tx: Knex,
  account: Account,
) {
  const { recovery } = await factorsOf(tx, { workspace: req.portal.workspace.id, person: account.id }, secrets)
  await recordEventIn(tx, req, {
    event: 'account.recovered',
    actor: { kind: 'client', id: account.id, name: account.name, client: account.memberships[0]?.client ?? '' },
  })
  if (!mailContext) return
  const to = { ...account, person: account.id }
  const filling = { facts: { left: recovery }, url: linkTo(mailContext, req, '/forgot-password') }
  await sendMail(mailContext, req, tx, 'recovered', to, filling)
}

/** How long after the first factor the second may follow, in milliseconds. */
const pendingLifetime = 10 * 60_000

/** Returns who has entered the first factor in this session but not the second; undefined once that has expired. */
export function pendingFactorOf(req: Request<any>, of: 'client' | 'staff' = 'client') {
  const { pendingFactor: half, workspace } = req.portal.sessionRequest.session
  const theirs = of === (half?.state === undefined ? 'client' : 'staff')
  const here = half && theirs && workspace === req.portal.workspace.id
  return here && half.proof.at > req.portal.now.getTime() - pendingLifetime ? half : undefined
}
