import { buffer } from 'node:stream/consumers'
import { expect } from 'chai'
import { type Actors, contract, everyPage } from '../../src/crm/contract.ts'
import { NotFound } from '../../src/http/errors.ts'
import { Document, type Documents, Overview, Summary, sorts, statuses } from './port.ts'

/**
 * For an adapter's author. Asks for a CRM in which `mine` has documents in folders, of which at least one has a file, and
 * `theirs` has one.
 */
export const documentsContract = (actors: () => Promise<Actors>) =>
  contract('documents', actors, ports => {
    it('gives what the port says', async () => checkShapes((await ports()).mine))
    it('turns pages without a gap or a repetition, in every order and with every filter', async () =>
      checkPages((await ports()).mine))
    it('orders them as it says', async () => checkOrders((await ports()).mine))
    it('counts what its lists show, and the files of each folder', async () => checkCounts((await ports()).mine))
    it('is searched by name, folder and person, in which % and _ are only signs', async () =>
      checkSearch((await ports()).mine))
    it('gives the bytes of mine alone, whole and in part', async () => {
      const { mine, theirs } = await ports()
      await checkContent(mine, theirs)
    })
  })

async function checkShapes(mine: Documents) {
  const items = await everyPage(mine, { sort: 'newest' })
  expect(items.map(it => Summary.parse(it))).to.deep.equal(items)
  for (const { id } of items.slice(0, 20)) {
    const document = await mine.find(id)
    expect(Document.parse(document)).to.deep.equal(document)
    expect(document).to.deep.include(items.find(it => it.id === id))
  }
}

async function checkPages(mine: Documents) {
  for (const sort of sorts)
    for (const status of [undefined, ...statuses]) {
      const { items: all } = await mine.list({ sort, status, size: 1000 })
      expect(await everyPage(mine, { sort, status }, 2), `${sort} ${status}`).to.deep.equal(all)
    }
}

async function checkOrders(mine: Documents) {
  const [newest, largest] = [await everyPage(mine, { sort: 'newest' }), await everyPage(mine, { sort: 'largest' })]
  const sizes = largest.map(it => it.size)
  const times = newest.map(it => it.at)
  expect(times).to.deep.equal([...times].sort().reverse())
  expect(sizes).to.deep.equal([...sizes].sort((a, b) => b - a))
}

async function checkCounts(mine: Documents) {
  const { counts, folders } = Overview.parse(await mine.overview())
  const all = await everyPage(mine, { sort: 'newest' })
  expect(counts.all).to.equal(all.length)
  for (const status of statuses)
    expect(counts[status], status).to.equal((await everyPage(mine, { sort: 'newest', status })).length)
  for (const { id, name, files } of folders) {
    const its = await everyPage(mine, { sort: 'name', folder: id })
    expect(its.length, name).to.equal(files)
    expect(new Set(its.map(it => it.folder?.id))).to.deep.equal(new Set([id]))
  }
  expect(await everyPage(mine, { sort: 'newest', folder: 'there is no such folder' })).to.deep.equal([])
}

async function checkSearch(mine: Documents) {
  const [first] = await everyPage(mine, { sort: 'newest' })
  for (const word of [first!.name.slice(0, 5).toUpperCase(), first!.by.name])
    expect((await everyPage(mine, { sort: 'newest', search: word })).map(it => it.id)).to.include(first!.id)
  for (const sign of ['%', '_', '100%'])
    for (const it of await everyPage(mine, { sort: 'newest', search: sign }))
      expect(`${it.name} ${it.folder?.name} ${it.by.name}`).to.include(sign)
}

async function checkContent(mine: Documents, theirs: Documents) {
  const items = await everyPage(mine, { sort: 'newest' })
  let read = 0
  for (const { id, name } of items.slice(0, 20)) {
    expect(await theirs.content(id).catch(error => error), name).to.be.instanceOf(NotFound)
    expect(await mine.content(id, 1_000).catch(error => error), name).to.be.instanceOf(NotFound)
    const content = await mine.content(id).catch(error => error)
    if (content instanceof NotFound) continue
    read++
    const whole = await buffer(await content.open())
    expect(whole.length, name).to.equal(content.size)
    expect(await buffer(await content.open({ start: 1, end: 3 })), name).to.deep.equal(whole.subarray(1, 4))
    expect((await mine.content(id)).tag).to.equal(content.tag)
  }
  expect(read).to.be.above(0)
}
