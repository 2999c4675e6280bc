import type { RequestHandler } from 'express'
import type { Host } from '../plugin/plugin.ts'

/**
 * `{ "invoices": 3 }`: how much of each section waits for this person, for the navigation. Pages ask for it after they
 * are shown, so that they do not wait for it. A section that fails is left out.
 */
export const showWaiting =
  (host: Pick<Host, 'log' | 'plugins'>): RequestHandler =>
  async (req, res) => {
    const { id, nav } = req.portal
    const counts = await Promise.all(
      nav.map(async it => {
        try {
          return [it.name, (await it.waiting?.(req.portal, host)) ?? 0]
        } catch (err) {
          host.log.error({ request: id, err, section: it.name }, 'what waits in a section could not be counted')
          return [it.name, 0]
        }
      }),
    )
    const some = counts.filter(([, count]) => count)
    res.set('Cache-Control', 'private, no-store').json(Object.fromEntries(some))
  }
