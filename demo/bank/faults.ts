import type { Request } from 'express'
import { ApiError } from './errors.ts'

/**
 * How the API is out of order: `reset` ends connections without an answer, `lost` does the work and then ends the
 * connection, `error` answers 500, `busy` 429, and `slow` waits before the work. `failed` answers 500 from within the
 * work, which is not done: as Stripe documents it, the same idempotency key then gets that 500 for a day.
 */
export type Fault = 'reset' | 'lost' | 'error' | 'failed' | 'busy' | 'slow'

interface Down {
  fault: Fault
  /** How many requests it meets. Default: all until `up`. */
  times?: number
  /** Of `slow`, in milliseconds. */
  wait?: number
}

export interface Faults {
  down(fault: Fault, options?: Omit<Down, 'fault'>): void
  up(): void
  /** The fault that is on, if any. */
  current(): Fault | undefined
  /** The fault that meets this request. */
  next(): Down | undefined
}

export function createFaults(): Faults {
  let current: Down | undefined
  return {
    down(fault, options = {}) {
      current = { fault, ...options }
    },
    up() {
      current = undefined
    },
    current: () => current?.fault,
    next() {
      if (current?.times === undefined) return current
      if (current.times-- > 0) return current
      current = undefined
      return undefined
    },
  }
}

/** Throws what a fault answers. */
export function failBy(fault: Fault | undefined): void {
  if (fault === 'error') throw unexpected(true)
  if (fault !== 'busy') return
  throw new ApiError('Too many requests hit the API too quickly. Slow down the requests.', {
    status: 429,
    code: 'rate_limit',
    early: true,
  })
}

/** Throws what a fault within the work answers. */
export function failWithin(fault: Fault | undefined): void {
  if (fault === 'failed') throw unexpected(false)
}

const unexpected = (early: boolean) =>
  new ApiError('An unexpected error occurred while the request was processed.', {
    status: 500,
    type: 'api_error',
    early,
  })

/** Ends the connection as a broken network does. */
export const cut = (request: Request): void => void request.socket.resetAndDestroy()
