import type { RequestHandler } from 'express'
import helmet from 'helmet'
import { type Log, logRequests, type Observe } from '../platform/log.ts'

/** Claims the request for the portal rather than the host: sets the headers and logs the response. */
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

/** CSP directives that a plugin's pages may widen, by their standard names (CSP Level 3). */
export type PolicyNeeds = Partial<Record<'img-src' | 'connect-src' | 'frame-src' | 'media-src' | 'font-src', string[]>>

/** Widens the policy for pages that load more than others. Scripts can never be added. */
export function widened(needs: PolicyNeeds): RequestHandler {
  const wider = Object.entries(needs).reduce((all, [name, sources]) => {
    const more = sources.join(' ')
    const has = new RegExp(`(^|;)${name} [^;]*`).exec(all)
    return has ? all.replace(has[0], `${has[0]} ${more}`) : `${all};${name} 'self' ${more}`
  }, policy)
  return (req, res, next) => {
    res.setHeader('Content-Security-Policy', wider.replace(here, req.portal.nonce))
    next()
  }
}

const here = 'the nonce'

/**
 * Headers of the portal's own responses; the host's pages keep theirs. Scripts run by nonce only, and only htmx may
 * write HTML (Trusted Types); `worker` names the service worker of push notifications. Headers for the whole host, such as HSTS, are left to it.
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
      manifestSrc: ["'self'"],
      workerSrc: ["'self'"],
      trustedTypes: ['htmx', 'worker'],
      requireTrustedTypesFor: ["'script'"],
    },
  },
  referrerPolicy: { policy: 'same-origin' },
  strictTransportSecurity: false,
  xPoweredBy: false,
})

/** helmet's headers are the same for every request except for the nonce, so they are computed once. */
const fixed = new Map<string, string>()
chosen(
  {} as never,
  { setHeader: (name: string, value: string) => fixed.set(name, value), removeHeader() {} } as never,
  () => undefined,
)
const policy = fixed.get('Content-Security-Policy') ?? ''
fixed.delete('Content-Security-Policy')
