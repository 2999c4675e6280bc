import { expect } from 'chai'
import { within } from '../../src/platform/database.ts'
import { tellChange, tellSignal } from '../../src/platform/events.ts'
import { caughtUp, closeServers, type Ear, hear, listening } from '../../test/listening.ts'
import { until } from '../../test/until.ts'
import { leave, open, type Role, type Scene, type Visitor, whoIs } from '../../test/visit.ts'

const settings = '/settings/client-portal'
const file = Buffer.from('%PDF-1.7\n%%EOF\n')

const upload = (who: Visitor, name = 'plan.pdf') =>
  who.agent.post(`/portal/${who.person!.workspace}/documents`).attach('files', file, { filename: name })

const share = (admin: Visitor) =>
  admin.agent.post(`${settings}/documents/clients/1`).attach('files', file, { filename: 'from-us.pdf' })

/** Listens as a page of the settings does. */
const staffEar = (origin: string, who: Visitor, asked = 'of=documents') =>
  hear(`${origin}${settings}/live?${asked}`, who.cookie)

/** Listens as a page of clients does. */
const clientEar = (origin: string, who: Visitor, asked = 'of=documents') =>
  hear(`${origin}/portal/${who.person!.workspace}/live?${asked}`, who.cookie)

/** The admin of the other workspace of the demo. */
async function otherAdmin(it: Scene): Promise<Visitor> {
  const visitor = await it.visit()
  const { email, password } = { email: 'priya@ledgerline.example', password: 'powerful-bakeware-steel-order-958' }
  const { headers } = await visitor.postAt('/login', { email, password })
  const cookies = [headers['set-cookie'] ?? []].flat().map(one => one.split(';')[0])
  return { ...visitor, cookie: cookies.join('; ') }
}

const scopeOf = async ({ owner }: Scene, role: Role) => {
  const found = await owner('portal.client_users as u')
    .join('portal.client_memberships as m', 'm.person_id', 'u.id')
    .where({ 'u.email': whoIs(role).email })
    .first('m.workspace_id as workspace', 'm.client_id as client', 'u.id as person', 'u.name as name')
  return found as { workspace: string; client: string; person: string; name: string }
}

describe('an open page of staff', function () {
  this.timeout(60_000)
  afterEach(async () => {
    closeServers()
    await leave()
  })

  it('is told of what every client of the workspace did, on this instance and on another', async () => {
    const one = await open()
    const two = await open({ on: one })
    const [admin, owner, neighbour] = await Promise.all([
      one.visit('admin'),
      two.visit('owner'),
      one.visit('neighbour'),
    ])
    const here = await staffEar(await listening(one.app), admin)
    const there = await staffEar(await listening(two.app), admin)
    expect(here.status).to.equal(200)
    expect(here.headers.get('content-type')).to.equal('text/event-stream; charset=utf-8')

    expect((await upload(owner)).status).to.equal(303)
    await Promise.all([here.told(1), there.told(1)])
    expect((await upload(neighbour)).status).to.equal(303)
    await Promise.all([here.told(2), there.told(2)])
    expect((await share(admin)).status).to.equal(303)
    expect(await here.told(3)).to.deep.equal(['documents', 'documents', 'documents'])
  })

  it('is told of one record by its id', async () => {
    const it = await open()
    const [admin, owner] = await Promise.all([it.visit('admin'), it.visit('owner')])
    await upload(owner)
    const [document] = (await owner.api('/documents?search=plan')).body.items
    const its = await staffEar(await listening(it.app), admin, `of=documents/${document.id}`)
    await upload(owner, 'other.pdf')
    await owner.post(`/documents/${document.id}/removal`)
    expect(await its.told(1)).to.deep.equal([`documents/${document.id}`])
    await caughtUp(it.owner, [its], document)
    expect(its.heard).to.have.length(1)
  })

  it('is for admins of the workspace alone, and for topics of live sections', async () => {
    const it = await open()
    const [admin, colleague, owner] = await Promise.all([it.visit('admin'), it.visit('colleague'), it.visit('owner')])
    const origin = await listening(it.app)
    expect((await staffEar(origin, colleague)).status).to.equal(403)
    for (const who of ['', owner.cookie]) {
      const its = await hear(`${origin}${settings}/live?of=documents`, who)
      // The CRM's own answer: its sign-in.
      expect([its.status, its.headers.get('location')]).to.deep.equal([303, '/login'])
    }
    for (const asked of ['of=invoices', 'of=nothing', 'of=../x', '', 'of=documents%00', 'of=documents&'.repeat(9)])
      expect((await staffEar(origin, admin, asked)).status, asked).to.equal(404)
    expect((await admin.agent.head(`${settings}/live?of=documents`)).status).to.equal(200)
    expect((await clientEar(origin, admin)).status).to.equal(401)
  })

  it('is told nothing of another workspace, and not that somebody looked', async () => {
    const it = await open()
    const [admin, other] = [await it.visit('admin'), await otherAdmin(it)]
    const [owner, stranger] = await Promise.all([it.visit('owner'), it.visit('stranger')])
    const origin = await listening(it.app)
    const [ours, theirs] = [await staffEar(origin, admin), await staffEar(origin, other)]
    expect([ours.status, theirs.status]).to.deep.equal([200, 200])
    expect((await upload(stranger)).status).to.equal(303)
    await theirs.told(1)
    await caughtUp(it.owner, [ours])
    expect(ours.heard).to.deep.equal([])
    await upload(owner)
    await ours.told(1)
    const [first] = (await owner.api('/documents')).body.items
    await owner.get(`/documents/${first.id}`)
    await owner.get(`/documents/${first.id}/content`)
    const looks = it.owner('portal.client_activity_logs').whereIn('event', ['documents.viewed', 'documents.downloaded'])
    await until(async () => (await looks.clone()).length === 2)
    await caughtUp(it.owner, [ours, theirs])
    expect([ours.heard, theirs.heard]).to.deep.equal([['documents'], ['documents']])
  })

  it('ends when the flag goes off, and when the instance stops; others go on', async () => {
    let on = true
    const flags = { enabledAnywhere: () => true, enabled: (slug: string) => on || slug !== 'brightside' }
    const it = await open({ flags })
    const [admin, other] = [await it.visit('admin'), await otherAdmin(it)]
    const origin = await listening(it.app)
    const [ours, theirs] = [await staffEar(origin, admin), await staffEar(origin, other)]
    on = false
    await until(() => ours.ended)
    expect((await staffEar(origin, admin)).status).to.equal(404)
    expect(theirs.ended).to.equal(false)
    it.portal.retire()
    await until(() => theirs.ended)
    expect((await staffEar(origin, other)).status).to.equal(503)
  })

  it('ends within a minute, so that the CRM is asked again who this is', async () => {
    let on = true
    const flags = { enabledAnywhere: () => true, enabled: (slug: string) => on || slug === 'brightside' }
    const it = await open({ flags })
    const origin = await listening(it.app)
    const [its, other] = [await staffEar(origin, await it.visit('admin')), await staffEar(origin, await otherAdmin(it))]
    const { now } = Date
    try {
      Date.now = () => now() + 45_000
      // It is looked at both at once.
      on = false
      await until(() => other.ended)
      await caughtUp(it.owner, [its])
      expect(its.ended).to.equal(false)
      Date.now = () => now() + 59_000
      await until(() => its.ended)
    } finally {
      Date.now = now
    }
  })

  it('hears of what happened before it listened, but not of what this person did', async () => {
    const it = await open()
    const [admin, owner, stranger] = await Promise.all([it.visit('admin'), it.visit('owner'), it.visit('stranger')])
    const origin = await listening(it.app)
    const missed = async () => {
      const its = await staffEar(origin, admin, `of=documents&since=${it.now().getTime()}`)
      await caughtUp(it.owner, [its])
      its.close()
      return its.heard
    }
    await share(admin)
    await upload(stranger)
    expect(await missed()).to.deep.equal([])
    await upload(owner)
    expect(await missed()).to.deep.equal(['documents'])
  })

  it('does not end when what clients may see changes, and is one of five', async () => {
    const it = await open()
    const [admin, owner] = await Promise.all([it.visit('admin'), it.visit('owner')])
    const origin = await listening(it.app)
    const ears: Ear[] = []
    for (let at = 0; at < 5; at++) ears.push(await staffEar(origin, admin))
    expect(ears.map(its => its.status)).to.deep.equal([200, 200, 200, 200, 200])
    expect((await staffEar(origin, admin)).status).to.equal(429)
    expect((await clientEar(origin, owner)).status).to.equal(200)
    ears[0]!.close()
    await until(async () => (await staffEar(origin, admin)).status === 200)

    const { person } = await scopeOf(it, 'viewer')
    const viewer = await clientEar(origin, await it.visit('viewer'))
    await admin.postAt(`${settings}/people/${person}/suspension`, { suspended: 'on' })
    await until(() => viewer.ended)
    await caughtUp(it.owner, ears.slice(1))
    expect(ears.slice(1).map(its => its.ended)).to.deep.equal([false, false, false, false])
  })

  it('is told alone of what is for staff alone', async () => {
    const one = await open()
    const two = await open({ on: one })
    const [admin, owner] = await Promise.all([one.visit('admin'), one.visit('owner')])
    const other = await otherAdmin(one)
    const origin = await listening(one.app)
    const [staff, elsewhere] = [await staffEar(origin, admin), await staffEar(origin, other)]
    const client = await clientEar(origin, owner)
    const { workspace, client: id } = await scopeOf(one, 'owner')
    const tell = (more: object) =>
      within(two.database, { workspace, client: id }, tx =>
        tellChange(tx, { workspace, client: id, section: 'documents', ...more }),
      )
    await tell({ to: 'staff' })
    await staff.told(1)
    await tell({})
    await client.told(1)
    await caughtUp(one.owner, [staff, client, elsewhere])
    expect([staff.heard.length, client.heard.length, elsewhere.heard.length]).to.deep.equal([2, 1, 0])
  })
})

describe('a signal', function () {
  this.timeout(60_000)
  afterEach(async () => {
    closeServers()
    await leave()
  })

  it('is told to staff and to the client’s own people who listen, but not to whoever sent it', async () => {
    const one = await open()
    const two = await open({ on: one })
    const roles: Role[] = ['owner', 'member', 'neighbour', 'stranger']
    const visitors = await Promise.all(roles.map(role => one.visit(role)))
    const [admin, other] = [await one.visit('admin'), await otherAdmin(one)]
    const [origin, second] = [await listening(one.app), await listening(two.app)]
    await upload(visitors[0]!)
    const [{ id }] = (await visitors[0]!.api('/documents?search=plan')).body.items
    const [owner, member, neighbour, stranger] = await Promise.all(
      visitors.map((who, at) => clientEar(at % 2 ? second : origin, who)),
    )
    const onRecord = await clientEar(second, visitors[1]!, `of=documents/${id}`)
    const [staff, theirs] = [await staffEar(second, admin), await staffEar(origin, other)]
    const all = [owner, member, neighbour, stranger, onRecord, staff, theirs] as Ear[]
    expect(all.map(its => its.status)).to.deep.equal(all.map(() => 200))

    const { workspace, client, person, name } = await scopeOf(one, 'owner')
    const where = { workspace, client, section: 'documents', id }
    await tellSignal(one.database, { ...where, by: { kind: 'client', id: person, name } })
    await until(() => [member, onRecord, staff].every(its => its!.signals.length === 1))
    expect(staff.signals).to.deep.equal([{ of: `documents/${id}`, name }])
    await caughtUp(one.owner, all, { id })
    expect(all.map(its => its.signals.length)).to.deep.equal([0, 1, 0, 0, 1, 1, 0])

    const { id: marta } = await one
      .owner('staff')
      .where({ email: whoIs('admin').email })
      .first('id')
    const long = `${'Márta '.repeat(20)}\0<b>`
    await tellSignal(two.database, { ...where, by: { kind: 'staff', id: String(marta), name: long } })
    await until(() => [owner, member, onRecord].every(its => its!.signals.at(-1)?.name === long.slice(0, 60)))
    await caughtUp(one.owner, all, { id })
    expect(all.map(its => its.signals.length)).to.deep.equal([1, 2, 0, 0, 2, 1, 0])

    // A person of the client may have the id that a member of staff has.
    await tellSignal(two.database, { ...where, by: { kind: 'client', id: String(marta), name: 'Other' } })
    await until(() => staff.signals.length === 2)
    await tellSignal(one.database, { ...where, id: 'another', by: { kind: 'staff', id: '0', name: 'Jonas' } })
    await until(() => staff.signals.at(-1)?.of === 'documents/another')
    expect(onRecord.signals).to.have.length(3)
    expect(all.flatMap(its => its.heard)).to.deep.equal([])
  })

  it('that is too long, or is none of ours, is told to nobody', async () => {
    const it = await open()
    const owner = await clientEar(await listening(it.app), await it.visit('owner'))
    const { workspace, client } = await scopeOf(it, 'owner')
    const where = { workspace, client, section: 'documents', id: '1' }
    const by = { kind: 'staff', id: '0', name: 'Jonas' } as const
    await tellSignal(it.database, { ...where, id: 'x'.repeat(9_000), by })
    for (const odd of [[], ['nobody', '1', 'x'], ['staff', 1, 'x'], ['staff', '1'], ['staff', '1', { a: 1 }]])
      await it.owner.raw(`select pg_notify('portal_live', ?)`, [
        JSON.stringify(['signal', workspace, client, 'documents', '1', ...odd]),
      ])
    await tellSignal(it.database, { ...where, by })
    await until(() => owner.signals.length > 0)
    expect(owner.signals).to.deep.equal([{ of: 'documents/1', name: 'Jonas' }])
  })
})
