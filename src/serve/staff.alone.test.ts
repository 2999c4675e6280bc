import { expect } from 'chai'
import type { Express, Router } from 'express'
import { TOTP } from 'otpauth'
import request from 'supertest'
import { map } from '../../demo/adapter/map.ts'
import { role } from '../../demo/portal-database.ts'
import { postgres, password as roles, urlOf } from '../../test/database.ts'
import { routesOf } from '../../test/routes.ts'
import { until } from '../../test/until.ts'
import { leave, open, type Scene, whoIs } from '../../test/visit.ts'
import { hashPassword } from '../auth/passwords.ts'
import { reseal } from '../auth/reseal.ts'
import { resetStaffFactor } from '../cli/serve.ts'
import { adapterOf } from '../index.ts'
import { standAlone } from './app.ts'
import { addStaff } from './staff.ts'

const lea = { email: 'lea@brightside.example', name: 'Lea Vos', password: 'tall grass under slow clouds' }
const mia = { email: 'mia@brightside.example', name: 'Mia Roos', password: 'nine geese over a frozen lake' }
const another = 'six kettles on a quiet shelf'

const secret = 'a secret of at least thirty-two characters'

interface Alone extends Scene {
  alone: Express
  pages: Router
  /** Opens another browser, at `/staff/brightside`. */
  browser(slug?: string): Browser
  /** Resets the second factor by the command line. */
  resetFactor(email: string): Promise<string>
  signIn(who?: { email: string; password: string }): Promise<Browser>
  addLea(more?: { password?: string; admin?: boolean }): Promise<void>
}

/** The demo's CRM with a staff table, and its stand-alone portal. Lea is stored by the portal, Mia by the CRM. */
async function served({ on = true } = {}): Promise<Alone> {
  const scene = await open()
  await scene.owner.raw(`
    create table public.crew (id int primary key, workspace_id int, full_name text, email text, secret text, boss boolean);
    grant select on public.crew to ${role};`)
  await scene.owner('public.crew').insert({
    ...{ id: 7, workspace_id: 1, full_name: mia.name, email: mia.email, boss: true },
    secret: await hashPassword(mia.password),
  })
  const staff = {
    ...{
      table: 'crew',
      workspace: 'workspace_id',
      name: 'full_name',
      email: 'email',
      password: 'secret',
      admin: 'boss',
    },
  }
  const crm = adapterOf({ ...map, staff }, scene.database)
  const { app, close, ...parts } = await standAlone({
    database: scene.database,
    crm,
    flags: { enabledAnywhere: () => on, enabled: () => on },
    secrets: [secret],
    log: { info() {}, warn() {}, error() {} },
  })
  closing.push(close)
  const workspace = { id: '1', slug: 'brightside', name: 'Brightside', letterhead: [], timeZone: 'UTC' }
  const it = {
    ...scene,
    alone: app,
    pages: parts.staff,
    browser: (slug?: string) => browser(app, slug),
    resetFactor(email: string) {
      const url = Object.assign(new URL(urlOf(scene.name)), { username: role, password: roles }).href
      const config = { url, ownerUrl: url, address: '', crm: () => ({ ...crm, database: undefined }) }
      return resetStaffFactor(config, { workspace: 'brightside', email })
    },
    async signIn({ email, password } = lea) {
      const one = browser(app)
      expect((await one.post('/sign-in', { email, password })).status).to.equal(303)
      return one
    },
    addLea: (more = {}) => addStaff(scene.database, workspace, { ...lea, admin: true, ...more }),
  }
  await it.addLea()
  return it
}

const closing: (() => Promise<void>)[] = []

type Browser = ReturnType<typeof browser>

function browser(app: Express, slug = 'brightside') {
  const agent = request.agent(app)
  const home = `/staff/${slug}`
  return {
    agent,
    at: (address: string) => agent.get(address),
    get: (path: string) => agent.get(home + path),
    post: (path: string, form: object = {}) =>
      agent
        .post(home + path)
        .type('form')
        .send(form),
    /** Whether they can open the settings area. */
    inside: async () => (await agent.get('/settings/client-portal/')).status === 200,
  }
}

const factor = '/account/second-factor'
const keyIn = (text: string) => /secret=([A-Z2-7]+)/.exec(text)![1]!
const codesIn = (text: string) => [...text.matchAll(/<bdi>([A-Z2-9]{5}-[A-Z2-9]{5})<\/bdi>/g)].map(it => it[1]!)

/** Sets up an app. Returns a function for its code, so many time steps from now, and the recovery codes. */
async function setUp(scene: Scene, who: Browser) {
  expect((await who.post(factor)).status).to.equal(303)
  const secret = keyIn((await who.get(factor)).text)
  const code = (steps = 0) => new TOTP({ secret }).generate({ timestamp: scene.now().getTime() + steps * 30_000 })
  // Uses the time step before, so that the tests have the next two left.
  const answer = await who.post(`${factor}/confirmation`, { code: code(-1) })
  expect(answer).to.include({ status: 200 }).and.show('The second factor is on', 'recovery-codes.txt')
  return { secret, code, codes: codesIn(answer.text) }
}

const half = async ({ browser }: Alone, { email, password } = lea) => {
  const who = browser()
  const { headers } = await who.post('/sign-in', { email, password })
  expect(headers.location).to.equal('/staff/brightside/sign-in/second-factor')
  return who
}
const second = (who: Browser, code: string) => who.post('/sign-in/second-factor', { code })

describe('staff of a stand-alone portal', () => {
  afterEach(async () => {
    await Promise.all(closing.splice(0).map(it => it()))
    await leave()
  })

  it('are signed out everywhere by a new password of theirs, and by nobody else’s', async () => {
    const { signIn, addLea, owner } = await served()
    const [leas, mias] = [await signIn(), await signIn(mia)]
    for (const it of [leas, mias]) expect(await it.inside()).to.equal(true)

    await addLea({ password: another })
    expect(await leas.inside(), 'given by staff add').to.equal(false)
    expect(await mias.inside()).to.equal(true)
    expect(await (await signIn({ ...lea, password: another })).inside()).to.equal(true)

    await owner('public.crew').update({ secret: await hashPassword(another) })
    expect(await mias.inside(), 'changed in the CRM').to.equal(false)
    expect(await (await signIn({ ...mia, password: another })).inside()).to.equal(true)
  })

  it('are signed out when they leave, and lose a revoked right at once', async () => {
    const { signIn, addLea, owner } = await served()
    const [leas, mias] = [await signIn(), await signIn(mia)]
    await addLea({ admin: false })
    expect((await leas.at('/settings/client-portal/')).status, 'the same password, stored anew').to.equal(404)
    await owner('public.crew').update({ boss: false })
    expect((await mias.at('/settings/client-portal/')).status).to.equal(403)

    const again = await signIn()
    await owner('portal.client_staff').delete()
    await owner('public.crew').delete()
    for (const it of [again, mias]) expect((await it.at('/settings/client-portal/')).status).to.equal(404)
  })

  it('are not kept signed in by a page that refreshes by itself', async () => {
    const { signIn, owner, pass } = await served()
    const leas = await signIn()
    const expiry = async () => String((await owner('portal.client_sessions').first('expire')).expire)
    const before = await expiry()
    await pass(60)
    expect((await leas.agent.head('/settings/client-portal/live?of=documents')).status).to.equal(200)
    await leas.at('/settings/client-portal/documents').set('X-Portico-Refresh', '1')
    expect(await expiry()).to.equal(before)
    expect(await leas.inside()).to.equal(true)
    expect(await expiry()).to.not.equal(before)
  })

  it('cannot use a session from before sessions stored the password’s state', async () => {
    const { signIn, owner } = await served()
    const leas = await signIn()
    await owner('portal.client_sessions').update({ sess: owner.raw(`sess #- '{staff,state}'`) })
    expect(await leas.inside()).to.equal(false)
  })

  it('change their own password, which ends their other sessions; one of the CRM is not changed here', async () => {
    const scene = await served()
    const [here, there, mias] = [await scene.signIn(), await scene.signIn(), await scene.signIn(mia)]
    expect(await here.at('/settings/client-portal/')).to.show('href="/staff/brightside/account"', 'Visibility')
    expect(await here.get('/account')).to.show(lea.email, 'Change the password', '/settings/client-portal/people')

    const change = (it: Browser, current: string, password: string) =>
      it.post('/account/password', { current, password })
    expect(await change(here, 'wrong', another))
      .to.include({ status: 422 })
      .and.show('This is not your password.')
    expect((await change(here, lea.password, 'lea vos brightside')).status).to.equal(422)
    expect(await there.inside()).to.equal(true)
    expect((await change(here, lea.password, another)).headers.location).to.equal(
      '/staff/brightside/account?saved=password',
    )
    expect(await here.get('/account?saved=password')).to.show('Your new password is saved.')
    expect(await there.inside()).to.equal(false)
    expect((await there.get('/account')).headers.location).to.match(/^\/staff\/brightside\/sign-in\?next=/)

    expect(await mias.get('/account'))
      .to.show('You sign in with your CRM password.')
      .and.not.show('Change the password')
    expect((await change(mias, mia.password, another)).status).to.equal(404)
  })

  it('change it once of two concurrent changes: the other session has ended by then', async () => {
    const scene = await served()
    const both = [await scene.signIn(), await scene.signIn()]
    const answers = await Promise.all(
      both.map((it, at) => it.post('/account/password', { current: lea.password, password: `${another} ${at}` })),
    )
    const workspaces = answers.map(it => it.headers.location ?? it.status)
    expect(
      workspaces.filter(it => it === '/staff/brightside/account?saved=password'),
      `${workspaces}`,
    ).to.have.length(1)
    expect((await Promise.all(both.map(it => it.inside()))).filter(Boolean)).to.have.length(1)
  })

  for (const who of [lea, mia])
    it(`set up an authenticator app, and are asked for it: ${who.name}`, async () => {
      const scene = await served()
      const [me, elsewhere] = [await scene.signIn(who), await scene.signIn(who)]
      await me.post(factor)
      expect(await me.get(factor)).to.show('QR code for an authenticator app', 'otpauth://totp/')
      expect((await me.post(`${factor}/confirmation`, { code: '000000' })).status).to.equal(422)
      expect(await (await scene.signIn(who)).inside(), 'it does not count yet').to.equal(true)
      const { secret, code, codes } = await setUp(scene, me)
      expect(codes).to.have.length(10)
      expect(await me.inside()).to.equal(true)
      expect(await elsewhere.inside(), 'another session').to.equal(false)
      expect(await me.get(factor))
        .to.show('10 recovery codes are left.')
        .and.not.show(secret, ...codes)
      const rows = JSON.stringify(await scene.owner('portal.client_staff_factors'))
      for (const it of [secret, ...codes]) expect(rows).to.not.include(it)

      const one = await half(scene, who)
      expect(await one.inside(), 'by the password alone').to.equal(false)
      for (const path of ['/account', factor, '/account/passkeys']) expect((await one.get(path)).status).to.equal(303)
      expect(await one.get('/sign-in/second-factor')).to.show('One more step', 'Ask whoever runs this portal')
      for (const it of [code(-1), code(3), '000000']) expect((await second(one, it)).status, it).to.equal(422)
      const before = await scene.owner('portal.client_sessions').pluck('sid')
      expect((await second(one, code())).headers.location).to.equal('/settings/client-portal/')
      expect(await one.inside()).to.equal(true)
      expect(await scene.owner('portal.client_sessions').pluck('sid')).to.not.have.members(before)

      const two = await half(scene, who)
      expect((await second(two, code())).status, 'a replay').to.equal(422)
      expect((await second(two, codes[0]!.toLowerCase())).status, 'a recovery code').to.equal(303)
      expect((await second(await half(scene, who), codes[0]!)).status, 'once').to.equal(422)
      expect(
        await scene.owner('portal.client_activity_logs').where({ actor_kind: 'staff' }).pluck('event'),
      ).to.include.members(['account.factor-added', 'account.recovered', 'account.signed-in'])
    })

  it('sign in by one of two concurrent uses of a code, not after ten minutes, and not after five attempts', async () => {
    const scene = await served()
    const { code } = await setUp(scene, await scene.signIn())
    const two = [await half(scene), await half(scene)]
    const answers = await Promise.all(two.map(it => second(it, code())))
    expect(answers.map(it => it.status).sort()).to.deep.equal([303, 422])

    const late = await half(scene)
    await scene.pass(11)
    expect((await second(late, code())).headers.location).to.equal('/staff/brightside/sign-in')
    const eager = await half(scene)
    for (let at = 0; at < 6; at++) await second(eager, '000000')
    expect((await second(eager, code())).status).to.equal(429)
  })

  it('cannot complete a sign-in if their account has changed since the password', async () => {
    const scene = await served()
    const { code } = await setUp(scene, await scene.signIn())
    const who = await half(scene)
    await scene.addLea({ password: another })
    expect((await second(who, code())).headers.location).to.equal('/staff/brightside/sign-in')
  })

  it('change or remove a second factor with it or a recovery code, never with the password', async () => {
    const scene = await served()
    const me = await scene.signIn()
    const { code, codes } = await setUp(scene, me)
    await scene.pass(11)
    const other = await half(scene)
    await second(other, codes[1]!)
    await scene.pass(11)
    for (const path of [`${factor}/removal`, `${factor}/recovery-codes`, '/account/passkeys']) {
      expect(await me.post(path), path)
        .to.include({ status: 403 })
        .and.show('Confirm that it’s you', 'href="/staff/brightside/account"')
      const byPassword = { 'step-up.by': 'password', 'step-up.password': lea.password }
      expect((await me.post(path, byPassword)).status, path).to.equal(403)
    }
    const wrong = await me.post(`${factor}/removal`, { 'step-up.by': 'totp', 'step-up.code': '000000' })
    expect(wrong).to.include({ status: 422 })
    expect(await other.inside()).to.equal(true)
    const removed = await me.post(`${factor}/removal`, { 'step-up.by': 'totp', 'step-up.code': code() })
    expect(removed.headers.location).to.equal(`/staff/brightside${factor}?saved=off`)
    expect(await scene.owner('portal.client_staff_factors')).to.be.empty
    expect(await me.inside()).to.equal(true)
    expect(await other.inside(), 'another session').to.equal(false)
    expect(await (await scene.signIn()).inside(), 'the password is enough again').to.equal(true)
  })

  it('set up the first one after a recent verification, and two at once end one of the sessions', async () => {
    const scene = await served()
    const both = [await scene.signIn(), await scene.signIn()]
    const [me] = both
    await me!.post(factor)
    const secret = keyIn((await me!.get(factor)).text)
    const code = new TOTP({ secret }).generate({ timestamp: scene.now().getTime() })
    const answers = await Promise.all(both.map(it => it.post(`${factor}/confirmation`, { code })))
    expect(answers.filter(it => it.status === 200)).to.have.length(1)
    expect((await Promise.all(both.map(it => it.inside()))).filter(Boolean)).to.have.length(1)

    const mias = await scene.signIn(mia)
    await scene.pass(11)
    expect(await mias.post(factor)).to.include({ status: 403 })
    const proof = { 'step-up.by': 'password', 'step-up.password': mia.password }
    expect((await mias.post(factor, proof)).headers.location).to.equal(`/staff/brightside${factor}`)
    expect(await mias.inside()).to.equal(true)
  })

  it('who lost everything have it removed by the command line, are signed out, and it is logged', async () => {
    const scene = await served()
    const [leas, mias] = [await scene.signIn(), await scene.signIn(mia)]
    await setUp(scene, leas)
    await setUp(scene, mias)
    expect(await scene.resetFactor('LEA@brightside.example')).to.include('Lea Vos')
    expect(await leas.inside()).to.equal(false)
    expect(await mias.inside(), 'nobody else').to.equal(true)
    expect(await scene.resetFactor(mia.email)).to.include('Mia Roos')
    expect(await mias.inside()).to.equal(false)
    for (const it of [lea, mia]) expect(await (await scene.signIn(it)).inside()).to.equal(true)
    for (const it of [lea.email, 'nobody@brightside.example'])
      expect(await scene.resetFactor(it).then(String, error => error.message)).to.match(
        /has no second factor|is nobody/,
      )
    expect(await (await scene.signIn()).at('/settings/client-portal/activity')).to.show(
      'removed the second factor of the staff account of Lea Vos',
    )
  })

  it('keep their app when the secrets change, and are known to a workspace that only they have used', async () => {
    const scene = await served()
    await scene.owner('portal.client_workspaces').delete()
    await setUp(scene, await scene.signIn(mia))
    await until(async () => (await scene.owner('portal.client_workspaces').pluck('slug')).includes('brightside'))
    const newer = 'the newer secret, long enough for it'
    const before = await scene.owner('portal.client_staff_factors').where({ kind: 'app' }).first('key')
    expect((await reseal(scene.database, [newer, secret])).lost).to.equal(0)
    expect(await reseal(scene.database, [newer])).to.deep.equal({ anew: 0, lost: 0 })
    const after = await scene.owner('portal.client_staff_factors').where({ kind: 'app' }).first('key')
    expect(after.key.equals(before.key)).to.equal(false)
  })

  it('are staff of their workspace only, and no clients; nor are clients staff', async () => {
    const scene = await served()
    const leas = await scene.signIn()
    const { code } = await setUp(scene, leas)
    const elsewhere = await leas.at('/staff/ledgerline/account')
    expect(elsewhere.headers.location).to.match(/^\/staff\/ledgerline\/sign-in/)
    const who = await half(scene)
    const there = await who.agent.post('/staff/ledgerline/sign-in/second-factor').type('form').send({ code: code() })
    expect(there.headers.location).to.equal('/staff/ledgerline/sign-in')

    const named = (answer: { headers: Record<string, any> }, from: string, to: string) =>
      String(answer.headers['set-cookie']).split(';')[0]!.replace(from, to)
    const { email, password } = whoIs('owner')
    const send = (path: string, form: object) => request(scene.alone).post(path).type('form').send(form)
    const client = named(await send('/portal/brightside/sign-in', { email, password }), 'portico.sid', 'portico.staff')
    for (const path of ['/staff/brightside/account', '/settings/client-portal/'])
      expect((await request(scene.alone).get(path).set('Cookie', client)).status, path).to.not.equal(200)
    const staffs = named(await send('/staff/brightside/sign-in', mia), 'portico.staff', 'portico.sid')
    for (const path of ['/', '/account', '/invoices'])
      expect((await request(scene.alone).get(`/portal/brightside${path}`).set('Cookie', staffs)).status, path).to.equal(
        303,
      )
    const halfway = named(await send('/staff/brightside/sign-in', lea), 'portico.staff', 'portico.sid')
    const asked = await request(scene.alone).get('/portal/brightside/sign-in/second-factor').set('Cookie', halfway)
    expect(asked.headers.location).to.equal('/portal/brightside/sign-in')
  })

  it('are told to try again later while the database is away, and are signed in when it is back', async () => {
    const { name, alone, signIn } = await served()
    const lea = await signIn()
    const away = async (is: boolean) => {
      await postgres.raw(`alter database ${name} connection limit ${is ? 0 : -1}`)
      if (is) await postgres.raw(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`)
    }
    await away(true)
    for (const address of ['/settings/client-portal/', '/staff/brightside/account']) {
      const answer = await lea.at(address)
      expect(answer).to.include({ status: 503 }).and.show('Try again in a minute.')
      expect(answer.headers['retry-after']).to.equal('30')
    }
    await away(false)
    await until(() => lea.inside())
    expect((await request(alone).get('/staff/%E0%A4%A')).status).to.equal(400)
  })

  it('have pages that each have a rule, refuse other sites’ forms, and are not found with the flag off', async () => {
    const scene = await served()
    const routes = routesOf(scene.pages)
    expect(routes.map(it => it.rule)).to.include('staff')
    expect([...new Set(routes.filter(it => it.rule === 'anybody').map(it => it.path))]).to.have.members([
      '/-/assets/:version/brand-:colour.css',
      '/-/assets/:version/stage-:colour.css',
      '/-/assets/:version/:name',
      '/-/assets/:version/:plugin/:name',
      '/:workspace/logo/:version{/:paper}',
      '/:workspace/sign-in',
      '/:workspace/sign-in/passkey',
      '/:workspace/sign-in/second-factor',
      '/:workspace/sign-out',
    ])
    const off = (await served({ on: false })).alone
    const addressOf = (path: string) => `/staff${path.replace(':workspace', 'brightside').replaceAll(/:\w+/g, '1')}`
    for (const { method, path, rule } of routes) {
      expect(['anybody', 'staff'], path).to.include(rule)
      if (path.startsWith('/-/')) continue
      expect((await request(off)[method](addressOf(path))).status, path).to.equal(404)
      const answer = await request(scene.alone)[method](addressOf(path))
      if (rule === 'staff') expect(answer.headers.location, path).to.match(/^\/staff\/brightside\/sign-in/)
      if (method !== 'post') continue
      const crossed = request(scene.alone).post(addressOf(path)).set('Sec-Fetch-Site', 'cross-site')
      expect((await crossed).status, path).to.equal(403)
    }
  })
})
