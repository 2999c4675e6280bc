import { ApiError, invalid, missing, unknownParam } from './errors.ts'
import type { FormFields, FormValue } from './form.ts'

/** Reads one parameter, or throws Stripe's error for it. */
export type Rule<T> = (value: FormValue, name: string) => T
interface Needed<T> extends Rule<T> {
  needed: true
}

type Rules = Record<string, Rule<unknown>>
type NeededKeys<R extends Rules> = { [K in keyof R]: R[K] extends Needed<unknown> ? K : never }[keyof R]
/** What a hash of these rules gives: needed ones are there, the others may be undefined. */
export type Values<R extends Rules> = { [K in NeededKeys<R>]: ReturnType<R[K]> } & {
  [K in Exclude<keyof R, NeededKeys<R>>]?: ReturnType<R[K]>
}

/** Marks a parameter without which the request is refused. */
export const needed = <T>(rule: Rule<T>): Needed<T> =>
  Object.assign((value: FormValue, name: string) => rule(value, name), { needed: true as const })

/** Parameters by name; others are refused as unknown. */
export function hash<R extends Rules>(rules: R): Rule<Values<R>> {
  return (value, name) => {
    if (typeof value === 'string' || Array.isArray(value)) throw invalid('Invalid object', name)
    const full = (key: string) => (name ? `${name}[${key}]` : key)
    const extra = Object.keys(value).find(key => !Object.hasOwn(rules, key))
    if (extra !== undefined) throw unknownParam(full(extra))
    for (const [key, rule] of Object.entries(rules)) {
      if ('needed' in rule && !Object.hasOwn(value, key)) throw missing(full(key))
    }
    const read = Object.entries(value).map(([key, below]) => [key, rules[key]!(below, full(key))])
    return Object.fromEntries(read) as Values<R>
  }
}

/** All parameters of a request. */
export const readParams = <T>(rule: Rule<T>, form: FormFields): T => rule(form, '')

function textOf(value: FormValue, name: string): string {
  if (typeof value !== 'string') throw invalid(`Invalid string: ${JSON.stringify(value)}`, name)
  if (value !== '') return value
  throw invalid(
    `You passed an empty string for '${name}'. We assume empty values are an attempt to unset a parameter; however ` +
      `'${name}' cannot be unset. You should remove '${name}' from your request or supply a non-empty value.`,
    name,
    'parameter_invalid_empty',
  )
}

export const text =
  (max = 5_000): Rule<string> =>
  (value, name) => {
    const read = textOf(value, name)
    if (read.length <= max) return read
    const shown = `${read.slice(0, 20)}...${read.slice(-5)}`
    throw invalid(`Invalid string: ${shown}; must be at most ${max} characters`, name, 'parameter_invalid_string')
  }

/** An update may empty it: '' reads as null. */
export const clearable =
  <T>(rule: Rule<T>): Rule<T | null> =>
  (value, name) =>
    value === '' ? null : rule(value, name)

export const integer =
  ({ min = 0, max = Number.MAX_SAFE_INTEGER }: { min?: number; max?: number } = {}): Rule<number> =>
  (value, name) => {
    const read = textOf(value, name)
    const number = Number(read)
    const code = 'parameter_invalid_integer'
    if (!/^-?\d{1,16}$/.test(read) || !Number.isSafeInteger(number))
      throw invalid(`Invalid integer: ${read}`, name, code)
    if (number < min) throw invalid(`This value must be greater than or equal to ${min}.`, name, code)
    if (number > max) throw invalid(`This value must be less than or equal to ${max}.`, name, code)
    return number
  }

export const boolean: Rule<boolean> = (value, name) => {
  const read = textOf(value, name)
  if (read !== 'true' && read !== 'false') throw invalid(`Invalid boolean: ${read}`, name)
  return read === 'true'
}

export const oneOf =
  <T extends string>(...choices: T[]): Rule<T> =>
  (value, name) => {
    const read = textOf(value, name)
    const found = choices.find(choice => choice === read)
    if (found !== undefined) return found
    const listed = choices.length > 1 ? `${choices.slice(0, -1).join(', ')}, or ${choices.at(-1)}` : choices[0]
    throw invalid(`Invalid ${name}: must be ${choices.length > 1 ? 'one of ' : ''}${listed}`, name)
  }

export const list =
  <T>(rule: Rule<T>, max = 100): Rule<T[]> =>
  (value, name) => {
    if (!Array.isArray(value)) throw invalid('Invalid array', name)
    if (value.length > max) throw invalid(`Array must have at most ${max} elements`, name)
    return value.map((each, index) => rule(each, `${name}[${index}]`))
  }

export const email: Rule<string> = (value, name) => {
  const read = text(512)(value, name)
  if (!/^[^\s@]+@[^\s@]+\.[^\s@.]+$/.test(read)) throw invalid(`Invalid email address: ${read}`, name, 'email_invalid')
  return read
}

export const url: Rule<string> = (value, name) => {
  const read = text()(value, name)
  const scheme = URL.canParse(read) ? new URL(read).protocol : ''
  if (scheme !== 'http:' && scheme !== 'https:') throw invalid('Not a valid URL', name, 'url_invalid')
  return read
}

/** `created=1700000000`, or `created[gte]=…`. */
export const moment: Rule<Range> = (value, name) => {
  if (typeof value !== 'string') return range(value, name)
  const at = integer()(value, name)
  return { gte: at, lte: at }
}
const range = hash({ gt: integer(), gte: integer(), lt: integer(), lte: integer() })
export interface Range {
  gt?: number
  gte?: number
  lt?: number
  lte?: number
}

const limits = { keys: 50, key: 40, value: 500 }

/** Texts by name; an empty one removes that name, where `mergeMetadata` puts it in. */
export const metadata: Rule<Record<string, string>> = (value, name) => {
  if (value === '') return {}
  if (typeof value === 'string') throw invalid('Invalid object', name)
  const entries = Object.entries(value)
  for (const [key, each] of entries) checkMetadata(key, each, name)
  if (entries.length > limits.keys) throw invalid(`Metadata can have up to ${limits.keys} keys`, name)
  return Object.fromEntries(entries) as Record<string, string>
}

function checkMetadata(key: string, value: FormValue, name: string): void {
  if (typeof value !== 'string') throw invalid('Metadata values must be strings', `${name}[${key}]`)
  if (key.length > limits.key) {
    throw invalid(`Metadata keys can have up to ${limits.key} characters, but yours has ${key.length}.`, name)
  }
  if (value.length > limits.value) {
    const many = `up to ${limits.value} characters, but you passed in a value that is ${value.length} characters`
    throw invalid(`Metadata values can have ${many}. Invalid value: ${value}`, `${name}[${key}]`)
  }
}

/** New names are added, others kept; an empty text removes. */
export function mergeMetadata(
  old: Record<string, string>,
  change: Record<string, string> = {},
): Record<string, string> {
  const merged = Object.entries({ ...old, ...change }).filter(([, value]) => value !== '')
  if (merged.length > limits.keys)
    throw new ApiError(`Metadata can have up to ${limits.keys} keys`, { param: 'metadata' })
  return Object.fromEntries(merged)
}
