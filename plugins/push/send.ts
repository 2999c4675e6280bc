import { createHash } from 'node:crypto'
import webpush from 'web-push'
import { coreHostOf } from '../../src/auth/host.ts'
import type { ChannelMessage, NotificationChannel } from '../../src/notifications/channels.ts'
import { query, readWithin, within } from '../../src/platform/database.ts'
import { localeOf, speak } from '../../src/platform/i18n.ts'
import { NotAllowed, post } from '../../src/platform/outgoing.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { type Keys, keysOf } from './keys.ts'

interface Device {
  id: string
  endpoint: string
  p256dh: string
  auth: string
  hidden: boolean
  language: string | null
}

export const channel: NotificationChannel = {
  label: 'Push',
  hint: 'on your devices',
  usual: true,
  async reaches(tx, { workspace, people }) {
    const rows = await query<{ person: string }>(tx, {
      text: `select distinct d.person_id::text as person from portal.client_push_devices d
             where d.workspace_id = $1 and d.person_id = any($2::uuid[])`,
      values: [workspace, people],
    })
    return rows.map(it => it.person)
  },
  async send(it, host) {
    const sent = await sendTo(host, it, await waiting(host, it))
    return sent ? 'sent' : 'unreachable'
  },
}

/** Those that did not get it yet: it may be sent again because another one did not answer. */
const waiting = ({ database }: Host, { workspace, person, id }: ChannelMessage, only?: string) =>
  readWithin<Device>(
    database,
    { workspace: workspace.id },
    {
      text: `select d.id::text, d.endpoint, d.p256dh, d.auth, d.hidden, u.language
             from portal.client_push_devices d
               join portal.client_users u on u.workspace_id = scope.workspace and u.id = d.person_id
             where d.workspace_id = scope.workspace and d.person_id = $3::uuid and d.last_message is distinct from $4
               and ($5::text is null or d.id::text = $5) order by d.id`,
      values: [person, id, only ?? null],
    },
  )

/** The same for one device, which somebody tries. */
export async function sendTest(host: Host, it: ChannelMessage, device: string): Promise<'sent' | 'unreachable'> {
  const sent = await sendTo(host, it, await waiting(host, it, device))
  return sent ? 'sent' : 'unreachable'
}

/** How many got it. Throws if one is to be tried again. */
async function sendTo(host: Host, message: ChannelMessage, devices: Device[]): Promise<number> {
  if (!devices.length) return 0
  const keys = await keysOf(host, message.workspace.id)
  const results = await Promise.all(devices.map(it => sendOne(host, { message, keys }, it)))
  const again = results.find(it => it instanceof Error)
  if (again) throw again
  return results.filter(it => it === 'sent').length
}

interface Sending {
  message: ChannelMessage
  keys: Keys
}

async function sendOne(host: Host, { message, keys }: Sending, device: Device): Promise<'sent' | 'gone' | Error> {
  const { workspace, id } = message
  const details = webpush.generateRequestDetails(
    { endpoint: device.endpoint, keys: { p256dh: device.p256dh, auth: device.auth } },
    payloadOf(message, device),
    {
      vapidDetails: { subject: contactOf(host), ...keys },
      contentEncoding: 'aes128gcm',
      TTL: 86_400,
      topic: digest(message.tag),
    },
  )
  try {
    const headers = { ...details.headers } as unknown as Record<string, string>
    const { status } = await post(device.endpoint, { headers, body: details.body ?? '' })
    return await outcome(host, { workspace: workspace.id, device: device.id, message: id }, status)
  } catch (error) {
    if (error instanceof NotAllowed)
      return outcome(host, { workspace: workspace.id, device: device.id, message: id }, 410)
    return error as Error
  }
}

interface Sent {
  workspace: string
  device: string
  message: string
}

/** RFC 8030, section 7.3: what does not exist any more is forgotten; who is busy is asked again. */
async function outcome(host: Host, it: Sent, status: number): Promise<'sent' | 'gone' | Error> {
  if (status === 429 || status >= 500) return new Error(`The push service answered ${status}.`)
  const isGone = status === 404 || status === 410
  if (status < 200 || (status >= 300 && !isGone)) {
    host.log.warn({ status, workspace: it.workspace }, 'a push service refused a notification')
    return 'gone'
  }
  const text = isGone
    ? `delete from portal.client_push_devices where workspace_id = $1 and id::text = $2`
    : `update portal.client_push_devices set last_message = $3 where workspace_id = $1 and id::text = $2`
  const values = [it.workspace, it.device, ...(isGone ? [] : [it.message])]
  await within(host.database, { workspace: it.workspace }, tx => query(tx, { text, values }))
  return isGone ? 'gone' : 'sent'
}

/** Of three kilobytes at most: push services take four. */
export function payloadOf(
  { workspace, text, about, tag, url }: ChannelMessage,
  { hidden, language }: Pick<Device, 'hidden' | 'language'>,
): string {
  const { t, locale, direction } = speak(localeOf(language ?? ''))
  const body = hidden ? t('You have a new notification.') : [text, about].filter(Boolean).join('\n')
  return JSON.stringify({
    ...{ title: shortened(workspace.name, 100), body: shortened(body, 400), tag: digest(tag) },
    ...{ url: url.slice(0, 1_000), lang: locale, dir: direction },
  })
}

function shortened(text: string, most: number): string {
  const all = Array.from(text)
  return all.length > most ? `${all.slice(0, most - 1).join('')}…` : text
}

/** It fits the header Topic (RFC 8030, section 5.4), and says nothing. */
const digest = (tag: string) => createHash('sha256').update(tag).digest('base64url').slice(0, 32)

/** Whom a push service writes to if something is wrong (RFC 8292, section 2.1). */
function contactOf(host: Host): string {
  const { address = '', sender } = coreHostOf(host)
  if (sender) return `mailto:${sender}`
  return address.startsWith('https:') ? new URL(address).origin : 'mailto:nobody@localhost'
}
