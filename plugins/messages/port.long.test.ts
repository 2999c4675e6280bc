import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { within } from '../../src/platform/database.ts'
import { actors } from '../../test/actors.ts'
import { tables, withMessages } from '../../test/crm-messages.ts'
import { fresh } from '../../test/database.ts'
import { conversation, inbox, write } from '../../test/messages.ts'
import { leave, open, whoIs } from '../../test/visit.ts'
import { messagesContract } from './contract.ts'
import { fixtures } from './fixtures.ts'
import { storeOf } from './store.ts'

describe('conversations of the CRM', () => {
  afterEach(leave)

  messagesContract(async () => {
    const its = await actors(withMessages, tables)
    return { ...its, mine: { ...its.mine, person: { id: '1', name: 'Nadia El-Khoury', email: '' } } }
  })

  it('are written there and shown here, with what is unread, and have no inbox of ours', async () => {
    const on = await fresh()
    await on.owner.raw(tables)
    const it = await open({ on, crm: withMessages(on.database) })
    const [owner, admin] = await Promise.all([it.visit('owner'), it.visit('admin')])
    expect(await owner.get('/messages'))
      .to.show('Gift box', 'Winter campaign')
      .and.not.show('Login')
    const page = await owner.get('/messages/1')
    expect(page).to.show('The dummy is folded.', 'id="compose"').and.not.show('type="file"')
    expect((await owner.get('/messages/3')).status).to.equal(404)
    const id = randomUUID()
    for (const _ of [1, 2]) expect((await write(owner, '1', 'Print it.', id)).status).to.equal(303)
    expect(await on.owner('public.posts').where({ body: 'Print it.' })).to.have.length(1)
    expect((await write(owner, '1', '', randomUUID(), [['a.pdf', '%PDF-1.7']])).status).to.equal(422)
    await owner.post('/messages/1/draft', { text: 'And then' })
    expect(await owner.get('/messages/1')).to.show('>And then</textarea>')
    expect((await owner.post('/messages/1/read', { seq: '9' })).status).to.equal(303)
    expect((await conversation(owner, '1')).readTo).to.equal(3)
    expect((await owner.post('/messages/3/read', { seq: '1' })).status).to.equal(404)
    const begun = await owner.post('/messages', { id: randomUUID(), title: 'New', text: 'Hello.' })
    expect(begun.headers.location).to.match(/messages\/\d+\?sent/)
    expect(await admin.at(inbox)).to.show('Your CRM has its own messages')
    expect((await admin.at(`${inbox}/${randomUUID()}`)).status).to.equal(404)
    expect(await on.owner('portal.client_message_threads')).to.deep.equal([])
  })
})

describe('conversations of Portico', () => {
  afterEach(leave)

  messagesContract(async () => {
    const its = await actors()
    const on = await open()
    await on.visit('owner')
    await fixtures(on.owner)
    const person = async (email: string) => {
      const { id, name } = await on.owner('portal.client_users').where({ email }).first('id', 'name')
      return { id, name, email }
    }
    const connect: typeof its.crm.connect = customer => ({
      // Each call in a transaction of its own, as an action has it.
      messages: new Proxy(storeOf(customer, on.database), {
        get: (store, name: 'send') =>
          store[name] &&
          ((...all: Parameters<typeof store.send>) =>
            within(on.database, { workspace: customer.workspace.id, client: customer.client.id }, tx =>
              storeOf(customer, tx)[name](...all),
            )),
      }),
    })
    return {
      crm: Object.create(its.crm, { connect: { value: connect } }),
      mine: { ...its.mine, person: await person(whoIs('owner').email) },
      theirs: { ...its.theirs, person: await person(whoIs('neighbour').email) },
    }
  })
})
