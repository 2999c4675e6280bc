import { expect } from 'chai'
import { writingMap } from '../../demo/adapter/map.ts'
import { refusals } from '../../src/crm/received-payment.ts'
import { adapterOf, type CrmMap } from '../../src/index.ts'
import { type Copy, fresh } from '../../test/database.ts'
import { area, type Counter, closeCounters, counter } from '../../test/pay.ts'
import { type Answer, serving } from '../../test/serving.ts'
import { until } from '../../test/until.ts'
import { leave } from '../../test/visit.ts'

const [late, next] = ['2026-0112', '2026-0119']

describe('a payment, in a CRM whose map names its API', () => {
  let copy: Copy
  let api: ReturnType<typeof bookkeeping>
  let server: Awaited<ReturnType<typeof serving>>
  let the: Counter
  beforeEach(async () => {
    copy = await fresh()
    api = bookkeeping(copy)
    server = await serving(api.answer)
    the = await counter({ on: copy, crm: adapterOf(recordingAt(server.url), copy.database) })
  })
  afterEach(async () => {
    await closeCounters()
    await leave()
    await server.close()
  })

  const booked = (id: string) => copy.owner('payments').whereLike('reference', `${id}/%`).orderBy('invoice_id')

  it('is booked there, the whole of one invoice and a part of another', async () => {
    const { nadia, admin, due, begin, pay, row, invoice, settled } = the
    const [one, other] = [await due(late), await due(next)]
    const { id, url } = await begin(nadia, { document: [one.key, other.key], [`part.${one.key}`]: '1,000.55' })
    await pay(url)
    await until(async () => (await row(id)).booking === 'booked')
    await settled()
    expect((await booked(id)).map(it => it.amount).sort()).to.deep.equal(['1000.55', other.left].sort())
    expect(await invoice(one.id)).to.include({ state: 'partial' })
    expect(await invoice(other.id)).to.include({ state: 'paid', balance: '0.00' })
    expect(await admin.at(`${area}/${id}`)).to.show('Entered by the portal')
    expect(await nadia.get(`/invoices/${other.id}`)).to.not.show('Pay now')
  })

  it('is booked once, also where the answer was lost', async () => {
    const { payAll, row, round, scene } = the
    api.fail('lost')
    const id = await payAll(late)
    await until(async () => (await booked(id)).length === 1)
    expect((await row(id)).booking).to.equal('waiting')
    api.fail(undefined)
    await scene.pass(10)
    await round('pay.book-waiting')
    await until(async () => (await row(id)).booking === 'booked')
    expect(await booked(id)).to.have.length(1)
  })

  it('is booked once where two do it at the same time', async () => {
    const { payAll, row, round, scene } = the
    const release = api.hold()
    const id = await payAll(late)
    await until(async () => api.asked() === 1)
    await scene.pass(10)
    const second = round('pay.book-waiting')
    await until(async () => (await waiting(copy)) > 0)
    release()
    await second
    expect((await row(id)).booking).to.equal('booked')
    expect(api.asked()).to.equal(1)
    expect(await booked(id)).to.have.length(1)
  })

  it('waits while the CRM is down, and is booked when it answers', async () => {
    const { payAll, row, round, scene, admin } = the
    api.fail(503)
    const id = await payAll(late)
    await until(async () => api.asked() > 0)
    await scene.pass(45)
    expect((await row(id)).booking).to.equal('waiting')
    expect(await admin.at(`${area}/${id}`)).to.show('The CRM hasn’t taken it yet.')
    api.fail(undefined)
    await round('pay.book-waiting')
    await until(async () => (await row(id)).booking === 'booked')
    expect(await booked(id)).to.have.length(1)
  })

  it('that the CRM refuses is left to staff, with the reason in its words', async () => {
    const { payAll, row, admin } = the
    api.fail({ status: 409, json: { error: 'Period {11} is closed.' } })
    const id = await payAll(late)
    await until(async () => (await row(id)).booking === 'manual')
    expect(await admin.at(`${area}/${id}`)).to.show('The CRM did not take it: Period {11} is closed.')
    api.fail(undefined)
    expect((await admin.postAt(`${area}/${id}/booking`)).status).to.equal(303)
    await until(async () => (await row(id)).booking === 'booked')
  })

  it('that does not fit any more is left to staff, who read which invoice and why', async () => {
    const { nadia, admin, due, begin, pay, row, settled } = the
    const [one, other] = [await due(late), await due(next)]
    const { id, url } = await begin(nadia, { document: [one.key, other.key] })
    await copy.owner('invoices').where({ id: other.id }).update({ state: 'void' })
    await pay(url)
    await until(async () => (await row(id)).booking === 'manual')
    await settled()
    expect(api.asked()).to.equal(0)
    expect(await booked(id)).to.deep.equal([])
    expect(await admin.at(`${area}/${id}`)).to.show(`The CRM did not take it: ${next}: ${refusals.cancelled}`)
  })
})

/** How many sessions wait for a lock that another one has. */
const waiting = async ({ owner }: Copy) => {
  const { rows } = await owner.raw(
    `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  )
  return rows[0].n
}

/** The demo's map, and payments are recorded by an API at this address. */
const recordingAt = (url: string): CrmMap => ({
  ...writingMap,
  payments: {
    ...writingMap.payments!,
    record: {
      key: 'reference',
      methods: {
        card: 'card',
        'direct debit': 'direct debit',
        ideal: 'ideal',
        'bank transfer': 'bank transfer',
        other: 'card',
      },
      call: {
        url: `${url}/invoices/{id}/payments`,
        body: { on: '{on}', amount: '{amount}', method: '{method}', reference: '{key}', payer: '{payer}' },
      },
    },
  },
})

/** The demo CRM's own code for payments, as a service: it takes what it is told. */
function bookkeeping({ owner }: Copy) {
  let failing: Answer | 'lost' | undefined
  let asked = 0
  let held = Promise.resolve()
  return {
    asked: () => asked,
    /** Answers nobody until what it returns is called. */
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>()
      held = promise
      return resolve
    },
    fail(how: Answer | 'lost' | undefined) {
      failing = how
    },
    async answer({ url = '' }: { url?: string }, { on, amount, method, reference, payer }: any): Promise<Answer> {
      asked += 1
      await held
      if (failing !== undefined && failing !== 'lost') return failing
      const [id] = /\d+/.exec(url) ?? []
      const invoice = await owner('invoices').where({ id }).first('client_id', 'balance')
      const paid = Number(invoice.balance) === Number(amount)
      await owner('payments').insert({
        ...{ client_id: invoice.client_id, invoice_id: id, paid_on: on, amount, method, reference, payer },
      })
      await owner('invoices')
        .where({ id })
        .update({
          state: paid ? 'paid' : 'partial',
          amount_paid: owner.raw('amount_paid + ?::numeric', [amount]),
          balance: owner.raw('balance - ?::numeric', [amount]),
        })
      return failing === 'lost' ? 0 : 201
    },
  }
}
