import { expect } from 'chai'
import { type Actors, contract, everyPage } from '../../src/crm/contract.ts'
import type { Ports } from '../../src/crm/crm.ts'
import { NotFound } from '../../src/http/errors.ts'
import { Offer, type Offers, Overview, Summary, sorts, statuses } from './port.ts'

/**
 * For an adapter's author. Asks for a CRM in which `mine` has several offers of this kind, some open, and `theirs` has
 * one.
 */
export const offersContract = (name: string, actors: () => Promise<Actors>) =>
  contract(name as keyof Ports, actors, bound => {
    const ports = () => bound() as Promise<unknown> as Promise<{ mine: Offers; theirs: Offers }>
    it('gives what the port says', async () => {
      const { mine } = await ports()
      const items = await everyPage(mine, { sort: 'newest' })

      expect(items.map(it => Summary.parse(it))).to.deep.equal(items)
      for (const { id } of items) {
        const offer = await mine.find(id)
        expect(Offer.parse(offer)).to.deep.equal(offer)
        expect(offer).to.deep.include(items.find(it => it.id === id))
      }
    })

    it('gives attachments of mine alone, where it has some', async () => {
      const { mine, theirs } = await ports()
      for (const { id } of await everyPage(mine, { sort: 'newest' })) {
        for (const one of (await mine.find(id)).attachments ?? []) {
          expect(await mine.attachment?.(id, one.id), one.name).to.be.instanceOf(Uint8Array)
          expect(await theirs.attachment?.(id, one.id).catch(error => error), one.name).to.be.instanceOf(NotFound)
        }
        expect(await mine.attachment?.(id, 'nonsense').catch(error => error.name)).to.not.be.instanceOf(Uint8Array)
      }
    })

    it('turns pages without a gap or a repetition, in every order and with every filter', async () => {
      const { mine } = await ports()
      for (const sort of sorts) {
        for (const status of [undefined, ...statuses]) {
          const { items: all } = await mine.list({ sort, status, size: 1000 })
          expect(await everyPage(mine, { sort, status }, 2), `${sort} ${status}`).to.deep.equal(all)
        }
      }
    })

    it('puts first what expires first', async () => {
      const { mine } = await ports()
      const urgent = await everyPage(mine, { sort: 'urgent' })
      const open = urgent.filter(it => it.status === 'open')

      expect(open).to.not.be.empty
      expect(urgent.slice(0, open.length)).to.deep.equal(open)
      const ends = open.map(it => it.validUntil ?? '9999')
      expect(ends).to.deep.equal(ends.toSorted())
    })

    it('counts what its lists show', async () => {
      const { mine } = await ports()
      const overview = await mine.overview()
      expect(Overview.parse(overview)).to.deep.equal(overview)
      for (const status of ['open', 'accepted', 'declined', 'expired'] as const) {
        expect(await everyPage(mine, { sort: 'newest', status }), status).to.have.length(overview.counts[status])
      }
    })

    it('counts what a search finds', async () => {
      const { mine } = await ports()
      for (const search of ['a', '1', 'no such thing']) {
        const counts = await mine.counts?.(search)
        for (const [status, count] of Object.entries(counts ?? {})) {
          const its = status === 'all' ? undefined : (status as 'open')
          expect(await everyPage(mine, { sort: 'newest', status: its, search }), status).to.have.length(count)
        }
      }
    })
  })
