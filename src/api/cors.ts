import type { RequestHandler } from 'express'

/**
 * Pages of these origins may ask the API with a token (the Fetch standard's CORS protocol); cookies are not let along,
 * so what a browser's session may stays with our own pages.
 */
export const cors =
  (origins: string[]): RequestHandler =>
  (req, res, next) => {
    if (req.portal.wants !== 'json' || !origins.length) return next()
    const origin = req.get('Origin')
    res.vary('Origin')
    if (!origin || !origins.includes(origin)) return next()
    res.set('Access-Control-Allow-Origin', origin)
    req.portal.cookieless = true
    if (req.method !== 'OPTIONS' || !req.get('Access-Control-Request-Method')) {
      res.set('Access-Control-Expose-Headers', 'WWW-Authenticate, Retry-After, X-Request-Id, Content-Disposition')
      return next()
    }
    res.set({
      'Access-Control-Allow-Methods': 'GET, POST, PUT, PATCH, DELETE',
      'Access-Control-Allow-Headers': 'Authorization, Content-Type',
      'Access-Control-Max-Age': '600',
    })
    res.status(204).end()
  }
