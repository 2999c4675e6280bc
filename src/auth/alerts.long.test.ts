import { expect } from 'chai'
import { close, fresh } from '../../test/database.ts'
import { until } from '../../test/until.ts'
import { leave, open, type Scene } from '../../test/visit.ts'
import { migrate } from '../index.ts'

const state = '/settings/client-portal/state'

describe('an alert', () => {
  afterEach(leave)

  const raised = (kind: string, ...scenes: Scene[]) =>
    until(() => {
      const found = scenes.flatMap(it => it.log).filter(it => it.facts.alert === kind)
      return found.length > 0 && found
    })

  it('is raised once for many failures from one address, across accounts', async () => {
    const scene = await open()
    const [nobody, admin] = [await scene.visit(), await scene.visit('admin')]
    expect(await admin.at(state)).to.show('Unusual activity', 'Nothing in the last thirty days')
    for (let at = 0; at < 26; at++)
      await nobody.post('/sign-in', { email: `who${at}@else.where`, password: `guess ${at}` })
    const [entry, ...more] = await raised('failures', scene)
    expect(entry).to.deep.include({ level: 'warn', sentence: 'many tries to sign in failed from one address' })
    expect(entry?.facts).to.deep.include({ times: 20, minutes: 10, address: '127.0.0.1' })
    expect(more).to.be.empty
    expect((await admin.at('/portal/-/metrics')).text).to.include('portico_alerts_total{kind="failures"} 1')
    expect(await admin.at(state)).to.show('20 failed sign-ins in 10 minutes', '127.0.0.1')
  })

  it('is raised for many requests for others’ records, by page and by API, across processes', async () => {
    const one = await open()
    const two = await open({ on: one })
    const [here, there] = [await one.visit('owner'), await two.visit('owner')]
    for (let at = 0; at < 10; at++) {
      await here.get(`/invoices/${900_000 + at}`)
      await there.api(`/proposals/${900_000 + at}`)
    }
    const entry = await raised('foreign', one, two)
    expect(entry).to.have.length(1)
    expect(await (await one.visit('admin')).at(state)).to.show(
      'Nadia El-Khoury asked for 20 pages they can’t see in 10 minutes',
    )
    expect(await (await one.visit('stranger')).get('/')).to.include({ status: 200 })
    const rows = await one.owner('portal.client_alerts').select('kind')
    expect(rows).to.deep.equal([{ kind: 'foreign' }])
  })

  it('is raised by a later event where it could not be kept at first, and once', async () => {
    const scene = await open()
    const nobody = await scene.visit()
    const fail = (at: number) =>
      nobody.post('/sign-in', { email: `who${at}@else.where`, password: `another guess ${at}` })
    await scene.owner.raw('revoke insert on portal.client_alerts from portico_app')
    for (let at = 0; at < 22; at++) await fail(at)
    await until(() => scene.log.filter(it => /could not be counted/.test(it.sentence)).length === 3)
    await scene.owner.raw('grant insert on portal.client_alerts to portico_app')
    for (let at = 22; at < 28; at++) await fail(at)
    expect(await raised('failures', scene)).to.have.length(1)
    await until(async () => (await scene.owner('portal.client_alerts')).length === 1)
  })

  it('is not raised by missing pages or a few records', async () => {
    const scene = await open()
    const owner = await scene.visit('owner')
    for (let at = 0; at < 25; at++) await owner.get(`/nothing${at}`)
    for (let at = 0; at < 12; at++) await owner.get(`/invoices/${900_000 + at}`)
    const counted = async () => {
      const row = await scene.owner('portal_jobs.limits').whereLike('key', 'alert-foreign%').first('points')
      return row?.points
    }
    await until(async () => (await counted()) >= 12)
    expect(await counted()).to.equal(12)
    expect(scene.log.filter(it => it.facts.alert)).to.deep.equal([])
  })

  it('is raised for unusually many downloads', async () => {
    const scene = await open()
    const owner = await scene.visit('owner')
    for (let at = 0; at < 100; at++) await owner.get('/invoices/statement.csv')
    expect((await raised('exports', scene))[0]?.facts).to.include({ times: 100, minutes: 60, name: 'Nadia El-Khoury' })
  })

  it('rolls its migration back and applies it again', async () => {
    const copy = await fresh()
    const { down } = await import('../../migrations/004_activity.ts')
    await down(copy.owner)
    await copy.owner('portal.migrations').where({ name: '004_activity' }).delete()
    expect(await migrate(copy.owner, { role: 'portico_app' })).to.deep.equal(['004_activity'])
    await close(copy)
  })
})
