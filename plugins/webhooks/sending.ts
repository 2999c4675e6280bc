import type { Knex } from 'knex'
import { v7 as uuid } from 'uuid'
import { bySystem, insert } from '../../src/platform/activity.ts'
import { currentTime } from '../../src/platform/clock.ts'
import { query, within } from '../../src/platform/database.ts'
import type { Flags } from '../../src/platform/flags.ts'
import { isTrial } from './address.ts'
import { type Due, dueOf, giveUpLate, messageId } from './deliveries.ts'
import type { State } from './endpoints.ts'
import { testEvent } from './events.ts'
import { payloadOf, type SentEntry } from './payload.ts'
import { type Answer, post } from './post.ts'
import { type Keys, keysOf, signedHeaders } from './secrets.ts'

/** Seconds after each attempt until the next: ten attempts within a day. */
const delays = [5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800]

/** Seconds that an endpoint rests at most after a failure. */
const longestRest = 3_600

/** How many are sent to one endpoint at once, and how many are read at once. */
const many = { atOnce: 4, batch: 40 }

/** Seconds: how long a job begins batches, and a batch begins deliveries, and how long a job holds an endpoint. */
const pace = { job: 20, batch: 5, lease: 60 }

/** Days of failure after which an endpoint is switched off. */
const patience = 5

export interface Parts {
  database: Knex
  secrets: string[]
  /** Where clients find the portal. */
  address: string | undefined
  /** Nothing more is sent from the moment that the portal is switched off. */
  flags: Pick<Flags, 'enabled'>
}

/** The workspace that a job is about. */
export interface Place {
  id: string
  slug: string
}

interface Leased {
  id: string
  title: string
  url: string
  lease: string
  failures: number
}

/**
 * Sends what is due in a workspace, to all of its endpoints at the same time. Each endpoint is held by one process, for as
 * long as that one lives; what it had begun is sent again, under the same id. Gives data where more is due.
 */
export async function sendDue(place: Place, parts: Parts): Promise<object | undefined> {
  const { database } = parts
  const leased = await within(database, { workspace: place.id }, async tx => {
    await giveUpLate(tx, place.id)
    return lease(tx, place.id)
  })
  const until = performance.now() + pace.job * 1_000
  const more = await Promise.all(leased.map(it => serve(it, { place, parts, until })))
  return more.includes(true) ? {} : undefined
}

const lease = (tx: Knex, workspace: string) =>
  query<Leased>(tx, {
    text: `update portal.client_webhooks w
           set lease = $2, leased_until = portal.now() + interval '${pace.lease} seconds'
           where w.workspace_id = $1 and w.state = 'on' and coalesce(w.rests_until <= portal.now(), true)
             and coalesce(w.leased_until <= portal.now(), true) and exists (
               select from portal.client_webhook_deliveries d
               where d.workspace_id = w.workspace_id and d.webhook_id = w.id and d.state = 'waiting'
                 and d.next_at <= portal.now())
           returning w.id::text, w.title, w.url, w.lease::text, w.failures`,
    values: [workspace, uuid()],
  })

interface Job {
  place: Place
  parts: Parts
  /** When it ends, by `performance.now()`. */
  until: number
}

/** Sends to one endpoint until nothing is due, it fails, it is another's, or the time is over. Resolves to whether there is more. */
async function serve(endpoint: Leased, { place, parts, until }: Job): Promise<boolean> {
  const { database, flags, secrets } = parts
  for (;;) {
    const { due, keys } = await within(database, { workspace: place.id }, async tx => ({
      due: await dueOf(tx, place.id, endpoint.id, many.batch),
      keys: await keysOf(tx, { workspace: place.id, endpoint: endpoint.id, secrets }),
    }))
    const isOn = flags.enabled(place.slug)
    if (!due.length || !keys || !isOn || performance.now() > until) {
      await release(database, place.id, endpoint)
      return isOn && due.length > 0 && keys !== undefined
    }
    const tried = await sendBatch(due, it => attempt(it, { endpoint, keys, place, parts }))
    if (!(await keepResults(database, place.id, endpoint, tried))) return false
  }
}

/** A few at once, until one fails or it takes too long: the rest is read again. */
async function sendBatch(due: Due[], send: (it: Due) => Promise<Tried>): Promise<Tried[]> {
  const waiting = [...due]
  const tried: Tried[] = []
  const until = performance.now() + pace.batch * 1_000
  const sendOneByOne = async () => {
    while (performance.now() < until && tried.every(it => it.state === 'delivered')) {
      const next = waiting.shift()
      if (!next) return
      tried.push(await send(next))
    }
  }
  await Promise.all(Array.from({ length: many.atOnce }, sendOneByOne))
  return tried
}

const release = (database: Knex, workspace: string, { id, lease: held }: Leased) =>
  within(database, { workspace }, tx =>
    query(tx, {
      text: `update portal.client_webhooks set lease = null, leased_until = null
             where workspace_id = $1 and id = $2 and lease = $3`,
      values: [workspace, id, held],
    }),
  )

interface Tried extends Answer {
  id: string
  state: 'waiting' | 'delivered' | 'failed'
  /** Until the next attempt. */
  seconds: number
}

interface Attempt {
  endpoint: Leased
  keys: Keys
  place: Place
  parts: Parts
}

async function attempt(due: Due, { endpoint, keys, place, parts }: Attempt): Promise<Tried> {
  const entry = due.event === testEvent ? testEntry(due) : due.entry
  if (!entry) return { ...erased, id: due.id, state: 'failed', seconds: 0 }
  const body = JSON.stringify(payloadOf(entry, place))
  const signed = signedHeaders(keys, { id: messageId(due.id), at: currentTime(parts.database), body })
  const headers = { 'content-type': 'application/json', 'user-agent': 'Portico-Webhooks/1', ...signed }
  const answer = await post(endpoint.url, { headers, body, here: isTrial(parts.address) })
  return { ...answer, ...outcomeOf(answer, due.attempts), id: due.id }
}

/** Its entry is not in the activity log any more. */
const erased = { status: null, milliseconds: 0, text: '', problem: 'erased' } as const

const testEntry = ({ id, queuedAt, event }: Due): SentEntry => ({
  ...{ id, at: queuedAt, event, actor_kind: 'system', actor_id: null, actor_name: null, client_id: null, subject: {} },
})

function outcomeOf({ problem, status }: Answer, before: number): Pick<Tried, 'state' | 'seconds'> {
  if (problem === null) return { state: 'delivered', seconds: 0 }
  const delay = delays[before]
  if (delay === undefined || status === 410) return { state: 'failed', seconds: 0 }
  return { state: 'waiting', seconds: withJitter(delay) }
}

/** A fifth more or less, so that what failed together is not tried together again. */
const withJitter = (seconds: number) => seconds * (0.8 + 0.4 * Math.random())

/** Resolves to whether to go on: the endpoint still is this process's, and has accepted something. */
async function keepResults(database: Knex, workspace: string, endpoint: Leased, tried: Tried[]): Promise<boolean> {
  const accepted = tried.some(it => it.state === 'delivered')
  return within(database, { workspace }, async tx => {
    await keepTried(tx, workspace, tried)
    const state = await keepState(tx, workspace, endpoint, { accepted, gone: tried.some(it => it.status === 410) })
    if (state === 'failed' || state === 'gone') await recordStop(tx, workspace, endpoint, state)
    return state === 'on' && accepted
  })
}

const keepTried = (tx: Knex, workspace: string, tried: Tried[]) =>
  query(tx, {
    name: 'portal.webhooks-tried',
    text: `update portal.client_webhook_deliveries d
           set state = it.state, attempts = d.attempts + 1, tried_at = portal.now(), status = it.status,
             next_at = portal.now() + it.seconds * interval '1 second', milliseconds = it.milliseconds,
             answer = it.text, problem = it.problem
           from jsonb_to_recordset($2) as it(id uuid, state text, seconds float8, status int, milliseconds int, text text,
             problem text)
           where d.workspace_id = $1 and d.id = it.id and d.state = 'waiting'`,
    values: [workspace, JSON.stringify(tried)],
  })

interface Result {
  accepted: boolean
  /** It answered 410. */
  gone: boolean
}

/** What the endpoint is now; undefined if it is not this process's any more. One that failed rests. */
async function keepState(tx: Knex, workspace: string, endpoint: Leased, { accepted, gone }: Result) {
  endpoint.failures = accepted ? 0 : endpoint.failures + 1
  const rest = Math.min(withJitter(delays[endpoint.failures - 1] ?? longestRest), longestRest)
  const [now] = await query<{ state: State }>(tx, {
    name: 'portal.webhooks-state',
    text: `update portal.client_webhooks w set
             state = case when $6 then 'gone'
               when not $4 and w.failing_since <= portal.now() - interval '${patience} days' then 'failed' else w.state end,
             failures = $5,
             failing_since = case when not $4 then coalesce(w.failing_since, portal.now()) end,
             rests_until = case when not $4 then portal.now() + $7 * interval '1 second' end,
             lease = case when $4 then w.lease end,
             leased_until = case when $4 then portal.now() + interval '${pace.lease} seconds' end
           where w.workspace_id = $1 and w.id = $2 and w.lease = $3 returning w.state`,
    values: [workspace, endpoint.id, endpoint.lease, accepted, endpoint.failures, gone, rest],
  })
  return now?.state
}

const recordStop = (tx: Knex, workspace: string, { id, title }: Leased, why: 'failed' | 'gone') =>
  insert(tx, [bySystem(workspace, { event: 'webhooks.stopped', subject: { id, title, why } })])
