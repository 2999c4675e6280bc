import type { Request } from 'express'
import { json, type RequestHandler, raw, urlencoded } from 'express'
import { z } from 'zod'
import { Invalid, Unreadable } from './errors.ts'

/** A body in the shape that was asked for. Throws Invalid. */
export function read<T>(shape: z.ZodType<T>, req: Request<any>): T {
  const typed = req.portal.body ?? {}
  const form = shape.safeParse(typed)
  if (form.success) return form.data
  throw new Invalid(z.flattenError(form.error).fieldErrors, typed)
}

const largest = 100_000
const form = urlencoded({ extended: false, limit: largest })
const text = json({ limit: largest })

/** Whether a body is larger than any form or API request of ours. */
export const isTooLarge = (req: Request<any>): boolean =>
  Number(req.get('Content-Length')) > largest && Boolean(req.is(['urlencoded', 'json']))

/** The body goes to `req.portal.body`; the host's own `req.body` stays as it was. */
export const bodies: RequestHandler = (req, res, next) => {
  if (req.method === 'GET' || req.method === 'HEAD') return next()
  const { body: before } = req
  const parsed = (error?: unknown) => {
    const body: unknown = req.body
    req.body = before ?? body
    if (error) return next(error)
    req.portal.body = cleaned(body)
    // Every form and API request of ours has fields with names.
    next(Array.isArray(body) ? new Unreadable() : undefined)
  }
  form(req, res, error => (error ? parsed(error) : text(req, res, parsed)))
}

/**
 * A form with a small file, which is a `File` of the Web and held in memory: up to 5 MB are read, so that somebody who
 * sends too much is told so beside what was typed. Throws Invalid for more.
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

/** As deep as any form or API request of ours, and then some. */
const deepest = 20

/**
 * PostgreSQL has no text with a NUL or half a surrogate pair, which no keyboard makes: they become the replacement
 * character, as in HTML (WHATWG, 13.2.3.5). A field named like something that every object has, such as `toString`, is
 * left out. Throws Unreadable for what is nested deeper than anything we ask for.
 */
function cleaned(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return value.toWellFormed().replaceAll('\0', '\ufffd')
  if (typeof value !== 'object' || value === null || value instanceof File) return value
  if (depth === deepest) throw new Unreadable()
  if (Array.isArray(value)) return value.map(it => cleaned(it, depth + 1))
  const fields = Object.entries(value).filter(([name]) => !(name in Object.prototype))
  return Object.fromEntries(fields.map(([name, it]) => [cleaned(name), cleaned(it, depth + 1)]))
}
