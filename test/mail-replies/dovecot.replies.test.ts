import { expect } from 'chai'
import { checks } from '../../plugins/mail-replies/checks.ts'
import { readMailbox } from '../../plugins/mail-replies/imap.ts'
import { genuine, mime, openReplies } from '../mail-replies.ts'
import { leave } from '../visit.ts'
import { Dovecot } from './dovecot.ts'

describe('replies in a mailbox', function () {
  this.timeout(120_000)
  let dovecot: Dovecot

  beforeEach(async () => {
    dovecot = await Dovecot.started()
  })
  afterEach(async () => {
    await leave()
    await dovecot.end()
  })

  const openMailbox = async (options: Parameters<typeof openReplies>[0] = {}) => {
    const world = await openReplies({ more: { webhookSecret: undefined, imap: dovecot.url }, ...options })
    return { world, to: (await world.addressFor('owner', '7'))!, read: () => readMailbox(world.host()) }
  }

  it('are taken, held or ignored, and marked as seen', async () => {
    const { world, to, read } = await openMailbox()
    dovecot.deliver(await genuine({ to, text: 'By mailbox.' }))
    dovecot.deliver(mime({ to, text: 'Unsigned.' }))
    dovecot.deliver(await genuine({ to, headers: ['Auto-Submitted: auto-replied'] }))
    dovecot.deliver(Buffer.from(''))
    dovecot.deliver(Buffer.from([0, 255, 1, 13, 10, 13, 10, 0]))
    await read()
    expect((await world.said()).map(it => it.text)).to.deep.equal(['By mailbox.'])
    expect([await world.mailsOf('held'), await world.mailsOf('ignored')].map(it => it.length)).to.deep.equal([1, 1])
    expect(dovecot.count()).to.deep.equal({ seen: 3, unseen: 0 })
    await read()
    expect(await world.said()).to.have.length(1)
  })

  it('to nobody that is known are put into a folder of their own', async () => {
    const { read } = await openMailbox()
    for (const text of ['One.', 'Two.']) dovecot.deliver(await genuine({ to: 'reply@in.example', text }))
    await read()
    expect(dovecot.count()).to.deep.equal({ seen: 0, unseen: 0 })
    expect(dovecot.count('Portico-unknown')).to.deep.equal({ seen: 2, unseen: 0 })
  })

  it('of 45 MB are held by their headers, and not read into memory', async () => {
    const { world, to, read } = await openMailbox()
    dovecot.deliver(mime({ to, subject: 'All my films', text: 'x'.repeat(45_000_000) }))
    dovecot.deliver(await genuine({ to, text: 'A small one.' }))
    const before = process.memoryUsage().arrayBuffers
    await read()
    expect(process.memoryUsage().arrayBuffers - before).to.be.below(20_000_000)
    const [held] = await world.mailsOf('held')
    expect([held.subject, held.why.sentence]).to.deep.equal([
      'All my films',
      'The e-mail is too large. Ask for the files in another way.',
    ])
    expect(await world.said()).to.have.length(1)
    expect(dovecot.count()).to.deep.equal({ seen: 2, unseen: 0 })
  })

  it('are taken once where two processes read it, and where one died before it had marked them', async () => {
    const { world, to, read } = await openMailbox()
    const other = await openReplies({ on: world, more: { webhookSecret: undefined, imap: dovecot.url } })
    const mail = await genuine({ to, text: 'Once.' })
    dovecot.deliver(mail)
    await Promise.all([read(), readMailbox(other.host()), read()])
    // The same mail, unseen: as if the first process had stored it and gone.
    dovecot.deliver(mail)
    await readMailbox(other.host())
    expect((await world.said()).map(it => it.text)).to.deep.equal(['Once.'])
    expect(dovecot.count()).to.deep.equal({ seen: 2, unseen: 0 })
  })

  it('stay unseen while the portal is off for their workspace, or the database is away, and are taken later', async () => {
    const on = { now: false }
    const flags = { enabledAnywhere: () => true, enabled: () => on.now }
    const { world, to, read } = await openMailbox({ flags })
    dovecot.deliver(await genuine({ to, text: 'Later.' }))
    await read()
    expect(dovecot.count()).to.deep.equal({ seen: 0, unseen: 1 })
    on.now = true
    const later = await openReplies({ on: world, more: { webhookSecret: undefined, imap: dovecot.url } })
    later.answers.refusal = Object.assign(new Error('gone'), { code: '57P01' })
    await readMailbox(later.host())
    expect(dovecot.count()).to.deep.equal({ seen: 0, unseen: 1 })
    const again = await openReplies({ on: world, more: { webhookSecret: undefined, imap: dovecot.url } })
    await readMailbox(again.host())
    expect((await world.said()).map(it => it.text)).to.deep.equal(['Later.'])
    expect(dovecot.count()).to.deep.equal({ seen: 1, unseen: 0 })
  })

  it('wait for a mail server that is away, which portico doctor says', async () => {
    const { world, to, read } = await openMailbox()
    const ask = () =>
      checks({
        replies: { address: 'reply@in.example', imap: dovecot.url },
        crm: undefined as never,
        database: world.database,
      })
    expect((await ask()).flatMap(it => it.problems)).to.deep.equal([])
    dovecot.deliver(await genuine({ to, text: 'Patience.' }))
    await dovecot.stop()
    expect(
      await read().then(
        () => '',
        error => error.message,
      ),
    ).to.match(/ECONNREFUSED|connect/)
    expect((await ask()).flatMap(it => it.problems)[0]).to.match(/: start the server, or correct REPLY_IMAP$/)
    await dovecot.start()
    await read()
    expect(await world.said()).to.have.length(1)
    const refused = dovecot.url.replace('secret', 'wrong')
    const [, wrong] = await checks({
      replies: { address: 'reply@in.example', imap: refused },
      crm: undefined as never,
      database: world.database,
    })
    expect(wrong!.problems[0]).to.match(/auth/i)
    const [unread] = await checks({
      replies: { address: 'reply@in.example' },
      crm: undefined as never,
      database: world.database,
    })
    expect(unread!.problems[0]).to.include('nothing reads what arrives there')
  })
})
