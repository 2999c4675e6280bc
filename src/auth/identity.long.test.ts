import { expect } from 'chai'
import { TOTP } from 'otpauth'
import { v7 as uuid } from 'uuid'
import { adapter } from '../../demo/adapter/adapter.ts'
import { testTime } from '../../test/database.ts'
import { person, share } from '../../test/links.ts'
import { leave, open, type Role, type Scene, type Visitor, whoIs } from '../../test/visit.ts'
import { within } from '../platform/database.ts'
import { sections } from '../plugin/discover.ts'
import { invite } from './invitations.ts'
import { recipientsFinder } from './recipients.ts'

const portal = '/portal/brightside'
const elsewhere = 'ilse@home.example'
const viewer = whoIs('viewer')
const approver = whoIs('approver')
const settings = '/settings/client-portal'

const accountOf = (scene: Scene, email: string) => scene.owner('portal.client_users').where({ email }).first()

/** Changes a person's own address on the account page. */
async function move(scene: Scene, role: Role, email: string) {
  const who = await scene.visit(role)
  await who.post('/account/address', { email, current: whoIs(role).password })
  const { text } = await scene.mailTo(email)
  expect((await who.post(/brightside(\/address\/\S+)/.exec(text)![1]!)).status).to.equal(303)
  return who
}

/** Makes the members look invited by hand: the portal does not know them as contacts. */
const forgetContacts = (scene: Scene) => scene.owner('portal.client_memberships').update({ contact_id: null })

const suspend = async (scene: Scene, id: string, suspended = 'on') =>
  (await scene.visit('admin')).postAt(`${settings}/people/${id}/suspension`, { suspended })

/** Creates another account of the same contact, as staff could in earlier versions. */
async function twin(scene: Scene, of: Role, email: string, role: string, password_hash?: string) {
  const first = await accountOf(scene, whoIs(of).email)
  const id = uuid()
  const membership = await scene.owner('portal.client_memberships').where({ person_id: first.id }).first()
  await scene
    .owner('portal.client_users')
    .insert({ workspace_id: '1', id, email, name: 'Twin', password_hash: password_hash ?? first.password_hash })
  await scene.owner('portal.client_memberships').insert({ ...membership, person_id: id, role })
  return { id, first: first.id as string }
}

/** A guest at a public link who requests a code at this address; undefined if none is mailed. */
async function guestAt(scene: Scene, email: string) {
  const guest = await person(scene)
  const here = (await guest.get((await share(scene)).path)).headers.location!
  scene.mails.length = 0
  const asked = await guest.postAt(here.replace(/\/proposals\/.*/, '/code'), {
    'step-up.show': 'code',
    'step-up.email': email,
  })
  const id = /step-up.id" value="([^"]+)/.exec(asked.text)![1]!
  // Every address causes the same work: a row without a recipient is for nobody.
  const [row] = await scene.owner('portal.client_outbox').where({ kind: 'links.code' }).orderBy('id', 'desc').limit(1)
  if (!row.recipient) return { guest, here, known: false }
  const { text } = await scene.mailTo(email)
  const code = /^(\d{6})$/m.exec(text)![1]!
  const proof = { 'step-up.id': id, 'step-up.code': code, next: here }
  const answer = await guest.postAt(here.replace(/\/proposals\/.*/, '/code'), proof)
  return { guest, here, known: answer.status === 303 }
}

const signs = async ({ guest, here }: { guest: Visitor; here: string }) =>
  (await guest.at(`${here}/acceptance`)).status === 200

describe('one human', () => {
  afterEach(leave)

  it('who moved to another address has no more rights by a public link than in the portal', async () => {
    const scene = await open({ mail: 'kept' })
    await forgetContacts(scene)
    await move(scene, 'viewer', elsewhere)
    const guest = await guestAt(scene, viewer.email)
    expect(guest.known).to.equal(true)
    expect(await signs(guest)).to.equal(false)

    expect((await suspend(scene, (await accountOf(scene, elsewhere)).id)).status).to.equal(303)
    expect(await signs(guest)).to.equal(false)
    expect((await guest.guest.at(guest.here)).text).to.not.include('Ilse')
    expect((await guestAt(scene, viewer.email)).known).to.equal(false)
  })

  it('who moved keeps limit and second factor by a public link too', async () => {
    const scene = await open({ mail: 'kept' })
    await forgetContacts(scene)
    await move(scene, 'approver', elsewhere)
    const { id } = await accountOf(scene, elsewhere)
    const limit = { workspace_id: '1', client_id: '1', person_id: id, name: 'limit', changed_by: 'a test' }
    await scene.owner('portal.client_portal_settings').insert({ ...limit, value: '"5.00 EUR"' })
    const guest = await guestAt(scene, approver.email)
    expect(await guest.guest.at(`${guest.here}/acceptance`)).to.show('You can accept up to €5.00.')

    const factor = {
      workspace_id: '1',
      id: 'a passkey',
      person_id: id,
      kind: 'passkey',
      confirmed_at: new Date(testTime()),
    }
    await scene.owner('portal.client_factors').insert(factor)
    expect(await signs(guest)).to.equal(false)
  })

  it('with two accounts has the lower role and limit of both', async () => {
    const scene = await open({ mail: 'kept' })
    const { id } = await twin(scene, 'approver', 'twin@home.example', 'admin')
    const limit = { workspace_id: '1', client_id: '1', person_id: id, name: 'limit', changed_by: 'a test' }
    await scene.owner('portal.client_portal_settings').insert({ ...limit, value: '"5.00 EUR"' })
    const guest = await guestAt(scene, approver.email)
    expect(await guest.guest.at(`${guest.here}/acceptance`)).to.show('You can accept up to €5.00.')
    await scene.owner('portal.client_memberships').where({ person_id: id }).update({ role: 'viewer' })
    expect(await signs(guest)).to.equal(false)
  })

  it('who was suspended cannot sign in by another account or by an invitation to an earlier address', async () => {
    const scene = await open({ mail: 'kept' })
    const { id } = await twin(scene, 'viewer', 'twin@home.example', 'admin')
    const { id: contactId } = await scene.owner('contacts').where({ email: viewer.email }).first('id')
    const twinned = await scene.visit()
    const signIn = () => twinned.post('/sign-in', { email: 'twin@home.example', password: viewer.password })
    expect((await signIn()).status).to.equal(303)
    await move(scene, 'viewer', elsewhere)
    const { id: first } = await accountOf(scene, elsewhere)
    await suspend(scene, first)
    expect((await twinned.get('/account')).status).to.equal(303)
    expect(await signIn())
      .to.include({ status: 422 })
      .and.show('Your access has been suspended.')

    const client = { id: '1', name: 'Acme Bakery' }
    for (const [email, contact] of [
      [viewer.email, null],
      ['fresh@home.example', contactId],
    ]) {
      const it = { email, name: 'Ilse', client, contact: contact && String(contact), role: 'admin', invitedBy: 'Marta' }
      const token = await within(scene.database, { workspace: '1' }, tx => invite(tx, '1', it as never))
      const nobody = await scene.visit()
      expect(await nobody.get(`/invitation/${token}`)).to.show('Your access has been suspended.')
      const typed = { name: 'Ilse', password: 'kettle-marble-orbit-97-fern' }
      expect((await nobody.post(`/invitation/${token}`, typed)).headers.location).to.equal(
        `${portal}/invitation/${token}`,
      )
      expect((await nobody.get('/account')).status).to.equal(303)
    }
    await suspend(scene, id, 'off')
    expect((await signIn()).status).to.equal(303)
  })

  it('has one role at a client: a change of one account, or its end, is one of all', async () => {
    const scene = await open({ mail: 'kept' })
    const { id, first } = await twin(scene, 'viewer', 'twin@home.example', 'admin')
    const [owner, twinned] = [await scene.visit('owner'), await scene.visit()]
    await twinned.post('/sign-in', { email: 'twin@home.example', password: viewer.password })
    expect(await twinned.get('/team')).to.show('Invite a colleague')
    expect((await owner.post('/team/roles', { [`role.${first}`]: 'viewer' })).status).to.equal(303)
    expect(await twinned.get('/team')).to.not.show('Invite a colleague')
    const memberships = scene.owner('portal.client_memberships').whereIn('person_id', [id, first])
    expect(await memberships.clone().pluck('role')).to.deep.equal(['viewer', 'viewer'])

    await memberships.clone().update({ role: 'admin' })
    const { id: other } = await accountOf(scene, whoIs('owner').email)
    await scene
      .owner('portal.client_memberships')
      .where({ person_id: other, client_id: '1' })
      .update({ role: 'viewer' })
    const alone = await twinned.post(`/team/${first}/removal`)
    expect(alone).to.include({ status: 422 }).and.show('There must be at least one admin.')
    await scene.owner('portal.client_memberships').where({ person_id: other, client_id: '1' }).update({ role: 'admin' })
    expect((await owner.post(`/team/${first}/removal`)).status).to.equal(303)
    expect(await memberships.clone()).to.be.empty
    expect((await twinned.get('/')).status).to.equal(303)
  })

  it('is asked for the second factor of one account when they sign in to the other', async () => {
    const scene = await open({ mail: 'kept' })
    await twin(scene, 'viewer', 'twin@home.example', 'viewer')
    const me = await scene.visit('viewer')
    await me.post('/account/second-factor')
    const secret = /secret=([A-Z2-7]+)/.exec((await me.get('/account/second-factor')).text)![1]!
    const code = (steps: number) => new TOTP({ secret }).generate({ timestamp: testTime() + steps * 30_000 })
    await me.post('/account/second-factor/confirmation', { code: code(-1) })
    const twinned = await scene.visit()
    const { headers } = await twinned.post('/sign-in', { email: 'twin@home.example', password: viewer.password })
    expect(headers.location).to.equal(`${portal}/sign-in/second-factor`)
    expect(await twinned.get('/sign-in/second-factor')).to.show('One more step')
    expect((await twinned.post('/sign-in/second-factor', { code: '000000' })).status).to.equal(422)
    expect((await twinned.post('/sign-in/second-factor', { code: code(0) })).status).to.equal(303)
    expect(await twinned.get('/account')).to.show('twin@home.example')
  })

  it('gets no mail about documents while one of their accounts is suspended', async () => {
    const scene = await open({ mail: 'kept' })
    await twin(scene, 'viewer', 'twin@home.example', 'viewer')
    const { workspace, ...who } = { workspace: { id: '1', slug: 'brightside', name: 'B' } as never, client: '1' }
    const find = recipientsFinder({ crm: adapter(scene.database), database: scene.database, sections })
    const emails = async () =>
      (await find({ workspace, ...who, rights: {} }, { section: 'proposals', may: ['see'], on: [] })).map(
        it => it.email,
      )
    expect(await emails()).to.include.members([viewer.email, 'twin@home.example'])
    await scene
      .owner('portal.client_users')
      .where({ email: viewer.email })
      .update({ suspended_at: new Date(testTime()) })
    expect(await emails())
      .to.not.include.members([viewer.email])
      .and.not.include('twin@home.example')
  })

  it('cannot take an address of somebody suspended, and loses one that was taken back', async () => {
    const scene = await open({ mail: 'kept' })
    await forgetContacts(scene)
    await move(scene, 'viewer', elsewhere)
    const { text } = await scene.mailTo(viewer.email)
    const addresses = async (email: string) =>
      (await scene.owner('portal.client_emails').where({ person_id: (await accountOf(scene, email)).id })).map(
        it => it.email,
      )
    expect(await addresses(elsewhere)).to.have.members([viewer.email, elsewhere])
    await suspend(scene, (await accountOf(scene, elsewhere)).id)
    const other = await scene.visit('billing')
    await other.post('/account/address', { email: viewer.email, current: whoIs('billing').password })
    const mailed = (await scene.mailTo(viewer.email)).text
    const confirm = /brightside(\/address\/(?!undo)\S+)/.exec(mailed)?.[1]
    if (confirm) expect((await other.post(confirm)).status).to.equal(410)
    expect(await accountOf(scene, whoIs('billing').email)).to.not.equal(undefined)

    const undo = /brightside(\/address\/undo\/\S+)/.exec(text)![1]!
    await (await scene.visit()).post(undo)
    expect(await addresses(viewer.email)).to.deep.equal([viewer.email])
  })

  it('is known as the CRM’s contact when a colleague invites them by address', async () => {
    const scene = await open({ mail: 'kept' })
    const contact = await scene.owner('contacts').where({ email: viewer.email }).first('id')
    const { id } = await accountOf(scene, viewer.email)
    await scene.owner('portal.client_memberships').where({ person_id: id }).delete()
    const owner = await scene.visit('owner')
    await owner.post('/team/invitations', { name: 'Ilse', email: viewer.email, role: 'viewer' })
    expect((await scene.owner('portal.client_invitations').first()).contact_id).to.equal(String(contact.id))
  })
})
