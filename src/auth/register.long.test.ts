import { expect } from 'chai'
import { until } from '../../test/until.ts'
import { leave, open, type Scene, type Visitor, whoIs } from '../../test/visit.ts'
import { prune } from '../cli/prune.ts'

const settings = '/settings/client-portal'
const people = `${settings}/people`
const linkIn = (text: string) => /https:\/\/crm\.example\/portal\/brightside(\/\S+)/.exec(text)?.[1] ?? ''
const jo = { name: 'Jo Vos', email: 'jo@acmebakery.example' }

/** A workspace that allows access requests, and the code of Acme Bakery. */
async function allowed(scene: Scene) {
  const admin = await scene.visit('admin')
  const { id } = await scene.owner('public.clients').where({ company_name: 'Acme Bakery' }).first('id')
  await admin.postAt(`${settings}/sign-in`, { 'was.sign-in.registration': 'off', 'sign-in.registration': 'on' })
  const place = `${people}/invite/${id}`
  expect((await admin.postAt(`${place}/code`)).headers.location).to.equal(place)
  const codeNow = async () => />([A-Z2-9]{5}-[A-Z2-9]{5})</.exec((await admin.at(place)).text)![1]!
  return { admin, place, codeNow, code: await codeNow() }
}

const ask = (who: Visitor, form: object) => who.post('/register', form)

describe('asking for access', () => {
  afterEach(leave)

  it('by the customer code confirms the address, waits, and leads in when staff agree', async () => {
    const scene = await open({ mail: 'kept' })
    const { admin, code } = await allowed(scene)
    const nobody = await scene.visit()
    expect(await nobody.get('/sign-in')).to.show('Or ask for access')
    const answer = await ask(nobody, {
      ...jo,
      email: ' JO@acmebakery.example',
      code: ` ${code.toLowerCase().replace('-', ' ')}`,
    })
    expect(answer.headers.location).to.equal('/portal/brightside/register?sent')
    const path = linkIn((await scene.mailTo(jo.email)).text)
    expect(await admin.at(people)).to.not.show(jo.email)
    for (let at = 0; at < 2; at++) expect(await nobody.get(path)).to.show('for Acme Bakery, as jo@acmebakery.example')
    expect((await nobody.post(path)).headers.location).to.equal('/portal/brightside/register?confirmed')
    expect((await nobody.post(path)).status).to.equal(410)

    expect(await admin.at(people)).to.show('Access requests', 'Jo Vos', 'for Acme Bakery, address confirmed on')
    const { id } = await scene.owner('portal.client_registrations').first('id')
    scene.mails.length = 0
    const answers = await Promise.all(
      [1, 2].map(() => admin.postAt(`${people}/registrations/${id}/approval`, { role: 'billing' })),
    )
    expect(answers.map(it => it.status).sort()).to.deep.equal([303, 404])
    const door = linkIn((await scene.mailTo(jo.email)).text)
    expect((await nobody.post(door, { name: jo.name, password: 'lantern gravel otter teapot' })).status).to.equal(303)
    expect([(await nobody.get('/invoices')).status, (await nobody.get('/proposals')).status]).to.deep.equal([200, 403])
    expect(await admin.at(`${settings}/activity`)).to.show('asks for access for Acme Bakery, as jo@acmebakery.example')
  })

  it('looks alike with right and wrong codes, for known and unknown addresses, and mails no stranger', async () => {
    const scene = await open({ mail: 'kept' })
    const { code, codeNow, admin, place } = await allowed(scene)
    const nobody = await scene.visit()
    const answers = []
    for (const form of [
      { ...jo, code },
      { ...jo, email: 'a@stranger.example', code: 'WRONG-WRONG' },
      { ...jo, email: whoIs('owner').email, code },
      { ...jo, email: whoIs('owner').email, code: 'WRONG-WRONG' },
    ]) {
      const { status, text, headers } = await ask(nobody, form)
      answers.push([status, text, headers.location, Object.keys(headers).sort()])
    }
    for (const it of answers) expect(it).to.deep.equal(answers[0])
    expect(await scene.owner('portal.client_registrations').pluck('client_name')).to.have.members([
      'Acme Bakery',
      null,
      null,
    ])
    expect((await scene.mailTo(whoIs('owner').email)).subject).to.equal('You already have access')
    await scene.mailTo(jo.email)
    expect(scene.mails.map(it => it.to).sort()).to.deep.equal([jo.email, whoIs('owner').email].sort())

    await admin.postAt(`${place}/code`)
    expect(await codeNow()).to.not.equal(code)
    scene.mails.length = 0
    await ask(nobody, { ...jo, email: 'b@stranger.example', code })
    await ask(nobody, { ...jo, email: 'c@acmebakery.example', code: await codeNow() })
    await scene.mailTo('c@acmebakery.example')
    expect(scene.mails).to.have.length(1)
    const rows = JSON.stringify([
      await scene.owner('portal.client_registration_codes'),
      await scene.owner('portal.client_activity_logs'),
    ])
    expect(rows)
      .to.not.include((await codeNow()).replace('-', ''))
      .and.not.include(await codeNow())
  })

  it('may be refused, by mail; names missing fields; and is not found where it is not allowed', async () => {
    const scene = await open({ mail: 'kept' })
    const nobody = await scene.visit()
    for (const path of ['/register', '/register/x'])
      expect((await nobody.get(path)).headers.location, path).to.equal('/portal/brightside/sign-in')
    const { admin, code } = await allowed(scene)
    expect(await ask(nobody, { name: '<b>', email: 'nonsense', code: '' }))
      .to.include({ status: 422 })
      .and.show('Enter an e-mail address, like jo@example.com.', 'Enter the customer code.', 'value="&lt;b&gt;"')
    await ask(nobody, { ...jo, code })
    await nobody.post(linkIn((await scene.mailTo(jo.email)).text))
    const { id } = await scene.owner('portal.client_registrations').first('id')
    expect((await (await scene.visit('colleague')).postAt(`${people}/registrations/${id}/refusal`)).status).to.equal(
      403,
    )
    expect((await admin.postAt(`${people}/registrations/${id}/refusal`)).headers.location).to.equal(
      `${people}?done=refused`,
    )
    await until(async () => scene.mails.at(-1)?.subject === 'No access to the portal of Brightside Agency')
    expect(scene.mails.at(-1)).to.include({ to: jo.email, subject: 'No access to the portal of Brightside Agency' })
    expect(await scene.owner('portal.client_registrations')).to.be.empty
    expect(await scene.owner('portal.client_invitations')).to.be.empty
  })

  it('is forgotten after seven days without the address confirmed: by a job, and by portico prune', async () => {
    const scene = await open({ mail: 'kept' })
    const { code } = await allowed(scene)
    const nobody = await scene.visit()
    await ask(nobody, { ...jo, code })
    const path = linkIn((await scene.mailTo(jo.email)).text)
    const job = () => scene.owner('portal_jobs.job').where({ name: 'registrations' })
    const { start_after, created_on } = (await job())[0]
    expect((start_after - created_on) / 86_400_000).to.be.within(7, 7.01)
    await scene
      .owner('portal.client_registrations')
      .update({ created_at: scene.owner.raw(`portal.now() - interval '8 days'`) })
    expect((await nobody.get(path)).status).to.equal(410)

    await job().update({ start_after: new Date(0) })
    const again = await open({ on: scene, mail: 'kept' })
    await until(async () => !(await scene.owner('portal.client_registrations').first('id')))
    expect(await scene.owner('portal.client_registrations')).to.be.empty
    expect(again.log.filter(it => it.level === 'error')).to.be.empty

    await ask(nobody, { ...jo, code })
    await ask(nobody, { ...jo, email: 'kept@acmebakery.example', code })
    const old = scene.owner.raw(`portal.now() - interval '8 days'`)
    await scene.owner('portal.client_registrations').where({ email: jo.email }).update({ created_at: old })
    await scene.owner('portal.client_sessions').update({ expire: old })
    const said = await prune({ ownerUrl: scene.owner.client.config.connection, url: '' } as never)
    expect(said).to.match(/^Removed \d+ ended sessions, 0 links and codes that are over, 1 registrations/)
    expect(await scene.owner('portal.client_registrations').pluck('email')).to.deep.equal(['kept@acmebakery.example'])
  })
})
