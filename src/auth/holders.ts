import type { Request, Response } from 'express'
import type { Knex } from 'knex'
import { type Event, note } from '../activity.ts'
import { query, within } from '../database.ts'
import { anyMember, type Rule } from '../section.ts'
import { type Demand, demandOf } from './demand.ts'
import { disowning } from './disown.ts'
import { enter } from './enter.ts'
import { factorsOf, type Whose } from './factors.ts'
import type { Named } from './passkeys.ts'
import { accountOf, mayEnter } from './people.ts'
import { endOthers } from './reset.ts'
import type { Proof } from './sessions.ts'
import { type Account, linkTo, mailing, type Ways, write } from './way.ts'

/** Whose second factors the pages are of: clients' people, or staff of a portal that stands alone. */
export interface Holders {
  /** The rule of pages about one's own. */
  signedIn: Rule
  /** Who is signed in. */
  mine(req: Request<any>): Named
  /** A transaction in which somebody changes their own, or uses one on the way in. */
  inside<T>(req: Request<any>, work: (tx: Knex.Transaction) => Promise<T>): Promise<T>
  /** A second factor came or went: other sessions end, and it is told. Called within that transaction. */
  changed(tx: Knex, req: Request<any>, event: Event, letter: FactorLetter): Promise<void>
  /** Where they are asked to have one. */
  demand(req: Request<any>): Demand | undefined
  /** Who has shown the first factor and not the second yet, as long as that counts. */
  waiting(req: Request<any>): Promise<Waiting | undefined>
  /** Whether a passkey may let somebody in who is not signed in. */
  opens(req: Request<any>): Promise<boolean>
  /** Who has this passkey, where it lets them in. */
  byPasskey(req: Request<any>, person: string | undefined): Promise<Entering | undefined>
  /** Whether codes by mail are a way in here. */
  mailsCodes: boolean
  /** Who takes second factors off an account whose owner has lost everything. */
  rescue: 'workspace' | 'operator'
}

type FactorLetter = 'factor-added' | 'passkey-added' | 'factor-fewer' | 'factor-removed'

interface Entering {
  /** Begins the session; `next` is where they wanted to go, unless that is known. */
  enter(res: Response, proof: Proof, next?: string): Promise<void>
}

interface Waiting extends Entering {
  person: string
  email: string
  /** Whose second factors let them in; of nobody, where they may not come in any more. */
  whose: Whose[]
  /** Tells that it was a recovery code. */
  recovered(tx: Knex): Promise<void>
}

interface Parts extends Pick<Ways, 'database' | 'secrets'> {
  mailed: Ways | undefined
  /** Whether a passkey is enough to sign in; as second factor, and before chosen actions, it always does. */
  alone(req: Request<any>): Promise<boolean>
}

/** Clients' people; where one human has several accounts, the second factors of all. */
export function clientHolders({ alone, database, mailed, secrets }: Parts): Holders {
  const inside: Holders['inside'] = (req, work) =>
    mailed ? mailing(mailed, req, work) : within(database, { workspace: req.portal.workspace.id }, work)

  return {
    signedIn: anyMember,
    mailsCodes: mailed !== undefined,
    rescue: 'workspace',
    inside,
    demand: req => demandOf(req.portal),

    mine({ portal: { workspace, customer } }) {
      const { id, email, name } = customer.person
      return { workspace: workspace.id, person: id, email, name }
    },

    async changed(tx, req, event, letter) {
      await endOthers(tx, req)
      await note(tx, req, event)
      if (mailed) await tellFactor(mailed, req, tx, letter)
    },

    waiting: req => waitingClient({ database, mailed, secrets }, req),
    opens: async req => halfOf(req) !== undefined || alone(req),
    byPasskey: (req, person) => clientByPasskey({ alone, database, mailed }, req, person),
  }
}

async function waitingClient(
  { database, mailed, secrets }: Omit<Parts, 'alone'>,
  req: Request<any>,
): Promise<Waiting | undefined> {
  const half = halfOf(req)
  if (!half) return undefined
  const workspace = req.portal.workspace.id
  const account = await within(database, { workspace }, tx => accountOf(tx, workspace, half.email))
  const known = mayEnter(account) && account.id === half.person ? account : undefined
  return {
    person: half.person,
    email: half.email,
    whose: (known?.persons ?? []).map(person => ({ workspace, person })),
    async recovered(tx) {
      if (known) await tellRecovered({ mailed, secrets }, req, tx, known)
    },
    async enter(res, proof) {
      if (!known) throw new Error('nobody may come in')
      await enter({ database, mailed }, req, res, { account: known, next: half.next, proofs: [half.proof, proof] })
    },
  }
}

async function clientByPasskey(
  { alone, database, mailed }: Omit<Parts, 'secrets'>,
  req: Request<any>,
  person: string | undefined,
): Promise<Entering | undefined> {
  const workspace = req.portal.workspace.id
  const half = halfOf(req)
  const account = await within(database, { workspace }, tx => holder(tx, workspace, person, half))
  const first = half?.person === account?.id ? half : undefined
  if (!mayEnter(account) || !(first || (await alone(req)))) return undefined
  return {
    async enter(res, proof, next) {
      const proofs = first ? [first.proof, proof] : [proof]
      await enter({ database, mailed }, req, res, { account, next: half ? half.next : next, proofs })
    },
  }
}

/** Whoever is on the way in already, where this passkey is that human's; else whose it is. */
async function holder(tx: Knex, workspace: string, person: string | undefined, half: ReturnType<typeof halfOf>) {
  if (!person) return undefined
  const first = half && (await accountOf(tx, workspace, half.email))
  if (first?.id === half?.person && first?.persons.includes(person)) return first
  const [row] = await query<{ email: string }>(tx, {
    text: 'select email from portal.client_users where workspace_id = $1 and id = $2',
    values: [workspace, person],
  })
  return row && accountOf(tx, workspace, row.email)
}

async function tellFactor(mailed: Ways, req: Request<any>, tx: Knex, kind: FactorLetter) {
  const { person } = req.portal.customer
  await write(
    mailed,
    req,
    tx,
    kind,
    { ...person, person: person.id },
    {
      facts: ({ time }) => ({ time: time(req.portal.now) }),
      url: await disowning(mailed, req, tx, person),
    },
  )
}

async function tellRecovered(
  { mailed, secrets }: Pick<Parts, 'mailed' | 'secrets'>,
  req: Request<any>,
  tx: Knex,
  account: Account,
) {
  const { recovery } = await factorsOf(tx, { workspace: req.portal.workspace.id, person: account.id }, secrets)
  await note(tx, req, {
    event: 'account.recovered',
    actor: { kind: 'client', id: account.id, name: account.name, client: account.memberships[0]?.client ?? '' },
  })
  if (!mailed) return
  const to = { ...account, person: account.id }
  const filling = { facts: { left: recovery }, url: linkTo(mailed, req, '/forgot-password') }
  await write(mailed, req, tx, 'recovered', to, filling)
}

/** How long after the first factor the second may come, in milliseconds. */
const patience = 10 * 60_000

/** Who has shown the first factor in this session and not the second, as long as that counts. */
export function halfOf(req: Request<any>, of: 'client' | 'staff' = 'client') {
  const { half, workspace } = req.portal.aside.session
  const theirs = of === (half?.state === undefined ? 'client' : 'staff')
  const here = half && theirs && workspace === req.portal.workspace.id
  return here && half.proof.at > req.portal.now.getTime() - patience ? half : undefined
}
