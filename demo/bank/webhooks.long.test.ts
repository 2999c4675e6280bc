import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import Stripe from 'stripe'
import { until } from '../../test/until.ts'
import { card, debit, postForm } from './browser.ts'
import { type ListeningBank, listen } from './listen.ts'

interface Received {
  body: string
  signature: string
  event: Stripe.Event
  at: number
}

describe("The demo bank's webhooks", () => {
  const secret = 'whsec_of_the_options'
  let server: Server
  let hook: string
  let received: Received[] = []
  /** Statuses of the next answers; afterwards 200. */
  let statuses: number[] = []
  let bank: ListeningBank
  let stripe: Stripe

  before(async () => {
    server = createServer(async (request, response) => {
      let body = ''
      for await (const part of request) body += part
      const signature = String(request.headers['stripe-signature'])
      received.push({ body, signature, event: JSON.parse(body), at: performance.now() })
      response.writeHead(statuses.shift() ?? 200).end()
    })
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
    hook = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
  })

  beforeEach(async () => {
    received = []
    statuses = []
    bank = await listen({ webhooks: [{ url: hook, secret }], retries: [5, 10] })
    stripe = new Stripe(bank.key, { ...bank.connection, maxNetworkRetries: 0 })
  })

  afterEach(() => bank.close())

  after(() => {
    server.closeAllConnections()
    server.close()
  })

  async function pay(fields = card()): Promise<Stripe.Checkout.Session> {
    const session = await stripe.checkout.sessions.create({
      mode: 'payment',
      success_url: 'https://shop.example/return',
      line_items: [{ price_data: { currency: 'eur', unit_amount: 5_000, product_data: { name: 'Invoice 7' } } }],
      metadata: { invoice: '7' },
    })
    await postForm(session.url!, fields)
    return session
  }

  const types = () => received.map(({ event }) => event.type)
  const completed = () => received.filter(({ event }) => event.type === 'checkout.session.completed')

  it('are signed so that the official package accepts them, and nothing else', async () => {
    const session = await pay()
    await bank.webhooks.idle()
    const [{ body, signature }] = completed() as [Received]
    const event = stripe.webhooks.constructEvent(body, signature, secret)
    expect(event).to.include({ object: 'event', type: 'checkout.session.completed', livemode: false })
    expect(event.api_version).to.equal('2026-10-28.endive')
    expect(event.data.object).to.deep.include({ id: session.id, payment_status: 'paid', metadata: { invoice: '7' } })
    expect(() => stripe.webhooks.constructEvent(body, signature, 'whsec_other')).to.throw('No signatures found')
    expect(() => stripe.webhooks.constructEvent(body.replace('5000', '1'), signature, secret)).to.throw(
      'No signatures found',
    )
  })

  it('bring the object as it was at that moment, and name the request that caused it', async () => {
    const { id } = await pay()
    const intent = String((await stripe.checkout.sessions.retrieve(id)).payment_intent)
    const refund = await stripe.refunds.create({ payment_intent: intent }, { idempotencyKey: 'refund-7' })
    await bank.webhooks.idle()
    const of = (type: string) => received.find(({ event }) => event.type === type)!.event
    expect(of('charge.succeeded').data.object).to.include({ amount_refunded: 0, refunded: false })
    expect(of('charge.refunded').data.object).to.include({ amount_refunded: 5_000, refunded: true })
    expect(of('charge.refunded').request).to.deep.equal({
      id: refund.lastResponse.requestId,
      idempotency_key: 'refund-7',
    })
    expect(of('charge.succeeded').request).to.deep.equal({ id: null, idempotency_key: null })
  })

  it('are tried again after anything but 2xx, and then given up', async () => {
    const { data } = await stripe.webhookEndpoints.list()
    await stripe.webhookEndpoints.update(data[0]!.id, { enabled_events: ['checkout.session.completed'] })
    statuses = [500, 302]
    await pay()
    await bank.webhooks.idle()
    expect(bank.webhooks.tries().map(({ status }) => status)).to.deep.equal([500, 302, 200])
    expect(new Set(received.map(({ event }) => event.id)).size).to.equal(1)
    expect(bank.events('checkout.session.completed')[0]?.pending_webhooks).to.equal(0)
    statuses = [500, 500, 500]
    await pay()
    await bank.webhooks.idle()
    expect(bank.webhooks.tries()).to.have.length(6)
    expect(bank.state.deliveries).to.deep.equal([])
  })

  it('go to endpoints of the API too, only with the events they want, signed with their own secret', async () => {
    const endpoint = await stripe.webhookEndpoints.create({
      url: `${hook}?second`,
      enabled_events: ['charge.succeeded'],
    })
    await pay()
    await bank.webhooks.idle()
    const charges = received.filter(({ event }) => event.type === 'charge.succeeded')
    expect(charges).to.have.length(2)
    const accepted = charges.filter(({ body, signature }) => {
      try {
        return stripe.webhooks.constructEvent(body, signature, endpoint.secret!)
      } catch {
        return false
      }
    })
    expect(accepted).to.have.length(1)
    expect(completed()).to.have.length(1)
  })

  it('can be held, and released in another order', async () => {
    bank.webhooks.hold()
    await pay()
    await bank.webhooks.idle()
    expect(received).to.deep.equal([])
    const order = ['checkout.session.completed', 'charge.succeeded'].map(type => bank.events(type)[0]!.id)
    await bank.webhooks.release(order)
    await bank.webhooks.idle()
    expect(types().slice(0, 2)).to.deep.equal(['checkout.session.completed', 'charge.succeeded'])
    expect(types()).to.include('payment_intent.succeeded')
    expect(received).to.have.length(bank.events().length)
  })

  it('can be reversed, repeated, delayed and sent again', async () => {
    bank.webhooks.hold()
    await pay()
    await bank.webhooks.release('reverse')
    expect(types()).to.deep.equal(
      bank
        .events()
        .map(each => each.type)
        .toReversed(),
    )
    received = []
    bank.webhooks.repeat(3)
    bank.webhooks.delay(200)
    const began = performance.now()
    await pay()
    await bank.webhooks.idle()
    expect(received[0]!.at - began).to.be.above(190)
    expect(completed()).to.have.length(3)
    const [again] = await bank.webhooks.send(completed()[0]!.event.id)
    expect(again?.status).to.equal(200)
    expect(completed()).to.have.length(4)
  })

  it('tell of a debit that settles on its own, with nobody asking', async () => {
    await bank.close()
    bank = await listen({ webhooks: [{ url: hook, secret }], debitAfter: 30 })
    stripe = new Stripe(bank.key, { ...bank.connection, maxNetworkRetries: 0 })
    await pay(debit())
    await until(() => types().includes('checkout.session.async_payment_succeeded'))
    expect(completed()[0]?.event.data.object).to.include({ payment_status: 'unpaid' })
    expect(types()).to.include.members(['charge.pending', 'payment_intent.processing', 'charge.succeeded'])
  })

  it('can be signed wrongly or long ago', async () => {
    await pay()
    await bank.webhooks.idle()
    const { id } = completed()[0]!.event
    await bank.webhooks.send(id, { signedAt: Math.floor(Date.now() / 1000) - 301 })
    const old = received.at(-1)!
    expect(() => stripe.webhooks.constructEvent(old.body, old.signature, secret)).to.throw('tolerance')
    await bank.webhooks.send(id, { secret: 'whsec_wrong' })
    const wrong = received.at(-1)!
    expect(() => stripe.webhooks.constructEvent(wrong.body, wrong.signature, secret)).to.throw('No signatures found')
  })
})
