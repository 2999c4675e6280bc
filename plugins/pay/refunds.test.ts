// @adapter code: the demo’s map books no payments.
import { expect } from 'chai'
import { area, closeCounters, counter } from '../../test/pay.ts'
import { until } from '../../test/until.ts'
import { leave } from '../../test/visit.ts'

const late = '2026-0112'

describe('a refund', () => {
  afterEach(async () => {
    await closeCounters()
    await leave()
  })

  it('of a payment that is booked is listed for staff to enter, until they have', async () => {
    const { bank, admin, scene, payAll, row, settled } = await counter()
    const id = await payAll(late)
    await until(async () => (await row(id)).booking === 'booked')
    const toBook = () => admin.at(`${area}?show=book`)
    expect(await toBook()).to.show('No payments found')
    bank.payments.refund((await row(id)).session, 87_200)
    await settled()
    expect(await toBook()).to.show('Refund to be booked', late)
    expect(await admin.at('/settings/client-portal/')).to.show('1 payment needs entering in the CRM or a look')
    const { text } = await admin.at(`${area}/payments.csv?show=book`)
    const [head = [], line = []] = text.split('\r\n').map(it => it.split(','))
    expect(line[head.indexOf('refund_to_book')]).to.equal('872.00')
    const page = await admin.at(`${area}/${id}`)
    expect(page).to.show('€872.00 went back, and isn’t in the CRM yet.', `as a refund for ${late}`)
    const shown = { amount: /name="amount" value="([^"]+)"/.exec(page.text)![1]! }

    // More went back while the page was open: nothing is marked that was not seen.
    bank.payments.refund((await row(id)).session, 2_800)
    await settled()
    for (const amount of [shown.amount, '0', '', '900.001', 'x'])
      expect((await admin.postAt(`${area}/${id}/refund-booked`, { amount })).status, amount).to.equal(409)
    expect((await (await scene.visit('colleague')).postAt(`${area}/${id}/refund-booked`, {})).status).to.equal(403)
    const all = /name="amount" value="([^"]+)"/.exec((await admin.at(`${area}/${id}`)).text)![1]!
    expect(Number(all)).to.equal(900)
    for (const status of [303, 409])
      expect((await admin.postAt(`${area}/${id}/refund-booked`, { amount: all })).status).to.equal(status)
    expect(await toBook()).to.show('No payments found')
    expect(await admin.at('/settings/client-portal/activity')).to.show(
      `marked the refund of €900.00 for ${late} as entered in the CRM`,
    )
  })

  it('of a payment that staff enter themselves is entered with it, as far as they saw it', async () => {
    const { bank, admin, scene, nadia, due, begin, pay, row, settled } = await counter()
    const { key, id: document } = await due(late)
    const { id, url } = await begin(nadia, { document: key })
    await scene.owner('invoices').where({ id: document }).update({ state: 'void' })
    await pay(url)
    await until(async () => (await row(id)).booking === 'manual')
    bank.payments.refund((await row(id)).session, 10_000)
    await settled()
    const page = await admin.at(`${area}/${id}`)
    expect(page).to.show('€100.00 of it went back: enter that as a refund, too.')
    const refunded = /name="refunded" value="([^"]+)"/.exec(page.text)![1]!
    bank.payments.refund((await row(id)).session, 500)
    await settled()
    expect((await admin.postAt(`${area}/${id}/booked`, { refunded })).status).to.equal(303)
    expect(await admin.at(`${area}/${id}`)).to.show('€5.00 went back, and isn’t in the CRM yet.')
    expect(await admin.at(`${area}?show=book`)).to.show('Refund to be booked')
  })
})
