import { expect } from 'chai'
import { type Actors, contract, everyPage } from '../../src/crm/contract.ts'
import { methods, Payment, Receipt } from './port.ts'

/** For an adapter's author. Asks for a CRM in which `mine` has made payments in two years, and `theirs` one. */
export const paymentsContract = (actors: () => Promise<Actors>) =>
  contract('payments', actors, ports => {
    it('gives what the port says, the newest first', async () => {
      const { mine } = await ports()
      const items = await everyPage(mine, {})

      expect(items.map(it => Payment.parse(it))).to.deep.equal(items)
      expect(items.map(it => it.on)).to.deep.equal(
        items
          .map(it => it.on)
          .sort()
          .reverse(),
      )
      for (const it of items.slice(0, 20)) {
        const receipt = await mine.find(it.id)
        expect(Receipt.parse(receipt)).to.deep.equal(receipt)
        expect(receipt).to.deep.include(it)
      }
    })

    it('turns pages without a gap or a repetition, in every year and with every method', async () => {
      const { mine } = await ports()
      const years = await mine.years()

      expect(years).to.have.length.above(1)
      expect(years).to.deep.equal(years.toSorted((a, b) => b - a))
      for (const year of [undefined, ...years]) {
        for (const method of [undefined, ...methods]) {
          const { items: all } = await mine.list({ year, method, size: 1000 })
          expect(await everyPage(mine, { year, method }, 3), `${year} ${method}`).to.deep.equal(all)
          for (const it of all) {
            if (year) expect(it.on.slice(0, 4)).to.equal(String(year))
            if (method) expect(it.method).to.equal(method)
          }
        }
      }
      const all = await everyPage(mine, {})
      const told = (await Promise.all(years.map(year => everyPage(mine, { year })))).flat()
      expect(told).to.deep.equal(all)
    })

    it('is searched by number of invoice, reference and amount, in which % and _ are only signs', async () => {
      const { mine } = await ports()
      const [first] = (await mine.list({ size: 1 })).items
      const found = async (search: string) => (await mine.list({ search, size: 1000 })).items.map(it => it.id)

      for (const search of [first!.invoices[0]?.number, first!.reference, first!.amount.amount]) {
        if (search) expect(await found(search), search).to.include(first!.id)
      }
      for (const search of ['%', '_', '\\', 'no such thing']) expect(await found(search), search).to.be.empty
    })
  })
