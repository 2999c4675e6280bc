import { Conflict } from '../../http/errors.ts'
import type { Call } from './map.ts'

/** Statuses that mean: not any more. Others are tried again. */
const conflicts = [404, 409, 410, 412, 422]

/**
 * Calls the CRM's own API. `{id}` and the like are filled in with what is `known`; a header may name the environment.
 * `key` is the same for the same call. Throws Conflict where the CRM says that it is too late.
 */
export async function sendCall(it: Call, key: string, known: Record<string, unknown>) {
  const id = String(known.id)
  const text = (template: string, encoded: (value: string) => string) =>
    template.replace(/\{(?:env (\w+)|(\w+(?: \w+)?))\}/g, (all, env, name = '') => {
      // What the environment says is ours: an address among others.
      if (env) return process.env[env] ?? ''
      const value = known[name.replace(' ', '_')]
      return value === undefined ? all : encoded(String(value ?? ''))
    })
  const written = it.escape === 'html' ? escapeHtml : String
  const filled = (value: unknown): unknown => {
    if (typeof value === 'string')
      return value === '{id}' && /^\d+$/.test(id) && it.numericIds ? Number(id) : text(value, written)
    if (Array.isArray(value)) return value.map(filled)
    if (value === null || typeof value !== 'object') return value
    // Columns without a value stay unchanged.
    const said = Object.entries(value).filter(([, one]) => typeof one !== 'string' || known[namedBy(one)] !== null)
    return Object.fromEntries(said.map(([name, one]) => [name, filled(one)]))
  }
  const response = await fetch(text(it.url, encodeURIComponent), {
    method: it.method ?? 'POST',
    headers: {
      'Content-Type': 'application/json',
      [it.key ?? 'Idempotency-Key']: key,
      ...Object.fromEntries(Object.entries(it.headers ?? {}).map(([name, value]) => [name, text(value, String)])),
    },
    body: JSON.stringify(filled(it.body ?? {})),
    redirect: 'error',
    signal: AbortSignal.timeout(15_000),
  })
  if (response.ok) return
  if ((it.conflicts ?? conflicts).includes(response.status)) throw new Conflict()
  throw new Error(`The CRM answered ${response.status}.`)
}

const signs: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escapeHtml = (text: string) => text.replace(/[&<>"']/g, it => signs[it]!)

/** The gap that a text is, if it is nothing else. */
const namedBy = (text: string) => /^\{(\w+(?: \w+)?)\}$/.exec(text)?.[1]?.replace(' ', '_') ?? ''
