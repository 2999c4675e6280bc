import { Conflict } from '../../http/errors.ts'
import type { Call } from './map.ts'

/** Statuses that mean: not any more. Others are tried again. */
const conflicts = [404, 409, 410, 412, 422]

/** What stands in the gaps of a call: `{wished on}` is `wished_on`. */
export type Known = Record<string, unknown>

/**
 * Calls the CRM's own API. `{id}` and the like are filled in with what is `known`; a header may name the environment.
 * `key` is the same for the same call. Throws Conflict where the CRM says that it is too late.
 */
export async function sendCall(it: Call, key: string, known: Known) {
  const { ok, status } = await requestOf(it, key, known)
  if (ok) return
  if ((it.conflicts ?? conflicts).includes(status)) throw new Conflict()
  throw new Error(`The CRM answered ${status}.`)
}

/** The same, and gives what the CRM answered, whatever it is. */
export const requestOf = (it: Call, key: string, known: Known): Promise<Response> =>
  fetch(textOf(it.url, known, encodeURIComponent), {
    method: it.method ?? 'POST',
    headers: {
      'Content-Type': 'application/json',
      [it.key ?? 'Idempotency-Key']: key,
      ...Object.fromEntries(Object.entries(it.headers ?? {}).map(([name, value]) => [name, textOf(value, known)])),
    },
    body: JSON.stringify(filled(it, it.body ?? {}, known)),
    redirect: 'error',
    signal: AbortSignal.timeout(15_000),
  })

function textOf(template: string, known: Known, encoded: (value: string) => string = String): string {
  return template.replace(/\{(?:env (\w+)|(\w+(?: \w+)?))\}/g, (all, env, name = '') => {
    // What the environment says is ours: an address among others.
    if (env) return process.env[env] ?? ''
    const value = known[name.replace(' ', '_')]
    return value === undefined ? all : encoded(String(value ?? ''))
  })
}

/** A body with its gaps filled in. */
function filled(it: Call, value: unknown, known: Known): unknown {
  if (value === '{shares}' && known.shares) return known.shares
  if (typeof value === 'string')
    return scalar(it, value, textOf(value, known, it.escape === 'html' ? escapeHtml : String))
  if (Array.isArray(value)) return value.map(one => filled(it, one, known))
  if (value === null || typeof value !== 'object') return value
  // Columns without a value stay unchanged.
  const said = Object.entries(value).filter(([, one]) => typeof one !== 'string' || known[namedBy(one)] !== null)
  return Object.fromEntries(said.map(([name, one]) => [name, filled(it, one, known)]))
}

const idGap = /^\{(id|answer|method id|currency id|env \w+)\}$/
const amountGap = /^\{(amount|cents)\}$/

/** A text, or the number that the CRM wants in its place. */
function scalar({ numericIds, numericAmounts }: Call, template: string, text: string): string | number {
  const whole = numericIds && idGap.test(template) && /^\d+$/.test(text)
  return whole || (numericAmounts && amountGap.test(template)) ? Number(text) : text
}

const signs: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escapeHtml = (text: string) => text.replace(/[&<>"']/g, it => signs[it]!)

/** The gap that a text is, if it is nothing else. */
const namedBy = (text: string) => /^\{(\w+(?: \w+)?)\}$/.exec(text)?.[1]?.replace(' ', '_') ?? ''
