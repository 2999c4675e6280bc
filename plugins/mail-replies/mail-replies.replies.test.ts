import { expect } from 'chai'
import { within } from '../../src/platform/database.ts'
import type { Job } from '../../src/plugin/plugin.ts'
import { secret } from '../../test/database.ts'
import { genuine, mime, openReplies, signed, withFile } from '../../test/mail-replies.ts'
import { leave, whoIs } from '../../test/visit.ts'

type World = Awaited<ReturnType<typeof openReplies>>

const nadia = whoIs('owner').email

describe('a reply by e-mail', () => {
  let world: World
  let to: string

  before(async () => {
    world = await openReplies()
    to = (await world.addressFor('owner', '7'))!
  })
  beforeEach(() => world.pass(61))
  after(leave)

  const heldFor = async (mail: Buffer): Promise<string> => {
    expect(await world.outcome(mail)).to.equal('held')
    const [row] = (await world.mailsOf('held')).slice(-1)
    const { sentence, facts = {} } = row.why
    return sentence.replace(/\{(\w+)\}/g, (_: string, name: string) => facts[name])
  }

  it('goes to an address of its own for each reader and record, the same each time, of which only a hash is kept', async () => {
    expect(to).to.match(/^reply\+[a-z2-7]{26}@in\.example$/)
    expect(await world.addressFor('owner', '7')).to.equal(to)
    const others = await Promise.all([world.addressFor('approver', '7'), world.addressFor('owner', '8')])
    expect(new Set([to, ...others])).to.have.property('size', 3)
    const rows = JSON.stringify(await world.owner('portal.client_reply_addresses'))
    expect(rows).to.not.include(to.slice(6, 32))
  })

  it('goes into the conversation, without what it quotes', async () => {
    const text =
      'Yes, please.\n\nOn Tue, Nov 24, 2026 at 9:00 AM Brightside <portal@example.com> wrote:\n> Shall we?\n\n-- \nNadia'
    expect(await world.outcome(await genuine({ to, text }))).to.equal('taken')
    const [said] = (await world.said()).slice(-1)
    expect(said).to.include({ id: '7', text: 'Yes, please.' })
  })

  it('is found whatever the mail server made of the address, and by the header of delivery', async () => {
    expect(await world.outcome(await genuine({ to: to.toUpperCase(), text: 'In capitals.' }))).to.equal('taken')
    const redirected = { to: 'Brightside <portal@example.com>', headers: [`X-Original-To: ${to}`] }
    expect(await world.outcome(await genuine({ ...redirected, text: 'Redirected.' }))).to.equal('taken')
  })

  it('is taken once, however often and from however many processes it arrives', async () => {
    const mail = await genuine({ to, text: 'Only once.' })
    const outcomes = await Promise.all(Array.from({ length: 6 }, () => world.outcome(mail)))
    expect(outcomes.toSorted()).to.deep.equal([...Array(5).fill('duplicate'), 'taken'])
    expect((await world.said()).filter(it => it.text === 'Only once.')).to.have.length(1)
    const nameless = await genuine({ to, id: false, text: 'Without an id.' })
    expect([await world.outcome(nameless), await world.outcome(nameless)]).to.deep.equal(['taken', 'duplicate'])
  })

  it('with the Message-ID of another one is not lost', async () => {
    expect(await world.outcome(await genuine({ to, id: 'same', text: 'One.' }))).to.equal('taken')
    const another = await genuine({ to, id: 'same', text: 'Another.' })
    expect(await heldFor(another)).to.equal('An earlier e-mail had the same Message-ID and said something else.')
    expect(await world.outcome(another)).to.equal('duplicate')
  })

  it('of a sender who isn’t confirmed is held', async () => {
    const unconfirmed = `The sender isn’t confirmed. Anyone can write ${nadia} into an e-mail.`
    expect(await heldFor(mime({ to, text: 'Unsigned.' }))).to.equal(unconfirmed)
    expect(await heldFor(await signed(mime({ to }), 'evil.example'))).to.equal(unconfirmed)
    const changed = Buffer.from((await genuine({ to, text: 'Ten pieces.' })).toString().replace('Ten', 'Two'))
    expect(await heldFor(changed)).to.equal(unconfirmed)
    const claimed = ['Authentication-Results: mx.example; dmarc=pass header.from=acmebakery.example']
    expect(await heldFor(mime({ to, headers: claimed }))).to.equal(unconfirmed)
  })

  it('of somebody else is held, even of a colleague', async () => {
    const { email } = whoIs('approver')
    const expected = `It came from ${email}, which isn’t an address of Nadia El-Khoury.`
    expect(await heldFor(await genuine({ to, from: email }))).to.equal(expected)
    const named = `"${nadia}" <mallory@evil.example>`
    expect(await heldFor(await genuine({ to, from: named }))).to.include('It came from mallory@evil.example')
  })

  it('that names two senders is held', async () => {
    const twice = mime({ to, headers: [`From: mallory@evil.example`] })
    expect(await heldFor(await signed(twice, 'acmebakery.example'))).to.equal(
      'The e-mail doesn’t say clearly who sent it.',
    )
  })

  it('from a former address of the same person is taken', async () => {
    const { id, workspace_id } = await world.owner('portal.client_users').where({ email: nadia }).first()
    const email = 'n.elkhoury@halloran.example'
    await world.owner('portal.client_users').where({ id }).update({ email })
    await world.owner('portal.client_users').where({ id }).update({ email: nadia })
    expect(await world.owner('portal.client_emails').where({ workspace_id, person_id: id })).to.have.length.above(1)
    expect(await world.outcome(await genuine({ to, from: email, text: 'From my other address.' }))).to.equal('taken')
  })

  it('by a program is ignored, and staff see that', async () => {
    const programs: [string[], string?][] = [
      [['Auto-Submitted: auto-replied']],
      [['Precedence: bulk']],
      [['List-Id: <list.example>']],
      [['X-Auto-Response-Suppress: All']],
      [['Return-Path: <>']],
      [[], 'Automatic reply: A question'],
      [[], 'Abwesenheitsnotiz: Frage'],
      [[], 'Respuesta automática: Pregunta'],
      [[], 'Réponse automatique : Question'],
      [[], 'Automatisch antwoord: Vraag'],
    ]
    const before = (await world.said()).length
    for (const [headers, subject] of programs)
      expect(
        await world.outcome(await genuine({ to, headers, subject, text: 'I’m away.' })),
        `${headers}${subject}`,
      ).to.equal('ignored')
    const own = { to, from: 'portal@example.com' }
    expect(await world.outcome(mime(own))).to.equal('ignored')
    expect(await world.outcome(mime({ to, from: to }))).to.equal('ignored')
    const report = 'Content-Type: multipart/report; boundary=x\r\n\r\n--x\r\n\r\nNot delivered.\r\n--x--\r\n'
    expect(await world.outcome(await genuine({ to, body: report }))).to.equal('ignored')
    expect(await world.outcome(await genuine({ to, headers: ['Auto-Submitted: no'], text: 'By hand.' }))).to.equal(
      'taken',
    )
    expect((await world.said()).length).to.equal(before + 1)
    const admin = await world.visit('admin')
    expect(await admin.at('/settings/client-portal/held-mail?show=ignored')).to.show('Automatic reply: A question')
    expect(world.mails.filter(it => it.to === nadia && /Re:|reply/i.test(it.subject))).to.be.empty
  })

  it('to nobody that is known is left, and so is one to an address that has expired', async () => {
    expect(await world.outcome(await genuine({ to: `reply+${'a'.repeat(26)}@in.example` }))).to.equal('unknown')
    expect(await world.outcome(await genuine({ to: 'reply@in.example' }))).to.equal('unknown')
    expect(await world.outcome(await genuine({ to: to.replace('in.example', 'out.example') }))).to.equal('unknown')
    const old = (await world.addressFor('owner', 'old'))!
    await world.owner('portal.client_reply_addresses').where({ record_id: 'old' }).update({ expires_at: '2020-01-01' })
    expect(await world.outcome(await genuine({ to: old }))).to.equal('unknown')
  })

  it('to two conversations at once is held', async () => {
    const other = await world.addressFor('owner', '8')
    expect(await heldFor(await genuine({ to: `${to}, ${other}` }))).to.equal(
      'It was sent to more than one conversation.',
    )
  })

  it('after twenty within an hour is held', async () => {
    const busy = (await world.addressFor('owner', 'busy'))!
    for (let at = 0; at < 20; at++)
      expect(await world.outcome(await genuine({ to: busy, text: `Number ${at}` }))).to.equal('taken')
    expect(await heldFor(await genuine({ to: busy }))).to.equal(
      'More than 20 replies from Nadia El-Khoury came within an hour.',
    )
    await world.pass(61)
    expect(await world.outcome(await genuine({ to: busy, text: 'Later.' }))).to.equal('taken')
  })

  it('brings its files, by the rules of other uploads', async () => {
    const pdf = Buffer.from('%PDF-1.7\n%âãÏÓ\n1 0 obj\n<<>>\nendobj\n')
    expect(await world.outcome(await genuine({ to, body: withFile('plan.pdf', pdf) }))).to.equal('taken')
    expect((await world.said()).at(-1)?.files).to.deep.equal(['plan.pdf'])
    expect(await world.owner('portal.client_files').where({ name: 'plan.pdf' })).to.have.length(1)
    const program = await genuine({ to, body: withFile('plan.exe', Buffer.from('MZ')) })
    expect(await heldFor(program)).to.equal('It has files that aren’t accepted here: plan.exe.')
  })

  it('is damaged, empty or too large, and held', async () => {
    const deep =
      'Content-Type: multipart/mixed; boundary=x\r\n\r\n'.repeat(2) +
      '--x\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n'.repeat(500)
    expect(await heldFor(await genuine({ to, body: deep }))).to.equal('The e-mail is damaged and couldn’t be read.')
    expect(await heldFor(await genuine({ to, text: '> only a quotation' }))).to.equal('It has no text of its own.')
    const large = mime({ to, text: 'x'.repeat(40_000_100) })
    expect(await heldFor(large)).to.equal('The e-mail is too large. Ask for the files in another way.')
  })

  it('that its conversation refuses is held, and nothing of it is left there', async () => {
    const sentences = {
      gone: 'The conversation no longer exists.',
      'not-allowed': 'This person may not write in this conversation.',
      'no-space': 'There isn’t enough space left for the attached files.',
      'too-many': 'This person has written too often in a short time.',
    } as const
    for (const [refusal, sentence] of Object.entries(sentences)) {
      world.answers.refusal = refusal as keyof typeof sentences
      expect(await heldFor(await genuine({ to }))).to.equal(sentence)
    }
    world.answers.refusal = new Error('a mistake')
    expect(await heldFor(await genuine({ to }))).to.include('an error on our end')
    delete world.answers.refusal
    const nobody = await world.addressFor('owner', '1', 'nothing-like-it')
    expect(await heldFor(await genuine({ to: nobody! }))).to.equal('The conversation no longer exists.')
  })

  it('comes again where the database was away, and is taken then', async () => {
    const mail = await genuine({ to, text: 'When you are back.' })
    world.answers.refusal = Object.assign(new Error('gone'), { code: '57P01' })
    expect((await world.send(mail)).status).to.equal(500)
    delete world.answers.refusal
    expect(await world.outcome(mail)).to.equal('taken')
    expect(await world.outcome(mail)).to.equal('duplicate')
  })

  it('of somebody who has lost access is held', async () => {
    const theirs = (await world.addressFor('viewer', '7'))!
    const { email } = whoIs('viewer')
    await world.owner('portal.client_users').where({ email }).update({ suspended_at: new Date() })
    expect(await heldFor(await genuine({ to: theirs, from: email }))).to.equal(
      'This person no longer has access to the portal.',
    )
  })
})

describe('the webhook of replies', () => {
  afterEach(leave)

  it('takes nothing without a fitting signature of the last five minutes', async () => {
    const world = await openReplies()
    const to = (await world.addressFor('owner', '7'))!
    const mail = await genuine({ to })
    const late = new Date(world.now().getTime() - 301_000)
    const wrong = [{ secret: 'another secret, as long as that' }, { at: late }, { at: new Date(NaN) }]
    for (const it of wrong) expect((await world.send(mail, it)).status).to.equal(401)
    const { agent } = await world.visit()
    const address = '/portal/-/webhooks/mail-replies'
    expect((await agent.post(address).set('Content-Type', 'message/rfc822').send('From: x')).status).to.equal(401)
    expect((await agent.get(address)).status).to.equal(405)
    expect(await world.said()).to.be.empty
  })

  it('takes JSON, and believes what the provider says of the sender', async () => {
    const world = await openReplies()
    const to = (await world.addressFor('owner', '7'))!
    const mail = { to, from: `Nadia <${nadia}>`, messageId: '<1@x>', subject: 'Re: Hello', text: 'Yes.' }
    const file = { name: 'note.txt', content: Buffer.from('a note').toString('base64') }
    const outcomes = []
    for (const more of [
      { verdict: { dmarc: 'pass' }, attachments: [file] },
      { messageId: '<2@x>' },
      { messageId: '<3@x>', verdict: { dmarc: 'fail' } },
      { messageId: '<4@x>', verdict: { dmarc: 'pass' }, headers: { 'Auto-Submitted': 'auto-replied' } },
    ])
      outcomes.push((await world.sendJson({ ...mail, ...more })).body.outcome)
    expect(outcomes).to.deep.equal(['taken', 'held', 'held', 'ignored'])
    expect((await world.said())[0]).to.deep.include({ text: 'Yes.', files: ['note.txt'] })
    const raw = (await genuine({ to: 'hidden@example.com', text: 'Whole.' })).toString('base64')
    expect((await world.sendJson({ raw, to: [to] })).body.outcome).to.equal('taken')
    for (const it of [[], {}, { to }, { to, from: 1 }, { raw: '!' }, 'text'])
      expect((await world.sendJson(it as object)).status).to.equal(400)
  })

  it('is none where it is not set up, or where the portal is off for the workspace', async () => {
    const on = { now: true }
    const flags = { enabledAnywhere: () => true, enabled: () => on.now }
    const world = await openReplies({ flags })
    const to = (await world.addressFor('owner', '7'))!
    const mail = await genuine({ to })
    on.now = false
    const off = await world.send(mail)
    expect(off.status).to.equal(404)
    expect(off).to.show('There is nothing at /portal/-/webhooks/mail-replies')
    on.now = true
    expect(await world.outcome(mail)).to.equal('taken')

    const without = await openReplies({ more: { webhookSecret: undefined } })
    expect(await without.addressFor('owner', '7')).to.equal(undefined)
    expect((await without.send(mail)).status).to.equal(404)
  })

  it('believes the results of the own mail server, and no others', async () => {
    const world = await openReplies({ more: { authserv: 'mx.brightside.example' } })
    const to = (await world.addressFor('owner', '7'))!
    const results = (id: string, it: string) => `Authentication-Results: ${id}; ${it}`
    const own = 'mx.brightside.example'
    const cases: [string[], string][] = [
      [[results(own, 'dkim=pass header.d=x; dmarc=pass (p=reject) header.from=acmebakery.example')], 'taken'],
      [[results(own, 'dkim=pass header.d=acmebakery.example'), results(own, 'dmarc=pass')], 'taken'],
      [[results(own, 'dmarc=fail header.from=acmebakery.example'), results(own, 'dmarc=pass')], 'held'],
      [[results(own, 'dmarc=none'), 'X-Other: 1', results(own, 'dmarc=pass')], 'held'],
      [[results(own, 'dkim=pass'), 'Received: from x', results(own, 'dmarc=pass')], 'held'],
      [[results('evil.example', 'dmarc=pass header.from=acmebakery.example')], 'held'],
      [[results(`evil.example (${own})`, 'dmarc=pass')], 'held'],
      [[results(own, 'dmarc=pass header.from=evil.example')], 'held'],
      [[results(own, 'none (dmarc=pass)')], 'held'],
      [[], 'held'],
    ]
    // Above all others, as servers write them.
    for (const [headers, expected] of cases)
      expect(
        await world.outcome(
          Buffer.from(`${headers.map(it => `${it}\r\n`).join('')}${mime({ to, text: `${headers}` })}`),
        ),
        String(headers),
      ).to.equal(expected)
  })

  it('goes on with addresses of an older secret', async () => {
    const old = await openReplies()
    const to = (await old.addressFor('owner', '7'))!
    await old.portal.close()
    const world = await openReplies({ on: old, secrets: ['a newer secret of thirty-two characters or more', secret] })
    expect(await world.outcome(await genuine({ to }))).to.equal('taken')
    expect(await world.addressFor('owner', '7')).to.not.equal(to)
  })
})

describe('an e-mail that is held', () => {
  afterEach(leave)

  const settings = '/settings/client-portal/held-mail'
  const html = '<script>alert(1)</script><b>{count}</b>'

  /** Holds a mail of a sender who is not confirmed, and gives where staff see it. */
  async function held(world: World, parts: Partial<Parameters<typeof mime>[0]> = {}): Promise<string> {
    const to = (await world.addressFor('owner', '7'))!
    expect(await world.outcome(mime({ to, ...parts }))).to.equal('held')
    const [row] = (await world.mailsOf('held')).slice(-1)
    return `${settings}/${row.key}`
  }

  it('is counted, listed and shown as plain text, whatever it holds', async () => {
    const world = await openReplies()
    const from = `"${html.replaceAll('"', '')}" <evil+<b>@evil.example>`
    const address = await held(world, { text: html, subject: html, headers: [`Reply-To: ${html}`] })
    await held(world, { from, text: 'x', body: withFile(`${html}.txt`, Buffer.from('text')) })
    const admin = await world.visit('admin')
    const list = await admin.at(settings)
    const one = await admin.at(address)
    expect(list).to.show('Held e-mails', 'The sender isn’t confirmed.', '&lt;script&gt;')
    expect(one).to.show('Why it is held', 'Acme Bakery', 'Nadia El-Khoury', '&lt;b&gt;{count}&lt;/b&gt;')
    for (const it of [list, one]) expect(it.text).to.not.include('<script>alert')
    expect(await admin.at('/settings/client-portal/')).to.show('2 e-mails are held')
  })

  it('is accepted into the conversation as the person, once, with its files', async () => {
    const world = await openReplies()
    const address = await held(world, { body: withFile('note.txt', Buffer.from('a note'), 'Here it is.') })
    const admins = await Promise.all([world.visit('admin'), world.visit('admin')])
    const answers = await Promise.all(admins.map(it => it.postAt(`${address}/acceptance`)))
    expect(answers.map(it => it.status).every(it => it === 303 || it === 404)).to.equal(true)
    const { id } = await world.owner('portal.client_users').where({ email: nadia }).first('id')
    const said = await world.said()
    expect(said).to.have.length(1)
    expect(said[0]).to.deep.include({ id: '7', text: 'Here it is.', by: id, files: ['note.txt'] })
    expect((await admins[0]!.at(address)).status).to.equal(404)
    expect(await world.owner('portal.client_reply_mails')).to.have.nested.property('[0].text', null)
  })

  it('says why it cannot be accepted, and stays', async () => {
    const world = await openReplies()
    const address = await held(world)
    world.answers.refusal = 'not-allowed'
    const admin = await world.visit('admin')
    const { headers } = await admin.postAt(`${address}/acceptance`)
    expect(await admin.at(headers.location!)).to.show(
      'It couldn’t be added.',
      'This person may not write in this conversation.',
    )
    expect(await world.said()).to.be.empty
    delete world.answers.refusal
    await admin.postAt(`${address}/acceptance`)
    expect(await world.said()).to.have.length(1)
  })

  it('is discarded, and its files with it', async () => {
    const world = await openReplies()
    const address = await held(world, { body: withFile('note.txt', Buffer.from('a note')) })
    const admin = await world.visit('admin')
    const { headers } = await admin.postAt(`${address}/discarding`)
    expect(await admin.at(headers.location!)).to.show('Discarded.', 'No e-mails here')
    expect(await world.said()).to.be.empty
    for (const it of ['acceptance', 'discarding']) expect((await admin.postAt(`${address}/${it}`)).status).to.equal(404)
  })

  it('is nothing for the staff of another workspace, or for those who are no admins', async () => {
    const world = await openReplies()
    const address = await held(world)
    const key = address.split('/').at(-1)
    await world.owner('portal.client_reply_mails').update({ workspace_id: '2' })
    const admin = await world.visit('admin')
    for (const it of [admin.at(address), admin.postAt(`${address}/acceptance`), admin.postAt(`${address}/discarding`)])
      expect((await it).status).to.equal(404)
    expect((await admin.at(settings)).text).to.not.include(key!)
    await world.owner('portal.client_reply_mails').update({ workspace_id: '1' })
    expect((await (await world.visit('colleague')).at(address)).status).to.equal(403)
    expect(await world.said()).to.be.empty
  })

  it('is in the person’s own data, and goes with their account', async () => {
    const world = await openReplies()
    await held(world, { text: 'Of mine.' })
    const { id } = await world.owner('portal.client_users').where({ email: nadia }).first('id')
    const plugin = world.host().plugins.find(it => it.name === 'mail-replies')!
    const who = { workspace: '1', person: id }
    await within(world.database, { workspace: '1' }, async tx => {
      const copy = await plugin.privacy!.exports!(tx, who)
      expect(copy.replies_by_mail).to.have.length(1)
      expect(copy.replies_by_mail![0]).to.include({ text: 'Of mine.', state: 'held' })
      await plugin.privacy!.erases!(tx, who)
    })
    expect(await world.owner('portal.client_reply_mails')).to.be.empty
    expect(await world.owner('portal.client_reply_addresses')).to.be.empty
  })

  it('is deleted after thirty days', async () => {
    const world = await openReplies()
    await held(world, { body: withFile('note.txt', Buffer.from('a note')) })
    const tidy = world.host().plugins.find(it => it.name === 'mail-replies')!.jobs!['mail-replies.tidy' as never] as Job
    const run = () => tidy.work({ workspace: { id: '1', slug: 'brightside' }, data: {} }, world.host())
    await run()
    expect(await world.mailsOf('held')).to.have.length(1)
    await world.pass(31 * 24 * 60)
    await run()
    expect(await world.mailsOf('held')).to.be.empty
  })
})
