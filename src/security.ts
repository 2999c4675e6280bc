import type { RequestHandler } from 'express'
import helmet from 'helmet'
import { type Log, logRequests, type Observe } from './log.ts'

/** From here on the answer is the portal's own, and no longer left to the host: its headers, and a line in the log. */
export function claims(log: Log, observe: Observe): RequestHandler {
  const note = logRequests(log, observe)
  return (req, res, next) => {
    req.portal.claimed = true
    res.set('X-Request-Id', req.portal.id)
    for (const [name, value] of fixed) res.setHeader(name, value)
    res.setHeader('Content-Security-Policy', policy.replace(here, req.portal.nonce))
    note(req, res, next)
  }
}

const here = 'the nonce'

/**
 * Headers of the portal's own answers; the host's pages keep theirs. Scripts run by nonce only, and htmx alone may
 * write HTML (Trusted Types). What concerns the whole host, such as HSTS, is left to it.
 */
const chosen = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: [() => `'nonce-${here}'`],
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

/** What helmet sets is the same for every request but for the nonce: it is asked once. */
const fixed = new Map<string, string>()
chosen(
  {} as never,
  { setHeader: (name: string, value: string) => fixed.set(name, value), removeHeader() {} } as never,
  () => undefined,
)
const policy = fixed.get('Content-Security-Policy') ?? ''
fixed.delete('Content-Security-Policy')
