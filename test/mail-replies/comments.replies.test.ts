import { expect } from 'chai'
import { genuine, openReplies, withFile } from '../mail-replies.ts'
import { leave, whoIs } from '../visit.ts'

const settings = '/settings/client-portal'
const { email } = whoIs('owner')

describe('an answer to a question, by e-mail', () => {
  afterEach(leave)

  /** The owner asks about a proposal, and staff answer: gives the mail of the answer, and where the question is. */
  async function answered(options: Parameters<typeof openReplies>[0] = {}) {
    const world = await openReplies(options)
    const [owner, admin] = [await world.visit('owner'), await world.visit('admin')]
    const [{ id }] = (await owner.api('/proposals?status=open')).body.items
    await owner.post(`/proposals/${id}/comments`, { text: 'Is the film included?' })
    const [, question] = /questions\/([\w-]+)\/reply/.exec((await admin.at(`${settings}/questions`)).text) ?? []
    await admin.postAt(`${settings}/questions/${question}/reply`, { text: 'It is.' })
    const mail = await world.mailTo(email)
    const comments = () => world.owner('portal.client_comments').orderBy('id')
    return { world, owner, admin, id, mail, comments }
  }

  it('carries a reply address, and a reply to it is a question of the person, once', async () => {
    const { world, owner, admin, id, mail, comments } = await answered()
    expect(mail.replyTo).to.match(/^reply\+[a-z2-7]{26}@in\.example$/)
    expect(mail.text).to.include('You can also reply to this e-mail.')
    const reply = await genuine({
      to: mail.replyTo!,
      body: withFile('brief.txt', Buffer.from('a brief'), 'And the music?'),
    })
    expect([await world.outcome(reply), await world.outcome(reply)]).to.deep.equal(['taken', 'duplicate'])
    expect(await owner.get(`/proposals/${id}`)).to.show('And the music?', 'brief.txt')
    expect(await admin.at(`${settings}/questions`)).to.show('And the music?', 'Nadia El-Khoury')
    const [, , asked] = await comments()
    expect(asked).to.include({
      author_kind: 'client',
      author_name: 'Nadia El-Khoury',
      document_id: id,
      section: 'proposals',
    })
    const entries = await world.owner('portal.client_activity_logs').where({ event: 'proposals.commented' })
    expect(entries.map(it => it.actor_name)).to.deep.equal(['Nadia El-Khoury', 'Nadia El-Khoury'])
  })

  it('is never an acceptance', async () => {
    const { world, owner, id, mail } = await answered()
    expect(await world.outcome(await genuine({ to: mail.replyTo!, text: 'I accept.', subject: 'Accepted' }))).to.equal(
      'taken',
    )
    expect((await owner.api(`/proposals/${id}`)).body.proposal.status).to.equal('open')
    expect(await world.owner('portal.client_signatures')).to.be.empty
  })

  it('says nothing of replies where none arrive', async () => {
    const { mail } = await answered({ more: { webhookSecret: undefined } })
    expect(mail.replyTo).to.equal(undefined)
    expect(mail.text).to.not.include('reply to this e-mail')
  })

  it('is held where the person may not ask any more, the proposal is gone, or they ask too often', async () => {
    const { world, id, mail, comments } = await answered()
    const held = async (text: string) => {
      expect(await world.outcome(await genuine({ to: mail.replyTo!, text }))).to.equal('held')
      return (await world.mailsOf('held')).at(-1).why.sentence
    }
    await world.owner('portal.client_portal_settings').insert({
      ...{
        workspace_id: '1',
        client_id: '',
        person_id: '',
        name: 'proposals.questions',
        value: 'false',
        changed_by: 'x',
      },
    })
    expect(await held('One.')).to.equal('This person may not write in this conversation.')
    await world.owner('portal.client_portal_settings').where({ name: 'proposals.questions' }).delete()
    for (let at = 0; at < 9; at++)
      expect(await world.outcome(await genuine({ to: mail.replyTo!, text: `Number ${at}` }))).to.equal('taken')
    expect(await held('Two.')).to.equal('This person has written too often in a short time.')
    await world.pass(2)
    await world.owner('public.proposals').where({ id }).update({ deleted_at: new Date() })
    expect(await held('Three.')).to.equal('The conversation no longer exists.')
    expect(await comments()).to.have.length(11)
  })

  it('is taken also where many arrive at the same moment', async () => {
    const { world, mail } = await answered()
    const replies = await Promise.all(
      Array.from({ length: 9 }, (_, at) => genuine({ to: mail.replyTo!, text: `At once ${at}` })),
    )
    const outcomes = await Promise.all(replies.map(it => world.outcome(it)))
    expect(outcomes).to.deep.equal(Array(9).fill('taken'))
  })
})
