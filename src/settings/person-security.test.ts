import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { TOTP } from 'otpauth'
import { testTime } from '../../test/database.ts'
import { world, writeGeoip } from '../../test/geoip.ts'
import { jobsDone, until } from '../../test/until.ts'
import { leave, open, type Scene, type Visitor, whoIs } from '../../test/visit.ts'

const people = '/settings/client-portal/people'
const { email, password, name } = whoIs('owner')

const personOf = async ({ owner }: Scene, its = email) =>
  (await owner('portal.client_users').where({ email: its }).first('id')).id as string
const codeOf = (secret: string, steps = 0) => new TOTP({ secret }).generate({ timestamp: testTime() + steps * 30_000 })

/** An authenticator app, by the pages for it. */
async function withApp(who: Visitor): Promise<string> {
  await who.post('/account/second-factor')
  const secret = /secret=([A-Z2-7]+)/.exec((await who.get('/account/second-factor')).text)![1]!
  await who.post('/account/second-factor/confirmation', { code: codeOf(secret, -1) })
  return secret
}

const withPasskey = async (scene: Scene, id = 'a-passkey') =>
  scene.owner('portal.client_factors').insert({
    ...{ workspace_id: '1', id, person_id: await personOf(scene), kind: 'passkey', name: 'Work laptop' },
    ...{ key: Buffer.from('x'), confirmed_at: new Date(testTime()) },
  })
const app = async ({ owner }: Scene) => (await owner('portal.client_factors').where({ kind: 'app' }).first('id')).id
const kinds = async ({ owner }: Scene) => [...new Set(await owner('portal.client_factors').pluck('kind'))].sort()

async function aDayLater(scene: Scene) {
  await scene.pass(24 * 60 + 1)
  await scene
    .owner('portal_jobs.job')
    .where({ name: 'data', state: 'created' })
    .update({ start_after: scene.owner.fn.now() })
}

describe('the devices of a person', () => {
  afterEach(leave)

  it('are shown to staff with place and last use, and signed out one by one or all', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'geoip-')), 'city.mmdb')
    writeGeoip(file, world)
    const scene = await open({ geoip: file })
    const [admin, first, second, third] = [
      await scene.visit('admin'),
      await scene.visit('owner'),
      await scene.visit('owner'),
      await scene.visit('owner'),
    ]
    const other = await scene.visit('approver')
    const page = `${people}/${await personOf(scene)}`
    await scene.owner('portal.client_sessions').update({
      sess: scene.owner.raw(`jsonb_set(sess, '{agent}', '"Mozilla/5.0 (iPhone) Version/26.0 Safari/604.1"')`),
    })
    const shown = await admin.at(page)
    expect(shown).to.show('Devices', 'Safari on iPhone', 'Last used', 'Sign out everywhere')
    await until(async () => (await admin.at(page)).text.includes('Home &lt;b&gt;, Spain'))
    const ends = [...shown.text.matchAll(/action="([^"]+\/devices\/[\w-]+\/end)"/g)].map(it => it[1]!)
    expect(ends).to.have.length(3)
    expect((await admin.postAt(ends[0]!)).headers.location).to.equal(`${page}?done=signed-out`)
    const signedIn = async () =>
      (await Promise.all([first, second, third].map(it => it.get('/invoices')))).filter(it => it.status === 200).length
    expect(await signedIn()).to.equal(2)
    expect((await admin.postAt(ends[0]!)).status).to.equal(404)
    expect((await admin.postAt(`${page}/devices/end`)).headers.location).to.equal(`${page}?done=signed-out`)
    expect(await signedIn()).to.equal(0)
    expect((await other.get('/invoices')).status).to.equal(200)
    expect(await admin.at(page)).to.show('Not signed in anywhere.')
    expect(await admin.at('/settings/client-portal/activity')).to.show(
      `signed out ${name} on a device`,
      `signed out ${name} on 2 devices`,
    )
  })

  it('of another workspace, or of another person, are nobody’s business', async () => {
    const scene = await open()
    const [admin, colleague, owner] = [
      await scene.visit('admin'),
      await scene.visit('colleague'),
      await scene.visit('owner'),
    ]
    await scene.visit('stranger')
    const [mine, stranger, approver] = await Promise.all(
      (['owner', 'stranger', 'approver'] as const).map(it => personOf(scene, whoIs(it).email)),
    )
    const { sid } = await scene.owner('portal.client_sessions').where({ person_id: mine }).first('sid')
    for (const path of [`${stranger}/devices/end`, `${approver}/devices/${sid}/end`, `nobody/devices/end`])
      expect((await admin.postAt(`${people}/${path}`)).status, path).to.equal(404)
    expect((await colleague.postAt(`${people}/${mine}/devices/end`)).status).to.equal(403)
    expect((await owner.get('/invoices')).status).to.equal(200)
  })
})

describe('the second factors of a person', () => {
  afterEach(leave)

  it('are removed by staff one by one, a day later, which the person is told', async () => {
    const scene = await open({ mail: 'kept' })
    const [admin, me] = [await scene.visit('admin'), await scene.visit('owner')]
    await withApp(me)
    await withPasskey(scene)
    const page = `${people}/${await personOf(scene)}`
    expect(await admin.at(page)).to.show(
      'Authenticator app',
      'Work laptop',
      '10 recovery codes are left.',
      'Their other second factors stay.',
      'Remove all second factors',
    )
    const path = `${page}/factors/a-passkey/reset`
    const both = await Promise.all([admin.postAt(path), admin.postAt(path)])
    for (const it of both) expect(it.headers.location).to.equal(`${page}?done=reset`)
    const { text } = await scene.mailTo(email, 'A second factor is being removed: Work laptop')
    expect(text).to.include('Marta Lindqvist at Brightside Agency is removing Work laptop')
    expect(await scene.owner('portal.client_outbox').where({ kind: 'factor-reset-one' })).to.have.length(1)
    expect(await admin.at(page)).to.show('removed on', 'Keep: Work laptop')
    expect(await admin.at('/settings/client-portal/activity')).to.show(
      `removes Work laptop from the second factors of ${name}`,
    )
    // The last one is removed by its own form only.
    expect((await admin.postAt(`${page}/factors/${await app(scene)}/reset`)).status).to.equal(404)
    expect(await kinds(scene)).to.deep.equal(['app', 'passkey', 'recovery'])
    await aDayLater(scene)
    await until(async () => !(await kinds(scene)).includes('passkey'))
    expect(await kinds(scene)).to.deep.equal(['app', 'recovery'])
    expect(await scene.owner('portal.client_sessions').where({ person_id: await personOf(scene) })).to.be.empty
  })

  it('stay if that one is used, or staff change their minds', async () => {
    const scene = await open({ mail: 'kept' })
    const [admin, me] = [await scene.visit('admin'), await scene.visit('owner')]
    const secret = await withApp(me)
    await withPasskey(scene)
    const page = `${people}/${await personOf(scene)}`
    const path = `${page}/factors/${await app(scene)}/reset`
    const ends = async () =>
      (await scene.owner('portal.client_factors').where({ kind: 'app' }).first('ends_at')).ends_at
    await admin.postAt(path)
    expect(await ends()).to.be.instanceOf(Date)
    expect((await admin.postAt(path, { keep: 'on' })).headers.location).to.equal(`${page}?done=kept`)
    expect(await ends()).to.equal(null)
    await admin.postAt(path)
    const who = await scene.visit()
    await who.post('/sign-in', { email, password })
    expect((await who.post('/sign-in/second-factor', { code: codeOf(secret) })).status).to.equal(303)
    expect(await ends()).to.equal(null)
    await aDayLater(scene)
    await jobsDone(scene.owner, 'data')
    expect(await kinds(scene)).to.deep.equal(['app', 'passkey', 'recovery'])
  })

  it('are all removed from the same page, and left there', async () => {
    const scene = await open({ mail: 'kept' })
    const [admin, me] = [await scene.visit('admin'), await scene.visit('owner')]
    await withApp(me)
    const page = `${people}/${await personOf(scene)}`
    expect(await admin.at(page)).to.show('Remove the second factor')
    expect((await admin.postAt(`${page}/second-factor-reset`, { back: 'on' })).headers.location).to.equal(
      `${page}?done=reset`,
    )
    expect(await admin.at(page)).to.show('All of them are removed on', 'Keep the second factor')
    const form = { back: 'on', keep: 'on' }
    expect((await admin.postAt(`${page}/second-factor-reset`, form)).headers.location).to.equal(`${page}?done=kept`)
  })
})
