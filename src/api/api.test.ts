import { expect } from 'chai'
import { TOTP } from 'otpauth'
import request from 'supertest'
import { testTime } from '../../test/database.ts'
import { leave, open, type Role, type Scene, whoIs } from '../../test/visit.ts'
import { migrate } from '../index.ts'
import { lives } from './tokens.ts'

const home = '/portal/brightside/api/v1'

const form = (more: object = {}) => ({
  name: 'At night',
  days: '30',
  scopes: 'invoices.see',
  ...more,
})
const made = (page: { text: string }) => /\bptp_[\w-]{43}\b/.exec(page.text)?.[0] ?? ''

describe('a program', () => {
  afterEach(leave)

  const asProgram = ({ app }: Scene) => {
    const send = (method: 'get' | 'post' | 'delete', path: string, token?: string) => {
      const it = request(app)[method](home + path)
      return token === undefined ? it : it.set('Authorization', `Bearer ${token}`)
    }
    return {
      get: (path: string, token?: string) => send('get', path, token),
      delete: (path: string, token?: string) => send('delete', path, token),
      post: (path: string, body: object, token?: string) => send('post', path, token).send(body),
    }
  }
  const signIn = async (scene: Scene, role: Role = 'owner', more: object = {}) => {
    const { email, password } = whoIs(role)
    return asProgram(scene).post('/tokens', { grant: 'password', email, password, ...more })
  }

  it('gets tokens for a password, reads with them what the person may, and nothing of a browser’s', async () => {
    const scene = await open()
    const program = asProgram(scene)
    const answer = await signIn(scene)
    expect(answer.status).to.equal(201)
    expect(answer.headers).to.include({ 'cache-control': 'no-store' })
    expect(answer.headers).to.not.have.property('set-cookie')
    expect(answer.body).to.include({
      token_type: 'Bearer',
      expires_in: lives.access,
      refresh_expires_in: lives.refresh,
    })

    const { access_token: token } = answer.body
    const list = await program.get('/invoices', token)
    expect(list.status).to.equal(200)
    expect(list.body.items.map((it: any) => it.number)).to.include('2026-0107')
    expect(list.headers).to.not.have.property('set-cookie')
    expect((await program.get('/me', token)).body).to.deep.include({ role: 'admin' })
    for (const path of ['/portal/brightside/invoices', '/portal/brightside/', '/portal/brightside/account'])
      expect((await request(scene.app).get(path).set('Authorization', `Bearer ${token}`)).status, path).to.equal(303)
    const other = await request(scene.app).get('/portal/harbor/api/v1/invoices').set('Authorization', `Bearer ${token}`)
    expect(other.status).to.equal(401)
  })

  it('gets errors as RFC 6750 and RFC 9457 define them', async () => {
    const scene = await open()
    const program = asProgram(scene)
    const nothing = await program.get('/invoices')
    expect(nothing).to.include({ status: 401, type: 'application/problem+json' })
    expect(nothing.headers['www-authenticate']).to.equal('Bearer realm="brightside"')
    for (const token of ['', 'x', `pta_${'x'.repeat(43)}`, 'a b', "';--"]) {
      const wrong = await program.get('/invoices', token)
      expect(wrong.status, token).to.equal(401)
      expect(wrong.headers['www-authenticate']).to.equal('Bearer realm="brightside", error="invalid_token"')
    }
    for (const body of [
      {},
      { grant: 'password' },
      { grant: 'refresh', refresh_token: ['a'] },
      { grant: 'code', request: 'x', code: '1' },
      { grant: 'nothing' },
    ]) {
      const refused = await program.post('/tokens', body)
      expect(refused, JSON.stringify(body)).to.include({ status: 422, type: 'application/problem+json' })
      expect(refused.body).to.include({ code: 'invalid', status: 422 }).and.have.property('errors')
    }
    const cookie = await scene.visit('owner')
    expect((await cookie.api('/invoices').set('Authorization', 'Bearer x')).status).to.equal(401)
  })

  it('is refused for a wrong password like a person: slowed down, logged, without a hint at accounts', async () => {
    const scene = await open()
    const program = asProgram(scene)
    const tried = (email: string) => program.post('/tokens', { grant: 'password', email, password: 'wrong' })
    const [known, unknown] = [await tried(whoIs('owner').email), await tried('nobody@else.where')]
    expect(known.status).to.equal(422)
    const { instance: _, ...told } = known.body
    const { instance: __, ...other } = unknown.body
    expect(told).to.deep.equal(other)
    for (let at = 0; at < 4; at++) await tried(whoIs('owner').email)
    expect(await signIn(scene)).to.include({ status: 429 })
    const failed = await scene.owner('portal.client_activity_logs').where({ event: 'account.sign-in-failed' })
    expect(failed.length).to.equal(6)
  })

  it('signs in by a mailed code, where the workspace offers it', async () => {
    const scene = await open({ mail: 'kept' })
    const program = asProgram(scene)
    const { email } = whoIs('owner')
    const asked = await program.post('/codes', { email })
    expect(asked.status).to.equal(202)
    const [code] = /\b\d{6}\b/.exec((await scene.mailTo(email)).subject) ?? []
    const proof = { grant: 'code', request: asked.body.request, code }
    const wrong = await program.post('/tokens', { ...proof, code: code === '000000' ? '000001' : '000000' })
    expect(wrong.status).to.equal(422)
    const given = await program.post('/tokens', proof)
    expect(given.status).to.equal(201)
    expect((await program.post('/tokens', proof)).status).to.equal(422)
    expect((await program.get('/me', given.body.access_token)).body.person.email).to.equal(email)
    expect((await program.post('/codes', { email: 'nobody@else.where' })).status).to.equal(202)
  })

  it('needs a code of the authenticator app too, once for each, where its person has one', async () => {
    const scene = await open()
    const owner = await scene.visit('owner')
    await owner.post('/account/second-factor')
    const [, secret = ''] = /secret=([A-Z2-7]+)/.exec((await owner.get('/account/second-factor')).text) ?? []
    const before = (await signIn(scene)).body
    const own = made(await owner.post('/account/tokens', form()))
    const code = (steps: number) => new TOTP({ secret }).generate({ timestamp: testTime() + steps * 30_000 })
    expect((await owner.post('/account/second-factor/confirmation', { code: code(-1) })).status).to.equal(200)

    expect((await asProgram(scene).get('/me', before.access_token)).status).to.equal(401)
    const refresh = { grant: 'refresh', refresh_token: before.refresh_token }
    expect((await asProgram(scene).post('/tokens', refresh)).status).to.equal(401)
    expect((await asProgram(scene).get('/me', own)).status).to.equal(401)
    const without = await signIn(scene)
    expect([without.status, Object.keys(without.body.errors)]).to.deep.equal([422, ['second_factor']])
    expect((await signIn(scene, 'owner', { second_factor: '000000' })).status).to.equal(422)
    const now = code(0)
    const ending = scene.owner('portal.client_users').where({ email: whoIs('owner').email })
    await ending.clone().update({ factors_end_at: new Date(testTime() + 60_000) })
    const given = await signIn(scene, 'owner', { second_factor: now })
    expect(given.status).to.equal(201)
    expect(await ending.clone().first('factors_end_at')).to.deep.equal({ factors_end_at: null })
    expect((await asProgram(scene).get('/me', given.body.access_token)).status).to.equal(200)
    expect((await signIn(scene, 'owner', { second_factor: now })).status).to.equal(422)
    const { sess } = await scene.owner('portal.client_sessions').whereRaw(`sid like 'api.%'`).first('sess')
    expect(sess.verifications.map((it: any) => it.by)).to.deep.equal(['password', 'totp'])
    expect((await owner.get('/account/devices')).text)
      .to.include('127.0.0.1')
      .and.not.include('/devices/api.')
  })

  it('uses each refresh token once; a second use ends the whole sign-in', async () => {
    const scene = await open()
    const program = asProgram(scene)
    const first = (await signIn(scene)).body
    const refresh = (refresh_token: string) => program.post('/tokens', { grant: 'refresh', refresh_token })
    const second = await refresh(first.refresh_token)
    expect(second.status).to.equal(200)
    expect((await program.get('/me', second.body.access_token)).status).to.equal(200)

    const slip = await refresh(first.refresh_token)
    expect(slip).to.include({ status: 409 })
    expect(slip.body.code).to.equal('refreshed')
    expect((await program.get('/me', second.body.access_token)).status).to.equal(200)

    await scene.owner('portal.client_api_tokens').update({ rotated_at: new Date(testTime() - 60_000) })
    expect((await refresh(first.refresh_token)).status).to.equal(401)
    for (const token of [first.access_token, second.body.access_token])
      expect((await program.get('/me', token)).status).to.equal(401)
    expect((await refresh(second.body.refresh_token)).status).to.equal(401)
    expect(scene.log.map(it => it.facts.alert)).to.include('token-reused')
    expect(await scene.owner('portal.client_activity_logs').where({ event: 'account.token-reused' })).to.have.length(1)
  })

  it('that refreshes twice at once gets one valid response', async () => {
    const scene = await open()
    const { refresh_token } = (await signIn(scene)).body
    const program = asProgram(scene)
    const both = await Promise.all([1, 2].map(() => program.post('/tokens', { grant: 'refresh', refresh_token })))
    expect(both.map(it => it.status).sort()).to.deep.equal([200, 409])
    const { access_token } = both.find(it => it.status === 200)!.body
    expect((await program.get('/me', access_token)).status).to.equal(200)
  })

  it('loses access at once when its person is suspended, has a new password, leaves, or signs it out', async () => {
    const scene = await open()
    const program = asProgram(scene)
    const users = () => scene.owner('portal.client_users').where({ email: whoIs('viewer').email })
    const tokens = (await signIn(scene, 'viewer')).body
    const me = async (token: string) => (await program.get('/me', token)).status
    const refresh = async ({ refresh_token }: any) =>
      (await program.post('/tokens', { grant: 'refresh', refresh_token })).status

    await users().update({ suspended_at: new Date(testTime()) })
    expect([await me(tokens.access_token), await refresh(tokens)]).to.deep.equal([401, 401])
    expect((await signIn(scene, 'viewer')).status).to.equal(422)
    await users().update({ suspended_at: null })

    const again = (await signIn(scene, 'viewer')).body
    const person = await scene.visit('viewer')
    const form = { current: whoIs('viewer').password, password: 'nine geese over a frozen lake' }
    expect((await person.post('/account/password', form)).status).to.equal(303)
    expect([await me(again.access_token), await refresh(again)]).to.deep.equal([401, 401])
    expect((await person.get('/account')).status).to.equal(200)

    const last = (await signIn(scene)).body
    expect((await program.delete('/tokens/current', last.access_token)).status).to.equal(204)
    expect([await me(last.access_token), await refresh(last)]).to.deep.equal([401, 401])
  })

  it('cannot use an expired token, or a cookie’s secret as one', async () => {
    const scene = await open()
    const program = asProgram(scene)
    const { access_token } = (await signIn(scene)).body
    const rows = await scene.owner('portal.client_sessions').select('sid', 'sess')
    expect(JSON.stringify(rows)).to.not.include(access_token)
    await scene.owner('portal.client_sessions').update({ expire: new Date(0) })
    expect((await program.get('/me', access_token)).status).to.equal(401)

    const owner = await scene.visit('owner')
    const id = decodeURIComponent(owner.cookie)
      .replace(/^portico\.sid=s:/, '')
      .split('.')[0]!
    expect((await program.get('/me', id)).status).to.equal(401)
    const fresh = (await signIn(scene)).body.access_token
    const signed = await request(scene.app).get('/portal/brightside/account').set('Cookie', `portico.sid=${fresh}`)
    expect(signed.status).to.equal(303)
  })

  it('needs no Origin header, and chooses which company of its person it acts for', async () => {
    const scene = await open()
    const program = asProgram(scene)
    const [mine, other] = await scene
      .owner('portal.client_memberships as m')
      .join('portal.client_users as u', 'u.id', 'm.person_id')
      .where({ 'u.email': whoIs('twofold').email })
      .orderBy('m.client_name')
      .select('m.client_id')
    const { access_token } = (await signIn(scene, 'twofold', { client: other.client_id })).body
    expect((await program.get('/me', access_token)).body.client.id).to.equal(other.client_id)
    expect((await signIn(scene, 'twofold')).status).to.equal(201)
    expect((await signIn(scene, 'twofold', { client: '999999' })).status).to.equal(422)
    expect(mine.client_id).to.not.equal(other.client_id)
    const here = (await signIn(scene, 'twofold', { client: mine.client_id })).body.access_token
    await scene.owner('portal.client_memberships').where({ client_id: mine.client_id }).delete()
    expect((await program.get('/me', here)).status).to.equal(401)
    expect((await program.get('/invoices', here)).status).to.equal(401)
    const ended = program.delete('/tokens/current', access_token).set('Origin', 'https://app.else.where')
    expect((await ended).status).to.equal(204)
  })

  it('in a page of another origin has access if that origin is allowed, by its token and without cookies', async () => {
    const app = 'https://app.example'
    const scene = await open({ origins: [app] })
    const asked = (origin: string) =>
      request(scene.app).options(`${home}/invoices`).set({
        Origin: origin,
        'Access-Control-Request-Method': 'GET',
        'Access-Control-Request-Headers': 'authorization',
      })
    const allowed = await asked(app)
    expect(allowed.status).to.equal(204)
    expect(allowed.headers).to.include({ 'access-control-allow-origin': app, 'access-control-max-age': '600' })
    expect(allowed.headers).to.not.have.property('access-control-allow-credentials')
    expect((await asked('https://else.where')).headers).to.not.have.property('access-control-allow-origin')

    const { access_token } = (await signIn(scene)).body
    const list = await asProgram(scene).get('/invoices', access_token).set('Origin', app)
    expect(list).to.include({ status: 200 })
    expect(list.headers).to.include({ 'access-control-allow-origin': app })
    const { email, password } = whoIs('owner')
    const tokens = await asProgram(scene)
      .post('/tokens', { grant: 'password', email, password })
      .set({ Origin: app, 'Sec-Fetch-Site': 'cross-site' })
    expect(tokens.status).to.equal(201)
    const strange = await asProgram(scene)
      .post('/tokens', { grant: 'password', email, password })
      .set({ Origin: 'https://else.where', 'Sec-Fetch-Site': 'cross-site' })
    expect(strange.status).to.equal(403)
    const page = await request(scene.app).get('/portal/brightside/sign-in').set('Origin', app)
    expect(page.headers).to.not.have.property('access-control-allow-origin')
  })

  it('rolls its migration back and applies it again', async () => {
    const { owner } = await open()
    const { down } = await import('../../migrations/003_sign_in.ts')
    await down(owner)
    await owner('portal.migrations').where({ name: '003_sign_in' }).delete()
    expect(await migrate(owner, { role: 'portico_app' })).to.deep.equal(['003_sign_in'])
  })
})
