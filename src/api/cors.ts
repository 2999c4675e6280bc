import allow from 'cors'
import type { RequestHandler } from 'express'

/**
 * Allows pages of these origins to call the API with a token (CORS protocol of the Fetch standard). Their cookies are
 * ignored, so what a browser's session may do stays with our own pages.
 */
export function cors(origins: string[]): RequestHandler {
  const share = allow({
    origin: origins,
    methods: 'GET, POST, PUT, PATCH, DELETE',
    allowedHeaders: 'Authorization, Content-Type',
    exposedHeaders: 'WWW-Authenticate, Retry-After, X-Request-Id, Content-Disposition',
    maxAge: 600,
  })
  return (req, res, next) => {
    if (req.portal.wants !== 'json' || !origins.length) return next()
    req.portal.cookieless = origins.includes(req.get('Origin') ?? '')
    share(req, res, next)
  }
}
