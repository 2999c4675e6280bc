import { expect } from 'chai'
import { extractText } from 'unpdf'
import { build, phone } from './pages/browsing.ts'
import { leave, open, type Role, type Scene, type Visitor } from './visit.ts'

describe('at the edges', () => {
  afterEach(leave)

  for (const [currency, amount, shown] of [
    ['JPY', '1234567', 'JP¥1,234,567'],
    ['KWD', '1234.567', 'KWD 1,234.567'],
    ['BHD', '0.005', 'BHD 0.005'],
  ] as const) {
    it(`${currency} is written with as many decimals as it has, wherever an amount stands`, async () => {
      const scene = await open()
      const newcomer = await scene.visit('newcomer')
      const [paid, unpaid] = await threeDecimals(scene, { currency, amount })
      const says = (text: string) => text.replaceAll('\u00a0', ' ')

      for (const path of [
        '/',
        '/invoices',
        `/invoices/${paid}`,
        `/invoices/${unpaid}`,
        '/invoices/statement',
        '/payments',
        `/payments/${await only(newcomer, '/payments')}`,
      ])
        expect(says((await newcomer.get(path)).text), path).to.include(shown)
      for (const path of [`/invoices/${unpaid}/pdf`, '/invoices/statement.pdf'])
        expect(says(await textOf(newcomer, path)), path).to.include(shown)
      for (const path of ['/invoices/statement.csv', '/payments/list.csv'])
        expect((await newcomer.get(path)).text, path).to.include(amount)
      const { items, overview } = (await newcomer.api('/invoices')).body
      expect(Number(items[0].total.amount)).to.equal(Number(amount))
      expect(overview.due.map((it: any) => Number(it.amount))).to.deep.equal([Number(amount)])
    })
  }

  it('a tax of thousandths is not rounded to hundredths, nor is a month of the chart', async () => {
    const scene = await open()
    const newcomer = await scene.visit('newcomer')
    const [, unpaid] = await threeDecimals(scene, {
      currency: 'KWD',
      amount: '10.610',
      net: '10.105',
      tax: '0.505',
      percent: '5',
    })

    const { invoice } = (await newcomer.api(`/invoices/${unpaid}`)).body
    expect(invoice.sums.taxes).to.deep.equal([{ percent: '5', amount: { amount: '0.505', currency: 'KWD' } }])
    expect(await newcomer.get('/')).to.show('Invoiced and paid by month, in KWD', 'KWD\u00a010.610')
  })

  it('pages go on from an amount of three decimals', async () => {
    const scene = await open()
    const newcomer = await scene.visit('newcomer')
    await threeDecimals(scene, { currency: 'KWD', amount: '10.505' })

    const first = (await newcomer.api('/invoices?sort=amount&size=1')).body
    const second = (await newcomer.api(`/invoices?sort=amount&size=1&after=${first.next}`)).body
    expect(second.items[0].id).to.not.equal(first.items[0].id)
  })

  it('several currencies of one client are never added up', async () => {
    const { visit } = await open()
    const owner = await visit('owner')

    for (const path of ['/', '/invoices']) expect(await owner.get(path), path).to.show('€10,676.50', 'US$1,240.50')
    const { statements } = (await owner.api('/invoices/statement?from=2020-01-01')).body
    expect(statements.map((it: any) => it.opening.currency)).to.have.members(['EUR', 'GBP', 'USD'])
    for (const { opening, entries, closing } of statements)
      for (const it of [...entries.map((entry: any) => entry.balance), closing])
        expect(it.currency).to.equal(opening.currency)
  })

  it('a browser without a language is spoken to in English', async () => {
    const { visit } = await open()
    const owner = await visit('owner')

    for (const header of [undefined, '', '*', 'x', ';;;q=', 'tlh, xx;q=0.5', '-'.repeat(5_000)]) {
      const asked = owner.get('/invoices')
      const page = await (header === undefined ? asked : asked.set('Accept-Language', header))
      expect(page, header).to.show('<html lang="en-GB"', 'To pay', '28 Oct 2026')
    }
  })

  it('decides what is due by the workspace’s date, not by the reader’s time zone', async () => {
    // The twenty-first is over on Kiritimati and has just begun in Pago Pago.
    const scene = await open({ at: '2026-11-21T11:30:00Z' })
    await scene.owner('workspaces').where({ slug: 'brightside' }).update({ time_zone: 'Pacific/Kiritimati' })
    await scene
      .owner('invoices')
      .where({ ref_no: '2026-0118' })
      .update({ due_on: '2026-11-21', issued_on: '2026-11-01', state: 'sent' })
    const owner = await scene.visit('owner')
    const late = async () => (await owner.api('/invoices?search=2026-0118')).body.items[0]

    expect(await late()).to.include({ status: 'overdue', dueOn: '2026-11-21' })
    await owner.post('/account', { language: '', timeZone: 'Pacific/Pago_Pago', theme: '' })
    const { id, status } = await late()
    expect(status).to.equal('overdue')
    expect(await owner.get(`/invoices/${id}`)).to.show('Overdue 1 day', 'Was due on 21 Nov 2026')
    expect((await owner.api('/invoices/statement')).body.statements).to.not.be.empty
    expect(await owner.get('/invoices/statement')).to.show('value="2026-11-22"')
  })

  it('what is due today is not overdue yet', async () => {
    // The twentieth has half an hour to go in Pago Pago.
    const scene = await open({ at: '2026-11-21T10:30:00Z' })
    await scene.owner('workspaces').where({ slug: 'brightside' }).update({ time_zone: 'Pacific/Pago_Pago' })
    await scene
      .owner('invoices')
      .where({ ref_no: '2026-0118' })
      .update({ due_on: '2026-11-20', issued_on: '2026-11-01', state: 'sent' })
    const owner = await scene.visit('owner')

    const [it] = (await owner.api('/invoices?search=2026-0118')).body.items
    expect(it).to.include({ status: 'open', dueOn: '2026-11-20' })
  })

  it('explains each empty page to a client without documents', async () => {
    const { visit } = await open()
    const newcomer = await visit('newcomer')

    for (const [path, what, why] of [
      ['/', 'Nothing has been sent to you yet', 'What Brightside Agency sends you appears here.'],
      ['/invoices', 'No invoices yet', 'When Brightside Agency sends you one, it appears here.'],
      ['/invoices/statement', 'Nothing in this period', 'Invoices, payments and credit notes appear here'],
      ['/payments', 'No payments yet', 'When Brightside Agency receives a payment from you'],
      ['/proposals', 'No proposals yet', 'When Brightside Agency sends you one, it appears here.'],
      ['/quotations', 'No quotations yet', 'When Brightside Agency sends you one, it appears here.'],
    ] as const)
      expect(await newcomer.get(path), path).to.show(what, why)
    expect(await textOf(newcomer, '/invoices/statement.pdf')).to.include('Nothing in this period')
    expect((await newcomer.get('/payments/list.csv')).text.trim().split('\n')).to.have.length(1)
  })

  it('five thousand invoices are searched, sorted and turned', async () => {
    const { visit } = await open()
    const busy = await visit('busy')

    for (const query of ['', 'sort=amount', 'sort=newest&status=paid', 'search=nothing+like+it', 'search=1,2']) {
      expect((await busy.get(`/invoices?${query}`)).status).to.equal(200)
    }
  })

  it('a name of 300 characters and a word of 300 letters stay on a phone, and on paper', async function () {
    this.timeout(60_000)
    const stage = await build()
    try {
      const { scene } = stage
      const word = 'Donaudampfschifffahrt'.repeat(15).slice(0, 300)
      const long = 'Everything that was agreed in the corridor '.repeat(8).slice(0, 300)
      const paths = await longNames(scene, word, long)
      const page = await stage.visit('owner', { viewport: phone })
      for (const path of paths) {
        await page.goto(stage.homeOf('owner') + path)
        const found = await page.evaluate(() => [...probes.sticksOut(), ...probes.spills()])
        expect(found, path).to.deep.equal([])
      }
      const owner = await scene.visit('owner')
      const [, invoice] = paths
      const text = (await textOf(owner, `${invoice}/pdf`)).replaceAll(/\s/g, '')
      expect(text).to.include(word).and.include(long.replaceAll(' ', ''))
    } finally {
      await stage.close()
    }
  })
})

/** The CRM with room for thousandths, and for the newcomer a paid invoice of last month and an unpaid one of this. */
async function threeDecimals(
  { owner }: Scene,
  it: { currency: string; amount: string; net?: string; tax?: string; percent?: string },
) {
  await owner.raw('drop view client_balances')
  const wider = (table: string, columns: string[]) =>
    owner.raw(`alter table ${table} ${columns.map(column => `alter ${column} type numeric(15,3)`).join(', ')}`)
  await wider('invoices', ['net_total', 'tax_total', 'grand_total', 'amount_paid', 'amount_credited', 'balance'])
  await wider('invoice_lines', ['line_total'])
  await wider('payments', ['amount'])
  const { id: client_id, workspace_id } = await clientOf(owner, 'newcomer')
  const { currency, amount, net = amount, tax = '0', percent = '0' } = it
  const ids: number[] = []
  for (const [at, issued_on] of ['2026-10-01', '2026-11-10'].entries()) {
    const [paid, balance] = at ? ['0', amount] : [amount, '0']
    const [{ id }] = await owner('invoices')
      .insert({
        ...{
          workspace_id,
          client_id,
          ref_no: `E-${at}`,
          subject: 'At the edge',
          state: at ? 'sent' : 'paid',
          issued_on,
        },
        ...{ due_on: '2026-12-10', currency_code: currency, net_total: net, tax_total: tax, grand_total: amount },
        ...{ amount_paid: paid, balance },
      })
      .returning('id')
    const line = {
      invoice_id: id,
      position: 1,
      title: 'The whole document',
      unit_price: net,
      tax_pct: percent,
      line_total: net,
    }
    await owner('invoice_lines').insert(line)
    if (!at)
      await owner('payments').insert({ client_id, invoice_id: id, paid_on: '2026-10-06', amount, method: 'card' })
    ids.push(id)
  }
  return ids
}

/** The owner's company and papers with names that long; where they stand. */
async function longNames({ owner }: Scene, word: string, long: string): Promise<string[]> {
  for (const change of [
    'clients alter company_name type text, alter legal_name type text',
    'invoices alter subject type text, alter po_number type text',
    'invoice_lines alter title type text',
    'payments alter payer type text, alter reference type text',
  ])
    await owner.raw(`alter table ${change}`)
  const { id: client } = await clientOf(owner, 'owner')
  await owner('clients').where({ id: client }).update({ company_name: word, legal_name: word })
  await owner('portal.client_memberships')
    .update({ client_name: word })
    .where({ client_id: String(client) })
  const { id } = await owner('invoices').where({ client_id: client, ref_no: '2026-0107' }).first('id')
  await owner('invoices').where({ client_id: client }).update({ subject: word })
  await owner('invoices')
    .where({ id })
    .update({ subject: long, po_number: word.slice(0, 60) })
  await owner('invoice_lines').where({ invoice_id: id }).update({ title: word })
  await owner('payments').where({ client_id: client }).update({ payer: word, reference: word })
  const { id: payment } = await owner('payments').where({ invoice_id: id }).first('id')
  return ['/invoices', `/invoices/${id}`, '/invoices/statement', '/payments', `/payments/${payment}`, '/', '/account']
}

async function clientOf(owner: Scene['owner'], role: Role) {
  const name = { newcomer: 'Quiet Harbour Books', owner: 'Acme Bakery' }[role as 'newcomer' | 'owner']
  return owner('clients').where({ company_name: name }).first('id', 'workspace_id')
}

const only = async (who: Visitor, path: string) => (await who.api(path)).body.items[0].id

const textOf = async (who: Visitor, path: string) =>
  (await extractText(new Uint8Array((await who.get(path)).body), { mergePages: true })).text
