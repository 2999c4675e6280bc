import { type ErrorRequestHandler, type RequestHandler, Router, raw } from 'express'
import type { Flags } from '../platform/flags.ts'
import type { Log } from '../platform/log.ts'
import type { Host } from './plugin.ts'

interface Parts {
  flags: Flags
  host: Host
  log: Log
  /** Whether the CRM's audit was accepted. */
  isAccepted(): Promise<boolean>
  /** Whether this instance has the secret of the others. */
  trusted(): Promise<boolean>
}

const largest = '1mb'

/**
 * What others send to plugins, at `/-/webhooks/<plugin>`: with the raw bytes, past the CRM's body parsers, and of any
 * method. Where the portal is off for everybody, or not enabled, it is left to the CRM, and so is what a plugin gives no
 * answer to. What a plugin throws is a 500 without a word, so that the sender tries again.
 */
export function receiving({ flags, host, log, isAccepted, trusted }: Parts): Router {
  const router = Router()
  const isOn: RequestHandler = async (_req, res, next) => {
    if (!flags.enabledAnywhere() || !(await isAccepted())) return next('router')
    if (await trusted()) return next()
    res.status(503).set('Retry-After', '30').json({})
  }
  for (const { name, webhook } of host.plugins)
    if (webhook)
      router.all(`/${name}`, isOn, raw({ type: () => true, limit: largest }), async (req, res, next) => {
        const { method, headers, query } = req
        const body = Buffer.isBuffer(req.body) ? req.body : Buffer.alloc(0)
        try {
          const answer = await webhook({ method, headers, query, body }, host)
          if (!answer) return next('router')
          res
            .status(answer.status)
            .set('Cache-Control', 'no-store')
            .json(answer.body ?? {})
        } catch (err) {
          log.error({ err, plugin: name }, 'a webhook could not be taken; its sender is told to try again')
          res.status(500).set('Cache-Control', 'no-store').json({})
        }
      })
  router.use(unreadable)
  return router
}

/** A body that is too large, or broken, is none of the CRM's. */
const unreadable: ErrorRequestHandler = (error, _req, res, next) =>
  error.status >= 400 && error.status < 500 ? void res.status(error.status).json({}) : next(error)
