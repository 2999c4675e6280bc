import { expect } from 'chai'
import { type Actors, contract, everyPage } from '../../src/contract.ts'
import { Invoice, Overview, Statement, Summary, sorts, statuses } from './port.ts'

/** For an adapter's author. Asks for a CRM in which `mine` has paid, open and overdue invoices, and `theirs` has one. */
export const invoicesContract = (actors: () => Promise<Actors>) =>
  contract('invoices', actors, ports => {
    it('gives what the port says', async () => {
      const { mine } = await ports()
      const items = await everyPage(mine, { sort: 'newest' })

      expect(items.map(it => Summary.parse(it))).to.deep.equal(items)
      for (const { id } of items.slice(0, 20)) {
        const invoice = await mine.find(id)
        expect(Invoice.parse(invoice)).to.deep.equal(invoice)
        expect(invoice).to.deep.include(items.find(it => it.id === id))
      }
    })

    it('turns pages without a gap or a repetition, in every order and with every filter', async () => {
      const { mine } = await ports()
      for (const sort of sorts) {
        for (const status of [undefined, ...statuses]) {
          const { items: all } = await mine.list({ sort, status, size: 1000 })
          expect(await everyPage(mine, { sort, status }, 3), `${sort} ${status}`).to.deep.equal(all)
        }
      }
    })

    it('orders them as it says', async () => {
      const { mine } = await ports()
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
    })

    it('sums over the whole company what its lists show', async () => {
      const { mine } = await ports()
      const overview = await mine.overview({ since: ['2000-01-01', '2026-01-01'], monthsFrom: '2026-01-01' })
      const open = await everyPage(mine, { sort: 'newest', status: 'open' })
      const overdue = await everyPage(mine, { sort: 'newest', status: 'overdue' })

      expect(Overview.parse(overview)).to.deep.equal(overview)
      expect(overview.counts).to.include({ open: open.length, overdue: overdue.length })
      expect(cents(overview.due)).to.deep.equal(cents(open.map(it => it.balance)))
      expect(cents(overview.overdue)).to.deep.equal(cents(overdue.map(it => it.balance)))
      expect(cents(overview.ageing.flatMap(it => it.amounts))).to.deep.equal(cents(overview.due))
      expect(overview.oldestDueOn).to.equal(open.map(it => it.dueOn).sort()[0])

      const all = await everyPage(mine, { sort: 'newest' })
      const found = await Promise.all(all.filter(it => it.status !== 'cancelled').map(it => mine.find(it.id)))
      for (const { since, invoiced, paid } of overview.periods) {
        const payments = found.flatMap(it => it.payments.filter(({ on }) => on >= since))
        expect(cents(invoiced), since).to.deep.equal(cents(found.filter(it => it.sentOn >= since).map(it => it.total)))
        expect(cents(paid), since).to.deep.equal(cents(payments.map(it => it.amount)))
      }
      const [, year] = overview.periods
      expect(cents(overview.months.map(it => it.paid))).to.include(cents(year!.paid))
      expect(cents(overview.months.map(it => it.invoiced))).to.include(cents(year!.invoiced))
      expect(overview.months.map(it => it.month)).to.deep.equal(overview.months.map(it => it.month).toSorted())
      expect(overview.periods.map(it => it.since)).to.deep.equal(['2000-01-01', '2026-01-01'])
    })

    it('states an account that goes from opening to closing, and closes with what is due', async () => {
      const { mine } = await ports()
      const all = await mine.statement('2000-01-01', '2100-01-01')
      const later = await mine.statement('2026-07-01', '2026-09-30')
      const { due } = await mine.overview()

      expect(all.map(it => Statement.parse(it))).to.deep.equal(all)
      const open = all.map(it => it.closing).filter(it => Number(it.amount))
      expect(cents(open)).to.deep.equal(cents(due))
      for (const { opening, entries, closing } of [...all, ...later]) {
        const sum = [opening, ...entries.map(it => it.amount)]
        expect(cents(sum)).to.deep.equal(cents([closing]))
        expect(entries.at(-1)?.balance ?? opening).to.deep.equal(closing)
        expect(entries.map(it => it.on)).to.deep.equal(entries.map(it => it.on).toSorted())
      }
      for (const { entries } of later)
        for (const { on } of entries) expect(on >= '2026-07-01' && on <= '2026-09-30').to.equal(true)
      const before = await mine.statement('2000-01-01', '2026-06-30')
      const told = (amounts: { amount: string; currency: string }[]) => cents(amounts.filter(it => Number(it.amount)))
      expect(told(later.map(it => it.opening))).to.deep.equal(told(before.map(it => it.closing)))
    })

    it('adds up, to the cent', async () => {
      const { mine } = await ports()
      for (const { id } of await everyPage(mine, { sort: 'newest' })) {
        const it = await mine.find(id)
        const { discount, net, taxes, total } = it.sums
        const off = discount ? [{ ...discount.amount, amount: `-${discount.amount.amount}` }] : []
        expect(cents([...it.lines.map(line => line.total), ...off]), id).to.deep.equal(cents([net]))
        expect(cents([net, ...taxes.map(tax => tax.amount)]), id).to.deep.equal(cents([total]))
        if (it.status === 'cancelled') continue
        const settled = [...it.payments, ...it.creditNotes].map(({ amount }) => amount)
        expect(cents([it.balance, ...settled]), id).to.deep.equal(cents([total]))
      }
    })

    it('is searched by number, title and amount, in which % and _ are only signs', async () => {
      const { mine } = await ports()
      const [first] = (await mine.list({ sort: 'newest', size: 1 })).items
      const found = async (search: string) =>
        (await mine.list({ sort: 'newest', search, size: 100 })).items.map(it => it.id)

      for (const search of [first!.number, first!.title.toUpperCase(), first!.total.amount]) {
        expect(await found(search), search).to.include(first!.id)
      }
      for (const search of ['%', '_', '\\', 'no such thing']) expect(await found(search), search).to.be.empty
    })
  })

/** Each currency's sum, in its smallest unit. */
function cents(amounts: { amount: string; currency: string }[]): Record<string, bigint> {
  const sums: Record<string, bigint> = {}
  for (const { amount, currency } of amounts) {
    const [, sign, whole, fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(amount) ?? []
    sums[currency] = (sums[currency] ?? 0n) + BigInt(`${sign}${whole}${fraction.padEnd(4, '0')}`)
  }
  return sums
}
