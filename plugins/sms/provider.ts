import { z } from 'zod'
import { tallies } from '../../src/auth/limits.ts'
import { NotAllowed, post, refusalOf } from '../../src/platform/outgoing.ts'
import type { PluginOption } from '../../src/plugin/parts.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { optionsOf } from '../../src/settings/plugin-options.ts'

/** A text message. Of the same `id` one is sent, where the provider knows idempotency keys. */
export interface TextMessage {
  id: string
  to: string
  text: string
}

/** Sends text messages. `refused` is final; whatever it throws may be tried again. */
interface SmsProvider {
  send(it: TextMessage): Promise<'sent' | 'refused'>
}

const line = z.string().trim().max(300)

export const options: Record<`sms.${string}`, PluginOption> = {
  'sms.address': {
    label: 'Address of the provider',
    shape: line
      .refine(it => refusalOf(it) === undefined, 'Enter an https address.')
      .default('https://api.twilio.com/2010-04-01'),
  },
  'sms.account': {
    label: 'Account',
    shape: line.regex(/^[\w.-]*$/, 'Use letters, digits, hyphens and dots.').default(''),
  },
  'sms.token': { label: 'Token', shape: line.default(''), secret: true },
  'sms.sender': { label: 'Sender', shape: line.default('') },
  'sms.codes': { label: 'Sign in by text message', shape: z.boolean().default(false) },
  'sms.budget': {
    label: 'Texts a day at most',
    shape: z.coerce.number('Enter a number.').int('Enter a whole number.').min(1).max(100_000).default(500),
  },
}

/** Texts to one person within a day, codes included. */
const mostForOne = 30

/** The provider of a workspace; undefined as long as it is not set up. */
async function providerOf(host: Host, workspace: string): Promise<SmsProvider | undefined> {
  const names = ['sms.address', 'sms.account', 'sms.token', 'sms.sender'] as const
  const [address, account, token, sender] = await optionsOf<[string, string, string, string]>(host, workspace, [
    ...names,
  ])
  if (!account || !token || !sender) return undefined
  return overHttp({ address, account, token, sender })
}

/** As Twilio takes them, and many others. */
function overHttp({
  address,
  account,
  token,
  sender,
}: Record<'address' | 'account' | 'token' | 'sender', string>): SmsProvider {
  const url = `${address.replace(/\/+$/, '')}/Accounts/${encodeURIComponent(account)}/Messages.json`
  const authorization = `Basic ${Buffer.from(`${account}:${token}`).toString('base64')}`
  return {
    async send({ id, to, text }) {
      const { status } = await post(url, {
        headers: {
          ...{ Authorization: authorization, 'Content-Type': 'application/x-www-form-urlencoded' },
          ...{ 'Idempotency-Key': id, 'I-Twilio-Idempotency-Token': id },
        },
        body: String(new URLSearchParams({ To: to, From: sender, Body: text })),
      })
      if (status === 429 || status >= 500) throw new Error(`The SMS provider answered ${status}.`)
      return status >= 200 && status < 300 ? 'sent' : 'refused'
    },
  }
}

/** Whom a text is counted for. */
interface For {
  workspace: string
  /** Not of a test by staff. */
  person?: string
}

/** Sends a text, unless the workspace or the person had enough of them within a day. Throws what may be tried again. */
export async function sendText(host: Host, { workspace, person }: For, it: TextMessage): Promise<'sent' | 'refused'> {
  const provider = await providerOf(host, workspace)
  if (!provider) return 'refused'
  const [budget] = await optionsOf<[number]>(host, workspace, ['sms.budget'])
  const countOf = async (what: string, who: string) => (await tallies(host.database)(what, who, 86_400)).count
  const ofPerson = person ? await countOf('sms.person', `${workspace} ${person}`) : 0
  const ofAll = await countOf('sms.workspace', workspace)
  if (ofPerson > mostForOne || ofAll > budget) {
    host.log.warn({ workspace, ofAll, budget }, 'a text message was not sent: there were enough today')
    return 'refused'
  }
  try {
    const result = await provider.send(it)
    if (result === 'refused') host.log.warn({ workspace }, 'the SMS provider refused a text message')
    return result
  } catch (error) {
    if (error instanceof NotAllowed) return 'refused'
    throw error
  }
}
