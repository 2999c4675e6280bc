import { Refused } from '../../src/crm/files/limits.ts'
import { onlyPublic } from '../../src/crm/files/web.ts'
import { exchange } from '../../src/platform/outgoing.ts'
import { lookupOf } from '../../src/platform/public-addresses.ts'
import { hostOf, isLoopback, isThisMachine, refusalOf } from './address.ts'

/** Why a delivery was not accepted. */
export type Problem = 'status' | 'redirect' | 'timeout' | 'address' | 'tls' | 'connection' | 'late' | 'erased'

/** What an endpoint answered. `problem` is null where it accepted the event, with a status of 200 to 299. */
export interface Answer {
  status: number | null
  milliseconds: number
  /** The beginning of the body. */
  text: string
  problem: Problem | null
}

interface Sent {
  headers: Record<string, string>
  body: string
  /** Whether this machine may be sent to. */
  here: boolean
  /** Milliseconds for all of it. */
  within?: number
}

/** Of an answer, so many bytes are read, and so many characters kept. */
const most = { read: 65_536, kept: 1_024 }

/**
 * Posts to an endpoint, and follows no redirect. The IP address is judged when connecting, so that a later DNS answer cannot
 * change it (CWE-918; OWASP ASVS 5.0, 1.3.6). Never rejects.
 */
export async function post(address: string, { headers, body, here, within = 10_000 }: Sent): Promise<Answer> {
  const began = performance.now()
  const answered = (it: Omit<Answer, 'milliseconds'>): Answer => ({
    ...it,
    milliseconds: Math.round(performance.now() - began),
  })
  if (refusalOf(address, here)) return answered({ status: null, text: '', problem: 'address' })
  const signal = AbortSignal.timeout(within)
  try {
    const url = new URL(address)
    const lookup = here && isThisMachine(hostOf(url)) ? onlyThisMachine : onlyPublic
    const { status, text } = await exchange(url, { headers, body }, { lookup, signal, read: most.read })
    return answered({ status, text: beginningOf(text), problem: problemOf(status) })
  } catch (error) {
    return answered({ status: null, text: '', problem: failureOf(error, signal) })
  }
}

const onlyThisMachine = lookupOf(isLoopback, what => new Refused(`${what} is not this machine`))

const beginningOf = (text: string) => text.slice(0, most.kept).replaceAll('\0', '\ufffd')

function problemOf(status: number): Problem | null {
  if (status >= 200 && status < 300) return null
  return status >= 300 && status < 400 ? 'redirect' : 'status'
}

function failureOf(error: any, signal: AbortSignal): Problem {
  if (signal.aborted) return 'timeout'
  if (error instanceof Refused) return 'address'
  return /CERT|TLS|SSL|SIGNATURE|EPROTO/.test(String(error?.code)) ? 'tls' : 'connection'
}
