import type { Request, RequestHandler } from 'express'
import { z } from 'zod'
import { type CoreHost, coreHostOf } from '../../src/auth/host.ts'
import { Conflict, Forbidden, NotFound } from '../../src/http/errors.ts'
import { recordEventIn } from '../../src/platform/activity.ts'
import { within } from '../../src/platform/database.ts'
import type { Host } from '../../src/plugin/plugin.ts'

/** The card in the account. */
export async function cardOf({ portal }: Request<any>, host: Host): Promise<object> {
  return { calendar: coreHostOf(host).address !== undefined && portal.may('calendar.see') }
}

export const Making = z.object({
  /** The address that was there: a page that is sent again does not end the one that it made. */
  replaces: z.coerce.date().optional().catch(undefined),
})

interface Shown {
  address?: string
}

export const showCalendar =
  (host: CoreHost): RequestHandler<any> =>
  async (req, res) => {
    if (!host.address) throw new NotFound()
    const { address } = req as Shown
    const found = await req.portal.crm.calendar.find()
    res.respond('calendar/show', { since: found?.since, address, ended: req.query.ended === '' })
  }

export const makeCalendar =
  (host: CoreHost): RequestHandler<any> =>
  async (req, res, next) => {
    const { bearer, body, crm, wants, workspace } = req.portal
    if (!host.address) throw new NotFound()
    // A token has its scopes and one client; the calendar shows what its owner may see.
    if (bearer) throw new Forbidden()
    const { replaces } = Making.parse(Object(body))
    const token = await within(host.database, { workspace: workspace.id }, async tx => {
      const made = await crm.calendar.make(tx, replaces)
      if (made) await recordEventIn(tx, req, { event: 'calendar.made' })
      return made
    })
    if (!token && wants === 'json') throw new Conflict()
    if (!token) return res.redirect(303, req.portal.url('/calendar'))
    // The address is shown once, in this response: only its hash is kept.
    Object.assign(req, {
      address: `${host.address}/${workspace.slug}/calendar-feed/${token}/calendar.ics`,
    } satisfies Shown)
    return showCalendar(host)(req, res, next)
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
