import { expect } from 'chai'
import { liveHost } from '../../src/live/plugin.ts'
import { query } from '../../src/platform/database.ts'
import { toldEvents } from '../../src/platform/events.ts'
import { sections } from '../../src/plugin/discover.ts'
import { caughtUp, closeServers, hear, listening } from '../../test/listening.ts'
import { until } from '../../test/until.ts'
import { leave, open, type Role, type Visitor, whoIs } from '../../test/visit.ts'

const upload = (who: Visitor, name = 'plan.pdf') =>
  who.agent.post('/portal/brightside/documents').attach('files', Buffer.from('%PDF-1.7\n%%EOF\n'), { filename: name })

const settings = '/settings/client-portal'

describe('an open page', function () {
  this.timeout(60_000)
  afterEach(async () => {
    closeServers()
    await leave()
  })

  /** Listens as this person does on the page of documents. */
  const ear = (origin: string, who: Visitor, asked = 'of=documents') =>
    hear(`${origin}/portal/${who.person!.workspace}/live?${asked}`, who.cookie)

  it('is told of what a colleague did, on this instance and on another', async () => {
    const one = await open()
    const two = await open({ on: one })
    const [owner, member, admin] = await Promise.all([one.visit('owner'), two.visit('member'), one.visit('admin')])
    const here = await ear(await listening(one.app), owner)
    const there = await ear(await listening(two.app), owner)
    expect(here.status).to.equal(200)
    expect(Object.fromEntries(here.headers)).to.include({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    })

    expect((await upload(member)).status).to.equal(303)
    expect(await Promise.all([here.told(1), there.told(1)])).to.deep.equal([['documents'], ['documents']])

    const shared = admin.agent
      .post(`${settings}/documents/clients/1`)
      .attach('files', Buffer.from('%PDF-1.7\n%%EOF\n'), { filename: 'from-us.pdf' })
    expect((await shared).status).to.equal(303)
    await Promise.all([here.told(2), there.told(2)])
  })

  it('is told of one record by its id, and of none that the person cannot see', async () => {
    const it = await open()
    const [owner, neighbour] = await Promise.all([it.visit('owner'), it.visit('neighbour')])
    await upload(owner)
    const [document] = (await owner.api('/documents?search=plan')).body.items
    const origin = await listening(it.app)
    const its = await ear(origin, owner, `of=documents/${document.id}`)
    await upload(owner, 'other.pdf')
    await owner.post(`/documents/${document.id}/removal`)
    expect(await its.told(1)).to.deep.equal([`documents/${document.id}`])
    await caughtUp(it.owner, [its], document)
    expect(its.heard).to.have.length(1)

    const [other] = (await owner.api('/documents?search=other')).body.items
    for (const asked of [`of=documents/${other.id}`, 'of=invoices', 'of=nothing', 'of=../x', '', 'of=documents%00'])
      expect((await ear(origin, neighbour, asked)).status, asked).to.equal(404)
    const nobody = await hear(`${origin}/portal/brightside/live?of=documents`, '')
    expect(nobody.status).to.equal(401)
    expect((await ear(origin, owner, `${'of=documents&'.repeat(9)}`)).status).to.equal(404)
  })

  it('is told nothing of another client, nor of another workspace, nor that somebody looked', async () => {
    const it = await open()
    const roles: Role[] = [
      'owner',
      'approver',
      'billing',
      'member',
      'viewer',
      'twofold',
      'neighbour',
      'newcomer',
      'busy',
    ]
    const cast = [...roles, 'stranger' as Role]
    const visitors = await Promise.all(cast.map(role => it.visit(role)))
    const origin = await listening(it.app)
    const ears = await Promise.all(visitors.map(who => ear(origin, who)))
    expect(ears.map(its => its.status)).to.deep.equal(cast.map(() => 200))
    const clientOf = (at: number) => `${visitors[at]!.person!.workspace} ${visitors[at]!.person!.client}`

    for (const [at, who] of visitors.entries()) {
      const before = ears.map(its => its.heard.length)
      const home = `/portal/${who.person!.workspace}/documents`
      const sent = who.agent.post(home).attach('files', Buffer.from('%PDF-1.7\n%%EOF\n'), { filename: 'plan.pdf' })
      const { status } = await sent
      await who.get('/documents')
      if (status === 303) await ears[at]!.told(before[at]! + 1)
      await caughtUp(it.owner, ears)
      for (const [other, its] of ears.entries())
        expect(its.heard.length - before[other]!, `${cast[at]} to ${cast[other]}`).to.equal(
          status === 303 && clientOf(other) === clientOf(at) ? 1 : 0,
        )
    }

    const before = ears.map(its => its.heard.length)
    const [first] = (await visitors[0]!.api('/documents')).body.items
    await visitors[0]!.get(`/documents/${first.id}`)
    await visitors[0]!.get(`/documents/${first.id}/content`)
    const looks = it.owner('portal.client_activity_logs').whereIn('event', ['documents.viewed', 'documents.downloaded'])
    await until(async () => (await looks.clone()).length === 2)
    await caughtUp(it.owner, ears)
    expect(ears.map(its => its.heard.length)).to.deep.equal(before)
  })

  it('stops listening when the person signs out, is suspended, or may see less', async () => {
    let on = true
    const flags = { enabledAnywhere: () => true, enabled: (slug: string) => on || slug !== 'brightside' }
    const it = await open({ flags, checkEvery: 0.5 })
    const admin = await it.visit('admin')
    const origin = await listening(it.app)
    const client = whoIs('owner').client!
    const ofClient = { client_name: client }
    const idOf = async (role: Role) =>
      (
        await it
          .owner('portal.client_users')
          .where({ email: whoIs(role).email })
          .first('id')
      ).id

    const ends = async (why: string, role: Role, act: (who: Visitor) => Promise<unknown>) => {
      const who = await it.visit(role)
      const its = await ear(origin, who)
      expect(its.status, why).to.equal(200)
      await caughtUp(it.owner, [its])
      expect(its.ended, why).to.equal(false)
      await act(who)
      await until(() => its.ended)
    }
    await ends('signed out', 'viewer', who => who.post('/sign-out'))
    await ends('suspended', 'viewer', async () =>
      admin.postAt(`${settings}/people/${await idOf('viewer')}/suspension`, { suspended: 'on' }),
    )
    await ends('another role', 'member', async () =>
      it
        .owner('portal.client_memberships')
        .where({ ...ofClient, person_id: await idOf('member') })
        .update({ role: 'viewer' }),
    )
    await ends('removed', 'member', async () =>
      it
        .owner('portal.client_memberships')
        .where({ ...ofClient, person_id: await idOf('member') })
        .delete(),
    )
    await ends('switched off', 'billing', () =>
      it
        .owner('portal.client_portal_settings')
        .insert({ workspace_id: '1', name: 'documents', value: 'false', changed_by: 'a test' }),
    )
    await it.owner('portal.client_portal_settings').where({ name: 'documents' }).delete()

    const neighbour = await it.visit('neighbour')
    const elsewhere = await ear(origin, await it.visit('stranger'))
    await ends('the flag', 'owner', async () => {
      on = false
    })
    expect((await ear(origin, neighbour)).status).to.equal(404)
    expect(elsewhere.ended).to.equal(false)
  })

  it('asks nothing of the database while the flag is off, and no connection stays', async () => {
    let on = true
    const it = await open({ flags: { enabledAnywhere: () => on, enabled: () => on } })
    const owner = await it.visit('owner')
    const its = await ear(await listening(it.app), owner)
    expect(its.status).to.equal(200)
    const listeners = async () =>
      (await it.owner('pg_stat_activity').where({ datname: it.name }).whereILike('query', 'listen%')).length
    expect(await listeners()).to.equal(1)
    on = false
    await until(() => its.ended)
    await until(async () => (await listeners()) === 0)
  })

  it('hears of what it may have missed after the database was away, and of what happened before it listened', async () => {
    const it = await open()
    const [owner, member] = await Promise.all([it.visit('owner'), it.visit('member')])
    const origin = await listening(it.app)
    const since = it.now().getTime()
    const its = await ear(origin, owner)
    await query(it.owner, {
      text: `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and query ilike 'listen%'`,
      values: [it.name],
    })
    expect(await its.told(1)).to.deep.equal(['documents'])
    await upload(member)
    await its.told(2)

    const late = await ear(origin, owner, `of=documents&since=${since}`)
    expect(await late.told(1)).to.deep.equal(['documents'])
    const own = await ear(origin, member, `of=documents&since=${since}`)
    await caughtUp(it.owner, [own])
    expect(own.heard).to.deep.equal([])
  })

  it('does not prolong the session, nor does what it asks for by itself', async () => {
    const it = await open()
    const owner = await it.visit('owner')
    const origin = await listening(it.app)
    const expiry = async () =>
      (await it.owner('portal.client_sessions').whereNotNull('person_id').first('expire')).expire
    const before = await expiry()
    await it.pass(60)
    const [its, other] = [await ear(origin, owner), await ear(origin, owner)]
    its.close()
    await owner.get('/documents').set('X-Portico-Refresh', '1')
    it.portal.retire()
    await until(() => other.ended)
    expect(await expiry()).to.deep.equal(before)
    await owner.get('/documents')
    await until(async () => String(await expiry()) !== String(before))
  })

  it('is one of a few of a session, and others are refused with 429', async () => {
    const it = await open()
    const owner = await it.visit('owner')
    const origin = await listening(it.app)
    const ears = []
    for (let at = 0; at < 5; at++) ears.push(await ear(origin, owner))
    expect(ears.map(its => its.status)).to.deep.equal([200, 200, 200, 200, 200])
    expect((await ear(origin, owner)).status).to.equal(429)
    ears[0]!.close()
    await until(async () => (await ear(origin, owner)).status === 200)
  })

  it('goes on with another instance when this one stops', async () => {
    const it = await open()
    const owner = await it.visit('owner')
    const origin = await listening(it.app)
    const its = await ear(origin, owner)
    it.portal.retire()
    await until(() => its.ended)
    expect((await ear(origin, owner)).status).to.equal(503)
  })

  it('is told for staff too who view the portal as a client, and leaves no mark', async () => {
    const it = await open()
    const [admin, member] = await Promise.all([it.visit('admin'), it.visit('member')])
    const { id } = await it
      .owner('portal.client_users')
      .where({ email: whoIs('owner').email })
      .first('id')
    await admin.postAt(`${settings}/view`, { client: '1', person: id })
    const count = async () => Number((await it.owner('portal.client_activity_logs').count())[0]?.count)
    const before = await count()
    const its = await hear(`${await listening(it.app)}${settings}/view/1/${id}/live?of=documents`, admin.cookie)
    expect(its.status).to.equal(200)
    await upload(member)
    await its.told(1)
    expect(await count()).to.equal(before + 1)
  })

  it('is told of changes of live sections alone', () => {
    const [live, other] = [sections.find(it => it.live)!, sections.find(it => !it.live)!]
    for (const it of [live, other]) liveHost.add(it)
    expect(toldEvents()).to.include('documents.uploaded').and.not.include('documents.viewed')
    expect(toldEvents().filter(it => it.startsWith(`${other.name}.`))).to.deep.equal([])
  })
})
