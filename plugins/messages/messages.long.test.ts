import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { within } from '../../src/platform/database.ts'
import { speak } from '../../src/platform/i18n.ts'
import { answer, begin, conversation, inbox, write } from '../../test/messages.ts'
import { hurry, jobsDone, until } from '../../test/until.ts'
import { leave, open, type Role, type Scene, whoIs } from '../../test/visit.ts'
import { hoursText, usualText } from './hours.ts'
import plugin from './plugin.ts'
import { piecesOf, readersBelow } from './words.ts'

const pdf = Buffer.from('%PDF-1.7\n1 0 obj <</Type /Catalog>> endobj\ntrailer <</Root 1 0 R>>\n%%EOF\n')
const subjectsTo = ({ mails }: Scene, address: string) =>
  mails.filter(it => it.to === address && !it.subject.startsWith('Sign-in')).map(it => it.subject)

/** Lets the time go by after which people are told of what they have not read, and waits until they are. */
async function tellNow(scene: Scene) {
  await scene.pass(2)
  await until(() => hurry(scene.owner, scene.owner.raw(`data ->> 'job' = 'messages.tell'`)))
  for (const queue of ['plugins', 'mail']) await jobsDone(scene.owner, queue)
}

describe('messages', () => {
  afterEach(leave)

  it('go to staff and back, are counted until they are read, and say by whom they were', async () => {
    const it = await open()
    const [owner, member, admin] = await Promise.all([it.visit('owner'), it.visit('member'), it.visit('admin')])
    expect(await owner.get('/messages')).to.show('No conversations yet.', 'Write a message')
    const id = await begin(owner, 'Is the ribbon in the price?\nSee https://acme.example/ribbon.')
    expect(await admin.at(inbox)).to.show('Gift box', 'Acme Bakery', 'Nadia: <bdi>Is the ribbon in the price?')
    expect(await admin.at(`${inbox}/${id}`)).to.show(
      'Is the ribbon in the price?',
      'href="https://acme.example/ribbon"',
    )
    expect((await admin.postAt(`${inbox}/${id}/read`, { seq: '1' })).status).to.equal(303)
    expect(await owner.get(`/messages/${id}`)).to.show('read by Marta')

    expect((await answer(admin, id, 'It is.')).status).to.equal(303)
    expect((await owner.get('/waiting')).body).to.include({ messages: 1 })
    expect(await owner.get('/')).to.show('Marta Lindqvist: Gift box', 'It is.')
    expect(await owner.get(`/messages/${id}`)).to.show('It is.', 'Mark as read', 'New')
    // Opening a page reads nothing: the page says so when it is on a screen.
    expect((await owner.get('/waiting')).body).to.include({ messages: 1 })
    expect((await owner.post(`/messages/${id}/read`, { seq: '2' })).status).to.equal(303)
    expect((await owner.get('/waiting')).body).to.not.have.property('messages')
    expect(await admin.at(`${inbox}/${id}`)).to.show('read by Nadia', 'Marta Lindqvist')
    // A colleague who takes no part has nothing to read, and can join.
    expect((await member.get('/waiting')).body).to.not.have.property('messages')
    expect(await member.get(`/messages/${id}`)).to.show('Is the ribbon in the price?')
    await write(member, id, 'And the box?')
    expect((await owner.get('/waiting')).body).to.include({ messages: 1 })
    expect((await conversation(owner, id)).messages.map((one: any) => [one.seq, one.name, one.own])).to.deep.equal([
      [1, 'Nadia El-Khoury', true],
      [2, 'Marta Lindqvist', false],
      [3, 'Youssef Amrani', false],
    ])
  })

  it('are stored once however often they are sent, and at once from everybody in one order', async () => {
    const it = await open()
    const [owner, member, admin] = await Promise.all([it.visit('owner'), it.visit('member'), it.visit('admin')])
    const first = randomUUID()
    const both = await Promise.all([1, 2].map(() => begin(owner, 'Hello.', { id: first })))
    expect(new Set(both).size).to.equal(1)
    const [id] = both as [string]
    const again = randomUUID()
    await Promise.all([1, 2, 3].map(() => write(owner, id, 'Once.', again, [['a.pdf', pdf]])))
    await Promise.all(
      Array.from({ length: 8 }, (_, at) =>
        at % 2 ? answer(admin, id, `Answer ${at}`) : write(member, id, `Question ${at}`),
      ),
    )
    const { messages } = await conversation(owner, id)
    expect(messages.map((one: any) => one.seq)).to.deep.equal(Array.from({ length: 10 }, (_, at) => at + 1))
    expect(messages.filter((one: any) => one.text === 'Once.')).to.have.length(1)
    expect(await it.owner('portal.client_files').where({ name: 'a.pdf' })).to.have.length(1)
    // The id of somebody else's message is no way to change it.
    expect((await write(member, id, 'Changed?', again)).status).to.equal(409)
    expect(await it.owner('portal.client_activity_logs').where({ event: 'messages.written' })).to.have.length(5)
  })

  it('are mailed once, a minute later, to those who take part and have not read them', async () => {
    const it = await open({ mail: 'kept' })
    const [owner, member, admin] = await Promise.all([it.visit('owner'), it.visit('member'), it.visit('admin')])
    const id = await begin(owner, 'Hello.')
    await write(member, id, 'Me too.')
    await owner.post(`/messages/${id}/read`, { seq: '2' })
    await answer(admin, id, 'First answer.')
    await answer(admin, id, '<b>Second</b> answer.', {}, [['plan.pdf', pdf]])
    await member.post(`/messages/${id}/read`, { seq: '4' })
    expect(subjectsTo(it, whoIs('owner').email)).to.deep.equal([])
    await tellNow(it)
    const mail = await it.mailTo(whoIs('owner').email)
    expect(mail.subject).to.equal('Gift box: 2 new messages')
    expect(mail.text).to.include('First answer.').and.include('Second').and.include('plan.pdf')
    expect(mail.text).to.include(`/messages/${id}?client=1`).and.not.include('reply to this e-mail')
    expect(mail.html).to.not.include('<b>Second')
    expect(subjectsTo(it, whoIs('member').email)).to.deep.equal([])
    await answer(admin, id, 'Third.')
    await owner.post(`/messages/${id}/follow`, { on: 'off' })
    await tellNow(it)
    expect((await it.mailTo(whoIs('member').email)).subject).to.equal('Marta Lindqvist: Gift box')
    expect(subjectsTo(it, whoIs('owner').email)).to.have.length(1)
  })

  it('are not mailed to who has lost the right to read them', async () => {
    const it = await open({ mail: 'kept' })
    const [owner, member, admin] = await Promise.all([it.visit('owner'), it.visit('member'), it.visit('admin')])
    const id = await begin(owner, 'Hello.')
    await write(member, id, 'Me too.')
    await answer(admin, id, 'For both.')
    const person_id = (
      await it
        .owner('portal.client_users')
        .where({ email: whoIs('member').email })
        .first('id')
    ).id
    const off = { workspace_id: '1', client_id: '1', person_id, name: 'messages', value: 'false', changed_by: 'a test' }
    await it.owner('portal.client_portal_settings').insert(off)
    await tellNow(it)
    await it.mailTo(whoIs('owner').email)
    expect(subjectsTo(it, whoIs('member').email)).to.deep.equal([])
    expect((await member.get(`/messages/${id}`)).status).to.equal(404)
  })

  it('keep a draft for whichever device one goes on with, until it is sent', async () => {
    const it = await open()
    const [owner, again, member] = await Promise.all([it.visit('owner'), it.visit('owner'), it.visit('member')])
    const id = await begin(owner, 'Hello.')
    await owner.post('/messages/new-draft', { title: 'Prices', text: 'Could the prices be' })
    expect(await again.get('/messages/new')).to.show('value="Prices"', 'Could the prices be')
    await owner.post(`/messages/${id}/draft`, { text: 'One more thing' })
    expect(await again.get('/messages')).to.show('Draft:', 'One more thing')
    expect(await again.get(`/messages/${id}`)).to.show('>One more thing</textarea>')
    expect((await member.get(`/messages/${id}`)).text).to.not.include('One more thing')
    await write(again, id, 'One more thing: no.')
    expect((await owner.get(`/messages/${id}`)).text).to.not.include('>One more thing</textarea>')
    await begin(again, 'Could the prices be lower?', { title: 'Prices' })
    expect((await owner.get('/messages/new')).text).to.not.include('>Could the prices be</textarea>')
  })

  it('are about a record of one’s own alone, and there is one conversation about it', async () => {
    const it = await open()
    const [owner, neighbour, admin] = await Promise.all([it.visit('owner'), it.visit('neighbour'), it.visit('admin')])
    const [task] = (await owner.api('/tasks?status=everybody')).body.items
    const about = `tasks/${task.id}`
    expect(await owner.get(`/messages/new?about=${about}`)).to.show(task.title)
    const id = await begin(owner, 'Until when?', { title: task.title, about })
    expect(await owner.get(`/tasks/${task.id}`)).to.show('You have a conversation about this.')
    expect((await owner.get(`/messages/new?about=${about}`)).headers.location).to.include(`/messages/${id}`)
    expect(await begin(owner, 'And by whom?', { title: 'Other', about })).to.equal(id)
    expect(await admin.at(`${inbox}/${id}`)).to.show(`about ${task.title}`)
    expect((await neighbour.get(`/messages/new?about=${about}`)).status).to.equal(404)
    const foreign = await neighbour.post('/messages', { id: randomUUID(), title: 'x', text: 'x', about })
    expect(foreign.status).to.equal(404)
    for (const odd of ['messages/1', 'account/1', 'tasks', '../tasks/1'])
      expect((await owner.get(`/messages/new?about=${encodeURIComponent(odd)}`)).status, odd).to.be.oneOf([200, 404])
  })

  it('are not there for anybody else: read, written, marked, typed, downloaded', async () => {
    const it = await open()
    const [owner, admin] = await Promise.all([it.visit('owner'), it.visit('admin')])
    const id = await begin(owner, 'Secret.', {}, [['secret.pdf', pdf]])
    const [file] = (await conversation(owner, id)).messages[0].files
    expect((await owner.get(`${file.address}`)).status).to.equal(200)
    await answer(admin, id, 'For Nadia.')
    await admin.postAt(`${inbox}/${id}/messages`, { id: randomUUID(), text: 'Between us.', note: 'on' })
    const mine = await begin(owner, 'Other.', { title: 'Other' })
    expect((await owner.get(`/messages/${mine}/files/${file.id}/content`)).status).to.equal(404)
    for (const role of ['neighbour', 'stranger'] as const) {
      const other = await it.visit(role)
      const at = (path: string) => `/messages/${id}${path}`
      for (const path of ['', `/files/${file.id}/content`, `/files/${file.id}/preview`])
        expect((await other.get(at(path))).status, path).to.equal(404)
      for (const path of ['/messages', '/read', '/typing', '/draft', '/follow'])
        expect((await other.post(at(path), { id: randomUUID(), text: 'x', seq: '1', on: 'on' })).status, path).to.equal(
          404,
        )
      expect((await other.api('/messages')).body.items ?? []).to.deep.equal([])
    }
    const viewer = await it.visit('viewer')
    expect((await write(viewer, id, 'May I?')).status).to.equal(403)
    expect((await viewer.get(`/messages/${id}`)).text)
      .to.include('Secret.')
      .and.not.include('id="compose"')
    for (const role of ['owner', 'viewer'] as const)
      expect((await (await it.visit(role)).get(`/messages/${id}`)).text).to.not.include('Between us.')
    expect(JSON.stringify((await owner.api(`/messages/${id}`)).body)).to.not.include('Between us.')
    expect(await it.owner('portal.client_messages').where({ text: 'x' })).to.deep.equal([])
  })

  it('of staff among themselves are in no row that a client’s transaction can see', async () => {
    const it = await open()
    const [owner, admin] = await Promise.all([it.visit('owner'), it.visit('admin')])
    const id = await begin(owner, 'Hello.')
    await admin.postAt(`${inbox}/${id}/messages`, { id: randomUUID(), text: 'Between us.', note: 'on' })
    await admin.postAt(`${inbox}/${id}/draft`, { text: 'Half an answer' })
    for (const table of ['notes', 'staff_drafts', 'staff']) {
      const seen = (client: string) =>
        it.database.transaction(async tx => {
          await tx.raw(`select set_config('portal.workspace_id', '1', true), set_config('portal.client_id', ?, true)`, [
            client,
          ])
          return tx(`portal.client_message_${table}`)
        })
      expect(await seen(''), table).to.have.length(1)
      expect(await seen('1'), table).to.have.length(0)
    }
  })

  it('say what is wrong with them, and keep what was typed', async () => {
    const it = await open()
    const owner = await it.visit('owner')
    const id = await begin(owner, 'Hello.')
    const empty = await write(owner, id, '   ')
    expect(empty.status).to.equal(422)
    expect(empty).to.show('Write a message.')
    expect(await write(owner, id, `${'long '.repeat(2_001)}`)).to.show('10,000 characters at most', 'long long')
    const program = await write(owner, id, 'Look:', randomUUID(), [['run.exe', Buffer.from('MZ'.padEnd(200, '\0'))]])
    expect(program.status).to.equal(422)
    expect(program).to.show('run.exe', 'Look:')
    expect(await owner.post('/messages', { title: '', text: 'Kept' })).to.show('Give it a subject.', 'Kept')
    const odd = '<script>alert(1)</script> \u0000 & “quotes” 𒀀'
    await write(owner, id, odd)
    expect((await owner.get(`/messages/${id}`)).text).to.not.include('<script>alert')
    expect((await conversation(owner, id)).messages.at(-1).text).to.include('<script>alert(1)</script>')
    for (const strange of ['x', '../1', '%00', `${id}0`])
      expect((await owner.get(`/messages/${strange}`)).status).to.equal(404)
  })

  it('are in the copy of a person’s data; their drafts go with the account, and what they said stays', async () => {
    const it = await open()
    const owner = await it.visit('owner')
    const id = await begin(owner, 'Of mine.')
    await owner.post(`/messages/${id}/draft`, { text: 'Not sent' })
    const person = (
      await it
        .owner('portal.client_users')
        .where({ email: whoIs('owner').email })
        .first('id')
    ).id
    const who = { workspace: '1', person }
    await within(it.database, { workspace: '1' }, async tx => {
      const { messages } = await plugin.privacy!.exports!(tx, who)
      expect(messages!.map((one: any) => [one.conversation, one.text])).to.deep.equal([['Gift box', 'Of mine.']])
      await plugin.privacy!.erases!(tx, who)
    })
    expect(await it.owner('portal.client_message_drafts')).to.be.empty
    expect(await it.owner('portal.client_message_readers').where({ person_id: person })).to.be.empty
    expect(await it.owner('portal.client_messages')).to.have.length(1)
  })

  it('are limited in a minute, with what was typed', async () => {
    const it = await open()
    const owner = await it.visit('owner')
    const id = await begin(owner, 'Hello.')
    for (let at = 0; at < 29; at++) expect((await write(owner, id, `Message ${at}`)).status).to.equal(303)
    const refused = await write(owner, id, 'One too many')
    expect(refused.status).to.equal(429)
    expect(refused).to.show('Send this one in a minute.', 'One too many')
    expect((await conversation(owner, id)).seq).to.equal(30)
    await it.pass(1)
    expect((await write(await it.visit('owner'), id, 'One too many')).status).to.equal(303)
  })
})

describe('the inbox', () => {
  afterEach(leave)

  it('shows who waits longest first, hands conversations over, and takes off what is done', async () => {
    const it = await open()
    const [owner, neighbour] = [await it.visit('owner'), await it.visit('neighbour')]
    const first = await begin(neighbour, 'Still there?', { title: 'Login' })
    await it.pass(90)
    const second = await begin(owner, 'When?', { title: 'Delivery' })
    const admin = await it.visit('admin')
    const { text } = await admin.at(inbox)
    expect(text.indexOf('Login')).to.be.below(text.indexOf('Delivery'))
    expect(text).to.match(/Waiting <span>2/)
    expect(await admin.at('/settings/client-portal/')).to.show('2 clients are waiting for an answer')
    await it.owner('portal.client_message_staff').insert({ workspace_id: '1', staff_id: 'j', name: 'Jonas Okafor' })
    const hand = (staff: string, before: string) => admin.postAt(`${inbox}/${first}/staff`, { staff, before })
    expect(await admin.at(`${inbox}/${first}`)).to.show('Nobody has it', '>Jonas Okafor</option>')
    const both = await Promise.all([hand('j', ''), hand('j', '')])
    expect(both.map(one => one.status).sort()).to.deep.equal([303, 409])
    expect(await admin.at(`${inbox}/${first}`)).to.show('Jonas has it')
    expect((await hand('', '')).status).to.equal(409)
    expect((await hand('somebody', 'j')).status).to.equal(422)
    expect((await hand('', 'j')).status).to.equal(303)

    await write(neighbour, first, 'Hello?')
    expect((await admin.postAt(`${inbox}/${first}/closing`, { seq: '1', waits: 'off' })).status).to.equal(409)
    expect((await admin.postAt(`${inbox}/${first}/closing`, { seq: '2', waits: 'off' })).status).to.equal(303)
    expect((await admin.at(inbox)).text).to.not.include('Login')
    await answer(admin, second, 'On Monday.')
    expect(await admin.at(inbox)).to.show('Nobody is waiting for an answer.')
    expect(await admin.at(`${inbox}?show=mine`)).to.show('Delivery')
    await write(neighbour, first, 'Thanks anyway.')
    expect(await admin.at(inbox)).to.show('Login')
    expect(await admin.at(`${inbox}?show=all&search=anyway`))
      .to.show('Login')
      .and.not.show('Delivery')
    // How staff arrange it among themselves is nothing for clients.
    expect((await neighbour.get('/activity')).text)
      .to.include('Login')
      .and.not.include('as done')
    expect((await owner.get('/activity')).text)
      .to.not.include('handed')
      .and.not.include('nobody’s')
    const log = await admin.at('/settings/client-portal/activity')
    expect(log).to.show('marked the conversation Login as done', 'answered in the conversation Delivery')
  })

  it('writes to a client first: to everybody who may read it, or to one person', async () => {
    const it = await open({ mail: 'kept' })
    const [owner, member, admin] = await Promise.all([it.visit('owner'), it.visit('member'), it.visit('admin')])
    const form = { id: randomUUID(), title: 'Christmas', text: 'We are closed from the 24th.', client: '1' }
    expect(await admin.postAt(inbox, { ...form, step: 'find' })).to.show('Nadia El-Khoury', 'We are closed')
    expect(await admin.postAt(inbox, { ...form, client: '' })).to.show('Choose a client.', 'We are closed')
    await Promise.all([admin.postAt(inbox, form), admin.postAt(inbox, form)])
    expect((await owner.get('/waiting')).body).to.include({ messages: 1 })
    const person = (
      await it
        .owner('portal.client_users')
        .where({ email: whoIs('member').email })
        .first('id')
    ).id
    await admin.postAt(inbox, { ...form, id: randomUUID(), title: 'For you', person })
    expect((await member.get('/waiting')).body).to.include({ messages: 2 })
    expect((await owner.get('/waiting')).body).to.include({ messages: 1 })
    await tellNow(it)
    for (const role of ['owner', 'member'] as const) await it.mailTo(whoIs(role).email, 'Marta Lindqvist: Christmas')
    await it.mailTo(whoIs('member').email, 'Marta Lindqvist: For you')
    expect(subjectsTo(it, whoIs('owner').email)).to.deep.equal(['Marta Lindqvist: Christmas'])
    expect(subjectsTo(it, whoIs('member').email).sort()).to.deep.equal([
      'Marta Lindqvist: Christmas',
      'Marta Lindqvist: For you',
    ])
    expect(await it.owner('portal.client_messages').where({ seq: 1 })).to.have.length(2)
  })

  it('says who takes part, and lets people of the client take part, and nobody else', async () => {
    const it = await open()
    const [owner, member, admin] = await Promise.all([it.visit('owner'), it.visit('member'), it.visit('admin')])
    const id = await begin(owner, 'Is the ribbon in the price?')
    const at = `${inbox}/${id}/people`
    const idOf = async (role: Role) =>
      (
        await it
          .owner('portal.client_users')
          .where({ email: whoIs(role).email })
          .first('id')
      ).id
    const take = async (role: Role, on: string) => admin.postAt(at, { person: await idOf(role), on })
    expect(await admin.at(`${inbox}/${id}`)).to.show(`${id}/people`)
    expect(await admin.at(at)).to.show('Nadia El-Khoury', 'has read everything', 'Youssef Amrani')

    expect((await take('member', 'on')).status).to.equal(303)
    await answer(admin, id, 'It is.')
    expect((await member.get('/waiting')).body).to.include({ messages: 1 })
    expect(await admin.at(`${at}?added`)).to.show('Added.', 'has not read everything yet', 'Marta Lindqvist')
    expect((await take('member', 'off')).status).to.equal(303)
    expect((await member.get('/waiting')).body).to.not.have.property('messages')
    expect(await owner.get('/activity')).to.show('added Youssef Amrani to the conversation Gift box')

    expect((await take('neighbour', 'on')).status).to.equal(404)
    expect((await admin.postAt(at, { person: 'nobody', on: 'on' })).status).to.equal(404)
    expect((await admin.at(`${inbox}/${randomUUID()}/people`)).status).to.equal(404)
    expect((await owner.at(at)).status).to.not.equal(200)
  })

  it('has quick replies and office hours of the whole workspace, for its admins alone', async () => {
    const it = await open()
    const [owner, admin] = await Promise.all([it.visit('owner'), it.visit('admin')])
    const setup = `${inbox}/setup`
    await admin.postAt(`${setup}/replies`, { title: 'On it', text: 'I am on it.' })
    expect(await admin.postAt(`${setup}/replies`, { title: '', text: 'Kept' })).to.show('Give it a name.', 'Kept')
    const id = await begin(owner, 'Hello.')
    const page = await admin.at(`${inbox}/${id}`)
    expect(page).to.show('Quick replies', 'On it')
    const [, reply = ''] = page.text.match(/\?reply=([0-9a-f-]{36})/) ?? []
    expect(await admin.at(`${inbox}/${id}?reply=${reply}`)).to.show('>I am on it.</textarea>')
    const hours = { days: ['1', '2', '3', '4', '5'], from: '09:00', to: '17:30', before: 'null' }
    expect(await admin.postAt(`${setup}/hours`, { ...hours, to: '08:00' })).to.show(
      'The end must be after the beginning.',
    )
    expect((await admin.postAt(`${setup}/hours`, hours)).status).to.equal(303)
    expect(await owner.get(`/messages/${id}`)).to.show('Open Monday to Friday, 09:00 to 17:30.')
    // Somebody else saved them meanwhile.
    expect((await admin.postAt(`${setup}/hours`, { ...hours, from: '10:00' })).status).to.equal(409)
    expect((await admin.postAt(`${setup}/replies/${reply}/removal`)).status).to.equal(303)
    expect((await admin.postAt(`${setup}/replies/${reply}/removal`)).status).to.equal(404)
    expect((await admin.at(`${inbox}/${id}`)).text).to.not.include('I am on it.')
  })

  it('says how soon answers usually come, from those that came', async () => {
    const it = await open()
    const [owner, admin] = await Promise.all([it.visit('owner'), it.visit('admin')])
    const id = await begin(owner, 'Hello.')
    for (let at = 0; at < 5; at++) {
      await write(owner, id, `Question ${at}`)
      await it
        .owner('portal.client_message_threads')
        .update({ waiting_since: it.owner.raw(`portal.now() - interval '100 minutes'`) })
      await answer(admin, id, `Answer ${at}`)
      expect((await owner.get(`/messages/${id}`)).text.includes('We usually answer within 2 hours.')).to.equal(at === 4)
    }
  })
})

describe('words about messages', () => {
  const { t, locale } = speak('en-GB|UTC')
  const hours = { days: [1, 2, 3, 4, 5], from: '09:00', to: '17:30' }
  const at = (now: string, its = hours, zone = 'Europe/Amsterdam') =>
    hoursText({ t, locale }, its, { zone, now: new Date(now) })

  it('say when somebody is there again, in the workspace’s time zone', () => {
    expect(at('2026-11-24T10:00:00Z')).to.equal('Open Monday to Friday, 09:00 to 17:30.')
    expect(at('2026-11-24T07:59:00Z')).to.include('expect an answer today from 09:00')
    expect(at('2026-11-24T16:30:00Z')).to.include('expect an answer tomorrow')
    expect(at('2026-11-27T17:00:00Z')).to.include('expect an answer on Monday')
    expect(at('2026-11-29T12:00:00Z')).to.include('tomorrow')
    expect(at('2026-11-24T10:00:00Z', { ...hours, days: [2] }, 'Pacific/Auckland')).to.include('on Tuesday')
    expect(at('2026-11-24T10:00:00Z', { ...hours, days: [1, 3] })).to.match(
      /^Open Monday and Wednesday, .* tomorrow\.$/,
    )
    expect(usualText({ t }, undefined)).to.equal(undefined)
    expect([10, 3_000, 7_201, 90_000].map(it => usualText({ t }, it))).to.deep.equal([
      'We usually answer within 15 minutes.',
      'We usually answer within an hour.',
      'We usually answer within 3 hours.',
      'We usually answer within 2 days.',
    ])
  })

  it('find addresses, and nothing that runs', () => {
    expect(piecesOf('See https://a.example/x?y=1. (http://b.example)')).to.deep.equal([
      { text: 'See ' },
      { text: 'https://a.example/x?y=1', url: 'https://a.example/x?y=1' },
      { text: '. (' },
      { text: 'http://b.example', url: 'http://b.example' },
      { text: ')' },
    ])
    for (const odd of ['javascript:alert(1)', 'https://', 'data:text/html,x', 'ftp://a.example'])
      expect(piecesOf(odd).some(it => it.url)).to.equal(false)
  })

  it('name each reader once, below what they have read last', () => {
    const said = [1, 2, 3].map(seq => ({ seq, mine: seq !== 2 }))
    const reader = (name: string, readTo: number) => ({ kind: 'staff', id: name, name, own: false, readTo }) as const
    const below = readersBelow(said, [reader('Jonas Okafor', 1), reader('Marta', 3), reader('Ana', 2), reader('Ed', 0)])
    expect([...below]).to.deep.equal([
      [1, ['Jonas', 'Ana']],
      [3, ['Marta']],
    ])
  })
})
