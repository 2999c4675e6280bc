import { expect } from 'chai'
import { allowLoopback } from '../../src/platform/outgoing.ts'
import { openTelling, type Telling } from '../../test/notifications.ts'
import { smsProvider } from '../../test/sms-provider.ts'
import { until } from '../../test/until.ts'
import { leave, type Visitor } from '../../test/visit.ts'
import { messagesIn, textOf } from './text.ts'

const settings = '/settings/client-portal/sms'
const number = '+31612345678'

describe('text messages', () => {
  let service: Awaited<ReturnType<typeof smsProvider>>
  let scene: Telling
  let owner: Visitor
  let admin: Visitor

  before(allowLoopback)
  beforeEach(async () => {
    service = await smsProvider()
    scene = await openTelling()
    ;[owner, admin] = await Promise.all([scene.visit('owner'), scene.visit('admin')])
  })
  afterEach(async () => {
    service.close()
    await leave()
  })

  const setUp = async (budget = '500') => {
    const values = {
      'sms.address': service.address,
      'sms.account': 'AC1',
      'sms.sender': 'Brightside',
      'sms.budget': budget,
    }
    const before = {
      'before sms.address': 'https://api.twilio.com/2010-04-01',
      ...{ 'before sms.account': '', 'before sms.sender': '', 'before sms.budget': '500' },
    }
    const { status, headers } = await admin.postAt(settings, { ...values, ...before, 'sms.token': 'the token' })
    expect([status, headers.location]).to.deep.equal([303, `${settings}?said=saved`])
    const on = { workspace_id: '1', name: 'sms', value: 'true', changed_by: 'Marta' }
    await scene.owner('portal.client_portal_settings').insert(on)
  }
  const codeIn = (at: number) => /^\d{6}/.exec(service.texts().at(at)!.body)![0]
  const confirm = async () => {
    expect((await owner.post('/sms/number', { mobile: '0031 6 1234 5678' })).status).to.equal(303)
    expect((await owner.post('/sms/code', { digits: codeIn(-1) })).status).to.equal(303)
  }
  const choose = () => owner.post('/notifications/settings', { shown: 'documents.shared', on: 'documents.shared:sms' })
  const shared = { kind: 'documents.shared', facts: { staff: 'Marta', name: 'Plan.pdf', files: 1 } }
  const messages = () => scene.owner('portal.client_notification_messages')

  it('are off until the workspace switches them on, and then go to whom confirmed a number and chose them', async () => {
    expect(await owner.get('/notifications/settings')).to.not.show('Mobile number')
    expect((await owner.post('/sms/number', { mobile: number })).status).to.equal(404)
    await setUp()
    expect((await admin.at(settings)).text).to.not.include('the token')
    await confirm()
    await scene.tell(shared)
    expect(await messages()).to.have.length(0)
    await choose()
    await scene.tell(shared)
    await until(() => service.texts().length === 2)
    const one = service.texts()[1]!
    expect(one.to).to.equal(number)
    expect(one.body).to.match(
      /^Brightside Agency: Marta shared Plan\.pdf https:\/\/crm\.example\/portal\/brightside\/documents/,
    )
    expect(one.authorization).to.equal(`Basic ${Buffer.from('AC1:the token').toString('base64')}`)
    await owner.post('/sms/removal')
    await scene.tell(shared)
    expect(service.texts()).to.have.length(2)
  })

  it('need a code, which may be wrong four times and is valid for ten minutes, stored as its hash', async () => {
    await setUp()
    await owner.post('/sms/number', { mobile: number })
    const code = codeIn(-1)
    const [row] = await scene.owner('portal.client_sms_numbers')
    expect(JSON.stringify(row)).to.not.include(code)
    const wrong = code === '000000' ? '000001' : '000000'
    for (let at = 0; at < 5; at++) {
      const answer = await owner.post('/sms/code', { digits: wrong })
      expect(answer.status).to.equal(422)
      expect(answer).to.show('This code is wrong or has expired.')
    }
    expect((await owner.post('/sms/code', { digits: code })).status).to.equal(422)
    await owner.post('/sms/number', { mobile: number })
    await scene.pass(11)
    expect((await owner.post('/sms/code', { digits: codeIn(-1) })).status).to.equal(422)
    for (const odd of ['', '12', '0612345678', '+', `+${'1'.repeat(16)}`, ['+31612345678', 'x']])
      expect((await owner.post('/sms/number', { mobile: odd })).status).to.equal(422)
    const statuses = []
    for (let at = 0; at < 5; at++) statuses.push((await owner.post('/sms/number', { mobile: number })).status)
    expect(statuses).to.include(429)
  })

  it('are tried again for a day where the provider is down, with growing pauses, and then given up', async () => {
    await setUp()
    await confirm()
    await choose()
    service.answers.push(...Array.from({ length: 20 }, () => 500))
    await scene.tell(shared)
    await until(async () => (await messages()).length === 1)
    const [{ id }] = await messages()
    const pauses: number[] = []
    for (let at = 0; at < 15; at++) {
      await scene.perform('notifications.send', { id })
      const [job] = await scene
        .owner('portal_jobs.job')
        .whereRaw(`data ->> 'job' = 'notifications.send'`)
        .orderBy('created_on', 'desc')
        .select(scene.owner.raw('extract(epoch from start_after - created_on)::int as pause'))
      if (job) pauses.push(job.pause)
    }
    const [message] = await messages()
    expect(message).to.include({ attempts: 13, sent_at: null, error: 'The SMS provider answered 500.' })
    expect(message.failed_at).to.be.instanceOf(Date)
    expect(pauses.at(-1)).to.be.above(pauses[0]! * 20)
    expect(service.texts()).to.have.length(1)
  })

  it('are not tried again where the provider refuses them, and stop at the budget of a day', async () => {
    await setUp('3')
    await confirm()
    await choose()
    service.answers.push(400)
    await scene.tell(shared)
    await until(async () => (await messages().whereNotNull('failed_at')).length === 1)
    await scene.tell({ ...shared, id: 'second' })
    await until(() => service.texts().length === 2)
    await scene.tell({ ...shared, id: 'third' })
    await until(async () => (await messages().whereNotNull('failed_at')).length === 2)
    expect(service.texts()).to.have.length(2)
  })

  it('are tried by staff, who see what is wrong', async () => {
    await setUp()
    service.answers.push(401)
    const refused = await admin.postAt(`${settings}/test`, { mobile: number })
    expect(refused.status).to.equal(422)
    expect(refused).to.show('The text could not be sent.')
    expect((await admin.postAt(`${settings}/test`, { mobile: number })).headers.location).to.equal(
      `${settings}?said=sent`,
    )
    const odd = { 'sms.address': 'ftp://x', 'before sms.address': service.address }
    expect((await admin.postAt(settings, odd)).status).to.equal(422)
  })

  it('take two messages at most, whichever letters they have, with an address that is whole', () => {
    const url = `https://crm.example/portal/brightside/documents/${'0'.repeat(36)}?client=12`
    const said = (text: string, from = 'Acme') => textOf({ from, text, url })
    expect(said('“Plan” is there…')).to.equal(`Acme: "Plan" is there... ${url}`)
    expect(said('Llegó el plan')).to.equal(`Acme: Llegó el plan ${url}`)
    expect(said('La invitación de Asunción llegó, ñ y é también')).to.equal(
      `Acme: La invitacion de Asuncion llego, ñ y é también ${url}`,
    )
    expect(said('Marta: “Good 👍🏽 news”'.padEnd(99, '.'))).to.match(/^Acme: Marta: "Good news"\.+ https/)
    expect(said(`Marta: “${'слово '.repeat(20)}”`)).to.equal(`Acme: Marta: "... " ${url}`)
    const long = ['x', 'word ', 'ó', '{€}', '👍 word '].map(it => it.repeat(500))
    for (const text of [...long, ...long.map(it => `a${it}`)]) {
      expect(messagesIn(said(text)), text).to.be.within(1, 2)
      expect(said(text).endsWith(`... ${url}`), text).to.equal(true)
      expect(said(text).isWellFormed(), text).to.equal(true)
      expect(messagesIn(said('Short.', text)), text).to.be.within(1, 2)
    }
    const endless = textOf({ from: 'Acme', text: 'word '.repeat(99), url: `https://${'y'.repeat(400)}` })
    expect(endless).to.match(/^Acme: word .+ word\.\.\.$/)
  })

  it('are counted as phones do', () => {
    for (const [text, count] of [
      ...[['x'.repeat(160), 1] as const, ['x'.repeat(161), 2] as const, ['x'.repeat(306), 2] as const],
      ...[
        ['x'.repeat(307), 3] as const,
        ['€'.repeat(80), 1] as const,
        [`${'x'.repeat(152)}€${'x'.repeat(152)}`, 3] as const,
      ],
      ...[
        ['í'.repeat(70), 1] as const,
        ['í'.repeat(134), 2] as const,
        [`${'í'.repeat(66)}👍${'í'.repeat(66)}`, 3] as const,
      ],
    ])
      expect(messagesIn(text), text).to.equal(count)
  })
})
