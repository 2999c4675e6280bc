import type { Problem } from './errors.ts'
import type { Speech } from './language.ts'

declare global {
  namespace Portico {
    /**
     * What the portal knows of a request, on `req.portal`. Each part that knows something adds its own keys by declaration
     * merging, so that nothing here names what is above. The host's own `req.user` and `req.session` are never touched.
     */
    interface RequestContext extends Speech {
      /** Also in the answer's `X-Request-Id` and in the log. */
      id: string
      /** Whether the answer is the portal's own by now, and no longer left to the host. */
      claimed: boolean
      wants: 'page' | 'fragment' | 'json'
      frame: 'page' | 'solo' | 'settings'
      /** Where the settings area is, on pages of staff outside of it. */
      area: string | undefined
      /** For the Content-Security-Policy of this answer. */
      nonce: string
      /** By the database's clock. */
      now: Date
      /** An address within this workspace's portal, or within the settings area. */
      url(path: string): string
      /** The address of a stylesheet, script or picture of ours. */
      asset(name: string): string
      body: unknown
      /** Why the answer is not what was asked for. */
      problem: Problem | undefined
      /** Sent by a page of another origin that may ask the API: its cookies do not count. */
      cookieless: boolean
      /** The token that the request was sent with, and what it may: all that its person may, where it has no scopes. */
      bearer: { id: string; scopes: string[] | null } | undefined
    }
  }
  namespace Express {
    interface Request {
      portal: Portico.RequestContext
    }
  }
}

export type RequestContext = Portico.RequestContext
