import { expect } from 'chai'
import { adapter } from '../../demo/adapter/adapter.ts'
import { share } from '../../test/links.ts'
import { until } from '../../test/until.ts'
import { leave, open, type Scene, type Visitor, whoIs } from '../../test/visit.ts'
import { accessOf, declaredBy } from '../auth/access.ts'
import { recipientsAt } from '../auth/recipients.ts'
import { rightsOf } from '../auth/roles.ts'
import { sections } from '../plugin/discover.ts'
import { togglesOf } from '../plugin/toggles.ts'

const people = '/settings/client-portal/people'
const acme = async ({ owner }: Scene) =>
  String((await owner('public.clients').where({ company_name: 'Acme Bakery' }).first('id')).id)
const pageOf = async (scene: Scene) => `${people}/clients/${await acme(scene)}`
const turn = async (scene: Scene, admin: Visitor, portal: 'on' | 'off') =>
  admin.postAt(`${await pageOf(scene)}/switch`, { was: portal === 'on' ? 'off' : 'on', portal })
const off = 'The portal is switched off for your company'

describe('the portal of one client', () => {
  afterEach(leave)

  it('is switched off by one switch, which says first whom it reaches, and on again', async () => {
    const scene = await open({ mail: 'kept' })
    const [admin, owner, neighbour] = [
      await scene.visit('admin'),
      await scene.visit('owner'),
      await scene.visit('neighbour'),
    ]
    const kept = await rows(scene)
    expect(await admin.at(await pageOf(scene))).to.show(
      'The portal is switched on',
      '5 people can no longer sign in, and are signed out immediately.',
      'One person keeps access to another client.',
      'Nothing is deleted.',
    )

    expect((await turn(scene, admin, 'off')).headers.location).to.equal(`${await pageOf(scene)}?saved`)
    expect(await admin.at(`${await pageOf(scene)}?saved`)).to.show(
      'The portal is off for Acme Bakery.',
      'Switched off by Marta Lindqvist',
    )
    expect((await owner.get('/invoices')).headers.location).to.match(/sign-in/)
    expect((await neighbour.get('/invoices')).status).to.equal(200)
    expect(await admin.at('/settings/client-portal/activity')).to.show('switched the portal off for Acme Bakery')
    expect(await admin.at('/settings/client-portal/exceptions')).to.show('The whole portal:', 'always off')
    expect(await rows(scene)).to.deep.equal(kept)

    await turn(scene, admin, 'on')
    // The session has ended: she signs in anew.
    expect((await owner.get('/invoices')).headers.location).to.match(/sign-in/)
    expect((await (await scene.visit('owner')).get('/invoices')).status).to.equal(200)
  })

  it('says so to who signs in, and only to who has proved who they are', async () => {
    const scene = await open({ mail: 'kept' })
    const admin = await scene.visit('admin')
    await turn(scene, admin, 'off')
    const nobody = await scene.visit()
    const { email, password } = whoIs('owner')
    expect(await nobody.post('/sign-in', { email, password }))
      .to.include({ status: 403 })
      .and.show(off, 'Nothing was deleted.')
    expect(await nobody.post('/sign-in', { email, password: 'wrong' }))
      .to.include({ status: 422 })
      .and.not.show(off)
    const asked = await nobody.post('/sign-in/code', { email })
    const { text } = await scene.mailTo(email)
    const code = /\b(\d{6})\b/.exec(text)![1]!
    const at = asked.headers.location!.replace('/portal/brightside', '')
    expect(await nobody.post(at, { code }))
      .to.include({ status: 403 })
      .and.show(off)
    const tokens = await nobody.agent
      .post('/portal/brightside/api/v1/tokens')
      .send({ grant: 'password', email, password, name: 'A program' })
    expect(tokens).to.include({ status: 403 })
    expect(tokens.body.error?.code ?? tokens.body.code).to.equal('portal-off')
    expect(await scene.owner('portal.client_sessions').whereRaw(`sess ->> 'person' is not null`)).to.be.empty
  })

  it('leaves somebody with another client signed in there', async () => {
    const scene = await open()
    const [admin, twofold] = [await scene.visit('admin'), await scene.visit('twofold')]
    await turn(scene, admin, 'off')
    expect(await twofold.get('/'))
      .to.include({ status: 200 })
      .and.not.show('Acme Bakery')
  })

  it('refuses tokens of programs while it is off, and keeps them', async () => {
    const scene = await open()
    const admin = await scene.visit('admin')
    const { email, password } = whoIs('owner')
    const { body } = await (await scene.visit()).agent
      .post('/portal/brightside/api/v1/tokens')
      .send({ grant: 'password', email, password, name: 'A program' })
    const ask = async () =>
      (await (await scene.visit()).api('/invoices').set('Authorization', `Bearer ${body.access_token}`)).status
    expect(await ask()).to.equal(200)
    await turn(scene, admin, 'off')
    expect(await ask()).to.equal(401)
    await turn(scene, admin, 'on')
    expect(await ask()).to.equal(200)
  })

  it('holds invitations, which work again afterwards', async () => {
    const scene = await open({ mail: 'kept' })
    const [admin, nobody] = [await scene.visit('admin'), await scene.visit()]
    const form = `${people}/invite/${await acme(scene)}`
    await admin.postAt(form, { role: 'viewer', email: 'jo@else.where', name: 'Jo' })
    const link = /brightside(\/invitation\/\S+)/.exec((await scene.mailTo('jo@else.where')).text)![1]!
    await turn(scene, admin, 'off')
    scene.mails.length = 0
    expect(await nobody.get(link))
      .to.include({ status: 410 })
      .and.show(off, 'works again when Brightside')
    expect((await nobody.post(link, { name: 'Jo', password: 'lantern gravel otter teapot' })).status).to.equal(410)
    await nobody.post(`${link}/renewal`)
    const { id } = await scene.owner('portal.client_invitations').first('id')
    for (const refused of [
      await admin.postAt(form, { role: 'viewer', email: 'bo@else.where', name: 'Bo' }),
      await admin.postAt(`${people}/invitations/${id}`),
    ])
      expect(refused).to.include({ status: 409 }).and.show('The portal is switched off for this client')
    expect(await scene.owner('portal.client_invitations')).to.have.length(1)
    expect(await scene.owner('portal.client_outbox').where('kind', 'invitation')).to.have.length(1)
    await turn(scene, admin, 'on')
    expect((await nobody.get(link)).status).to.equal(200)
  })

  it('closes public links, and what staff see as the client, and mails nobody', async () => {
    const scene = await open({ mail: 'kept' })
    const admin = await scene.visit('admin')
    const client_id = await acme(scene)
    const { path } = await share(scene)
    const guest = await scene.visit()
    expect((await guest.get(path)).status).to.equal(303)
    const person = await scene
      .owner('portal.client_users')
      .where({ email: whoIs('owner').email })
      .first('id')
    await turn(scene, admin, 'off')
    expect((await guest.get(path)).status).to.equal(404)
    const rights = await rightsOf(scene.database, '1')
    const asked = { workspace: { id: '1', slug: 'brightside', name: '', letterhead: [], timeZone: 'UTC' }, rights }
    const parts = { crm: adapter(scene.database), database: scene.database, sections }
    for (const section of sections.filter(it => it.name in it.toggles))
      expect((await recipientsAt(parts, { ...asked, client: client_id })).of({ section, may: [], on: [] })).to.be.empty
    const look = await admin.postAt('/settings/client-portal/view', { client: client_id, person: person.id })
    expect(look).to.include({ status: 409 }).and.show('The portal is switched off for this client')
    const why = `/settings/client-portal/why?search=${whoIs('owner').email}&section=invoices`
    expect(await admin.at(why)).to.show('No: ', 'The portal is switched off for Acme Bakery.')
  })

  it('tells the second of two admins that the first was faster', async () => {
    const scene = await open()
    const admin = await scene.visit('admin')
    await turn(scene, admin, 'off')
    expect(await turn(scene, admin, 'off'))
      .to.include({ status: 409 })
      .and.show('This has changed in the meantime.', 'Switch on')
    for (const nonsense of [{}, { was: 'on' }, { was: 'x', portal: 'y' }, { was: 'on', portal: 'on' }])
      expect((await admin.postAt(`${await pageOf(scene)}/switch`, nonsense)).status).to.equal(303)
    expect((await admin.at(`${people}/clients/nobody`)).status).to.equal(404)
    expect((await admin.at(`${people}/clients/%00`)).status).to.be.oneOf([400, 404])
    const foreign = await scene.owner('public.clients').whereNot({ workspace_id: 1 }).first('id')
    expect((await admin.at(`${people}/clients/${foreign.id}`)).status).to.equal(404)
    expect(
      (await admin.postAt(`${people}/clients/${foreign.id}/switch`, { was: 'on', portal: 'off' })).status,
    ).to.equal(404)
  })

  it('has every permission and toggle off, whatever else is set', () => {
    const declared = declaredBy(sections)
    const person = { client: '1', person: '2', role: 'admin' as const, rights: {}, offered: () => true }
    const all = [...togglesOf(sections).keys()]
    const on = all.map(name => ['1', '2', name, true] as [string, string, string, unknown])
    const [open, closed] = [[], [['1', '', 'portal', false] as [string, string, string, unknown]]].map(its =>
      accessOf(declared, { ...person, settings: [...on, ...its] }),
    )
    expect(all.every(it => open!.on(it))).to.equal(true)
    expect(all.some(it => closed!.on(it))).to.equal(false)
    for (const permission of declared.permissions.keys())
      expect(closed!.decide(permission)).to.deep.equal({ allowed: false, rule: 'portal' })
  })
})

describe('who got a welcome mail', () => {
  afterEach(leave)

  it('is shown with the time the mail server took it, and when they opened the portal', async () => {
    const scene = await open({ mail: 'kept', at: '2026-11-12T13:03:00Z' })
    const admin = await scene.visit('admin')
    const page = await pageOf(scene)
    await admin.postAt(`${people}/invite/${await acme(scene)}`, { role: 'viewer', email: 'jo@else.where', name: 'Jo' })
    const link = /brightside(\/invitation\/\S+)/.exec((await scene.mailTo('jo@else.where')).text)![1]!
    const sent = await untilMailed(scene)
    expect(sent).to.be.instanceOf(Date)
    expect(await admin.at(page)).to.show('Welcome mail sent on 12 Nov 2026, 14:03', 'never signed in')
    await scene.pass(60 * 26)
    const nobody = await scene.visit()
    await nobody.post(link, { name: 'Jo', password: 'lantern gravel otter teapot' })
    expect(await admin.at(page)).to.show(
      'Welcome mail sent on 12 Nov 2026, 14:03; opened the portal on 13 Nov 2026, 16:0',
    )
    const { id } = await scene.owner('portal.client_users').where({ email: 'jo@else.where' }).first('id')
    expect(await admin.at(`${people}/${id}`)).to.show('Welcome mail sent on 12 Nov 2026, 14:03; opened the portal on')
  })

  it('says where no mail is sent, and where the mail server refused it', async () => {
    const scene = await open()
    const admin = await scene.visit('admin')
    const form = { role: 'viewer', email: 'jo@else.where', name: 'Jo' }
    await admin.postAt(`${people}/invite/${await acme(scene)}`, form)
    expect(await admin.at(await pageOf(scene))).to.show('Invited on 21 Nov 2026', 'never signed in')

    const refusing = await open({
      mail: {
        from: 'portal@example.com',
        send: async () => {
          throw Object.assign(new Error('no such mailbox'), { responseCode: 550 })
        },
      },
    })
    const other = await refusing.visit('admin')
    await other.postAt(`${people}/invite/${await acme(refusing)}`, form)
    await until(async () => (await refusing.owner('portal.client_outbox').whereNotNull('failed_at')).length > 0, 10)
    expect(await other.at(await pageOf(refusing))).to.show('The welcome mail could not be delivered')
  })
})

const untilMailed = (scene: Scene) =>
  until(async () => (await scene.owner('portal.client_invitations').first('mailed_at')).mailed_at ?? undefined, 10)

/** What must still be there afterwards. */
async function rows({ owner }: Scene) {
  const tables = ['client_users', 'client_memberships', 'client_invitations', 'client_factors', 'client_signatures']
  return Promise.all(tables.map(async it => [it, await owner(`portal.${it}`).count()]))
}
