import type { Request, RequestHandler } from 'express'
import { coreHostOf } from '../auth/host.ts'
import type { Ports } from '../crm/crm.ts'
import { NotFound } from '../http/errors.ts'
import { currentTime } from '../platform/clock.ts'
import { dateIn, zoneOf } from '../platform/i18n.ts'
import type { Host } from '../plugin/plugin.ts'
import { isStore } from '../plugin/stores.ts'

/** Whether the CRM has records of this kind itself. Then none are kept here. */
export function areInCrm({ portal: { workspace } }: Request<any>, host: Host, section: keyof Ports): boolean {
  const today = dateIn(zoneOf(workspace.timeZone), currentTime(host.database))
  const nobody = { workspace, client: { id: '', name: '' }, person: { id: '', name: '', email: '' }, today }
  const port = coreHostOf(host).crm.connect({ ...nobody, role: 'viewer' })[section]
  return port !== undefined && !isStore(port)
}

/**
 * For what there is only where such records are kept here: elsewhere there is no such record, and the page at this path
 * says where they are.
 */
export const ownRecords =
  (host: Host, section: keyof Ports, path: string): RequestHandler<any> =>
  (req, res, next) => {
    if (!areInCrm(req, host, section)) return next()
    if (req.params.id !== undefined) return next(new NotFound())
    res.redirect(303, req.portal.url(path))
  }
