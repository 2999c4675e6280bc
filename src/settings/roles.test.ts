import { expect } from 'chai'
import { leave, open } from '../../test/visit.ts'

const area = '/settings/client-portal/roles'
/** What the page sends for an unticked box. */
const takes = (permission: string, role: string) => ({ [`was.${role}.${permission}`]: 'on' })
const gives = (permission: string, role: string) => ({
  [`was.${role}.${permission}`]: 'off',
  [`${role}.${permission}`]: 'on',
})

describe('roles', () => {
  afterEach(leave)

  it('may do from the next click on what the workspace ticks, which is told to the team and kept with before and after', async () => {
    const scene = await open()
    const [admin, billing, viewer] = [
      await scene.visit('admin'),
      await scene.visit('billing'),
      await scene.visit('viewer'),
    ]
    const seen = async () => [(await billing.get('/proposals')).status, (await viewer.get('/invoices')).status]
    expect(await seen()).to.deep.equal([403, 200])

    const form = { ...gives('proposals.see', 'billing'), ...takes('invoices.see', 'viewer') }
    expect((await admin.postAt(area, form)).headers.location).to.equal(`${area}?saved`)
    expect(await seen()).to.deep.equal([200, 403])
    expect(await viewer.get('/team')).to.show(
      'Billing. Can see proposals, invoices, payments, messages, documents, tasks, requests and announcements, ask questions, write messages, pay, send files and complete tasks.',
    )
    expect(await viewer.get('/')).to.not.show('/brightside/invoices"')
    expect(await admin.at('/settings/client-portal/activity')).to.show(
      'allowed the role Billing: See proposals',
      'no longer allows the role Viewer: See invoices and payments',
    )
    const { subject } = await scene
      .owner('portal.client_activity_logs')
      .where({ subject_id: 'billing' })
      .first('subject')
    expect(subject).to.include({ permission: 'proposals.see', before: false, after: true })
    const other = await scene.owner('portal.client_roles').distinct('workspace_id')
    expect(other).to.have.length(1)
  })

  it('are called as the workspace likes, everywhere, and as before when the name is emptied', async () => {
    const scene = await open()
    const [admin, owner] = [await scene.visit('admin'), await scene.visit('owner')]
    expect((await admin.postAt(area, { 'was.name.billing': '', 'name.billing': ' Book<b>keeping ' })).status).to.equal(
      303,
    )
    expect(await owner.get('/team')).to.show('Book&lt;b&gt;keeping. Can see invoices')
    expect(await admin.at('/settings/client-portal/people')).to.show('Acme Bakery, Book&lt;b&gt;keeping')
    expect(await admin.at('/settings/client-portal/activity')).to.show(
      'renamed the role Billing to Book&lt;b&gt;keeping',
    )

    expect(await admin.postAt(area, { 'was.name.viewer': '', 'name.viewer': 'admin' }))
      .to.include({ status: 422 })
      .and.show('Two roles cannot have one name.', 'value="admin"')
    expect(await admin.postAt(area, { 'was.name.viewer': '', 'name.viewer': 'x'.repeat(41) }))
      .to.include({ status: 422 })
      .and.show('Use at most 40 characters.')
    expect((await admin.postAt(area, { 'was.name.billing': 'Book<b>keeping', 'name.billing': '' })).status).to.equal(
      303,
    )
    expect(await owner.get('/team')).to.show('Billing. Can see')
  })

  it('of a client’s admins always include managing its people', async () => {
    const scene = await open({ mail: 'kept' })
    const [admin, owner] = [await scene.visit('admin'), await scene.visit('owner')]
    const all = await admin.at(area)
    expect(all).to.show('Always on: each client needs someone who can.')
    const names = [...all.text.matchAll(/name="was\.admin\.([^"]+)"/g)].map(it => it[1]!)
    expect(names).to.include('proposals.see')
    const form = Object.assign({}, ...names.map(it => takes(it, 'admin')), { 'admin.team': 'off' })
    expect((await admin.postAt(area, form)).status).to.equal(303)

    expect((await owner.get('/proposals')).status).to.equal(403)
    const invited = { name: 'Jo', email: 'jo@acmebakery.example', role: 'viewer' }
    expect((await owner.post('/team/invitations', invited)).status).to.equal(303)
  })

  it('changed by two admins at once are changed by one, and the other is told', async () => {
    const scene = await open()
    const [one, two] = [await scene.visit('admin'), await scene.visit('admin')]
    const answers = await Promise.all([
      one.postAt(area, takes('invoices.see', 'viewer')),
      two.postAt(area, takes('invoices.see', 'viewer')),
    ])
    expect(answers.map(it => it.status).sort()).to.deep.equal([303, 409])
    expect(await two.postAt(area, takes('invoices.see', 'viewer'))).to.show('This has changed in the meantime.')
    expect((await one.postAt(area, { ...gives('nonsense', 'owner'), 'was.owner.x': 'on' })).status).to.equal(303)
    expect(await scene.owner('portal.client_roles').select('role')).to.deep.equal([{ role: 'viewer' }])
  })
})
