import type { Request, RequestHandler } from 'express'
import { z } from 'zod'
import { coreHostOf } from '../../src/auth/host.ts'
import { Conflict, Invalid } from '../../src/http/errors.ts'
import { read } from '../../src/http/forms.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { saveOption } from '../../src/settings/plugin-options.ts'
import { type Access, Refused, Unavailable } from './provider.ts'
import { PaySettings, providers, settingsOf } from './settings-of.ts'

const decimal = (sentence: string, shape: RegExp) =>
  z
    .string()
    .trim()
    .transform(it => it.replace(',', '.'))
    .pipe(z.string().regex(shape, sentence))

const Rules = z.object({
  transfer: z.string().optional(),
  parts: z.string().optional(),
  keepMethod: z.string().optional(),
  minimum: decimal('Enter an amount, such as 10.00.', /^\d{1,9}(\.\d{1,3})?$/).default('10'),
  fee: decimal('Enter a percentage from 0 to 10, such as 1.5.', /^(\d(\.\d{1,2})?|10(\.0{1,2})?)$/).default('0'),
  'was.settings': z.string().default(''),
})

const Key = z.object({
  key: z.string('Enter the secret key.').trim().min(1, 'Enter the secret key.').max(300),
  webhookSecret: z.string().trim().max(300).optional(),
  'was.settings': z.string().default(''),
})

/** How clients can pay. */
export const showSetup =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { workspace, problem, body } = req.portal
    const settings = await settingsOf(host, workspace.id)
    const typed = problem ? Object(body) : undefined
    res.respond('pay/setup', {
      settings,
      was: JSON.stringify(settings),
      provider: providers[0]!.title,
      chosen: typed && 'minimum' in typed ? typed : asForm(settings),
      typedSecret: typed?.webhookSecret ?? '',
      webhook: webhookAddress(req, host),
      saved: req.query.saved === '',
    })
  }

const asForm = ({ transfer, parts, keepMethod, minimum, fee }: PaySettings) => ({
  ...(transfer && { transfer: 'on' }),
  ...(parts && { parts: 'on' }),
  ...(keepMethod && { keepMethod: 'on' }),
  ...{ minimum, fee },
})

/** What a provider calls when a payment changes; undefined where the portal does not know its own address. */
function webhookAddress({ portal }: Request<any>, host: Host): string | undefined {
  const { address } = coreHostOf(host)
  return address && `${address}/-/webhooks/pay?workspace=${encodeURIComponent(portal.workspace.slug)}`
}

/** Saves what is offered. */
export const saveRules =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const form = read(Rules, req)
    await change(req, host, form['was.settings'], now => ({
      ...now,
      transfer: form.transfer === 'on',
      parts: form.parts === 'on',
      keepMethod: form.keepMethod === 'on',
      ...{ minimum: form.minimum, fee: form.fee },
    }))
    res.redirect(303, req.portal.url('/payments/setup?saved'))
  }

/** Connects an account: its key is tried before anything is saved. */
export const saveAccess =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const form = read(Key, req)
    const provider = providers[0]!
    const access: Access = { key: form.key }
    // The key is kept first, and must not be when the settings will be refused.
    if (!isSame(parsed(form['was.settings']), await settingsOf(host, req.portal.workspace.id))) throw new Conflict()
    try {
      const account = await provider.check(access)
      const address = webhookAddress(req, host)
      const secret = form.webhookSecret || (address && (await provider.listen(access, address)))
      const online = {
        ...{ provider: provider.name, account: account.id, name: account.name, live: account.live },
        told: Boolean(secret),
      }
      await saveOption(req, host, {
        name: 'pay.access',
        value: { ...access, ...(secret && { webhookSecret: secret }) },
      })
      await change(req, host, form['was.settings'], now => ({ ...now, online }))
    } catch (error) {
      if (error instanceof Refused) throw new Invalid({ key: [error.message] }, { webhookSecret: form.webhookSecret })
      if (error instanceof Unavailable)
        throw new Invalid({ key: ['Stripe doesn’t answer right now. Nothing was saved. Try again in a minute.'] }, {})
      throw error
    }
    res.redirect(303, req.portal.url('/payments/setup?saved'))
  }

/** Takes no more payments online. What was begun or paid is still followed. */
export const endAccess =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { 'was.settings': was } = read(z.object({ 'was.settings': z.string().default('') }), req)
    await change(req, host, was, now => ({ ...now, online: null }))
    res.redirect(303, req.portal.url('/payments/setup?saved'))
  }

/** Throws Conflict where somebody else changed it since the page was opened. */
async function change(req: Request<any>, host: Host, was: string, to: (now: PaySettings) => PaySettings) {
  const before = PaySettings.safeParse(parsed(was))
  // A form without it is none of ours: nothing is meant by it.
  if (!was || !before.success) return
  await saveOption(req, host, { name: 'pay.settings', value: to(before.data), before: before.data })
}

const isSame = (typed: unknown, now: PaySettings) =>
  JSON.stringify(PaySettings.safeParse(typed).data) === JSON.stringify(now)

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
