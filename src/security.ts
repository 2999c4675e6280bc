import type { RequestHandler } from 'express'
import helmet from 'helmet'
import { type Log, logRequests, type Observe } from './log.ts'

/** From here on the answer is the portal's own, and no longer left to the host: its headers, and a line in the log. */
export function claims(log: Log, observe: Observe): RequestHandler {
  const note = logRequests(log, observe)
  return (req, res, next) => {
    req.portal.claimed = true
    res.set('X-Request-Id', req.portal.id)
    note(req, res, () => headers(req, res, next))
  }
}

/**
 * Headers of the portal's own answers; the host's pages keep theirs. Scripts run by nonce only, and htmx alone may
 * write HTML (Trusted Types). What concerns the whole host, such as HSTS, is left to it.
 */
const headers = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: [req => `'nonce-${(req as unknown as Express.Request).portal.nonce}'`],
      styleSrc: ["'self'"],
      imgSrc: ["'self'", 'data:'],
      connectSrc: ["'self'"],
      formAction: ["'self'"],
      baseUri: ["'none'"],
      frameSrc: ["'self'"],
      frameAncestors: ["'none'"],
      trustedTypes: ['htmx'],
      requireTrustedTypesFor: ["'script'"],
    },
  },
  referrerPolicy: { policy: 'same-origin' },
  strictTransportSecurity: false,
  xPoweredBy: false,
})
