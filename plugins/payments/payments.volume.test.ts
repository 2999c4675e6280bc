import { expect } from 'chai'
import { leave, open } from '../../test/visit.ts'

describe('payments', () => {
  afterEach(leave)

  it('of a client who has made 120,000 are turned by an index, and its file asks for less', async function () {
    this.timeout(60_000)
    const { visit, owner: database } = await open()
    const busy = await visit('busy')
    const { client_id } = await database('invoices').groupBy('client_id').orderByRaw('count(*) desc').first('client_id')
    await database.raw(
      `insert into payments (client_id, invoice_id, paid_on, amount, method)
       select i.client_id, i.id, date '2017-01-01' + n * 25, 1, 'card'
       from invoices i, generate_series(1, 24) n where i.client_id = ?`,
      [client_id],
    )
    await database.raw('vacuum analyze payments')
    const first = await busy.api('/payments?size=20')
    const next = await busy.api(`/payments?size=20&after=${first.body.next}`)
    const early = await busy.api('/payments?year=2018&size=100')
    for (const query of ['', 'year=2018', 'method=cheque', 'method=cash', 'search=nothing'])
      expect((await busy.api(`/payments?${query}`)).status).to.equal(200)

    expect(first.body.items.concat(next.body.items).map((it: any) => it.id)).to.have.length(40)
    expect(early.body.items).to.have.length(100)
    expect(first.body.years).to.include.members([2017, 2018, 2026])
    const file = await busy.get('/payments/list.csv')
    expect(file.status).to.equal(422)
    expect(file).to.show('This period has too many transactions to show.')
  })
})
