import type { Request } from 'express'
import { json, type RequestHandler, raw, urlencoded } from 'express'
import { z } from 'zod'
import { Invalid, Unreadable } from './errors.ts'

/** Parses the request's form or JSON body by this schema. Throws Invalid. */
export function read<T>(shape: z.ZodType<T>, req: Request<any>): T {
  const typed = req.portal.body ?? {}
  const form = shape.safeParse(typed)
  if (form.success) return form.data
  throw new Invalid(z.flattenError(form.error).fieldErrors, typed)
}

const largest = 100_000
const form = urlencoded({ extended: false, limit: largest })
const text = json({ limit: largest })

/** Whether a body is larger than any of our forms or API requests. */
export const isTooLarge = (req: Request<any>): boolean =>
  Number(req.get('Content-Length')) > largest && Boolean(req.is(['urlencoded', 'json']))

/** Parses the body into `req.portal.body`; the host's own `req.body` stays as it was. */
export const bodies: RequestHandler = (req, res, next) => {
  if (req.method === 'GET' || req.method === 'HEAD') return next()
  const { body: before } = req
  const parsed = (error?: unknown) => {
    const body: unknown = req.body
    req.body = before ?? body
    if (error) return next(error)
    req.portal.body = cleaned(body)
    // All of our forms and API requests have named fields, so an array is refused.
    next(Array.isArray(body) ? new Unreadable() : undefined)
  }
  form(req, res, error => (error ? parsed(error) : text(req, res, parsed)))
}

/**
 * Parses a form with a small file, which is a Web `File` in memory. Reads up to 5 MB, so that a larger file gets a
 * message beside the form's input. Throws Invalid for more.
 */
export function withFile(name: string): RequestHandler {
  const parse = raw({ type: 'multipart/form-data', limit: '5mb' })
  return (req, res, next) => {
    const { body: before } = req
    parse(req, res, async error => {
      const bytes: unknown = req.body
      req.body = before
      if (error?.type === 'entity.too.large') return next(new Invalid({ [name]: ['This file is far too large.'] }, {}))
      if (error || !Buffer.isBuffer(bytes)) return next(error)
      const typed = await new Response(bytes as never, { headers: { 'Content-Type': req.get('Content-Type') ?? '' } })
        .formData()
        .catch(() => undefined)
      req.portal.body = typed && cleaned(Object.fromEntries(typed))
      next(typed ? undefined : new Unreadable())
    })
  }
}

/** Deeper than any of our forms or API requests. */
const deepest = 20

/**
 * Cleans the input. PostgreSQL cannot store a NUL or half a surrogate pair, which no keyboard makes: they become the
 * replacement character, as in HTML (WHATWG, 13.2.3.5). A field named like a property of every object, such as
 * `toString`, is dropped. Throws Unreadable for input nested too deep.
 */
function cleaned(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return value.toWellFormed().replaceAll('\0', '\ufffd')
  if (typeof value !== 'object' || value === null || value instanceof File) return value
  if (depth === deepest) throw new Unreadable()
  if (Array.isArray(value)) return value.map(it => cleaned(it, depth + 1))
  const fields = Object.entries(value).filter(([name]) => !(name in Object.prototype))
  return Object.fromEntries(fields.map(([name, it]) => [cleaned(name), cleaned(it, depth + 1)]))
}
