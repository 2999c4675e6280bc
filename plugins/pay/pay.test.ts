// @adapter code: the demo’s map books no payments.
import { expect } from 'chai'
import fc from 'fast-check'
import { writingMap } from '../../demo/adapter/map.ts'
import { card, debit } from '../../demo/bank/browser.ts'
import { adapterOf } from '../../src/index.ts'
import { sent } from '../../src/platform/database.ts'
import { fresh } from '../../test/database.ts'
import { area, closeCounters, counter, settingsIn } from '../../test/pay.ts'
import { until } from '../../test/until.ts'
import { leave, type Visitor } from '../../test/visit.ts'
import { fromMinor, toMinor } from './providers/stripe.ts'
import { amountIn } from './starting.ts'

/** One that is overdue, and one that is not. */
const [late, next] = ['2026-0112', '2026-0119']

describe('a payment', () => {
  afterEach(async () => {
    await closeCounters()
    await leave()
  })

  it('goes to the bank and back, is booked in the CRM once, and leaves a receipt', async () => {
    const { scene, bank, nadia, admin, due, begin, pay, row, invoice, settled } = await counter()
    const { key, id: document, left } = await due(late)
    expect(await nadia.get('/pay')).to.show('What do you want to pay?', late)
    expect(await nadia.get(`/invoices/${document}`)).to.show('Pay now')
    const { id, url } = await begin(nadia, { document: key })
    expect(await nadia.get(`/pay/${id}?stopped`)).to.show('You stopped', 'Nothing was taken.')
    await pay(url)
    expect(await nadia.get(`/pay/${id}?returned`)).to.show('Paid. Thank you, Nadia.', late)
    await until(async () => (await row(id)).booking === 'booked')
    await settled()
    expect(await invoice(document)).to.include({ state: 'paid', balance: '0.00' })
    const booked = await scene.owner('payments').where({ invoice_id: document })
    expect(booked.map(it => [it.amount, it.method, it.payer])).to.deep.equal([[left, 'card', nadia.person!.name]])
    expect(booked[0].reference).to.equal((await row(id)).charge)
    const mail = await scene.mailTo(nadia.person!.email, 'Your payment of €3,872.00 has arrived')
    expect(scene.mails.filter(it => it.subject === mail.subject)).to.have.length(1)
    const receipt = await nadia.get(`/pay/${id}/pdf`)
    expect(receipt.headers['content-type']).to.equal('application/pdf')
    for (const event of bank.events()) await bank.webhooks.send(event.id)
    await settled()
    expect(await scene.owner('payments').where({ invoice_id: document })).to.have.length(1)
    const told = await scene.owner('portal.client_activity_logs').whereLike('event', 'pay.%').orderBy('id')
    expect(told.map(it => it.event)).to.deep.equal(['pay.started', 'pay.paid', 'pay.booked', 'pay.downloaded'])
    for (const page of [await nadia.get('/activity'), await admin.at('/settings/client-portal/activity')])
      expect(page).to.show(`paid €3,872.00 for ${late}`).and.not.show('[object')
  })

  it('is of several documents and of parts, to the cent', async () => {
    const { nadia, due, begin, pay, row, invoice, settled } = await counter()
    const [one, other] = [await due(late), await due(next)]
    const form = { document: [one.key, other.key], [`part.${one.key}`]: '1,000.55' }
    const { id, url } = await begin(nadia, form)
    await pay(url)
    await until(async () => (await row(id)).booking === 'booked')
    await settled()
    expect((await row(id)).amount).to.equal('1182.05')
    expect(await invoice(one.id)).to.include({ state: 'partial', balance: '2871.45' })
    expect(await invoice(other.id)).to.include({ state: 'paid', balance: '0.00' })
  })

  it('is refused for what nobody may pay, with what was typed', async () => {
    const { scene, nadia, due, admin } = await counter()
    const { key, left } = await due(late)
    const dollars = (await nadia.api('/invoices?search=2026-0124')).body.items[0]
    const theirs = await scene
      .owner('invoices as i')
      .join('clients as c', 'c.id', 'i.client_id')
      .where({ 'c.company_name': 'Halloran & Sons' })
      .where('i.balance', '>', 0)
      .first('i.id')
    const refusals: [object, number, string][] = [
      [{}, 422, 'Choose what you want to pay.'],
      [{ document: key, method: 'cheque' }, 422, 'Choose how you want to pay.'],
      [{ document: `invoices/${theirs.id}` }, 404, 'Page not found'],
      [{ document: 'proposals/1' }, 404, 'Page not found'],
      [{ document: 'invoices/1e9' }, 404, 'Page not found'],
      ...['0', '-5', '1e21', '0.001', 'NaN', '99999999999', '5'].map((it): [object, number, string] => [
        { document: key, [`part.${key}`]: it },
        422,
        'What you entered is still here.',
      ]),
      [{ document: key, [`open.${key}`]: '1.00' }, 409, 'The amount has changed.'],
      [{ document: key, [`open.${key}`]: 'x' }, 409, 'The amount has changed.'],
    ]
    if (dollars) refusals.push([{ document: [key, `invoices/${dollars.id}`] }, 422, 'Pay one currency at a time.'])
    for (const [form, status, sentence] of refusals) {
      const answer = await nadia.post('/pay', { method: 'stripe', ...form })
      expect(answer.status, JSON.stringify(form)).to.equal(status)
      expect(answer).to.show(sentence)
    }
    expect(await nadia.post('/pay', { method: 'stripe', document: key, [`part.${key}`]: '7' })).to.show('value="7"')
    expect(await scene.owner('portal.client_payments')).to.have.length(0)
    expect(Number(left)).to.be.above(0)
    const was = await settingsIn(admin)
    await admin.postAt(`${area}/setup`, { 'was.settings': was, transfer: 'on', minimum: '10', fee: '0' })
    expect(await nadia.get('/pay')).to.not.show('Pay a part of it')
  })

  it('is for those whose role may, of their own company alone', async () => {
    const { scene, nadia, due, begin, payAll } = await counter()
    const { key } = await due(next)
    const viewer = await scene.visit('viewer')
    expect((await viewer.get('/pay')).status).to.equal(403)
    expect((await viewer.post('/pay', { document: key, method: 'transfer' })).status).to.equal(403)
    const { id } = await begin(nadia, { document: key })
    expect((await viewer.get(`/pay/${id}`)).status).to.equal(403)
    expect((await (await scene.visit('billing')).get(`/pay/${id}`)).status).to.equal(200)
    const paid = await payAll(late)
    const colleague = await scene.visit('colleague')
    for (const who of [await scene.visit('neighbour'), await scene.visit('stranger')] as Visitor[]) {
      for (const it of [id, paid]) {
        expect((await who.get(`/pay/${it}`)).status).to.equal(404)
        expect((await who.get(`/pay/${it}/pdf`)).status).to.equal(404)
        expect((await who.post(`/pay/${it}/cancellation`)).status).to.equal(404)
      }
    }
    expect((await colleague.at(`${area}/${paid}`)).status).to.equal(403)
    expect((await colleague.postAt(`${area}/${paid}/refund`, {})).status).to.equal(403)
  })

  it('counts by what the bank says, not by who told it, how often or in which order', async () => {
    const { scene, bank, nadia, due, begin, pay, row, settled } = await counter()
    bank.webhooks.hold()
    const { key } = await due(late)
    const { id, url } = await begin(nadia, { document: key })
    await pay(url)
    expect((await row(id)).state).to.equal('started')
    await bank.webhooks.release('reverse')
    await settled()
    expect(await row(id)).to.include({ state: 'paid', booking: 'booked' })
    const other = await due(next)
    const second = await begin(nadia, { document: other.key })
    const [event] = bank.events('checkout.session.completed')
    const tries = [
      ...(await bank.webhooks.send(event!.id, { secret: 'whsec_of_somebody_else' })),
      ...(await bank.webhooks.send(event!.id, { signedAt: Math.floor(scene.now().getTime() / 1000) - 301 })),
    ]
    expect(tries.map(it => it.status)).to.deep.equal([400, 400])
    expect((await row(second.id)).state).to.equal('started')
  })

  it('is found by asking where nobody told of it: no webhook, no return', async () => {
    const { scene, bank, nadia, due, begin, pay, row, round } = await counter()
    bank.webhooks.hold()
    const { key } = await due(late)
    const { id, url } = await begin(nadia, { document: key })
    await pay(url)
    bank.payments.refund((await row(id)).session, 100)
    await scene.pass(3)
    await round('pay.reconcile')
    expect(await row(id)).to.include({ state: 'paid', booking: 'booked', refunded: '1.00' })
  })

  it('while the portal is off gets the CRM’s own 404 for its webhook, and is caught up with later', async () => {
    let on = true
    const flags = { enabledAnywhere: () => true, enabled: () => on }
    const { scene, bank, nadia, due, begin, pay, row, round } = await counter({ flags })
    const { key } = await due(late)
    const { id, url } = await begin(nadia, { document: key })
    on = false
    await pay(url)
    await until(() => bank.webhooks.tries().some(it => it.status === 404))
    expect((await row(id)).state).to.equal('started')
    on = true
    await scene.pass(3)
    await round('pay.reconcile')
    expect(await row(id)).to.include({ state: 'paid', booking: 'booked' })
  })

  it('by debit is on its way for days, and arrives or comes back', async () => {
    const { scene, bank, nadia, due, begin, pay, row, settled } = await counter()
    const { key, id: document } = await due(late)
    const first = await begin(nadia, { document: key })
    await pay(first.url, debit())
    await until(async () => (await row(first.id)).state === 'processing')
    expect(await nadia.get(`/pay/${first.id}`)).to.show('On its way')
    expect(await nadia.get(`/invoices/${document}`))
      .to.show('is on its way from a bank')
      .and.not.show('Pay now')
    expect((await nadia.post('/pay', { method: 'stripe', document: key })).status).to.equal(409)
    bank.payments.fail(first.session)
    await until(async () => (await row(first.id)).state === 'failed')
    expect(await nadia.get(`/pay/${first.id}`)).to.show('Not paid', 'Nothing was taken.')
    await scene.mailTo(nadia.person!.email, 'Your payment of €3,872.00 did not go through')
    const again = await begin(nadia, { document: key })
    await pay(again.url, debit())
    await until(async () => (await row(again.id)).state === 'processing')
    bank.payments.settle(again.session)
    await until(async () => (await row(again.id)).booking === 'booked')
    await settled()
    expect((await scene.owner('payments').where({ invoice_id: document })).map(it => it.method)).to.deep.equal([
      'direct debit',
    ])
  })

  it('of the same invoice by two people is warned of, and shown and refunded if both paid', async () => {
    const { scene, nadia, admin, due, begin, pay, row, settled } = await counter()
    const { key } = await due(late)
    const mine = await begin(nadia, { document: key })
    const billing = await scene.visit('billing')
    const warned = await billing.post('/pay', { method: 'stripe', document: key })
    expect(warned.status).to.equal(409)
    expect(warned).to.show('Somebody at your company is paying this right now.', 'Pay anyway')
    const theirs = await begin(billing, { document: key, anyway: 'on' })
    await Promise.all([pay(mine.url), pay(theirs.url)])
    await until(async () => (await row(mine.id)).state === 'paid' && (await row(theirs.id)).state === 'paid')
    await settled()
    const both = [await row(mine.id), await row(theirs.id)]
    expect(both.map(it => it.booking).sort()).to.deep.equal(['booked', 'manual'])
    const extra = both.find(it => it.booking === 'manual')
    const who = extra.id === mine.id ? nadia : billing
    expect(await who.get(`/pay/${extra.id}`)).to.show('is paid twice')
    expect(await admin.at(`${area}?show=book`)).to.show('To be booked', late)
    const page = await admin.at(`${area}/${extra.id}`)
    const form = { key: /name="key" value="([^"]+)"/.exec(page.text)![1]!, amount: '3872' }
    for (const status of [303, 409])
      expect((await admin.postAt(`${area}/${extra.id}/refund`, form)).status).to.equal(status)
    expect(await row(extra.id)).to.include({ refunded: '3872.00' })
    expect(await who.get(`/pay/${extra.id}`)).to.show('Refunded')
    expect(await scene.owner('portal.client_payment_refunds')).to.have.length(1)
  })

  it('of the same person in two tabs ends the first one at the bank', async () => {
    const { bank, nadia, due, begin, row } = await counter()
    const { key } = await due(late)
    const first = await begin(nadia, { document: key })
    await begin(nadia, { document: key })
    expect((await row(first.id)).state).to.equal('cancelled')
    expect(bank.state.sessions[first.session]!.status).to.equal('expired')
  })

  it('that cannot begin says so, takes nothing and offers the transfer', async () => {
    const { scene, bank, nadia, due, row } = await counter()
    const { key } = await due(late)
    for (const fault of ['error', 'reset', 'lost'] as const) {
      bank.faults.down(fault)
      const sent = await nadia.post('/pay', { method: 'stripe', document: key })
      bank.faults.up()
      expect(sent.status).to.equal(303)
      const id = sent.headers.location!.split('/').at(-1)!
      expect(await nadia.get(`/pay/${id}`)).to.show('Online payment is unavailable', 'Pay by transfer')
      expect((await row(id)).state).to.equal('failed')
    }
    expect(await scene.owner('portal.client_payments').whereNot({ state: 'failed' })).to.have.length(0)
  })

  it('is not lost where the process ended before it knew the bank’s number', async () => {
    const { scene, nadia, due, begin, pay, row, settled } = await counter()
    const { key } = await due(late)
    const { id, url } = await begin(nadia, { document: key })
    await scene.owner('portal.client_payments').where({ id }).update({ session: null, address: null })
    await pay(url)
    await until(async () => (await row(id)).booking === 'booked')
    await settled()
    expect((await row(id)).session).to.be.a('string')
  })

  it('of an invoice that was cancelled meanwhile is kept, and staff decide', async () => {
    const { scene, nadia, admin, due, begin, pay, row, settled } = await counter()
    const { key, id: document } = await due(late)
    const { id, url } = await begin(nadia, { document: key })
    await scene.owner('invoices').where({ id: document }).update({ state: 'void' })
    await pay(url)
    await until(async () => (await row(id)).booking === 'manual')
    await settled()
    expect(await scene.owner('payments').where({ invoice_id: document })).to.have.length(0)
    expect(await admin.at(`${area}/${id}`)).to.show('The CRM did not take it')
    expect((await admin.postAt(`${area}/${id}/booking`)).status).to.equal(303)
    await settled()
    expect((await row(id)).booking).to.equal('manual')
    expect((await admin.postAt(`${area}/${id}/booked`)).status).to.equal(303)
    expect(await row(id)).to.include({ booking: 'booked', booked_by: 'Marta Lindqvist' })
    expect((await admin.postAt(`${area}/${id}/booked`)).status).to.equal(409)
  })

  it('is refunded in parts, never more than was paid, and disputed by a bank', async () => {
    const { scene, bank, nadia, admin, payAll, row, settled } = await counter()
    const id = await payAll(late)
    await settled()
    const refund = async (amount: string) => {
      const { text } = await admin.at(`${area}/${id}`)
      const key = /name="key" value="([^"]+)"/.exec(text)?.[1]
      return admin.postAt(`${area}/${id}/refund`, { key, amount })
    }
    expect((await refund('872.00')).status).to.equal(303)
    expect((await row(id)).refunded).to.equal('872.00')
    expect(await refund('3000.01')).to.include({ status: 422 })
    for (const it of ['x', '', '0']) expect(await refund(it)).to.include({ status: 422 })
    bank.faults.down('error')
    expect(await refund('10'))
      .to.include({ status: 422 })
      .and.show('doesn’t answer')
    bank.faults.up()
    expect((await refund('10')).status).to.equal(303)
    expect((await row(id)).refunded).to.equal('882.00')
    await scene.mailTo(nadia.person!.email, 'Brightside Agency refunds you €10.00')
    const other = await payAll(next)
    bank.payments.dispute((await row(other)).charge)
    await until(async () => (await row(other)).dispute === 'open')
    expect(await nadia.get(`/pay/${other}`)).to.show('Disputed')
    bank.payments.lose((await row(other)).charge)
    await until(async () => (await row(other)).dispute === 'lost')
    expect(await nadia.get(`/pay/${other}`)).to.show('Returned by your bank')
  })

  it('in a CRM whose adapter books nothing is listed for staff, who say when they have entered it', async () => {
    const copy = await fresh()
    const { scene, nadia, admin, due, payAll, row, settled } = await counter({
      on: copy,
      crm: adapterOf(writingMap, copy.database),
    })
    const { id: document, left } = await due(late)
    const id = await payAll(late)
    await settled()
    expect((await row(id)).booking).to.equal('manual')
    expect(await nadia.get(`/invoices/${document}`))
      .to.show('has arrived and is being booked')
      .and.not.show('Pay now')
    const { text } = await admin.at(`${area}/payments.csv?show=book`)
    expect(text.split('\r\n')[1]).to.include(`manual`).and.include(left).and.include(late)
    expect(await admin.at(`${area}/${id}`)).to.show('The portal can’t enter payments in this CRM.')
    expect((await admin.postAt(`${area}/${id}/booked`)).status).to.equal(303)
    expect(await scene.owner('payments').where({ invoice_id: document })).to.have.length(0)
  })

  it('is in the CSV of staff, however many there are', async () => {
    const { scene, admin } = await counter()
    await scene.owner.raw(`
      with one as (select gen_random_uuid() as id, at from generate_series(1, 2500) at),
        kept as (insert into portal.client_payments
          (workspace_id, id, client_id, person_id, payer, provider, reference, currency, amount, state, started_at)
          select '1', id, '1', 'x', 'Nadia', 'stripe', 'R' || at, 'EUR', 10, 'failed', now() - at * interval '1 minute' from one)
      insert into portal.client_payment_shares (workspace_id, payment_id, client_id, section, document_id, number, title, amount)
      select '1', id, '1', 'invoices', at::text, 'N' || at, '', 10 from one`)
    const { text, headers } = await admin.at(`${area}/payments.csv`)
    expect(headers['content-type']).to.include('text/csv')
    const numbers = text
      .trim()
      .split('\r\n')
      .slice(1)
      .map(it => it.split(',')[6])
    expect(numbers).to.have.length(2500).and.to.include.members(['N1', 'N1001', 'N2500'])
    expect(new Set(numbers)).to.have.length(2500)
  })

  it('is chosen on a page that asks the database at most four times, with the session', async () => {
    const { nadia } = await counter()
    await nadia.get('/pay')
    const counts: number[] = []
    // More than once: jobs that begin meanwhile ask as well.
    for (let at = 0; at < 4; at++) {
      const before = sent.statements
      expect((await nadia.get('/pay')).status).to.equal(200)
      counts.push(sent.statements - before)
    }
    expect(Math.min(...counts)).to.be.within(1, 4)
  })

  it('by transfer is announced, told to staff, and confirmed by them', async () => {
    const { scene, nadia, admin, due, row } = await counter()
    const { key } = await due(late)
    const sent = await nadia.post('/pay', { method: 'transfer', document: key })
    expect(sent.status).to.equal(303)
    const id = sent.headers.location!.split('/').at(-1)!
    expect(await nadia.get(`/pay/${id}`)).to.show('Transfer €3,872.00 from your bank', 'NL91 ABNA 0417 1643 00', late)
    expect(await admin.at(`${area}/${id}`)).to.show('It has arrived')
    expect((await admin.postAt(`${area}/${id}/booked`)).status).to.equal(303)
    expect(await row(id)).to.include({ state: 'paid', booking: 'booked' })
    const other = await due(next)
    const second = await nadia.post('/pay', { method: 'transfer', document: other.key })
    const path = second.headers.location!.split('/').at(-1)!
    expect((await nadia.post(`/pay/${path}/cancellation`)).status).to.equal(303)
    expect((await row(path)).state).to.equal('cancelled')
    expect((await nadia.post(`/pay/${path}/cancellation`)).status).to.equal(409)
    expect(await scene.owner('payments').where({ invoice_id: other.id })).to.have.length(0)
  })

  it('costs the fee that the page said, on top of what is booked', async () => {
    const { nadia, admin, due, begin, pay, row, invoice, settled } = await counter()
    const was = await settingsIn(admin)
    const rules = { 'was.settings': was, transfer: 'on', parts: 'on', minimum: '10', fee: '1,5' }
    expect((await admin.postAt(`${area}/setup`, rules)).status).to.equal(303)
    expect((await admin.postAt(`${area}/setup`, { ...rules, fee: '11' })).status).to.equal(422)
    expect((await admin.postAt(`${area}/setup`, rules)).status, 'somebody else saved meanwhile').to.equal(409)
    expect(await nadia.get('/pay')).to.show('with a fee of 1.5%')
    const { key, id: document } = await due(late)
    const { id, url } = await begin(nadia, { document: key })
    await pay(url)
    await until(async () => (await row(id)).booking === 'booked')
    await settled()
    expect(await row(id)).to.include({ amount: '3872.00', fee: '58.08' })
    expect(await invoice(document)).to.include({ balance: '0.00' })
  })

  it('is taken by no key that the provider does not know, which is never shown', async () => {
    const { admin, nadia, bank } = await counter()
    const was = await settingsIn(admin)
    for (const [key, sentence] of [
      ['pk_test_0123456789', 'it begins with sk_ or rk_'],
      ['sk_test_0123456789abc', 'doesn’t know this key'],
    ]) {
      const refused = await admin.postAt(`${area}/setup/access`, { key, 'was.settings': was })
      expect(refused.status).to.equal(422)
      expect(refused).to.show(sentence!).and.not.show(key!)
    }
    expect(await admin.at(`${area}/setup`))
      .to.show('Test mode')
      .and.not.show(bank.key)
    expect((await admin.postAt(`${area}/setup/end`, { 'was.settings': was })).status).to.equal(303)
    expect(await nadia.get('/pay'))
      .to.show('Bank transfer')
      .and.not.show('Online')
  })

  it('begun and left is cancelled by whoever wants to pay another way', async () => {
    const { nadia, due, begin, pay, row } = await counter()
    const { key } = await due(late)
    const { id, url } = await begin(nadia, { document: key })
    const left = await nadia.post(`/pay/${id}/cancellation`)
    expect(left.headers.location).to.equal(`/portal/brightside/pay?document=${encodeURIComponent(key)}`)
    expect((await row(id)).state).to.equal('cancelled')
    const again = await begin(nadia, { document: key })
    await pay(again.url)
    const paid = await nadia.post(`/pay/${again.id}/cancellation`)
    expect([303, 409]).to.include(paid.status)
    await until(async () => (await row(again.id)).state === 'paid')
    expect(url).to.not.equal(again.url)
  })

  it('declined by the bank can be tried again there, and is not taken twice', async () => {
    const { scene, nadia, due, begin, pay, row, settled } = await counter()
    const { key, id: document } = await due(late)
    const { id, url } = await begin(nadia, { document: key })
    await pay(url, card('4000 0000 0000 0002')).catch(() => undefined)
    expect((await row(id)).state).to.equal('started')
    await pay(url)
    await until(async () => (await row(id)).booking === 'booked')
    await settled()
    expect(await scene.owner('payments').where({ invoice_id: document })).to.have.length(1)
  })
})

describe('amounts of payments', () => {
  it('go to the smallest unit and back, in currencies of no, two and three places', () => {
    const places = { JPY: 0, EUR: 2, KWD: 3 }
    fc.assert(
      fc.property(fc.constantFrom(...(['JPY', 'EUR', 'KWD'] as const)), fc.nat(2_000_000_000), (currency, minor) => {
        const money = fromMinor(minor, currency)
        expect(money.amount.split('.')[1]?.length ?? 0).to.equal(places[currency])
        expect(toMinor(money)).to.equal(minor)
      }),
    )
    expect(() => toMinor({ amount: '1.001', currency: 'EUR' })).to.throw('more decimals')
  })

  it('are read as people write them', () => {
    const read: [string, string, string | undefined][] = [
      ['1,178.00', 'en-GB', '1178.00'],
      ['1.178,00', 'de-DE', '1178.00'],
      ['1178', 'en-GB', '1178'],
      ['€ 250,5', 'nl-NL', '250.5'],
      ['250.5', 'nl-NL', '250.5'],
      ['1,178', 'en-GB', '1178'],
      ['1.178', 'en-GB', '1.178'],
      ['1.178', 'de-DE', '1178'],
      ['1’178.50', 'de-CH', '1178.50'],
      ['1.234.567', 'en-GB', '1234567'],
      ...['', '-5', '1e21', 'abc', '1,2,3.4.5', 'Infinity', '0x10'].map((it): [string, string, undefined] => [
        it,
        'en-GB',
        undefined,
      ]),
    ]
    for (const [typed, locale, amount] of read) expect(amountIn(typed, locale), `${typed} ${locale}`).to.equal(amount)
  })
})
