import { expect } from 'chai'
import { extractText } from 'unpdf'
import { actors } from '../../test/actors.ts'
import { leave, open } from '../../test/visit.ts'
import { proposalsContract } from './contract.ts'

describe('proposals', () => {
  afterEach(leave)

  proposalsContract(actors)

  it('are shown with groups, options, discounts, taxes and terms', async () => {
    const { visit } = await open()
    const owner = await visit('owner')
    const [{ id }] = (await owner.api('/proposals?search=P-2026-031')).body.items

    expect(await owner.get(`/proposals/${id}`)).to.show(
      'Winter campaign and shop relaunch, phase two',
      'Expires in 3 days',
      'Returning client',
      'Optional',
      'role="switch"',
      '€13,832.00',
      'Tax 21%',
      '€16,736.72',
      'Terms',
      'Marta Lindqvist',
      'Version',
    )
    expect(await (await visit('viewer')).get(`/proposals/${id}`)).to.show('Not chosen, counts in no total')
  })

  it('that wait come first on the first page, with the verb to do', async () => {
    const { visit } = await open()
    expect(await (await visit('owner')).get('/')).to.show(
      'Needs you now',
      'Winter campaign',
      'the price holds until 24 Nov 2026',
      'Review',
    )
    expect(await (await visit('newcomer')).get('/'))
      .to.show('Nothing has been sent to you yet')
      .and.not.show('Needs you now')
  })

  it('cannot be seen by a role that is for invoices only', async () => {
    const { visit } = await open()
    const billing = await visit('billing')

    expect(await billing.get('/'))
      .to.show('/invoices')
      .and.not.show('/proposals', 'Winter campaign')
    expect((await billing.get('/proposals')).status).to.equal(403)
  })

  it('speak the language of their reader', async () => {
    const { visit } = await open()
    const owner = await visit('owner')
    const [{ id }] = (await owner.api('/proposals?search=P-2026-031')).body.items

    expect(await owner.get(`/proposals/${id}`).set('Accept-Language', 'es-ES')).to.show(
      'lang="es-ES"',
      '16.736,72\u00a0€',
      'Propuestas',
    )
    expect(await owner.get(`/proposals/${id}`).set('Accept-Language', 'en-US')).to.show(
      'lang="en-US"',
      '€16,736.72',
      'Nov 19, 2026',
    )
    expect(await owner.get(`/proposals/${id}`).set('Accept-Language', 'xx, *;q=0.1, zz-!')).to.show('lang="en-GB"')
  })

  it('come as a PDF with groups, options, terms and version, which leaves a row of activity', async () => {
    const { visit, owner: database } = await open()
    const owner = await visit('owner')
    const [{ id }] = (await owner.api('/proposals?search=P-2026-031')).body.items
    const { headers, body } = await owner.get(`/proposals/${id}/pdf`)
    const { text } = await extractText(new Uint8Array(body), { mergePages: true })

    expect(headers['content-disposition']).to.equal('inline; filename="Proposal P-2026-031.pdf"')
    for (const it of ['P-2026-031, version 2', '€16,736.72', 'Not chosen, counts in no total', 'Valid until'])
      expect(text).to.include(it)
    const rows = await database('portal.client_activity_logs').where({ event: 'proposals.downloaded' })
    expect(rows.map(it => it.subject.number)).to.deep.equal(['P-2026-031'])
    expect(await owner.get(`/proposals/${id}`)).to.show(`/portal/brightside/proposals/${id}/pdf`)
    expect((await (await visit('neighbour')).get(`/proposals/${id}/pdf`)).status).to.equal(404)
  })

  it('that are withdrawn say so in their PDF', async () => {
    const { visit, owner: database } = await open()
    const owner = await visit('owner')
    const [{ id }] = (await owner.api('/proposals?search=P-2026-031')).body.items
    await database('proposals').where({ id }).update({ state: 'withdrawn' })
    const { body } = await owner.get(`/proposals/${id}/pdf`)

    expect((await extractText(new Uint8Array(body), { mergePages: true })).text).to.include('Withdrawn')
  })
})
