import { createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { coreHostOf } from '../../src/auth/host.ts'
import { cleanFileName } from '../../src/files/names.ts'
import { currentTime } from '../../src/platform/clock.ts'
import type { WebhookCall } from '../../src/plugin/parts.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { fromHeaders, type Incoming, largestMail, readMail } from './incoming.ts'
import { receiveMail } from './receiving.ts'

/** Bytes of a call: a mail of the largest size, in base64. */
export const webhookLimit = Math.ceil(largestMail * 1.4)

/** Seconds that a signature may be old, or early. */
const tolerance = 300

/**
 * Takes a mail from a provider: as MIME (`message/rfc822`), or as JSON. It is stored when this answers 200. Undefined
 * where there is no such webhook, or the portal is off for the workspace: the call is left to the CRM.
 */
export async function receiveWebhook(
  call: WebhookCall,
  host: Host,
): Promise<{ status: number; body?: object } | undefined> {
  const { replies } = coreHostOf(host)
  if (!replies?.webhookSecret) return undefined
  if (call.method !== 'POST') return { status: 405 }
  if (!isSigned(call, replies.webhookSecret, currentTime(host.database))) return { status: 401 }
  const mail = await mailIn(call)
  if (!mail) return { status: 400, body: { error: 'unreadable' } }
  const outcome = await receiveMail(host, mail)
  return outcome === 'off' ? undefined : { status: 200, body: { outcome } }
}

/** Standard Webhooks (standardwebhooks.com): HMAC-SHA-256 of id, time and body, over the bytes as they came. */
function isSigned({ headers, body }: Pick<WebhookCall, 'headers' | 'body'>, secret: string, now: Date): boolean {
  const { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': given } = headers
  if (![id, time, given].every(it => typeof it === 'string' && it)) return false
  if (!(Math.abs(now.getTime() / 1000 - Number(time)) <= tolerance)) return false
  const right = signatureOf(secret, String(id), String(time), body)
  const isRight = (it: string) => it.length === right.length && timingSafeEqual(Buffer.from(it), Buffer.from(right))
  return String(given).split(' ').some(isRight)
}

/** `v1,` and the signature in base64. */
export function signatureOf(secret: string, id: string, time: string, body: Buffer): string {
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret)
  return `v1,${createHmac('sha256', key).update(`${id}.${time}.`).update(body).digest('base64')}`
}

const one = z.string().max(1_000)
const Recipients = z.union([one.transform(it => [it]), z.array(one).max(100)])
const Envelope = z.object({ ip: one, helo: one, mailFrom: one }).partial()
const Verdict = z.object({ dmarc: one })

/** A mail whose parts the provider has read. */
const Parsed = z.object({
  to: Recipients,
  from: one,
  messageId: one.default(''),
  subject: z.string().default(''),
  text: z.string().default(''),
  html: z.string().default(''),
  headers: z.union([z.record(z.string(), z.string()), z.array(z.tuple([z.string(), z.string()]))]).default({}),
  attachments: z
    .array(z.object({ name: z.string().default(''), content: z.base64() }))
    .max(100)
    .default([]),
  verdict: Verdict.optional(),
})

/** A mail as it came, and what the provider knows of it. */
const Whole = z.object({
  raw: z.base64(),
  to: Recipients.optional(),
  envelope: Envelope.optional(),
  verdict: Verdict.optional(),
})

async function mailIn({ headers, body }: WebhookCall): Promise<Incoming | undefined> {
  const [type = ''] = (headers['content-type'] ?? '').split(';')
  if (type.trim().toLowerCase() === 'message/rfc822') return readMail(body)
  const json = parsedJson(body)
  const whole = Whole.safeParse(json)
  if (whole.success) return wholeMail(whole.data)
  const parsed = Parsed.safeParse(json)
  return parsed.success ? parsedMail(parsed.data) : undefined
}

function parsedJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}

async function wholeMail({ raw, to, envelope, verdict }: z.infer<typeof Whole>): Promise<Incoming> {
  const mail = await readMail(Buffer.from(raw, 'base64'))
  return {
    ...mail,
    ...(to && { recipients: addressesIn(to) }),
    ...(envelope && { envelope }),
    ...(verdict && { verdict: verdict.dmarc }),
  }
}

/** Without a verdict nothing says who sent it. */
function parsedMail({ to, from, headers, attachments, verdict, ...it }: z.infer<typeof Parsed>): Incoming {
  const own = (Array.isArray(headers) ? headers : Object.entries(headers)).map(([key, value]) => ({
    key: key.toLowerCase(),
    value,
  }))
  const main = [
    { key: 'from', value: from },
    { key: 'subject', value: it.subject },
    { key: 'message-id', value: it.messageId },
  ]
  const read = fromHeaders([...main, ...own.filter(({ key }) => !main.some(one => one.key === key && one.value))])
  return {
    ...read,
    recipients: addressesIn(to),
    ...{ text: it.text, html: it.html },
    files: attachments.map(({ name, content }) => ({
      name: cleanFileName(name),
      content: Buffer.from(content, 'base64'),
    })),
    verdict: verdict?.dmarc ?? 'none',
  }
}

const addressesIn = (to: string[]) => fromHeaders(to.map(value => ({ key: 'to', value }))).recipients
