import { expect } from 'chai'
import { TOTP } from 'otpauth'
import { testTime } from '../../test/database.ts'
import { leave, open, type Scene, type Visitor, whoIs } from '../../test/visit.ts'
import { within } from '../platform/database.ts'
import { type Invitation, invite } from './invitations.ts'

const portal = '/portal/brightside'
const typed = { name: 'Newton One', password: 'kettle-marble-orbit-97-fern' }
const neighbour = whoIs('neighbour')
const owner = whoIs('owner')

const clientOf = async (scene: Scene, company: string) => {
  const row = await scene.owner('clients').where({ company_name: company }).first('id')
  return { id: String(row.id), name: company }
}

/** Returns the path of an invitation to Acme Bakery, as a member unless `more` says otherwise. */
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
      .to.show('You already have an account', `href="${portal}/sign-in?${next}"`)
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

  it('never sets a session, a password or a name, whatever is sent', async () => {
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
    expect(await who.get(path)).to.show('You already have an account')
    for (const it of [path, `${path}/membership`]) await who.post(it, typed)
    expect(await membershipsOf(scene, email)).to.have.length(1)

    expect((await who.post('/sign-in/second-factor', { code: code(0) })).headers.location).to.equal(portal + path)
    await who.post(`${path}/membership`)
    expect(await membershipsOf(scene, email)).to.have.length(2)
  })

  it('is for that person only: another signed-in user sees so, and may sign out', async () => {
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

  it('never changes an existing membership, not even the last admin’s', async () => {
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

  it('lets somebody without a company sign in again, only to accept it', async () => {
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
    expect(await visitors[second]!.get(paths[second]!)).to.show('You already have an account')
    expect(await membershipsOf(scene, email)).to.have.length(1)
    const answer = await visitors[second]!.post('/sign-in', { email, password: `${typed.password} ${second}` })
    expect(answer.status).to.equal(422)
  })
})

describe('the page of an invitation', () => {
  afterEach(leave)
  const email = 'new@acmebakery.example'
  const off = (scene: Scene, name: string) =>
    scene.owner('portal.client_portal_settings').insert({ workspace_id: '1', name, value: 'false', changed_by: 'test' })

  it('welcomes by name, says who invites, and names the contact person of the CRM', async () => {
    const scene = await open({ mail: 'kept' })
    await scene.owner('clients').where({ company_name: 'Acme Bakery' }).update({ account_manager: 1 })
    const { full_name: name, email: address } = await scene.owner('staff').where({ id: 1 }).first()
    const path = await invitationTo(scene, email)
    expect(await (await scene.visit()).get(path)).to.show(
      'Welcome, New',
      'Marta invited you to the Brightside Agency portal, for Acme Bakery.',
      'Your contact at Brightside Agency',
      name,
      `mailto:${address}`,
    )
    await scene.owner('clients').where({ company_name: 'Acme Bakery' }).update({ account_manager: null })
    expect(await (await scene.visit()).get(path)).to.not.show('Your contact at')
  })

  it('shows no contact person while the CRM does not answer, and opens nevertheless', async () => {
    const { adapter } = await import('../../demo/adapter/adapter.ts')
    const copy = await open({ mail: 'kept' })
    const crm = adapter(copy.database)
    const owner = () => Promise.reject(new Error('down'))
    const scene = await open({ crm: { ...crm, directory: { ...crm.directory, owner } }, on: copy })
    const path = await invitationTo(scene, email)
    expect(await (await scene.visit()).get(path))
      .to.include({ status: 200 })
      .and.show('Welcome, New')
      .and.not.show('Your contact at')
  })

  it('offers password, code and passkey as the workspace allows, and proposes the first', async () => {
    const scene = await open({ mail: 'kept' })
    const path = await invitationTo(scene, email)
    const offered = async () => {
      const { text } = await (await scene.visit()).get(path)
      return [...text.matchAll(/name="way" value="(\w+)"( checked)?/g)].map(it => it[1] + (it[2] ?? ''))
    }
    expect(await offered()).to.deep.equal(['password checked', 'code', 'passkey'])
    await off(scene, 'sign-in.password')
    expect(await offered()).to.deep.equal(['code checked', 'passkey'])
    await off(scene, 'sign-in.passkey')
    expect(await offered()).to.deep.equal([])
    expect(await (await scene.visit()).get(path)).to.show('We e-mail you a code each time')
    const mute = await open()
    expect(await (await mute.visit()).get(await invitationTo(mute, email))).to.not.show('name="way"')
  })

  it('opens an account without a password for who chose a code, whatever else the form says', async () => {
    const scene = await open({ mail: 'kept' })
    const path = await invitationTo(scene, email)
    const who = await scene.visit()
    const form = { name: 'Newton One', way: 'code', password: 'short' }
    expect((await who.post(path, form)).headers.location).to.equal(`${portal}/`)
    expect(await who.get('/'))
      .to.include({ status: 200 })
      .and.show('Newton')
    expect((await accountOf(scene, email)).password_hash).to.equal(null)
    await (await scene.visit()).post('/sign-in/code', { email })
    expect((await scene.mailTo(email)).text).to.match(/\d{6}/)
  })

  it('leads who chose a passkey to the page that adds one, without asking who they are again', async () => {
    const scene = await open({ mail: 'kept' })
    const who = await scene.visit()
    const { headers } = await who.post(await invitationTo(scene, email), { name: 'Newton One', way: 'passkey' })
    expect(headers.location).to.equal(`${portal}/account/passkeys?new`)
    expect(await who.get('/account/passkeys?new')).to.show('Add your passkey', 'Not now, open the portal')
    const answer = await who.post('/account/passkeys', { name: 'Phone', credential: '{}' })
    expect(answer).to.include({ status: 422 }).and.show('The passkey could not be created.')
  })

  it('takes the proposed way for one that is not offered, and keeps a chosen one with an error', async () => {
    const scene = await open({ mail: 'kept' })
    await off(scene, 'sign-in.code')
    const path = await invitationTo(scene, email)
    const who = await scene.visit()
    const refused = await who.post(path, { name: 'Newton One', way: 'code' })
    expect(refused).to.include({ status: 422 }).and.show('Choose a password.')
    const nameless = await who.post(path, { name: '', way: 'passkey' })
    expect(nameless.text).to.match(/value="passkey" checked/)
    expect(await accountOf(scene, email)).to.equal(undefined)
  })

  it('in a second tab, after it was accepted in the first, leads into the portal', async () => {
    const scene = await open()
    const path = await invitationTo(scene, email)
    const who = await scene.visit()
    await who.post(path, typed)
    for (const answer of [await who.get(path), await who.post(path, typed)])
      expect(answer)
        .to.include({ status: 410 })
        .and.show('This invitation was already used', 'you are signed in', `href="${portal}/"`)
        .and.not.show('Request a new one')
    const other = await scene.visit()
    expect(await other.get(path)).to.show('Sign in with the account', `href="${portal}/sign-in"`)
  })

  it('that was withdrawn says so, and a new one can be asked for', async () => {
    const scene = await open({ mail: 'kept' })
    const path = await invitationTo(scene, email)
    await scene.owner('portal.client_invitations').update({ revoked_at: scene.now() })
    expect(await (await scene.visit()).get(path))
      .to.include({ status: 410 })
      .and.show('This invitation was withdrawn', 'Request a new one')
  })

  it('for somebody who was suspended meanwhile says so, and lets them in nowhere', async () => {
    const scene = await open({ mail: 'kept' })
    const path = await invitationTo(scene, neighbour.email)
    await scene.owner('portal.client_users').where({ email: neighbour.email }).update({ suspended_at: scene.now() })
    const who = await scene.visit()
    expect(await who.get(path))
      .to.show('Your access has been suspended.', 'Ask Brightside Agency')
      .and.not.show('You already have an account', 'Join Acme')
    for (const to of [path, `${path}/membership`])
      expect((await who.post(to, typed)).headers.location).to.equal(portal + path)
    expect(await membershipsOf(scene, neighbour.email)).to.have.length(1)
  })

  it('leads to a page with words on it, also where every section is switched off', async () => {
    const scene = await open()
    for (const name of ['proposals', 'quotations', 'invoices', 'payments']) await off(scene, name)
    const who = await scene.visit()
    await who.post(await invitationTo(scene, email, { role: 'viewer' }), typed)
    expect(await who.get('/'))
      .to.include({ status: 200 })
      .and.show('Nothing is waiting for you')
  })
})
