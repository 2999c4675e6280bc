import { randomBytes, randomInt } from 'node:crypto'
import type { BankEvent, Task } from './objects.ts'
import { openStore, type State, type Store } from './store.ts'

/** The version of Stripe's API whose objects the bank answers. */
export const apiVersion = '2026-10-28.endive'

export interface Settings {
  address: string
  /** Whose account it is, as clients read it. */
  merchant: string
  country: string
  currency: string
  /** Milliseconds until a debit settles or fails on its own; never without. */
  debitAfter?: number
  /** Milliseconds until a charge has its balance transaction (asynchronous capture). */
  captureAfter: number
}

/** What all parts of the bank share. */
export interface Core {
  settings: Settings
  state: State
  store: Store
  /** Milliseconds. */
  now(): number
  /** The request of the API that is being worked on, if any. */
  request?: { id: string; idempotency_key: string | null }
  /** Called with each new event. */
  listeners: ((event: BankEvent) => void)[]
  /** Called when a task has been added. */
  planned(): void
}

export function createCore(settings: Settings, { file, now = Date.now }: { file?: string; now?: () => number }): Core {
  const store = openStore(file, () => emptyState(now()))
  return { settings, state: store.state, store, now, listeners: [], planned: () => undefined }
}

function emptyState(now: number): State {
  return {
    account: newId('acct', 16),
    created: Math.floor(now / 1000),
    held: false,
    sessions: {},
    checkouts: {},
    intents: {},
    setups: {},
    charges: {},
    refunds: {},
    disputes: {},
    methods: {},
    accounts: {},
    mandates: {},
    customers: {},
    transactions: {},
    endpoints: {},
    events: {},
    deliveries: [],
    tasks: [],
    answered: {},
  }
}

const letters = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** 'pi_3QxY…': never guessable. */
export function newId(prefix: string, length = 24): string {
  const random = Array.from({ length }, () => letters[randomInt(letters.length)])
  return `${prefix}_${random.join('')}`
}

export const newSecret = () => `whsec_${randomBytes(24).toString('base64url')}`

export const seconds = (core: Core) => Math.floor(core.now() / 1000)

/** Records an event with the object as it is now, and hands it to the webhooks. */
export function emit(core: Core, type: string, object: object, previous?: object): BankEvent {
  const data = { object: structuredClone(object), ...(previous && { previous_attributes: previous }) }
  const event: BankEvent = {
    id: newId('evt'),
    object: 'event',
    api_version: apiVersion,
    created: seconds(core),
    data,
    livemode: false,
    pending_webhooks: 0,
    request: core.request ?? { id: null, idempotency_key: null },
    type,
  }
  forgetOldEvents(core, event.created)
  core.state.events[event.id] = event
  core.store.changed()
  for (const listener of core.listeners) listener(event)
  return event
}

/** Stripe keeps events for 30 days. */
function forgetOldEvents({ state }: Core, now: number): void {
  for (const { id, created } of Object.values(state.events)) {
    if (created > now - 30 * 24 * 3600) return
    delete state.events[id]
  }
}

/** Something that happens on its own after so many milliseconds. */
export function plan(core: Core, kind: Task['kind'], id: string, after: number): void {
  core.state.tasks.push({ at: core.now() + after, kind, id })
  core.store.changed()
  core.planned()
}
