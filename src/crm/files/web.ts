import { type IncomingMessage, request as plainly } from 'node:http'
import { request as securely } from 'node:https'
import { isIP } from 'node:net'
import { CrmUnavailable } from '../../http/errors.ts'
import { isPublic, lookupOf } from '../../platform/public-addresses.ts'
import { largest, Refused } from './limits.ts'

/** A server that files may be fetched from. */
export interface FileHost {
  /** With its port where that is not the usual one: `files.crm.example`, `odoo:8069`. */
  host: string
  /** It is in our own network, and may be asked without TLS. Any other must have a public address. */
  inside?: boolean
}

interface From {
  hosts: FileHost[]
  /** Sent to the first of them only, and not along a redirect to another. */
  headers?: Record<string, string>
  /** For all of it, in milliseconds. */
  within?: number
}

/**
 * Fetches a file from these hosts only, with at most three redirects among them (CWE-918; OWASP ASVS 5.0, 1.3.6 and
 * 13.2.4). The IP address is checked when connecting, so a later DNS answer cannot change it. Undefined for a 404.
 * Throws Refused, or CrmUnavailable if the server fails.
 */
export async function fileAt(address: string, from: From): Promise<Buffer | undefined> {
  const signal = AbortSignal.timeout(from.within ?? 15_000)
  let url = allowed(address, from.hosts)
  const { host } = url
  for (let hops = 0; hops <= 3; hops++) {
    const answer = await ask(url, url.host === host ? from.headers : undefined, signal).catch(unanswered)
    const { statusCode: status = 0, headers } = answer
    if (status >= 300 && status < 400 && headers.location) {
      answer.destroy()
      url = allowed(new URL(headers.location, url).href, from.hosts)
      continue
    }
    if (status === 404 || status === 410) return void answer.destroy()
    if (status !== 200) {
      answer.destroy()
      throw unavailable(`${url.host} answered ${status}`)
    }
    return whole(answer).catch(unanswered)
  }
  throw new Refused(`${host} leads from one address to the next`)
}

function allowed(address: string, hosts: FileHost[]): URL & { inside: boolean } {
  const url = URL.parse(address)
  const found = url && hosts.find(it => it.host === url.host)
  if (!url || !found) throw new Refused(`${url?.host ?? 'an address that is none'} is not among the hosts of the map`)
  if (url.username || url.password) throw new Refused(`an address on ${url.host} has a password in it`)
  if (url.protocol !== 'https:' && !(found.inside && url.protocol === 'http:'))
    throw new Refused(`${url.protocol}//${url.host} is not asked: only https`)
  return Object.assign(url, { inside: found.inside ?? false })
}

const ask = (url: URL & { inside: boolean }, headers: From['headers'], signal: AbortSignal) =>
  new Promise<IncomingMessage>((resolve, reject) => {
    // A number needs no look-up, so it is judged here.
    const number = url.hostname.replace(/^\[|\]$/g, '')
    if (!url.inside && isIP(number) && !isPublic(number)) return reject(notPublic(number))
    const send = url.protocol === 'https:' ? securely : plainly
    const options = { signal, headers, agent: false as const, ...(url.inside ? {} : { lookup: onlyPublic }) }
    send(url, options, resolve).once('error', reject).end()
  })

const notPublic = (what: string) => new Refused(`${what} is no public address`)

/** Fails with Refused where a name leads to an address inside. */
export const onlyPublic = lookupOf(isPublic, what => notPublic(what))

async function whole(answer: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of answer) {
    size += part.length
    if (size > largest) throw new Refused(`a file has more than ${largest} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts)
}

function unanswered(error: Error): never {
  throw error instanceof Refused ? error : unavailable(error.message)
}

/** With what happened as its cause, for the log. */
const unavailable = (what: string) => Object.assign(new CrmUnavailable(), { cause: new Error(what) })
