import type { Request, RequestHandler } from 'express'
import { type CoreHost, coreHostOf } from '../../src/auth/host.ts'
import { recordEventIn } from '../../src/platform/activity.ts'
import { within } from '../../src/platform/database.ts'
import type { Host } from '../../src/plugin/plugin.ts'

/** The card in the account. */
export async function cardOf({ portal }: Request<any>, host: Host): Promise<object> {
  return { calendar: coreHostOf(host).address !== undefined && portal.may('calendar.see') }
}

interface Shown {
  address?: string
}

export const showCalendar: RequestHandler<any> = async (req, res) => {
  const { address } = req as Shown
  const found = await req.portal.crm.calendar.find()
  res.respond('calendar/show', { since: found?.since, address, ended: req.query.ended === '' })
}

export const makeCalendar =
  (host: CoreHost): RequestHandler<any> =>
  async (req, res, next) => {
    const { crm, workspace } = req.portal
    const token = await within(host.database, { workspace: workspace.id }, async tx => {
      const made = await crm.calendar.make(tx)
      await recordEventIn(tx, req, { event: 'calendar.made' })
      return made
    })
    // The address is shown once, in this response: only its hash is kept.
    Object.assign(req, {
      address: `${host.address}/${workspace.slug}/calendar-feed/${token}/calendar.ics`,
    } satisfies Shown)
    return showCalendar(req, res, next)
  }

export const endCalendar =
  ({ database }: CoreHost): RequestHandler<any> =>
  async (req, res) => {
    const { crm, workspace } = req.portal
    await within(database, { workspace: workspace.id }, async tx => {
      if (await crm.calendar.end(tx)) await recordEventIn(tx, req, { event: 'calendar.ended' })
    })
    res.redirect(303, req.portal.url('/calendar?ended'))
  }
