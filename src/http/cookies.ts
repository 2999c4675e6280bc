import { parseCookie } from 'cookie'
import type { Request } from 'express'

/** Returns a cookie of the request (RFC 6265); undefined if there is none of this name. */
export const readCookie = (req: Request<any>, name: string): string | undefined =>
  parseCookie(req.get('Cookie') ?? '')[name]
