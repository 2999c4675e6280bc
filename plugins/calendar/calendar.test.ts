import { expect } from 'chai'
import ICAL from 'ical.js'
import { leave, open, type Role, type Scene, type Visitor, whoIs } from '../../test/visit.ts'

const proof = (role: Role) => ({ 'step-up.by': 'password', 'step-up.password': whoIs(role).password })

/** Dates as a calendar program reads them. */
function read(text: string) {
  const calendar = new ICAL.Component(ICAL.parse(text))
  return calendar.getAllSubcomponents('vevent').map(it => {
    const event = new ICAL.Event(it)
    const url = String(it.getFirstPropertyValue('url'))
    return { day: event.startDate.toString(), isDate: event.startDate.isDate, text: event.summary, uid: event.uid, url }
  })
}

describe('a calendar', () => {
  let scene: Scene
  let on: boolean
  let owner: Visitor
  let nobody: Visitor
  beforeEach(async () => {
    on = true
    scene = await open({ mail: 'kept', flags: { enabledAnywhere: () => on, enabled: () => on } })
    ;[owner, nobody] = await Promise.all([scene.visit('owner'), scene.visit()])
  })
  afterEach(leave)

  /** Gives the path of the calendar. */
  const made = async (who = owner, role: Role = 'owner') => {
    const [, replaces] = /name="replaces" value="([^"]+)"/.exec((await who.get('/calendar')).text) ?? []
    const { text, status } = await who.post('/calendar', { ...proof(role), ...(replaces && { replaces }) })
    expect(status).to.equal(200)
    return /brightside(\/calendar-feed\/[\w-]{43}\/calendar\.ics)</.exec(text)![1]!
  }
  const dates = async (path: string) => {
    const { status, headers, text } = await nobody.get(path)
    expect(status).to.equal(200)
    expect(headers['content-type']).to.equal('text/calendar; charset=utf-8')
    return read(text)
  }
  const change = (name: string, value: unknown, more = {}) =>
    scene
      .owner('portal.client_portal_settings')
      .insert({ workspace_id: '1', name, value: JSON.stringify(value), changed_by: 'Marta', ...more })

  it('shows what is due, to be paid and to be answered; its address is shown once', async () => {
    const path = await made()
    const its = await dates(path)
    const { body } = await owner.api('/invoices?status=open')
    const due = body.items.map((it: { number: string; dueOn: string }) => `${it.dueOn} Invoice ${it.number} is due`)
    expect(due).to.not.be.empty
    expect(its.map(it => `${it.day} ${it.text}`)).to.include.members(due)
    expect(its.filter(it => /^Answer P-2026-027: ./.test(it.text))).to.not.be.empty
    const tasks = (await owner.api('/tasks?status=mine')).body.items.filter((it: { dueOn: string }) => it.dueOn)
    expect(its.map(it => it.text)).to.include.members(tasks.map((it: { title: string }) => it.title))
    expect(its.every(it => it.isDate && it.url.startsWith('https://crm.example/portal/brightside/'))).to.equal(true)
    expect(new Set(its.map(it => it.uid)).size).to.equal(its.length)
    const page = (await owner.get('/calendar')).text
    expect(page).to.include('Created on').and.not.include(path.split('/')[2])
    expect(JSON.stringify(await scene.owner('portal.client_calendars'))).to.not.include(path.split('/')[2])
    expect((await owner.get('/activity')).text).to.include('created an address for their calendar')
  })

  it('is made by the API too, which says the address once', async () => {
    const { body } = await owner.agent.post('/portal/brightside/api/v1/calendar')
    expect(body.address).to.match(/^https:\/\/crm\.example\/portal\/brightside\/calendar-feed\//)
    expect((await nobody.get(body.address.replace(/^.*brightside/, ''))).status).to.equal(200)
    expect((await owner.api('/calendar')).body).to.have.all.keys('since')
    expect((await owner.agent.post('/portal/brightside/api/v1/calendar')).status).to.equal(409)
  })

  it('is not made by a token, which has one client and its scopes', async () => {
    const made = await owner.post('/account/tokens', { name: 'A tool', days: '30', scopes: ['calendar.see'] })
    const [token] = /ptp_[\w-]+/.exec(made.text) ?? []
    expect(token, made.text.slice(0, 50)).to.be.a('string')
    const { status } = await nobody.agent
      .post('/portal/brightside/api/v1/calendar')
      .set('Authorization', `Bearer ${token}`)
    expect(status).to.equal(403)
    expect(await scene.owner('portal.client_calendars')).to.be.empty
  })

  it('shows no amounts, and nothing of other clients', async () => {
    const text = (await nobody.get(await made())).text
    expect(text).to.not.match(/€|\d+\.\d\d\b/)
    const other = await made(await scene.visit('neighbour'), 'neighbour')
    const [mine, theirs] = [read(text), await dates(other)]
    expect(theirs.map(it => it.uid).filter(it => mine.some(({ uid }) => uid === it))).to.be.empty
    const acme = await scene.owner('invoices').where({ client_id: 1 }).pluck('ref_no')
    for (const { text: shown } of theirs)
      expect(
        acme.some(it => shown.includes(it)),
        shown,
      ).to.equal(false)
  })

  it('shows each role what that role may see', async () => {
    await change('invoices', false)
    expect((await dates(await made())).filter(it => it.text.startsWith('Invoice'))).to.be.empty
    const viewer = await made(await scene.visit('viewer'), 'viewer')
    const its = await dates(viewer)
    expect(
      its.filter(it => /^Answer/.test(it.text)),
      'may not answer',
    ).to.be.empty
  })

  it('is not there for a wrong address, in another workspace, or once it has ended or been replaced', async () => {
    const path = await made()

    for (const odd of [`/calendar-feed/${'x'.repeat(43)}/calendar.ics`, '/calendar-feed/%00/calendar.ics'])
      expect((await nobody.get(odd)).status, odd).to.equal(404)
    expect((await nobody.agent.get(`/portal/harbor${path}`)).status).to.equal(404)
    const second = await made()
    expect((await nobody.get(path)).status).to.equal(404)
    expect((await nobody.get(second)).status).to.equal(200)
    const { headers } = await owner.post('/calendar', proof('owner'))
    expect(headers.location, 'a page that is sent again').to.match(/\/calendar$/)
    expect((await nobody.get(second)).status).to.equal(200)
    await owner.post('/calendar/end')
    expect((await nobody.get(second)).status).to.equal(404)
    expect((await owner.post('/calendar/end')).status).to.equal(303)
  })

  it('ends with a new password, a suspension, a contact who left, and while the portal is off', async () => {
    const { id } = await scene
      .owner('portal.client_users')
      .where({ email: whoIs('owner').email })
      .first('id')
    const user = () => scene.owner('portal.client_users').where({ id })
    let path = await made()
    const is = async (status: number, why: string) => expect((await nobody.get(path)).status, why).to.equal(status)
    await user().update({ suspended_at: '2026-11-01T10:00Z' })
    await is(404, 'suspended')
    await user().update({ suspended_at: null })
    await is(200, 'no longer')
    await change('portal', false, { client_id: '1' })
    await is(404, 'the portal is off for the client')
    await scene.owner('portal.client_portal_settings').where({ name: 'portal' }).delete()
    await change('calendar', false)
    await is(404, 'no calendars')
    await scene.owner('portal.client_portal_settings').where({ name: 'calendar' }).delete()
    on = false
    await is(404, 'flag off')
    on = true
    await is(200, 'on again')
    await user().update({ password_hash: 'another' })
    await is(404, 'a new password')
    await user().update({ password_hash: '' })
    await (await scene.visit('member')).get('/')
    path = await made(await scene.visit('member'), 'member')
    await is(200, 'the member’s')
    const contact = await scene
      .owner('portal.client_memberships as m')
      .join('portal.client_users as u', 'u.id', 'm.person_id')
      .where({ 'u.email': whoIs('member').email })
      .first('m.contact_id')
    await scene.owner('contacts').where({ id: contact.contact_id }).update({ left_on: '2026-11-01' })
    await is(404, 'left')
  })

  it('keeps what hostile titles contain in one value, in lines of 75 bytes', async () => {
    const title = `Check; this, \\n "quoted" 👍🏽 слово ${'long '.repeat(60)}`
    await scene.owner('tasks').update({ title: `${title.slice(0, 160)}\r\nBEGIN:VEVENT\r\nSUMMARY:injected` })
    const { text } = await nobody.get(await made())
    const its = read(text)
    expect(its.some(it => it.text.startsWith('Check; this, \\n "quoted" 👍🏽 слово long'))).to.equal(true)
    expect(its.some(it => it.text.startsWith('injected'))).to.equal(false)
    for (const line of text.split('\r\n')) expect(Buffer.byteLength(line), line).to.be.at.most(75)
    expect(text).to.not.match(/[^\r]\n/)
  })

  it('shows the first 500 of very many, and is not read all the time', async () => {
    await scene.owner.raw(
      `insert into tasks (client_id, title, due_on, for_client)
       select 1, 'Many ' || n, date '2027-01-01' + n % 300, true from generate_series(1, 10000) n`,
    )
    const path = await made()
    const its = (await dates(path)).filter(it => it.url.includes('/tasks/'))
    expect(its).to.have.length(500)
    const last = its.at(-1)!.day
    expect(its.filter(it => it.text.startsWith('Many')).every(it => it.day <= last && it.day < '2027-02-01')).to.equal(
      true,
    )
    await scene.owner('portal_jobs.limits').whereLike('key', 'calendar.read%').update({ points: 120 })
    const { status, headers } = await nobody.get(path)
    expect([status, headers['retry-after']]).to.deep.equal([429, '3600'])
  })

  it('is offered nowhere where the portal’s address is not known', async () => {
    const unknown = await open({ on: scene, address: undefined })
    const visitor = await unknown.visit('owner')
    expect((await visitor.get('/account')).text).to.not.include('Set up the calendar')
    expect((await visitor.get('/calendar')).status).to.equal(404)
    expect((await visitor.post('/calendar', proof('owner'))).status).to.equal(404)
  })

  it('needs a proof that it is them, and is asked for by their session alone', async () => {
    await scene.owner.raw(
      `update portal.client_sessions set sess = jsonb_set(sess::jsonb, '{verifications}', '[]')::json`,
    )
    expect(await owner.post('/calendar')).to.show('Confirm that it’s you')
    expect(await scene.owner('portal.client_calendars')).to.be.empty
    expect((await nobody.get('/calendar')).headers.location).to.match(/sign-in/)
  })
})
