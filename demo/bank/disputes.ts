import { createTransaction } from './charges.ts'
import { type Core, emit, newId, seconds } from './core.ts'
import { ApiError } from './errors.ts'
import { find } from './intents.ts'
import { type Charge, type Dispute, idOf } from './objects.ts'

/** What the bank takes for a dispute, in the smallest unit. */
const fee = 2_000
const days = 24 * 3600

/** The client's bank takes the money back. The merchant can contest a card payment; a returned debit is final. */
export function openDispute(core: Core, charge: Charge, reason = 'fraudulent'): Dispute {
  if (charge.status !== 'succeeded') throw new ApiError(`Charge ${charge.id} has not succeeded.`)
  if (charge.refunded) throw new ApiError(`Charge ${charge.id} has been refunded.`)
  if (charge.disputed) throw new ApiError(`Charge ${charge.id} is already disputed.`)
  const card = charge.payment_method_details?.card
  const dispute: Dispute = {
    id: newId(card ? 'du' : 'pdp'),
    object: 'dispute',
    amount: charge.amount - charge.amount_refunded,
    balance_transactions: [],
    charge: charge.id,
    created: seconds(core),
    currency: charge.currency,
    enhanced_eligibility_types: [],
    evidence: noEvidence(),
    evidence_details: {
      due_by: card ? seconds(core) + 9 * days : null,
      enhanced_eligibility: {},
      has_evidence: false,
      past_due: false,
      submission_count: 0,
      submission_method: 'not_submitted',
    },
    intended_submission_method: null,
    is_charge_refundable: false,
    livemode: false,
    metadata: {},
    payment_intent: idOf(charge.payment_intent) ?? null,
    ...(card && { network_reason_code: '10.4', payment_method_details: cardDispute(card.brand ?? 'visa') }),
    reason,
    status: card ? 'needs_response' : 'lost',
  }
  core.state.disputes[dispute.id] = dispute
  charge.disputed = true
  move(core, dispute, -dispute.amount, fee)
  emit(core, 'charge.dispute.created', dispute)
  emit(core, 'charge.dispute.funds_withdrawn', dispute)
  emit(core, 'charge.updated', charge, { disputed: false })
  if (!card) emit(core, 'charge.dispute.closed', dispute)
  return dispute
}

const cardDispute = (brand: string): Dispute['payment_method_details'] => ({
  type: 'card',
  card: { brand, case_type: 'chargeback', network: brand, network_reason_code: '10.4' },
})

/** The network has decided. A dispute that is won gives the money back, without the fee. */
export function closeDispute(core: Core, id: string, status: 'won' | 'lost'): Dispute {
  const dispute = find(core.state.disputes, id)
  if (!dispute) throw new ApiError(`No such dispute: '${id}'`, { status: 404, code: 'resource_missing' })
  if (dispute.status === 'won' || dispute.status === 'lost') {
    throw new ApiError(`Dispute ${id} is already closed: ${dispute.status}.`)
  }
  dispute.status = status
  if (status === 'won') move(core, dispute, dispute.amount, 0)
  emit(core, 'charge.dispute.closed', dispute)
  if (status === 'won') emit(core, 'charge.dispute.funds_reinstated', dispute)
  return dispute
}

function move(core: Core, dispute: Dispute, amount: number, cost: number): void {
  const transaction = createTransaction(core, {
    type: 'adjustment',
    category: amount < 0 ? 'dispute' : 'dispute_reversal',
    amount,
    fee: cost,
    currency: dispute.currency,
    source: dispute.id,
    description: `Chargeback ${amount < 0 ? 'withdrawal' : 'reversal'} for ${idOf(dispute.charge)}`,
  })
  dispute.balance_transactions.push(transaction)
}

const noEvidence = (): Dispute['evidence'] => ({
  access_activity_log: null,
  billing_address: null,
  cancellation_policy: null,
  cancellation_policy_disclosure: null,
  cancellation_rebuttal: null,
  customer_communication: null,
  customer_email_address: null,
  customer_name: null,
  customer_purchase_ip: null,
  customer_signature: null,
  duplicate_charge_documentation: null,
  duplicate_charge_explanation: null,
  duplicate_charge_id: null,
  enhanced_evidence: {},
  product_description: null,
  receipt: null,
  refund_policy: null,
  refund_policy_disclosure: null,
  refund_refusal_explanation: null,
  service_date: null,
  service_documentation: null,
  shipping_address: null,
  shipping_carrier: null,
  shipping_date: null,
  shipping_documentation: null,
  shipping_tracking_number: null,
  uncategorized_file: null,
  uncategorized_text: null,
})
