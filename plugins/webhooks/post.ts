import { type IncomingMessage, request as plainly } from 'node:http'
import { request as securely } from 'node:https'
import { Refused } from '../../src/crm/files/limits.ts'
import { onlyPublic } from '../../src/crm/files/web.ts'
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

/** Bytes of an answer: so many are read, and kept. */
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
    const reply = await send(new URL(address), { headers, body, here, signal })
    const status = reply.statusCode ?? 0
    return answered({ status, text: await beginningOf(reply), problem: problemOf(status) })
  } catch (error) {
    return answered({ status: null, text: '', problem: failureOf(error, signal) })
  }
}

const send = (url: URL, { headers, body, here, signal }: Sent & { signal: AbortSignal }) =>
  new Promise<IncomingMessage>((resolve, reject) => {
    const lookup = here && isThisMachine(hostOf(url)) ? onlyThisMachine : onlyPublic
    const options = { method: 'POST', headers, signal, lookup, agent: false as const }
    const ask = url.protocol === 'https:' ? securely : plainly
    ask(url, options, resolve).once('error', reject).end(body)
  })

const onlyThisMachine = lookupOf(isLoopback, what => new Refused(`${what} is not this machine`))

/** What is more, too slow or broken off is left out: the status has said all that counts. */
async function beginningOf(reply: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let size = 0
  try {
    for await (const part of reply) {
      parts.push(part)
      size += part.length
      if (size > most.read) break
    }
  } catch {}
  reply.destroy()
  return Buffer.concat(parts).subarray(0, most.kept).toString('utf8').replaceAll('\0', '\ufffd')
}

function problemOf(status: number): Problem | null {
  if (status >= 200 && status < 300) return null
  return status >= 300 && status < 400 ? 'redirect' : 'status'
}

function failureOf(error: any, signal: AbortSignal): Problem {
  if (signal.aborted) return 'timeout'
  if (error instanceof Refused) return 'address'
  return /CERT|TLS|SSL|SIGNATURE|EPROTO/.test(String(error?.code)) ? 'tls' : 'connection'
}
