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

const form = urlencoded({ extended: false, limit: '100kb' })
const text = json({ limit: '100kb' })

/** The body goes to `req.portal.body`; the host's own `req.body` stays as it was. */
export const bodies: RequestHandler = (req, res, next) => {
  if (req.method === 'GET' || req.method === 'HEAD') return next()
  const { body: before } = req
  const parsed = (error?: unknown) => {
    req.portal.body = req.body
    req.body = before ?? req.portal.body
    next(error ?? (holdsNul(req.portal.body) ? new Unreadable() : undefined))
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
      req.portal.body = typed && Object.fromEntries(typed)
      next(typed && !holdsNul(req.portal.body) ? undefined : new Unreadable())
    })
  }
}

/** PostgreSQL has no text with it, and no keyboard makes it. */
const holdsNul = (body: unknown) => JSON.stringify(body)?.includes('\\u0000')
