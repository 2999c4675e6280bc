import type { Request, RequestHandler } from 'express'

/** What a pino logger offers; any logger with these will do. */
export interface Log {
  info(facts: object, sentence: string): void
  warn(facts: object, sentence: string): void
  error(facts: object, sentence: string): void
}

/** Told of each answer: what was asked, with which status, in how many seconds. */
export type Observe = (req: Request, status: number, seconds: number) => void

/** One line for each request that the portal answered, without what is personal or secret in its address. */
export const logRequests =
  (log: Log, observe: Observe): RequestHandler =>
  (req, res, next) => {
    const began = performance.now()
    const { originalUrl, method } = req
    res.once('finish', () => {
      const ms = req.portal.answersOn ? 0 : Math.round(performance.now() - began)
      log.info(
        { request: req.portal.id, method, path: withoutSecrets(originalUrl), status: res.statusCode, ms },
        'answered',
      )
      observe(req, res.statusCode, ms / 1000)
    })
    next()
  }

/** No query, and no segment that may be a token. */
const withoutSecrets = (url: string) => url.replace(/\?.*/s, '').replace(/\/[\w-]{20,}(?=\/|$)/g, '/…')
