import Big from 'big.js'
import { expect } from 'chai'
import { type Actors, contract, everyPage } from '../../src/crm/contract.ts'
import { Invoice, type Invoices, Overview, Statement, Summary, sorts, statuses } from './port.ts'

/**
 * For an adapter's author. Asks for a CRM in which `mine` has paid, open and overdue invoices, and `theirs` has one.
 */
export const invoicesContract = (actors: () => Promise<Actors>) =>
  contract('invoices', actors, ports => {
    it('gives what the port says', async () => checkShapes((await ports()).mine))
    it('turns pages without a gap or a repetition, in every order and with every filter', async () =>
      checkPages((await ports()).mine))
    it('orders them as it says', async () => checkOrders((await ports()).mine))
    it('sums over the whole company what its lists show', async () => checkOverview((await ports()).mine))
    it('states an account that goes from opening to closing, and closes with what is due', async () =>
      checkStatements((await ports()).mine))
    it('adds up, to the cent', async () => checkAmounts((await ports()).mine))
    it('is searched by number, title and amount, in which % and _ are only signs', async () =>
      checkSearch((await ports()).mine))
  })

async function checkShapes(mine: Invoices) {
  const items = await everyPage(mine, { sort: 'newest' })

  expect(items.map(it => Summary.parse(it))).to.deep.equal(items)
  for (const { id } of items.slice(0, 20)) {
    const invoice = await mine.find(id)
    expect(Invoice.parse(invoice)).to.deep.equal(invoice)
    expect(invoice).to.deep.include(items.find(it => it.id === id))
  }
}

async function checkPages(mine: Invoices) {
  for (const sort of sorts) {
    for (const status of [undefined, ...statuses]) {
      const { items: all } = await mine.list({ sort, status, size: 1000 })
      expect(await everyPage(mine, { sort, status }, 3), `${sort} ${status}`).to.deep.equal(all)
    }
  }
}

async function checkOrders(mine: Invoices) {
  const urgent = await everyPage(mine, { sort: 'urgent' })
  const waiting = urgent.filter(it => it.status === 'open' || it.status === 'overdue')
  const newest = await everyPage(mine, { sort: 'newest' })

  expect(waiting).to.have.length.above(1)
  expect(urgent.slice(0, waiting.length)).to.deep.equal(waiting)
  expect(waiting.map(it => it.dueOn)).to.deep.equal(waiting.map(it => it.dueOn).sort())
  expect(newest.map(it => it.sentOn)).to.deep.equal(
    newest
      .map(it => it.sentOn)
      .sort()
      .reverse(),
  )
}

async function checkOverview(mine: Invoices) {
  const overview = await mine.overview({ since: ['2000-01-01', '2026-01-01'], monthsFrom: '2026-01-01' })
  const open = await everyPage(mine, { sort: 'newest', status: 'open' })
  const overdue = await everyPage(mine, { sort: 'newest', status: 'overdue' })

  expect(Overview.parse(overview)).to.deep.equal(overview)
  expect(overview.counts).to.include({ open: open.length, overdue: overdue.length })
  const all = await everyPage(mine, { sort: 'newest' })
  expect(nonzero(sumsOf(overview.due))).to.deep.equal(nonzero(sumsOf(all.map(it => it.balance))))
  expect(sumsOf(overview.overdue)).to.deep.equal(sumsOf(overdue.map(it => it.balance)))
  expect(sumsOf(overview.ageing.flatMap(it => it.amounts))).to.deep.equal(sumsOf(overview.due))
  expect(overview.oldestDueOn).to.equal(open.map(it => it.dueOn).sort()[0])
  await checkPeriods(mine, overview)
}

/** What was invoiced and paid in each period and month. */
async function checkPeriods(mine: Invoices, overview: Overview) {
  const all = await everyPage(mine, { sort: 'newest' })
  const found = await Promise.all(all.filter(it => it.status !== 'cancelled').map(it => mine.find(it.id)))
  for (const { since, invoiced, paid } of overview.periods) {
    const payments = found.flatMap(it => it.payments.filter(({ on }) => on >= since))
    expect(sumsOf(invoiced), since).to.deep.equal(sumsOf(found.filter(it => it.sentOn >= since).map(it => it.total)))
    expect(sumsOf(paid), since).to.deep.equal(sumsOf(payments.map(it => it.amount)))
  }
  const [, year] = overview.periods
  expect(sumsOf(overview.months.map(it => it.paid))).to.include(sumsOf(year!.paid))
  expect(sumsOf(overview.months.map(it => it.invoiced))).to.include(sumsOf(year!.invoiced))
  expect(overview.months.map(it => it.month)).to.deep.equal(overview.months.map(it => it.month).toSorted())
  expect(overview.periods.map(it => it.since)).to.deep.equal(['2000-01-01', '2026-01-01'])
}

async function checkStatements(mine: Invoices) {
  const all = await mine.statement('2000-01-01', '2100-01-01')
  const later = await mine.statement('2026-07-01', '2026-09-30')
  const { due } = await mine.overview()

  expect(all.map(it => Statement.parse(it))).to.deep.equal(all)
  const open = all.map(it => it.closing).filter(it => Number(it.amount))
  expect(sumsOf(open)).to.deep.equal(nonzero(sumsOf(due)))
  for (const { opening, entries, closing } of [...all, ...later]) {
    const sum = [opening, ...entries.map(it => it.amount)]
    expect(sumsOf(sum)).to.deep.equal(sumsOf([closing]))
    expect(entries.at(-1)?.balance ?? opening).to.deep.equal(closing)
    expect(entries.map(it => it.on)).to.deep.equal(entries.map(it => it.on).toSorted())
  }
  for (const { entries } of later)
    for (const { on } of entries) expect(on >= '2026-07-01' && on <= '2026-09-30').to.equal(true)
  const before = await mine.statement('2000-01-01', '2026-06-30')
  const told = (amounts: { amount: string; currency: string }[]) => sumsOf(amounts.filter(it => Number(it.amount)))
  expect(told(later.map(it => it.opening))).to.deep.equal(told(before.map(it => it.closing)))
}

async function checkAmounts(mine: Invoices) {
  for (const { id } of await everyPage(mine, { sort: 'newest' })) {
    const it = await mine.find(id)
    const { discount, previous, net, taxes, total } = it.sums
    const off = [discount?.amount, previous].flatMap(one => (one ? [{ ...one, amount: `-${one.amount}` }] : []))
    expect(sumsOf([...it.lines.map(line => line.total), ...off]), id).to.deep.equal(sumsOf([net]))
    expect(sumsOf([net, ...taxes.map(tax => tax.amount)]), id).to.deep.equal(sumsOf([total]))
    if (it.status === 'cancelled') {
      expect(Number(it.balance.amount), id).to.equal(0)
      continue
    }
    const settled = [...it.payments, ...it.creditNotes].map(({ amount }) => amount)
    if (it.adjustment) settled.push(it.adjustment)
    expect(sumsOf([it.balance, ...settled]), id).to.deep.equal(sumsOf([total]))
  }
}

async function checkSearch(mine: Invoices) {
  const [first] = (await mine.list({ sort: 'newest', size: 1 })).items
  const found = async (search: string) =>
    (await mine.list({ sort: 'newest', search, size: 100 })).items.map(it => it.id)

  for (const search of [first!.number, first!.title.toUpperCase(), first!.total.amount]) {
    expect(await found(search), search).to.include(first!.id)
  }
  for (const search of ['%', '_', '\\', 'no such thing']) expect(await found(search), search).to.be.empty
  for (const search of [first!.title, '1', 'no such thing']) await checkCounts(mine, search)
}

async function checkCounts(mine: Invoices, search: string) {
  const counts = await mine.counts?.(search)
  const listed = async (status?: 'open' | 'overdue' | 'paid') =>
    (await everyPage(mine, { sort: 'newest', status, search })).length
  const [all, open, overdue, paid] = await Promise.all([listed(), listed('open'), listed('overdue'), listed('paid')])
  if (counts) expect(counts, search).to.deep.equal({ all, open, overdue, paid })
}

const nonzero = (sums: Record<string, string>) =>
  Object.fromEntries(Object.entries(sums).filter(([, amount]) => Number(amount)))

/** Each currency's sum. */
function sumsOf(amounts: { amount: string; currency: string }[]): Record<string, string> {
  const sums: Record<string, string> = {}
  for (const { amount, currency } of amounts)
    sums[currency] = Big(amount)
      .plus(sums[currency] ?? 0)
      .toString()
  return sums
}
