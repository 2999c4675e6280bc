import Big from 'big.js'
import type { RequestContext } from '../../src/http/context.ts'
import type { KeptPayment, Payment } from './payments.ts'

/** How a payment ended, or where it is: which page is shown of it. */
export type Standing =
  | 'announced'
  | 'open'
  | 'stopped'
  | 'processing'
  | 'paid'
  | 'failed'
  | 'unavailable'
  | 'cancelled'
  | 'refunded'
  | 'disputed'

export function standingOf(it: Payment, stopped = false): Standing {
  if (it.dispute === 'open' || it.dispute === 'lost') return 'disputed'
  if (it.state === 'paid') return Big(it.refunded.amount).gt(0) ? 'refunded' : 'paid'
  if (it.state === 'started') return it.provider === 'transfer' ? 'announced' : stopped ? 'stopped' : 'open'
  if (it.state === 'failed') return neverBegan(it) ? 'unavailable' : 'failed'
  return it.state
}

/** Whether the provider did not answer when it was to begin, or refused. */
const neverBegan = ({ failure }: Payment): boolean => failure === 'unavailable' || failure === 'refused'

/** Tone, icon and words of a badge. */
export const badgeOf = (it: Payment, { t }: Pick<RequestContext, 't'>): [tone: string, icon: string, words: string] =>
  ({
    announced: ['blue', 'clock', t('Transfer announced')],
    open: ['secondary', 'clock', t('Not finished')],
    stopped: ['secondary', 'clock', t('Not finished')],
    processing: ['yellow', 'clock', t('On its way')],
    paid: ['green', 'check', t('Paid')],
    failed: ['red', 'x', t('Not paid')],
    unavailable: ['red', 'x', t('Not paid')],
    cancelled: ['secondary', 'ban', t('Cancelled')],
    refunded: [
      'secondary',
      'refresh',
      Big(it.refunded.amount).eq(it.total.amount) ? t('Refunded') : t('Partly refunded'),
    ],
    disputed: ['yellow', 'alert-triangle', it.dispute === 'lost' ? t('Returned by the bank') : t('Disputed')],
  })[standingOf(it)] as [string, string, string]

/** How it was paid. */
export const methodOf = (it: KeptPayment | Payment, { t }: Pick<RequestContext, 't'>): string =>
  ({
    card: t('Card'),
    'direct debit': t('Direct debit'),
    ideal: 'iDEAL',
    'bank transfer': t('Bank transfer'),
    other: t('Online'),
  })[it.method ?? (it.provider === 'transfer' ? 'bank transfer' : 'other')] ?? t('Online')

/** Why the CRM did not take a payment, in our words or its own, after the number of the document that it is about. */
export function refusalOf({ bookingFailure, shares }: KeptPayment, { t }: Pick<RequestContext, 't'>): string {
  const failure = bookingFailure ?? ''
  const number = shares.map(it => `${it.number}: `).find(it => failure.includes(it)) ?? ''
  const begin = failure.indexOf(number) + number.length
  const reason = failure.slice(begin)
  // Words with braces are none of ours.
  return failure.slice(0, begin) + (/[{}]/.test(reason) ? reason : t(reason))
}
