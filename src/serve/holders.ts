import type { Request } from 'express'
import type { Knex } from 'knex'
import { type Event, note } from '../activity.ts'
import { type Holders, halfOf } from '../auth/holders.ts'
import type { Prover } from '../auth/step-up.ts'
import { within } from '../database.ts'
import { SignedOut } from '../errors.ts'
import { anyStaff } from '../section.ts'
import { enterStaff, presentIn } from './session.ts'
import type { StaffOf } from './staff.ts'

interface Parts {
  database: Knex
  staff: StaffOf
}

/** Staff of a portal that stands alone, for the pages of second factors that they share with clients. */
export const staffHolders = ({ database, staff }: Parts): Holders => ({
  signedIn: anyStaff,
  mailsCodes: false,
  rescue: 'operator',
  demand: () => undefined,
  mine,
  changed: (tx, req, event) => settle(staff, tx, req, event),
  inside: (req, work) => (req.portal.staff ? changing({ database, staff }, req, work) : plainly(database, req, work)),

  async waiting(req) {
    const half = halfOf(req, 'staff')
    const workspace = req.portal.workspace
    const who = half && (await staff.find(workspace, half.person))
    if (!half || !who || who.state !== half.state) return undefined
    return {
      person: who.id,
      email: half.email,
      whose: [{ workspace: workspace.id, person: who.id, staff: true }],
      async recovered(tx) {
        await note(tx, req, { event: 'account.recovered', actor: { kind: 'staff', id: who.id, name: who.name } })
      },
      async enter(res, proof) {
        await enterStaff(req, res, { who, next: half.next, proofs: [half.proof, proof] })
      },
    }
  },

  opens: async () => true,

  async byPasskey(req, person) {
    const half = halfOf(req, 'staff')
    const who = person ? await staff.find(req.portal.workspace, person) : undefined
    if (!who) return undefined
    const first = half?.person === who.id && half.state === who.state ? half : undefined
    return {
      async enter(res, proof, next) {
        const proofs = first ? [first.proof, proof] : [proof]
        await enterStaff(req, res, { who, next: first ? first.next : next, proofs })
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
 * A transaction in which somebody changes how they sign in, one after the other. A session that an earlier change has
 * ended changes nothing any more.
 */
export const changing = <T>(
  { database, staff }: Parts,
  req: Request<any>,
  work: (tx: Knex.Transaction) => Promise<T>,
): Promise<T> =>
  plainly(database, req, async tx => {
    const now = await staff.lock(tx, req.portal.workspace, presentIn(req))
    if (now?.state !== req.portal.aside.session.staff?.state) throw new SignedOut()
    return work(tx)
  })

/** Called within that transaction, after a change: this session goes on, and every other one has ended by it. */
export async function settle(staff: StaffOf, tx: Knex, req: Request<any>, event: Event) {
  await note(tx, req, event)
  const now = await staff.lock(tx, req.portal.workspace, presentIn(req))
  const { staff: held } = req.portal.aside.session
  if (now && held) held.state = now.state
}

/** Staff who are signed in, as those who prove who they are before they change a second factor. */
export const staffProver =
  (staff: StaffOf) =>
  async (req: Request<any>): Promise<Prover> => {
    const { id, email, factor, app, passkey } = presentIn(req)
    return {
      id,
      email,
      factor,
      app,
      passkey,
      whose: [mine(req)],
      password: true,
      knows: async typed => (await staff.verify(req.portal.workspace, email, typed))?.id === id,
      back: req.portal.url('/account'),
    }
  }
