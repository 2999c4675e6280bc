import { expect } from 'chai'
import { TOTP } from 'otpauth'
import { testTime } from '../../test/database.ts'
import { jobsDone, until } from '../../test/until.ts'
import { leave, open, type Scene, type Visitor, whoIs } from '../../test/visit.ts'

const { email, password } = whoIs('owner')
const account = '/account/second-factor'
const settings = '/settings/client-portal'

const keyIn = (text: string) => /secret=([A-Z2-7]+)/.exec(text)![1]!
/** Returns the app's code, so many time steps from now. */
const codeOf = (secret: string, steps = 0) => new TOTP({ secret }).generate({ timestamp: testTime() + steps * 30_000 })
const codesIn = (text: string) => [...text.matchAll(/<bdi>([A-Z2-9]{5}-[A-Z2-9]{5})<\/bdi>/g)].map(it => it[1]!)

async function setUp(who: Visitor) {
  expect((await who.post(account)).headers.location).to.equal(`/portal/brightside${account}`)
  const secret = keyIn((await who.get(account)).text)
  // Uses the time step before, so that the tests have the next two left.
  const answer = await who.post(`${account}/confirmation`, { code: codeOf(secret, -1) })
  expect(answer).to.include({ status: 200 }).and.show('The second factor is on', 'recovery-codes.txt')
  return { secret, codes: codesIn(answer.text) }
}

const signIn = async (scene: Scene) => {
  const who = await scene.visit()
  const { headers } = await who.post('/sign-in', { email, password, next: '/portal/brightside/invoices' })
  return { who, location: headers.location }
}
const second = (who: Visitor, code: string) => who.post('/sign-in/second-factor', { code })
const at = async (scene: Scene, minutes: number) =>
  scene.owner('portal.client_sessions').update({
    sess: scene.owner.raw(
      `jsonb_set(sess, '{verifications}', '[{"by": "password", "at": ${testTime() - minutes * 60_000}}]')`,
    ),
  })

/** Runs the waiting jobs now. With `end`, also moves the second factor's end and creation date. */
async function soon(scene: Scene, end: Date | null) {
  if (end) {
    const { factors_end_at: was } = await scene.owner('portal.client_users').where({ email }).first('factors_end_at')
    await scene.owner('portal.client_users').where({ email }).update({ factors_end_at: end })
    const moved = (column: string) =>
      scene.owner.raw(`${column} - interval '${was.getTime() - end.getTime()} milliseconds'`)
    await scene
      .owner('portal.client_factors')
      .update({ confirmed_at: moved('confirmed_at'), created_at: moved('created_at') })
  }
  await scene
    .owner('portal_jobs.job')
    .where({ name: 'data', state: 'created' })
    .update({ start_after: scene.owner.fn.now() })
}

describe('a second factor', () => {
  afterEach(leave)

  it('is active after its first code, and is required at sign-in, each code once', async () => {
    const scene = await open({ mail: 'kept' })
    const [me, elsewhere] = [await scene.visit('owner'), await scene.visit('owner')]
    expect(await me.get('/account')).to.show('Second factor')
    await me.post(account)
    const begun = await me.get(account)
    expect(begun).to.show('QR code for an authenticator app', 'otpauth://totp/')
    expect((await signIn(scene)).location).to.equal('/portal/brightside/invoices')
    expect(await me.post(`${account}/confirmation`, { code: '000000' }))
      .to.include({ status: 422 })
      .and.show('That code doesn’t match.')
    const { secret, codes } = await setUp(me)
    expect(codes).to.have.length(10)
    expect((await scene.mailTo(email)).subject).to.equal('A second factor was set up')
    expect((await elsewhere.get('/account')).status).to.equal(303)
    expect(await me.get(account))
      .to.show('10 recovery codes are left.')
      .and.not.show(secret, ...codes)

    const { who, location } = await signIn(scene)
    expect(location).to.equal('/portal/brightside/sign-in/second-factor')
    for (const path of ['/', '/invoices', '/account', account]) expect((await who.get(path)).status, path).to.equal(303)
    expect((await who.api('/invoices')).status).to.equal(401)
    expect(await who.get('/sign-in/second-factor')).to.show('One more step')
    expect((await second(who, codeOf(secret, -1))).status, 'the one it was confirmed with').to.equal(422)
    expect((await second(who, codeOf(secret, 3))).status, 'two steps away').to.equal(422)
    const before = await scene.owner('portal.client_sessions').pluck('sid')
    const there = await second(who, ` ${codeOf(secret).slice(0, 3)} ${codeOf(secret).slice(3)}`)
    expect(there.headers.location).to.equal('/portal/brightside/invoices')
    expect((await who.get('/invoices')).status).to.equal(200)
    expect(await scene.owner('portal.client_sessions').pluck('sid')).to.not.have.members(before)

    const again = await signIn(scene)
    expect((await second(again.who, codeOf(secret))).status, 'a replay').to.equal(422)
    expect((await second(again.who, codeOf(secret, 1))).status).to.equal(303)
    expect((await second(await scene.visit(), codeOf(secret, 1))).headers.location).to.equal(
      '/portal/brightside/sign-in',
    )
  })

  it('accepts a code once of two concurrent uses, limits attempts, and expires after ten minutes', async () => {
    const scene = await open({ mail: 'kept' })
    const { secret } = await setUp(await scene.visit('owner'))
    const [one, two] = [await signIn(scene), await signIn(scene)]
    const answers = await Promise.all([one, two].map(it => second(it.who, codeOf(secret))))
    expect(answers.map(it => it.status).sort()).to.deep.equal([303, 422])
    const late = await signIn(scene)
    await scene.owner('portal.client_sessions').update({
      sess: scene.owner.raw(
        `case when sess ->> 'pendingFactor' is not null then jsonb_set(sess, '{pendingFactor,proof,at}', '1') else sess end`,
      ),
    })
    expect((await second(late.who, codeOf(secret, 1))).headers.location).to.equal('/portal/brightside/sign-in')
    const { who } = await signIn(scene)
    for (let at = 0; at < 6; at++) await second(who, '000000')
    expect((await second(who, codeOf(secret, 1))).status).to.equal(429)
  })

  it('is replaced by a recovery code, once, with a mail; the database reveals no code', async () => {
    const scene = await open({ mail: 'kept' })
    const { secret, codes } = await setUp(await scene.visit('owner'))
    const rows = JSON.stringify([await scene.owner('portal.client_factors'), await scene.owner('portal.client_outbox')])
    for (const it of [secret, ...codes, ...codes.map(one => one.replace('-', ''))]) expect(rows).to.not.include(it)
    const { who } = await signIn(scene)
    await scene.mailTo(email)
    scene.mails.length = 0
    expect((await second(who, codes[3]!.toLowerCase())).status).to.equal(303)
    expect((await scene.mailTo(email, 'A recovery code was used')).text).to.include('9 are left')
    const again = await signIn(scene)
    expect((await second(again.who, codes[3]!)).status).to.equal(422)
    expect(await who.get('/activity')).to.show('signed in with a recovery code')
    const made = await who.post(`${account}/recovery-codes`)
    expect(codesIn(made.text)).to.have.length(10)
    expect((await second(again.who, codes[4]!)).status).to.equal(422)
    expect((await second(again.who, codesIn(made.text)[0]!)).status).to.equal(303)
  })

  it('is changed, added to and turned off by itself or a recovery code, never by password or mailed code', async () => {
    const scene = await open({ mail: 'kept' })
    const [me, admin] = [await scene.visit('owner'), await scene.visit('admin')]
    const { secret, codes } = await setUp(me)
    const changes = [
      `${account}/removal`,
      `${account}/recovery-codes`,
      '/account/passkeys',
      '/account/passkeys/x/removal',
    ]
    const before = await scene.owner('portal.client_factors').orderBy('id')
    const refused = async (why: string) => {
      for (const path of changes)
        for (const proof of [
          { proof: password, 'step-up.by': 'password', 'step-up.password': password },
          { 'step-up.show': 'code' },
          {},
        ]) {
          const answer = await me.post(path, { name: 'Phone', credential: '{}', ...proof })
          expect(answer, `${path} ${why}`).to.include({ status: 403 })
          expect(answer).to.show('Code from the app').and.not.show('type="password"')
        }
      expect(await scene.owner('portal.client_factors').orderBy('id'), why).to.deep.equal(before)
    }
    // The password was verified a moment ago.
    await at(scene, 0)
    await refused('by a fresh password')
    await admin.postAt(`${settings}/sign-in`, {
      'was.step-up.account.factor': 'verification',
      'step-up.account.factor': 'none',
    })
    await refused('where the workspace asks for nothing')
    expect(await scene.owner('portal.client_outbox').where({ kind: 'step-up' })).to.be.empty

    const by = (code: string) => ({ 'step-up.by': 'totp', 'step-up.code': code })
    expect((await me.post(`${account}/removal`, by('000000'))).status).to.equal(422)
    expect((await me.post(`${account}/removal`, by(codeOf(secret)))).headers.location).to.include('saved=off')
    expect(await me.get(`${account}?saved=off`)).to.show('The second factor is off.')
    expect((await signIn(scene)).location).to.equal('/portal/brightside/invoices')
    expect(await scene.owner('portal.client_factors')).to.be.empty
    expect(await me.get('/activity')).to.show('turned the second factor off')
    expect((await scene.mailTo(email, 'The second factor was turned off')).text).to.be.a('string')
    expect(codes).to.have.length(10)

    const again = await setUp(me)
    await at(scene, 0)
    expect((await me.post(`${account}/removal`, by(again.codes[0]!))).headers.location).to.include('saved=off')
    await setUp(me)
    const { person_id } = await scene.owner('portal.client_factors').first('person_id')
    await scene.owner('portal.client_factors').insert({
      ...{
        workspace_id: '1',
        id: 'a passkey',
        person_id,
        kind: 'passkey',
        name: 'Phone',
        confirmed_at: new Date(testTime()),
      },
    })
    scene.mails.length = 0
    await me.post(`${account}/removal`)
    expect(await scene.mailTo(email, 'A second factor was removed'))
      .to.have.property('text')
      .include('is still required')
  })

  it('of another kind is added by an existing one, also where an app’s setup was begun before', async () => {
    const scene = await open({ mail: 'kept' })
    const me = await scene.visit('owner')
    await me.post(account)
    const secret = keyIn((await me.get(account)).text)
    const { id: person_id } = await scene.owner('portal.client_users').where({ email }).first('id')
    await scene.owner('portal.client_factors').insert({
      ...{
        workspace_id: '1',
        id: 'a passkey',
        person_id,
        kind: 'passkey',
        name: 'Phone',
        confirmed_at: new Date(testTime()),
      },
    })
    expect((await me.post(`${account}/confirmation`, { code: codeOf(secret, -1) })).status).to.equal(403)
    expect(await me.get(account)).to.not.show(secret)
    expect((await scene.owner('portal.client_factors').where({ kind: 'app' }).first()).confirmed_at).to.equal(null)
  })

  it('is required by some actions, where the workspace wants it', async () => {
    const scene = await open({ mail: 'kept' })
    const [admin, me, other] = [await scene.visit('admin'), await scene.visit('owner'), await scene.visit('neighbour')]
    await admin.postAt(`${settings}/sign-in`, {
      'was.step-up.team.change': 'verification',
      'step-up.team.change': 'second',
    })
    await admin.postAt(`${settings}/sign-in`, {
      'was.step-up.account.factor': 'verification',
      'step-up.account.factor': 'second',
    })
    const { secret } = await setUp(me)
    await at(scene, 0)
    const invitation = { name: 'Jo', email: 'jo@x.example', role: 'viewer' }
    expect(await me.post('/team/invitations', invitation))
      .to.include({ status: 403 })
      .and.show('Code from the app')
      .and.not.show('type="password"')
    const cheat = { ...invitation, 'step-up.by': 'password', 'step-up.password': password }
    expect((await me.post('/team/invitations', cheat)).status).to.equal(403)
    const proven = { ...invitation, 'step-up.by': 'totp', 'step-up.code': codeOf(secret) }
    expect((await me.post('/team/invitations', proven)).status).to.equal(303)
    expect(await other.post('/team/invitations', invitation))
      .to.include({ status: 403 })
      .and.show('you haven’t set one up yet')
  })

  it('is needed from a day on by the roles that the workspace names, after a time of reminders', async () => {
    const scene = await open({ mail: 'kept' })
    const [admin, billing] = [await scene.visit('admin'), await scene.visit('billing')]
    const demand = (was: string, from: string, roles: string[]) =>
      admin.postAt(`${settings}/sign-in`, { 'was.mfa': was, 'mfa.from': from, 'mfa.roles': roles })
    expect((await demand('nobody', '2026-12-01', ['admin', 'approver'])).status).to.equal(303)
    const early = await signIn(scene)
    expect(early.location).to.equal(`/portal/brightside${account}`)
    expect(await early.who.get(account)).to.show('requires a second factor from 1 Dec 2026.', 'Later')
    expect((await early.who.get('/invoices')).status).to.equal(200)

    expect((await demand('nobody', '2026-11-21', ['admin'])).status).to.equal(409)
    expect((await demand('2026-12-01 admin approver', '2026-11-21', ['admin'])).status).to.equal(303)
    for (const path of ['/', '/invoices', '/team'])
      expect((await early.who.get(path)).headers.location, path).to.equal(`/portal/brightside${account}`)
    expect((await early.who.api('/invoices')).body).to.include({ status: 403, code: 'second-factor-required' })
    expect((await early.who.fragment('/invoices')).headers['hx-redirect']).to.equal(`/portal/brightside${account}`)
    expect((await billing.get('/invoices')).status).to.equal(200)
    await setUp(early.who)
    expect((await early.who.get('/invoices')).status).to.equal(200)
    expect(await early.who.post(`${account}/removal`))
      .to.include({ status: 422 })
      .and.show('it stays on')
    expect(await admin.at(`${settings}/activity`)).to.show('asks for a second factor: 2026-11-21 admin')
    expect((await demand('2026-11-21 admin', '', [])).status).to.equal(303)
  })

  it('is removed by staff a day later, with a mail to the person at once, and every session ends', async () => {
    const scene = await open({ mail: 'kept' })
    const [admin, me, colleague] = [
      await scene.visit('admin'),
      await scene.visit('owner'),
      await scene.visit('colleague'),
    ]
    await setUp(me)
    const { id } = await scene.owner('portal.client_users').where({ email }).first('id')
    const path = `${settings}/people/${id}/second-factor-reset`
    expect(await admin.at(`${settings}/people`)).to.show('Remove the second factor: Nadia El-Khoury')
    expect((await colleague.postAt(path)).status).to.equal(403)
    const asked = await Promise.all([admin.postAt(path), admin.postAt(path)])
    for (const it of asked) expect(it.headers.location).to.equal(`${settings}/people?done=reset`)
    const { text } = await scene.mailTo(email, 'Your second factor is being removed')
    expect(text).to.match(/Marta Lindqvist at Brightside Agency is removing(.|\n)*It will be removed on \d+ \w+ 2026/)
    expect(await admin.at(`${settings}/people`)).to.show('second factor removed on', 'Keep the second factor: Nadia')
    expect(await admin.at(`${settings}/activity`)).to.show('removes the second factor of Nadia El-Khoury in a day')

    expect(await scene.owner('portal.client_outbox').where({ kind: 'factor-reset' })).to.have.length(1)
    // A job that runs early does nothing.
    await soon(scene, null)
    expect((await me.get('/account')).status).to.equal(200)
    expect((await signIn(scene)).location).to.equal('/portal/brightside/sign-in/second-factor')
    await soon(scene, new Date(testTime() - 1_000))
    await until(async () => (await me.get('/account')).status === 303)
    expect((await signIn(scene)).location).to.equal('/portal/brightside/invoices')
    expect(await admin.at(`${settings}/activity`)).to.show('A second factor was removed at the request of staff')
    expect((await admin.postAt(path)).status).to.equal(404)
  })

  it('stays if its owner uses it within that day, or staff change their minds', async () => {
    const scene = await open({ mail: 'kept' })
    const [admin, me] = [await scene.visit('admin'), await scene.visit('owner')]
    const { secret, codes } = await setUp(me)
    const { id } = await scene.owner('portal.client_users').where({ email }).first('id')
    const path = `${settings}/people/${id}/second-factor-reset`
    const ends = async () =>
      (await scene.owner('portal.client_users').where({ email }).first('factors_end_at')).factors_end_at

    for (const code of [codeOf(secret), codes[0]!]) {
      await admin.postAt(path)
      expect(await ends()).to.be.above(new Date(testTime() + 86_000_000))
      const { who } = await signIn(scene)
      expect((await second(who, code)).status).to.equal(303)
      expect(await ends()).to.equal(null)
    }
    const { who } = await signIn(scene)
    await second(who, codes[1]!)
    await admin.postAt(path)
    await at(scene, 20)
    const proof = { 'step-up.by': 'totp', 'step-up.code': codeOf(secret, 1) }
    expect((await who.post('/account/data/copy', proof)).status).to.equal(303)
    expect(await ends(), 'a step up').to.equal(null)
    expect(await admin.at(`${settings}/activity`)).to.show('used the second factor that staff were removing')
    await admin.postAt(path)
    expect((await admin.postAt(path, { keep: 'on' })).headers.location).to.equal(`${settings}/people?done=kept`)
    expect(await ends()).to.equal(null)
    await soon(scene, null)
    await jobsDone(scene.owner, 'data')
    expect((await signIn(scene)).location).to.equal('/portal/brightside/sign-in/second-factor')
  })

  it('is removed alone: one that was added after the request stays', async () => {
    const scene = await open({ mail: 'kept' })
    const [admin, me] = [await scene.visit('admin'), await scene.visit('owner')]
    await setUp(me)
    const { id } = await scene.owner('portal.client_users').where({ email }).first('id')
    await admin.postAt(`${settings}/people/${id}/second-factor-reset`)
    await scene.owner('portal.client_factors').insert({
      ...{ workspace_id: '1', id: 'a passkey', person_id: id, kind: 'passkey', name: 'Phone' },
      confirmed_at: new Date(testTime() + 60_000),
    })
    await soon(scene, new Date(testTime() - 1_000))
    const left = () => scene.owner('portal.client_factors').pluck('kind')
    await jobsDone(scene.owner, 'data')
    expect(await left()).to.deep.equal(['passkey'])
  })
})
