import { expect } from 'chai'
import Stripe from 'stripe'
import { card, debit, getPage, postForm } from './browser.ts'
import { type ListeningBank, listen } from './listen.ts'

describe("The demo bank's hosted page", () => {
  let bank: ListeningBank
  let stripe: Stripe

  before(async () => {
    bank = await listen({ merchant: 'Brightside & Co' })
    stripe = new Stripe(bank.key, { ...bank.connection, maxNetworkRetries: 0 })
  })

  after(() => bank.close())

  const create = (more: Partial<Stripe.Checkout.SessionCreateParams> = {}) =>
    stripe.checkout.sessions.create({
      mode: 'payment',
      success_url: 'https://shop.example/return?session={CHECKOUT_SESSION_ID}',
      cancel_url: 'https://shop.example/invoices',
      line_items: [
        {
          price_data: { currency: 'eur', unit_amount: 12_345, product_data: { name: 'Invoice <b>7</b>' } },
          quantity: 1,
        },
      ],
      ...more,
    })

  const read = (id: string) =>
    stripe.checkout.sessions.retrieve(id, { expand: ['payment_intent.latest_charge.balance_transaction'] })

  async function intentOf(id: string): Promise<Stripe.PaymentIntent> {
    return (await read(id)).payment_intent as Stripe.PaymentIntent
  }

  const chargeOf = async (id: string) => (await intentOf(id)).latest_charge as Stripe.Charge

  const typesOf = (from: number) =>
    bank
      .events()
      .slice(from)
      .map(each => each.type)

  it('shows the amount, the merchant, the lines and the way back, escaped and without scripts', async () => {
    const { url } = await create()
    const { status, text, headers } = await getPage(url!)
    expect(status).to.equal(200)
    expect(text).to.include('Demo bank: no real money')
    expect(text).to.include('€123.45')
    expect(text).to.include('Pay Brightside &amp; Co')
    expect(text).to.include('Invoice &lt;b&gt;7&lt;/b&gt;')
    expect(text).to.include('href="https://shop.example/invoices"')
    expect(text).to.include('4242 4242 4242 4242')
    expect(text).not.to.include('<script')
    expect(headers.get('Content-Security-Policy')).to.include("default-src 'none'")
    expect(headers.get('Content-Security-Policy')).to.include("form-action 'self' https://shop.example;")
  })

  it('takes a card: paid, with a charge, a fee and the way back to the shop', async () => {
    const { id, url } = await create({
      payment_intent_data: {
        description: 'Invoice 7',
        metadata: { invoice: '7' },
        receipt_email: 'ada@client.example',
      },
    })
    const from = bank.events().length
    const { status, location } = await postForm(url!, card())
    expect([status, location]).to.deep.equal([303, `https://shop.example/return?session=${id}`])
    const session = await read(id)
    expect([session.status, session.payment_status, session.url]).to.deep.equal(['complete', 'paid', null])
    expect(session.customer_details).to.include({ email: 'ada@client.example', name: 'Ada Client' })
    const intent = session.payment_intent as Stripe.PaymentIntent
    expect(intent).to.deep.include({ status: 'succeeded', amount_received: 12_345, metadata: { invoice: '7' } })
    const charge = intent.latest_charge as Stripe.Charge
    expect(charge).to.deep.include({ paid: true, amount: 12_345, metadata: { invoice: '7' } })
    expect(charge.payment_method_details?.card).to.include({ brand: 'visa', last4: '4242' })
    expect(charge.balance_transaction).to.include({ amount: 12_345, fee: 210, net: 12_135 })
    expect(typesOf(from)).to.deep.equal([
      'payment_intent.created',
      'charge.succeeded',
      'payment_intent.succeeded',
      'checkout.session.completed',
      'charge.updated',
    ])
    expect((await getPage(charge.receipt_url!)).text).to.include('€123.45')
  })

  it('knows the fee only after the payment, as asynchronous capture does', async () => {
    const { url } = await create()
    await postForm(url!, card())
    await stripe.balance.retrieve()
    const [succeeded, updated] = ['charge.succeeded', 'charge.updated'].map(type => bank.events(type).at(-1)!.data)
    expect(succeeded!.object).to.include({ balance_transaction: null })
    expect((updated!.object as Stripe.Charge).balance_transaction).to.match(/^txn_/)
    expect(updated!.previous_attributes).to.deep.equal({ balance_transaction: null })
  })

  it('lets a declined client try again, in the same payment intent', async () => {
    const { id, url } = await create()
    const from = bank.events().length
    const declined = await postForm(url!, card('4000 0000 0000 0002'))
    expect([declined.status, declined.location]).to.deep.equal([303, new URL(url!).pathname])
    expect((await getPage(url!)).text).to.include('Your card was declined.')
    const first = await intentOf(id)
    expect(first.status).to.equal('requires_payment_method')
    expect(first.last_payment_error).to.include({ code: 'card_declined', decline_code: 'generic_decline' })
    expect((first.latest_charge as Stripe.Charge).status).to.equal('failed')
    await postForm(url!, card('4000 0000 0000 9995'))
    expect((await intentOf(id)).last_payment_error).to.include({ decline_code: 'insufficient_funds' })
    await postForm(url!, card())
    const last = await intentOf(id)
    expect(last).to.include({ id: first.id, status: 'succeeded', last_payment_error: null })
    expect(typesOf(from).filter(type => type.endsWith('failed'))).to.deep.equal([
      'charge.failed',
      'payment_intent.payment_failed',
      'charge.failed',
      'payment_intent.payment_failed',
    ])
  })

  it('says what was typed wrong, keeps the rest, and charges nothing', async () => {
    const { id, url } = await create()
    const wrong = async (more: Record<string, string>) => {
      const { status, text } = await postForm(url!, card(undefined, more))
      expect(status).to.equal(422)
      expect(text).to.include('value="Ada Client"')
      return /<p class="problem">([^<]*)/.exec(text)?.[1]
    }
    expect(await wrong({ number: '4242 4242 4242 4241' })).to.equal('Your card number is invalid.')
    expect(await wrong({ expiry: '12/20' })).to.equal('Your card&#39;s expiration year is in the past.')
    expect(await wrong({ expiry: '13/34' })).to.include('month/year')
    expect(await wrong({ cvc: '12' })).to.include('security code is invalid')
    expect(await wrong({ email: 'nobody' })).to.include('valid email')
    expect((await postForm(url!, debit('DE00 1234'))).text).to.include('The IBAN you entered is invalid.')
    expect((await read(id)).payment_intent).to.equal(null)
  })

  it('asks for a 3-D Secure confirmation on a page of its own', async () => {
    const { id, url } = await create()
    const { location } = await postForm(url!, card('4000 0025 0000 3155'))
    expect(location).to.equal(`${new URL(url!).pathname}/confirm`)
    expect((await getPage(`${url}/confirm`)).text).to.include('Confirm with your bank')
    expect((await intentOf(id)).next_action?.redirect_to_url?.url).to.equal(`${url}/confirm`)
    expect([(await intentOf(id)).status, (await read(id)).status]).to.deep.equal(['requires_action', 'open'])
    const confirmed = await postForm(`${url}/confirm`, { answer: 'confirm' })
    expect(confirmed.location).to.include(`session=${id}`)
    const charge = await chargeOf(id)
    expect(charge.payment_method_details?.card?.three_d_secure?.result).to.equal('authenticated')
  })

  it('takes nothing when the client does not confirm', async () => {
    const { id, url } = await create()
    await postForm(url!, card('4000 0025 0000 3155'))
    const { location } = await postForm(`${url}/confirm`, { answer: 'refuse' })
    expect(location).to.equal(new URL(url!).pathname)
    const intent = await intentOf(id)
    expect(intent).to.include({ status: 'requires_payment_method', latest_charge: null })
    expect(intent.last_payment_error?.code).to.equal('payment_intent_authentication_failure')
    expect((await getPage(url!)).text).to.include('unable to authenticate')
  })

  it('takes a debit, which is processing and settles later', async () => {
    const { id, url } = await create()
    const { location } = await postForm(url!, debit())
    expect(location).to.include(`session=${id}`)
    const session = await read(id)
    expect([session.status, session.payment_status]).to.deep.equal(['complete', 'unpaid'])
    expect((session.payment_intent as Stripe.PaymentIntent).status).to.equal('processing')
    expect((await getPage(url!)).text).to.include('This payment is being processed')
    const from = bank.events().length
    bank.payments.settle(id)
    expect(typesOf(from)).to.deep.equal([
      'charge.succeeded',
      'payment_intent.succeeded',
      'checkout.session.async_payment_succeeded',
    ])
    expect((await read(id)).payment_status).to.equal('paid')
    const charge = await chargeOf(id)
    expect(charge.payment_method_details?.sepa_debit?.last4).to.equal('3000')
    expect((charge.balance_transaction as Stripe.BalanceTransaction).fee).to.equal(35)
    expect(() => bank.payments.settle(id)).to.throw('is not processing')
  })

  it('takes a debit that fails later', async () => {
    const { id, url } = await create()
    await postForm(url!, debit('DE62 3704 0044 0532 0130 01'))
    const from = bank.events().length
    bank.payments.fail(id)
    expect(typesOf(from)).to.deep.equal([
      'charge.failed',
      'payment_intent.payment_failed',
      'checkout.session.async_payment_failed',
    ])
    const session = await read(id)
    expect([session.status, session.payment_status]).to.deep.equal(['complete', 'unpaid'])
    expect((await intentOf(id)).status).to.equal('requires_payment_method')
  })

  it('can be paid only once, also by two at the same moment', async () => {
    const { id, url } = await create()
    const answers = await Promise.all([postForm(url!, card()), postForm(url!, debit()), postForm(url!, card())])
    expect(answers.filter(({ location }) => location.includes(`session=${id}`))).to.have.length(1)
    const { id: intent } = await intentOf(id)
    expect((await stripe.charges.list({ payment_intent: intent })).data).to.have.length(1)
    const { text } = await getPage(url!)
    expect(text).to.include('This payment is complete')
    expect(text).not.to.include('<form')
  })

  it('says that it has expired, and takes nothing', async () => {
    const { id, url } = await create()
    await postForm(url!, card('4000 0000 0000 0002'))
    await stripe.checkout.sessions.expire(id)
    expect((await getPage(url!)).text).to.include('This payment page has expired')
    await postForm(url!, card())
    expect([(await read(id)).status, (await intentOf(id)).status]).to.deep.equal(['expired', 'canceled'])
  })

  it('saves a method with consent, shows it the next time, and forgets it when detached', async () => {
    const customer = (await stripe.customers.create({ email: 'ada@client.example', name: 'Ada' })).id
    const saved_payment_method_options = { payment_method_save: 'enabled' } as const
    const methods = async () => (await stripe.customers.listPaymentMethods(customer)).data
    const first = await create({ customer, saved_payment_method_options })
    await postForm(first.url!, card())
    expect(await methods()).to.deep.equal([])
    const second = await create({ customer, saved_payment_method_options })
    expect((await getPage(second.url!)).text).to.include('Save this payment method')
    await postForm(second.url!, card(undefined, { save: 'yes' }))
    const [method] = await methods()
    expect(method).to.include({ customer, type: 'card', allow_redisplay: 'always' })
    expect(bank.events('payment_method.attached').at(-1)?.data.object).to.include({ id: method!.id, customer })
    const third = await create({ customer })
    expect((await getPage(third.url!)).text).to.include('with Visa ending in 4242')
    await postForm(third.url!, { method: 'saved', saved: method!.id })
    expect((await read(third.id)).payment_status).to.equal('paid')
    await stripe.paymentMethods.detach(method!.id)
    expect(await methods()).to.deep.equal([])
    const fourth = await create({ customer })
    expect((await postForm(fourth.url!, { method: 'saved', saved: method!.id })).status).to.equal(400)
  })

  it('lets the client remove a saved method, only where the merchant allows it', async () => {
    const customer = (await stripe.customers.create({ email: 'ada@client.example' })).id
    const options = { payment_method_save: 'enabled', payment_method_remove: 'enabled' } as const
    const first = await create({ customer, saved_payment_method_options: options })
    await postForm(first.url!, card(undefined, { save: 'yes' }))
    const [method] = (await stripe.customers.listPaymentMethods(customer)).data
    const remove = { method: 'saved', saved: method!.id, remove: 'yes' }
    const strict = await create({ customer })
    expect((await getPage(strict.url!)).text).not.to.include('Remove Visa')
    expect((await postForm(strict.url!, remove)).status).to.equal(400)
    const free = await create({ customer, saved_payment_method_options: options })
    expect((await getPage(free.url!)).text).to.include('Remove Visa ending in 4242')
    expect((await postForm(free.url!, remove)).status).to.equal(303)
    expect((await stripe.customers.listPaymentMethods(customer)).data).to.deep.equal([])
    expect(bank.events('payment_method.detached').at(-1)?.data.previous_attributes).to.deep.equal({ customer })
  })

  it('saves a method without a payment in setup mode', async () => {
    const customer = (await stripe.customers.create({ name: 'Ada' })).id
    const { id, url } = await stripe.checkout.sessions.create({
      mode: 'setup',
      currency: 'eur',
      customer,
      success_url: 'https://shop.example/saved',
    })
    expect((await getPage(url!)).text).to.include('Nothing is charged now')
    await postForm(url!, card('4000 0025 0000 3155'))
    await postForm(`${url}/confirm`, { answer: 'confirm' })
    const session = await stripe.checkout.sessions.retrieve(id, { expand: ['setup_intent.payment_method'] })
    expect([session.status, session.payment_status]).to.deep.equal(['complete', 'no_payment_required'])
    const setup = session.setup_intent as Stripe.SetupIntent
    expect(setup.status).to.equal('succeeded')
    expect((setup.payment_method as Stripe.PaymentMethod).customer).to.equal(customer)
  })

  it('ignores forms from other sites and other host names', async () => {
    const { id, url } = await create()
    expect((await postForm(url!, card(), { 'Sec-Fetch-Site': 'cross-site' })).status).to.equal(403)
    const strange = { 'Sec-Fetch-Site': '', Origin: 'https://evil.example' }
    expect((await postForm(url!, card(), strange)).status).to.equal(403)
    expect((await read(id)).status).to.equal('open')
    expect((await getPage(`${bank.address}/-/bank/checkout/cs_test_no`)).status).to.equal(404)
  })
})
