import { createHash } from 'node:crypto'
import type { Statement } from '../../platform/database.ts'

/** An identifier of the map in SQL, whatever it is called: it cannot end its own quotes. */
export function ident(name: string): string {
  if (/\p{Cc}/u.test(name) || hasParam(name)) throw new TypeError(`crm.map: ${JSON.stringify(name)} is no name.`)
  return `"${name.replaceAll('"', '""')}"`
}

/** `billing.invoices` as `"billing"."invoices"`. */
export function tableIdent(table: string): string {
  const at = table.indexOf('.')
  return at < 0 ? `"public".${ident(table)}` : `${ident(table.slice(0, at))}.${ident(table.slice(at + 1))}`
}

/** A constant of the map. What comes from a request is a parameter, always. */
export function literal(value: string): string {
  const text = value.replaceAll('\0', '').replaceAll("'", "''")
  if (!text.includes('\\') && !hasParam(text)) return `'${text}'`
  // Escaped, so that it is not taken for a placeholder.
  return `E'${text.replaceAll('\\', '\\\\').replaceAll('$param(', '\\x24param(')}'`
}

/** A named placeholder for a value of a request, `$param(client)`; `statement` gives each its number. */
export const param = (name: string) => `$param(${name})`
const placeholders = /\$param\((\w+)\)/g

/** Whether this SQL depends on a value of a request. */
export const hasParam = (sql: string) => sql.search(placeholders) >= 0

const made = new Map<string, { name: string; text: string; order: string[] }>()

/** Ready to be prepared: the same text has the same name, in the version of the schema that it was made for. */
export function statement(sql: string, values: Record<string, unknown>, version: string): Statement {
  const key = `${version} ${sql}`
  let it = made.get(key)
  if (!it) {
    const order: string[] = []
    const text = sql.replace(placeholders, (_, name: string) => {
      if (!order.includes(name)) order.push(name)
      return `$${order.indexOf(name) + 1}`
    })
    it = { name: `map.${createHash('sha256').update(key).digest('base64url').slice(0, 24)}`, text, order }
    if (made.size > 5_000) made.clear()
    made.set(key, it)
  }
  return { name: it.name, text: it.text, values: it.order.map(name => values[name] ?? null) }
}
