import type { Request } from 'express'
import type { Knex } from 'knex'
import { type FactorOwners, pendingFactorOf } from '../auth/factor-owners.ts'
import type { StepUpUser } from '../auth/step-up.ts'
import { SignInRequired } from '../http/errors.ts'
import { type Event, recordEventIn } from '../platform/activity.ts'
import { within } from '../platform/database.ts'
import { anyStaff } from '../plugin/permissions.ts'
import { presentIn, signInStaff } from './session.ts'
import type { StaffOf } from './staff.ts'

interface Parts {
  database: Knex
  staff: StaffOf
}

/** Factor owners for stand-alone staff, for the second-factor pages that they share with clients. */
export const staffFactorOwners = ({ database, staff }: Parts): FactorOwners => ({
  signedIn: anyStaff,
  canMailCodes: false,
  recoveredBy: 'operator',
  mfaPolicy: () => undefined,
  currentUser: mine,
  factorChanged: (tx, req, event) => settle(staff, tx, req, event),
  transaction: (req, work) =>
    req.portal.staff ? changing({ database, staff }, req, work) : plainly(database, req, work),

  async pendingSignIn(req) {
    const half = pendingFactorOf(req, 'staff')
    const workspace = req.portal.workspace
    const who = half && (await staff.find(workspace, half.person))
    if (!half || !who || who.state !== half.state) return undefined
    return {
      person: who.id,
      email: half.email,
      owners: [{ workspace: workspace.id, person: who.id, staff: true }],
      async recovered(tx) {
        await recordEventIn(tx, req, {
          event: 'account.recovered',
          actor: { kind: 'staff', id: who.id, name: who.name },
        })
      },
      async signIn(res, proof) {
        await signInStaff(req, res, { who, next: half.next, verifications: [half.proof, proof] })
      },
    }
  },

  allowsPasskeySignIn: async () => true,

  async findByPasskey(req, person) {
    const half = pendingFactorOf(req, 'staff')
    const who = person ? await staff.find(req.portal.workspace, person) : undefined
    if (!who) return undefined
    const first = half?.person === who.id && half.state === who.state ? half : undefined
    return {
      async signIn(res, proof, next) {
        const verifications = first ? [first.proof, proof] : [proof]
        await signInStaff(req, res, { who, next: first ? first.next : next, verifications })
      },
    }
  },
})

function mine(req: Request<any>) {
  const { id, email, name } = presentIn(req)
  return { workspace: req.portal.workspace.id, person: id, email, name, staff: true }
}

const plainly = <T>(database: Knex, { portal }: Request<any>, work: (tx: Knex.Transaction) => Promise<T>) =>
  within(database, { workspace: portal.workspace.id }, work)

/**
 * Runs a transaction in which somebody changes their sign-in methods, one at a time. A session that an earlier change
 * has ended cannot change anything.
 */
export const changing = <T>(
  { database, staff }: Parts,
  req: Request<any>,
  work: (tx: Knex.Transaction) => Promise<T>,
): Promise<T> =>
  plainly(database, req, async tx => {
    const now = await staff.lock(tx, req.portal.workspace, presentIn(req))
    if (now?.state !== req.portal.sessionRequest.session.staff?.state) throw new SignInRequired()
    return work(tx)
  })

/** Keeps this session after a change; every other one has ended by it. Call it within that transaction. */
export async function settle(staff: StaffOf, tx: Knex, req: Request<any>, event: Event) {
  await recordEventIn(tx, req, event)
  const now = await staff.lock(tx, req.portal.workspace, presentIn(req))
  const { staff: held } = req.portal.sessionRequest.session
  if (now && held) held.state = now.state
}

/** Returns the signed-in staff for the step-up before they change a second factor. */
export const staffStepUpUser =
  (staff: StaffOf) =>
  async (req: Request<any>): Promise<StepUpUser> => {
    const { id, email, factor, app, passkey } = presentIn(req)
    return {
      id,
      email,
      factor,
      app,
      passkey,
      factorOwners: [mine(req)],
      password: true,
      verifyPassword: async typed => (await staff.verify(req.portal.workspace, email, typed))?.id === id,
      back: req.portal.url('/account'),
    }
  }
