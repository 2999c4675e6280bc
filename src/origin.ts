import { type RequestHandler, request } from 'express'
import { CrossSite } from './errors.ts'

/**
 * Another site's page cannot forge these two headers, and every browser sends one of them with a form, so no token
 * is needed. A request with neither comes from no browser. The rule is that of Go's http.CrossOriginProtection, and the
 * scheme counts too: a page of the same host over plain http is another site. `address` is where clients find the portal,
 * which behind a proxy that is not trusted differs from what the request says.
 */
export const sameOrigin =
  (address: string | undefined): RequestHandler =>
  (req, _res, next) => {
    // A token is not sent by a browser on its own.
    if (req.portal.bearer || req.portal.cookieless) return next()
    const site = req.get('Sec-Fetch-Site')
    const origin = req.get('Origin')
    const safe = ['GET', 'HEAD', 'OPTIONS'].includes(req.method)
    const own = [`${req.protocol}://${hostOf(req)}`, address && new URL(address).origin]
    const ours = site ? site === 'same-origin' || site === 'none' : !origin || own.includes(origin)
    next(safe || ours ? undefined : new CrossSite())
  }

/** With its port, and behind a trusted proxy the one that it names: Express 4, which may be the host, leaves the port out. */
const hostOf = (req: object): string | undefined => Reflect.get(request, 'host', req)
