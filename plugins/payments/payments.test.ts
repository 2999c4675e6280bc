import { expect } from 'chai'
import { extractText, getDocumentProxy } from 'unpdf'
import { actors } from '../../test/actors.ts'
import { leave, open, type Visitor } from '../../test/visit.ts'
import { paymentsContract } from './contract.ts'

describe('payments', () => {
  afterEach(leave)

  paymentsContract(actors)

  it('are listed with what they were for, how and when, and lead to a receipt', async () => {
    const { visit } = await open()
    const owner = await visit('billing')
    const { id, invoices } = await found(owner, '2026-0107')

    expect(await owner.get('/payments')).to.show('20 Nov 2026', 'Bank transfer', '€1,000.00', `/payments/${id}"`)
    expect(await owner.get(`/payments/${id}`)).to.show(
      'Received from',
      'Acme Bakery B.V.',
      '€1,000.00 received on 20 Nov 2026',
      'Invoice 2026-0107',
      `/invoices/${invoices[0].id}"`,
    )
    expect(await owner.get('/invoices')).to.show('/portal/brightside/payments"')
    expect(await owner.get(`/invoices/${invoices[0].id}`)).to.show(`/payments/${id}"`)
  })

  it('are filtered by year and by method, and searched', async () => {
    const { visit } = await open()
    const owner = await visit('owner')
    const of = async (query: string) => (await owner.api(`/payments?size=100&${query}`)).body.items

    for (const it of await of('year=2025')) expect(it.on).to.match(/^2025/)
    for (const it of await of('method=card')) expect(it.method).to.equal('card')
    expect((await of('search=1,000.00')).map((it: any) => it.amount.amount)).to.include('1000.00')
    expect(await of('year=1950')).to.deep.equal([])
    expect(await owner.get('/payments?search=nothing+like+it')).to.show('No payments found')
    for (const query of ['year=x', 'year=99999', 'method=x', 'after=x', 'size=0'])
      expect((await owner.get(`/payments?${query}`)).status, query).to.equal(200)
    expect(await (await visit('newcomer')).get('/payments')).to.show(
      'No payments yet',
      'When Brightside Agency receives',
    )
  })

  it('come as a page, a fragment, JSON and CSV', async () => {
    const { visit, owner: database } = await open()
    const owner = await visit('owner')

    expect(await owner.fragment('/payments?year=2026'))
      .to.show('2026-0107')
      .and.not.show('<html', '<h1')
    const { body } = await owner.api('/payments?size=2')
    expect(body).to.have.all.keys('items', 'next', 'years')
    expect(body.years).to.include(2026)
    const file = await owner.get('/payments/list.csv?year=2026')
    expect(file.headers['content-disposition']).to.equal('attachment; filename=payments-2026.csv')
    expect(file.text).to.include('2026-11-20,1000.00,EUR,bank transfer,')
    expect(await database('portal.client_activity_logs').where({ event: 'payments.list_downloaded' })).to.have.length(1)
  })

  it('have a receipt as a tagged PDF in the language of its reader', async () => {
    const { visit } = await open()
    const owner = await visit('owner')
    const { id } = await found(owner, '2026-0107')
    const answer = await owner.get(`/payments/${id}/pdf`).set('Accept-Language', 'es')
    const file = await getDocumentProxy(new Uint8Array(answer.body))
    const { text } = await extractText(file, { mergePages: true })

    expect(answer.headers['content-disposition']).to.equal('inline; filename="Recibo 2026-11-20.pdf"')
    for (const it of ['Recibido, gracias', 'Factura 2026-0107', '1.000,00', 'Transferencia'])
      expect(text).to.include(it)
    expect(answer.body.toString('latin1')).to.include('pdfuaid:part>1<')
  })

  it('are not there while they are switched off, nor is a way to them', async () => {
    const { visit } = await open()
    const [owner, admin] = [await visit('owner'), await visit('admin')]
    const { id, invoices } = await found(owner, '2026-0107')

    await admin.postAt('/settings/client-portal/visibility', {
      'was.payments': 'on',
      'was.invoices': 'on',
      invoices: 'on',
    })
    for (const path of ['/payments', `/payments/${id}`, '/payments/list.csv'])
      expect((await owner.get(path)).status).to.equal(404)
    for (const path of ['/', '/invoices', `/invoices/${invoices[0].id}`])
      expect(await owner.get(path)).to.not.show('/brightside/payments')
  })
})

const found = async (who: Visitor, number: string) => (await who.api(`/payments?search=${number}`)).body.items[0]
