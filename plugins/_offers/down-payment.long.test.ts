import { expect } from 'chai'
import fc from 'fast-check'
import { decimals, decimalsOf } from '../../src/platform/money.ts'

import { person, share } from '../../test/links.ts'
import { area, closeCounters, counter, settingsIn } from '../../test/pay.ts'
import { until } from '../../test/until.ts'
import { leave, type Scene, type Visitor } from '../../test/visit.ts'
import { dueOnAcceptance } from './down-payment.ts'

/** The demo’s proposal with a down payment of 40%: €7,683.50, and €653.40 for texts that are not chosen. */
const number = 'P-2026-029'

describe('what is due on acceptance', () => {
  const aTotal = fc
    .tuple(fc.bigInt({ min: 0n, max: 10n ** 14n }), fc.constantFrom('EUR', 'JPY', 'KWD'))
    .map(([units, currency]) => ({ amount: scaled(units, decimalsOf(currency)), currency }))

  it('is a part of the total in whole smallest units, and never more than it', () => {
    const aPercent = fc.integer({ min: 0, max: 1_000_000 }).map(it => scaled(BigInt(it), 4))
    fc.assert(
      fc.property(aTotal, aPercent, (total, percent) => {
        const due = dueOnAcceptance({ total, downPayment: { percent } })
        const places = decimalsOf(total.currency)
        const exact = unitsOf(total.amount, places) * unitsOf(percent, 4)
        const rounded = (exact + 500_000n) / 1_000_000n
        if (!rounded) expect(due).to.equal(undefined)
        if (!rounded) return
        expect(due?.currency).to.equal(total.currency)
        expect(decimals(due!.amount)).to.equal(places)
        expect(unitsOf(due!.amount, places)).to.equal(rounded)
        expect(rounded <= unitsOf(total.amount, places)).to.equal(true)
      }),
    )
  })

  it('is an amount, or the total where that is less', () => {
    fc.assert(
      fc.property(aTotal, fc.bigInt({ min: 1n, max: 10n ** 14n }), (total, units) => {
        const places = decimalsOf(total.currency)
        const amount = { amount: scaled(units, places), currency: total.currency }
        const all = unitsOf(total.amount, places)
        const due = dueOnAcceptance({ total, downPayment: { amount } })
        const more = units > all
        expect(due ? unitsOf(due.amount, places) : 0n).to.equal(more ? all : units)
      }),
    )
    const total = { amount: '100.00', currency: 'EUR' }
    expect(dueOnAcceptance({ total, downPayment: { amount: { amount: '10', currency: 'USD' } } })).to.equal(undefined)
    expect(dueOnAcceptance({ total })).to.equal(undefined)
    // A CRM may count finer than anybody can pay.
    const fine = { amount: '10.005', currency: 'EUR' }
    expect(dueOnAcceptance({ total: fine, downPayment: { percent: '100' } })?.amount).to.equal('10.00')
  })
})

describe('a down payment', () => {
  afterEach(async () => {
    await closeCounters()
    await leave()
  })

  it('is named before and after signing, paid at the bank, and kept for staff to book', async () => {
    const it = await counter()
    const { scene, nadia, admin, begin, pay, row, settled } = it
    const { id, key } = await offer(scene)
    const words = ['Down payment on acceptance (40%)', '€3,073.40']
    expect(await nadia.get(`/proposals/${id}`))
      .to.show(...words)
      .and.not.show('Pay the down payment')
    expect(await nadia.get(`/proposals/${id}/acceptance`)).to.show(
      ...words,
      'A down payment of €3,073.40 is due on acceptance.',
      'You can pay it here after you sign.',
    )
    expect((await nadia.post('/pay', { document: key, method: 'stripe' })).status).to.equal(409)
    await accept(nadia, id)
    expect(await nadia.get(`/proposals/${id}/evidence?done`)).to.show(
      'Pay the down payment',
      `/pay?document=${encodeURIComponent(key)}`,
    )
    const bundle = (await nadia.get(`/proposals/${id}/evidence/bundle`)).body
    const evidence = JSON.parse(bundle.evidence).document.content
    expect(evidence.downPayment).to.deep.equal({ percent: '40' })
    expect(evidence.dueOnAcceptance).to.deep.equal({ amount: '3073.40', currency: 'EUR' })
    expect(await nadia.get('/')).to.show('down payment on acceptance', '€3,073.40')
    expect(await nadia.get(`/proposals/${id}`)).to.show('Down payment of €3,073.40', 'Pay the down payment')

    expect(await nadia.get(`/pay?document=${key}`)).to.show(`Down payment for ${number}`, '€3,073.40')
    const first = await begin(nadia, { document: key, [`part.${key}`]: '1,000.00' })
    await pay(first.url)
    await until(async () => (await row(first.id)).booking === 'manual')
    await settled()
    expect(await nadia.get(`/pay/${first.id}?returned`)).to.show('Paid. Thank you, Nadia.', 'Back to the document')
    expect(await nadia.get(`/proposals/${id}`)).to.show(
      'Down payment of €2,073.40',
      '€1,000.00 of €3,073.40 has been paid.',
    )
    expect(await admin.at(`${area}?show=book`)).to.show('To be booked', number)
    expect(await admin.at(`${area}/${first.id}`)).to.show(`Enter it in the CRM as a down payment for ${number}`)
    expect((await admin.postAt(`${area}/${first.id}/booked`)).status).to.equal(303)

    // What staff booked stays taken off: the CRM does not count it.
    expect(await nadia.get(`/proposals/${id}`)).to.show('Down payment of €2,073.40')
    const rest = await begin(nadia, { document: key })
    await pay(rest.url)
    await until(async () => (await row(rest.id)).state === 'paid')
    await settled()
    expect((await row(rest.id)).amount).to.equal('2073.40')
    expect(await nadia.get(`/proposals/${id}`)).to.not.show('Pay the down payment')
    expect(await nadia.get(`/proposals/${id}/evidence?done`)).to.show('The down payment of €3,073.40 has been paid.')
    expect(await nadia.get('/')).to.not.show('down payment on acceptance')
    expect((await nadia.post('/pay', { document: key, method: 'stripe' })).status).to.equal(409)
    for (const event of it.bank.events()) await it.bank.webhooks.send(event.id)
    await settled()
    expect(await scene.owner('portal.client_payments').where({ state: 'paid' })).to.have.length(2)
  })

  it('follows what is chosen, and may be an amount', async () => {
    const { scene, nadia } = await counter()
    const { id, client } = await offer(scene)
    const options = await scene
      .owner('proposal_lines')
      .where({ proposal_id: id, is_optional: true })
      .orderBy('position')
    const all = `options=1${options.map(it => `&option=${it.id}`).join('')}`
    expect(await nadia.get(`/proposals/${id}?${all}`)).to.show('€8,336.90', '€3,334.76')
    expect(await nadia.get(`/proposals/${id}/acceptance?${all}`)).to.show('A down payment of €3,334.76')
    const none = await nadia.get(`/proposals/${id}/acceptance?options=1`)
    expect(none).to.show('€6,437.20', 'A down payment of €2,574.88')
    await accept(nadia, id, none.text)
    expect(await nadia.get(`/proposals/${id}`))
      .to.show('Down payment of €2,574.88')
      .and.not.show('Changed since it was signed')

    const quotation = await scene
      .owner('quotations')
      .where({ client_id: client, status: 'sent' })
      .where('grand_total', '>', 600)
      .first()
    await scene
      .owner('quotations')
      .where({ id: quotation.id })
      .update({ deposit_amount: '500', status: 'accepted', decided_on: scene.now() })
    const page = await nadia.get(`/quotations/${quotation.id}`)
    expect(page).to.show('Down payment on acceptance', '500.00', 'Pay the down payment').and.not.show('acceptance (')
  })

  it('is offered of nothing that was declined, withdrawn or has expired, and of no other client', async () => {
    const { scene, nadia } = await counter()
    const { id, key } = await offer(scene)
    const states = [{ state: 'rejected' }, { state: 'withdrawn' }, { state: 'sent', valid_until: '2020-01-01' }]
    for (const it of states) {
      await scene.owner('proposals').where({ id }).update(it)
      expect(await nadia.get(`/proposals/${id}`), it.state)
        .to.show('Down payment on acceptance')
        .and.not.show('Pay the down payment')
      expect((await nadia.post('/pay', { document: key, method: 'stripe' })).status, it.state).to.equal(409)
      expect(await nadia.get('/'), it.state).to.not.show('down payment on acceptance')
    }
    await scene.owner('proposals').where({ id }).update({ state: 'accepted', answered_on: scene.now() })
    for (const who of [await scene.visit('neighbour'), await scene.visit('stranger')])
      expect((await who.post('/pay', { document: key, method: 'stripe' })).status).to.equal(404)
    for (const other of ['proposals/999999', 'proposals/x'])
      expect((await nadia.post('/pay', { document: other, method: 'stripe' })).status).to.equal(404)
    const [invoice] = (await nadia.api('/pay')).body.items
    expect(await nadia.post('/pay', { document: [key, invoice.key], method: 'stripe' })).to.show(
      'Pay down payments apart from invoices.',
    )
  })

  it('shows its sentence without a button where nothing is paid here, or not by this person', async () => {
    const { scene, nadia, admin } = await counter()
    const { id, key } = await offer(scene)
    await accept(nadia, id)
    const viewer = await scene.visit('viewer')
    expect(await viewer.get(`/proposals/${id}`))
      .to.show('Down payment of €3,073.40')
      .and.not.show('Pay the down payment')
    const was = await settingsIn(admin)
    await admin.postAt(`${area}/setup/end`, { 'was.settings': was })
    await admin.postAt(`${area}/setup`, { 'was.settings': await settingsIn(admin), minimum: '10', fee: '0' })
    const withoutButton = async () => {
      expect(await nadia.get(`/proposals/${id}`))
        .to.show('Down payment on acceptance (40%)')
        .and.not.show('Pay the down payment')
      expect(await nadia.get(`/proposals/${id}/evidence?done`))
        .to.show('A down payment of €3,073.40 is due on acceptance.')
        .and.not.show('Pay the down payment')
      expect(await nadia.get('/')).to.not.show('down payment on acceptance')
    }
    await withoutButton()
    await switchOff(scene, 'pay')
    await withoutButton()
    expect((await nadia.post('/pay', { document: key, method: 'transfer' })).status).to.equal(404)
  })

  it('leaves the acceptance as it is where the bank does not answer', async () => {
    const { scene, bank, nadia } = await counter()
    const { id, key } = await offer(scene)
    await accept(nadia, id)
    bank.faults.down('error')
    const sent = await nadia.post('/pay', { method: 'stripe', document: key })
    bank.faults.up()
    expect(await nadia.get(sent.headers.location!.replace('/portal/brightside', ''))).to.show(
      'Online payment is unavailable',
    )
    expect(await scene.owner('proposals').where({ id }).first()).to.include({ state: 'accepted' })
    expect(await nadia.get(`/proposals/${id}`)).to.show('Accepted', 'Pay the down payment')
  })

  it('that two people paid at once is shown to be paid twice, and refunded', async () => {
    const it = await counter()
    const { scene, nadia, admin, begin, pay, row, settled } = it
    const { id, key } = await offer(scene)
    await accept(nadia, id)
    const approver = await scene.visit('approver')
    const mine = await begin(nadia, { document: key })
    expect((await approver.post('/pay', { method: 'stripe', document: key })).status).to.equal(409)
    const theirs = await begin(approver, { document: key, anyway: 'on' })
    await Promise.all([pay(mine.url), pay(theirs.url)])
    await until(async () => (await row(mine.id)).state === 'paid' && (await row(theirs.id)).state === 'paid')
    await settled()
    expect(await nadia.get(`/pay/${mine.id}`)).to.show(`${number} is paid twice`)
    expect((await admin.postAt(`${area}/${mine.id}/booked`)).status).to.equal(303)
    expect(await nadia.get(`/pay/${mine.id}`)).to.show(`${number} is paid twice`)
    const form = {
      key: /name="key" value="([^"]+)"/.exec((await admin.at(`${area}/${theirs.id}`)).text)![1]!,
      amount: '3073.40',
    }
    expect((await admin.postAt(`${area}/${theirs.id}/refund`, form)).status).to.equal(303)
    expect(await nadia.get(`/pay/${mine.id}`)).to.not.show('is paid twice')
    expect(await nadia.get(`/proposals/${id}`)).to.not.show('Pay the down payment')
  })

  it('by transfer names the account, and counts once staff say that it has arrived', async () => {
    const { scene, nadia, admin } = await counter()
    const { id, key } = await offer(scene)
    await accept(nadia, id)
    const announced = await nadia.post('/pay', { document: key, method: 'transfer' })
    const payment = announced.headers.location!.split('/').at(-1)!
    expect(await nadia.get(`/pay/${payment}`)).to.show('Transfer €3,073.40 from your bank', 'IBAN', number)
    expect((await admin.postAt(`${area}/${payment}/booked`)).status).to.equal(303)
    expect(await nadia.get(`/proposals/${id}`)).to.not.show('Pay the down payment')
  })

  it('can be paid by a public link to the accepted document, and by no other', async () => {
    const it = await counter()
    const { id, key } = await offer(it.scene)
    await accept(it.nadia, id)
    const { path } = await share(it.scene, { number })
    const guest = await person(it.scene)
    const opened = await guest.get(path)
    const page = opened.headers.location!
    const base = page.slice(0, page.lastIndexOf('/proposals/'))
    expect(await guest.at(page)).to.show('Pay the down payment', `href="${base}/pay?document=`)
    const sent = await guest.postAt(`${base}/pay`, { document: key, method: 'stripe' })
    expect(sent.status).to.equal(200)
    const [invoice] = (await it.nadia.api('/pay')).body.items
    expect((await guest.postAt(`${base}/pay`, { document: invoice.key, method: 'stripe' })).status).to.equal(404)
  })

  it('is not there while the flag is off', async () => {
    let on = true
    const it = await counter({ flags: { enabledAnywhere: () => true, enabled: () => on } })
    const { id, key } = await offer(it.scene)
    await accept(it.nadia, id)
    on = false
    expect((await it.nadia.get(`/pay?document=${key}`)).status).to.equal(404)
  })
})

const offer = async ({ owner }: Scene) => {
  const client = await owner('clients').where({ company_name: 'Acme Bakery' }).first('id')
  const { id } = await owner('proposals').where({ ref_no: number, client_id: client.id }).first('id')
  return { id: String(id), key: `proposals/${id}`, client: client.id }
}

/** Signs as the page shows it. */
async function accept(visitor: Visitor, id: string, shown?: string) {
  const text = shown ?? (await visitor.get(`/proposals/${id}/acceptance`)).text
  const fields: Record<string, string | string[]> = {}
  for (const [, name, value] of text.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)) {
    const before = fields[name!]
    fields[name!] = before === undefined ? value! : [before, value!].flat()
  }
  const signed = await visitor.post(`/proposals/${id}/acceptance`, {
    ...fields,
    ...{ agree: 'on', how: 'typed', typed: visitor.person?.name },
  })
  expect(signed.status, signed.text).to.equal(303)
}

const switchOff = ({ owner }: Scene, name: string) =>
  owner('portal.client_portal_settings').insert({ workspace_id: '1', name, value: 'false', changed_by: 'a test' })

const scaled = (units: bigint, places: number) => {
  const digits = String(units).padStart(places + 1, '0')
  return places ? `${digits.slice(0, -places)}.${digits.slice(-places)}` : digits
}

const unitsOf = (amount: string, places: number) => {
  const [whole = '0', rest = ''] = amount.split('.')
  return BigInt(whole + rest.padEnd(places, '0'))
}
