import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { type Actors, contract, everyPage } from '../../src/crm/contract.ts'
import { NotFound } from '../../src/http/errors.ts'
import { Conversation, Counts, type Messages, Summary, statuses } from './port.ts'

/**
 * For an adapter's author. Asks for a CRM in which `mine` has two conversations, one of them with several messages, and
 * `theirs` has one.
 */
export const messagesContract = (actors: () => Promise<Actors>) =>
  contract('messages', actors, ports => {
    it('gives what the port says', async () => checkShapes((await ports()).mine))
    it('turns pages without a gap or a repetition, with every filter', async () => checkPages((await ports()).mine))
    it('counts what its lists show, also in a search', async () => checkCounts((await ports()).mine))
    it('stores a message once, in the order in which it came, and none in a conversation of theirs', async () => {
      const { mine, theirs } = await ports()
      await checkSending(mine, theirs)
    })
    it('begins one conversation, however often it is sent', async () => checkBeginning((await ports()).mine))
  })

async function checkShapes(mine: Messages) {
  const items = await everyPage(mine, { status: 'all' })
  expect(items.map(it => Summary.parse(it))).to.deep.equal(items)
  for (const { id } of items.slice(0, 20)) {
    const found = await mine.find(id)
    expect(Conversation.parse(found)).to.deep.equal(found)
    expect(found).to.deep.include(items.find(it => it.id === id))
    const numbers = found.messages.map(it => it.seq)
    expect(numbers).to.deep.equal(numbers.toSorted((a, b) => a - b))
    expect(numbers.at(-1)).to.equal(found.seq)
    const [newest, ...others] = (await mine.find(id, 1)).messages
    expect([newest!.seq, others.length]).to.deep.equal([found.seq, 0])
  }
}

async function checkPages(mine: Messages) {
  for (const status of statuses) {
    const { items: all } = await mine.list({ status, size: 1_000 })
    expect(await everyPage(mine, { status }, 1), status).to.deep.equal(all)
    const times = all.map(it => Date.parse(it.last.at))
    expect(times, status).to.deep.equal(times.toSorted((a, b) => b - a))
  }
}

async function checkCounts(mine: Messages) {
  const [first] = await everyPage(mine, { status: 'all' })
  for (const search of [undefined, first!.title.slice(0, 4).toUpperCase(), '%', '_']) {
    const counts = Counts.parse(await mine.overview(search))
    for (const status of statuses)
      expect((await everyPage(mine, { status, search })).length, `${status} ${search}`).to.equal(counts[status])
  }
}

const refused = async (asked: Promise<unknown>) => (await asked.catch(error => error)) as Error

async function checkSending(mine: Messages, theirs: Messages) {
  const [{ id: thread, seq }] = (await everyPage(mine, { status: 'all' })) as [Summary]
  const message = { id: randomUUID(), text: 'A message of the contract.' }
  expect(await refused(theirs.send(thread, message))).to.be.instanceOf(NotFound)
  expect(await mine.send(thread, message)).to.include({ thread, seq: seq + 1, repeated: false })
  expect(await mine.send(thread, message)).to.include({ thread, seq: seq + 1, repeated: true })
  const { messages } = await mine.find(thread)
  expect(messages.filter(it => it.text === message.text)).to.have.length(1)
  expect(messages.at(-1)).to.include({ by: 'client', own: true, text: message.text })
  const [other] = (await everyPage(theirs, { status: 'all' })) as [Summary]
  expect(await refused(theirs.send(other.id, message))).to.be.an('error')
  for (const id of ['nonsense', '', '-1', '99999999999'])
    expect(await refused(mine.send(id, { ...message, id: randomUUID() })), id).to.be.instanceOf(NotFound)
}

async function checkBeginning(mine: Messages) {
  const first = { id: randomUUID(), title: 'Of the contract', text: 'The first message.' }
  const { thread } = await mine.start(first)
  expect(await mine.start(first)).to.include({ thread, seq: 1, repeated: true })
  expect(await mine.find(thread)).to.include({ title: first.title, seq: 1 })
}
