import { expect } from 'chai'
import { adapter } from '../../demo/adapter/adapter.ts'
import { testTime } from '../../test/database.ts'
import { leave, open, type Visitor, whoIs } from '../../test/visit.ts'
import { within } from '../platform/database.ts'
import { findInvitation, invite, openAccount } from './invitations.ts'
import { hashPassword, passwordMatches, weakness } from './passwords.ts'

describe('sign-in', () => {
  afterEach(leave)

  it('works by e-mail and password, ignoring the case of the address', async () => {
    const { visit } = await open()
    const nobody = await visit()
    const { email, password } = whoIs('owner')
    const answer = await nobody.post('/sign-in', { email: ` ${email.toUpperCase()} `, password })

    expect(answer).to.include({ status: 303 })
    expect(answer.headers.location).to.equal('/portal/brightside/')
    expect(await nobody.get('/')).to.show('Good morning, Nadia', 'Acme Bakery')
    expect(await nobody.get('/activity')).to.show('signed in')
  })

  it('checks every wrong password with the CRM, and responds alike to all while it is down', async () => {
    const asked: string[] = []
    let down = false
    const scene = await open()
    const identity = {
      verify: async (_workspace: unknown, email: string) => {
        asked.push(email)
        if (down) throw Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })
        return undefined
      },
      find: async () => undefined,
    }
    const { visit } = await open({ crm: { ...adapter(scene.database), identity }, on: scene })
    const nobody = await visit()
    const emails = [whoIs('owner').email, 'nobody@else.where']
    const statuses = async () => {
      const answers = []
      for (const email of emails) answers.push((await nobody.post('/sign-in', { email, password: 'wrong' })).status)
      return answers
    }
    expect(await statuses()).to.deep.equal([422, 422])
    expect(asked).to.deep.equal(emails)
    down = true
    expect(await statuses()).to.deep.equal([503, 503])
    const { email, password } = whoIs('owner')
    expect((await nobody.post('/sign-in', { email, password })).status).to.equal(303)
  })

  it('responds alike to an unknown address, a wrong password and an account without one, and keeps the address', async () => {
    const { visit, owner: database } = await open()
    await database('portal.client_users')
      .where({ email: whoIs('viewer').email })
      .update({ password_hash: null })
    const answers = []
    for (const email of ['nobody@else.where', whoIs('owner').email, whoIs('viewer').email, whoIs('stranger').email]) {
      const answer = await (await visit()).post('/sign-in', { email, password: 'wrong-password' })
      expect(answer)
        .to.include({ status: 422 })
        .and.show(`value="${email}"`, 'don’t match')
        .and.not.show('wrong-password')
      const {
        date,
        etag,
        'x-request-id': id,
        'content-security-policy': csp,
        'content-length': length,
        ...headers
      } = answer.headers
      answers.push({ headers, text: answer.text.replaceAll(email, '').replaceAll(/nonce="[^"]+"/g, '') })
    }
    for (const it of answers) expect(it).to.deep.equal(answers[0])
  })

  it('stores a password by Argon2id with OWASP’s parameters, and never matches an account without one', async () => {
    const stored = await hashPassword('one')

    expect(stored).to.match(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    expect([
      await passwordMatches(stored, 'one'),
      await passwordMatches(stored, 'two'),
      await passwordMatches(null, 'one'),
    ]).to.deep.equal([true, false, false])
  })

  it('is logged when it fails, and when it does not', async () => {
    const { visit, owner: database } = await open()
    await (await visit()).post('/sign-in', { email: 'who@else.where', password: 'x' })
    const owner = await visit('owner')
    await owner.post('/sign-out')
    const rows = await database('portal.client_activity_logs').orderBy('id').select('event', 'actor_kind', 'actor_name')

    expect(rows).to.deep.equal([
      { event: 'account.sign-in-failed', actor_kind: 'nobody', actor_name: 'who@else.where' },
      { event: 'account.signed-in', actor_kind: 'client', actor_name: 'Nadia El-Khoury' },
      { event: 'account.signed-out', actor_kind: 'client', actor_name: 'Nadia El-Khoury' },
    ])
  })

  it('gives a new session id, so that one planted before is worth nothing', async () => {
    const { visit, owner: database } = await open()
    const owner = await visit('owner')
    const [before] = await database('portal.client_sessions').select('sid')
    const { email, password } = whoIs('owner')
    await owner.post('/sign-in', { email, password })
    const after = await database('portal.client_sessions').select('sid')

    expect(after).to.have.length(1)
    expect(after[0].sid).to.not.equal(before.sid)
  })

  it('leads only to pages of the same portal', async () => {
    const { visit } = await open()
    const { email, password } = whoIs('owner')
    const landed = async (next: string) =>
      (await (await visit()).post('/sign-in', { email, password, next })).headers.location

    for (const next of [
      'https://evil.example/',
      '//evil.example/portal/brightside/',
      '/\\evil.example',
      '/clients',
      '/portal/harbor/',
      'javascript:alert(1)',
      '/portal/brightside/../../clients',
      '/portal/brightside/api/v1/invoices',
      '/portal/brightside',
      '\t//evil.example',
      '/portal/brightside/%2e%2e/%2e%2e/clients',
    ]) {
      expect(await landed(next), next).to.equal('/portal/brightside/')
    }
    expect(await landed('/portal/brightside/invoices?status=open')).to.equal('/portal/brightside/invoices?status=open')
  })

  it('is for one workspace: the session of another opens nothing', async () => {
    const { visit } = await open()
    const stranger = await visit('stranger')
    const { cookie } = stranger

    expect((await stranger.get('/account')).status).to.equal(200)
    expect((await (await visit()).get('/account').set('Cookie', cookie)).status).to.equal(303)
  })
})

describe('a session', () => {
  afterEach(leave)

  const ended = async (it: Visitor) => (await it.get('/account')).status === 303

  it('ends 24 hours after the last request', async () => {
    const { visit, owner: database } = await open()
    const owner = await visit('owner')
    const [row] = await database('portal.client_sessions').select('expire')
    expect(row.expire.getTime() - testTime()).to.be.within(23.9 * 3600e3, 24.1 * 3600e3)

    await database('portal.client_sessions').update({ expire: new Date(testTime() + 60_000) })
    expect(await ended(owner)).to.equal(false)
    await database('portal.client_sessions').update({ expire: new Date(testTime() - 1000) })
    expect(await ended(owner)).to.equal(true)
  })

  it('ends 30 days after sign-in, however busy it is', async () => {
    const { visit, owner: database } = await open()
    const owner = await visit('owner')
    await database('portal.client_sessions').update({ started_at: new Date(testTime() - 29.9 * 24 * 3600e3) })
    expect(await ended(owner)).to.equal(false)
    await database('portal.client_sessions').update({ started_at: new Date(testTime() - 30.1 * 24 * 3600e3) })
    expect(await ended(owner)).to.equal(true)
  })

  it('is prolonged by use, and written at most every five minutes', async () => {
    const { visit, owner: database } = await open()
    const owner = await visit('owner')
    const end = async () => (await database('portal.client_sessions').first('expire')).expire.getTime()
    const prolongs = async () => {
      const before = await end()
      await owner.get('/account')
      return (await end()) !== before
    }
    const pass = (minutes: number) =>
      database('portal.client_sessions').update({
        expire: database.raw(`expire - ? * interval '1 minute'`, [minutes]),
        sess: database.raw(`jsonb_set(sess, '{used}', to_jsonb((sess ->> 'used')::bigint - ?::bigint))`, [
          minutes * 60_000,
        ]),
      })

    expect(await prolongs()).to.equal(false)
    await pass(3)
    expect(await prolongs()).to.equal(false)
    await pass(3)
    expect(await prolongs()).to.equal(true)
    expect((await end()) - testTime()).to.be.within(23.9 * 3600e3, 24.1 * 3600e3)
    expect(await prolongs()).to.equal(false)
  })

  it('ends with the next request of somebody suspended, or of no client any more', async () => {
    const { visit, owner: database } = await open()
    const [owner, billing] = [await visit('owner'), await visit('billing')]
    await database('portal.client_users')
      .where({ email: whoIs('owner').email })
      .update({ suspended_at: new Date(testTime()) })
    const person = await database('portal.client_users')
      .where({ email: whoIs('billing').email })
      .first('id')
    await database('portal.client_memberships').where({ person_id: person.id }).delete()

    expect([await ended(owner), await ended(billing)]).to.deep.equal([true, true])
    expect(await owner.get('/sign-in')).to.show('Your access has been suspended')
    const { email, password } = whoIs('owner')
    expect(await owner.post('/sign-in', { email, password }))
      .to.include({ status: 422 })
      .and.show('suspended')
  })

  it('ends within a minute of somebody leaving in the CRM, and says so; others of the CRM and the invited stay', async () => {
    const scene = await open()
    const [owner, viewer] = [await scene.visit('owner'), await scene.visit('viewer')]
    await scene
      .owner('public.contacts')
      .where({ email: whoIs('owner').email })
      .update({ left_on: '2026-11-20' })
    const later = await open({ on: scene })
    const again = await later.visit()
    const get = (who: Visitor, path: string) => again.get(path).set('Cookie', who.cookie)

    expect((await get(owner, '/account')).status).to.equal(303)
    expect(await get(owner, '/sign-in')).to.show('Your access has ended.')
    expect((await get(viewer, '/account')).status).to.equal(200)
    await scene.owner('portal.client_memberships').update({ contact_id: null })
    expect((await get(owner, '/account')).status).to.equal(200)
  })

  it('stays while the CRM cannot say who is still a contact', async () => {
    const scene = await open()
    const { adapter } = await import('../../demo/adapter/adapter.ts')
    const crm = adapter(scene.database)
    const stillThere = () => Promise.reject(new Error('down'))
    const { visit, log } = await open({ crm: { ...crm, directory: { ...crm.directory, stillThere } }, on: scene })

    expect((await (await visit('owner')).get('/account')).status).to.equal(200)
    expect(log.some(it => it.sentence.includes('who is still there'))).to.equal(true)
  })

  it('ends at sign-out, also for a kept copy of the cookie', async () => {
    const { visit, owner: database } = await open()
    const owner = await visit('owner')
    const { cookie } = owner
    await owner.post('/sign-out')

    expect(await database('portal.client_sessions').select()).to.be.empty
    expect((await (await visit()).get('/account').set('Cookie', cookie)).status).to.equal(303)
  })

  it('is deleted at somebody’s sign-in when it ended long ago', async () => {
    const { visit, owner: database } = await open()
    await visit('owner')
    await database('portal.client_sessions').update({ expire: new Date(0) })
    await visit('billing')

    expect(await database('portal.client_sessions').select()).to.have.length(1)
  })
})

describe('an invitation', () => {
  afterEach(leave)

  const invited = async (email = 'new@acmebakery.example') => {
    const scene = await open()
    const it = await scene.owner('clients').where({ company_name: 'Acme Bakery' }).first('id', 'workspace_id')
    const workspace = String(it.workspace_id)
    const token = await within(scene.database, { workspace }, tx =>
      invite(tx, workspace, {
        email,
        name: 'New One',
        client: { id: String(it.id), name: 'Acme Bakery' },
        contact: null,
        role: 'member',
        invitedBy: 'Marta',
      }),
    )
    return { ...scene, token, workspace }
  }
  const good = { name: 'Newton One', password: 'kettle-marble-orbit-97-fern' }

  it('creates an account, signs in, and works once', async () => {
    const { visit, token, owner: database } = await invited()
    const it = await visit()

    expect(await it.get(`/invitation/${token}`)).to.show(
      'Marta invited you',
      'Acme Bakery',
      'new@acmebakery.example',
      'value="New One"',
    )
    expect((await it.post(`/invitation/${token}`, good)).headers.location).to.equal('/portal/brightside/')
    expect(await it.get('/')).to.show('Good morning, Newton')
    expect(await (await visit()).get(`/invitation/${token}`))
      .to.include({ status: 410 })
      .and.show('This invitation was already used', 'href="/portal/brightside/sign-in"')
    expect((await (await visit()).post(`/invitation/${token}`, good)).status).to.equal(410)
    expect(
      (await (await visit()).post('/sign-in', { email: 'new@acmebakery.example', password: good.password })).status,
    ).to.equal(303)
    expect(
      await database('portal.client_activity_logs').where({ event: 'account.joined' }).select('actor_name'),
    ).to.deep.equal([{ actor_name: 'Newton One' }])
  })

  it('is not used up by opening it, and is accepted once by two at a time', async () => {
    const { visit, token } = await invited()
    for (let n = 0; n < 3; n++) expect((await (await visit()).get(`/invitation/${token}`)).status).to.equal(200)
    const both = await Promise.all([await visit(), await visit()].map(it => it.post(`/invitation/${token}`, good)))

    expect(both.map(it => it.headers.location).sort()).to.deep.equal([
      '/portal/brightside/',
      `/portal/brightside/invitation/${token}`,
    ])
    expect((await (await visit()).get(`/invitation/${token}`)).status).to.equal(410)
  })

  it('is invalid after seven days, in another workspace, and with another token', async () => {
    const { visit, token, owner: database } = await invited()
    const it = await visit()
    for (const address of [
      `/portal/harbor/invitation/${token}`,
      `/portal/brightside/invitation/${token}x`,
      '/portal/brightside/invitation/x',
    ]) {
      expect((await it.at(address)).status).to.equal(410)
    }
    await database('portal.client_invitations').update({ expires_at: new Date(testTime()) })
    expect((await it.get(`/invitation/${token}`)).status).to.equal(410)
  })

  it('refuses a weak password with the reason, and keeps the name', async () => {
    const { visit, token } = await invited()
    const it = await visit()
    for (const [password, reason] of [
      ['short', 'at least 8'],
      ['acmebakery1', 'your name, company'],
      ['password1234', 'passwords attackers try'],
      ['qwertyuiop', ''],
      ['x'.repeat(300), 'at most 256'],
    ] as const) {
      expect(await it.post(`/invitation/${token}`, { name: 'Newton', password }))
        .to.include({ status: 422 })
        .and.show(reason, 'value="Newton"')
        .and.not.show(password)
    }
  })

  it('stores nothing when it cannot be completed', async () => {
    const { database, owner, token, workspace } = await invited()
    const work = within(database, { workspace }, async tx => {
      const it = await findInvitation(tx, workspace, token)
      await openAccount(tx, fakeless(workspace), it, { name: 'x', passwordHash: 'x' })
      throw new Error('the process died')
    })

    expect(await work.catch(error => error.message)).to.equal('the process died')
    expect(await owner('portal.client_invitations').whereNotNull('used_at').select('id')).to.be.empty
    expect(await owner('portal.client_users').where({ email: 'new@acmebakery.example' }).select('id')).to.be.empty
  })
})

/** The parts of a request that an invitation's activity entry reads. */
const fakeless = (id: string) => ({ portal: { workspace: { id } }, ip: undefined, get: () => undefined }) as never

describe('a new password', () => {
  it('is compared as it is typed, with its spaces and cases, and may have 256 characters', async () => {
    const long = 'kettle marble orbit fern '.repeat(11).slice(0, 256)
    const stored = await hashPassword(` ${long}`)
    expect(await passwordMatches(stored, ` ${long}`)).to.equal(true)
    for (const other of [long, ` ${long} `, ` ${long.toUpperCase()}`, ` ${long}`.slice(0, -1)])
      expect(await passwordMatches(stored, other)).to.equal(false)
    expect(await weakness(long, [])).to.equal(undefined)
    expect(await weakness(`${long}x`, [])).to.equal('Use at most 256 characters.')
  })

  it('is judged by how hard it is to guess', async () => {
    const own = ['Nadia El-Khoury', 'nadia@acmebakery.example', 'Acme Bakery']
    for (const bad of [
      '12345678',
      'Passw0rd!',
      'aaaaaaaaaaaa',
      'NadiaElKhoury',
      'acmebakery2026',
      'abcdefghij',
      '11/21/2026',
    ]) {
      expect(await weakness(bad, own), bad).to.be.a('string')
    }
    for (const fine of [
      'kettle-marble-orbit-97-fern',
      'Tr0ub4dor&3 in the attic',
      'зелёный чайник поёт утром',
      '猫が窓辺で昼寝をしている',
    ]) {
      expect(await weakness(fine, own), fine).to.equal(undefined)
    }
  })
})

describe('a chosen password', () => {
  afterEach(leave)

  it('contains none of the person’s own words, on every form', async () => {
    const scene = await open({ mail: 'kept' })
    const { email, password } = whoIs('twofold')
    const [me, nobody] = [await scene.visit('twofold'), await scene.visit()]
    await nobody.post('/forgot-password', { email })
    const path = /brightside(\/reset-password\/\S+)/.exec((await scene.mailTo(email)).text)![1]!
    const client = { id: '1', name: 'Acme Bakery' }
    const it = { email: 'farah@new.example', name: 'Farah Haddad', client, contact: null, invitedBy: 'Marta' }
    const token = await within(scene.database, { workspace: '1' }, tx => invite(tx, '1', { ...it, role: 'member' }))
    const own = 'This contains your name, company or address.'
    for (const chosen of ['FarahHaddad1', 'haddad.farah', 'acmebakery2026', 'BrightsideAgency'])
      for (const answer of [
        await nobody.post(path, { password: chosen }),
        await me.post('/account/password', { current: password, password: chosen }),
        await nobody.post(`/invitation/${token}`, { name: 'Farah Haddad', password: chosen }),
      ])
        expect(answer, chosen).to.include({ status: 422 }).and.show(own)
    for (const chosen of ['HalloranSons26', 'haddadbookkeeping']) {
      expect(await nobody.post(path, { password: chosen }))
        .to.include({ status: 422 })
        .and.show(own)
      expect(await me.post('/account/password', { current: password, password: chosen }))
        .to.include({ status: 422 })
        .and.show(own)
    }
    expect((await nobody.post(path, { password: 'kettle-marble-orbit-97-fern' })).status).to.equal(303)
  })

  it('is not a common one in Spanish either', async () => {
    for (const bad of ['contraseña1', 'cumpleaños', 'Verano2026!', 'murciélago99', 'desayunar8', 'corazoncito'])
      expect(await weakness(bad, []), bad).to.be.a('string')
    expect(await weakness('tetera mármol órbita helecho', [])).to.equal(undefined)
  })
})

describe('one’s own account', () => {
  afterEach(leave)

  it('says how one is spoken to, from the next page on', async () => {
    const { visit, owner: database } = await open()
    const owner = await visit('owner')
    const prefer = (form: object) => owner.post('/account/preferences', form)

    expect((await prefer({ language: 'es', timeZone: 'America/Lima', theme: 'dark' })).headers.location).to.match(
      /account\?saved$/,
    )
    expect(await owner.get('/')).to.show('lang="es"', 'Buenas noches, Nadia', 'data-bs-theme="dark"')
    expect(await owner.get('/account/preferences')).to.show('<option selected>America/Lima')
    await prefer({ language: '', timeZone: '', theme: '' })
    expect(await owner.get('/'))
      .to.show('lang="en-GB"', 'Good morning, Nadia')
      .and.not.show('data-bs-theme')
    expect(
      await database('portal.client_activity_logs').where({ event: 'account.changed' }).select('id'),
    ).to.have.length(2)
  })

  it('refuses an unknown language, time zone or theme, and keeps the current one', async () => {
    const { visit } = await open()
    const owner = await visit('owner')
    for (const wrong of [
      { language: 'xx' },
      { timeZone: 'Moon/Sea' },
      { theme: 'pink' },
      { timeZone: ['UTC', 'Europe/Madrid'] },
    ]) {
      const answer = await owner.post('/account/preferences', {
        language: 'es',
        timeZone: 'Europe/Madrid',
        theme: '',
        ...wrong,
      })
      expect(answer).to.include({ status: 422 }).and.show('aria-invalid="true"')
    }
  })
})
