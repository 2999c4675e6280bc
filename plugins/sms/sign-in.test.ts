import { expect } from 'chai'
import { allowLoopback } from '../../src/platform/outgoing.ts'
import { smsProvider } from '../../test/sms-provider.ts'
import { until } from '../../test/until.ts'
import { leave, open, type Scene, type Visitor, whoIs } from '../../test/visit.ts'

const settings = '/settings/client-portal/sms'
const { email, password } = whoIs('owner')
const number = '+31612345678'
const proof = { 'step-up.by': 'password', 'step-up.password': password }

describe('signing in by text message', () => {
  let service: Awaited<ReturnType<typeof smsProvider>>
  let scene: Scene
  let owner: Visitor
  let admin: Visitor

  before(allowLoopback)
  beforeEach(async () => {
    service = await smsProvider()
    scene = await open({ mail: 'kept' })
    ;[owner, admin] = await Promise.all([scene.visit('owner'), scene.visit('admin')])
  })
  afterEach(async () => {
    service.close()
    await leave()
  })

  const offer = async () => {
    const values = {
      ...{ 'sms.address': service.address, 'before sms.address': 'https://api.twilio.com/2010-04-01' },
      ...{ 'sms.account': 'AC1', 'before sms.account': '', 'sms.sender': 'Brightside', 'before sms.sender': '' },
      ...{ 'sms.budget': '500', 'before sms.budget': '500', 'sms.token': 'the token' },
      ...{ 'sms.codes': 'on', 'before sms.codes': '' },
    }
    expect((await admin.postAt(settings, values)).headers.location).to.equal(`${settings}?said=saved`)
    const on = { workspace_id: '1', name: 'sms', value: 'true', changed_by: 'Marta' }
    await scene.owner('portal.client_portal_settings').insert(on)
  }
  const rows = () => scene.owner('portal.client_sms_numbers')
  const confirm = async () => {
    await owner.post('/sms/number', { mobile: number })
    await owner.post('/sms/code', { digits: /^\d{6}/.exec(service.texts().at(-1)!.body)![0] })
  }
  const allow = async () => {
    await offer()
    await confirm()
    expect((await owner.post('/sms/sign-in', proof)).headers.location).to.match(/\/account#texts$/)
  }
  /** Asks for a code, and gives the page to enter it on. */
  const ask = async (who: Visitor, address = email) => {
    const { headers } = await who.post('/text-code', { email: address })
    return headers.location!.replace(/^.*brightside/, '')
  }
  const texted = async (count: number) => {
    await until(() => service.texts().length === count)
    return service.texts().at(-1)!
  }
  const codeIn = ({ body }: { body: string }) => /^\d{6}/.exec(body)![0]

  it('is off until the workspace offers it, and then each person allows it, with a proof that it is them', async () => {
    const visitor = await scene.visit()
    expect((await visitor.get('/sign-in?way=code')).text).to.not.include('Text me a code')
    expect((await visitor.get('/text-code')).headers.location).to.match(/\/sign-in$/)
    expect((await visitor.post('/text-code', { email })).headers.location).to.match(/\/sign-in$/)
    expect((await owner.get('/account')).text).to.not.include('Sign in by text message')
    await owner.post('/sms/sign-in', proof)
    expect(await rows()).to.be.empty

    await offer()
    expect((await visitor.get('/sign-in?way=code')).text).to.include('Text me a code')
    expect(await owner.get('/account')).to.show('Confirm your number first.')
    await confirm()
    expect(await owner.get('/account')).to.show(number)
    await scene.owner.raw(
      `update portal.client_sessions set sess = jsonb_set(sess::jsonb, '{verifications}', '[]')::json`,
    )
    expect(await owner.post('/sms/sign-in')).to.show('Confirm that it’s you')
    expect(await rows()).to.have.nested.property('[0].sign_in', false)
    await owner.post('/sms/sign-in', proof)
    expect(await owner.get('/account')).to.show('You can ask for your code here')
    expect(await rows()).to.have.nested.property('[0].sign_in', true)
    const mails = await scene.owner('portal.client_outbox').where({ kind: 'sms.allowed' })
    expect(mails.map(it => it.recipient)).to.deep.equal([email])
    await owner.post('/sms/sign-in/removal')
    expect(await rows()).to.have.nested.property('[0].sign_in', false)
  })

  it('texts a code that is bound to the portal’s address, signs in once, and is said in evidence and activity', async () => {
    await allow()
    const visitor = await scene.visit()
    const page = await ask(visitor)
    const text = await texted(2)
    expect(text.to).to.equal(number)
    const code = codeIn(text)
    expect(text.body).to.equal(
      `${code} is your code to sign in to Brightside Agency. It expires in 10 minutes. Never share it.\n\n@crm.example #${code}`,
    )
    const { rows: jobs } = await scene.owner.raw(
      `select data::text from portal_jobs.job where data ->> 'job' = 'sms.code'`,
    )
    expect(JSON.stringify(jobs)).to.not.include(code)
    expect((await visitor.get(page)).text).to.include('autocomplete="one-time-code"')
    const wrong = await visitor.post(page, { code: code === '000000' ? '000001' : '000000' })
    expect([wrong.status, wrong.text.includes('This code is wrong or has expired.')]).to.deep.equal([422, true])
    expect((await visitor.post(page, { code, next: '/portal/brightside/invoices' })).headers.location).to.equal(
      '/portal/brightside/invoices',
    )
    expect((await visitor.get('/invoices')).status).to.equal(200)
    const [{ sess }] = await scene.owner('portal.client_sessions').whereRaw(`sess::text like '%"text"%'`)
    expect(sess.verifications.map((it: { by: string }) => it.by)).to.deep.equal(['text'])
    const again = await scene.visit()
    expect((await again.post(page, { code })).status).to.equal(422)
  })

  it('answers alike whether or not there is an account, a number, or leave to use it', async () => {
    await offer()
    const visitor = await scene.visit()
    const pages: string[] = []
    for (const address of [email, whoIs('member').email, 'nobody@example.com']) {
      const page = await ask(visitor, address)
      expect(page).to.match(/^\/text-code\/[0-9a-f-]{36}$/)
      pages.push((await visitor.get(page)).text.replaceAll(page.split('/')[2]!, '').replace(/nonce="[^"]*"/g, ''))
    }
    expect(new Set(pages).size).to.equal(1)
    await confirm()
    await ask(visitor)
    const waiting = async () => {
      const { rows: jobs } = await scene.owner.raw(
        `select from portal_jobs.job where data ->> 'job' = 'sms.code' and state in ('created', 'retry', 'active')`,
      )
      return jobs.length
    }
    await until(async () => (await waiting()) === 0)
    expect(service.texts(), 'the one that confirmed the number').to.have.length(1)
  })

  it('follows from the page for a mailed code, and sends another, to the address that was asked for', async () => {
    await allow()
    const visitor = await scene.visit()
    const mailed = (await visitor.post('/sign-in/code', { email })).headers.location!.replace(/^.*brightside/, '')
    const { text } = await visitor.get(mailed)
    const [, request] = /name="request" value="([^"]+)"/.exec(text)!
    const page = (await visitor.post('/text-code', { request: request! })).headers.location!.replace(
      /^.*brightside/,
      '',
    )
    await texted(2)
    const other = (await visitor.post('/text-code', { request: page.split('/')[2]! })).headers.location!
    const code = codeIn(await texted(3))
    const old = codeIn(service.texts()[1]!)
    if (old !== code) expect((await visitor.post(page, { code: old })).status).to.equal(422)
    expect((await visitor.post(other.replace(/^.*brightside/, ''), { code })).status).to.equal(303)
    for (const odd of [{}, { request: 'x' }, { request: '01990000-0000-7000-8000-000000000000' }, { email: '' }]) {
      const answer = await (await scene.visit()).post('/text-code', odd)
      expect([answer.status, answer.text.includes('Enter your e-mail address.')]).to.deep.equal([422, true])
    }
  })

  it('ends with another number, a new password, “It was not me”, and when the workspace switches it off', async () => {
    await allow()
    await owner.post('/sms/number', { mobile: '+31612345679' })
    expect(await rows()).to.have.nested.property('[0].sign_in', false)
    const allowed = () => rows().update({ sign_in: true, confirmed_at: '2026-11-01T10:00Z' })
    const [{ person_id: id }] = await rows()
    await allowed()
    await scene.owner('portal.client_users').where({ id }).update({ password_hash: 'another' })
    expect(await rows()).to.have.nested.property('[0].sign_in', false)
    await allowed()
    const visitor = await scene.visit()
    const page = await ask(visitor)
    const code = codeIn(await texted(3))
    await rows().update({ sign_in: false })
    expect((await visitor.post(page, { code })).status).to.equal(422)
    await allowed()
    const next = await ask(visitor)
    const fresh = codeIn(await texted(4))
    await scene.owner('portal.client_portal_settings').insert({
      ...{ workspace_id: '1', client_id: '1', person_id: id, name: 'sms', value: 'false', changed_by: 'Marta' },
    })
    expect((await visitor.post(next, { code: fresh })).status, 'off for this person').to.equal(422)
    await scene.owner('portal.client_portal_settings').where({ person_id: id }).delete()
    await scene.owner('portal.client_plugin_settings').where({ name: 'sms.codes' }).update({ value: 'false' })
    expect((await visitor.post(next, { code: fresh })).headers.location).to.match(/\/sign-in$/)
    expect((await visitor.get('/invoices')).status).to.equal(303)
    for (const at of [1, 2]) {
      await scene.owner('portal.client_users').where({ id }).update({ password_hash: '' })
      expect(await rows(), `time ${at}`).to.be.empty
    }
  })

  it('takes no code that went to an earlier number, and is no proof for what needs one', async () => {
    await allow()
    const visitor = await scene.visit()
    const page = await ask(visitor)
    const code = codeIn(await texted(2))
    await owner.post('/sms/number', { mobile: '+31612345679' })
    await owner.post('/sms/code', { digits: codeIn(await texted(3)) })
    await owner.post('/sms/sign-in', proof)
    expect((await visitor.post(page, { code })).status).to.equal(422)
    const other = await ask(visitor)
    expect((await visitor.post(other, { code: codeIn(await texted(4)) })).status).to.equal(303)
    expect(await visitor.post('/account/second-factor')).to.show('Confirm that it’s you')
    expect(await visitor.post('/account/second-factor', proof)).to.not.show('Confirm that it’s you')
  })

  it('refuses an expired code, who is suspended, and more than a few texts for one address', async () => {
    await allow()
    const visitor = await scene.visit()
    const page = await ask(visitor)
    const code = codeIn(await texted(2))
    await scene.pass(11)
    expect((await visitor.post(page, { code })).status).to.equal(422)
    await scene.owner('portal.client_users').where({ email }).update({ suspended_at: '2026-11-01T10:00Z' })
    await ask(visitor)
    const statuses: number[] = []
    for (let at = 0; at < 4; at++) statuses.push((await visitor.post('/text-code', { email })).status)
    expect(statuses).to.include(429)
    expect(service.texts()).to.have.length(2)
  })
})
