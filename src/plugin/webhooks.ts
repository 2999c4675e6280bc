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

/** Bytes of a call, unless the plugin says otherwise. */
const usual = 1_048_576

/** Calls with more than the usual bytes that one process reads at once: they are kept in memory. */
const mostLarge = 3

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
  const isRoom = roomForLarge()
  for (const { name, webhook, webhookLimit = usual } of host.plugins)
    if (webhook)
      router.all(`/${name}`, isOn, isRoom, raw({ type: () => true, limit: webhookLimit }), async (req, res, next) => {
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

/** Asks a caller with a large body to come back while others with such are here. */
function roomForLarge(): RequestHandler {
  let large = 0
  return (req, res, next) => {
    const isChunked = req.headers['transfer-encoding'] !== undefined
    if (!isChunked && Number(req.get('Content-Length') ?? 0) <= usual) return next()
    if (large >= mostLarge) return void res.status(503).set('Retry-After', '10').json({})
    large++
    res.once('close', () => large--)
    next()
  }
}

/** A body that is too large, or broken, is none of the CRM's. */
const unreadable: ErrorRequestHandler = (error, _req, res, next) =>
  error.status >= 400 && error.status < 500 ? void res.status(error.status).json({}) : next(error)
