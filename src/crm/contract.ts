import { expect } from 'chai'
import { NotFound } from '../http/errors.ts'
import type { Page } from '../http/paging.ts'
import type { Crm, Customer, Ports } from './crm.ts'

/** Two customers of one CRM: what belongs to one, the other must not reach. */
export interface Actors {
  crm: Crm
  mine: Customer
  theirs: Customer
}

interface Listing {
  list(filter: any): Promise<Page<any>>
  find(id: string): Promise<any>
  pdf?(id: string): Promise<any>
}

/** What every port that lists and finds must hold, and then what is particular to one. Runs under mocha. */
export function contract<Name extends keyof Ports>(
  name: Name,
  actors: () => Promise<Actors>,
  particular: (ports: () => Promise<{ mine: Ports[Name]; theirs: Ports[Name] }>) => void,
) {
  const ports = async () => {
    const { crm, mine, theirs } = await actors()
    return { mine: crm.connect(mine)[name] as Ports[Name], theirs: crm.connect(theirs)[name] as Ports[Name] }
  }

  describe(`the contract of ${name}`, () => {
    it('lists and finds only mine', async () => {
      const { mine, theirs } = (await ports()) as { mine: Listing; theirs: Listing }
      const [ours, foreign] = [await everyPage(mine, { sort: 'newest' }), await everyPage(theirs, { sort: 'newest' })]

      expect(ours).to.not.be.empty
      expect(foreign).to.not.be.empty
      expect(ours.map(it => it.id)).to.not.include.members(foreign.map(it => it.id))
      for (const id of [...foreign.map(it => it.id), 'nonsense', '', '-1', '1.5', '99999999999', 'x'.repeat(1000)]) {
        expect(await refusal(mine.find(id)), id).to.be.instanceOf(NotFound)
      }
    })

    it('gives the CRM’s own PDF of mine alone, where it has one', async () => {
      const { mine, theirs } = (await ports()) as { mine: Listing; theirs: Listing }
      const [ours, foreign] = [await everyPage(mine, { sort: 'newest' }), await everyPage(theirs, { sort: 'newest' })]
      for (const { id } of ours.slice(0, 20)) {
        const own = await mine.pdf?.(id)
        if (own) expect(Buffer.from(own.bytes).toString('latin1', 0, 1024)).to.include('%PDF-')
      }
      for (const { id } of foreign.slice(0, 20)) {
        const own = await mine.pdf?.(id).catch(error => error)
        if (own !== undefined) expect(own, id).to.be.instanceOf(NotFound)
      }
    })

    it('takes a page token that it did not make for the first page', async () => {
      const { mine } = (await ports()) as { mine: Listing }
      const first = await mine.list({ sort: 'newest', size: 2 })
      for (const after of ['nonsense', '', 'W10', 'bnVsbA', Buffer.from('{"a":1}').toString('base64url')]) {
        expect(await mine.list({ sort: 'newest', size: 2, after }), after).to.deep.equal(first)
      }
    })

    particular(ports)
  })
}

/** All that a list has, page by page. */
export async function everyPage<T>(
  port: { list(filter: any): Promise<Page<T>> },
  filter: object,
  size = 50,
): Promise<T[]> {
  const items: T[] = []
  let after: string | undefined
  do {
    const page = await port.list({ ...filter, size, after })
    items.push(...page.items)
    after = page.next ?? undefined
  } while (after)
  return items
}

const refusal = (asked: Promise<unknown>) =>
  asked.then(
    () => undefined,
    error => error,
  )

/** What the contacts of a directory must hold, and changes of them where the CRM takes any. Runs under mocha. */
export function contactsContract(actors: () => Promise<Actors>) {
  const contactsOf = async ({ crm, mine, theirs }: Actors) =>
    Promise.all([mine, theirs].map(it => crm.directory.contacts(it.workspace, it.client.id)))

  describe('the contract of contacts', () => {
    it('lists only mine, each with a name and an address', async () => {
      const [mine = [], theirs = []] = await contactsOf(await actors())
      expect(mine).to.not.be.empty
      expect(theirs).to.not.be.empty
      expect(mine.map(it => it.id)).to.not.include.members(theirs.map(it => it.id))
      for (const it of mine)
        expect(it.name && it.email, it.id)
          .to.be.a('string')
          .and.not.equal('')
    })

    it('changes what it says that it changed, of mine alone, and again without harm', async () => {
      const its = await actors()
      const { crm, mine } = its
      const change = { name: 'Changed Person', email: 'changed@contract.example', phone: '+31 20 555 0199' }
      const before = await contactsOf(its)
      const [[own] = [], [foreign] = []] = before
      if (!crm.directory.changeContact || !own || !foreign) return
      const of = (contact: string) => ({ client: mine.client.id, contact })
      for (const id of [foreign.id, 'nonsense', '', '-1', '99999999999', 'x'.repeat(1000)])
        expect(await crm.directory.changeContact(mine.workspace, of(id), change).catch(() => []), id).to.be.empty
      expect(await contactsOf(its)).to.deep.equal(before)

      const changed = await crm.directory.changeContact(mine.workspace, of(own.id), change)
      expect(await crm.directory.changeContact(mine.workspace, of(own.id), change)).to.deep.equal(changed)
      const [after = [], theirs = []] = await contactsOf(its)
      const now = after.find(it => it.id === own.id)
      for (const field of changed) expect(now?.[field], field).to.equal(change[field])
      expect({ ...now, ...Object.fromEntries(changed.map(it => [it, own[it]])) }).to.deep.equal(own)
      expect(theirs).to.deep.include(foreign)
      expect(await crm.directory.changeContact(mine.workspace, of(own.id), {})).to.be.empty
    })
  })
}
