import { coreHostOf } from '../../src/auth/host.ts'
import type { BrandedWorkspace } from '../../src/crm/workspaces.ts'
import type { ChannelMessage } from '../../src/notifications/channels.ts'
import { kindsOf, type NotificationFacts } from '../../src/notifications/kinds.ts'
import { addressOf } from '../../src/notifications/notify.ts'
import { query, within } from '../../src/platform/database.ts'
import { localeOf, speak, zoneOf } from '../../src/platform/i18n.ts'
import type { Host, Job } from '../../src/plugin/plugin.ts'
import { readersAt } from './readers.ts'
import { wordsOf } from './words.ts'

interface Message {
  id: string
  client: string
  person: string
  channel: string
  kind: string
  section: string
  record: string
  rest: string
  facts: NotificationFacts
  attempts: number
}

/** With these, the last try is a day after the first. */
const mostAttempts = 13

/** Seconds until the next try: growing, up to four hours, somewhat spread. */
const pauseAfter = (attempts: number) => Math.min(30 * 2 ** attempts, 14_400) * (0.75 + Math.random() / 2)

/** Sends one message by its channel, or tries again later. */
export const sendMessage: Job = {
  async work({ workspace, data }, host) {
    const core = coreHostOf(host)
    const branded = await core.workspaces.find(workspace.slug)
    const message = branded?.id === workspace.id && (await begun(host, workspace.id, data.id))
    if (!message) return undefined
    const channel = host.plugins.find(it => it.name === message.channel)?.channel
    const it = channel && (await writtenFor(host, branded, message))
    if (!channel || !it) return end(host, workspace.id, message.id, 'the reader may not see it any more')
    try {
      const result = await channel.send(it, host)
      await end(host, workspace.id, message.id, result === 'sent' ? undefined : 'unreachable')
    } catch (error) {
      if (message.attempts < mostAttempts) await later(host, workspace, message, error as Error)
      else await end(host, workspace.id, message.id, String((error as Error).message).slice(0, 300))
    }
    return undefined
  },
}

/** The message, if it is still to be sent. Nobody else begins it within the time that a job may take. */
async function begun(host: Host, workspace: string, id: string): Promise<Message | undefined> {
  const [message] = await within(host.database, { workspace }, tx =>
    query<Message>(tx, {
      text: `update portal.client_notification_messages m set attempts = m.attempts + 1
             where m.workspace_id = $1 and m.id = $2 and m.sent_at is null and m.failed_at is null
             returning m.id::text, m.client_id as client, m.person_id::text as person, m.channel, m.kind, m.section,
               m.record_id as record, m.rest, m.facts, m.attempts`,
      values: [workspace, id],
    }),
  )
  return message
}

/** In the reader's language; undefined if they may not see it any more. */
async function writtenFor(host: Host, workspace: BrandedWorkspace, it: Message): Promise<ChannelMessage | undefined> {
  const { address } = coreHostOf(host)
  const { of } = await readersAt(host, workspace, it.client)
  const reader = (await of(it.section)).find(one => one.id === it.person)
  const kind = kindsOf(host.plugins).get(it.kind)
  const isReached = (await of(it.channel)).some(one => one.id === it.person)
  if (!reader || !kind || !address || !isReached) return undefined
  const speech = speak(`${localeOf(reader.language ?? '')}|${zoneOf(reader.timeZone ?? workspace.timeZone)}`)
  const record = { client: it.client, section: it.section, id: it.record, rest: it.rest }
  return {
    ...{ workspace, person: it.person, id: it.id, tag: `${it.kind} ${it.record}` },
    ...wordsOf(kind, { facts: it.facts, count: 1 }, speech),
    url: addressOf({ address }, workspace.slug, record),
  }
}

const end = async (host: Host, workspace: string, id: string, failure: string | undefined): Promise<undefined> => {
  const set = failure === undefined ? 'sent_at = portal.now(), error = null' : 'failed_at = portal.now(), error = $3'
  await within(host.database, { workspace }, tx =>
    query(tx, {
      text: `update portal.client_notification_messages set ${set} where workspace_id = $1 and id = $2`,
      values: [workspace, id, ...(failure === undefined ? [] : [failure])],
    }),
  )
}

async function later(
  host: Host,
  workspace: { id: string; slug: string },
  { id, attempts, channel }: Message,
  error: Error,
) {
  host.log.warn(
    { workspace: workspace.slug, channel, err: error },
    'a notification could not be sent; it is tried again',
  )
  await within(host.database, { workspace: workspace.id }, async tx => {
    await query(tx, {
      text: 'update portal.client_notification_messages set error = $3 where workspace_id = $1 and id = $2',
      values: [workspace.id, id, String(error.message).slice(0, 300)],
    })
    await host.jobs.queue(tx, {
      job: 'notifications.send',
      workspace,
      data: { id },
      seconds: Math.round(pauseAfter(attempts)),
    })
  })
}
