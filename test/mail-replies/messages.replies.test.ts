import { expect } from 'chai'
import { genuine, openReplies, withFile } from '../mail-replies.ts'
import { answer, begin, conversation, inbox, tellNow, write } from '../messages.ts'
import { until } from '../until.ts'
import { leave, whoIs } from '../visit.ts'

const marta = whoIs('admin').email
const owner = whoIs('owner').email

describe('a message, by e-mail', () => {
  afterEach(leave)

  /** The owner writes, and staff answer: gives the mail of the answer. */
  async function answered() {
    const world = await openReplies()
    const [nadia, admin] = [await world.visit('owner'), await world.visit('admin')]
    const id = await begin(nadia, 'Is the ribbon in the price?')
    await answer(admin, id, 'It is.')
    await tellNow(world)
    return { world, nadia, admin, id, mail: await world.mailTo(owner) }
  }

  it('is replied to into the conversation, with files, once, and without what it quotes', async () => {
    const { world, nadia, admin, id, mail } = await answered()
    expect(mail.replyTo).to.match(/^reply\+[a-z2-7]{26}@in\.example$/)
    expect(mail.text).to.include('You can also reply to this e-mail')
    const text = 'Good.\r\n\r\nOn Tue, 24 Nov 2026, Brightside wrote:\r\n> It is.\r\n'
    const reply = await genuine({ to: mail.replyTo!, body: withFile('box.txt', Buffer.from('4 mm'), text) })
    expect([await world.outcome(reply), await world.outcome(reply)]).to.deep.equal(['taken', 'duplicate'])
    const { messages } = await conversation(nadia, id)
    expect(messages).to.have.length(3)
    expect(messages[2]).to.include({ text: 'Good.', byMail: true, own: true, name: 'Nadia El-Khoury' })
    expect(messages[2].files.map((it: any) => it.name)).to.deep.equal(['box.txt'])
    expect(await admin.at(`${inbox}/${id}`)).to.show('Good.', 'by e-mail', 'box.txt')
    expect(await admin.at(inbox)).to.show('Gift box')
  })

  it('of a client reaches who looks after it, whose reply answers the client', async () => {
    const { world, nadia, id } = await answered()
    await write(nadia, id, 'And the box?')
    await write(nadia, id, 'May it be taller?')
    await tellNow(world, 'staff-mails.messages')
    const subject = 'Nadia El-Khoury writes: Gift box'
    const mail = await world.mailTo(marta, subject)
    expect(mail.text).to.include('And the box?').and.include('May it be taller?').and.include(`/inbox/${id}`)
    expect(mail.text).to.include('Acme Bakery gets your answer')
    expect(await world.outcome(await genuine({ from: marta, to: mail.replyTo!, text: '4 mm, yes.' }))).to.equal('taken')
    const { messages } = await conversation(nadia, id)
    expect(messages.at(-1)).to.include({ by: 'staff', name: 'Marta Lindqvist', text: '4 mm, yes.', byMail: true })
    expect((await nadia.get('/waiting')).body).to.include({ messages: 1 })
    // Both were told in one mail, and what was read or answered is told to nobody.
    await write(nadia, id, 'Thank you.')
    const admin = await world.visit('admin')
    await admin.postAt(`${inbox}/${id}/read`, { seq: String(messages.length + 1) })
    await tellNow(world, 'staff-mails.messages')
    expect(world.mails.filter(it => it.to === marta && it.subject === subject)).to.have.length(1)
  })

  it('of somebody else, to somebody else’s address, or without the right any more, changes nothing', async () => {
    const { world, nadia, id, mail } = await answered()
    const neighbour = whoIs('neighbour').email
    expect(await world.outcome(await genuine({ from: neighbour, to: mail.replyTo!, text: 'I accept.' }))).to.equal(
      'held',
    )
    const forged = await genuine({ from: 'x@evil.example', headers: [`Sender: ${owner}`], to: mail.replyTo! })
    expect(await world.outcome(forged)).to.equal('held')
    const off = { workspace_id: '1', client_id: '1', person_id: '', name: 'messages', value: 'false', changed_by: 'x' }
    await world.owner('portal.client_portal_settings').insert(off)
    expect(await world.outcome(await genuine({ to: mail.replyTo!, text: 'Late.' }))).to.equal('held')
    await world.owner('portal.client_portal_settings').del()
    expect((await conversation(nadia, id)).messages).to.have.length(2)
    const admin = await world.visit('admin')
    const held = await admin.at('/settings/client-portal/held-mail')
    expect(held).to.show(owner)
    // Staff may put what was held into the conversation.
    const mails = await world.mailsOf('held')
    const late = mails.find((it: any) => it.text.includes('Late.'))
    expect((await admin.postAt(`/settings/client-portal/held-mail/${late.key}/acceptance`)).status).to.equal(303)
    await until(async () => (await conversation(nadia, id)).messages.length === 3)
  })

  it('comes often at once, and is in the conversation in full, each once', async () => {
    const { world, nadia, id, mail } = await answered()
    const all = await Promise.all(
      Array.from({ length: 15 }, (_, at) => genuine({ to: mail.replyTo!, text: `Number ${at}` })),
    )
    const became = await Promise.all(all.map(it => world.outcome(it)))
    expect(new Set(became)).to.deep.equal(new Set(['taken']))
    const { messages } = await conversation(nadia, id)
    expect(new Set(messages.slice(2).map((it: any) => it.text)).size).to.equal(15)
  })
})
