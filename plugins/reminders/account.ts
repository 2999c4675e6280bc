import type { Request, RequestHandler } from 'express'
import { z } from 'zod'
import { coreHostOf } from '../../src/auth/host.ts'
import { NotFound } from '../../src/http/errors.ts'
import { read } from '../../src/http/forms.ts'
import { recordEventIn } from '../../src/platform/activity.ts'
import { query, readWithin, within } from '../../src/platform/database.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { storedSettings } from '../../src/plugin/stored-settings.ts'
import { paymentMomentsIn, paymentMomentsName, workMomentsName } from './moments.ts'
import { isSwitched } from './own.ts'
import { isPayer } from './payments.ts'
import { isWorker } from './work.ts'

/** Of what the signed-in person can be reminded, as workspace and role say. */
async function remindersOf({ portal }: Request<any>, host: Host) {
  const { customer, may, workspace } = portal
  if (!coreHostOf(host).mailContext) return { ofOffers: false, ofPayments: false, ofWork: false }
  const settings = await storedSettings<unknown>(host.database, workspace.id)
  const isOn = (name: string) => paymentMomentsIn(settings.get(name)).length > 0
  return {
    ofOffers: customer !== undefined && host.plugins.some(it => it.subject?.expiring && may(`${it.name}.respond`)),
    ofPayments: isOn(paymentMomentsName) && isPayer(portal, host),
    ofWork: isOn(workMomentsName) && isWorker(portal, host.plugins),
  }
}

/** Kinds of notifications that have a line in the person's preferences. */
export async function offeredKinds(req: Request<any>, host: Host): Promise<string[]> {
  const { ofOffers, ofPayments, ofWork } = await remindersOf(req, host)
  return [
    ...(ofOffers ? ['reminders.expiry'] : []),
    ...(ofPayments ? ['reminders.due'] : []),
    ...(ofWork ? ['reminders.work'] : []),
  ]
}

/** The switch in the account, and what it is about. */
export async function showSwitch(req: Request<any>, host: Host) {
  if (!isSwitched(host)) return { ofOffers: false, ofPayments: false, ofWork: false, reminders: true }
  const { workspace, customer } = req.portal
  const [own] = await readWithin<{ reminders: boolean }>(
    host.database,
    { workspace: workspace.id },
    {
      name: 'portal.reminders-wanted-of',
      text: `select u.reminders from portal.client_users u where u.workspace_id = scope.workspace and u.id = $3`,
      values: [customer.person.id],
    },
  )
  return { ...(await remindersOf(req, host)), reminders: own?.reminders ?? true }
}

const RemindersForm = z.object({ reminders: z.string().optional(), 'was.reminders': z.string().optional() })

export const saveSwitch =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    if (!isSwitched(host)) throw new NotFound()
    const { reminders, 'was.reminders': was } = read(RemindersForm, req)
    const { workspace, customer } = req.portal
    // A form without it is none of ours: nothing is meant by it.
    if (was !== undefined)
      await within(host.database, { workspace: workspace.id }, async tx => {
        await query(tx, {
          text: 'update portal.client_users set reminders = $3 where workspace_id = $1 and id = $2',
          values: [workspace.id, customer.person.id, reminders === 'on'],
        })
        await recordEventIn(tx, req, { event: 'account.changed' })
      })
    res.redirect(303, req.portal.url('/account?saved=reminders#reminders'))
  }
