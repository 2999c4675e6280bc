import { expect } from 'chai'
import { leave, open, type Scene, whoIs } from '../../test/visit.ts'

const area = '/settings/client-portal/people'
const acme = async ({ owner }: Scene) =>
  (await owner('public.clients').where({ company_name: 'Acme Bakery' }).first('id')).id

describe('people', () => {
  afterEach(leave)

  it('are found by name, with what they may, and clients of the CRM to invite from', async () => {
    const scene = await open({ mail: 'kept' })
    const admin = await scene.visit('admin')
    expect(await admin.at(area)).to.show('Nadia El-Khoury', 'Acme Bakery, Admin', 'People with access')
    expect(await admin.at(`${area}?search=bakery`))
      .to.show('Invite someone at Acme Bakery', 'Nadia El-Khoury')
      .and.not.show('Declan')
    expect(await admin.at(`${area}?search=%25%5F'%00nobody`)).to.show('Nobody found')
    expect(await admin.at(area)).to.not.show('Harriet')
  })

  it('are invited as the CRM knows them, by mail in their language, and come in', async () => {
    const scene = await open({ mail: 'kept' })
    const [admin, nobody] = [await scene.visit('admin'), await scene.visit()]
    const client = await acme(scene)
    const [contact] = await scene.owner
      .insert({
        client_id: client,
        first_name: 'Inés',
        last_name: 'Vidal',
        email: 'ines@acmebakery.example',
        language: 'es',
      })
      .into('public.contacts')
      .returning('id')
    const form = `${area}/invite/${client}`

    expect(await admin.at(form)).to.show('Inés Vidal', 'Has access', 'approver')
    const answer = await admin.postAt(form, { chosen: [String(contact.id)], role: 'billing' })
    expect(answer.headers.location).to.equal(`${area}?done=invited`)
    const mail = await scene.mailTo('ines@acmebakery.example')
    expect(mail.subject).to.equal('Marta Lindqvist le invita al portal de Brightside Agency')
    expect(await admin.at(area)).to.show('Pending invitations', 'ines@acmebakery.example')
    const path = /brightside(\/invitation\/\S+)/.exec(mail.text)![1]!
    expect((await nobody.post(path, { name: 'Inés Vidal', password: 'lantern gravel otter teapot' })).status).to.equal(
      303,
    )
    expect((await nobody.get('/invoices')).status).to.equal(200)
    expect((await nobody.get('/proposals')).status).to.equal(403)
    expect(await admin.at(`${area}?search=vidal`))
      .to.show('Acme Bakery, Billing')
      .and.not.show('not here yet')
    expect(await admin.at('/settings/client-portal/activity')).to.show(
      'invited ines@acmebakery.example for Acme Bakery',
      'Marta Lindqvist',
    )
  })

  it('who are none of the CRM’s are invited by address, and what is wrong is said beside it', async () => {
    const scene = await open({ mail: 'kept' })
    const admin = await scene.visit('admin')
    const form = `${area}/invite/${await acme(scene)}`
    for (const [typed, sentence] of [
      [{ role: 'viewer' }, 'Choose a person, or enter an e-mail address.'],
      [{ role: 'viewer', email: 'nonsense', name: 'Jo' }, 'Enter an e-mail address, like jo@example.com.'],
      [{ role: 'viewer', email: 'jo@else.where', name: ' ' }, 'Enter this person’s name.'],
      [{ role: 'owner', email: 'jo@else.where', name: 'Jo' }, 'Check the highlighted fields.'],
    ] as const)
      expect(await admin.postAt(form, typed), sentence)
        .to.include({ status: 422 })
        .and.show(sentence)
    expect(await scene.owner('portal.client_invitations')).to.be.empty

    expect((await admin.postAt(form, { role: 'viewer', email: 'jo@else.where', name: 'Jo' })).status).to.equal(303)
    expect((await scene.mailTo('jo@else.where')).text).to.include('Hello Jo,')
  })

  it('get their link again, which ends the one before, and lose it when it is taken back', async () => {
    const scene = await open({ mail: 'kept' })
    const [admin, nobody] = [await scene.visit('admin'), await scene.visit()]
    await admin.postAt(`${area}/invite/${await acme(scene)}`, { role: 'viewer', email: 'jo@else.where', name: 'Jo' })
    const link = async () => /brightside(\/invitation\/\S+)/.exec((await scene.mailTo('jo@else.where')).text)![1]!
    const first = await link()
    const { id } = await scene.owner('portal.client_invitations').first('id')
    scene.mails.length = 0
    await scene.pass(60)
    expect((await admin.postAt(`${area}/invitations/${id}`)).status).to.equal(303)
    const second = await link()

    expect([(await nobody.get(first)).status, (await nobody.get(second)).status]).to.deep.equal([410, 200])
    expect((await admin.postAt(`${area}/invitations/${id}/revocation`)).headers.location).to.equal(
      `${area}?done=revoked`,
    )
    expect((await nobody.get(second)).status).to.equal(410)
    expect((await nobody.post(second, { name: 'Jo', password: 'lantern gravel otter teapot' })).status).to.equal(410)
    for (const path of ['', '/revocation'])
      expect((await admin.postAt(`${area}/invitations/${id}${path}`)).status).to.equal(404)
    expect(await admin.at(area)).to.not.show('jo@else.where')
  })

  it('get their link again once in an hour and five times in a week, from whoever sends it', async () => {
    const scene = await open({ mail: 'kept' })
    const [admin, owner] = [await scene.visit('admin'), await scene.visit('owner')]
    await admin.postAt(`${area}/invite/${await acme(scene)}`, { role: 'viewer', email: 'Jo@else.where', name: 'Jo' })
    const { id } = await scene.owner('portal.client_invitations').first('id')
    const again = () => admin.postAt(`${area}/invitations/${id}`)
    const mails = async () => (await scene.owner('portal.client_outbox').where({ kind: 'invitation' })).length
    const tokens = () => scene.owner('portal.client_invitations').where({ id }).first('token_hash')
    const before = await tokens()
    expect(await owner.post(`/team/invitations/${id}`))
      .to.include({ status: 429 })
      .and.show('This person was sent an invitation less than an hour ago.')
    await scene.pass(18)
    const early = await again()
    expect(early)
      .to.include({ status: 429 })
      .and.show(
        'This person was sent an invitation less than an hour ago.',
        'Try again in 42 minutes.',
        'jo@else.where',
      )
    expect(early.headers['retry-after']).to.match(/^25\d\d$/)
    expect(await tokens()).to.deep.equal(before)

    await scene.pass(42)
    const both = await Promise.all([again(), again()])
    expect(both.map(it => it.status).sort()).to.deep.equal([303, 429])
    for (let at = 0; at < 3; at++) {
      await scene.pass(60)
      expect((await again()).status).to.equal(303)
    }
    await scene.pass(24 * 60)
    expect(await again())
      .to.include({ status: 429 })
      .and.show('This person was sent five invitations within a week.', 'Try again in 6 days.')
    expect(await mails()).to.equal(5)
    await scene.pass(6 * 24 * 60)
    expect((await again()).status).to.equal(303)
  })

  it('get their link again at any time where the last mail failed, or no mail is sent', async () => {
    const scene = await open({ mail: 'kept' })
    const admin = await scene.visit('admin')
    const form = { role: 'viewer', email: 'jo@else.where', name: 'Jo' }
    await admin.postAt(`${area}/invite/${await acme(scene)}`, form)
    await scene.mailTo('jo@else.where')
    await scene.owner('portal.client_outbox').update({ failed_at: scene.now(), sent_at: null })
    const { id } = await scene.owner('portal.client_invitations').first('id')
    expect((await admin.postAt(`${area}/invitations/${id}`)).status).to.equal(303)

    const silent = await open()
    const other = await silent.visit('admin')
    await other.postAt(`${area}/invite/${await acme(silent)}`, form)
    const row = await silent.owner('portal.client_invitations').first('id')
    for (let at = 0; at < 2; at++)
      expect(await other.postAt(`${area}/invitations/${row.id}`)).to.show('Send these links yourself')
  })

  it('whose invitation is over may ask for another, once, which staff and the company’s admins learn', async () => {
    const scene = await open({ mail: 'kept' })
    const [admin, owner, nobody] = [await scene.visit('admin'), await scene.visit('owner'), await scene.visit()]
    await admin.postAt(`${area}/invite/${await acme(scene)}`, {
      role: 'viewer',
      email: 'jo@else.where',
      name: 'Jo Vos',
    })
    const link = async () => /brightside(\/invitation\/\S+)/.exec((await scene.mailTo('jo@else.where')).text)![1]!
    const first = await link()
    await scene.owner('portal.client_invitations').update({ expires_at: new Date(0) })
    const ask = (path: string) => nobody.post(`${path}/renewal`)
    for (const path of [first, `/invitation/${'x'.repeat(43)}`, '/invitation/nonsense%2F..'])
      expect(await nobody.get(path), path)
        .to.include({ status: 410 })
        .and.show('This invitation has expired', 'Request a new one')
    for (const path of [first, `/invitation/${'x'.repeat(43)}`]) {
      expect((await ask(path)).headers.location).to.equal(`/portal/brightside${path}?asked`)
      expect(await nobody.get(`${path}?asked`)).to.show('we’ve told the person who sent it')
    }
    await ask(first)

    const told = await scene.mailTo(whoIs('owner').email)
    expect(told.subject).to.equal('Jo Vos asks for a new invitation')
    expect(scene.mails.filter(it => it.subject === told.subject)).to.have.length(1)
    expect(await admin.at(area)).to.show('asked for a new link on')
    expect(await owner.get('/team')).to.show('asked for a new link on', 'Jo Vos')
    const { id } = await scene.owner('portal.client_invitations').first('id')
    expect((await (await scene.visit('approver')).post(`/team/invitations/${id}`)).status).to.equal(403)
    expect((await (await scene.visit('newcomer')).post(`/team/invitations/${id}`)).status).to.equal(404)
    scene.mails.length = 0
    expect((await owner.post(`/team/invitations/${id}`)).status).to.equal(303)
    expect((await nobody.get(await link())).status).to.equal(200)

    await admin.postAt(`${area}/invitations/${id}/revocation`)
    expect(await admin.at(area)).to.not.show('jo@else.where')
    await ask(await link())
    expect((await owner.post(`/team/invitations/${id}`)).status).to.equal(404)
    expect((await admin.postAt(`${area}/invitations/${id}`)).status).to.equal(303)
  })

  it('choose no password where only codes are offered', async () => {
    const scene = await open({ mail: 'kept' })
    const [admin, nobody] = [await scene.visit('admin'), await scene.visit()]
    await admin.postAt('/settings/client-portal/sign-in', {
      'was.sign-in.password': 'on',
      'was.sign-in.code': 'on',
      'sign-in.code': 'on',
    })
    await admin.postAt(`${area}/invite/${await acme(scene)}`, { role: 'viewer', email: 'jo@else.where', name: 'Jo' })
    const path = /brightside(\/invitation\/\S+)/.exec((await scene.mailTo('jo@else.where')).text)![1]!
    expect(await nobody.get(path))
      .to.show('We send you a code each time')
      .and.not.show('type="password"')
    expect((await nobody.post(path, { name: 'Jo', password: 'x' })).headers.location).to.equal('/portal/brightside/')

    expect((await nobody.get('/account')).status).to.equal(200)
    const { password_hash } = await scene.owner('portal.client_users').where({ email: 'jo@else.where' }).first('*')
    expect(password_hash).to.equal(null)
  })

  it('are suspended from their next click on, and let in again', async () => {
    const scene = await open({ mail: 'kept' })
    const [admin, owner] = [await scene.visit('admin'), await scene.visit('owner')]
    const { id } = await scene
      .owner('portal.client_users')
      .where({ email: whoIs('owner').email })
      .first('id')

    expect((await admin.postAt(`${area}/${id}/suspension`, { suspended: 'on' })).status).to.equal(303)
    expect((await owner.get('/account')).status).to.equal(303)
    expect(await admin.at(`${area}?done=suspended`)).to.show('Suspended. Takes effect immediately.', 'Restore access')
    expect((await admin.postAt(`${area}/${id}/suspension`, { suspended: 'off' })).status).to.equal(303)
    expect((await owner.get('/account')).status).to.equal(200)
    expect(await admin.at('/settings/client-portal/activity')).to.show(
      'suspended Nadia El-Khoury',
      'let Nadia El-Khoury in again',
    )
  })

  it('of another workspace cannot be reached', async () => {
    const scene = await open({ mail: 'kept' })
    const admin = await scene.visit('admin')
    const foreign = await scene
      .owner('portal.client_users')
      .where({ email: whoIs('stranger').email })
      .first('id')
    const client = await scene.owner('public.clients').where({ company_name: 'Thornbury Garden Centres' }).first('id')

    expect((await admin.postAt(`${area}/${foreign.id}/suspension`, { suspended: 'on' })).status).to.equal(404)
    expect((await admin.at(`${area}/invite/${client.id}`)).status).to.equal(404)
    expect(
      (await admin.postAt(`${area}/invite/${client.id}`, { email: 'a@b.example', name: 'A', role: 'viewer' })).status,
    ).to.equal(404)
    expect(
      (await scene.owner('portal.client_users').where({ id: foreign.id }).first('suspended_at')).suspended_at,
    ).to.equal(null)
  })

  it('are given a link to send where the portal sends no mail', async () => {
    const scene = await open()
    const [admin, nobody] = [await scene.visit('admin'), await scene.visit()]
    const answer = await admin.postAt(`${area}/invite/${await acme(scene)}`, {
      role: 'viewer',
      email: 'jo@else.where',
      name: 'Jo',
    })
    expect(answer).to.include({ status: 200 }).and.show('Send these links yourself', 'jo@else.where')
    const path = /(\/invitation\/[\w-]{43})/.exec(answer.text)![1]!
    expect((await nobody.get(path)).status).to.equal(200)
  })

  it('are found best match first, and a client before its people are invited', async () => {
    const scene = await open()
    const admin = await scene.visit('admin')
    const people = scene.owner('portal.client_users')
    await people
      .clone()
      .where({ email: whoIs('viewer').email })
      .update({ name: 'Zoe Acme' })
    const page = await admin.at(`${area}?search=${encodeURIComponent('zoe acme')}`)
    expect(page).to.show('Zoe Acme')
    await people
      .clone()
      .where({ email: whoIs('approver').email })
      .update({ name: 'Anna Zoe Acme' })
    const both = await admin.at(`${area}?search=${encodeURIComponent('Zoe Acme')}`)
    expect(both.text.indexOf('>Zoe Acme<')).to.be.below(both.text.indexOf('>Anna Zoe Acme<'))

    expect(await admin.at(area)).to.show(`href="${area}/invite"`, 'is signed out on all devices')
    expect(await admin.at(`${area}/invite?search=acme`)).to.show('Invite someone at Acme Bakery')
    expect(await admin.at(`${area}/invite?search=nobody-like-this`)).to.show('The CRM has no client with this name')
    expect(await admin.at(`${area}/invite`)).to.not.show('The CRM has no client')
  })
})
