import { type IncomingMessage, request as plainly } from 'node:http'
import { request as securely } from 'node:https'
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { isPublic, lookupOf } from './public-addresses.ts'

/** An address that nothing is sent to. */
export class NotAllowed extends Error {}

interface Sent {
  headers: Record<string, string>
  body: string | Buffer
}

export interface Reply {
  status: number
  headers: IncomingMessage['headers']
  /** The beginning of the body. */
  text: string
}

/** Milliseconds for all of it, and bytes of an answer that are read. */
const most = { time: 10_000, read: 16_384 }

let loopback = false
/** For tests: a server on this machine, without TLS. Nothing else can be sent to from then on. */
export const allowLoopback = () => {
  loopback = true
}

/**
 * Posts to a server of somebody else, and follows no redirect: https only, public addresses only. The IP address is
 * judged when connecting, so that a later DNS answer cannot change it (CWE-918; OWASP ASVS 5.0, 1.3.6). Throws NotAllowed,
 * or an Error where there is no answer.
 */
export async function post(address: string, sent: Sent): Promise<Reply> {
  const url = allowed(address)
  return exchange(url, sent, { lookup: onlyAllowed, signal: AbortSignal.timeout(most.time), read: most.read })
}

/** Why nothing is sent to an address; undefined where something may be. Names are judged when they are looked up. */
export function refusalOf(address: string): string | undefined {
  const url = URL.parse(address)
  if (!url || (url.protocol !== 'https:' && !(loopback && url.protocol === 'http:'))) return 'is no https address'
  if (url.username || url.password) return 'has a password in it'
  const number = url.hostname.replace(/^\[|\]$/g, '')
  return isIP(number) && !isAllowed(number) ? 'is no public address' : undefined
}

function allowed(address: string): URL {
  const refusal = refusalOf(address)
  if (refusal) throw new NotAllowed(`The address ${refusal}.`)
  return new URL(address)
}

const isAllowed = (address: string): boolean =>
  loopback ? ipaddr.process(address).range() === 'loopback' : isPublic(address)

const onlyAllowed = lookupOf(isAllowed, what => new NotAllowed(`${what} is no public address.`))

interface Way {
  /** Judges the IP address. */
  lookup: ReturnType<typeof lookupOf>
  signal: AbortSignal
  /** Bytes of the answer that are read. */
  read: number
}

/** One POST, without a judgement of its own of the address. Throws an Error where there is no answer. */
export async function exchange(url: URL, { headers, body }: Sent, { lookup, signal, read }: Way): Promise<Reply> {
  const reply = await new Promise<IncomingMessage>((resolve, reject) => {
    const ask = url.protocol === 'https:' ? securely : plainly
    const options = { method: 'POST', headers, signal, lookup, agent: false as const }
    ask(url, options, resolve).once('error', reject).end(body)
  })
  return { status: reply.statusCode ?? 0, headers: reply.headers, text: await beginningOf(reply, read) }
}

/** What is more, too slow or broken off is left out: the status has said all that counts. */
async function beginningOf(reply: IncomingMessage, read: number): Promise<string> {
  const parts: Buffer[] = []
  let size = 0
  try {
    for await (const part of reply) {
      parts.push(part)
      size += part.length
      if (size > read) break
    }
  } catch {}
  reply.destroy()
  return Buffer.concat(parts).toString('utf8')
}
