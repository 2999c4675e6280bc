import type { Router } from 'express'
import { createApi } from './api.ts'
import { fail, settle } from './checkout.ts'
import { type Core, createCore, type Settings } from './core.ts'
import { closeDispute, openDispute } from './disputes.ts'
import { createFaults, type Faults } from './faults.ts'
import { find } from './intents.ts'
import type { BankEvent, Charge, Dispute, Refund } from './objects.ts'
import { createPages } from './pages/pages.ts'
import { createRefund, failRefund, settleRefund } from './refunds.ts'
import { expireSession } from './sessions.ts'
import type { State } from './store.ts'
import { createTasks } from './tasks.ts'
import { createEndpoint, createWebhooks, type WebhookOptions, type Webhooks } from './webhooks.ts'

interface BankOptions extends Partial<Omit<Settings, 'address'>>, Partial<WebhookOptions> {
  /** The secret key that requests must bring. */
  key: string
  /** Where browsers find the bank: http://localhost:3000. */
  address: string
  /** Signs what goes to `webhooks` that have no secret of their own. */
  webhookSecret?: string
  /** Endpoints beside those that the API creates. Default events: all. */
  webhooks?: { url: string; secret?: string; events?: string[] }[]
  /** A JSON file that keeps everything over restarts. Default: memory. */
  store?: string
  /** Milliseconds since 1970. */
  now?: () => number
}

/** A double of Stripe: its API, its hosted page, and a desk to decide what becomes of payments. */
export interface Bank {
  /** Answers `/v1/*`; mount it at the root, above body parsers. */
  api: Router
  /** The pages; mount it at `/-/bank`. */
  pages: Router
  webhooks: Webhooks
  /** Puts the API out of order. */
  faults: Faults
  payments: Payments
  /** All events, oldest first. */
  events(type?: string): BankEvent[]
  /** All that the bank knows; to be read only. */
  state: Readonly<State>
  /** Does what is due by `now`: expiry, debits, disputes of test cards. Requests do it too. */
  tick(): void
  /** Ends timers and waits until everything is written. */
  close(): Promise<void>
}

/** Changes what becomes of a payment. `id` is that of its session, payment intent or charge. */
interface Payments {
  /** Collects a debit that is processing. */
  settle(id: string): void
  /** Lets a debit that is processing fail. */
  fail(id: string): void
  /** Gives back an amount in the smallest unit, or all that is left. */
  refund(id: string, amount?: number): Refund
  settleRefund(refund: string): Refund
  failRefund(refund: string): Refund
  dispute(id: string, reason?: string): Dispute
  win(id: string): Dispute
  lose(id: string): Dispute
  expire(session: string): void
}

/**
 * Creates the bank. The official package talks to it by `new Stripe(key, { host, port, protocol: 'http' })`:
 *
 *     const bank = createBank({ key: 'sk_test_demo', address, store, webhooks: [{ url, secret }], debitAfter: 60_000 })
 *     app.use(bank.api)
 *     app.use('/-/bank', bank.pages)
 *
 * Objects, errors and events are those of `apiVersion`. Without `debitAfter` debits wait to be settled by hand.
 */
export function createBank(options: BankOptions): Bank {
  const core = createCore(settingsOf(options), { file: options.store, now: options.now })
  const { retries = [5_000, 60_000, 300_000, 3_600_000], timeout = 10_000 } = options
  addEndpoints(core, options)
  const tasks = createTasks(core)
  const webhooks = createWebhooks(core, { retries, timeout })
  const faults = createFaults()
  return {
    api: createApi({ core, key: options.key, faults, tick: tasks.tick }),
    pages: createPages({ core, webhooks, faults, tick: tasks.tick }),
    webhooks: upToDate(webhooks, tasks.tick),
    faults,
    payments: paymentsOf(core),
    events(type) {
      const all = Object.values(core.state.events)
      return type === undefined ? all : all.filter(event => event.type === type)
    },
    state: core.state,
    tick: tasks.tick,
    async close() {
      tasks.close()
      webhooks.close()
      await core.store.saved()
    },
  }
}

/** What is due on its own has happened before events are sent or waited for. */
function upToDate(webhooks: Webhooks, tick: () => void): Webhooks {
  return {
    ...webhooks,
    release(order) {
      tick()
      return webhooks.release(order)
    },
    idle() {
      tick()
      return webhooks.idle()
    },
  }
}

function settingsOf({ address, merchant, country, currency, debitAfter, captureAfter }: BankOptions): Settings {
  return {
    address: address.replace(/\/+$/, ''),
    merchant: merchant ?? 'Demo merchant',
    country: country ?? 'NL',
    currency: currency ?? 'eur',
    debitAfter,
    captureAfter: captureAfter ?? 0,
  }
}

/** The endpoints of the options have ids of their own, so that a restart replaces them. */
function addEndpoints(core: Core, { webhooks = [], webhookSecret }: BankOptions): void {
  const former = Object.keys(core.state.endpoints).filter(id => id.startsWith('we_option_'))
  for (const id of former.slice(webhooks.length)) delete core.state.endpoints[id]
  for (const [index, { url, secret = webhookSecret, events = ['*'] }] of webhooks.entries()) {
    createEndpoint(core, { id: `we_option_${index}`, url, secret, events })
  }
}

function paymentsOf(core: Core): Payments {
  const charge = (id: string) => chargeOf(core, id)
  const disputeOf = (id: string) => {
    const { id: disputed } = charge(id)
    return Object.values(core.state.disputes).find(each => each.charge === disputed)?.id ?? id
  }
  return {
    settle: id => settle(core, String(charge(id).payment_intent)),
    fail: id => fail(core, String(charge(id).payment_intent)),
    refund: (id, amount) => createRefund(core, charge(id), { amount }),
    settleRefund: id => settleRefund(core, id),
    failRefund: id => failRefund(core, id),
    dispute: (id, reason) => openDispute(core, charge(id), reason),
    win: id => closeDispute(core, disputeOf(id), 'won'),
    lose: id => closeDispute(core, disputeOf(id), 'lost'),
    expire: id => void expireSession(core, id),
  }
}

function chargeOf({ state }: Core, id: string): Charge {
  const intent = find(state.intents, find(state.sessions, id)?.payment_intent ?? id)
  const charge = find(state.charges, intent?.latest_charge ?? id)
  if (!charge) throw new Error(`There is no charge for ${id}.`)
  return charge
}
