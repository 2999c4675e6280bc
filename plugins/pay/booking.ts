import { coreHostOf } from '../../src/auth/host.ts'
import type { Customer, Ports } from '../../src/crm/crm.ts'
import type { ReceivedPayment, TakesPayments } from '../../src/crm/received-payment.ts'
import { Conflict, NotFound } from '../../src/http/errors.ts'
import { bySystem, insert } from '../../src/platform/activity.ts'
import { query, within } from '../../src/platform/database.ts'
import { dateIn, zoneOf } from '../../src/platform/i18n.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { type KeptPayment, lockPayment } from './payments.ts'
import { factsOf, type Place } from './settling.ts'

/**
 * Enters a payment in the CRM's books, once. In one database this is one transaction; elsewhere the CRM knows the
 * payment by its key, so that asking again changes nothing. Where the CRM cannot, or says no, staff do it by hand. Throws
 * where the CRM does not answer: the job is tried again.
 */
export async function bookPayment(host: Host, place: Place, id: string): Promise<void> {
  const { activation, crm, database, log, workspaces } = coreHostOf(host)
  const workspace = await workspaces.find(place.slug)
  if (workspace?.id !== place.id) return
  const theirs = crm.database ?? database
  const refused = await within(database, { workspace: place.id }, async tx => {
    const payment = await lockPayment(tx, place.id, id)
    if (payment?.booking !== 'waiting') return undefined
    const customer = customerOf(payment, workspace, dateIn(zoneOf(workspace.timeZone), payment.paidAt ?? new Date()))
    const bookIn = async (ports: Partial<Ports>) => {
      const port = paymentsIn(activation.availablePorts(ports))
      // The CRM's tables are not as they were when it was audited: tried again when they fit.
      if (!port && paymentsIn(ports)) return
      if (!port?.record) return keep(tx, place.id, payment, 'manual')
      await port.record(received(payment, customer.today))
      await keep(tx, place.id, payment, 'booked')
    }
    // A savepoint: what the CRM refuses leaves nothing behind, and our own row is still kept.
    try {
      await (theirs === database
        ? tx.transaction(nested => bookIn(crm.connect(customer, nested)))
        : theirs.transaction(other => bookIn(crm.connect(customer, other))))
    } catch (error) {
      if (!(error instanceof Conflict || error instanceof NotFound)) {
        log.error({ err: error, workspace: place.slug, payment: id }, 'a payment could not be booked; tried again')
        throw error
      }
      await keep(tx, place.id, payment, 'manual', error.message)
      return error.message
    }
    return undefined
  })
  if (refused) log.warn({ workspace: place.slug, payment: id, error: refused }, 'the CRM did not take a payment')
}

const paymentsIn = (ports: Partial<Ports>) => ports['payments' as never] as TakesPayments | undefined

/** The payer as customer, as the ports of a CRM are bound. */
const customerOf = (payment: KeptPayment, workspace: Customer['workspace'], today: string): Customer => ({
  workspace,
  client: { id: payment.client, name: '' },
  person: { id: payment.person, name: payment.payer, email: '' },
  role: 'billing',
  today,
})

const received = (it: KeptPayment, on: string): ReceivedPayment => ({
  ...{ key: it.id, on, amount: it.amount, payer: it.payer },
  fee: Number(it.fee.amount) ? it.fee : null,
  method: (it.method ?? 'other') as ReceivedPayment['method'],
  reference: it.charge ?? it.reference,
  shares: it.shares.map(({ section, id, number, amount }) => ({ section, id, number, amount })),
})

async function keep(
  tx: Parameters<typeof query>[0],
  workspace: string,
  payment: KeptPayment,
  booking: KeptPayment['booking'],
  failure: string | null = null,
) {
  await query(tx, {
    text: `update portal.client_payments set booking = $3, booking_failure = $4, changed_at = portal.now(),
             booked_at = case when $3 = 'booked' then portal.now() end
           where workspace_id = $1 and id = $2`,
    values: [workspace, payment.id, booking, failure],
  })
  if (booking === 'booked')
    await insert(tx, [bySystem(workspace, { event: 'pay.booked', subject: factsOf(payment) }, payment.client)])
}
