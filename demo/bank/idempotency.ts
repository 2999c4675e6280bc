import { createHash } from 'node:crypto'
import type { Core } from './core.ts'
import { ApiError } from './errors.ts'

export interface Answer {
  status: number
  body: string
  /** The request whose answer it is. */
  request: string
  replayed?: boolean
  /** Nothing began: the same key can be tried again. */
  early?: boolean
}

interface Keyed {
  key: string
  /** 'POST /v1/refunds' */
  endpoint: string
  params: string
}

const day = 24 * 3600 * 1000

/** Gives the first answer again to each request of the same key, for a day: docs.stripe.com/api/idempotent_requests */
export function createIdempotency(core: Core) {
  const working = new Set<string>()
  const { answered } = core.state

  /** `work` and the keeping of its answer are one step: both are written, or neither. */
  return async function once(keyed: Keyed, wait: () => Promise<void>, work: () => Answer): Promise<Answer> {
    const { key, endpoint } = keyed
    if (working.has(key)) throw inUse(key)
    forgetOld()
    const params = digest(keyed.params)
    const known = answered[digest(key)]
    if (known && known.endpoint !== endpoint) throw otherEndpoint(key, known.endpoint, endpoint)
    if (known && known.params !== params) throw otherParams(key)
    if (known) return { status: known.status, body: known.body, request: known.request, replayed: true }
    working.add(key)
    try {
      await wait()
      const answer = work()
      if (!answer.early) keep(digest(key), { endpoint, params, ...answer })
      await core.store.saved()
      return answer
    } finally {
      working.delete(key)
    }
  }

  function keep(id: string, { endpoint, params, status, body, request }: Answer & Omit<Keyed, 'key'>): void {
    answered[id] = { endpoint, params, at: core.now(), status, body, request }
    core.store.changed()
  }

  function forgetOld(): void {
    for (const [key, { at }] of Object.entries(answered)) {
      if (at > core.now() - day) return
      delete answered[key]
    }
  }
}

const digest = (text: string) => createHash('sha256').update(text).digest('base64url')

const inUse = (key: string) =>
  new ApiError(
    'There is currently another in-progress request using this Idempotent Key (that probably means you submitted ' +
      `twice, and the other request is still going through): ${key}. Please try again later.`,
    { status: 409, code: 'idempotency_key_in_use' },
  )

const otherParams = (key: string) =>
  new ApiError(
    'Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a ' +
      `key other than '${key}' if you meant to execute a different request.`,
    { type: 'idempotency_error' },
  )

const otherEndpoint = (key: string, first: string, now: string) =>
  new ApiError(
    `Keys for idempotent requests can only be used for the same endpoint they were first used for ('${first}' vs ` +
      `'${now}'). Try using a key other than '${key}' if you meant to execute a different request.`,
    { type: 'idempotency_error' },
  )
