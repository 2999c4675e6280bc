import { createHmac } from 'node:crypto'
import { type Core, newId, newSecret, seconds } from './core.ts'
import type { BankEvent, Delivery, Endpoint } from './objects.ts'

export interface WebhookOptions {
  /** Milliseconds before each further try. */
  retries: number[]
  /** Milliseconds that an endpoint has for its answer. */
  timeout: number
}

/** One try to deliver an event. */
interface Attempted {
  event: string
  type: string
  endpoint: string
  /** The status of the answer; undefined where none came. */
  status?: number
  error?: string
}

interface Sending {
  /** Unix seconds that the signature names instead of now. */
  signedAt?: number
  /** Signs with this secret instead of the endpoint's. */
  secret?: string
}

export interface Webhooks {
  /** Keeps events from being sent until `release`. */
  hold(): void
  /**
   * Sends what was held and ends holding. Without an order all at once; else one after another, by these event ids
   * (and then the rest), or from the newest to the oldest. Resolves with the answers.
   */
  release(order?: 'reverse' | string[]): Promise<void>
  /** Sends an event again, or although it is held, once. Resolves with the answers. */
  send(event: string, sending?: Sending): Promise<Attempted[]>
  /** From now on each event is sent so many times. */
  repeat(times: number): void
  /** From now on events are sent after so many milliseconds. */
  delay(milliseconds: number): void
  /** All tries so far. */
  tries(): Attempted[]
  /** Resolves when nothing is under way or to be tried again; what is held does not count. */
  idle(): Promise<void>
  close(): void
}

interface Courier {
  core: Core
  options: WebhookOptions
  tried: Attempted[]
  underWay: Map<string, Promise<void>>
  times: number
  wait: number
  closed: boolean
  timer?: NodeJS.Timeout
}

/** Delivers events to endpoints, as Stripe does: signed, in no certain order, again after anything but 2xx. */
export function createWebhooks(core: Core, options: WebhookOptions): Webhooks {
  const courier: Courier = { core, options, tried: [], underWay: new Map(), times: 1, wait: 0, closed: false }
  core.listeners.push(event => enqueue(courier, event))
  sendSoon(courier)
  return {
    hold() {
      core.state.held = true
      core.store.changed()
    },
    release: order => release(courier, order),
    send: (event, sending) => sendNow(courier, event, sending),
    repeat(times) {
      courier.times = times
    },
    delay(milliseconds) {
      courier.wait = milliseconds
    },
    tries: () => [...courier.tried],
    idle: () => idle(courier),
    close() {
      courier.closed = true
      clearTimeout(courier.timer)
    },
  }
}

function enqueue(courier: Courier, event: BankEvent): void {
  const endpoints = endpointsFor(courier.core, event)
  event.pending_webhooks = endpoints.length
  const due = Date.now() + courier.wait
  for (const { id: endpoint } of endpoints) {
    for (let copy = 0; copy < courier.times; copy++) {
      courier.core.state.deliveries.push({ id: newId('wd'), event: event.id, endpoint, tries: 0, due })
    }
  }
  sendSoon(courier)
}

/** Wakes up when the next delivery is due; never before the work that caused it is done. */
function sendSoon(courier: Courier): void {
  const { state } = courier.core
  clearTimeout(courier.timer)
  const waiting = state.deliveries.filter(({ id }) => !courier.underWay.has(id))
  if (courier.closed || state.held || !waiting.length) return
  const next = Math.min(...waiting.map(({ due }) => due))
  const wait = Math.min(Math.max(0, next - Date.now()), longest)
  courier.timer = setTimeout(() => sendDue(courier), wait)
  courier.timer.unref()
}
const longest = 24 * 3600 * 1000

function sendDue(courier: Courier): void {
  const { state } = courier.core
  if (courier.closed || state.held) return
  const now = Date.now()
  const due = state.deliveries.filter(each => each.due <= now && !courier.underWay.has(each.id))
  for (const delivery of due) void deliver(courier, delivery)
  sendSoon(courier)
}

function deliver(courier: Courier, delivery: Delivery): Promise<void> {
  const work = tryDelivery(courier, delivery)
    .catch(error => console.error('a webhook could not be sent', error))
    .finally(() => {
      courier.underWay.delete(delivery.id)
      sendSoon(courier)
    })
  courier.underWay.set(delivery.id, work)
  return work
}

async function tryDelivery(courier: Courier, delivery: Delivery): Promise<void> {
  const { core } = courier
  await core.store.saved()
  const event = core.state.events[delivery.event]
  const endpoint = core.state.endpoints[delivery.endpoint]
  if (!event || endpoint?.status !== 'enabled') return finish(core, delivery)
  const attempt = await post(courier, event, endpoint)
  const { status = 0 } = attempt
  const pause = courier.options.retries[delivery.tries]
  delivery.tries += 1
  if (status >= 200 && status < 300) event.pending_webhooks = Math.max(0, event.pending_webhooks - 1)
  else if (pause !== undefined) delivery.due = Date.now() + pause
  const again = !(status >= 200 && status < 300) && pause !== undefined
  if (!again) finish(core, delivery)
  core.store.changed()
  await core.store.saved()
}

function finish(core: Core, { id }: Delivery): void {
  core.state.deliveries = core.state.deliveries.filter(each => each.id !== id)
  core.store.changed()
}

async function post(courier: Courier, event: BankEvent, endpoint: Endpoint, sending: Sending = {}): Promise<Attempted> {
  const attempt: Attempted = { event: event.id, type: event.type, endpoint: endpoint.id }
  const body = JSON.stringify({ ...event, api_version: endpoint.api_version ?? event.api_version }, null, 2)
  const signature = sign(body, sending.secret ?? endpoint.secret, sending.signedAt ?? seconds(courier.core))
  try {
    const response = await fetch(endpoint.url, {
      method: 'POST',
      body,
      headers: {
        'Content-Type': 'application/json; charset=utf-8',
        'User-Agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
        'Stripe-Signature': signature,
      },
      redirect: 'manual',
      signal: AbortSignal.timeout(courier.options.timeout),
    })
    await response.arrayBuffer()
    attempt.status = response.status
  } catch (error) {
    attempt.error = error instanceof Error ? error.message : String(error)
  }
  courier.tried.push(attempt)
  if (courier.tried.length > remembered) courier.tried.shift()
  return attempt
}

/** How many tries are kept to be looked at. */
const remembered = 5_000

async function sendNow(courier: Courier, id: string, sending?: Sending): Promise<Attempted[]> {
  const event = courier.core.state.events[id]
  if (!event) throw new Error(`No such event: '${id}'`)
  await courier.core.store.saved()
  return Promise.all(endpointsFor(courier.core, event).map(each => post(courier, event, each, sending)))
}

async function release(courier: Courier, order: 'reverse' | string[] = []): Promise<void> {
  const { state, store } = courier.core
  const ordered =
    order === 'reverse'
      ? state.deliveries.toReversed()
      : order.flatMap(id => state.deliveries.filter(({ event }) => event === id))
  for (const delivery of ordered) await deliver(courier, delivery)
  state.held = false
  store.changed()
  for (const delivery of state.deliveries) delivery.due = Math.min(delivery.due, Date.now())
  sendDue(courier)
  await Promise.all(courier.underWay.values())
}

async function idle(courier: Courier): Promise<void> {
  const { state } = courier.core
  while (!courier.closed && (courier.underWay.size || (!state.held && state.deliveries.length))) {
    await Promise.all(courier.underWay.values())
    await new Promise(done => setTimeout(done, 1))
  }
}

const endpointsFor = (core: Core, { type }: BankEvent): Endpoint[] =>
  Object.values(core.state.endpoints).filter(
    ({ enabled_events, status }) => status === 'enabled' && enabled_events.some(each => each === '*' || each === type),
  )

function sign(body: string, secret: string, at: number): string {
  const digest = createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')
  return `t=${at},v1=${digest}`
}

interface NewEndpoint {
  id?: string
  url: string
  events: string[]
  secret?: string
  apiVersion?: string | null
  description?: string | null
  metadata?: Record<string, string>
}

/** Adds or, by a known id, replaces an endpoint. */
export function createEndpoint(core: Core, input: NewEndpoint): Endpoint {
  const endpoint: Endpoint = {
    id: input.id ?? newId('we'),
    object: 'webhook_endpoint',
    api_version: input.apiVersion ?? null,
    application: null,
    created: seconds(core),
    description: input.description ?? null,
    enabled_events: input.events,
    livemode: false,
    metadata: input.metadata ?? {},
    secret: input.secret ?? newSecret(),
    status: 'enabled',
    url: input.url,
  }
  core.state.endpoints[endpoint.id] = endpoint
  core.store.changed()
  return endpoint
}
