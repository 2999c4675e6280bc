import type { Request } from 'express'
import { json, type RequestHandler, urlencoded } from 'express'
import { z } from 'zod'
import { Invalid, Unreadable } from './errors.ts'

/** A body in the shape that was asked for. Throws Invalid. */
export function read<T>(shape: z.ZodType<T>, req: Request<any>): T {
  const typed = req.portal.body ?? {}
  const form = shape.safeParse(typed)
  if (form.success) return form.data
  throw new Invalid(z.flattenError(form.error).fieldErrors, typed)
}

/** The body goes to `req.portal.body`; the host's own `req.body` stays as it was. */
export const bodies: RequestHandler[] = [urlencoded({ extended: false, limit: '100kb' }), json({ limit: '100kb' })].map(
  (parse): RequestHandler =>
    (req, res, next) => {
      const { body: before } = req
      parse(req, res, error => {
        req.portal.body = req.body
        req.body = before ?? req.portal.body
        next(error ?? (holdsNul(req.portal.body) ? new Unreadable() : undefined))
      })
    },
)

/** PostgreSQL has no text with it, and no keyboard makes it. */
const holdsNul = (body: unknown) => JSON.stringify(body)?.includes('\\u0000')
