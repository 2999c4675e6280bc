import type { Speech } from '../platform/i18n.ts'
import type { Problem } from './errors.ts'

declare global {
  namespace Portico {
    /**
     * The request context, on `req.portal`. Each module adds its own keys by declaration merging, so that nothing here
     * depends on upper layers. The host's own `req.user` and `req.session` are never touched.
     */
    interface RequestContext extends Speech {
      /** The request's id, also in the `X-Request-Id` header and in the log. */
      id: string
      /** Whether the portal answers this request, rather than the host. */
      claimed: boolean
      wants: 'page' | 'fragment' | 'json'
      frame: 'page' | 'bare' | 'settings'
      /** The address of the settings area, on staff pages outside of it. */
      settingsArea: string | undefined
      /** The nonce of this response's Content-Security-Policy. */
      nonce: string
      /** The database's time. */
      now: Date
      /** Returns an address within this workspace's portal, or within the settings area. */
      url(path: string): string
      /** Returns the address of one of our stylesheets, scripts or images. */
      asset(name: string): string
      body: unknown
      /** Returns the plugins' views for a slot. */
      slotViews(name: string): readonly string[]
      /** The error, if the request failed. */
      problem: Problem | undefined
      /** Whether the answer goes on for as long as the page is open: how long it took says nothing. */
      answersOn?: boolean
      /** Whether a page of another, allowed origin sent this API request: its cookies are ignored. */
      cookieless: boolean
      /** The token that the request was sent with, and its scopes. Without scopes it may do all that its owner may. */
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
