import type { Core } from '../core.ts'
import { seconds } from '../core.ts'
import { route } from './route.ts'

/** Whose account it is, and what is on it. */
export const accountRoutes = [
  route('get', '/account', {}, ({ core }) => account(core)),
  route('get', '/balance', {}, ({ core }) => balance(core)),
]

function account({ settings, state }: Core): object {
  return {
    id: state.account,
    object: 'account',
    business_profile: { mcc: null, name: settings.merchant, support_email: null, support_phone: null, url: null },
    business_type: 'company',
    capabilities: { card_payments: 'active', sepa_debit_payments: 'active', transfers: 'active' },
    charges_enabled: true,
    country: settings.country,
    created: state.created,
    default_currency: settings.currency,
    details_submitted: true,
    email: null,
    metadata: {},
    payouts_enabled: true,
    settings: {
      card_payments: { statement_descriptor_prefix: settings.merchant.toUpperCase().slice(0, 10) },
      dashboard: { display_name: settings.merchant, timezone: 'Etc/UTC' },
      payments: { statement_descriptor: settings.merchant.toUpperCase().slice(0, 22) },
    },
    type: 'standard',
  }
}

function balance(core: Core): object {
  const now = seconds(core)
  const transactions = Object.values(core.state.transactions)
  const currencies = new Set([core.settings.currency, ...transactions.map(({ currency }) => currency)])
  const sums = (due: (at: number) => boolean) =>
    [...currencies].map(currency => {
      const some = transactions.filter(each => each.currency === currency && due(each.available_on))
      const amount = some.reduce((sum, { net }) => sum + net, 0)
      return { amount, currency, source_types: { card: amount } }
    })
  return {
    object: 'balance',
    available: sums(at => at <= now),
    livemode: false,
    pending: sums(at => at > now),
  }
}
