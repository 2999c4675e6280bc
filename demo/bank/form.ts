import { ApiError } from './errors.ts'

/** What a form says: texts, lists and hashes, as nested brackets spell them (`a[b][0]=c`). */
export type FormValue = string | FormValue[] | FormFields
export interface FormFields {
  [name: string]: FormValue
}

type Branch = Map<string, Branch | string>

const limits = { pairs: 2_000, depth: 8 }

/** Reads `application/x-www-form-urlencoded` text with nested brackets. */
export function decodeForm(text: string): FormFields {
  const root: Branch = new Map()
  let pairs = 0
  for (const [name, value] of new URLSearchParams(text)) {
    if (++pairs > limits.pairs) throw new ApiError('Too many parameters.', { early: true })
    put(root, segments(name), value)
  }
  return Object.fromEntries([...root].map(([name, value]) => [name, plain(value)]))
}

function segments(name: string): string[] {
  const open = name.indexOf('[')
  if (open < 1 || !name.endsWith(']')) return [name]
  const inner = name.slice(open + 1, -1).split('][')
  if (inner.length > limits.depth) throw new ApiError('Parameters are nested too deep.', { early: true })
  return [name.slice(0, open), ...inner]
}

function put(branch: Branch, [first, ...rest]: string[], value: string): void {
  if (first === undefined) return
  if (rest.length === 0) return void branch.set(keyIn(branch, first), value)
  const key = first === '' ? openElement(branch, rest[0]!) : first
  const below = branch.get(key)
  const next: Branch = below instanceof Map ? below : new Map()
  branch.set(key, next)
  put(next, rest, value)
}

/** `a[]=x&a[]=y` counts on. */
const keyIn = (branch: Branch, key: string) => (key === '' ? String(branch.size) : key)

/** `a[][b]=1&a[][c]=2` is one element, until a name comes again. */
function openElement(branch: Branch, name: string): string {
  const last = branch.get(String(branch.size - 1))
  const taken = last instanceof Map && !last.has(name)
  return String(taken ? branch.size - 1 : branch.size)
}

function plain(value: Branch | string): FormValue {
  if (typeof value === 'string') return value
  const entries = [...value].map(([key, below]) => [key, plain(below)] as const)
  if (!entries.every(([key]) => /^\d{1,6}$/.test(key))) return Object.fromEntries(entries)
  return entries.toSorted(([a], [b]) => Number(a) - Number(b)).map(([, below]) => below)
}
