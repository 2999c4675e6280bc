import { expect } from 'chai'
import Stripe from 'stripe'
import { until } from '../../test/until.ts'
import { card, postForm } from './browser.ts'
import { type ListeningBank, listen } from './listen.ts'

describe("The demo bank's API", () => {
  let bank: ListeningBank
  let stripe: Stripe

  before(async () => {
    bank = await listen({ merchant: 'Brightside Agency' })
    stripe = new Stripe(bank.key, { ...bank.connection, maxNetworkRetries: 0 })
  })

  after(() => bank.close())

  const ending: (() => void)[] = []
  afterEach(() => {
    bank.faults.up()
    for (const end of ending.splice(0)) end()
  })

  const line = (unit_amount: number, currency = 'eur', quantity = 1) => ({
    price_data: { currency, unit_amount, product_data: { name: 'Invoice INV-7' } },
    quantity,
  })

  const params = (more: Partial<Stripe.Checkout.SessionCreateParams> = {}): Stripe.Checkout.SessionCreateParams => ({
    mode: 'payment',
    success_url: 'https://shop.example/return?session={CHECKOUT_SESSION_ID}',
    cancel_url: 'https://shop.example/invoices',
    line_items: [line(12_345)],
    ...more,
  })

  const create = (more?: Partial<Stripe.Checkout.SessionCreateParams>, options?: Stripe.RequestOptions) =>
    stripe.checkout.sessions.create(params(more), options)

  /** The error that a request ends with. */
  async function refusal(request: Promise<unknown>): Promise<Stripe.errors.StripeError> {
    const error = await request.then(
      () => undefined,
      (reason: unknown) => reason,
    )
    if (error instanceof Stripe.errors.StripeError) return error
    throw new Error('The request was not refused.', { cause: error })
  }

  const facts = ({ statusCode, rawType, code, param }: Stripe.errors.StripeError) =>
    [statusCode, rawType, code, param].join(' ')

  /** Timers of this length end when they are told to. */
  function heldTimers(milliseconds: number) {
    const { setTimeout } = globalThis
    const held: (() => void)[] = []
    const set = (done: () => void, after?: number) =>
      after === milliseconds ? held.push(done) : setTimeout(done, after)
    Object.assign(globalThis, { setTimeout: set })
    const end = () => {
      Object.assign(globalThis, { setTimeout })
      for (const it of held.splice(0)) it()
    }
    ending.push(end)
    return { held, end }
  }

  describe('answers', () => {
    it('whose account it is, and its balance', async () => {
      const account = await stripe.accounts.retrieveCurrent()
      expect(account.business_profile?.name).to.equal('Brightside Agency')
      expect(account.charges_enabled).to.equal(true)
      const balance = await stripe.balance.retrieve()
      expect(balance.available[0]).to.include({ amount: 0, currency: 'eur' })
    })

    it('a key that comes by Basic, and names the request and the version', async () => {
      const Authorization = `Basic ${Buffer.from(`${bank.key}:`).toString('base64')}`
      const headers = { Authorization, 'Stripe-Version': '2026-08-26.dahlia', 'Stripe-Account': 'acct_1' }
      const answer = await fetch(`${bank.address}/v1/balance`, { headers })
      expect(answer.status).to.equal(200)
      expect(answer.headers.get('Request-Id')).to.match(/^req_/)
      expect(answer.headers.get('Stripe-Version')).to.equal('2026-08-26.dahlia')
      const wrong = await fetch(`${bank.address}/v1/balance`, { headers: { ...headers, 'Stripe-Version': 'new' } })
      expect(wrong.status).to.equal(400)
    })

    it('a new session as Stripe does: open, unpaid, without a payment intent, for a day', async () => {
      const session = await create({
        line_items: [line(10_000), line(150, 'eur', 3)],
        client_reference_id: 'payment-1',
        metadata: { workspace: 'brightside' },
        customer_email: 'ada@client.example',
      })
      expect(session).to.deep.include({
        object: 'checkout.session',
        amount_total: 10_450,
        currency: 'eur',
        client_reference_id: 'payment-1',
        metadata: { workspace: 'brightside' },
        mode: 'payment',
        payment_intent: null,
        payment_method_types: ['card', 'sepa_debit'],
        payment_status: 'unpaid',
        status: 'open',
        livemode: false,
      })
      expect(session.id).to.match(/^cs_test_/)
      expect(session.expires_at - session.created).to.equal(24 * 3600)
      expect(session.url).to.equal(`${bank.address}/-/bank/checkout/${session.id}`)
    })

    it('a session for cards only', async () => {
      const { payment_method_types } = await create({ allowed_payment_method_types: ['card', 'paypal'] })
      expect(payment_method_types).to.deep.equal(['card'])
    })

    it('its lines, expanded or as a list', async () => {
      const { id } = await create({ line_items: [line(10_000), line(150, 'eur', 3)] })
      const session = await stripe.checkout.sessions.retrieve(id, { expand: ['line_items'] })
      const listed = await stripe.checkout.sessions.listLineItems(id)
      const amounts = (items: Stripe.LineItem[] = []) => items.map(each => [each.amount_total, each.quantity])
      expect(amounts(session.line_items?.data)).to.deep.equal([
        [10_000, 1],
        [450, 3],
      ])
      expect(amounts(listed.data)).to.deep.equal(amounts(session.line_items?.data))
    })

    it('pages of a list, newest first, forwards and backwards', async () => {
      const customers = []
      for (const name of ['a', 'b', 'c', 'd', 'e']) customers.push(await stripe.customers.create({ name }))
      const first = await stripe.customers.list({ limit: 2 })
      expect(first.data.map(each => each.name)).to.deep.equal(['e', 'd'])
      expect(first.has_more).to.equal(true)
      const second = await stripe.customers.list({ limit: 2, starting_after: first.data[1]!.id })
      expect(second.data.map(each => each.name)).to.deep.equal(['c', 'b'])
      const back = await stripe.customers.list({ limit: 1, ending_before: customers[1]!.id })
      expect(back.data.map(each => each.name)).to.deep.equal(['c'])
      const all = await stripe.customers.list({ limit: 2 }).autoPagingToArray({ limit: 100 })
      expect(all.map(each => each.name).slice(0, 5)).to.deep.equal(['e', 'd', 'c', 'b', 'a'])
    })

    it('a customer that was updated: metadata is merged, an empty text clears', async () => {
      const customer = await stripe.customers.create({ name: 'Ada', phone: '1', metadata: { a: '1', b: '2' } })
      const updated = await stripe.customers.update(customer.id, { phone: '', metadata: { a: '', c: '3' } })
      expect(updated).to.deep.include({ name: 'Ada', phone: null, metadata: { b: '2', c: '3' } })
    })
  })

  describe('counts in the smallest unit of', () => {
    const total = async (amount: number, currency: string) =>
      (await create({ line_items: [line(amount, currency)] })).amount_total

    it('currencies with 0, 2 and 3 decimals', async () => {
      expect(await total(500, 'jpy')).to.equal(500)
      expect(await total(500, 'eur')).to.equal(500)
      expect(await total(5_010, 'kwd')).to.equal(5_010)
      expect(facts(await refusal(total(5_011, 'kwd')))).to.include('parameter_invalid_integer')
      expect(facts(await refusal(total(550, 'isk')))).to.include('parameter_invalid_integer')
    })

    it('and refuses what is too small or too large', async () => {
      expect(facts(await refusal(total(49, 'eur')))).to.include('400 invalid_request_error amount_too_small')
      expect(facts(await refusal(total(0, 'eur')))).to.include('amount_too_small')
      expect(await total(50, 'eur')).to.equal(50)
      expect(await total(99_999_999, 'eur')).to.equal(99_999_999)
      expect(facts(await refusal(total(100_000_000, 'eur')))).to.include('amount_too_large')
    })
  })

  describe('refuses', () => {
    const post = (body: string) =>
      fetch(`${bank.address}/v1/checkout/sessions`, {
        method: 'POST',
        body,
        headers: { Authorization: `Bearer ${bank.key}`, 'Content-Type': 'application/x-www-form-urlencoded' },
      })

    it('a wrong key, and none, with 401', async () => {
      const wrong = new Stripe('sk_test_wrong_key_1234', { ...bank.connection, maxNetworkRetries: 0 })
      const error = await refusal(wrong.balance.retrieve())
      expect(error).to.be.instanceOf(Stripe.errors.StripeAuthenticationError)
      expect(error.message).to.equal('Invalid API Key provided: sk_test_**********1234')
      expect((await fetch(`${bank.address}/v1/balance`)).status).to.equal(401)
    })

    it('bodies that are no form', async () => {
      const headers = { Authorization: `Bearer ${bank.key}`, 'Content-Type': 'application/json' }
      const answer = await fetch(`${bank.address}/v1/customers`, { method: 'POST', headers, body: '{}' })
      expect([answer.status, await answer.text()].join(' ')).to.match(/^400 .*"invalid_request_error"/s)
      const large = await fetch(`${bank.address}/v1/customers`, {
        method: 'POST',
        headers,
        body: 'x'.repeat(2_000_000),
      })
      expect([large.status, await large.text()].join(' ')).to.match(/^400 .*"invalid_request_error"/s)
    })

    it('unknown, missing, empty and malformed parameters by name', async () => {
      const hosted = 'mode=payment&success_url=https://a.example'
      const euros = 'line_items[0][price_data][currency]=eur&line_items[0][price_data]'
      const expectation: [string, string, string][] = [
        ['mode=payment', 'parameter_missing', 'success_url'],
        ['colour=red', 'parameter_unknown', 'colour'],
        ['mode=payment&success_url=nowhere', 'url_invalid', 'success_url'],
        [`${hosted}&customer=`, 'parameter_invalid_empty', 'customer'],
        [`${hosted}`, 'parameter_missing', 'line_items'],
        [`${hosted}&${euros}[unit_amount]=1e21`, 'parameter_invalid_integer', 'line_items[0][price_data][unit_amount]'],
        [`${hosted}&${euros}[unit_amount]=-5`, 'parameter_invalid_integer', 'line_items[0][price_data][unit_amount]'],
      ]
      for (const [body, code, param] of expectation) {
        const response = await post(body)
        const { error } = (await response.json()) as { error: { code: string } }
        expect(error).to.include({ type: 'invalid_request_error', param })
        expect([response.status, error.code]).to.deep.equal([400, code])
      }
    })

    it('a mode and a method that are not there', async () => {
      expect((await refusal(create({ mode: 'later' as 'payment' }))).message).to.equal(
        'Invalid mode: must be one of payment, setup, or subscription',
      )
      const none = create({ allowed_payment_method_types: ['ideal'] })
      expect((await refusal(none)).message).to.include('No valid payment method types')
      const debit = create({ allowed_payment_method_types: ['sepa_debit'], line_items: [line(500, 'usd')] })
      expect(facts(await refusal(debit))).to.include('allowed_payment_method_types')
    })

    it('static lists of methods, except in older versions of the API', async () => {
      const old = { ...params(), payment_method_types: ['card', 'ideal'] } as Stripe.Checkout.SessionCreateParams
      expect(facts(await refusal(stripe.checkout.sessions.create(old)))).to.include('parameter_unknown')
      const options = { apiVersion: '2026-08-26.dahlia' }
      const error = await refusal(stripe.checkout.sessions.create(old, options))
      expect(error.message).to.match(/^The payment method type provided: ideal is invalid/)
    })

    it('what is not there: 404 by address, 400 by parameter', async () => {
      expect(facts(await refusal(stripe.checkout.sessions.retrieve('cs_test_no')))).to.equal(
        '404 invalid_request_error resource_missing session',
      )
      expect(facts(await refusal(create({ customer: 'cus_no' })))).to.equal(
        '400 invalid_request_error resource_missing customer',
      )
      const response = await fetch(`${bank.address}/v1/rockets`, { headers: { Authorization: `Bearer ${bank.key}` } })
      expect(response.status).to.equal(404)
    })

    it('an expiry under 30 minutes or over 24 hours', async () => {
      const now = Math.floor(Date.now() / 1000)
      expect((await refusal(create({ expires_at: now + 600 }))).message).to.include('at least 30 minutes')
      expect((await refusal(create({ expires_at: now + 90_000 }))).message).to.include('less than 24 hours')
      expect((await create({ expires_at: now + 3_600 })).expires_at).to.equal(now + 3_600)
    })

    it('to expand what cannot be expanded', async () => {
      const { id } = await create()
      const error = await refusal(stripe.checkout.sessions.retrieve(id, { expand: ['colour'] }))
      expect(error.message).to.equal('This property cannot be expanded (colour).')
    })
  })

  describe('repeats an answer for an idempotency key', () => {
    it('with the same object, and says so', async () => {
      const first = await create({}, { idempotencyKey: 'key-1' })
      const second = await create({}, { idempotencyKey: 'key-1' })
      expect(second.id).to.equal(first.id)
      expect(second.lastResponse.headers).to.include({
        'idempotent-replayed': 'true',
        'original-request': first.lastResponse.requestId,
      })
      expect(first.lastResponse.headers).not.to.have.property('idempotent-replayed')
    })

    it('but not for other parameters or another endpoint', async () => {
      await create({}, { idempotencyKey: 'key-2' })
      const other = await refusal(create({ client_reference_id: 'x' }, { idempotencyKey: 'key-2' }))
      expect(other).to.be.instanceOf(Stripe.errors.StripeIdempotencyError)
      expect(other.message).to.include('can only be used with the same parameters')
      const elsewhere = await refusal(stripe.customers.create({}, { idempotencyKey: 'key-2' }))
      expect(elsewhere.message).to.include('same endpoint')
    })

    it('not before the first is answered: 409', async () => {
      const slow = heldTimers(40_000)
      bank.faults.down('slow', { wait: 40_000, times: 1 })
      const first = create({}, { idempotencyKey: 'key-3' })
      await until(() => slow.held.length)
      const error = await refusal(create({}, { idempotencyKey: 'key-3' }))
      expect([error.statusCode, error.code]).to.deep.equal([409, 'idempotency_key_in_use'])
      slow.end()
      const { id } = await first
      expect((await create({}, { idempotencyKey: 'key-3' })).id).to.equal(id)
    })

    it('not where the parameters were wrong: then the key is free', async () => {
      await refusal(create({ mode: 'later' as 'payment' }, { idempotencyKey: 'key-4' }))
      expect((await create({}, { idempotencyKey: 'key-4' })).status).to.equal('open')
    })

    it('even if it was a 500 from within the work', async () => {
      bank.faults.down('failed', { times: 1 })
      expect((await refusal(create({}, { idempotencyKey: 'key-5' }))).statusCode).to.equal(500)
      const again = await refusal(create({}, { idempotencyKey: 'key-5' }))
      expect(again.statusCode).to.equal(500)
      expect(again.headers).to.include({ 'idempotent-replayed': 'true' })
      expect((await create({}, { idempotencyKey: 'key-6' })).status).to.equal('open')
    })

    it('when the connection broke after the work was done', async () => {
      const before = Object.keys(bank.state.sessions).length
      bank.faults.down('lost', { times: 1 })
      const session = await create()
      expect(session.lastResponse.headers).to.include({ 'idempotent-replayed': 'true' })
      expect(Object.keys(bank.state.sessions)).to.have.length(before + 1)
    })
  })

  describe('can be out of order', () => {
    it('with 500, 429, broken and refused connections', async () => {
      bank.faults.down('error')
      expect(await refusal(stripe.balance.retrieve())).to.be.instanceOf(Stripe.errors.StripeAPIError)
      bank.faults.down('busy')
      expect(await refusal(stripe.balance.retrieve())).to.be.instanceOf(Stripe.errors.StripeRateLimitError)
      bank.faults.down('reset')
      expect(await refusal(stripe.balance.retrieve())).to.be.instanceOf(Stripe.errors.StripeConnectionError)
      bank.faults.up()
      await bank.stop()
      expect(await refusal(stripe.balance.retrieve())).to.be.instanceOf(Stripe.errors.StripeConnectionError)
      await bank.start()
      expect((await stripe.balance.retrieve()).object).to.equal('balance')
    })

    it('so slow that a client gives up', async () => {
      bank.faults.down('slow', { wait: 100 })
      const error = await refusal(stripe.balance.retrieve({}, { timeout: 20 }))
      expect(error.message).to.include('timeout')
    })
  })

  describe('keeps webhook endpoints', () => {
    it('and shows the secret only once', async () => {
      const made = await stripe.webhookEndpoints.create({ url: 'http://127.0.0.1:9/hook', enabled_events: ['*'] })
      expect(made.secret).to.match(/^whsec_/)
      const [listed] = (await stripe.webhookEndpoints.list()).data
      expect(listed).not.to.have.property('secret')
      const updated = await stripe.webhookEndpoints.update(made.id, { disabled: true })
      expect(updated.status).to.equal('disabled')
      expect((await stripe.webhookEndpoints.del(made.id)).deleted).to.equal(true)
      expect(facts(await refusal(stripe.webhookEndpoints.retrieve(made.id)))).to.include('resource_missing')
    })
  })

  it('expires an open session, and only that', async () => {
    const open = await create()
    const expired = await stripe.checkout.sessions.expire(open.id)
    expect([expired.status, expired.url]).to.deep.equal(['expired', null])
    const error = await refusal(stripe.checkout.sessions.expire(open.id))
    expect(error.message).to.include('This Checkout Session has a status of `expired`')
    const paid = await create()
    await postForm(paid.url!, card())
    expect((await refusal(stripe.checkout.sessions.expire(paid.id))).message).to.include('`complete`')
  })

  it('lists events by type and time', async () => {
    const types = ['customer.created', 'checkout.session.expired']
    await stripe.customers.create()
    await stripe.checkout.sessions.expire((await create()).id)
    const events = await stripe.events.list({ types, created: { gte: 1 }, limit: 100 })
    expect(new Set(events.data.map(each => each.type))).to.deep.equal(new Set(types))
    const [newest] = events.data
    const older = await stripe.events.list({ types, starting_after: newest!.id, limit: 1 })
    expect(older.data[0]!.id).to.equal(events.data[1]!.id)
    const newer = await stripe.events.list({ types, ending_before: older.data[0]!.id })
    expect(newer.data.map(each => each.id)).to.deep.equal([newest!.id])
    const later = await stripe.events.list({ created: { gt: Math.ceil(Date.now() / 1000) } })
    expect(later.data).to.deep.equal([])
  })
})
