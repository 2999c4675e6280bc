import type { Knex } from 'knex'
import { z } from 'zod'
import { coreHostOf } from '../../src/auth/host.ts'
import type { Colleague } from '../../src/crm/crm.ts'
import type { Job } from '../../src/plugin/plugin.ts'
import type { News, Parts } from './shape.ts'

/** What the CRM is told, as it waits in the queue. */
const Queued = z.object({
  key: z.string(),
  kind: z.string(),
  to: z.array(z.object({ name: z.string(), email: z.string() })),
  title: z.string(),
  text: z.string(),
  url: z.string(),
  record: z.object({ section: z.string(), id: z.string(), client: z.string() }).optional(),
})

interface Place {
  id: string
  slug: string
}

/** Queues a notice in the CRM, for an adapter that takes them, in the transaction that keeps that staff were told. */
export async function queueNotice(
  tx: Knex,
  { crm, jobs }: Parts,
  { place, key, news, to }: { place: Place; key: string; news: News; to: Colleague[] },
): Promise<void> {
  if (!crm.notify) return
  const { kind, title, text, url, record } = news
  await jobs.queue(tx, { job: 'staff-mails.crm', workspace: place, data: { key, kind, to, title, text, url, record } })
}

/** Tells the CRM. What it throws is tried again. */
export const tellCrm: Job = {
  async work({ workspace: { id, slug }, data }, host) {
    const { crm, workspaces } = coreHostOf(host)
    const workspace = await workspaces.find(slug)
    if (workspace?.id === id) await crm.notify?.(workspace, Queued.parse(data) as Parameters<typeof crm.notify>[1])
    return undefined
  },
}
