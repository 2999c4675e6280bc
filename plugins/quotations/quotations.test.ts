import { expect } from 'chai'
import { actors } from '../../test/actors.ts'
import { leave, open } from '../../test/visit.ts'
import { quotationsContract } from './contract.ts'

describe('quotations', () => {
  afterEach(leave)

  quotationsContract(actors)

  it('are read like proposals, in words of their own', async () => {
    const { visit } = await open()
    const owner = await visit('owner')
    const [first] = (await owner.api('/quotations?sort=newest')).body.items

    expect(await owner.get('/quotations'))
      .to.show(first.number, 'Search quotations')
      .and.not.show('proposal ')
    expect(await owner.get(`/quotations/${first.id}`)).to.show(first.number, 'Quotation', 'Version')
    expect((await owner.api(`/quotations/${first.id}`)).body.quotation).to.include({ number: first.number })
    expect(await owner.get('/activity')).to.show(`looked at quotation ${first.number}`)
  })

  it('agree in Spanish with what they are: one in its badge, several above the list', async () => {
    const { visit } = await open()
    const owner = await visit('owner')
    const inSpanish = (path: string) => owner.get(path).set('Accept-Language', 'es')
    const words = (text: string) => text.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ')
    const [quotations, proposals, invoices] = await Promise.all(
      ['/quotations', '/proposals', '/invoices'].map(async it => words((await inSpanish(it)).text)),
    )
    expect(quotations).to.match(/Todos 4 Pendientes 1 Aceptados 1 Rechazados 0 Caducados 1 /)
    expect(quotations).to.match(/ Aceptado .* Retirado /)
    expect(proposals).to.match(/Todas \d+ Pendientes \d+ Aceptadas \d+ Rechazadas \d+ Caducadas \d+ /)
    expect(proposals).to.match(/ Aceptada .* Rechazada /)
    expect(invoices).to.match(/Todas \d+ Por pagar \d+ Vencidas \d+ Pagadas \d+ /)
  })
})
