import { expect } from 'chai'
import { actors } from '../../test/actors.ts'
import { leave, open } from '../../test/visit.ts'
import { invoicesContract } from './contract.ts'

describe('invoices', () => {
  afterEach(leave)

  invoicesContract(actors)

  it('are told with what is due and overdue over the whole company', async () => {
    const { visit } = await open()
    const owner = await visit('owner')

    expect(await owner.get('/invoices?size=2')).to.show(
      '€10,676.50',
      'and US$1,240.50',
      '€5,050.00',
      'Overdue 24 days',
      'More than 90 days late',
    )
    expect(await owner.get('/')).to.show('2 invoices are overdue', 'The oldest by 24 days', '€5,050.00', '€10,676.50')
  })

  it('are shown with lines, taxes, payments, credit notes and what is left', async () => {
    const { visit } = await open()
    const owner = await visit('owner')
    const { body } = await owner.api('/invoices?search=2026-0107')
    const [{ id }] = body.items

    expect(body.items[0]).to.deep.include({ balance: { amount: '1178.00', currency: 'EUR' }, status: 'overdue' })
    expect(await owner.get(`/invoices/${id}`)).to.show(
      'Photography on location',
      'Tax 21%',
      '€378.00',
      'Still open',
      '€1,178.00',
      '-€1,000.00',
      'Was due on 28 Oct 2026',
    )
    const credited = await owner.api('/invoices?search=2026-0088')
    expect(await owner.get(`/invoices/${credited.body.items[0].id}`)).to.show('Credit note 2026-C009', '-€36.30')
  })

  it('that somebody looked at leave one row of activity, with who and from where', async () => {
    const { visit, owner: database } = await open()
    const owner = await visit('billing')
    const [{ id }] = (await owner.api('/invoices?search=2026-0107')).body.items
    await owner.get(`/invoices/${id}`).set('User-Agent', 'a phone')
    const rows = await database('portal.client_activity_logs').where({ event: 'invoices.viewed' })

    expect(rows).to.have.length(1)
    expect(rows[0]).to.include({
      subject_id: id,
      actor_kind: 'client',
      actor_name: 'Pieter van der Meulen-Oosterhuis',
      agent: 'a phone',
    })
    expect(rows[0].subject).to.include({ number: '2026-0107' })
    expect(rows[0].subject).to.not.have.any.keys('lines', 'to')
  })

  it('come as a page, a fragment or JSON', async () => {
    const { visit } = await open()
    const owner = await visit('owner')

    expect(await owner.get('/invoices')).to.show('<html', '2026-0107')
    expect(await owner.fragment('/invoices'))
      .to.show('2026-0107')
      .and.not.show('<html', '<h1')
    const { body, type } = await owner.api('/invoices?size=3')
    expect(type).to.equal('application/json')
    expect(body).to.have.all.keys('items', 'next', 'overview')
    expect(body.items).to.have.length(3)
  })

  it('of the busiest client are counted to a thousand, and paged', async () => {
    const { visit } = await open()
    const busy = await visit('busy')
    const { body } = await busy.api('/invoices?size=100')

    expect(body.items).to.have.length(100)
    expect(body.overview.counts.all).to.equal(1001)
    expect(await busy.get('/invoices')).to.show('1,000+')
  })

  it('are not there while the workspace has them switched off', async () => {
    const { visit } = await open()
    const [owner, admin] = [await visit('owner'), await visit('admin')]
    const [{ id }] = (await owner.api('/invoices')).body.items

    await admin.postAt('/settings/client-portal/visibility', { 'was.invoices': 'on' })
    for (const path of ['/invoices', `/invoices/${id}`]) expect((await owner.get(path)).status).to.equal(404)
    expect((await owner.api('/invoices')).status).to.equal(404)
    expect(await owner.get('/'))
      .to.include({ status: 200 })
      .and.not.show('/invoices', 'overdue')

    await admin.postAt('/settings/client-portal/visibility', { 'was.invoices': 'off', invoices: 'on' })
    expect((await owner.get('/invoices')).status).to.equal(200)
  })
})
