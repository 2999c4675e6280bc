import Big from 'big.js'
import type { Knex } from 'knex'
import { type CoreHost, coreHostOf } from '../../src/auth/host.ts'
import { sendMail } from '../../src/auth/mail-context.ts'
import type { BrandedWorkspace } from '../../src/crm/workspaces.ts'
import { notifyPeople, type Reader } from '../../src/notifications/notify.ts'
import { bySystem, insert } from '../../src/platform/activity.ts'
import { currentTime } from '../../src/platform/clock.ts'
import { query, within } from '../../src/platform/database.ts'
import { dateIn, zoneOf } from '../../src/platform/i18n.ts'
import type { Money } from '../../src/platform/money.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { findPayment, type KeptPayment, lockPayment } from './payments.ts'
import type { ProviderPayment } from './provider.ts'
import { accessTo } from './settings-of.ts'

/** The workspace that a payment belongs to. */
export interface Place {
  id: string
  slug: string
}

/**
 * Asks the provider how a payment stands and keeps what it says. It may be called as often as anything hints at a change,
 * by several processes, and in any order. Throws Unavailable where the provider does not answer.
 */
export async function syncPayment(host: Host, place: Place, id: string): Promise<KeptPayment | undefined> {
  const { database } = host
  const payment = await findPayment(database, { workspace: place.id }, id)
  if (!payment?.session) return payment
  const online = await accessTo(host, place.id, payment.provider)
  if (!online) return payment
  // What was read before somebody else kept something newer is old: it is read again.
  for (let known = payment; ; ) {
    const told = await online.provider.read(online.access, payment.session)
    const newer = await settlePayment(host, place, known, told)
    if (!newer) return findPayment(database, { workspace: place.id }, id)
    known = newer
  }
}

/**
 * Keeps what a provider says of a payment, with all that follows from it, in one transaction. Where the payment is not as
 * it was known before the provider was asked, it keeps nothing and gives the payment as it is.
 */
async function settlePayment(
  host: Host,
  place: Place,
  known: KeptPayment,
  told: ProviderPayment,
): Promise<KeptPayment | undefined> {
  const { database, jobs } = host
  const { workspaces, mailContext } = coreHostOf(host)
  // Asked for before the transaction, which must not wait for a second connection.
  const workspace = await workspaces.find(place.slug)
  const done = await within(database, { workspace: place.id }, async tx => {
    const before = await lockPayment(tx, place.id, known.id)
    if (before && before.version !== known.version) return { newer: before }
    const after = before && afterTold(before, told)
    if (!after) return {}
    await keep(tx, place.id, before, after)
    if (told.customer) await keepCustomer(tx, place.id, before, told.customer)
    await follow(tx, { host, place, workspace }, before, after)
    return { changed: true }
  })
  if (done.changed) {
    jobs.wake()
    mailContext?.outbox.wake()
  }
  return done.newer
}

/** Ends one that its provider does not know, so that nobody can pay it, once it is so old. */
export const cancelUnknown = ({ database }: Host, place: Place, id: string, age = '0 days') =>
  within(database, { workspace: place.id }, tx =>
    query(tx, {
      text: `update portal.client_payments set state = 'cancelled', changed_at = portal.now()
             where workspace_id = $1 and id::text = $2 and state = 'started' and started_at <= portal.now() - $3::interval`,
      values: [place.id, id, age],
    }),
  )

/** The part of a payment that a provider decides. */
interface Standing {
  state: KeptPayment['state']
  charge: string | null
  method: string | null
  failure: string | null
  refunded: string
  dispute: KeptPayment['dispute']
}

/**
 * How a payment stands after what was told; undefined where nothing changes. Money that arrived stays arrived, and it
 * counts also where the payment was given up before.
 */
function afterTold(before: KeptPayment, told: ProviderPayment): Standing | undefined {
  const now: Standing = {
    state: before.state,
    charge: before.charge,
    method: before.method,
    failure: before.failure,
    refunded: before.refunded.amount,
    dispute: before.dispute,
  }
  const after: Standing = {
    state: nextState(before.state, told.state),
    charge: told.charge ?? now.charge,
    method: told.method ?? now.method,
    failure: told.state === 'failed' ? (told.failure ?? now.failure) : now.failure,
    // Refunds are told late or out of order; what went back does not return, but for one that failed.
    refunded: told.state === 'paid' ? (told.refunded ?? now.refunded) : now.refunded,
    dispute: told.state === 'paid' ? (told.dispute ?? now.dispute) : now.dispute,
  }
  const same =
    Big(after.refunded).eq(now.refunded) &&
    (['state', 'charge', 'method', 'failure', 'dispute'] as const).every(it => after[it] === now[it])
  return same ? undefined : after
}

function nextState(now: KeptPayment['state'], told: ProviderPayment['state']): KeptPayment['state'] {
  if (now === 'paid' || told === 'paid') return 'paid'
  if (told === 'open') return now
  if (told === 'expired') return now === 'started' ? 'cancelled' : now
  return told
}

const keep = (tx: Knex, workspace: string, { id, state, total }: KeptPayment, it: Standing) =>
  query(tx, {
    text: `update portal.client_payments set state = $3, charge = $4, method = $5, failure = $6,
             refunded = least($7::numeric, $8::numeric), dispute = $9, changed_at = portal.now(),
             paid_at = case when $3 = 'paid' and $10 <> 'paid' then portal.now() else paid_at end,
             booking = case
               when $3 = 'paid' and booking <> 'booked' and $7::numeric >= $8::numeric then 'none'
               when $3 = 'paid' and booking = 'none' then 'waiting'
               else booking end
           where workspace_id = $1 and id = $2`,
    values: [
      ...[workspace, id, it.state, it.charge, it.method, it.failure],
      ...[it.refunded, total.amount, it.dispute, state],
    ],
  })

const keepCustomer = (tx: Knex, workspace: string, { client, person, provider }: KeptPayment, customer: string) =>
  query(tx, {
    text: `insert into portal.client_payment_customers (workspace_id, client_id, person_id, provider, customer)
           values ($1, $2, $3, $4, $5)
           on conflict (workspace_id, client_id, person_id, provider) do update set customer = excluded.customer`,
    values: [workspace, client, person, provider, customer],
  })

interface Following {
  host: Host
  place: Place
  /** Undefined where nothing is mailed. */
  workspace: BrandedWorkspace | undefined
}

/** What a change means for the log, the CRM's books, and who paid. */
async function follow(tx: Knex, { host, place, workspace }: Following, before: KeptPayment, after: Standing) {
  const tell = (event: string, more: object = {}) =>
    insert(tx, [bySystem(place.id, { event, subject: { ...factsOf(before), ...more } }, before.client)])
  const tellOfPayer = (event: string) =>
    insert(tx, [
      {
        ...bySystem(place.id, { event, subject: factsOf(before) }, before.client),
        ...{ actor_kind: 'client', actor_id: before.person, actor_name: before.payer },
      },
    ])
  const mail = (kind: `pay.${string}`, facts: MailFacts = {}) =>
    tellPayer(tx, coreHostOf(host), workspace, before, { kind, facts })
  if (after.state !== before.state) {
    if (after.state === 'paid') {
      await host.jobs.queue(tx, { job: 'pay.book', workspace: place, data: { id: before.id } })
      await tellOfPayer('pay.paid')
      await mail('pay.received')
      await mailReceipt(tx, coreHostOf(host), { host, place, workspace }, before)
    } else if (after.state === 'processing') {
      await tellOfPayer('pay.processing')
      await mail('pay.underway')
    } else if (after.state === 'failed') {
      await tellOfPayer('pay.failed')
      await mail('pay.failed')
    }
  }
  const back = Big(after.refunded).minus(before.refunded.amount)
  if (back.gt(0)) {
    const amount: Money = { amount: back.toString(), currency: before.amount.currency }
    await tell('pay.refunded', { refund: amount })
    await mail('pay.refunded', { refund: amount })
  }
  if (after.dispute !== before.dispute && after.dispute) await tell(`pay.dispute-${after.dispute}`)
}

/** As the activity log names a payment. */
export const factsOf = ({ id, reference, payer, total, shares }: KeptPayment) => ({
  ...{ id, reference, payer, total },
  number: shares.map(it => it.number).join(', '),
})

interface MailFacts {
  refund?: Money
}

/** Mails the receipt to the address that a visitor by a public link typed, once, and forgets the address. */
async function mailReceipt(
  tx: Knex,
  { mailContext }: CoreHost,
  { host, place, workspace }: Following,
  payment: KeptPayment,
) {
  const [to] = await query<{ email: string | null; language: string | null }>(tx, {
    text: `update portal.client_payments p set receipt_to = null, receipt_language = null
           from portal.client_payments was
           where p.workspace_id = $1 and p.id = $2 and was.workspace_id = p.workspace_id and was.id = p.id
           returning was.receipt_to as email, was.receipt_language as language`,
    values: [place.id, payment.id],
  })
  if (!to?.email || !mailContext || !workspace) return
  const locale = to.language ?? 'en'
  const reader = { email: to.email, name: '', language: locale }
  await sendMail(mailContext, { portal: { workspace, locale } }, tx, 'pay.receipt', reader, {
    url: mailContext.address,
    facts: ({ money, day }) => ({
      amount: money(payment.total),
      numbers: payment.shares.map(it => it.number).join(', '),
      day: day(dateIn(zoneOf(workspace.timeZone), currentTime(host.database))),
    }),
  })
}

/** Tells the person who pays, if they still have an account here. */
async function tellPayer(
  tx: Knex,
  host: CoreHost,
  workspace: BrandedWorkspace | undefined,
  payment: KeptPayment,
  { kind, facts }: { kind: `pay.${string}`; facts: MailFacts },
) {
  if (!workspace) return
  const [person] = await query<Reader>(tx, {
    text: `select u.id::text, u.email, u.name, u.language, u.time_zone as "timeZone" from portal.client_users u
             join portal.client_memberships m on m.workspace_id = u.workspace_id and m.person_id = u.id
           where u.workspace_id = $1 and u.id::text = $2 and m.client_id = $3 and u.suspended_at is null`,
    values: [workspace.id, payment.person, payment.client],
  })
  if (!person) return
  const numbers = payment.shares.map(it => it.number).join(', ')
  await notifyPeople(tx, host, { portal: { workspace, locale: person.language ?? 'en' } }, [person], {
    kind,
    record: { client: payment.client, section: 'pay', id: payment.id },
    facts: { amount: facts.refund ?? payment.total, numbers },
    mail: () => ({
      facts: ({ money }) => ({
        ...{ amount: money(payment.total), numbers, count: payment.shares.length, reference: payment.reference },
        ...(facts.refund && { refund: money(facts.refund) }),
      }),
    }),
  })
}
