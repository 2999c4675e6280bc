import type { Knex } from 'knex'
import { readWithin, type Scope } from '../../src/platform/database.ts'
import { type Money, subtract } from '../../src/platform/money.ts'
import type { Capabilities } from '../../src/plugin/capabilities.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { leftOf, type Pending, pendingColumns, pendingOnes } from './payments.ts'

/** What other plugins can know of payments. */
export const paying = ({ database }: Pick<Host, 'database'>): Capabilities['paying'] => ({
  section: 'pay',
  may: ['see', 'pay'],

  async underWay(scope) {
    const all = await announcedOf(database, scope)
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
})

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
