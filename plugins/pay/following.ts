import { coreHostOf } from '../../src/auth/host.ts'
import { currentTime } from '../../src/platform/clock.ts'
import { query, readWithin, within } from '../../src/platform/database.ts'
import type { WebhookCall } from '../../src/plugin/parts.ts'
import type { Host, Job } from '../../src/plugin/plugin.ts'
import { bookPayment } from './booking.ts'
import { paymentByProvider } from './payments.ts'
import { type Hint, Refused, Unavailable } from './provider.ts'
import { accessTo } from './settings-of.ts'
import { cancelUnknown, type Place, syncPayment } from './settling.ts'

/** Minutes until we ask about what nobody told us of. */
const patience = 2
/** How far back a provider is asked at first: Stripe keeps its events for 30 days. */
const reach = 30 * 86_400_000
/** Events that overlap with what was read before, in milliseconds: a provider may write them late. */
const overlap = 120_000

/** Takes what a provider sends, for the workspace that its address names. */
export async function receiveWebhook(call: WebhookCall, host: Host): Promise<{ status: number } | undefined> {
  const slug = String(call.query.workspace ?? '')
  // PostgreSQL takes no NUL, and nobody who sends one is a provider.
  const workspace = slug.includes('\0') ? undefined : await host.workspace(slug)
  if (!workspace) return undefined
  const online = await accessTo(host, workspace.id)
  if (!online) return { status: 404 }
  const hints =
    call.method === 'POST' ? await online.provider.verify(online.access, call, currentTime(host.database)) : undefined
  if (!hints) return { status: 400 }
  await takeHints(host, workspace, online.provider.name, hints)
  return { status: 200 }
}

/** Asks about each payment that a hint is about. One that is not ours is another program's at the same account. */
async function takeHints(host: Host, place: Place, provider: string, hints: Hint[]) {
  const seen = new Set<string>()
  for (const hint of hints) {
    const id = await ourPayment(host, place, provider, hint)
    if (!id || seen.has(id)) continue
    seen.add(id)
    await syncPayment(host, place, id)
  }
}

async function ourPayment(host: Host, place: Place, provider: string, { id, session, charge }: Hint) {
  const known = await paymentByProvider(host.database, place.id, provider, { session, charge })
  if (known || !id || !session) return known
  // The process ended between the provider's answer and our note of it.
  const [kept] = await within(host.database, { workspace: place.id }, tx =>
    query<{ id: string }>(tx, {
      text: `update portal.client_payments set session = $4
             where workspace_id = $1 and id::text = $2 and provider = $3 and session is null returning id::text`,
      values: [place.id, id, provider, session],
    }),
  )
  return kept?.id
}

/** Asks about payments that were begun and not told of, and reads what else the provider told meanwhile. */
export const reconcile: Job = {
  every: 120,
  async work({ workspace }, host) {
    const online = await accessTo(host, workspace.id)
    if (!online) return undefined
    try {
      await giveUpUnsent(host, workspace)
      for (const id of await unfinished(host, workspace)) await syncOrGiveUp(host, workspace, id)
      await readEvents(host, workspace, online)
    } catch (error) {
      if (!(error instanceof Unavailable || error instanceof Refused)) throw error
      host.log.warn(
        { err: error, workspace: workspace.slug },
        'the payment provider does not answer; asked again later',
      )
    }
    return undefined
  },
}

/**
 * One that the provider does not know, because it was begun at another account, stops no other. After a day nobody can
 * pay it any more.
 */
async function syncOrGiveUp(host: Host, place: Place, id: string) {
  try {
    await syncPayment(host, place, id)
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    host.log.warn({ err: error, workspace: place.slug, payment: id }, 'the provider does not know a payment')
    await cancelUnknown(host, place, id, '1 day')
  }
}

/** Those whose payer was never given an address: the process ended before. */
const giveUpUnsent = ({ database }: Host, { id }: Place) =>
  within(database, { workspace: id }, tx =>
    query(tx, {
      text: `update portal.client_payments set state = 'failed', failure = 'unavailable', changed_at = portal.now()
             where workspace_id = $1 and state = 'started' and session is null and provider <> 'transfer'
               and started_at < portal.now() - interval '${patience} minutes'`,
      values: [id],
    }),
  )

async function unfinished({ database }: Host, { id }: Place): Promise<string[]> {
  const rows = await readWithin<{ id: string }>(
    database,
    { workspace: id },
    {
      text: `select p.id::text from portal.client_payments p
             where p.workspace_id = scope.workspace and p.state in ('started', 'processing') and p.session is not null
               and p.started_at < portal.now() - interval '${patience} minutes'
               and (p.state = 'started' or p.changed_at < portal.now() - interval '1 hour')
             order by p.started_at limit 200`,
    },
  )
  return rows.map(it => it.id)
}

async function readEvents(
  host: Host,
  place: Place,
  { provider, access }: NonNullable<Awaited<ReturnType<typeof accessTo>>>,
) {
  const [row] = await readWithin<{ until: Date | null; first: Date | null }>(
    host.database,
    { workspace: place.id },
    {
      text: `select (select e.read_until from portal.client_payment_events e
                     where e.workspace_id = scope.workspace and e.provider = $3) as until,
               (select min(p.started_at) from portal.client_payments p
                where p.workspace_id = scope.workspace and p.provider = $3) as first`,
      values: [provider.name],
    },
  )
  if (!row?.first) return
  const until = currentTime(host.database)
  const from = row.until ? row.until.getTime() - overlap : row.first.getTime()
  const hints = await provider.eventsSince(access, new Date(Math.max(from, until.getTime() - reach)))
  await takeHints(host, place, provider.name, hints)
  await within(host.database, { workspace: place.id }, tx =>
    query(tx, {
      text: `insert into portal.client_payment_events as e (workspace_id, provider, read_until) values ($1, $2, $3)
             on conflict (workspace_id, provider) do update set read_until = greatest(e.read_until, excluded.read_until)`,
      values: [place.id, provider.name, until],
    }),
  )
}

/** Enters what arrived in the CRM's books, and ends what others began for the same documents. */
export const book: Job = {
  async work({ workspace, data }, host) {
    await bookPayment(host, workspace, String(data.id))
    return undefined
  },
}

/** Books again what waits, where the CRM did not answer before. */
export const bookWaiting: Job = {
  every: 600,
  async work({ workspace }, host) {
    const rows = await readWithin<{ id: string }>(
      host.database,
      { workspace: workspace.id },
      {
        text: `select p.id::text from portal.client_payments p
               where p.workspace_id = scope.workspace and p.booking = 'waiting'
                 and p.paid_at < portal.now() - interval '5 minutes' order by p.paid_at limit 100`,
      },
    )
    // One that the CRM cannot take now stops no other; bookPayment has logged why.
    for (const { id } of rows) await bookPayment(host, workspace, id).catch(() => undefined)
    coreHostOf(host).mailContext?.outbox.wake()
    return undefined
  },
}
