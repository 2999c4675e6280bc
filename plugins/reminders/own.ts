import type { Request, RequestHandler } from 'express'
import { z } from 'zod'
import { read } from '../../src/http/forms.ts'
import { recordEventIn } from '../../src/platform/activity.ts'
import { query, readWithin, within } from '../../src/platform/database.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { paymentMomentsIn, paymentMomentsName, workMomentsName } from './moments.ts'
import { isPayer } from './payments.ts'
import { isWorker } from './work.ts'

const RemindersForm = z.object({ reminders: z.string().optional(), 'was.reminders': z.string().optional() })

/** Whether the signed-in person wants to be reminded, and of what. */
export async function wantsReminders(req: Request<any>, host: Pick<Host, 'capability' | 'database' | 'plugins'>) {
  const { workspace, customer } = req.portal
  const [own] = await readWithin<{ reminders: boolean; payments: unknown; work: unknown }>(
    host.database,
    { workspace: workspace.id },
    {
      name: 'portal.reminders-wanted-of',
      text: `select u.reminders, (select t.value from portal.client_portal_settings t
               where t.workspace_id = scope.workspace and t.client_id = '' and t.person_id = '' and t.name = $4) as payments,
               (select t.value from portal.client_portal_settings t
               where t.workspace_id = scope.workspace and t.client_id = '' and t.person_id = '' and t.name = $5) as work
             from portal.client_users u where u.workspace_id = scope.workspace and u.id = $3`,
      values: [customer.person.id, paymentMomentsName, workMomentsName],
    },
  )
  return {
    reminders: own?.reminders ?? true,
    ofOffers: host.plugins.some(it => it.subject?.expiring && req.portal.may(`${it.name}.respond`)),
    ofPayments: paymentMomentsIn(own?.payments).length > 0 && isPayer(req.portal, host),
    ofWork: paymentMomentsIn(own?.work).length > 0 && isWorker(req.portal, host.plugins),
  }
}

export const saveOwn =
  ({ database }: Pick<Host, 'database'>): RequestHandler<any> =>
  async (req, res) => {
    const { reminders, 'was.reminders': was } = read(RemindersForm, req)
    const { workspace, customer } = req.portal
    // A form without it is none of ours: nothing is meant by it.
    if (was !== undefined)
      await within(database, { workspace: workspace.id }, async tx => {
        await query(tx, {
          text: 'update portal.client_users set reminders = $3 where workspace_id = $1 and id = $2',
          values: [workspace.id, customer.person.id, reminders === 'on'],
        })
        await recordEventIn(tx, req, { event: 'account.changed' })
      })
    res.redirect(303, req.portal.url('/account?saved=reminders#reminders'))
  }
