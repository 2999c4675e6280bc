import type { Request, RequestHandler } from 'express'
import type { Knex } from 'knex'
import { newRecoveryLink } from '../../src/auth/account-recovery.ts'
import { type CoreHost, coreHostOf } from '../../src/auth/host.ts'
import { sendMail } from '../../src/auth/mail-context.ts'
import { Forbidden } from '../../src/http/errors.ts'
import type { Facts, Mail } from '../../src/mail/kinds.ts'
import { recordEventIn } from '../../src/platform/activity.ts'
import { within } from '../../src/platform/database.ts'
import type { Speech } from '../../src/platform/i18n.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { offersSignIn } from './sign-in.ts'

export const mails: Record<`sms.${string}`, Mail> = {
  'sms.allowed': {
    label: 'A mobile number can be used to sign in',
    facts: { time: '21 Nov 2026, 09:00', number: '•••• 5678' },
    words: (t, it) => ({
      subject: t('You can sign in by text message'),
      paragraphs: [
        t('Since {time}, a code sent to the mobile number {number} can sign in to your {workspace} portal.', it),
      ],
      action: t('This wasn’t me'),
      after: [t('If this was you, you don’t need to do anything.')],
    }),
  },
}

/** The card in the account; without `number` where no number is confirmed yet. */
export async function accountCardOf(req: Request<any>, host: Host): Promise<object> {
  const { crm, may, on, workspace } = req.portal
  if (!('sms' in crm) || !may('sms.see') || !on('sms') || !(await offersSignIn(host, workspace.id))) return {}
  const found = await crm.sms.find()
  const canConfirm = on('notifications') && host.capability('notifications') !== undefined
  if (!found?.confirmed && !canConfirm) return {}
  return { texts: { number: found?.confirmed ? found.number : '', allowed: found?.signIn ?? false } }
}

export const allowSignIn =
  (host: Host): RequestHandler =>
  async (req, res) => {
    const { bearer, crm, url, workspace } = req.portal
    if (bearer) throw new Forbidden()
    const core = coreHostOf(host)
    const offered = await offersSignIn(host, workspace.id)
    await within(host.database, { workspace: workspace.id }, async tx => {
      const number = offered && (await crm.sms.allow(tx, true))
      if (!number) return
      await recordEventIn(tx, req, { event: 'sms.allowed' })
      await tellOwner(core, req, tx, number)
    })
    core.mailContext?.outbox.wake()
    res.redirect(303, url('/account#texts'))
  }

export const refuseSignIns =
  ({ database }: Host): RequestHandler =>
  async (req, res) => {
    const { crm, url, workspace } = req.portal
    await within(database, { workspace: workspace.id }, async tx => {
      if (await crm.sms.allow(tx, false)) await recordEventIn(tx, req, { event: 'sms.refused' })
    })
    res.redirect(303, url('/account#texts'))
  }

async function tellOwner({ mailContext }: CoreHost, req: Request, tx: Knex, number: string) {
  if (!mailContext) return
  const { customer, now } = req.portal
  const { id, ...person } = customer.person
  const url = await newRecoveryLink(mailContext, req, tx, { id, email: person.email })
  const facts = ({ time }: Speech): Facts => ({ time: time(now), number: `•••• ${number.slice(-4)}` })
  await sendMail(mailContext, req, tx, 'sms.allowed', { ...person, person: id }, { facts, url })
}
