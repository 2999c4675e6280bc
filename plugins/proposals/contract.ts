import { expect } from 'chai'
import { type Actors, contract, everyPage } from '../../src/contract.ts'
import { Overview, Proposal, Summary, sorts, statuses } from './port.ts'

/** For an adapter's author. Asks for a CRM in which `mine` has several proposals, some open, and `theirs` has one. */
export const proposalsContract = (actors: () => Promise<Actors>) =>
  contract('proposals', actors, ports => {
    it('gives what the port says', async () => {
      const { mine } = await ports()
      const items = await everyPage(mine, { sort: 'newest' })

      expect(items.map(it => Summary.parse(it))).to.deep.equal(items)
      for (const { id } of items) {
        const proposal = await mine.find(id)
        expect(Proposal.parse(proposal)).to.deep.equal(proposal)
        expect(proposal).to.deep.include(items.find(it => it.id === id))
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

      expect(open).to.have.length.above(1)
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
  })
