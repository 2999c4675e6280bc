import { expect } from 'chai'
import { TOTP } from 'otpauth'
import { testTime } from '../../test/database.ts'
import { leave, open, type Scene, type Visitor, whoIs } from '../../test/visit.ts'
import { within } from '../database.ts'
import { type Invitation, invite } from './invitations.ts'

const portal = '/portal/brightside'
const typed = { name: 'Newton One', password: 'kettle-marble-orbit-97-fern' }
const neighbour = whoIs('neighbour')
const owner = whoIs('owner')

const clientOf = async (scene: Scene, company: string) => {
  const row = await scene.owner('clients').where({ company_name: company }).first('id')
  return { id: String(row.id), name: company }
}

/** The path of an invitation to Acme Bakery as a member, unless more is said. */
async function invitationTo(scene: Scene, email: string, more: Partial<Invitation> = {}) {
  const client = more.client ?? (await clientOf(scene, 'Acme Bakery'))
  const it = { email, name: 'New One', contact: null, role: 'member' as const, invitedBy: 'Marta', ...more, client }
  const token = await within(scene.database, { workspace: '1' }, tx => invite(tx, '1', it))
  return `/invitation/${token}`
}

const accountOf = (scene: Scene, email: string) => scene.owner('portal.client_users').where({ email }).first()
const membershipsOf = async (scene: Scene, email: string) =>
  scene
    .owner('portal.client_memberships')
    .where({ person_id: (await accountOf(scene, email)).id })
    .orderBy('client_name')
    .select('client_name', 'role')
const sessionsOf = async (scene: Scene, email: string) =>
  scene.owner('portal.client_sessions').where({ person_id: (await accountOf(scene, email)).id })
const isSignedIn = async (who: Visitor) => (await who.get('/account')).status === 200

describe('an invitation for somebody who has an account', () => {
  afterEach(leave)

  it('leads to sign-in, and from there to one click that adds the company', async () => {
    const scene = await open()
    const path = await invitationTo(scene, neighbour.email)
    const who = await scene.visit()
    const next = new URLSearchParams({ next: portal + path })
    expect(await who.get(path))
      .to.show('You already have an account here', `href="${portal}/sign-in?${next}"`)
      .and.not.show('type="password"')
    const { email, password } = neighbour
    const { headers } = await who.post('/sign-in', { email, password, next: portal + path })
    expect(headers.location).to.equal(portal + path)
    expect(await who.get(path))
      .to.show('Join Acme Bakery', neighbour.email)
      .and.not.show('type="password"')
    expect(await membershipsOf(scene, email)).to.have.length(1)

    expect((await who.post(`${path}/membership`)).headers.location).to.equal(`${portal}/`)
    expect(await who.get('/account')).to.show('Halloran &amp; Sons', 'Acme Bakery')
    expect(await who.get('/activity')).to.show('Declan')
    expect(await membershipsOf(scene, email)).to.deep.include({ client_name: 'Acme Bakery', role: 'member' })
    expect((await who.post(`${path}/membership`)).status).to.equal(410)
  })

  it('gives neither a session nor a password nor another name, whatever is sent', async () => {
    const scene = await open({ mail: 'kept' })
    await scene.owner('portal.client_users').where({ email: neighbour.email }).update({ password_hash: null })
    const before = await accountOf(scene, neighbour.email)
    const path = await invitationTo(scene, neighbour.email)
    const who = await scene.visit()
    for (const form of [typed, { name: 'x' }, {}])
      expect((await who.post(path, form)).headers.location).to.equal(portal + path)
    expect((await who.post(`${path}/membership`)).headers.location).to.equal(portal + path)

    expect(await isSignedIn(who)).to.equal(false)
    expect(await sessionsOf(scene, neighbour.email)).to.be.empty
    expect(await accountOf(scene, neighbour.email)).to.deep.equal(before)
    expect(await membershipsOf(scene, neighbour.email)).to.have.length(1)
  })

  it('waits for the second factor of an account that has one', async () => {
    const scene = await open({ mail: 'kept' })
    const me = await scene.visit('neighbour')
    await me.post('/account/second-factor')
    const secret = /secret=([A-Z2-7]+)/.exec((await me.get('/account/second-factor')).text)![1]!
    const code = (steps: number) => new TOTP({ secret }).generate({ timestamp: testTime() + steps * 30_000 })
    await me.post('/account/second-factor/confirmation', { code: code(-1) })
    const path = await invitationTo(scene, neighbour.email)
    const who = await scene.visit()
    const { email, password } = neighbour
    const { headers } = await who.post('/sign-in', { email, password, next: portal + path })
    expect(headers.location).to.equal(`${portal}/sign-in/second-factor`)
    expect(await who.get(path)).to.show('You already have an account here')
    for (const it of [path, `${path}/membership`]) await who.post(it, typed)
    expect(await membershipsOf(scene, email)).to.have.length(1)

    expect((await who.post('/sign-in/second-factor', { code: code(0) })).headers.location).to.equal(portal + path)
    await who.post(`${path}/membership`)
    expect(await membershipsOf(scene, email)).to.have.length(2)
  })

  it('is for that person alone: whoever else is signed in is told so, and may sign out', async () => {
    const scene = await open()
    for (const email of [neighbour.email, 'new@acmebakery.example']) {
      const path = await invitationTo(scene, email)
      const other = await scene.visit('owner')
      expect(await other.get(path))
        .to.show(`You are signed in as ${owner.email}.`, `This invitation is for ${email}.`, 'Sign out')
        .and.not.show('type="password"')
      for (const it of [path, `${path}/membership`])
        expect((await other.post(it, typed)).headers.location).to.equal(portal + path)
      expect(await isSignedIn(other)).to.equal(true)
      expect((await other.post('/sign-out', { next: portal + path })).headers.location).to.equal(portal + path)
    }
    expect(await accountOf(scene, 'new@acmebakery.example')).to.equal(undefined)
    expect(await membershipsOf(scene, neighbour.email)).to.have.length(1)
  })

  it('never changes a membership that there is, not even of the last admin', async () => {
    const scene = await open()
    const before = await membershipsOf(scene, owner.email)
    const path = await invitationTo(scene, owner.email, { role: 'viewer' })
    const me = await scene.visit('owner')
    expect(await me.get(path))
      .to.show('You already belong to Acme Bakery.')
      .and.not.show('Join Acme')
    expect((await me.post(`${path}/membership`)).headers.location).to.equal(`${portal}/`)

    expect(await membershipsOf(scene, owner.email)).to.deep.equal(before)
    expect((await (await scene.visit()).get(path)).status).to.equal(410)
  })

  it('lets somebody sign in again who belongs to no company any more, for that only', async () => {
    const scene = await open({ mail: 'kept' })
    const { email, password } = neighbour
    const { id } = await accountOf(scene, email)
    await scene.owner('portal.client_memberships').where({ person_id: id }).delete()
    const who = await scene.visit()
    expect((await who.post('/sign-in', { email, password })).status).to.equal(422)
    const path = await invitationTo(scene, email)
    expect((await who.post('/sign-in', { email, password, next: portal + path })).headers.location).to.equal(
      portal + path,
    )
    expect((await who.get('/invoices')).status).to.equal(303)
    expect((await who.post(`${path}/membership`)).headers.location).to.equal(`${portal}/`)
    expect(await who.get('/account')).to.show('Acme Bakery')
  })

  it('of two invitations for one new address, accepted at once, opens one account by one password', async () => {
    const scene = await open()
    const email = 'new@acmebakery.example'
    const paths = [
      await invitationTo(scene, email),
      await invitationTo(scene, email, { client: await clientOf(scene, 'Halloran & Sons') }),
    ]
    const visitors = [await scene.visit(), await scene.visit()]
    await Promise.all(paths.map((it, at) => visitors[at]!.post(it, { ...typed, password: `${typed.password} ${at}` })))

    const there = await Promise.all(visitors.map(isSignedIn))
    expect(there.filter(it => it)).to.have.length(1)
    const second = there.indexOf(false)
    expect(await visitors[second]!.get(paths[second]!)).to.show('You already have an account here')
    expect(await membershipsOf(scene, email)).to.have.length(1)
    const answer = await visitors[second]!.post('/sign-in', { email, password: `${typed.password} ${second}` })
    expect(answer.status).to.equal(422)
  })
})
