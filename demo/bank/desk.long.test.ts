import { expect } from 'chai'
import Stripe from 'stripe'
import { card, debit, getPage, postForm } from './browser.ts'
import { type ListeningBank, listen } from './listen.ts'

describe("The demo bank's desk", () => {
  let bank: ListeningBank
  let stripe: Stripe
  let desk: string

  before(async () => {
    bank = await listen({ merchant: 'Brightside Agency', webhooks: [{ url: 'http://127.0.0.1:9/hook' }], retries: [] })
    stripe = new Stripe(bank.key, { ...bank.connection, maxNetworkRetries: 0 })
    desk = `${bank.address}/-/bank`
  })

  after(() => bank.close())

  async function paid(fields: Record<string, string>, name = 'Invoice 7'): Promise<string> {
    const { id, url } = await stripe.checkout.sessions.create({
      mode: 'payment',
      success_url: 'https://shop.example/return',
      line_items: [{ price_data: { currency: 'eur', unit_amount: 10_000, product_data: { name } } }],
    })
    await postForm(url!, fields)
    return id
  }

  const act = (id: string, fields: Record<string, string>) => postForm(`${desk}/payments/${id}`, fields)

  /** What the desk shows of a payment, as text. */
  async function shown(id: string): Promise<string> {
    const { text } = await getPage(desk)
    const [, article = ''] = text.split(`<article id="${id}">`)
    return article
      .split('</article>')[0]!
      .replaceAll(/<[^>]+>/g, ' ')
      .replaceAll(/\s+/g, ' ')
  }

  it('says that there is nothing yet, and then shows the newest payment first', async () => {
    expect((await getPage(desk)).text).to.include('No payments yet')
    const first = await paid(card())
    const second = await paid(card(), 'Invoice <8>')
    const { text } = await getPage(desk)
    expect(text.indexOf(second)).to.be.lessThan(text.indexOf(first))
    expect(text).to.include('Invoice &lt;8&gt;')
    expect(text).not.to.include('<script')
    expect(await shown(first)).to.include('€100.00 Paid')
  })

  it('refunds a part and then the rest', async () => {
    const id = await paid(card())
    const { status, location } = await act(id, { action: 'refund', amount: '12.50' })
    expect([status, location]).to.deep.equal([303, `/-/bank#${id}`])
    expect(await shown(id))
      .to.include('Partly refunded')
      .and.to.include('€12.50 refunded')
    expect((await act(id, { action: 'refund', amount: '0' })).status).to.equal(400)
    expect((await act(id, { action: 'refund', amount: '87.51' })).text).to.include('is greater than')
    await act(id, { action: 'refund', amount: '87.5' })
    expect(await shown(id)).to.include('€100.00 Refunded')
  })

  it('settles a debit, and lets another fail', async () => {
    const [good, bad] = [await paid(debit()), await paid(debit())]
    expect(await shown(good)).to.include('Debit under way')
    await act(good, { action: 'settle' })
    await act(bad, { action: 'fail' })
    expect(await shown(good)).to.include('Paid')
    expect(await shown(bad)).to.include('Failed')
    expect((await act(good, { action: 'settle' })).status).to.equal(400)
  })

  it('disputes, and wins or loses', async () => {
    const [won, lost] = [await paid(card()), await paid(card())]
    await act(won, { action: 'dispute' })
    await act(lost, { action: 'dispute' })
    expect(await shown(won)).to.include('Win the dispute')
    await act(won, { action: 'win' })
    await act(lost, { action: 'lose' })
    expect(await shown(won)).to.include('Dispute won')
    expect(await shown(lost)).to.include('Dispute lost')
  })

  it('holds notifications, and sends them', async () => {
    await bank.webhooks.idle()
    const before = bank.webhooks.tries().length
    await postForm(`${desk}/webhooks`, { action: 'hold' })
    await paid(card())
    await bank.webhooks.idle()
    expect(bank.webhooks.tries()).to.have.length(before)
    expect((await getPage(desk)).text).to.include('Notifications are held')
    await postForm(`${desk}/webhooks`, { action: 'release' })
    expect(bank.webhooks.tries().length).to.be.greaterThan(before)
    expect((await getPage(desk)).text).to.include('Notifications are sent')
    const [event] = bank.events('checkout.session.completed')
    await postForm(`${desk}/events/${event!.id}`, {})
    expect(bank.webhooks.tries().at(-1)).to.include({ event: event!.id })
  })

  it('switches the bank off and on', async () => {
    const retrieve = () =>
      stripe.balance.retrieve().then(
        () => 'answered',
        (error: Stripe.errors.StripeError) => error.statusCode,
      )
    await postForm(`${desk}/api`, { action: 'off' })
    expect((await getPage(desk)).text).to.include('The bank is switched off')
    expect(await retrieve()).to.equal(500)
    await postForm(`${desk}/api`, { action: 'on' })
    expect(await retrieve()).to.equal('answered')
  })

  it('ignores forms from other sites, and what it does not know', async () => {
    const id = await paid(card())
    const answer = await postForm(`${desk}/payments/${id}`, { action: 'refund' }, { 'Sec-Fetch-Site': 'cross-site' })
    expect(answer.status).to.equal(403)
    expect(await shown(id)).to.include('Paid')
    expect((await act(id, { action: 'constructor' })).status).to.equal(404)
    expect((await act('cs_test_no', { action: 'settle' })).status).to.equal(404)
  })
})
