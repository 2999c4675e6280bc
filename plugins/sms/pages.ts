import { randomUUID } from 'node:crypto'
import type { Request, RequestHandler } from 'express'
import { z } from 'zod'
import { coreHostOf } from '../../src/auth/host.ts'
import { tallies } from '../../src/auth/limits.ts'
import { Invalid, RateLimited } from '../../src/http/errors.ts'
import { read } from '../../src/http/forms.ts'
import { recordEventIn } from '../../src/platform/activity.ts'
import { within } from '../../src/platform/database.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { sendText } from './provider.ts'

/** The card in the notification settings. */
export async function cardOf(req: Request<any>): Promise<object> {
  const { crm, may, on } = req.portal
  if (!('sms' in crm) || !may('sms.see') || !on('sms')) return { sms: undefined }
  return { sms: { ...(await crm.sms.find()) } }
}

const settings = '/notifications/settings'

export const NewNumber = z.object({
  mobile: z
    .string('Enter your mobile number.')
    .transform(it => it.replace(/[\s().-]/g, '').replace(/^00/, '+'))
    .pipe(z.string().regex(/^\+[1-9]\d{6,14}$/, 'Enter the number with its country code, such as +31 6 12345678.')),
})

/** Codes within a day, for one person and to one number, whoever enters it. */
const mostCodes = 5

export const saveNumber =
  (host: Host): RequestHandler =>
  async (req, res) => {
    const number = read(NewNumber, req).mobile
    const { workspace, customer, crm, t, url } = req.portal
    const tally = tallies(host.database)
    for (const who of [`${workspace.id} ${customer.person.id}`, number])
      if ((await tally('sms.code', who, 86_400)).count > mostCodes) throw new RateLimited(86_400, 'sms.code')
    const [secret = ''] = coreHostOf(host).secrets
    const code = await crm.sms.keep(number, secret)
    const text = t('{code} is your code for {workspace}. It is valid for 10 minutes.', {
      code,
      workspace: workspace.name,
    })
    const result = await sendText(
      host,
      { workspace: workspace.id, person: customer.person.id },
      { id: randomUUID(), to: number, text },
    ).catch(() => 'refused')
    if (result !== 'sent') throw new Invalid({ mobile: [refused] }, req.portal.body ?? {})
    res.redirect(303, url(settings))
  }

export const refused = 'The text could not be sent. Check the number, or try again later.'

export const Code = z.object({
  digits: z
    .string('Enter the code from the text.')
    .transform(it => it.replace(/[\s-]/g, ''))
    .pipe(z.string().regex(/^\d{6}$/, 'Enter the six digits from the text.')),
})

export const saveCode =
  (host: Host): RequestHandler =>
  async (req, res) => {
    const { digits } = read(Code, req)
    const [secret = ''] = coreHostOf(host).secrets
    // A wrong try counts, so the transaction commits either way.
    const isRight = await within(host.database, { workspace: req.portal.workspace.id }, async tx => {
      const right = await req.portal.crm.sms.confirm(tx, digits, secret)
      if (right) await recordEventIn(tx, req, { event: 'sms.confirmed' })
      return right
    })
    if (!isRight) throw new Invalid({ digits: [wrongCode] }, {})
    res.redirect(303, req.portal.url(settings))
  }

const wrongCode = 'This code is wrong or has expired. Enter it again, or enter your number for a new one.'

export const removeNumber =
  ({ database }: Host): RequestHandler =>
  async (req, res) => {
    await within(database, { workspace: req.portal.workspace.id }, async tx => {
      await req.portal.crm.sms.remove(tx)
      await recordEventIn(tx, req, { event: 'sms.removed' })
    })
    res.redirect(303, req.portal.url(settings))
  }
