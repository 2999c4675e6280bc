import { expect } from 'chai'
import request from 'supertest'
import { until } from '../../test/until.ts'
import { leave, open, type Scene, whoIs } from '../../test/visit.ts'

/** A flag that a test switches, for some workspaces. */
const switchable = () => {
  const state = { off: [] as string[], all: true, known: true }
  const flags = {
    enabledAnywhere: () => state.all,
    enabled: (slug: string) => state.all && !state.off.includes(slug),
    known: () => state.known,
  }
  return { state, flags, checkEvery: 0.1 }
}

const sessionsOf = async ({ owner }: Scene) => (await owner('portal.client_sessions').whereNotNull('person_id')).length

describe('switching the portal off', () => {
  afterEach(leave)

  it('ends sessions and refresh tokens, which do not come back with it; personal tokens stay', async () => {
    const { state, ...more } = switchable()
    const scene = await open(more)
    const owner = await scene.visit('owner')
    const { email, password } = whoIs('owner')
    const ask = (path: string, token: string) =>
      request(scene.app).get(`/portal/brightside/api/v1${path}`).set('Authorization', `Bearer ${token}`)
    const grant = (body: object) => request(scene.app).post('/portal/brightside/api/v1/tokens').send(body)
    const tokens = (await grant({ grant: 'password', email, password })).body
    const page = await owner.post('/account/tokens', {
      'step-up.by': 'password',
      'step-up.password': password,
      name: 'Books',
      scopes: 'invoices.see',
      days: '30',
    })
    const [personal = ''] = /ptp_[\w-]{43}/.exec(page.text) ?? []
    expect((await ask('/invoices', personal)).status).to.equal(200)
    expect((await ask('/invoices', tokens.access_token)).status).to.equal(200)

    state.all = false
    expect((await owner.get('/')).status).to.equal(404)
    await until(async () => (await sessionsOf(scene)) === 1)
    state.all = true
    expect((await owner.get('/')).status).to.equal(303)
    expect((await ask('/invoices', tokens.access_token)).status).to.equal(401)
    expect((await grant({ grant: 'refresh', refresh_token: tokens.refresh_token })).status).to.equal(401)
    expect((await ask('/invoices', personal)).status).to.equal(200)
    const again = await scene.visit('owner')
    expect((await again.get('/')).status).to.equal(200)
  })

  it('for one workspace ends what is there alone', async () => {
    const { state, ...more } = switchable()
    const scene = await open(more)
    const [owner, stranger] = [await scene.visit('owner'), await scene.visit('stranger')]
    const elsewhere = whoIs('stranger').workspace
    expect(elsewhere).to.not.equal('brightside')
    state.off = ['brightside']
    await until(async () => (await sessionsOf(scene)) === 1)
    expect((await stranger.get('/')).status).to.equal(200)
    state.off = []
    expect((await owner.get('/')).status).to.equal(303)
  })

  it('is also noticed by a process that starts afterwards', async () => {
    const before = await open()
    await before.visit('owner')
    await before.visit('stranger')
    await until(async () => (await before.owner('portal.client_workspaces')).length === 2)
    await before.portal.close()
    const one = switchable()
    one.state.off = ['brightside']
    const { state: _, ...less } = one
    await open({ ...less, on: before })
    await until(async () => (await sessionsOf(before)) === 1)
    const none = switchable()
    none.state.all = false
    const { state: __, ...off } = none
    await open({ ...off, on: before })
    await until(async () => (await sessionsOf(before)) === 0)
  })

  it('is not what a flag server says that does not answer', async () => {
    const { state, ...more } = switchable()
    const scene = await open(more)
    await scene.visit('owner')
    state.known = false
    state.all = false
    let looks = 0
    more.flags.known = () => {
      looks++
      return state.known
    }
    await until(() => looks > 3)
    expect(await sessionsOf(scene)).to.equal(1)
  })
})
