import { expect } from 'chai'
import { TOTP } from 'otpauth'
import request from 'supertest'
import { testTime } from '../../test/database.ts'
import { leave, open, type Role, type Scene, whoIs } from '../../test/visit.ts'
import { prune } from '../commands/prune.ts'
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

  it('is told in the words of RFC 6750 and RFC 9457 what is wrong', async () => {
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

  it('is refused by a wrong password like a person: slowed down, written down, without a hint who is known', async () => {
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

  it('gets in by a mailed code, where the workspace offers it', async () => {
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
    expect(sess.proofs.map((it: any) => it.by)).to.deep.equal(['password', 'totp'])
    expect((await owner.get('/account/devices')).text)
      .to.include('127.0.0.1')
      .and.not.include('/devices/api.')
  })

  it('refreshes what it has, once for each refresh token; a copy of a used one ends the whole sign-in', async () => {
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

    await scene.owner('portal.client_api_tokens').update({ turned_at: new Date(testTime() - 60_000) })
    expect((await refresh(first.refresh_token)).status).to.equal(401)
    for (const token of [first.access_token, second.body.access_token])
      expect((await program.get('/me', token)).status).to.equal(401)
    expect((await refresh(second.body.refresh_token)).status).to.equal(401)
    expect(scene.log.map(it => it.facts.alert)).to.include('token-reused')
    expect(await scene.owner('portal.client_activity_logs').where({ event: 'account.token-reused' })).to.have.length(1)
  })

  it('that refreshes twice at once gets one answer that counts', async () => {
    const scene = await open()
    const { refresh_token } = (await signIn(scene)).body
    const program = asProgram(scene)
    const both = await Promise.all([1, 2].map(() => program.post('/tokens', { grant: 'refresh', refresh_token })))
    expect(both.map(it => it.status).sort()).to.deep.equal([200, 409])
    const { access_token } = both.find(it => it.status === 200)!.body
    expect((await program.get('/me', access_token)).status).to.equal(200)
  })

  it('is out at once when its person is suspended, has a new password, leaves, or signs it out', async () => {
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

  it('has a token whose time is over, or a cookie’s secret for one, for nothing', async () => {
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

  it('needs no word on where it comes from, and chooses which company of its person it acts for', async () => {
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

  it('in a page of another origin is let in where that origin is named, with its token and without cookies', async () => {
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
})

describe('a token of one’s own', () => {
  afterEach(leave)

  const ask = ({ app }: Scene, path: string, token: string) =>
    request(app)
      .get(home + path)
      .set('Authorization', `Bearer ${token}`)

  it('is made after a fresh proof, shown once, and may what was ticked', async () => {
    const scene = await open()
    const owner = await scene.visit('owner')
    const page = await owner.post('/account/tokens', form())
    const token = made(page)
    expect(page.status).to.equal(200)
    expect((await owner.get('/account/tokens')).text)
      .to.include('At night')
      .and.not.include(token)
    expect((await ask(scene, '/invoices', token)).status).to.equal(200)
    const more = await ask(scene, '/proposals', token)
    expect(more.status).to.equal(403)
    expect(more.headers['www-authenticate']).to.equal('Bearer realm="brightside", error="insufficient_scope"')
    expect((await ask(scene, '/me', token)).body.permissions).to.deep.equal(['invoices.see'])
    expect(JSON.stringify(await scene.owner('portal.client_sessions').select())).to.not.include(token)
    const { text } = await owner.get('/account/tokens')
    expect(text).to.include('Last used on').and.include('127.0.0.1')
    expect((await owner.get('/activity')).text).to.include('made the token At night for a program')
  })

  it('is not made without a fresh proof, without a right, or for more than one has', async () => {
    const scene = await open()
    const owner = await scene.visit('owner')
    for (const [more, sentence] of [
      [{ scopes: [] }, 'Tick what the program may do.'],
      [{ scopes: ['team.change', 'nonsense'] }, 'Tick what the program may do.'],
      [{ days: '9999' }, 'Choose how long it is good.'],
      [{ name: ' ' }, 'Say what it is for.'],
    ] as const) {
      const page = await owner.post('/account/tokens', form(more))
      expect(page, sentence).to.include({ status: 422 }).and.show(sentence)
      expect(made(page)).to.equal('')
    }
    const billing = await scene.visit('billing')
    const page = await billing.post('/account/tokens', form({ scopes: 'proposals.see' }))
    expect(page.status).to.equal(422)
    await scene.owner('portal.client_sessions').update({ sess: scene.owner.raw(`sess - 'proofs'`) })
    const asked = await owner.post('/account/tokens', form())
    expect(asked).to.include({ status: 403 }).and.show('Please confirm that it is you', 'Make a token for a program')
    expect(await scene.owner('portal.client_api_tokens').select()).to.deep.equal([])
    const proof = { 'step-up.by': 'password', 'step-up.password': whoIs('owner').password }
    expect(made(await owner.post('/account/tokens', form(proof)))).to.match(/^ptp_/)
  })

  it('ends when its owner says so, and nobody else can end it', async () => {
    const scene = await open()
    const [owner, neighbour] = [await scene.visit('owner'), await scene.visit('neighbour')]
    const token = made(await owner.post('/account/tokens', form()))
    const [{ id }] = await scene.owner('portal.client_api_tokens').select('id')
    for (const them of [neighbour, await scene.visit('approver')])
      expect((await them.post(`/account/tokens/${id}/end`)).status).to.equal(404)
    for (const nothing of ['nonsense', '01990000-0000-7000-8000-000000000000'])
      expect((await owner.post(`/account/tokens/${nothing}/end`)).status).to.equal(404)
    expect((await ask(scene, '/me', token)).status).to.equal(200)
    expect((await owner.post(`/account/tokens/${id}/end`)).status).to.equal(303)
    expect((await ask(scene, '/me', token)).status).to.equal(401)
  })

  it('loses at once what its owner loses, and comes to its end on its day', async () => {
    const scene = await open()
    const token = made(await (await scene.visit('owner')).post('/account/tokens', form()))
    await (await scene.visit('admin')).postAt('/settings/client-portal/visibility', { 'was.invoices': 'on' })
    expect((await ask(scene, '/invoices', token)).status).to.equal(404)
    await scene
      .owner('portal.client_sessions')
      .whereRaw(`sid like 'api.%'`)
      .update({ expire: new Date(0) })
    expect((await ask(scene, '/me', token)).status).to.equal(401)
  })

  it('ends with a change of the address, is pruned after its end, and says nothing of when its owner was here', async () => {
    const scene = await open()
    const [owner, admin] = [await scene.visit('owner'), await scene.visit('admin')]
    const people = async () =>
      (await admin.at('/settings/client-portal/people?search=nadia')).text.replaceAll(/nonce="[^"]+"/g, '')
    const before = await people()
    const token = made(await owner.post('/account/tokens', form({ days: '365' })))
    expect(await people()).to.equal(before)
    await scene.owner('portal.client_api_tokens').update({ expires_at: new Date(0) })
    const said = await prune({ ownerUrl: scene.owner.client.config.connection, url: '' } as never)
    expect(said).to.include('1 tokens of programs')
    expect((await ask(scene, '/me', token)).status).to.equal(200)
    await scene
      .owner('portal.client_users')
      .where({ email: whoIs('owner').email })
      .update({ email: 'new@else.where' })
    expect((await ask(scene, '/me', token)).status).to.equal(401)
  })

  it('takes its migration back and brings it again', async () => {
    const { owner } = await open()
    const { down } = await import('../../migrations/015_api_tokens.ts')
    await down(owner)
    await owner('portal.migrations').where({ name: '015_api_tokens' }).delete()
    expect(await migrate(owner, { role: 'portico_app' })).to.deep.equal(['015_api_tokens'])
  })
})
