import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { TOTP } from 'otpauth'
import { adapter } from '../../demo/adapter/adapter.ts'
import { fresh, testTime } from '../../test/database.ts'
import { world, writeGeoip } from '../../test/geoip.ts'
import { until } from '../../test/until.ts'
import { leave, open, type Scene, type Visitor, whoIs } from '../../test/visit.ts'
import { deviceName } from './devices.ts'

const { email, password } = whoIs('owner')
const firefox = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0'
const phone =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Mobile/15E148 Safari/604.1'

const signIn = async (scene: Scene, agent: string, who?: Visitor) => {
  const visitor = who ?? (await scene.visit())
  expect((await visitor.post('/sign-in', { email, password }).set('User-Agent', agent)).status).to.equal(303)
  return visitor
}
const signedIn = async (it: Visitor) => (await it.get('/account')).status === 200
const idsIn = (text: string) => [...text.matchAll(/\/account\/devices\/([\w-]{43})\/end/g)].map(it => it[1]!)

describe('devices', () => {
  afterEach(leave)

  it('are listed, this one first, and ended one by one or all but this', async () => {
    const scene = await open({ mail: 'kept' })
    const [here, there, third] = [await signIn(scene, firefox), await signIn(scene, phone), await signIn(scene, 'curl')]
    const page = await here.get('/account/devices')
    expect(page).to.show('Firefox on Windows', 'This device', 'Safari on iPhone', 'Unknown device', '127.0.0.1')
    expect(page.text.indexOf('Firefox on Windows')).to.be.below(page.text.indexOf('Safari on iPhone'))
    const ids = idsIn(page.text)
    expect(ids).to.have.length(2)

    const stranger = await scene.visit('billing')
    expect((await stranger.post(`/account/devices/${ids[0]}/end`)).status).to.equal(404)
    expect([await signedIn(there), await signedIn(third)]).to.deep.equal([true, true])
    expect((await here.post(`/account/devices/${ids[0]}/end`)).status).to.equal(303)
    expect([await signedIn(there), await signedIn(third)].filter(Boolean)).to.have.length(1)
    expect((await here.post('/account/devices/others/end')).headers.location).to.include('done=others')
    expect([await signedIn(there), await signedIn(third), await signedIn(here)]).to.deep.equal([false, false, true])
    expect(await signedIn(stranger)).to.equal(true)
    expect((await here.post('/account/devices/nonsense/end')).status).to.equal(404)
    expect(await here.get('/activity')).to.show('signed out another device')
  })

  it('have their browser and system in words, and when they were used, in the reader’s time zone', async () => {
    const scene = await open({ at: '2026-11-20T22:55:00Z' })
    const old = await signIn(scene, phone)
    await scene.pass(10)
    await signIn(scene, firefox)
    await scene.pass(3 * 24 * 60)
    await scene.owner('portal.client_sessions').update({ expire: new Date(testTime() + 9e8) })
    const here = await signIn(scene, firefox)
    expect(await here.get('/account/devices'))
      .to.show('Safari on iPhone', 'Signed in Friday, 23:55', 'Last used Saturday, 00:05', 'Active now')
      .and.not.show('undefined', 'null')
    expect(await old.get('/account/devices').set('Accept-Language', 'es')).to.show('Sesión iniciada: viernes, 23:55')
  })

  it('have a place where there is a GeoIP database, and nothing in its place without one', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'geoip-')), 'city.mmdb')
    writeGeoip(file, world)
    const scene = await open({ geoip: file })
    const here = await signIn(scene, firefox)
    await until(async () => (await here.get('/account/devices')).text.includes('Home &lt;b&gt;, Spain · Active now'))
    rmSync(dirname(file), { recursive: true })
    const without = await open()
    const page = await (await signIn(without, firefox)).get('/account/devices')
    expect(page.text.replace(/\s+/g, ' ')).to.match(/<p class="small soft"> ?Active now ?<\/p>/)
  })

  it('cause a mail when they are new, except the first', async () => {
    const scene = await open({ mail: 'kept' })
    const here = await signIn(scene, firefox)
    await here.post('/sign-out')
    await signIn(scene, firefox, here)
    await signIn(scene, phone)
    const { subject, text } = await scene.mailTo(email, 'Sign-in from a new device')
    expect(subject).to.equal('Sign-in from a new device')
    expect(text).to.include('Safari on iPhone, ').and.include('/not-me/')
    expect(scene.mails).to.have.length(1)
    const rows = await scene.owner('portal.client_devices').select('*')
    expect(rows).to.have.length(2)
    const cookies = (await here.post('/sign-in', { email, password })).headers['set-cookie'] as unknown as string[]
    const device =
      /portico\.device=([\w-]{22}); Max-Age=31536000; Path=\/portal\/brightside; .*HttpOnly; SameSite=Lax/.exec(
        cookies.join('\n'),
      )
    expect(JSON.stringify(rows)).to.not.include(device![1])
  })

  it('of an intruder are signed out by one click in that mail, with everybody else, and the password is removed', async () => {
    const scene = await open({ mail: 'kept' })
    const [here, thief] = [await signIn(scene, firefox), await signIn(scene, phone)]
    const path = /brightside(\/not-me\/\S+)/.exec((await scene.mailTo(email, 'Sign-in from a new device')).text)![1]!
    const nobody = await scene.visit()
    for (let at = 0; at < 2; at++) expect(await nobody.get(path)).to.show('Sign out all devices')
    expect(await signedIn(thief)).to.equal(true)
    await thief.post('/account/second-factor')
    await scene.owner('portal.client_factors').update({ confirmed_at: new Date(testTime()) })
    expect((await nobody.postAt(`/portal/ledgerline${path}`)).status).to.equal(410)
    expect((await nobody.post(path)).headers.location).to.equal('/portal/brightside/forgot-password')
    expect([await signedIn(here), await signedIn(thief)]).to.deep.equal([false, false])
    expect((await nobody.post('/sign-in', { email, password })).status).to.equal(422)
    expect((await nobody.post(path)).status).to.equal(410)
    expect(await scene.owner('portal.client_factors')).to.be.empty
  })

  it('of an intruder cannot return by the CRM’s password either, before a new one is chosen', async () => {
    const copy = await fresh()
    const known = { id: '1', name: 'Nadia', email }
    const identity = {
      verify: async (_workspace: unknown, _email: string, typed: string) =>
        typed === 'of the CRM' ? known : undefined,
      find: async () => undefined,
    }
    const scene = await open({ on: copy, mail: 'kept', crm: { ...adapter(copy.database), identity } })
    await signIn(scene, firefox)
    await signIn(scene, phone)
    const path = /brightside(\/not-me\/\S+)/.exec((await scene.mailTo(email, 'Sign-in from a new device')).text)![1]!
    const nobody = await scene.visit()
    expect((await nobody.post(path)).status).to.equal(303)
    const tryIn = (typed: string) => nobody.post('/sign-in', { email, password: typed })
    for (const typed of ['of the CRM', password]) expect((await tryIn(typed)).status).to.equal(422)

    await nobody.post('/forgot-password', { email })
    const { text } = await scene.mailTo(email, 'Choose a new password')
    const chosen = 'clavicle-unripe-molasses-fold-771'
    await nobody.post(/brightside(\/reset-password\/\S+)/.exec(text)![1]!, { password: chosen })
    expect((await tryIn('of the CRM')).status).to.equal(422)
    expect((await tryIn(chosen)).status).to.equal(303)
  })

  it('of an intruder leave no second factor behind, whichever mail is clicked, and the next device causes a mail', async () => {
    const scene = await open({ mail: 'kept' })
    const linkIn = async (subject: string) =>
      /brightside(\/not-me\/\S+)/.exec((await scene.mailTo(email, subject)).text)![1]!
    await signIn(scene, firefox)
    const thief = await signIn(scene, phone)
    const first = await linkIn('Sign-in from a new device')
    await thief.post('/account/second-factor')
    const [, key = ''] = /secret=([A-Z2-7]+)/.exec((await thief.get('/account/second-factor')).text) ?? []
    const code = (steps: number) => new TOTP({ secret: key }).generate({ timestamp: testTime() + steps * 30_000 })
    await thief.post('/account/second-factor/confirmation', { code: code(-1) })
    const added = await linkIn('A second factor was set up')
    scene.mails.length = 0
    const again = await signIn(scene, 'curl')
    expect((await again.post('/sign-in/second-factor', { code: code(0) })).status).to.equal(303)
    const last = await linkIn('Sign-in from a new device')

    const nobody = await scene.visit()
    for (const it of [first, added, last]) expect((await nobody.get(it)).status).to.equal(200)
    expect((await nobody.post(last)).status).to.equal(303)
    expect(await scene.owner('portal.client_factors')).to.be.empty
    for (const it of [first, added]) expect((await nobody.get(it)).status).to.equal(410)

    await nobody.post('/forgot-password', { email })
    const [, reset = ''] =
      /brightside(\/reset-password\/\S+)/.exec((await scene.mailTo(email, 'Choose a new password')).text) ?? []
    const chosen = 'clavicle-unripe-molasses-fold-771'
    expect((await nobody.post(reset, { password: chosen })).status).to.equal(303)
    scene.mails.length = 0
    const back = await nobody.post('/sign-in', { email, password: chosen })
    expect(back.headers.location).to.not.include('second-factor')
    expect(await linkIn('Sign-in from a new device')).to.include('/not-me/')
  })

  it('are named as people know them', () => {
    const t = (sentence: string, facts?: object) => `${sentence} ${Object.values(facts ?? {})}`
    expect(
      deviceName({ t }, 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0'),
    ).to.include('Edge,Linux')
    expect(
      deviceName({ t }, 'Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36'),
    ).to.include('Chrome,Android')
    expect(deviceName({ t }, '<script>')).to.include('Unknown device')
  })
})
