import Big from 'big.js'
import type { Knex } from 'knex'
import type { RequestContext } from '../../src/http/context.ts'
import { readWithin, type Scope } from '../../src/platform/database.ts'
import { decimalsOf, type Money, subtract } from '../../src/platform/money.ts'
import type { Capabilities, DownPaymentStanding } from '../../src/plugin/capabilities.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { pendingFor, pendingOfEach } from './payable.ts'
import { leftOf, type Pending, pendingColumns, pendingOnes } from './payments.ts'
import { settingsWithAccess } from './settings-of.ts'

/** What other plugins can know of payments. */
export const paying = (host: Host): Capabilities['paying'] => ({
  section: 'pay',
  may: ['see', 'pay'],

  async underWay(scope) {
    const all = await announcedOf(host.database, scope)
    const known = new Map(all.map(it => [keyOf(it, it.currency), it]))
    return it => {
      const pending = known.get(keyOf(it, it.balance.currency))
      return { left: leftAfter(it.balance, pending), beingPaid: pending?.beingPaid ?? false }
    }
  },

  page(client, documents) {
    const chosen = documents.map((it): [string, string] => ['document', `${it.section}/${it.id}`])
    return `/pay?${new URLSearchParams([['client', client], ...chosen])}`
  },

  async downPayments(context, documents) {
    const counted = documents.map(it => ({ ...it, downPayment: true }))
    const pending = await pendingOfEach(context, host, counted, await pendingFor(context, host))
    const offered = await isOffered(context, host)
    return documents.map((it, at) => downPaymentOf(context, it, pending[at]!, offered))
  },
})

/** Whether this person can pay anything here. */
async function isOffered({ crm, may, on, workspace }: RequestContext, host: Host): Promise<boolean> {
  if (!('pay' in crm && on('pay') && may('pay.pay'))) return false
  const { settings, online } = await settingsWithAccess(host, workspace.id)
  return settings.transfer || online !== undefined
}

type Document = Parameters<Capabilities['paying']['downPayments']>[1][number]

function downPaymentOf({ url }: RequestContext, it: Document, pending: Pending, offered: boolean): DownPaymentStanding {
  const { section, id, balance } = it
  const { unbooked, processing, payer } = pending
  const left = leftOf(balance, pending)
  const chosen = new URLSearchParams({ document: `${section}/${id}` })
  return {
    left,
    paid: { ...balance, amount: Big(unbooked).toFixed(decimalsOf(balance.currency)) },
    processing: { ...balance, amount: processing },
    payer,
    page: offered && Number(left.amount) > 0 ? url(`/pay?${chosen}`) : undefined,
  }
}

/** With what clients said they would pay: that is no money yet, but they need not be reminded of it. */
interface Announced extends Pending {
  announced: string
  /** Whether somebody is at the provider's page. */
  beingPaid: boolean
}

const announcedOf = (database: Knex, scope: Required<Scope>): Promise<Announced[]> =>
  readWithin<Announced>(database, scope, {
    name: 'pay.announced',
    text: `select ${pendingColumns},
             coalesce(sum(s.amount) filter (where p.state = 'started' and p.provider = 'transfer'), 0)::text as announced,
             bool_or(p.state = 'started' and p.provider <> 'transfer') as "beingPaid"
           from ${pendingOnes} group by s.section, s.document_id, p.currency`,
  })

const keyOf = ({ section, id }: { section: string; id: string }, currency: string) => `${section}/${id} ${currency}`

function leftAfter(balance: Money, pending: Announced | undefined): Money {
  const left = leftOf(balance, pending)
  const rest = subtract(left.amount, pending?.announced ?? '0')
  return { ...left, amount: rest.startsWith('-') ? '0' : rest }
}
