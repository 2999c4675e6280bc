import { cardBehaviour } from './cards.ts'
import { createTransaction } from './charges.ts'
import { type Core, emit, newId, plan, seconds } from './core.ts'
import { ApiError } from './errors.ts'
import { find } from './intents.ts'
import { formatMoney } from './money.ts'
import { type Charge, idOf, type Refund } from './objects.ts'

interface RefundInput {
  amount?: number
  reason?: 'duplicate' | 'fraudulent' | 'requested_by_customer'
  metadata?: Record<string, string>
}

/** Gives back all that is left of a charge, or a part of it. A debit's refund is pending until the bank has sent it. */
export function createRefund(core: Core, charge: Charge, input: RefundInput = {}): Refund {
  const amount = refundable(core, charge, input.amount)
  const card = charge.payment_method_details?.type === 'card'
  const behaviour = card ? cardBehaviour(numberOf(core, charge)).refund : undefined
  const refund: Refund = {
    id: newId(card ? 're' : 'pyr'),
    object: 'refund',
    amount,
    balance_transaction: null,
    charge: charge.id,
    created: seconds(core),
    currency: charge.currency,
    customer: idOf(charge.customer) ?? null,
    customer_account: null,
    destination_details: card
      ? {
          card: { reference_status: 'pending', reference_type: 'acquirer_reference_number', type: 'refund' },
          type: 'card',
        }
      : { type: 'sepa_bank_transfer' },
    metadata: input.metadata ?? {},
    payment_intent: idOf(charge.payment_intent) ?? null,
    payment_method: charge.payment_method,
    reason: input.reason ?? null,
    receipt_number: null,
    source_transfer_reversal: null,
    status: card && behaviour !== 'refund' ? 'succeeded' : 'pending',
    transfer_reversal: null,
  }
  core.state.refunds[refund.id] = refund
  charge.amount_refunded += amount
  charge.refunded = charge.amount_refunded === charge.amount
  refund.balance_transaction = moveBack(core, charge, refund, -amount)
  emit(core, 'refund.created', refund)
  emit(core, 'charge.refunded', charge, { amount_refunded: charge.amount_refunded - amount })
  if (behaviour) plan(core, behaviour, refund.id, 0)
  return refund
}

const numberOf = (core: Core, charge: Charge) => core.state.accounts[charge.payment_method ?? '']?.behaviour ?? ''

function refundable(core: Core, charge: Charge, wanted: number | undefined): number {
  if (charge.status !== 'succeeded') {
    throw new ApiError(`Charge ${charge.id} has not succeeded and cannot be refunded.`, { param: 'charge' })
  }
  if (isDisputed(core, charge)) {
    const message = `Charge ${charge.id} has been charged back; cannot issue a refund.`
    throw new ApiError(message, { code: 'charge_disputed' })
  }
  if (charge.refunded) {
    throw new ApiError(`Charge ${charge.id} has already been refunded.`, { code: 'charge_already_refunded' })
  }
  const left = charge.amount - charge.amount_refunded
  const amount = wanted ?? left
  if (amount <= left) return amount
  const [asked, rest] = [amount, left].map(each => formatMoney(each, charge.currency))
  const of = charge.amount_refunded ? 'unrefunded amount on charge' : 'charge amount'
  throw new ApiError(`Refund amount (${asked}) is greater than ${of} (${rest})`, { param: 'amount' })
}

/** Has a dispute that is open or lost. */
const isDisputed = ({ state }: Core, { id }: Charge) =>
  Object.values(state.disputes).some(({ charge, status }) => charge === id && status !== 'won')

function moveBack(core: Core, charge: Charge, refund: Refund, amount: number): string {
  const card = charge.payment_method_details?.type === 'card'
  const type = card ? 'refund' : 'payment_refund'
  return createTransaction(core, {
    type: amount < 0 ? type : 'refund_failure',
    category: amount < 0 ? 'refund' : 'refund_failure',
    amount,
    fee: 0,
    currency: charge.currency,
    source: refund.id,
    description: amount < 0 ? 'REFUND FOR PAYMENT' : 'REFUND FAILURE',
  }).id
}

/** A pending refund has arrived. */
export function settleRefund(core: Core, id: string): Refund {
  const refund = refundIn(core, id)
  if (refund.status !== 'pending') throw wrongState(refund)
  refund.status = 'succeeded'
  emit(core, 'refund.updated', refund, { status: 'pending' })
  emit(core, 'charge.refund.updated', refund, { status: 'pending' })
  return refund
}

/** The money came back to the merchant; even after the refund had succeeded. */
export function failRefund(core: Core, id: string): Refund {
  const refund = refundIn(core, id)
  const charge = find(core.state.charges, refund.charge)
  if (!charge || !['pending', 'succeeded'].includes(refund.status ?? '')) throw wrongState(refund)
  const before = refund.status
  refund.status = 'failed'
  refund.failure_reason = 'expired_or_canceled_card'
  refund.failure_balance_transaction = moveBack(core, charge, refund, refund.amount)
  charge.amount_refunded -= refund.amount
  charge.refunded = false
  emit(core, 'refund.updated', refund, { status: before })
  emit(core, 'charge.refund.updated', refund, { status: before })
  emit(core, 'refund.failed', refund)
  return refund
}

function refundIn(core: Core, id: string): Refund {
  const refund = find(core.state.refunds, id)
  if (!refund) throw new ApiError(`No such refund: '${id}'`, { status: 404, code: 'resource_missing' })
  return refund
}

const wrongState = (refund: Refund) => new ApiError(`Refund ${refund.id} has a status of ${refund.status}.`)
