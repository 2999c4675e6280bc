import { expect } from 'chai'
import { extractText } from 'unpdf'
import { adapter } from '../../demo/adapter/adapter.ts'
import { fresh } from '../../test/database.ts'
import { person as linked, share } from '../../test/links.ts'
import { area, closeCounters, counter, settingsIn } from '../../test/pay.ts'
import { until } from '../../test/until.ts'
import { leave } from '../../test/visit.ts'
import { leftOf } from './payments.ts'
import { type PaymentProvider, Unavailable } from './provider.ts'
import { fromMinor, stripe, toMinor } from './providers/stripe.ts'

/** One that is overdue, and one that is not. */
const [late, next] = ['2026-0112', '2026-0119']

/** The hidden fields of the form of refunds. */
const refundForm = (text: string) => ({
  key: /name="key" value="([^"]+)"/.exec(text)?.[1],
  left: /name="left" value="([^"]+)"/.exec(text)?.[1],
})

/** Asks the provider another way until what this gives is called. */
function instead<Name extends 'read' | 'refund'>(
  name: Name,
  make: (ask: PaymentProvider[Name]) => PaymentProvider[Name],
): () => void {
  const ask = stripe[name]
  stripe[name] = make(ask)
  return () => {
    stripe[name] = ask
  }
}

describe('a payment, when things go wrong', () => {
  afterEach(async () => {
    await closeCounters()
    await leave()
  })

  it('that was begun is followed after the provider was disconnected', async () => {
    const { scene, bank, nadia, admin, due, begin, pay, row, round } = await counter()
    const [first, second] = [await due(late), await due(next)]
    const told = await begin(nadia, { document: first.key })
    const asked = await begin(nadia, { document: second.key })
    const was = await settingsIn(admin)
    expect((await admin.postAt(`${area}/setup/end`, { 'was.settings': was })).status).to.equal(303)
    await pay(told.url)
    await until(async () => (await row(told.id)).booking === 'booked')
    bank.webhooks.hold()
    await pay(asked.url)
    await scene.pass(3)
    await round('pay.reconcile')
    expect(await row(asked.id)).to.include({ state: 'paid', booking: 'booked' })
  })

  it('of another account of the provider stops nobody else from being asked about, nor the same person', async () => {
    const { scene, bank, nadia, due, begin, pay, row, round } = await counter()
    const [first, second] = [await due(late), await due(next)]
    const foreign = await begin(nadia, { document: first.key })
    await scene.owner('portal.client_payments').where({ id: foreign.id }).update({ session: 'cs_test_of_another' })
    bank.webhooks.hold()
    const { id, url } = await begin(nadia, { document: second.key })
    await pay(url)
    await scene.pass(3)
    await round('pay.reconcile')
    expect(await row(id)).to.include({ state: 'paid', booking: 'booked' })
    const again = await begin(nadia, { document: first.key })
    expect((await row(foreign.id)).state).to.equal('cancelled')
    expect((await row(again.id)).state).to.equal('started')
  })

  it('is not begun again while the provider cannot say whether the first was paid, and says so', async () => {
    const { bank, nadia, due, begin, row } = await counter()
    const { key } = await due(late)
    const { id } = await begin(nadia, { document: key })
    bank.faults.down('error')
    const sent = await nadia.post('/pay', { method: 'stripe', document: key })
    bank.faults.up()
    expect(sent.status).to.equal(503)
    expect(sent).to.show('Online payment is unavailable').and.not.show('The amount has changed.')
    expect((await row(id)).state).to.equal('started')
  })

  it('by a double click can be paid once', async () => {
    const { scene, bank, nadia, due, settled } = await counter()
    const { key } = await due(late)
    await Promise.all([1, 2, 3].map(() => nadia.post('/pay', { method: 'stripe', document: key })))
    const open = Object.values(bank.state.sessions).filter(it => it.status === 'open')
    expect(open).to.have.length(1)
    const rows = await scene.owner('portal.client_payments').where({ state: 'started' })
    expect(rows.map(it => it.session)).to.deep.equal([open[0]!.id])
    await settled()
  })

  it('keeps the newest that the provider said, though an older answer arrives after it', async () => {
    const { bank, nadia, due, begin, pay, row, settled } = await counter()
    const { key } = await due(late)
    const { id, url } = await begin(nadia, { document: key })
    bank.webhooks.hold()
    await pay(url)
    const [read, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    let times = 0
    const end = instead('read', ask => async (...asked) => {
      const told = await ask(...asked)
      if (++times > 1) return told
      read.resolve()
      await answered.promise
      return told
    })
    const first = nadia.get(`/pay/${id}`).then(it => it)
    await read.promise
    bank.payments.refund((await row(id)).session, 1000)
    await nadia.get(`/pay/${id}`)
    answered.resolve()
    await first
    end()
    expect(await row(id)).to.include({ state: 'paid', refunded: '10.00' })
    await settled()
  })

  it('whose refund was done without an answer is not refunded again by a page that does not know', async () => {
    const { bank, admin, payAll, row, settled } = await counter()
    const id = await payAll(late)
    await settled()
    bank.webhooks.hold()
    const page = refundForm((await admin.at(`${area}/${id}`)).text)
    const end = instead('refund', ask => async (...asked) => {
      await ask(...asked)
      throw new Unavailable('the connection was lost')
    })
    const lost = await admin.postAt(`${area}/${id}/refund`, { ...page, amount: '100' })
    end()
    expect(lost.status).to.equal(422)
    expect(lost).to.show('doesn’t answer', 'didn’t say whether this went back', 'value="100"')
    expect(refundForm(lost.text).key, 'the same is asked for again by its key').to.equal(page.key)
    const again = refundForm((await admin.at(`${area}/${id}`)).text)
    expect(again.key).to.not.equal(page.key)
    expect((await admin.postAt(`${area}/${id}/refund`, { ...again, amount: '100' })).status).to.equal(409)
    expect(Object.values(bank.state.refunds)).to.have.length(1)
    expect((await row(id)).refunded).to.equal('100.00')
  })

  it('is refunded twice by two forms at once only as far as it goes', async () => {
    const { bank, admin, payAll, row, settled } = await counter()
    const id = await payAll(late)
    await settled()
    const forms = await Promise.all([1, 2].map(async () => refundForm((await admin.at(`${area}/${id}`)).text)))
    const sent = await Promise.all(forms.map(it => admin.postAt(`${area}/${id}/refund`, { ...it, amount: '2000' })))
    // Whoever comes second is refused here, or by the bank.
    const [one, other] = sent.map(it => it.status).sort()
    expect(one).to.equal(303)
    expect(other).to.be.oneOf([409, 422])
    await settled()
    expect(Object.values(bank.state.refunds)).to.have.length(1)
    expect((await row(id)).refunded).to.equal('2000.00')
  })

  it('whose refund failed at the bank can be refunded again', async () => {
    const { bank, admin, payAll, row, settled } = await counter()
    const id = await payAll(late)
    await settled()
    const all = refundForm((await admin.at(`${area}/${id}`)).text)
    expect((await admin.postAt(`${area}/${id}/refund`, { ...all, amount: '3872' })).status).to.equal(303)
    expect((await row(id)).refunded).to.equal('3872.00')
    bank.payments.failRefund(Object.keys(bank.state.refunds)[0]!)
    await until(async () => Number((await row(id)).refunded) === 0)
    const again = refundForm((await admin.at(`${area}/${id}`)).text)
    expect((await admin.postAt(`${area}/${id}/refund`, { ...again, amount: '3872' })).status).to.equal(303)
    expect((await row(id)).refunded).to.equal('3872.00')
  })

  it('is said to be refunded only where it was', async () => {
    const { scene, bank, admin, payAll, settled } = await counter()
    const id = await payAll(late)
    await settled()
    bank.payments.dispute((await scene.owner('portal.client_payments').where({ id }).first()).charge)
    await settled()
    const form = refundForm((await admin.at(`${area}/${id}`)).text)
    expect(await admin.postAt(`${area}/${id}/refund`, { ...form, amount: '10' })).to.include({ status: 422 })
    const told = await scene.owner('portal.client_activity_logs').where({ event: 'pay.refund-asked' })
    expect(told).to.have.length(0)
    const after = refundForm((await admin.at(`${area}/${id}`)).text)
    expect(after.key).to.not.equal(form.key)
  })

  it('that went back whole before it was booked is not booked any more', async () => {
    const { scene, nadia, admin, due, begin, pay, row, settled } = await counter()
    const { key, id: document } = await due(late)
    const { id, url } = await begin(nadia, { document: key })
    await scene.owner('invoices').where({ id: document }).update({ state: 'void' })
    await pay(url)
    await until(async () => (await row(id)).booking === 'manual')
    await settled()
    expect(await nadia.get(`/pay/${id}`)).to.not.show('is paid twice')
    const form = refundForm((await admin.at(`${area}/${id}`)).text)
    expect((await admin.postAt(`${area}/${id}/refund`, { ...form, amount: '3872' })).status).to.equal(303)
    await scene.owner('invoices').where({ id: document }).update({ state: 'sent' })
    expect((await admin.postAt(`${area}/${id}/booking`)).status).to.equal(409)
    await settled()
    expect(await scene.owner('payments').where({ invoice_id: document })).to.have.length(0)
    expect(await admin.at(`${area}/${id}`)).to.show('All of it went back, so there is nothing to enter.')
    expect(await admin.at(`${area}?show=book`)).to.not.show(late)
    expect(await nadia.get(`/pay/${id}`))
      .to.show('Refunded')
      .and.not.show('Being booked')
  })

  it('says nothing false to who comes back while the provider does not answer', async () => {
    const { bank, nadia, due, begin, pay } = await counter()
    const { key } = await due(late)
    const { id, url } = await begin(nadia, { document: key })
    bank.webhooks.hold()
    await pay(url)
    bank.faults.down('error')
    const back = await nadia.get(`/pay/${id}?returned=0`)
    bank.faults.up()
    expect(back).to.show('One moment', 'we e-mail you when it has arrived').and.not.show('Nothing was taken')
    expect(back.headers).to.not.have.property('refresh')
    expect(await nadia.get(`/pay/${id}?returned=0`)).to.show('Paid. Thank you')
  })

  it('of an invoice whose id is written in two ways is of it once', async () => {
    const copy = await fresh()
    const crm = adapter(copy.database)
    const connect: typeof crm.connect = (customer, tx) => {
      const ports = crm.connect(customer, tx)
      const invoices = ports.invoices!
      return { ...ports, invoices: { ...invoices, find: id => invoices.find(id.replace(/^0+/, '')) } }
    }
    const { nadia, due, begin, row } = await counter({ on: copy, crm: { ...crm, connect } })
    const { id: document, key, left } = await due(late)
    const { id } = await begin(nadia, { document: [key, `invoices/0${document}`] })
    expect((await row(id)).amount).to.equal(left)
  })

  it('of an invoice that is not among the first hundred is of that one', async () => {
    const { scene } = await counter()
    const gus = await scene.visit('busy')
    const { id: client } = await scene.owner('clients').where('company_name', 'like', 'Northline%').first('id')
    const paid = scene
      .owner('invoices')
      .where({ client_id: client, state: 'paid', amount_credited: 0, deleted_at: null })
    const some = await paid.orderBy('id', 'desc').limit(150).pluck('id')
    const open = { state: 'sent', amount_paid: 0, balance: scene.owner.ref('grand_total') }
    await scene.owner('invoices').whereIn('id', some).update(open)
    const { body } = await gus.api('/pay')
    const keys = new Set(body.items.map((it: { key: string }) => it.key))
    const far = some.find(it => !keys.has(`invoices/${it}`))
    const page = await gus.get(`/pay?document=invoices/${far}`)
    const chosen = [...page.text.matchAll(/name="document" value="([^"]+)"[^>]* checked/g)].map(it => it[1])
    expect(chosen).to.deep.equal([`invoices/${far}`])
    expect(
      await gus.get('/pay?document=invoices/1e9&document=nothing&document=__proto__/1&document=invoices/%00'),
    ).to.include({
      status: 200,
    })
  })

  it('under way is named to nobody who has only a link, or may not see payments', async () => {
    const { scene, nadia, due, begin } = await counter()
    const { key, id } = await due(late)
    await begin(nadia, { document: key })
    expect(await nadia.get(`/invoices/${id}`)).to.show('began to pay this')
    const { path } = await share(scene, { section: 'invoices', number: late })
    const guest = await linked(scene)
    const { headers } = await guest.get(path)
    expect(await guest.at(headers.location!))
      .to.show(late)
      .and.not.show('began to pay this', nadia.person!.name)
    const viewer = await scene.visit('viewer')
    expect(await viewer.get(`/invoices/${id}`))
      .to.show(late)
      .and.not.show('began to pay this')
  })

  it('that the provider does not take is said so', async () => {
    const { scene, nadia, admin, due, row } = await counter()
    const { key, id: document } = await due(late)
    const rest = scene.owner.raw('grand_total - amount_credited - 0.30')
    await scene
      .owner('invoices')
      .where({ id: document })
      .update({ state: 'partial', amount_paid: rest, balance: '0.30' })
    const sent = await nadia.post('/pay', { method: 'stripe', document: key })
    expect(sent.status).to.equal(303)
    const id = sent.headers.location!.split('/').at(-1)!
    expect(await nadia.get(`/pay/${id}`))
      .to.show('Stripe can’t take this payment.', 'Pay by transfer')
      .and.not.show('doesn’t answer')
    expect((await row(id)).state).to.equal('failed')
    expect(await admin.at(`${area}/${id}`))
      .to.show('Not paid')
      .and.not.show('refused')
  })

  it('is looked at as a client without asking the provider', async () => {
    const { scene, bank, nadia, admin, due, begin, pay, row } = await counter()
    const { key } = await due(late)
    const { id, url } = await begin(nadia, { document: key })
    bank.webhooks.hold()
    await pay(url)
    const { client_id, person_id } = await row(id)
    const began = await admin.postAt('/settings/client-portal/view', { client: client_id, person: person_id })
    expect(began.status).to.equal(303)
    const place = `/settings/client-portal/view/${client_id}/${person_id}`
    const before = await row(id)
    let times = 0
    const end = instead('read', ask => (...asked) => {
      times++
      return ask(...asked)
    })
    const page = await admin.at(`${place}/pay/${id}?returned`)
    end()
    expect(page).to.include({ status: 200 }).and.show('You are viewing as Nadia')
    expect(times).to.equal(0)
    expect(await row(id)).to.deep.equal(before)
    expect((await admin.postAt(`${place}/pay/${id}/cancellation`)).status).to.equal(403)
    expect((await scene.owner('portal.client_payments').where({ state: 'cancelled' })).length).to.equal(0)
  })

  it('is told by nobody to another workspace, or to one that there is not', async () => {
    const { scene, bank, nadia, due, begin, pay, row } = await counter()
    const { key } = await due(late)
    const { id, url } = await begin(nadia, { document: key })
    bank.webhooks.hold()
    await pay(url)
    for (const workspace of ['thornbury', 'nobody', '', '__proto__', 'brightside\0'])
      expect((await nadia.agent.post('/portal/-/webhooks/pay').query({ workspace }).send({})).status).to.equal(404)
    expect((await nadia.agent.get('/portal/-/webhooks/pay?workspace=brightside')).status).to.equal(400)
    expect((await row(id)).state).to.equal('started')
    expect(scene.log.filter(it => it.level === 'error')).to.deep.equal([])
  })

  it('has a receipt with the day that it was at the workspace', async () => {
    const { scene, nadia, payAll, row } = await counter()
    const id = await payAll(late)
    await scene.owner('portal.client_payments').where({ id }).update({ paid_at: '2026-11-20T23:30:00Z' })
    const { body } = await nadia.get(`/pay/${id}/pdf`)
    const { text } = await extractText(new Uint8Array(body), { mergePages: true })
    expect(text).to.include('21 Nov 2026').and.not.include('20 Nov 2026')
    // Whoever paid asked to be forgotten.
    await scene.owner('portal.client_payments').where({ id }).update({ payer: '' })
    expect(await nadia.get(`/pay/${id}`)).to.not.show('Thank you, .')
    expect((await row(id)).booking).to.be.oneOf(['waiting', 'booked'])
  })

  it('leaves the invoice readable where the CRM changed its currency meanwhile', async () => {
    const { scene, nadia, due, begin } = await counter()
    const { key, id: document } = await due(late)
    await begin(nadia, { document: key })
    await scene.owner('invoices').where({ id: document }).update({ currency_code: 'USD' })
    const transfer = await nadia.post('/pay', { method: 'transfer', document: key })
    expect(transfer.status).to.equal(303)
    expect((await nadia.get(`/invoices/${document}`)).status).to.equal(200)
  })

  it('waits where the CRM’s tables have changed, instead of being left to staff', async () => {
    const { scene, nadia, due, begin, pay, row, settled, round } = await counter({ checkEvery: 0.1 })
    const { key } = await due(late)
    const { id, url } = await begin(nadia, { document: key })
    await scene.owner.raw('alter table payments rename column payer to paid_by')
    await until(async () => (await nadia.get('/payments')).status === 404)
    await pay(url)
    await until(async () => (await row(id)).state === 'paid')
    await settled()
    expect((await row(id)).booking).to.equal('waiting')
    await scene.owner.raw('alter table payments rename column paid_by to payer')
    await until(async () => (await nadia.get('/payments')).status === 200)
    await scene.pass(6)
    await round('pay.book-waiting')
    expect((await row(id)).booking).to.equal('booked')
  })

  it('that the CRM cannot take stops no other, and staff can say that they entered it', async () => {
    const copy = await fresh()
    let broken = true
    const crm = adapter(copy.database)
    const poisoned: string[] = []
    const connect: typeof crm.connect = (customer, tx) => {
      const ports = crm.connect(customer, tx)
      const payments = ports.payments!
      return {
        ...ports,
        payments: {
          ...payments,
          async record(payment: any) {
            if (broken || poisoned.includes(payment.key)) throw new Error('the CRM has a fault')
            await payments.record!(payment)
          },
        },
      }
    }
    const { scene, admin, payAll, row, round } = await counter({ on: copy, crm: { ...crm, connect } })
    const [one, other] = [await payAll(late), await payAll(next)]
    poisoned.push(one)
    broken = false
    await scene.owner('portal_jobs.job').where({ state: 'retry' }).delete()
    await scene.pass(20)
    await round('pay.book-waiting')
    expect((await row(other)).booking).to.equal('booked')
    expect((await row(one)).booking).to.equal('waiting')
    expect(await admin.at(`${area}/${one}`)).to.show('The portal keeps trying.', 'I have entered it')
    expect((await admin.postAt(`${area}/${one}/booked`)).status).to.equal(303)
    expect((await row(one)).booking).to.equal('booked')
  })

  it('keeps what was chosen when the session ended before the form was sent', async () => {
    const { scene, due } = await counter()
    const { key } = await due(next)
    const billing = await scene.visit('billing')
    const id = billing.person!
    const { text } = await billing.get('/pay')
    const hidden = Object.fromEntries(
      [...text.matchAll(/name="(kept\.[a-z]+)" value="([^"]+)"/g)].map(it => [it[1], it[2]]),
    )
    await scene.owner('portal.client_sessions').delete()
    const form = { ...hidden, document: key, [`part.${key}`]: '77.70', method: 'transfer' }
    expect((await billing.post('/pay', form)).status).to.equal(303)
    await billing.post('/sign-in', { email: id.email, password: id.password })
    const page = await billing.get('/pay')
    expect(page.text).to.match(new RegExp(`value="${key}"[^>]* checked`))
    expect(page).to.show('value="77.70"')
  })

  it('is not taken of more than was typed where parts were switched off meanwhile', async () => {
    const { scene, nadia, admin, due } = await counter()
    const { key } = await due(late)
    const was = await settingsIn(admin)
    await admin.postAt(`${area}/setup`, { 'was.settings': was, transfer: 'on', minimum: '10', fee: '0' })
    const sent = await nadia.post('/pay', { method: 'stripe', document: key, [`part.${key}`]: '100' })
    expect(sent.status).to.equal(409)
    expect(await scene.owner('portal.client_payments')).to.have.length(0)
  })

  it('by a customer whom the provider does not know any more can be begun at the second try', async () => {
    const { scene, nadia, admin, due, begin, row } = await counter()
    const was = await settingsIn(admin)
    const rules = { 'was.settings': was, transfer: 'on', parts: 'on', keepMethod: 'on', minimum: '10', fee: '0' }
    expect((await admin.postAt(`${area}/setup`, rules)).status).to.equal(303)
    const { key } = await due(late)
    const first = await begin(nadia, { document: key })
    const { workspace_id, client_id, person_id } = await row(first.id)
    await scene
      .owner('portal.client_payment_customers')
      .insert({ workspace_id, client_id, person_id, provider: 'stripe', customer: 'cus_of_another_account' })
    expect((await nadia.post('/pay', { method: 'stripe', document: key })).status).to.equal(303)
    const second = await begin(nadia, { document: key })
    expect((await row(second.id)).state).to.equal('started')
  })

  it('keeps its key where somebody else saved the settings meanwhile', async () => {
    const { scene, admin, bank } = await counter()
    const was = await settingsIn(admin)
    await admin.postAt(`${area}/setup`, { 'was.settings': was, transfer: 'on', minimum: '11', fee: '0' })
    const sealed = () => scene.owner('portal.client_plugin_settings').where({ name: 'pay.access' }).first('sealed')
    const before = await sealed()
    for (const old of [was, ''])
      expect((await admin.postAt(`${area}/setup/access`, { key: bank.key, 'was.settings': old })).status).to.equal(409)
    expect(await sealed()).to.deep.equal(before)
    for (const page of ['', '/activity'])
      expect((await admin.at(`/settings/client-portal${page}`)).status).to.equal(200)
  })
})

describe('amounts of payments, when things are odd', () => {
  it('are counted as Stripe counts, whatever people write', () => {
    const minor: [string, string, number][] = [
      ['10000', 'HUF', 1_000_000],
      ['250000', 'IDR', 25_000_000],
      ['90000', 'COP', 9_000_000],
      ['1500', 'PKR', 150_000],
      ['100', 'ISK', 10_000],
      ['5000', 'JPY', 5000],
      ['5000.00', 'CLP', 5000],
      ['1.230', 'KWD', 1230],
    ]
    for (const [amount, currency, sent] of minor) {
      expect(toMinor({ amount, currency }), currency).to.equal(sent)
      expect(Number(fromMinor(sent, currency).amount), currency).to.equal(Number(amount))
    }
    expect(fromMinor(1_000_050, 'HUF').amount).to.equal('10000.50')
  })

  it('are never more than is open, where the CRM counts finer', () => {
    const left = (amount: string, currency = 'EUR') => leftOf({ amount, currency }, undefined).amount
    expect(left('100.005')).to.equal('100.00')
    expect(left('100.00000000')).to.equal('100.00')
    expect(left('0.004')).to.equal('0.00')
    expect(left('1.2345', 'KWD')).to.equal('1.234')
    expect(left('1234.50', 'HUF')).to.equal('1234.50')
    expect(left('100')).to.equal('100')
  })
})
