import { type RequestHandler, request } from 'express'
import { CrossSite } from './errors.ts'

/**
 * Refuses forms from other sites. Every browser sends one of two headers with a form that another site's page cannot
 * forge, so no token is needed; a request with neither does not come from a browser. The rule is that of Go's
 * http.CrossOriginProtection, but the scheme counts too: a page of the same host over plain http is another site.
 * `address` is where clients find the portal; behind an untrusted proxy it differs from the request's. `exempt` are
 * paths with a verification of their own.
 */
export const sameOrigin =
  (address: string | undefined, exempt?: RegExp): RequestHandler =>
  (req, _res, next) => {
    // Browsers never send a token on their own.
    if (req.portal.bearer || req.portal.cookieless) return next()
    const site = req.get('Sec-Fetch-Site')
    const origin = req.get('Origin')
    const safe = ['GET', 'HEAD', 'OPTIONS'].includes(req.method)
    const own = [`${req.protocol}://${hostOf(req)}`, address && new URL(address).origin]
    const ours = site ? site === 'same-origin' || site === 'none' : !origin || own.includes(origin)
    next(safe || ours || exempt?.test(req.path) ? undefined : new CrossSite())
  }

/**
 * Returns the host with its port, or the one that a trusted proxy names. Express 4, which may be the host's, omits the
 * port.
 */
const hostOf = (req: object): string | undefined => Reflect.get(request, 'host', req)
