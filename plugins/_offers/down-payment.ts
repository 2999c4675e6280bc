import Big from 'big.js'
import type { RequestContext } from '../../src/http/context.ts'
import { decimalsOf, type Money } from '../../src/platform/money.ts'
import type { DownPaymentStanding } from '../../src/plugin/capabilities.ts'
import type { DocumentReader } from '../../src/plugin/parts.ts'
import type { Offer, Summary } from './port.ts'

/**
 * What is due on acceptance: its part of the total, or its amount, in the currency's smallest unit. Never more than the
 * total; undefined where nothing is due.
 */
export function dueOnAcceptance({ downPayment, total }: Pick<Summary, 'downPayment' | 'total'>): Money | undefined {
  if (!downPayment) return undefined
  const asked = askedOf(downPayment, total)
  const places = decimalsOf(total.currency)
  const most = Big(total.amount).round(places, Big.roundDown)
  const amount = asked.gt(most) ? most : asked.round(places)
  return amount.gt(0) ? { amount: amount.toFixed(places), currency: total.currency } : undefined
}

/** As documents call it. */
export const downPaymentWords = (
  { downPayment }: Pick<Summary, 'downPayment'>,
  { t, number }: DocumentReader,
): string =>
  downPayment && 'percent' in downPayment
    ? t('Down payment on acceptance ({percent}%)', { percent: number(downPayment.percent) })
    : t('Down payment on acceptance')

/** A down payment as pages show it. How it stands is unknown where nothing is paid here. */
interface ShownDownPayment extends Partial<DownPaymentStanding> {
  due: Money
  label: string
}

/** Undefined where nothing is due on acceptance. */
export async function downPaymentFor(
  context: RequestContext,
  section: string,
  offer: Offer,
): Promise<ShownDownPayment | undefined> {
  const due = dueOnAcceptance(offer)
  if (!due) return undefined
  const [standing] =
    (await context.capability('paying')?.downPayments(context, [{ section, id: offer.id, balance: due }])) ?? []
  return { due, label: downPaymentWords(offer, context), ...standing }
}

/** An amount in another currency than the offer's is none. */
function askedOf(downPayment: NonNullable<Summary['downPayment']>, { amount, currency }: Money): Big {
  if ('percent' in downPayment) return Big(amount).times(downPayment.percent).times('0.01')
  return Big(downPayment.amount.currency === currency ? downPayment.amount.amount : 0)
}
