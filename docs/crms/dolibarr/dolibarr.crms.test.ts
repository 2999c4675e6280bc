import { expect } from 'chai'
import { invoicesContract } from '../../../plugins/invoices/contract.ts'
import { paymentsContract } from '../../../plugins/payments/contract.ts'
import { proposalsContract } from '../../../plugins/proposals/contract.ts'
import { type ReceivedPayment, refusals } from '../../../src/crm/received-payment.ts'
import { CrmUnavailable } from '../../../src/http/errors.ts'
import { adapterOf, Conflict, NotFound } from '../../../src/index.ts'
import { dolibarrApi, dolibarrKey, pointDolibarrTo } from '../../../test/crms/dolibarr-api.ts'
import { serving } from '../../../test/serving.ts'
import { customerOf, fixture } from '../fixture.ts'
import kept from './crm.map.ts'

const { record, ...payments } = kept.payments!
const map = { ...kept, payments: { ...payments, record: { ...record!, off: false } } }

describe('Dolibarr by its map', () => {
  const dolibarr = fixture('dolibarr', map)
  const mine = customerOf('1', '1')
  const actors = async () => ({ crm: dolibarr.crm(), mine, theirs: customerOf('1', '2') })

  proposalsContract(actors)
  invoicesContract(actors)
  paymentsContract(actors)

  it('shares one transfer among the invoices that it paid, and leaves open what is left of one', async () => {
    const { payments, invoices } = dolibarr.crm().connect(mine)
    const [both] = (await payments!.list({ search: 'BOTH', size: 5 })).items
    expect(both!.amount).to.deep.equal({ amount: '462.00', currency: 'EUR' })
    expect(both!.invoices.map(it => [it.number, it.amount.amount])).to.deep.equal([
      ['FA2601-0003', '231.00'],
      ['FA2601-0006', '231.00'],
    ])
    const [part] = (await invoices!.list({ sort: 'newest', search: 'FA2601-0001', size: 1 })).items
    expect(part).to.deep.include({ balance: { amount: '199.50', currency: 'EUR' }, status: 'overdue' })
    expect((await payments!.list({ search: 'PART', size: 5 })).items[0]).to.include({
      method: 'card',
      on: '2025-12-02',
    })
  })

  it('asks for a deposit where a proposal has one, in what people type, until it is billed', async () => {
    const { proposals } = dolibarr.crm().connect(mine)
    const one = async (search: string) => (await proposals!.list({ sort: 'newest', search, size: 1 })).items[0]
    expect((await one('PR2601-0001'))?.downPayment).to.deep.equal({ percent: '30' })
    expect((await one('PR2601-0002'))?.downPayment).to.deep.equal({ percent: '33.33' })
    for (const it of ['PR2601-0004', 'PR2601-0012']) expect((await one(it))?.downPayment, it).to.equal(undefined)
    const { items } = await proposals!.downPayments!({ size: 10 })
    expect(items.map(it => it.title)).to.deep.equal(['Four 2'])
  })

  it('reads a status by its number, a description as text, and calls an unknown way to pay other', async () => {
    const { proposals, payments } = dolibarr.crm().connect(mine)
    const { items } = await proposals!.list({ sort: 'newest', size: 100 })
    expect(new Set(items.map(it => it.status))).to.deep.equal(new Set(['open', 'expired', 'accepted', 'declined']))
    const one = await proposals!.find(items[0]!.id)
    expect(one).to.include({ terms: 'Valable 30 jours', owner: 'Claire Blanc' })
    expect(one.lines.map(it => it.title)).to.deep.equal(['Conseil', 'Pose'])
    expect((await payments!.list({ size: 100 })).items.map(it => it.method)).to.include('other')
  })

  describe('a payment of the portal, by its API', () => {
    const api = dolibarrApi(dolibarr.owner)
    let server: Awaited<ReturnType<typeof serving>>
    let forget: () => void
    before(async () => {
      server = await serving(api.answer)
      forget = pointDolibarrTo(server.url)
    })
    beforeEach(() => {
      api.fail(undefined)
      api.heard.length = 0
    })
    after(async () => {
      forget()
      await server.close()
    })

    const record = (it: ReceivedPayment, who = mine) =>
      dolibarr.crm().connect(who).payments!.record!(it).then(
        () => 'booked',
        error => error,
      )
    const booked = (key: string) => dolibarr.owner()('llx_paiement').where({ ref_ext: key })

    it('is booked once for all its invoices, as Dolibarr wants it', async () => {
      const payment = received('one', { 5: '231.00', 2: '100.10' })
      expect(await record(payment)).to.equal('booked')
      expect(await record(payment)).to.equal('booked')
      expect(api.heard).to.deep.equal([
        {
          arrayofamounts: {
            2: { amount: '100.10', multicurrency_amount: '' },
            5: { amount: '231.00', multicurrency_amount: '' },
          },
          ...{ datepaye: '2026-11-20 12:00:00', paymentid: 2, accountid: 3, closepaidinvoices: 'yes' },
          ...{ num_payment: 'pi_1', ref_ext: 'one', comment: 'Anne &lt;Roux&gt;' },
        },
      ])
      const { invoices, payments } = dolibarr.crm().connect(mine)
      expect((await invoices!.find('5')).status).to.equal('paid')
      expect((await invoices!.find('2')).balance.amount).to.equal('130.90')
      const [shown] = (await payments!.list({ search: 'pi_1', size: 5 })).items
      expect(shown).to.deep.include({ on: '2026-11-20', method: 'card', amount: euros('331.10') })
    })

    it('whose answer was lost is not made a second time', async () => {
      api.fail('lost')
      expect(await record(received('lost', { 7: '31.00' }))).to.be.instanceOf(CrmUnavailable)
      api.fail(undefined)
      expect(await record(received('lost', { 7: '31.00' }))).to.equal('booked')
      expect(api.heard).to.have.length(1)
      expect(await booked('lost')).to.have.length(1)
    })

    it('that does not fit is refused before anything is sent, and says why', async () => {
      const dollars = { amount: '10.00', currency: 'USD' }
      const tries: [object, string][] = [
        [received('r', { 10: '231.01' }), refusals.amount],
        [received('r', { 10: '1.00', 3: '1.00' }), `FA2601-0003: ${refusals.paid}`],
        [received('r', { 13: '1.00' }), refusals.cancelled],
        [
          { ...received('r', {}), shares: [{ section: 'invoices', id: '10', number: '', amount: dollars }] },
          refusals.currency,
        ],
        [
          { ...received('r', {}), shares: [{ section: 'orders', id: '10', number: '', amount: euros('1') }] },
          refusals.section,
        ],
      ]
      for (const [it, why] of tries) {
        const refused = await record(it as ReceivedPayment)
        expect(refused, why).to.be.instanceOf(Conflict).and.include({ message: why })
      }
      // A draft, another client's, none at all, and no id.
      for (const id of ['11', '4', '999999', '1 or 1=1']) {
        const missing = await record(received('r', { [id]: '1.00' }))
        expect(missing, id).to.be.instanceOf(NotFound).and.include({ message: refusals.missing })
      }
      expect(api.heard).to.deep.equal([])
      expect(await booked('r')).to.deep.equal([])
    })

    it('that Dolibarr refuses has Dolibarr’s reason', async () => {
      // Somebody else was faster, between our look and the call.
      const { answer } = api
      api.fail(undefined)
      const slow = await serving(async (request, body) => {
        await dolibarr
          .owner()('llx_paiement_facture')
          .insert({ fk_paiement: 2001, fk_facture: 14, multicurrency_amount: '200.00' })
        return answer(request, body)
      })
      process.env.DOLIBARR_URL = slow.url
      const refused = await record(received('late', { 14: '231.00' }))
      process.env.DOLIBARR_URL = server.url
      await slow.close()
      const why = 'Bad Request: Payment amount on invoice ID 14 (231.00) is higher than remain to pay (31.00)'
      expect(refused).to.be.instanceOf(Conflict).and.include({ message: why })
      expect(await booked('late')).to.deep.equal([])
    })

    it('waits while Dolibarr is down or does not take the key', async () => {
      const payment = received('later', { 17: '231.00' })
      for (const status of [404, 429, 500, 503, 0]) {
        api.fail(status)
        expect(await record(payment), String(status)).to.be.instanceOf(CrmUnavailable)
      }
      api.fail(undefined)
      process.env.DOLIBARR_API_KEY = 'another'
      expect(await record(payment)).to.be.instanceOf(CrmUnavailable)
      process.env.DOLIBARR_API_KEY = dolibarrKey
      expect(await booked('later')).to.deep.equal([])
      expect(await record(payment)).to.equal('booked')
      expect(await booked('later')).to.have.length(1)
    })

    it('in another way than Dolibarr knows is refused', async () => {
      await dolibarr.owner()('llx_c_paiement').where({ code: 'VAD' }).update({ code: 'OLD' })
      const refused = await record({ ...received('way', { 19: '1.00' }), method: 'other' })
      expect(refused).to.be.instanceOf(Conflict).and.include({ message: refusals.method })
    })

    it('is left to staff without a bank account', () => {
      expect(adapterOf(kept, dolibarr.database()).connect(mine).payments).not.to.have.property('record')
    })
  })

  it('leaves the database as it was, from migrating to taking away', dolibarr.untouched)
})

const euros = (amount: string) => ({ amount, currency: 'EUR' })

/** A card payment of these invoices. */
const received = (key: string, invoices: Record<string, string>): ReceivedPayment => ({
  ...{ key, on: '2026-11-20', method: 'card', reference: 'pi_1', payer: 'Anne <Roux>', fee: null },
  amount: euros(String(Object.values(invoices).reduce((sum, it) => sum + Number(it), 0))),
  shares: Object.entries(invoices).map(([id, amount]) => ({
    ...{ section: 'invoices', id, number: `FA2601-${id.padStart(4, '0')}`, amount: euros(amount) },
  })),
})
