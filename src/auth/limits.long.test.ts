import { expect } from 'chai'
import { person, share } from '../../test/links.ts'
import { until } from '../../test/until.ts'
import { leave, open, type Scene, type Visitor, whoIs } from '../../test/visit.ts'
import { networkOf } from './limits.ts'

const owner = whoIs('owner')
const attempt = (it: Visitor, email: string, password: string) => it.post('/sign-in', { email, password })

describe('too many attempts', () => {
  afterEach(leave)

  it('at one account have to wait, also with the right password, and end no session that there is', async () => {
    const { visit, log } = await open()
    const [inside, nobody] = [await visit('owner'), await visit()]
    for (let at = 0; at < 5; at++) expect((await attempt(nobody, owner.email, `wrong ${at}`)).status).to.equal(422)
    const late = await attempt(nobody, owner.email, owner.password)

    expect(late).to.include({ status: 429 }).and.show('Too many attempts.', 'Try again in a minute.', owner.email)
    expect(Number(late.headers['retry-after'])).to.be.within(1, 60)
    expect((await inside.get('/account')).status).to.equal(200)
    expect((await attempt(nobody, whoIs('billing').email, whoIs('billing').password)).status).to.equal(303)
    expect(log.some(it => it.sentence === 'tries were slowed down' && it.facts.limit === 'account')).to.equal(true)
  })

  it('are each counted when concurrent', async () => {
    const { visit } = await open()
    const nobody = await visit()
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, at) => attempt(nobody, owner.email, `wrong ${at}`)),
    )
    // Five per minute. Two of them may already exceed the limit per quarter of an hour: each limit counts for itself.
    const tried = answers.filter(it => it.status === 422).length
    expect(tried).to.be.within(3, 5)
    expect(answers.filter(it => it.status === 429)).to.have.length(12 - tried)
  })

  it('are forgotten when the right password comes in time, and pass with time', async () => {
    const { visit, owner: database } = await open()
    const nobody = await visit()
    for (let at = 0; at < 4; at++) await attempt(nobody, owner.email, `wrong ${at}`)
    expect((await attempt(nobody, owner.email, owner.password)).status).to.equal(303)
    for (let at = 0; at < 5; at++) expect((await attempt(nobody, owner.email, `wrong ${at}`)).status).to.equal(422)
    expect((await attempt(nobody, owner.email, owner.password)).status).to.equal(429)
    await database('portal_jobs.limits').update({ expire: Date.now() - 1 })
    expect((await attempt(nobody, owner.email, owner.password)).status).to.equal(303)
  })

  it('look alike for existing and unknown accounts', async () => {
    const { visit } = await open()
    const nobody = await visit()
    const seen = []
    for (const email of [owner.email, 'unknown@else.where']) {
      for (let at = 0; at < 5; at++) await attempt(nobody, email, `wrong ${at}`)
      const { status, text } = await attempt(nobody, email, 'wrong')
      seen.push([status, text.replaceAll(email, '').replaceAll(/nonce="[^"]+"/g, '')])
    }
    expect(seen[0]).to.deep.equal(seen[1])
  })

  it('with one password at many accounts are detected and slowed down', async () => {
    const { visit } = await open()
    const nobody = await visit()
    const statuses = []
    for (let at = 0; at < 12; at++)
      statuses.push((await attempt(nobody, `somebody${at}@else.where`, 'Winter2026!')).status)
    expect(statuses).to.deep.equal([...Array(10).fill(422), 429, 429])
    expect((await attempt(nobody, 'another@else.where', 'another password')).status).to.equal(422)
  })

  it('to trigger other mails do not block a person’s sign-in codes', async () => {
    const scene = await open({ mail: 'kept' })
    const [neighbour, nobody] = [await scene.visit('neighbour'), await scene.visit()]
    const admin = await scene.visit('admin')
    const registration = { 'was.sign-in.registration': 'off', 'sign-in.registration': 'on' }
    await admin.postAt('/settings/client-portal/sign-in', registration)
    const { email } = owner
    for (let at = 0; at < 3; at++) {
      await neighbour.post('/account/address', { email, current: whoIs('neighbour').password })
      await nobody.post('/register', { name: 'Not Nadia', email, code: 'ABCDE-FGHJK' })
      await neighbour.post('/team/invitations', { name: 'Nadia', email, role: 'viewer' })
    }
    expect((await nobody.post('/register', { name: 'Not Nadia', email, code: 'ABCDE-FGHJK' })).status).to.equal(429)
    expect((await nobody.post('/sign-in/code', { email })).status).to.equal(303)
    expect(
      (await until(() => scene.mails.findLast(it => it.to === email && it.text.includes('/sign-in/link/')))).text,
    ).to.match(/^\d{6}$/m)
  })

  it('to have mails sent to somebody have to wait, known or not', async () => {
    const scene = await open({ mail: 'kept' })
    const nobody = await scene.visit()
    for (const email of [owner.email, 'unknown@else.where']) {
      const statuses = []
      for (const path of ['/forgot-password', '/sign-in/code', '/forgot-password', '/sign-in/code'])
        statuses.push((await nobody.post(path, { email })).status)
      expect(statuses, email).to.deep.equal([303, 303, 303, 429])
    }
  })

  it('store no input in the database', async () => {
    const { visit, owner: database } = await open()
    await attempt(await visit(), owner.email, 'a password to be found')
    const rows = JSON.stringify(await database('portal_jobs.limits'))
    expect(rows).to.have.length.above(10)
    expect(rows).to.not.match(/nadia|password to be found|127\.0\.0\.1/)
  })
})

describe('a network', () => {
  it('is the address of IPv4, and the first half of one of IPv6', () => {
    expect(networkOf('192.0.2.7')).to.equal('192.0.2.7')
    expect(networkOf('::ffff:192.0.2.7')).to.equal('192.0.2.7')
    expect(networkOf('2001:db8:1:2:3:4:5:6')).to.equal('2001:db8:1:2')
    expect(networkOf('2001:DB8:1:2::9')).to.equal(networkOf('2001:db8:1:2:ffff::1'))
    expect(networkOf('2001:db8::1')).to.equal('2001:db8:0:0')
    expect(networkOf('::1')).to.equal('0:0:0:0')
    expect(networkOf('fe80::1%eth0')).to.equal('fe80:0:0:0')
  })
})

describe('wrong codes', () => {
  afterEach(leave)

  const codeIn = (text: string) => /^(\d{6})$/m.exec(text)![1]!
  const other = (code: string, by: number) => String((Number(code) + by) % 1_000_000).padStart(6, '0')
  const forget = (scene: Scene, what: string) =>
    scene.owner('portal_jobs.limits').where('key', 'like', `${what}%`).delete()

  /** Requests a code, and returns the page to enter it. */
  async function ask(scene: Scene, who: Visitor, email: string) {
    await forget(scene, 'mail')
    const { headers } = await who.post('/sign-in/code', { email })
    return headers.location!.replace('/portal/brightside', '')
  }

  it('are counted for an account across codes: then codes wait, and the mailed link does not', async () => {
    const scene = await open({ mail: 'kept' })
    const nobody = await scene.visit()
    const seen: unknown[][] = []
    for (const email of [owner.email, 'unknown@else.where']) {
      const answers = []
      for (let round = 0; round < 2; round++) {
        const page = await ask(scene, nobody, email)
        const right = email === owner.email ? codeIn((await scene.mailTo(email)).text) : '000000'
        for (let at = 1; at <= 5; at++) answers.push(await nobody.post(page, { code: other(right, at) }))
        scene.mails.length = 0
      }
      await forget(scene, 'address')
      const page = await ask(scene, nobody, email)
      const mail = email === owner.email ? await scene.mailTo(email) : undefined
      const late = await nobody.post(page, { code: mail ? codeIn(mail.text) : '000000' })
      expect(late)
        .to.include({ status: 429 })
        .and.show('Too many wrong codes were entered for this address.', 'The link in the e-mail still works.')
      expect(Number(late.headers['retry-after'])).to.be.within(3_000, 3_600)
      const token = { grant: 'code', request: page.split('/').at(-1), code: mail ? codeIn(mail.text) : '000000' }
      expect((await nobody.agent.post('/portal/brightside/api/v1/tokens').send(token)).status).to.equal(429)
      seen.push([...answers, late].map(it => [it.status, it.text.replaceAll(/nonce="[^"]+"/g, '')]))
      if (!mail) continue

      const me = await scene.visit('owner')
      const link = /brightside(\/sign-in\/link\/\S+)/.exec(mail.text)![1]!
      expect((await nobody.post(link)).status).to.equal(303)
      expect((await nobody.get('/account')).status).to.equal(200)
      await nobody.post('/sign-out')
      expect((await me.get('/account')).status).to.equal(200)
    }
    expect(seen[1]).to.deep.equal(seen[0])

    await scene
      .owner('portal_jobs.limits')
      .where('key', 'like', 'code3600%')
      .update({ expire: Date.now() - 1 })
    scene.mails.length = 0
    const page = await ask(scene, nobody, owner.email)
    expect((await nobody.post(page, { code: codeIn((await scene.mailTo(owner.email)).text) })).status).to.equal(303)
  })

  it('count alike before what matters and at a public link, and a right one is none', async () => {
    const scene = await open({ mail: 'kept' })
    const me = await scene.visit('owner')
    const used = async () =>
      (await scene.owner('portal_jobs.limits').where('key', 'like', 'code3600%')).map(it => it.points)
    const page = await ask(scene, await scene.visit(), owner.email)
    const right = codeIn((await scene.mailTo(owner.email)).text)
    for (let at = 1; at <= 3; at++) await (await scene.visit()).post(page, { code: other(right, at) })
    await (await scene.visit()).post(page, { code: right })
    expect(await used()).to.deep.equal([3])

    await scene
      .owner('portal.client_sessions')
      .update({ sess: scene.owner.raw(`jsonb_set(sess, '{verifications}', '[]')`) })
    scene.mails.length = 0
    const invitation = { name: 'Jo', email: 'jo@x.example', role: 'viewer' }
    await forget(scene, 'mail')
    const sent = await me.post('/team/invitations', { ...invitation, 'step-up.show': 'code' })
    const proof = {
      ...invitation,
      'step-up.by': 'code',
      'step-up.id': /step-up.id" value="([^"]+)/.exec(sent.text)![1]!,
    }
    const fresh = codeIn((await scene.mailTo(owner.email)).text)
    for (let at = 1; at <= 3; at++)
      expect((await me.post('/team/invitations', { ...proof, 'step-up.code': other(fresh, at) })).status).to.equal(422)
    expect(await used()).to.deep.equal([6])

    const guest = await person(scene)
    const here = (await guest.get((await share(scene)).path)).headers.location!
    scene.mails.length = 0
    await forget(scene, 'mail')
    const base = here.replace(/\/proposals\/.*/, '/code')
    const asked = await guest.postAt(base, { 'step-up.show': 'code', 'step-up.email': owner.email })
    const typed = { 'step-up.id': /step-up.id" value="([^"]+)/.exec(asked.text)![1]!, 'step-up.email': owner.email }
    const mailed = codeIn((await scene.mailTo(owner.email)).text)
    for (let at = 1; at <= 4; at++)
      expect((await guest.postAt(base, { ...typed, 'step-up.code': other(mailed, at) })).status).to.equal(422)
    expect(await used()).to.deep.equal([10])
    expect(await guest.postAt(base, { ...typed, 'step-up.code': mailed }))
      .to.include({ status: 429 })
      .and.show('Too many wrong codes were entered for this address.')
    expect((await me.post('/team/invitations', { ...proof, 'step-up.code': fresh })).status).to.equal(429)
    expect(await scene.owner('portal.client_invitations')).to.be.empty
  })
})
