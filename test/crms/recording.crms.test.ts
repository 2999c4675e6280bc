import Big from 'big.js'
import { expect } from 'chai'
import { refusals } from '../../src/crm/received-payment.ts'
import { Conflict } from '../../src/http/errors.ts'
import { adapterOf, type CrmMap, type ReceivedPayment } from '../../src/index.ts'
import { serving } from '../serving.ts'
import { type Copy, copyOf, customerOf, workspacesOf } from './database.ts'
import { dolibarrApi, pointDolibarrTo } from './dolibarr-api.ts'
import { snapshots } from './snapshots.ts'
import type { TrueDocument, Truth } from './truth.ts'

describe('Payments booked in a real Dolibarr by its kept map', function () {
  this.timeout(120_000)

  for (const snapshot of snapshots.filter(it => it.name === 'dolibarr')) {
    const map = recordingOn(snapshot.map)
    const truth = snapshot.truth()
    let copy: Copy
    before(async () => {
      copy = await copyOf({ ...snapshot, map })
    })
    after(() => copy?.close())

    it('leave what Dolibarr says is left, in its currency and others, in part and in full', async () => {
      const api = dolibarrApi(() => copy.owner)
      const server = await serving(api.answer)
      const forget = pointDolibarrTo(server.url)
      const workspace = (await workspacesOf(map, copy.owner)).get('1')!
      const open = openInvoices(truth)
      expect(new Set(open.map(it => it.currency))).to.include.keys('EUR', 'USD')
      for (const it of open) {
        const customer = customerOf(workspace, it.client, truth.asOf)
        const { invoices, payments } = adapterOf(map, copy.database).connect(customer)
        const [left] = it.due!
        await payments!.record!(received(it, '0.01'))
        await payments!.record!(received(it, '0.01'))
        const rest = Big(left!).minus('0.01').toFixed(2)
        expect(Big((await invoices!.find(it.id)).balance.amount).toFixed(2), it.id).to.equal(rest)
        expect(await payments!.record!(received(it, left!)).catch(error => error)).to.be.instanceOf(Conflict)
        await payments!.record!(received(it, rest))
        expect((await invoices!.find(it.id)).status, it.id).to.equal('paid')
        const sent = api.heard.slice(-2).map(one => one.arrayofamounts[it.id])
        const column = it.currency === 'EUR' ? 'amount' : 'multicurrency_amount'
        expect(sent.map(one => one?.[column])).to.deep.equal(['0.01', rest])
      }
      forget()
      await server.close()
    })
  }
})

describe('Payments sent to a real Odoo by its kept map', function () {
  this.timeout(120_000)

  for (const snapshot of snapshots.filter(it => it.name === 'odoo')) {
    const map = recordingOn(snapshot.map)
    const truth = snapshot.truth()
    let copy: Copy
    before(async () => {
      copy = await copyOf({ ...snapshot, map })
    })
    after(() => copy?.close())

    it('are what Odoo says is left, in its currency, and never more', async () => {
      const heard: any[] = []
      const server = await serving(async (_request, body) => {
        heard.push(body.vals_list)
        return { status: 422, json: { message: 'Not in this test.' } }
      })
      Object.assign(process.env, { ODOO_URL: server.url, ODOO_API_KEY: 'k', ODOO_JOURNAL: '6' })
      const workspaces = await workspacesOf(map, copy.owner)
      const open = openInvoices(truth, [...workspaces.keys()])
      expect(new Set(open.map(it => it.currency)))
        .to.have.property('size')
        .above(1)
      for (const it of open) {
        const customer = customerOf(workspaces.get(it.workspace)!, it.client, truth.asOf)
        const { payments } = adapterOf(map, copy.database).connect(customer)
        const refused = (amount: string) => payments!.record!(received(it, amount)).catch(error => error.message)
        const [left] = it.due!
        expect(await refused(Big(left!).plus('0.01').toFixed(2)), it.id).to.equal(refusals.amount)
        expect(await refused(left!), it.id).to.equal('Not in this test.')
        const { name } = await copy
          .owner('res_currency')
          .where({ id: heard.at(-1).currency_id })
          .first('name')
        expect([name, heard.at(-1).amount], it.id).to.deep.equal([it.currency, Number(left)])
      }
      expect(heard).to.have.length(open.length)
      for (const it of ['ODOO_URL', 'ODOO_API_KEY', 'ODOO_JOURNAL']) delete process.env[it]
      await server.close()
    })
  }
})

function recordingOn(map: CrmMap): CrmMap {
  const { record, ...payments } = map.payments!
  return { ...map, payments: { ...payments, record: { ...record!, off: false } } }
}

/** Those of which the truth has one amount that is left, a few in each currency. */
function openInvoices({ documents }: Truth, workspaces = ['1']): TrueDocument[] {
  const open = documents.filter(
    it =>
      it.section === 'invoices' &&
      it.shown === 'yes' &&
      workspaces.includes(it.workspace) &&
      it.due?.length === 1 &&
      Number(it.due[0]) > 0.02,
  )
  return [...Map.groupBy(open, it => it.currency).values()].flatMap(its => its.slice(0, 12))
}

const received = ({ id, currency = '' }: TrueDocument, amount: string): ReceivedPayment => ({
  ...{ key: `${id} ${amount}`, on: '2026-11-20', method: 'card', reference: 'pi_1', payer: 'Somebody', fee: null },
  amount: { amount, currency },
  shares: [{ section: 'invoices', id, number: '', amount: { amount, currency } }],
})
