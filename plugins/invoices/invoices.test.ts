import { expect } from 'chai'
import { extractText, getDocumentProxy } from 'unpdf'
import { adapter } from '../../demo/adapter/adapter.ts'
import type { Crm } from '../../src/index.ts'
import { giroCode } from '../../src/platform/girocode.ts'
import { actors } from '../../test/actors.ts'
import { fresh } from '../../test/database.ts'
import { person, share } from '../../test/links.ts'
import { leave, open, type Visitor } from '../../test/visit.ts'
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
      'More than 90 days overdue',
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

  it('are counted in a search, each filter for itself', async () => {
    const { visit } = await open()
    const owner = await visit('owner')
    const page = await owner.get('/invoices?search=2026-0&size=2')
    const all = (await owner.api('/invoices?search=2026-0&size=100')).body
    expect(all.found).to.include({ all: all.items.length })
    expect(page).to.show(`2 of ${all.found.all} results for “2026-0”`)
    expect(page.text).to.match(new RegExp(`To pay\\s*<span>${all.found.open}<`))
  })

  it('with something to pay say how, to whom and with which reference, on the page and on paper', async () => {
    const { visit } = await open()
    const owner = await visit('owner')
    const { id } = await found(owner, '2026-0107')
    const says = [
      'How to pay',
      'Payable within 30 days.',
      'Brightside Studio B.V.',
      'NL91 ABNA 0417 1643 00',
      'ABNANL2A',
    ]

    const page = await owner.get(`/invoices/${id}`)
    expect(page).to.show(...says, 'data-copy="NL91ABNA0417164300"', 'data-copy="1178.00"', 'data-copy="2026-0107"')
    const { text } = await pdf(owner, `/invoices/${id}/pdf`)
    for (const it of [...says, 'Reference', '€1,178.00']) expect(text).to.include(it)
    const { body } = await owner.api(`/invoices/${id}`)
    expect(body.invoice.account).to.include({ iban: 'NL91 ABNA 0417 1643 00', reference: '2026-0107' })

    const { id: paid } = (await owner.api('/invoices?status=paid')).body.items[0]
    expect(await owner.get(`/invoices/${paid}`)).to.not.show('How to pay')
    expect((await pdf(owner, `/invoices/${paid}/pdf`)).text).to.not.include('How to pay')
  })

  it('by a public link are read and downloaded by anybody who has it, and nothing else', async () => {
    const scene = await open()
    const { path } = await share(scene, { section: 'invoices', number: '2026-0107' })
    const guest = await person(scene)
    const { headers } = await guest.get(path)
    const page = await guest.at(headers.location!)
    expect(page).to.show('Invoice 2026-0107', 'NL91 ABNA 0417 1643 00').and.not.show('Your question', '/team')
    expect((await guest.at(`${headers.location}/pdf`)).headers['content-type']).to.equal('application/pdf')
  })

  it('of euros to an IBAN have a code that a banking app reads, and others none', async () => {
    const { visit, owner: database } = await open()
    const owner = await visit('owner')
    const { id } = await found(owner, '2026-0107')
    const { invoice } = (await owner.api(`/invoices/${id}`)).body

    expect(giroCode(invoice)).to.equal(
      'BCD\n002\n1\nSCT\nABNANL2A\nBrightside Studio B.V.\nNL91ABNA0417164300\nEUR1178.00\n\n\n2026-0107',
    )
    const says = 'QR code for your banking app: €1,178.00 to Brightside Studio B.V., reference 2026-0107'
    expect(await owner.get(`/invoices/${id}`)).to.show(`role="img" aria-label="${says}"`)
    const dollars = (await owner.api('/invoices?search=2026-0118')).body.items[0]
    expect(await owner.get(`/invoices/${dollars.id}`))
      .to.show('How to pay')
      .and.not.show('QR code')

    const other = (account: object, balance = {}) =>
      giroCode({ ...invoice, balance: { ...invoice.balance, ...balance }, account: { ...invoice.account, ...account } })
    for (const iban of ['NL92 ABNA 0417 1643 00', 'NL91', '', null])
      expect(other({ iban }), `${iban}`).to.equal(undefined)
    for (const balance of [{ currency: 'USD' }, { amount: '0.00' }, { amount: '1.005' }, { amount: '1234567890.00' }])
      expect(other({}, balance), JSON.stringify(balance)).to.equal(undefined)
    expect(other({ holder: `A\nB${'x'.repeat(100)}`, bic: null }, { amount: '7' })).to.equal(
      `BCD\n002\n1\nSCT\n\nA B${'x'.repeat(67)}\nNL91ABNA0417164300\nEUR7.00\n\n\n2026-0107`,
    )
    await database('workspaces').update({ iban: 'NL00 0000' })
    expect(await owner.get(`/invoices/${id}`))
      .to.show('NL00 0000')
      .and.not.show('QR code')
  })

  it('of a CRM without IBAN name the account as its country does, and none where it names none', async () => {
    const { visit, owner: database } = await open()
    const busy = await visit('busy')
    const { id } = (await busy.api('/invoices?status=open')).body.items[0]

    expect(await busy.get(`/invoices/${id}`))
      .to.show('Account number', '000 5550 1551', 'Bank code', '000000518')
      .and.not.show('IBAN')
    await database('workspaces').update({ account_no: null, iban: null })
    expect(await busy.get(`/invoices/${id}`)).to.not.show('How to pay')
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

  it('are drawn by month on the first page, with the same numbers as a table', async () => {
    const { visit } = await open()
    const home = await (await visit('owner')).get('/')

    expect(home).to.show(
      'Invoiced and paid',
      'Invoiced and paid by month, in EUR',
      'December 2025',
      'November 2026',
      '€10k',
    )
    expect(home.text.match(/<rect class="c-invoiced"/g)).to.have.length(12)
    expect(await (await visit('newcomer')).get('/')).to.not.show('Invoiced and paid')
  })

  it('make a statement of account, as page, JSON and CSV', async () => {
    const { visit } = await open()
    const owner = await visit('owner')
    const page = await owner.get('/invoices/statement?from=2026-09-01&until=2026-11-21')

    expect(page).to.show(
      'Opening balance',
      'on 1 Sept 2026',
      'Payment, thank you',
      'Closing balance',
      '€10,676.50',
      'US$1,240.50',
    )
    const { body } = await owner.api('/invoices/statement')
    expect(body.statements.map((it: any) => it.closing.amount)).to.include('10676.50')
    const file = await owner.get('/invoices/statement.csv?from=2026-11-01&until=2026-11-21')
    expect(file.headers['content-disposition']).to.equal('attachment; filename=statement-2026-11-01-2026-11-21.csv')
    expect(file.text).to.include('2026-11-20,payment,2026-0107,2026-0107')
    expect(await (await visit('newcomer')).get('/invoices/statement')).to.show('Nothing in this period')
    for (const query of ['from=x&until=y', 'from=2027-01-01&until=2020-01-01', 'until=9999-12-31', 'from=2016-01-01']) {
      expect((await owner.get(`/invoices/statement?${query}`)).status, query).to.equal(200)
    }
  })

  it('page a long statement, newest first, each page with the balance that it begins and ends with', async () => {
    const { visit } = await open()
    const busy = await visit('busy')
    const path = '/invoices/statement?from=2016-01-01&until=2026-11-21'
    const { body } = await busy.api(path)
    const [{ entries, opening, closing }] = body.statements
    const pages = Math.ceil(entries.length / 25)
    expect(pages).to.be.above(100)
    const balances = ({ text }: { text: string }) =>
      [...text.matchAll(/<td class="bal[^>]*>([^<]+)</g)].map(it => Number(it[1]!.replace(/[^\d.-]/g, '')))

    const first = await busy.get(path)
    expect(first.text.length).to.be.below(60_000)
    expect(balances(first)[0]).to.equal(Number(closing.amount))
    expect(balances(first)).to.have.length(27)
    const second = await busy.get(`${path}&page=2`)
    expect(balances(first).at(-1)).to.equal(balances(second)[1])
    const last = await busy.get(`${path}&page=${pages}`)
    expect(balances(last).at(-1)).to.equal(Number(opening.amount))
    for (const odd of ['0', '-1', 'x', '1e9', '99999'])
      expect((await busy.get(`${path}&page=${odd}&currency=${odd}`)).status, odd).to.equal(200)
  })

  it('make the statement a tagged PDF in the language of its reader, with a good name', async () => {
    const { visit, owner: database } = await open()
    const owner = await visit('owner')
    const path = '/invoices/statement.pdf?from=2026-09-01&until=2026-11-21'
    const { headers, body, text } = await pdf(owner, path)
    const file = await getDocumentProxy(new Uint8Array(body))
    const roles = JSON.stringify(await (await file.getPage(1)).getStructTree())
    const { info } = await file.getMetadata()

    expect(headers['content-disposition']).to.equal('inline; filename="Statement of account 2026-09-01 2026-11-21.pdf"')
    for (const it of [
      'Opening balance on 1 Sept 2026',
      'Closing balance on 21 Nov 2026',
      '€10,676.50',
      'US$1,240.50',
      'Acme Bakery',
    ])
      expect(text).to.include(it)
    expect(info).to.include({ Title: 'Statement of account', Author: 'Brightside Agency', Language: 'en-GB' })
    for (const it of ['Document', 'H1', 'Table', 'TH', 'TD']) expect(roles).to.include(`"role":"${it}"`)
    expect(body.toString('latin1')).to.include('pdfuaid:part>1<')

    const spanish = await pdf(owner, `${path}&download`, 'es')
    expect(spanish.headers['content-disposition']).to.include('attachment; filename="Extracto de cuenta 2026-09-01')
    expect(spanish.text).to.include('Saldo final al 21 nov 2026')
    expect((await pdf(await visit('newcomer'), path)).text).to.include('Nothing in this period')
    const { text: foreign } = await pdf(await visit('neighbour'), path)
    expect(foreign)
      .to.include('Halloran & Sons')
      .and.not.match(/Acme|2026-0107|10,676/)
    expect(
      await database('portal.client_activity_logs').where({ event: 'invoices.statement_downloaded' }),
    ).to.have.length(4)
  })

  it('take hostile titles in the statement as text, on the page, on paper and in a spreadsheet', async () => {
    const { visit, owner: database } = await open()
    const owner = await visit('owner')
    const hostile = '=cmd()#eval("1+1") <script>alert(1)</script> $x$'
    await database('invoices').where({ ref_no: '2026-0107' }).update({ subject: hostile })

    expect((await pdf(owner, '/invoices/statement.pdf')).text.replaceAll('\n', ' ')).to.include(hostile)
    expect(await owner.get('/invoices/statement')).to.not.show('<script>alert')
    expect((await owner.get('/invoices/statement.csv')).text).to.include(`"'=cmd()`)
    const { id, invoices } = (await owner.api('/payments?search=2026-0107')).body.items[0]
    expect(invoices[0].title).to.equal(hostile)
    expect((await pdf(owner, `/payments/${id}/pdf`)).text.replaceAll('\n', ' ')).to.include(hostile)
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

  it('come as a PDF with a good name, to read or to keep, and leave a row of activity', async () => {
    const { visit, owner: database } = await open()
    const owner = await visit('owner')
    const { id } = await found(owner, '2026-0107')
    const { headers, body, text } = await pdf(owner, `/invoices/${id}/pdf`)

    expect(headers).to.deep.include({
      'content-type': 'application/pdf',
      'content-disposition': 'inline; filename="Invoice 2026-0107.pdf"',
      'cache-control': 'private, no-store',
    })
    expect(headers['content-security-policy']).to.include("frame-ancestors 'self'").and.include("default-src 'none'")
    expect(body.subarray(0, 8).toString()).to.equal('%PDF-1.7')
    for (const it of ['Invoice 2026-0107', 'Photography on location', 'Tax 21%', '€378.00', '-€1,000.00', '€1,178.00'])
      expect(text).to.include(it)
    expect((await pdf(owner, `/invoices/${id}/pdf?download`)).headers['content-disposition']).to.equal(
      'attachment; filename="Invoice 2026-0107.pdf"',
    )
    expect((await pdf(owner, `/api/v1/invoices/${id}/pdf`)).body.equals(body)).to.equal(true)
    // As the page shows it beside the document.
    await owner.get(`/invoices/${id}/pdf`).set('Sec-Fetch-Dest', 'iframe')
    const rows = await database('portal.client_activity_logs').where({ event: 'invoices.downloaded' })
    expect(rows).to.have.length(3)
    expect(rows[0].subject).to.include({ number: '2026-0107' })
  })

  it('that are credited or cancelled say so in their PDF, in the language of their reader', async () => {
    const { visit, owner: database } = await open()
    const owner = await visit('owner')
    const credited = await found(owner, '2026-0088')
    await database('invoices').where({ id: credited.id }).update({ state: 'void' })
    const path = `/invoices/${credited.id}/pdf`

    const english = (await pdf(owner, path)).text
    for (const it of ['Cancelled', 'Credit note 2026-C009', '-€36.30']) expect(english).to.include(it)
    const spanish = await pdf(owner, path, 'es')
    for (const it of ['Anulada', 'Factura 2026-0088', 'Total de la factura']) expect(spanish.text).to.include(it)
    expect(spanish.headers['content-disposition']).to.include('Factura 2026-0088.pdf')
  })

  it('come as the PDF of the CRM itself where it makes one, under its name in any script', async () => {
    const on = await fresh()
    const plain = adapter(on.database)
    let name = 'Счёт № 7/2026 «Ромашка»'
    const crm: Crm = {
      ...plain,
      connect: (customer, tx) => {
        const ports = plain.connect(customer, tx)
        const invoices = { ...ports.invoices!, pdf: async (id: string) => ({ name, bytes: Buffer.from(`of ${id}`) }) }
        return { ...ports, invoices }
      },
    }
    const { visit } = await open({ on, crm })
    const owner = await visit('owner')
    const { id } = await found(owner, '2026-0107')
    const named = async (it: string) => {
      name = it
      return String((await owner.get(`/invoices/${id}/pdf`)).headers['content-disposition'])
    }

    expect((await owner.get(`/invoices/${id}/pdf`)).body.toString()).to.equal(`of ${id}`)
    expect(await named('Счёт № 7/2026 «Ромашка»')).to.include(
      `; filename*=UTF-8''${encodeURIComponent('Счёт № 7-2026 «Ромашка».pdf')}`,
    )
    expect(await named('../../a"b\r\nSet-Cookie: c\u202efdp.exe')).to.equal(
      'inline; filename="-..-a-bSet-Cookie- cfdp.exe.pdf"',
    )
    expect(await named(' . ')).to.match(/^inline; filename="?document\.pdf"?$/)
    const { id: foreign } = await found(await visit('neighbour'), '')
    expect((await owner.get(`/invoices/${foreign}/pdf`)).status).to.equal(404)
  })
})

const found = async (who: Visitor, number: string) => (await who.api(`/invoices?search=${number}`)).body.items[0]

async function pdf(who: Visitor, path: string, language = 'en-GB') {
  const { headers, body } = await who.get(path).set('Accept-Language', language)
  return { headers, body, text: (await extractText(new Uint8Array(body.slice()), { mergePages: true })).text }
}
