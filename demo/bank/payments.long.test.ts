import { expect } from 'chai'
import Stripe from 'stripe'
import { card, debit, postForm } from './browser.ts'
import { type ListeningBank, listen } from './listen.ts'

describe("The demo bank's payments", () => {
  let bank: ListeningBank
  let stripe: Stripe

  before(async () => {
    bank = await listen()
    stripe = new Stripe(bank.key, { ...bank.connection, maxNetworkRetries: 0 })
  })

  after(() => bank.close())

  async function paid(fields = card(), currency = 'eur'): Promise<{ session: string; intent: string }> {
    const { id, url } = await stripe.checkout.sessions.create({
      mode: 'payment',
      success_url: 'https://shop.example/return',
      line_items: [{ price_data: { currency, unit_amount: 10_000, product_data: { name: 'Invoice 7' } } }],
    })
    await postForm(url!, fields)
    const { payment_intent } = await stripe.checkout.sessions.retrieve(id)
    return { session: id, intent: String(payment_intent) }
  }

  async function chargeOf(intent: string): Promise<Stripe.Charge> {
    const { latest_charge } = await stripe.paymentIntents.retrieve(intent, { expand: ['latest_charge.refunds'] })
    return latest_charge as Stripe.Charge
  }

  const refused = (request: Promise<unknown>): Promise<Stripe.errors.StripeError> =>
    request.then(
      () => Promise.reject(new Error('The request was not refused.')),
      error => error,
    )

  const types = (from: number) =>
    bank
      .events()
      .slice(from)
      .map(each => each.type)

  it('are refunded in parts, to the last cent and no further', async () => {
    const { intent } = await paid()
    const from = bank.events().length
    const first = await stripe.refunds.create({
      payment_intent: intent,
      amount: 2_500,
      reason: 'requested_by_customer',
      metadata: { note: '1' },
    })
    expect(first).to.deep.include({ status: 'succeeded', amount: 2_500, metadata: { note: '1' } })
    expect(types(from)).to.include.members(['refund.created', 'charge.refunded'])
    const much = await refused(stripe.refunds.create({ payment_intent: intent, amount: 7_501 }))
    expect(much.message).to.equal('Refund amount (€75.01) is greater than unrefunded amount on charge (€75.00)')
    await stripe.refunds.create({ payment_intent: intent })
    const charge = await chargeOf(intent)
    expect(charge).to.include({ amount_refunded: 10_000, refunded: true })
    expect(charge.refunds?.data.map(each => each.amount)).to.deep.equal([7_500, 2_500])
    const again = await refused(stripe.refunds.create({ charge: charge.id }))
    expect([again.statusCode, again.code]).to.deep.equal([400, 'charge_already_refunded'])
    expect((await stripe.refunds.list({ payment_intent: intent })).data).to.have.length(2)
  })

  it('are refunded once by one idempotency key', async () => {
    const { intent } = await paid()
    const options = { idempotencyKey: `refund ${intent}` }
    const refund = () => stripe.refunds.create({ payment_intent: intent, amount: 100 }, options)
    const answers = await Promise.allSettled([refund(), refund(), refund()])
    expect(answers.some(({ status }) => status === 'fulfilled')).to.equal(true)
    expect((await chargeOf(intent)).amount_refunded).to.equal(100)
  })

  it('give a debit back after some days, or not at all', async () => {
    const { session, intent } = await paid(debit())
    const early = await refused(stripe.refunds.create({ payment_intent: intent }))
    expect(early.message).to.include('does not have a successful charge to refund')
    bank.payments.settle(session)
    const refund = await stripe.refunds.create({ payment_intent: intent, amount: 4_000 })
    expect(refund.status).to.equal('pending')
    bank.payments.settleRefund(refund.id)
    expect((await stripe.refunds.retrieve(refund.id)).status).to.equal('succeeded')
    bank.payments.failRefund(refund.id)
    const failed = await stripe.refunds.retrieve(refund.id)
    expect(failed).to.include({ status: 'failed', failure_reason: 'expired_or_canceled_card' })
    expect(await chargeOf(intent)).to.include({ amount_refunded: 0, refunded: false })
    expect(bank.events('refund.failed')).to.have.length(1)
  })

  it('are disputed by some cards, and the dispute is won', async () => {
    const { intent } = await paid(card('4000 0000 0000 0259'))
    await stripe.balance.retrieve()
    const [dispute] = (await stripe.disputes.list({ payment_intent: intent })).data
    expect(dispute).to.include({ amount: 10_000, reason: 'fraudulent', status: 'needs_response' })
    expect(dispute?.balance_transactions[0]).to.include({ amount: -10_000, fee: 2_000, net: -12_000 })
    const charge = await chargeOf(intent)
    expect(charge.disputed).to.equal(true)
    expect((await refused(stripe.refunds.create({ charge: charge.id }))).code).to.equal('charge_disputed')
    const from = bank.events().length
    bank.payments.win(charge.id)
    expect(types(from)).to.deep.equal(['charge.dispute.closed', 'charge.dispute.funds_reinstated'])
    expect((await stripe.disputes.retrieve(dispute!.id)).status).to.equal('won')
  })

  it('are disputed by hand, and the dispute is lost', async () => {
    const { session } = await paid()
    const from = bank.events().length
    const dispute = bank.payments.dispute(session, 'product_not_received')
    bank.payments.lose(session)
    expect(types(from)).to.deep.equal([
      'charge.dispute.created',
      'charge.dispute.funds_withdrawn',
      'charge.updated',
      'charge.dispute.closed',
    ])
    expect((await stripe.disputes.retrieve(dispute.id)).status).to.equal('lost')
    expect(() => bank.payments.win(session)).to.throw('already closed')
  })

  it('are lost at once when a debit is disputed', async () => {
    const { session, intent } = await paid(debit())
    bank.payments.settle(session)
    bank.payments.dispute(session)
    const [dispute] = (await stripe.disputes.list({ payment_intent: intent })).data
    expect(dispute).to.include({ status: 'lost' })
    expect(bank.events('charge.dispute.closed').at(-1)?.data.object).to.include({ id: dispute?.id })
  })

  it('are on the balance, less the fees', async () => {
    const before = (await stripe.balance.retrieve()).pending.find(each => each.currency === 'usd')?.amount ?? 0
    await paid(card(), 'usd')
    const { pending } = await stripe.balance.retrieve()
    expect(pending.find(each => each.currency === 'usd')?.amount).to.equal(before + 10_000 - 175)
  })

  it('of a checkout cannot be cancelled on their own', async () => {
    const { intent } = await paid()
    const error = await refused(stripe.paymentIntents.cancel(intent))
    expect(error.message).to.include('because it has a status of succeeded')
    expect(error.code).to.equal('payment_intent_unexpected_state')
    const declined = await paid(card('4000 0000 0000 0002'))
    const open = await refused(stripe.paymentIntents.cancel(declined.intent))
    expect(open.message).to.include('Expire the Checkout Session instead')
  })

  it('take notes later: metadata and description', async () => {
    const { session, intent } = await paid()
    await stripe.checkout.sessions.update(session, { metadata: { booked: 'yes' } })
    await stripe.paymentIntents.update(intent, { metadata: { invoice: '7' }, description: 'Invoice 7' })
    expect((await stripe.checkout.sessions.retrieve(session)).metadata).to.deep.equal({ booked: 'yes' })
    expect(await stripe.paymentIntents.retrieve(intent)).to.deep.include({
      metadata: { invoice: '7' },
      description: 'Invoice 7',
    })
  })

  it('are found by the session, and the session by them', async () => {
    const { session, intent } = await paid()
    const found = await stripe.checkout.sessions.list({ payment_intent: intent })
    expect(found.data.map(each => each.id)).to.deep.equal([session])
    const [newest] = (await stripe.paymentIntents.list({ limit: 1 })).data
    expect(newest?.id).to.equal(intent)
  })
})
