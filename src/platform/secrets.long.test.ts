import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { adapter } from '../../demo/adapter/adapter.ts'
import { portalUrl } from '../../demo/portal-database.ts'
import { fresh, password, urlOf } from '../../test/database.ts'
import { until } from '../../test/until.ts'
import { leave, open, type Scene, whoIs } from '../../test/visit.ts'
import { AnotherSecret, reseal } from '../auth/reseal.ts'
import { resealAll } from '../cli/secrets.ts'
import type { Message } from '../mail/transport.ts'
import { seal } from './crypto.ts'
import { sent } from './database.ts'
import { secretsFit } from './secrets.ts'

const another = 'another secret that nobody knows, long enough'
const [older, newer] = ['the older secret, long enough for it', 'the newer secret, long enough for it']
const { email } = whoIs('owner')

describe('an instance with another secret than the others', () => {
  afterEach(leave)

  it('answers 503, is not ready, signs nobody out, and says so in log and metrics', async () => {
    const one = await open()
    const owner = await one.visit('owner')
    const two = await open({ on: one, secrets: [another] })
    const nobody = await two.visit()
    for (const path of ['/sign-in', '/', '/invoices', '/verify']) {
      const answer = await nobody.get(path).set('Cookie', owner.cookie)
      expect(answer).to.include({ status: 503 }).and.show('We cannot answer right now.')
      expect(answer.headers, path).to.include({ 'retry-after': '30' }).and.not.have.property('set-cookie')
    }
    expect((await (await two.visit('admin')).at('/settings/client-portal')).status).to.equal(503)
    expect((await nobody.post('/sign-in', { email, password: whoIs('owner').password })).status).to.equal(503)
    expect(await nobody.at('/portal/-/ready'))
      .to.include({ status: 503 })
      .and.show('another secret than the other instances')
    expect((await nobody.at('/portal/-/health')).status).to.equal(200)
    expect((await nobody.at('/portal/-/metrics')).text).to.include('portico_secret_fits 0')
    expect(two.log.map(it => it.sentence).join()).to.include('was started with another secret')

    expect(await owner.get('/')).to.show('Good morning, Nadia')
    expect((await owner.at('/portal/-/ready')).status).to.equal(200)
    expect((await owner.at('/portal/-/metrics')).text).to.include('portico_secret_fits 1')
  })

  it('cannot make its secret the one in use, neither first nor by its role', async () => {
    const on = await fresh()
    await on.owner('portal.secret_in_use').delete()
    const alone = await open({ on, secrets: [another] })
    expect((await (await alone.visit()).get('/sign-in')).status).to.equal(503)
    expect(await alone.owner('portal.secret_in_use')).to.be.empty

    const right = await open({ on: alone })
    expect((await (await right.visit()).get('/sign-in')).status).to.equal(200)
    for (const text of [`update portal.secret_in_use set id = 'x'`, 'select * from portal.secret_in_use'])
      expect(await right.database.raw(text).catch(String)).to.include('permission denied')
    const claim = await right.database.raw(`select portal.use_secret(array['x'], true) as fits`)
    expect(claim.rows).to.deep.equal([{ fits: false }])
  })

  it('leaves jobs to the others, which send every mail once', async () => {
    const mails: Message[] = []
    let release = () => {}
    const released = new Promise<void>(done => {
      release = done
    })
    const send = async (it: Message) => {
      await released
      mails.push(it)
    }
    const one = await open({ mail: { from: 'portal@example.com', send } })
    const nobody = await one.visit()
    for (const role of ['owner', 'approver', 'billing', 'member', 'viewer'] as const)
      await nobody.post('/forgot-password', { email: whoIs(role).email })
    const outbox = () => one.owner('portal.client_outbox').select('attempts', 'failed_at', 'sent_at')
    await until(async () => (await outbox()).filter(it => it.attempts > 0).length === 2)

    const two = await open({ on: one, secrets: [another], mail: 'kept' })
    await (await two.visit()).get('/sign-in')
    await until(() => two.log.find(it => it.sentence.startsWith('jobs are left to other instances')))
    expect((await outbox()).filter(it => it.failed_at || it.attempts > 1)).to.be.empty
    release()
    await until(async () => (await outbox()).every(it => it.sent_at))
    expect(mails.map(it => it.to)).to.have.length(5)
    expect(new Set(mails.map(it => it.to)).size).to.equal(5)
    expect(two.mails).to.be.empty
  })

  it('is detected if it lacks the newer secret; an instance with both works, and sessions stay', async () => {
    const before = await unsealed({ secrets: [older], checkEvery: 0.1 })
    const owner = await before.visit('owner')
    expect((await owner.get('/account')).status).to.equal(200)
    const after = await open({ on: before, secrets: [newer, older] })
    const there = await after.visit()
    expect((await there.get('/account').set('Cookie', owner.cookie)).status).to.equal(200)
    await until(async () => (await owner.get('/account')).status === 503)

    const both = await open({ on: before, secrets: [older, newer] })
    expect((await (await both.visit()).get('/account').set('Cookie', owner.cookie)).status).to.equal(200)
    expect((await owner.get('/account')).status, 'the newer one stays in use').to.equal(503)
  })

  it('changes nothing that other instances sealed, not even on reseal', async () => {
    const scene = await open()
    await (await scene.visit()).get('/sign-in')
    const keys = await scene.owner('portal.client_keys').orderBy('id')
    const before = sent.statements
    expect(await secretsFit(scene.database, [another])).to.equal(false)
    expect(sent.statements - before, 'looks through what is sealed each time').to.be.at.most(4)
    const failed = await reseal(scene.database, [another, 'x'.repeat(32)]).catch(error => error)
    expect(failed).to.be.instanceOf(AnotherSecret)
    expect(await scene.owner('portal.client_keys').orderBy('id')).to.deep.equal(keys)
  })

  it('cannot begin where anything is sealed that it does not open, also where nobody has signed yet', async () => {
    const before = await unsealed({ secrets: [older] })
    const sealed = seal('JBSWY3DPEHPK3PXP', [older], 'second factor')
    const [person] = await before.owner('portal.client_users').pluck('id')
    const factor = { workspace_id: '1', id: randomUUID(), person_id: person, kind: 'app', key: sealed }
    await before.owner('portal.client_factors').insert(factor)
    expect(await secretsFit(before.database, [another])).to.equal(false)
    expect(await secretsFit(before.database, [older])).to.equal(true)
    expect(await secretsFit(before.database, [another, older]), 'a newer one').to.equal(true)
    expect(await secretsFit(before.database, [older])).to.equal(false)
  })

  it('can take over when the secret of the others is lost', async () => {
    const before = await open()
    await (await before.visit()).get('/sign-in')
    await before.portal.close()
    const scene = await open({ on: before, secrets: [newer], checkEvery: 0.1 })
    const nobody = await scene.visit()
    expect((await nobody.get('/sign-in')).status).to.equal(503)
    const config = {
      ...{ ownerUrl: urlOf(scene.name), url: portalUrl(urlOf(scene.name), password) },
      ...{ crm: adapter, address: 'https://crm.example/portal', secrets: [newer] },
    }
    expect(await resealAll(config).catch(error => error.message)).to.include('run portico reseal --lost')
    expect(await resealAll(config, { lost: true })).to.include('The portal goes on with this secret')
    expect(await resealAll(config, { lost: true }).catch(error => error.message)).to.include('Nothing is lost')
    await until(async () => (await nobody.get('/sign-in')).status === 200)

    const owner = await scene.visit('owner')
    const [{ id }] = (await owner.api('/proposals?status=open')).body.items
    const { body } = await owner.api(`/proposals/${id}/acceptance`)
    const form = { seen: body.seen, agree: 'on', how: 'typed', typed: whoIs('owner').name }
    expect((await owner.post(`/proposals/${id}/acceptance`, form)).status).to.equal(303)
    await until(async () => (await scene.owner('portal.client_signatures').first('sealed')).sealed)
    expect(await scene.owner('portal.client_keys')).to.have.length(2)
  })
})

/** A portal that has sealed nothing yet. */
async function unsealed(options: Parameters<typeof open>[0]): Promise<Scene> {
  const scene = await open(options)
  await scene.owner('portal.client_keys').delete()
  await scene.owner('portal.secret_in_use').delete()
  return scene
}
