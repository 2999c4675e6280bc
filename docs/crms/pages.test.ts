import { expect } from 'chai'
import { pageInCrm } from '../../src/crm/pages.ts'
import alga from './alga-psa/crm.map.ts'
import dolibarr from './dolibarr/crm.map.ts'
import odoo from './odoo/crm.map.ts'

const workspace = { id: '1', slug: 'acme' }
const names = ['DOLIBARR_URL', 'ODOO_URL', 'ALGA_URL']

describe('pages of the CRMs whose maps are kept', () => {
  const before = names.map(it => process.env[it])
  afterEach(() => {
    for (const [at, name] of names.entries())
      if (before[at] === undefined) delete process.env[name]
      else process.env[name] = before[at]
  })

  it('are where each of them has them, once its address is set', () => {
    for (const name of names) delete process.env[name]
    for (const map of [dolibarr, odoo, alga])
      expect(pageInCrm(map, { kind: 'invoices', id: '7', workspace })).to.equal(undefined)
    for (const name of names) process.env[name] = 'https://crm.example'
    const of = (map: typeof odoo, kind: string, id = '7') => pageInCrm(map, { kind, id, workspace })
    expect(of(dolibarr, 'proposals')).to.equal('https://crm.example/comm/propal/card.php?id=7')
    expect(of(dolibarr, 'invoices')).to.equal('https://crm.example/compta/facture/card.php?id=7')
    expect(of(dolibarr, 'clients')).to.equal('https://crm.example/societe/card.php?socid=7')
    expect(of(odoo, 'quotations')).to.equal('https://crm.example/mail/view?model=sale.order&res_id=7')
    expect(of(odoo, 'invoices')).to.equal('https://crm.example/mail/view?model=account.move&res_id=7')
    expect(of(alga, 'quotations')).to.equal('https://crm.example/msp/billing?tab=quotes&quoteId=7&mode=detail')
    expect(of(alga, 'clients')).to.equal('https://crm.example/msp/clients/7')
    expect(of(alga, 'proposals')).to.equal(undefined)
    for (const map of [dolibarr, odoo, alga])
      for (const kind of Object.keys(map.pages ?? {}).filter(it => it !== 'base'))
        expect(of(map, kind, 'a&b=c'), kind).to.match(/=a%26b%3Dc(&|$)|\/a%26b%3Dc$/)
  })
})
