import { type RequestHandler, request } from 'express'
import { CrossSite } from './errors.ts'

/**
 * Another site's page cannot forge these two headers, and every browser sends one of them with a form, so no token
 * is needed. A request with neither comes from no browser. The rule is that of Go's http.CrossOriginProtection.
 */
export const sameOrigin: RequestHandler = (req, _res, next) => {
  // A token is not sent by a browser on its own.
  if (req.portal.bearer || req.portal.cookieless) return next()
  const site = req.get('Sec-Fetch-Site')
  const origin = req.get('Origin')
  const safe = ['GET', 'HEAD', 'OPTIONS'].includes(req.method)
  const ours = site ? site === 'same-origin' || site === 'none' : !origin || URL.parse(origin)?.host === hostOf(req)
  next(safe || ours ? undefined : new CrossSite())
}

/** With its port, and behind a trusted proxy the one that it names: Express 4, which may be the host, leaves the port out. */
const hostOf = (req: object): string | undefined => Reflect.get(request, 'host', req)
