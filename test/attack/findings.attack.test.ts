import { expect } from 'chai'
import { TOTP } from 'otpauth'
import { sha256 } from '../../src/evidence/canonical.ts'
import { person as guest, share } from '../links.ts'
import { until } from '../until.ts'
import { leave, open, type Role, type Scene, type Visitor, whoIs } from '../visit.ts'

const settings = '/settings/client-portal'
const planted = 'kettle-marble-orbit-97-fern'
const portal = '/portal/brightside'

/** What attackers once managed, tried again the whole way: by HTTP, with accounts of the demo's, and nothing else. */
describe('an attacker', () => {
  let scene: Scene

  beforeEach(async () => {
    scene = await open({ mail: 'kept' })
  })

  afterEach(leave)

  it('cannot enter an account, or set a password or codes, by inviting it elsewhere', async () => {
    const owner = await scene.visit('owner')
    await withApp(scene, owner)
    await scene
      .owner('portal.client_users')
      .where({ email: whoIs('owner').email })
      .update({ password_hash: null })
    const neighbour = await scene.visit('neighbour')
    await neighbour.post('/team/invitations', { name: 'Nadia', email: whoIs('owner').email, role: 'admin' })
    const path = await linkIn(scene, whoIs('owner').email, 'invitation')

    const thief = await scene.visit()
    const form = { name: 'Nadia', password: planted }
    for (const address of [path, `${path}/membership`, `${path}/renewal`]) await thief.post(address, form)
    for (const address of ['/account', '/', '/account/second-factor', '/team', '/invoices'])
      expect((await thief.get(address)).status, address).to.equal(303)
    expect((await thief.post('/account/second-factor/recovery-codes')).status).to.equal(303)
    expect((await accountOf(scene, 'owner')).password_hash).to.equal(null)
    expect((await thief.post('/sign-in', { email: whoIs('owner').email, password: planted })).status).to.equal(422)
  })

  it('who is suspended and has another address now gets no code by a public link', async () => {
    await scene.owner('portal.client_memberships').update({ contact_id: null })
    const viewer = await scene.visit('viewer')
    await viewer.post('/account/address', { email: 'ilse@home.example', current: whoIs('viewer').password })
    await viewer.post(await linkIn(scene, 'ilse@home.example', 'address'))
    const { id } = await scene.owner('portal.client_users').where({ email: 'ilse@home.example' }).first('id')
    await (await scene.visit('admin')).postAt(`${settings}/people/${id}/suspension`, { suspended: 'on' })

    const browser = await guest(scene)
    const here = (await browser.get((await share(scene)).path)).headers.location!
    const asked = { 'step-up.show': 'code', 'step-up.email': whoIs('viewer').email }
    await browser.postAt(here.replace(/\/proposals\/.*/, '/code'), asked)
    await browser.postAt(`${here}/acceptance`, asked)
    const codes = await scene.owner('portal.client_outbox').where({ kind: 'links.code' }).whereNot('recipient', '')
    expect(codes).to.be.empty
    const signed = await browser.postAt(`${here}/acceptance`, await signing(await scene.visit('owner'), here))
    expect(signed.status).to.be.oneOf([403, 404])
    expect(await scene.owner('portal.client_signatures')).to.be.empty
  })

  it('with the portal’s database role makes /verify vouch for no PDF of their own', async () => {
    const owner = await scene.visit('owner')
    const document = await proposalOf(scene)
    await owner.post(`/proposals/${document}/acceptance`, await signing(owner, `${portal}/proposals/${document}`))
    const row = await until(() => scene.owner('portal.client_signatures').whereNotNull('sealed').first())
    const forged = Buffer.concat([Buffer.from('%PDF-1.7 forged '), row.sealed.subarray(20)])
    for (const change of [
      { sealed: forged, sealed_hash: sha256(forged) },
      { sealed: null, sealed_hash: null, sealed_at: null },
      { evidence: row.evidence.replace('Nadia', 'Mallory') },
      { signer: 'Mallory' },
    ])
      expect(await asPortal(scene, tx => tx('portal.client_signatures').update(change))).to.match(
        /written once|permission denied/,
      )
    expect(await asPortal(scene, tx => tx('portal.client_seals').update({ sha256: sha256(forged) }))).to.include(
      'permission denied',
    )
    const copy = {
      ...row,
      id: '01a20000-0000-7000-8000-000000000001',
      sequence: 99,
      sealed: forged,
      sealed_hash: sha256(forged),
    }
    expect(await asPortal(scene, tx => tx('portal.client_signatures').insert(copy))).to.include('Error')
    const verify = (pdf: Buffer) =>
      owner.agent.post(`${portal}/verify`).attach('file', pdf, { filename: 'a.pdf', contentType: 'application/pdf' })
    expect(await verify(row.sealed)).to.show('This is exactly the document that was signed')
    expect(await verify(forged)).to.not.show('This is exactly the document that was signed')
  })

  it('comes back by no invitation from before a removal, and takes the last admin’s role by none', async () => {
    const owner = await scene.visit('owner')
    const { email } = whoIs('member')
    await owner.post('/team/invitations', { name: 'Youssef', email, role: 'member' })
    const path = await linkIn(scene, email, 'invitation')
    const member = await scene.visit('member')
    await owner.post(`/team/${(await accountOf(scene, 'member')).id}/removal`)
    for (const address of [path, `${path}/membership`])
      expect((await member.post(address, { name: 'Youssef', password: planted })).status, address).to.equal(410)
    expect((await member.get('/account')).status).to.equal(303)

    const admin = await scene.visit('admin')
    const invited = { email: whoIs('owner').email, name: 'Nadia', role: 'viewer', client: '1' }
    await admin.postAt(`${settings}/people/invite/1`, invited)
    const [row] = await scene.owner('portal.client_invitations').where({ email: invited.email })
    if (row) await owner.post(`${await linkIn(scene, invited.email, 'invitation')}/membership`)
    expect(await owner.get('/team')).to.show('Invite')
    const { id } = await accountOf(scene, 'owner')
    expect((await owner.post('/team/roles', { [`role.${id}`]: 'viewer' })).status).to.equal(422)
    expect((await owner.post(`/team/${id}/removal`)).status).to.equal(422)
    const membership = await scene.owner('portal.client_memberships').where({ person_id: id, client_id: '1' }).first()
    expect(membership.role).to.equal('admin')
  })

  it('gets nothing signed that was swapped after it was shown', async () => {
    const owner = await scene.visit('owner')
    const document = await proposalOf(scene)
    const form = await signing(owner, `${portal}/proposals/${document}`)
    const { storage_key } = await scene.owner('documents').where({ file_name: 'Mood board.jpg' }).first()
    await scene.owner('documents').where({ file_name: 'Planning, winter.pdf' }).update({ storage_key })
    expect((await owner.post(`/proposals/${document}/acceptance`, form)).status).to.equal(409)
    expect(await scene.owner('portal.client_signatures')).to.be.empty
  })

  it('with the password alone changes nothing about a second factor', async () => {
    const owner = await scene.visit('owner')
    await withApp(scene, owner)
    await scene.pass(11)
    const account = '/account/second-factor'
    const before = await scene.owner('portal.client_factors').orderBy('id')
    for (const path of [
      account,
      `${account}/removal`,
      `${account}/recovery-codes`,
      `${account}/confirmation`,
      '/account/passkeys',
    ])
      for (const proof of [
        { 'step-up.by': 'password', 'step-up.password': whoIs('owner').password },
        { 'step-up.show': 'code' },
        {},
      ])
        await owner.post(path, { ...proof, code: '000000', name: 'x', credential: '{}' })
    expect(await scene.owner('portal.client_factors').orderBy('id')).to.deep.equal(before)
  })

  it('guesses a mailed code ten times in an hour, however many are asked for', async () => {
    const thief = await scene.visit()
    let wrong = 0
    for (let mail = 0; mail < 3; mail++) {
      const asked = await thief.post('/sign-in/code', { email: whoIs('billing').email })
      for (let guess = 0; guess < 5; guess++) {
        const address = asked.headers.location!.replace(portal, '')
        if ((await thief.post(address, { code: String(100_000 + wrong) })).status === 422) wrong++
      }
    }
    expect(wrong).to.be.at.most(10)
  })

  it('mails strangers no address of theirs as a name, and not as many as they like', async () => {
    const owner = await scene.visit('owner')
    const invite = (name: string, at: number) =>
      owner.post('/team/invitations', { name, email: `stranger${at}@else.example`, role: 'viewer' })
    for (const name of [
      'Win at evil.example/prize',
      'https://evil.example',
      'evil.example',
      'www.evil.example now',
      'ｅｖｉｌ.example',
    ])
      expect((await invite(name, 0)).status, name).to.equal(422)
    expect(scene.mails.filter(it => it.to.includes('stranger'))).to.be.empty
    let sent = 0
    for (let at = 1; at <= 40; at++) if ((await invite('A Colleague', at)).status === 303) sent++
    expect(sent).to.be.within(5, 30)
  })

  it('reads no figures through a proxy, and sends no form from another scheme', async () => {
    const nobody = await scene.visit()
    const figures = () => nobody.agent.get('/portal/-/metrics')
    expect((await figures()).status).to.equal(200)
    for (const header of ['X-Forwarded-For', 'X-Real-IP', 'Forwarded', 'Via', 'X-Forwarded-Host'])
      expect((await figures().set(header, '10.0.0.1')).status, header).to.equal(404)
    const owner = await scene.visit('owner')
    for (const origin of [
      'http://crm.example',
      'https://crm.example.evil.example',
      'null',
      'https://crm.example:8443',
      'file://',
    ])
      expect((await owner.post('/account/preferences').set('Origin', origin)).status, origin).to.equal(403)
  })

  it('writes no formula into a spreadsheet of the staff’s', async () => {
    const owner = await scene.visit('owner')
    const formulas = ['=HYPERLINK("http://evil.example")', '+1;=2', '＝1+1', '@SUM(1)', '-1+1']
    for (const name of formulas) {
      await scene
        .owner('portal.client_users')
        .where({ email: whoIs('owner').email })
        .update({ name })
      await owner.post('/account/preferences', { language: 'en-GB' })
      await owner.post(`/proposals/${await proposalOf(scene)}/comments`, { text: 'Hello?' })
    }
    const { text } = await (await scene.visit('admin')).at(`${settings}/activity.csv`)
    expect(text).to.include('HYPERLINK')
    expect(text).to.not.match(/(?:^|[,;"\n])[=+@＝＋＠]/m)
  })

  it('takes no file from outside of the CRM’s folder', async () => {
    const owner = await scene.visit('owner')
    const document = await proposalOf(scene)
    const { attachments } = (await owner.api(`/proposals/${document}`)).body.proposal
    for (const storage_key of [
      '../../../package.json',
      '/etc/passwd',
      '..\\..\\package.json',
      '1/1/../../../../package.json',
      '1/1/\n',
    ]) {
      await scene.owner('documents').where({ id: attachments[0].id }).update({ storage_key })
      const answer = await owner.get(`/proposals/${document}/attachments/${attachments[0].id}`)
      expect(answer.status, storage_key).to.be.within(400, 599)
      expect(answer.text ?? '').to.not.match(/root:|"dependencies"/)
    }
    for (const id of ['..%2f..%2fpackage.json', '%2e%2e%2f', '....//'])
      expect((await owner.get(`/proposals/${document}/attachments/${id}`)).status).to.equal(404)
  })

  it('who reads somebody’s mail once chooses no password that is their name', async () => {
    const nobody = await scene.visit()
    await nobody.post('/forgot-password', { email: whoIs('owner').email })
    const path = await linkIn(scene, whoIs('owner').email, 'reset-password')
    for (const password of ['Nadia El-Khoury', 'nadia@acmebakery.example', 'Acme Bakery', 'contraseña1', 'Brightside'])
      expect((await nobody.post(path, { password })).status, password).to.equal(422)
  })
})

/** Sets up an authenticator app, by the pages for it. */
async function withApp(scene: Scene, who: Visitor) {
  await who.post('/account/second-factor')
  const { text } = await who.get('/account/second-factor')
  const secret = /secret=([A-Z2-7]+)/.exec(text)![1]!
  const code = new TOTP({ secret }).generate({ timestamp: scene.now().getTime() })
  expect((await who.post('/account/second-factor/confirmation', { code })).status).to.equal(200)
}

const accountOf = ({ owner }: Scene, role: Role) =>
  owner('portal.client_users')
    .where({ email: whoIs(role).email })
    .first()

const proposalOf = async ({ owner }: Scene): Promise<string> =>
  String((await owner('proposals').where({ ref_no: 'P-2026-031', client_id: 1 }).first('id')).id)

/** What the page of an acceptance would send, for the document at this address. */
async function signing(who: Visitor, address: string) {
  const [, id] = /proposals\/(\d+)/.exec(address)!
  const { body } = await who.api(`/proposals/${id}/acceptance`)
  return { seen: body.seen, agree: 'on', how: 'typed', typed: 'Nadia El-Khoury' }
}

/** The newest mailed link of this kind, within the portal of the workspace. */
async function linkIn({ mails }: Scene, to: string, kind: string): Promise<string> {
  const pattern = new RegExp(`brightside(/${kind}/[\\w-]+)`)
  const mail = await until(() => mails.findLast(it => it.to === to && pattern.test(it.text)))
  return pattern.exec(mail.text)![1]!
}

/** With the role that the portal itself has in the database; gives the error's words. */
const asPortal = ({ database }: Scene, work: (tx: Scene['database']) => PromiseLike<unknown>) =>
  database
    .transaction(async tx => {
      await tx.raw(`select set_config('portal.workspace_id', '1', true), set_config('portal.client_id', '', true)`)
      await work(tx)
    })
    .then(
      () => 'nothing stopped it',
      error => `${error.name} Error ${error.message}`,
    )
