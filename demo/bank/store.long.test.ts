import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import Stripe from 'stripe'
import { card, debit, getPage, postForm } from './browser.ts'
import { type ListeningBank, listen } from './listen.ts'

describe('What the demo bank keeps', () => {
  let directory: string
  let store: string
  const open: ListeningBank[] = []

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'bank '))
    store = join(directory, 'data', 'bank.json')
  })

  afterEach(async () => {
    await Promise.all(open.splice(0).map(bank => bank.close()))
    await rm(directory, { recursive: true, force: true })
  })

  async function start(options: Parameters<typeof listen>[0] = {}) {
    const bank = await listen({ store, ...options })
    open.push(bank)
    return { bank, stripe: new Stripe(bank.key, { ...bank.connection, maxNetworkRetries: 0 }) }
  }

  const params = (expires_at?: number): Stripe.Checkout.SessionCreateParams => ({
    mode: 'payment',
    success_url: 'https://shop.example/return',
    line_items: [{ price_data: { currency: 'eur', unit_amount: 5_000, product_data: { name: 'Invoice 7' } } }],
    ...(expires_at && { expires_at }),
  })

  it('survives a restart: payments, answers to keys, and notifications that were not sent', async () => {
    const first = await start()
    const { id, url } = await first.stripe.checkout.sessions.create(params(), { idempotencyKey: 'key' })
    first.bank.webhooks.hold()
    await postForm(url!, debit())
    await first.bank.close()
    const second = await start()
    expect(second.bank.state.held).to.equal(true)
    const session = await second.stripe.checkout.sessions.retrieve(id)
    expect([session.status, session.payment_status]).to.deep.equal(['complete', 'unpaid'])
    const again = await second.stripe.checkout.sessions.create(params(), { idempotencyKey: 'key' })
    expect(again.id).to.equal(id)
    second.bank.payments.settle(id)
    expect((await second.stripe.checkout.sessions.retrieve(id)).payment_status).to.equal('paid')
  })

  it('is written before the answer, so that a crash loses nothing that was said', async () => {
    const { stripe } = await start()
    const session = await stripe.checkout.sessions.create(params(), { idempotencyKey: 'key' })
    await cp(store, join(directory, 'after-create.json'))
    await postForm(session.url!, card())
    await cp(store, join(directory, 'after-pay.json'))
    const created = await start({ store: join(directory, 'after-create.json') })
    expect((await created.stripe.checkout.sessions.retrieve(session.id)).status).to.equal('open')
    const again = await created.stripe.checkout.sessions.create(params(), { idempotencyKey: 'key' })
    expect(again.id).to.equal(session.id)
    const paid = await start({ store: join(directory, 'after-pay.json') })
    expect((await paid.stripe.checkout.sessions.retrieve(session.id)).payment_status).to.equal('paid')
  })

  it('is a whole file at every moment, also with many requests at once', async () => {
    const { stripe } = await start()
    const many = Array.from({ length: 20 }, () => stripe.checkout.sessions.create(params()))
    const seen = Promise.all(many.map(async each => [(await each).id, await readFile(store, 'utf8')] as const))
    for (const [id, text] of await seen) expect(JSON.parse(text).sessions).to.have.property(id)
  })

  it('has all that was answered when the process is killed', async () => {
    const code = `
      import { listen } from ${JSON.stringify(new URL('listen.ts', import.meta.url).href)}
      const { port } = await listen({ store: process.argv[1] })
      console.log(port)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', code, store], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [printed] = await once(child.stdout, 'data')
    const connection = { host: '127.0.0.1', port: Number(printed), protocol: 'http', maxNetworkRetries: 0 } as const
    const stripe = new Stripe('sk_test_demo_bank', connection)
    const answered: string[] = []
    const some = Promise.withResolvers<void>()
    const many = Array.from({ length: 60 }, async () => {
      answered.push((await stripe.checkout.sessions.create(params())).id)
      if (answered.length === 10) some.resolve()
    })
    await some.promise
    child.kill('SIGKILL')
    await Promise.allSettled(many)
    const { bank } = await start()
    expect(Object.keys(bank.state.sessions)).to.include.members(answered)
  })

  it('is refused at start when the file is damaged', async () => {
    const { bank } = await start()
    await bank.close()
    await writeFile(store, '{"sessions":')
    await listen({ store }).then(
      () => expect.fail('started'),
      error => expect(error).to.be.instanceOf(SyntaxError),
    )
  })

  it('expires and settles by its clock', async () => {
    let now = Date.parse('2026-11-21T08:00:00Z')
    const { bank, stripe } = await start({ now: () => now, debitAfter: 60_000 })
    const soon = await stripe.checkout.sessions.create(params(now / 1000 + 1_800))
    const good = await stripe.checkout.sessions.create(params())
    const bad = await stripe.checkout.sessions.create(params())
    await postForm(good.url!, debit())
    await postForm(bad.url!, debit('DE62 3704 0044 0532 0130 01'))
    now += 60_000
    expect((await stripe.checkout.sessions.retrieve(good.id)).payment_status).to.equal('paid')
    expect((await stripe.checkout.sessions.retrieve(bad.id)).payment_status).to.equal('unpaid')
    expect(bank.events('checkout.session.async_payment_failed')).to.have.length(1)
    now += 1_800_000
    expect((await getPage(soon.url!)).text).to.include('has expired')
    expect(bank.events('checkout.session.expired')).to.have.length(1)
  })
})
