import { expect } from 'chai'
import { leave, open, type Role, type Scene, type Visitor, whoIs } from '../../test/visit.ts'
import { within } from '../platform/database.ts'
import { invite } from './invitations.ts'

const idOf = async ({ owner }: Scene, role: Role) =>
  (
    await owner('portal.client_users')
      .where({ email: whoIs(role).email })
      .first('id')
  ).id

describe('a team', () => {
  afterEach(leave)

  it('revokes an admin’s invitations with their role, and nobody else’s', async () => {
    const scene = await open({ mail: 'kept' })
    const owner = await scene.visit('owner')
    const { id } = await scene
      .owner('portal.client_users')
      .where({ email: whoIs('approver').email })
      .first('id')
    const invite = (who: Visitor, email: string) =>
      who.post('/team/invitations', { name: 'New Colleague', email, role: 'admin' })
    const pathOf = async (email: string) =>
      /brightside(\/invitation\/[\w-]+)/.exec((await scene.mailTo(email)).text)![1]!
    for (const [take, fields, email] of [
      ['/team/roles', { [`role.${id}`]: 'member' }, 'first@else.example'],
      [`/team/${id}/removal`, {}, 'second@else.example'],
    ] as const) {
      await owner.post('/team/roles', { [`role.${id}`]: 'admin' })
      const leaver = await scene.visit('approver')
      expect((await invite(leaver, email)).status).to.equal(303)
      expect((await invite(owner, `of-the-owner.${email}`)).status).to.equal(303)
      expect((await owner.post(take, fields)).status).to.equal(303)

      const nobody = await scene.visit()
      expect((await nobody.get(await pathOf(email))).status).to.equal(410)
      expect((await nobody.get(await pathOf(`of-the-owner.${email}`))).status).to.equal(200)
    }
  })

  it('is seen by each of its people, with what everybody may see, and by nobody else', async () => {
    const scene = await open({ mail: 'kept' })
    const [viewer, neighbour] = [await scene.visit('viewer'), await scene.visit('neighbour')]
    expect(await viewer.get('/team'))
      .to.show(
        'Nadia El-Khoury',
        'Billing. Can see invoices, payments, messages, documents, tasks, requests and announcements, ask questions, write messages, pay, send files and complete tasks.',
        'An admin of Acme Bakery can invite',
      )
      .and.not.show('Declan', 'name="role"')
    expect(await neighbour.get('/team')).to.not.show('Nadia', 'acmebakery')
  })

  it('gains somebody whom an admin of it invites, for this company only', async () => {
    const scene = await open({ mail: 'kept' })
    const [owner, nobody] = [await scene.visit('owner'), await scene.visit()]
    const typed = { name: 'Jo Vermeer', email: 'Jo@acmebakery.example', role: 'billing' }
    expect((await owner.post('/team/invitations', typed)).headers.location).to.equal(
      '/portal/brightside/team?done=invited',
    )
    const mail = await scene.mailTo('jo@acmebakery.example')
    expect(mail.text).to.include('Nadia El-Khoury invited you to the Brightside Agency portal, for Acme Bakery.')
    expect(await owner.get('/team')).to.show('Pending invitations', 'Jo Vermeer')
    const path = /brightside(\/invitation\/\S+)/.exec(mail.text)![1]!
    expect((await nobody.post(path, { name: 'Jo Vermeer', password: 'lantern gravel otter teapot' })).status).to.equal(
      303,
    )

    expect((await nobody.get('/invoices')).status).to.equal(200)
    expect((await nobody.get('/proposals')).status).to.equal(403)
    expect(await owner.post('/team/invitations', { name: '', email: 'nonsense', role: 'billing' }))
      .to.include({ status: 422 })
      .and.show('Enter this person’s name.', 'Enter an e-mail address', 'value="nonsense"')
  })

  it('has its roles changed by an admin, from the next click on, and kept in the activity', async () => {
    const scene = await open()
    const [owner, viewer] = [await scene.visit('owner'), await scene.visit('viewer')]
    expect((await viewer.get('/proposals')).status).to.equal(200)
    expect((await owner.post('/team/roles', { [`role.${await idOf(scene, 'viewer')}`]: 'billing' })).status).to.equal(
      303,
    )

    expect((await viewer.get('/proposals')).status).to.equal(403)
    expect(await owner.get('/activity')).to.show('made Ilse Verhoeven a billing contact')
    expect((await owner.post('/team/roles', { [`role.${await idOf(scene, 'viewer')}`]: 'owner' })).status).to.equal(422)
  })

  it('loses somebody at once, from this company only', async () => {
    const scene = await open()
    const [owner, twofold] = [await scene.visit('owner'), await scene.visit('twofold')]
    expect((await owner.post(`/team/${await idOf(scene, 'twofold')}/removal`)).status).to.equal(303)

    expect(await owner.get('/team')).to.not.show('Farah')
    expect(await twofold.get('/account'))
      .to.show('Halloran')
      .and.not.show('Acme Bakery')
  })

  it('keeps one admin, also when two remove each other at the same time', async () => {
    const scene = await open()
    const [owner, viewer] = [await scene.visit('owner'), await scene.visit('viewer')]
    const [me, other] = [await idOf(scene, 'owner'), await idOf(scene, 'viewer')]
    for (const answer of [
      await owner.post('/team/roles', { [`role.${me}`]: 'viewer' }),
      await owner.post(`/team/${me}/removal`),
    ])
      expect(answer).to.include({ status: 422 }).and.show('There must be at least one admin.')

    await owner.post('/team/roles', { [`role.${other}`]: 'admin' })
    const answers = await Promise.all([
      owner.post(`/team/${other}/removal`),
      viewer.post('/team/roles', { [`role.${me}`]: 'viewer' }),
    ])
    // A person who was removed before their own request is redirected to sign-in, which is a 303 too.
    expect(answers.filter(it => it.headers.location?.includes('/team?done='))).to.have.length(1)
    const admins = await scene
      .owner('portal.client_memberships')
      .where({ role: 'admin' })
      .whereIn('person_id', [me, other])
    expect(admins).to.have.length(1)
  })

  it('saves the roles that were changed, all or none, and a successor first', async () => {
    const scene = await open()
    const [owner, viewer] = [await scene.visit('owner'), await scene.visit('viewer')]
    const [me, other, third] = [await idOf(scene, 'owner'), await idOf(scene, 'viewer'), await idOf(scene, 'member')]
    const roleOf = async (id: string) =>
      (await scene.owner('portal.client_memberships').where({ person_id: id }).first('role')).role
    expect(await owner.get('/team')).to.show(
      'Admin. Can see everything, ask questions, write messages, accept and sign, pay, send files, complete tasks and manage people.',
    )

    const halfWrong = { [`role.${third}`]: 'billing', [`role.${other}`]: 'emperor' }
    expect(await owner.post('/team/roles', halfWrong)).to.include({ status: 422 })
    expect(await roleOf(third)).to.equal('member')

    const unchanged = { [`was.${third}`]: 'viewer', [`role.${third}`]: 'viewer' }
    const handOver = { [`role.${me}`]: 'member', [`role.${other}`]: 'admin', ...unchanged }
    expect((await owner.post('/team/roles', handOver)).status).to.equal(303)
    expect(await Promise.all([me, other, third].map(roleOf))).to.deep.equal(['member', 'admin', 'member'])

    const both = (role: string) => ({ [`role.${third}`]: role, [`role.${me}`]: role })
    const answers = await Promise.all(
      ['viewer', 'billing', 'approver', 'viewer', 'billing', 'approver'].map(it =>
        viewer.post('/team/roles', both(it)),
      ),
    )
    expect(answers.map(it => it.status)).to.deep.equal(answers.map(() => 303))
    expect(await roleOf(third)).to.equal(await roleOf(me))
  })

  it('is managed by nobody else, and nobody else’s is', async () => {
    const scene = await open({ mail: 'kept' })
    const [owner, approver] = [await scene.visit('owner'), await scene.visit('approver')]
    const foreign = await idOf(scene, 'neighbour')
    const viewer = await idOf(scene, 'viewer')
    const fields = { [`role.${viewer}`]: 'admin', name: 'x', email: 'x@y.example', role: 'admin' }
    for (const path of ['/team/roles', `/team/${viewer}/removal`, '/team/invitations'])
      expect((await approver.post(path, fields)).status, path).to.equal(403)
    for (const person of [foreign, 'nonsense'])
      expect((await owner.post('/team/roles', { [`role.${person}`]: 'viewer' })).status, person).to.equal(404)
    expect((await owner.post(`/team/${foreign}/removal`)).status).to.equal(404)
    expect(scene.mails).to.be.empty
  })

  it('has one open invitation for each address, which its sender can revoke', async () => {
    const scene = await open({ mail: 'kept' })
    const [owner, nobody] = [await scene.visit('owner'), await scene.visit()]
    const typed = { name: 'Jo', email: 'jo@acmebakery.example', role: 'admin' }
    const invited = async () => {
      scene.mails.length = 0
      expect((await owner.post('/team/invitations', typed)).status).to.equal(303)
      return /brightside(\/invitation\/\S+)/.exec((await scene.mailTo(typed.email)).text)![1]!
    }
    const status = async (path: string) => (await nobody.get(path)).status
    const [first, second] = [await invited(), await invited()]
    expect([await status(first), await status(second)]).to.deep.equal([410, 200])
    const [{ id }, ...others] = await scene
      .owner('portal.client_invitations')
      .where({ used_at: null, revoked_at: null })
    expect(others).to.be.empty

    expect(await owner.get('/team')).to.show('Revoke the invitation of Jo', `/team/invitations/${id}/revocation`)
    const path = `/team/invitations/${id}/revocation`
    expect((await (await scene.visit('approver')).post(path)).status).to.equal(403)
    expect((await (await scene.visit('newcomer')).post(path)).status).to.equal(404)
    expect(await status(second)).to.equal(200)
    expect((await owner.post(path)).headers.location).to.equal('/portal/brightside/team?done=revoked')
    expect(await owner.get('/team?done=revoked')).to.show('The invitation was revoked.')
    expect(await status(second)).to.equal(410)
    expect((await owner.post(path)).status).to.equal(404)
    expect((await owner.post(`/team/invitations/${id}`)).status).to.equal(404)
  })

  it('invites an address once, also in concurrent requests', async () => {
    const scene = await open({ mail: 'kept' })
    const it = { email: 'Jo@acmebakery.example', name: 'Jo', client: { id: '1', name: 'Acme Bakery' }, contact: null }
    const tokens = await Promise.all(
      ['Nadia', 'Marta', 'Jonas'].map(invitedBy =>
        within(scene.database, { workspace: '1' }, tx => invite(tx, '1', { ...it, role: 'viewer', invitedBy })),
      ),
    )
    const nobody = await scene.visit()
    const answers = await Promise.all(tokens.map(token => nobody.get(`/invitation/${token}`)))
    expect(answers.map(it => it.status).sort()).to.deep.equal([200, 410, 410])
  })

  for (const [what, end] of [
    ['removed', (owner: Visitor, _admin: Visitor, id: string) => owner.post(`/team/${id}/removal`)],
    [
      'given another role',
      (owner: Visitor, _admin: Visitor, id: string) => owner.post('/team/roles', { [`role.${id}`]: 'billing' }),
    ],
    [
      'suspended',
      (_owner: Visitor, admin: Visitor, id: string) =>
        admin.postAt(`/settings/client-portal/people/${id}/suspension`, { suspended: 'on' }),
    ],
  ] as const)
    it(`gives no access back by an old invitation to somebody who was ${what}`, async () => {
      const scene = await open({ mail: 'kept' })
      const [owner, admin] = [await scene.visit('owner'), await scene.visit('admin')]
      const { email, name } = whoIs('viewer')
      const id = await idOf(scene, 'viewer')
      await owner.post('/team/invitations', { name, email, role: 'admin' })
      const path = /brightside(\/invitation\/\S+)/.exec((await scene.mailTo(email)).text)![1]!
      expect((await owner.get(path)).status).to.equal(200)
      expect((await end(owner, admin, id)).status).to.equal(303)
      expect((await owner.get(path)).status).to.equal(410)
      expect((await owner.post(`${path}/membership`)).status).to.equal(410)
    })
})
