import { expect } from 'chai'
import { leave, open, whoIs } from '../../test/visit.ts'
import { nameProblem } from './names.ts'

const hostile = [
  'https://evil.example/prize',
  'Win: http://evil.example',
  'www.evil.example',
  'Jo evil.example',
  'bit.ly/x',
  'evil。example',
  'evil．example',
  'jo@evil.example',
  '192.168.0.1',
  'Jo\r\nBcc: all@x.example',
  'Jo\u0007',
  'Jo\u202Egnp.exe',
  'Jo\u200BVos',
]
const refused = 'Enter only a name, without a web or e-mail address.'

describe('a person’s name', () => {
  afterEach(leave)

  it('is what people are called, and no address of anything', () => {
    for (const name of hostile) expect(nameProblem(name), JSON.stringify(name)).to.equal(refused)
    for (const name of [
      'Jo Vos',
      'Łuc, O’Dell',
      'M.Carmen López',
      'J. R. R. Tolkien Jr.',
      'Dr. St. John-Smythe (Sales/Marketing)',
      'Acme S.A.',
      '李小龍',
      'مریم می‌رود',
      'Μαρία-Ἑλένη',
      'N/A',
    ])
      expect(nameProblem(name), name).to.equal(undefined)
  })

  it('is validated wherever others get it by mail', async () => {
    const scene = await open({ mail: 'kept' })
    const [owner, admin, nobody] = [await scene.visit('owner'), await scene.visit('admin'), await scene.visit()]
    await admin.postAt('/settings/client-portal/sign-in', {
      'was.sign-in.registration': 'off',
      'sign-in.registration': 'on',
    })
    const email = 'jo@x.example'
    expect((await owner.post('/team/invitations', { name: 'Jo', email, role: 'viewer' })).status).to.equal(303)
    const { text } = await scene.mailTo(email)
    const invitation = /brightside(\/invitation\/\S+)/.exec(text)![1]!
    scene.mails.length = 0
    for (const name of ['https://evil.example', 'Jo www.evil.example']) {
      const typed = { name, email: 'stranger@x.example', role: 'viewer', code: 'x', password: 'kettle-marble-orbit-97' }
      for (const answer of [
        await owner.post('/team/invitations', typed),
        await admin.postAt('/settings/client-portal/people/invite/1', typed),
        await nobody.post('/register', typed),
        await nobody.post(invitation, typed),
      ])
        expect(answer).to.include({ status: 422 }).and.show(refused)
      const csv = `${name},stranger@x.example,Acme Bakery`
      const answer = await admin.agent.post('/settings/client-portal/people/import').field('text', csv)
      expect(answer).to.show(refused).and.not.show('will be invited')
    }
    expect(scene.mails).to.be.empty
  })
})

describe('invitations by a client', () => {
  afterEach(leave)

  it('are as many a day as one person, and one company, may send', async () => {
    const scene = await open({ mail: 'kept' })
    const owner = await scene.visit('owner')
    const invite = (who: typeof owner, name: string) =>
      who.post('/team/invitations', { name, email: `${name}@x.example`, role: 'viewer' })
    const used = (what: string, points: number) =>
      scene.owner('portal_jobs.limits').where('key', 'like', `${what}86400:%`).update({ points })
    expect((await invite(owner, 'a')).status).to.equal(303)
    expect(await used('inviter', 29)).to.equal(1)
    expect((await invite(owner, 'b')).status).to.equal(303)
    const late = await invite(owner, 'c')
    expect(late)
      .to.include({ status: 429 })
      .and.show('You’ve reached the limit of invitations for today.', 'Try again in 24 hours.')
    expect(late.text).to.include('value="c@x.example"')
    const { id } = await scene.owner('portal.client_invitations').first('id')
    expect(await owner.post(`/team/invitations/${id}`))
      .to.include({ status: 429 })
      .and.show('You’ve reached the limit of invitations')

    const member = {
      person_id: (
        await scene
          .owner('portal.client_users')
          .where({ email: whoIs('viewer').email })
          .first('id')
      ).id,
    }
    await scene.owner('portal.client_memberships').where(member).update({ role: 'admin' })
    const other = await scene.visit('viewer')
    expect((await invite(other, 'd')).status).to.equal(303)
    expect(await used('client', 100)).to.equal(1)
    expect(await invite(other, 'e'))
      .to.include({ status: 429 })
      .and.show('Your company has reached its limit of invitations for today.')
    expect((await scene.owner('portal.client_invitations')).length).to.equal(3)

    const admin = await scene.visit('admin')
    const typed = { name: 'F', email: 'f@x.example', role: 'viewer' }
    expect((await admin.postAt('/settings/client-portal/people/invite/1', typed)).status).to.equal(303)
  })
})
