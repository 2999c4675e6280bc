import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { unzipSync } from 'fflate'
import { adapter } from '../../demo/adapter/adapter.ts'
import { migrate } from '../../src/index.ts'
import { jobs } from '../../src/platform/jobs.ts'
import { root } from '../../src/platform/root.ts'
import { type Host, plugin } from '../../src/sdk.ts'
import { close, fresh, testTime } from '../../test/database.ts'
import { jobsDone, until } from '../../test/until.ts'
import { leave, open, type Scene, type Visitor, whoIs } from '../../test/visit.ts'

/** A picture of one point. */
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
)

const proof = (role: Parameters<typeof whoIs>[0]) => ({
  'step-up.by': 'password',
  'step-up.password': whoIs(role).password,
})

describe('a copy of one’s own data', () => {
  afterEach(leave)

  const ready = (who: Visitor) =>
    until(async () => /\/account\/data\/copy\/[0-9a-f-]{36}/.exec((await who.get('/account/data')).text)?.[0])
  const taken = async (who: Visitor, path: string) => {
    const files = await unzipped(who, path)
    return Object.fromEntries(Object.entries(files).map(([name, it]) => [name, Buffer.from(it).toString('utf8')]))
  }
  const unzipped = async (who: Visitor, path: string) => {
    const { body } = await who
      .get(path)
      .buffer()
      .parse((res, done) => {
        const parts: Buffer[] = []
        res.on('data', (part: Buffer) => parts.push(part)).on('end', () => done(null, Buffer.concat(parts)))
      })
    return unzipSync(new Uint8Array(body))
  }

  it('has all that the portal keeps of the person and what they may see, and nothing that lets somebody in', async () => {
    const copy = await fresh()
    const plain = adapter(copy.database)
    const crm = {
      ...plain,
      connect: (it: any, tx: any) => {
        const ports = plain.connect(it, tx)
        return {
          ...ports,
          invoices: { ...ports.invoices!, pdf: async () => ({ name: 'x', bytes: Buffer.from('%PDF-own') }) },
        }
      },
    }
    const scene = await open({ on: copy, crm, mail: 'kept' })
    const owner = await scene.visit('owner')
    const [{ id }] = (await owner.api('/proposals?status=open')).body.items
    await owner.post(`/proposals/${id}/comments`, { text: 'Is the film included?' })
    const { seen } = (await owner.api(`/proposals/${id}/acceptance`)).body
    await owner.post(`/proposals/${id}/acceptance`, { seen, agree: 'on', how: 'typed', typed: 'N. El-Khoury' })
    await owner.post('/account/profile', { name: 'Nadia Haddad', phone: '+31 20 555 0142' })
    await owner.agent.post('/portal/brightside/account/profile/photo').attach('photo', png, 'photo.png')
    await scene.owner('portal.client_sessions').update({ sess: scene.owner.raw(`sess - 'verifications'`) })
    expect(await owner.post('/account/data/copy'))
      .to.include({ status: 403 })
      .and.show('Confirm that it’s you')
    expect((await owner.post('/account/data/copy', proof('owner'))).status).to.equal(303)
    const path = await ready(owner)
    expect((await scene.mailTo(whoIs('owner').email, 'Your copy is ready')).text).to.include(
      'https://crm.example/portal/brightside/account/data',
    )
    const files = await taken(owner, path)
    expect(JSON.parse(files['account.json']!)).to.include({ email: whoIs('owner').email, has_password: true })
    expect(JSON.parse(files['account.json']!)).to.include({ name: 'Nadia Haddad', phone: '+31 20 555 0142' })
    expect(JSON.parse(files['contact_changes.json']!)[0]).to.include({ field: 'name', value: 'Nadia Haddad' })
    expect(Buffer.from((await unzipped(owner, path))['photo.png']!)).to.deep.equal(png)
    expect(JSON.parse(files['invoices.json']!).map((it: any) => it.number)).to.include('2026-0107')
    expect(JSON.parse(files['activity.json']!).map((it: any) => it.event)).to.include('account.signed-in')
    expect(JSON.parse(files['questions.json']!)[0]).to.include({ text: 'Is the film included?' })
    expect(JSON.parse(files['signatures.json']!)[0].evidence.signature.text).to.equal('N. El-Khoury')
    expect(files['invoices/2026-0107.pdf']).to.equal('%PDF-own')
    expect(JSON.parse(files['about.json']!)).to.deep.include({ company: 'Acme Bakery', leftOut: [] })
    const all = JSON.stringify(files)
    expect(all).to.not.match(/argon2|sid"|hash|Halloran|Thornbury/)

    const billing = await scene.visit('billing')
    for (const them of [billing, await scene.visit('neighbour')]) expect((await them.get(path)).status).to.equal(404)
    expect((await owner.get('/account/data/copy/nonsense')).status).to.equal(404)
    await billing.post('/account/data/copy', proof('billing'))
    expect(Object.keys(await taken(billing, await ready(billing)))).to.not.include('proposals.json')
    for (const it of ['asked for a copy', 'downloaded the copy']) expect(await owner.get('/activity')).to.show(it)
  })

  it('has the signed PDFs and what is attached to the documents, to the byte, and says what it leaves out', async () => {
    const scene = await open()
    const owner = await scene.visit('owner')
    const [{ id }] = (await owner.api('/proposals?search=P-2026-031')).body.items
    const { seen } = (await owner.api(`/proposals/${id}/acceptance`)).body
    await owner.post(`/proposals/${id}/acceptance`, { seen, agree: 'on', how: 'typed', typed: 'N. El-Khoury' })
    const sealed: Buffer = await until(
      async () => (await scene.owner('portal.client_signatures').first('sealed')).sealed,
    )
    await scene.owner('documents').where({ file_name: 'Mood board.jpg' }).update({ storage_key: '1/1/gone' })

    const bytesIn = async (who: Visitor) => {
      await who.post('/account/data/copy')
      return unzipped(who, await ready(who))
    }
    const files = await bytesIn(owner)
    expect(Buffer.from(files['signed/P-2026-031, version 2.pdf']!).equals(sealed!)).to.equal(true)
    const plan = readFileSync(join(root, 'demo/crm/storage/1/1/winter-1'))
    expect(Buffer.from(files['proposals/P-2026-031/Planning, winter.pdf']!).equals(plan)).to.equal(true)
    const { leftOut } = JSON.parse(Buffer.from(files['about.json']!).toString())
    expect(leftOut).to.deep.equal(['proposals/P-2026-031/Mood board.jpg: it could not be read'])
    expect(Object.keys(files).filter(it => /\.\.|^\/|Our own costs/.test(it))).to.be.empty

    // Who sees no proposals gets none of them, nor what others signed.
    const billing = Object.keys(await bytesIn(await scene.visit('billing')))
    expect(billing.filter(it => /^(signed|proposals)/.test(it))).to.be.empty
    const neighbour = Object.keys(await bytesIn(await scene.visit('neighbour')))
    expect(neighbour.filter(it => it.includes('P-2026-031'))).to.be.empty
  })

  it('of a company that one has left is taken by nobody', async () => {
    const scene = await open()
    const farah = await scene.visit('twofold')
    await farah.post('/account/data/copy')
    const path = await ready(farah)
    expect((await farah.get(path)).status).to.equal(200)
    const [{ person_id, client_id }] = await scene.owner('portal.client_exports')
    await scene.owner('portal.client_memberships').where({ person_id, client_id }).del()
    expect((await farah.get(path)).status).to.equal(404)
    expect(await farah.get('/account/data')).to.not.show(path)
  })

  it('is there for a day, one at a time', async () => {
    const scene = await open()
    const owner = await scene.visit('owner')
    await owner.post('/account/data/copy')
    const first = await ready(owner)
    await owner.post('/account/data/copy')
    expect((await owner.get(first)).status).to.equal(404)
    const second = await ready(owner)
    await scene.database.transaction(async tx => {
      await tx.raw(
        `select set_config('portal.workspace_id', (select id::text from public.workspaces where slug = 'brightside'), true)`,
      )
      await tx('portal.client_exports').update({ completed_at: new Date(testTime() - 25 * 3_600_000) })
    })
    expect((await owner.get(second)).status).to.equal(404)
    expect((await owner.get('/account/data')).text).to.not.include('Your copy is ready')
    const waiting = await scene
      .owner('portal_jobs.job')
      .where({ name: 'plugins' })
      .whereNot({ state: 'completed' })
      .select('data')
    expect(waiting.map(it => it.data.job)).to.include('privacy.wipe')
  })

  it('is deleted when the role changes, because it holds what the old role could see', async () => {
    const scene = await open()
    const [owner, billing] = [await scene.visit('owner'), await scene.visit('billing')]
    await billing.post('/account/data/copy', proof('billing'))
    const path = await ready(billing)
    expect((await billing.get(path)).status).to.equal(200)
    const { id } = await scene
      .owner('portal.client_users')
      .where({ email: whoIs('billing').email })
      .first('id')
    expect((await owner.post('/team/roles', { [`role.${id}`]: 'viewer' })).status).to.equal(303)
    expect((await billing.get(path)).status).to.equal(404)
  })
})

describe('the end of an account', () => {
  afterEach(leave)

  const lent: Host[] = []
  const waking = plugin({
    name: 'waking',
    title: 'Waking',
    icon: 'clock',
    order: 90,
    public: { path: 'waking', routes: (_router, host) => void lent.push(host) },
  })
  const inPast = async (scene: Scene) => {
    await scene.database.transaction(async tx => {
      await tx.raw(
        `select set_config('portal.workspace_id', (select id::text from public.workspaces where slug = 'brightside'), true)`,
      )
      await tx('portal.client_deletions').update({ due_at: new Date(testTime() - 1_000) })
      await scene
        .owner('portal_jobs.job')
        .where({ name: 'plugins', state: 'created' })
        .update({ start_after: scene.owner.fn.now() })
    })
    lent.at(-1)?.jobs.wake()
  }

  it('comes fourteen days after it was asked for, unless they change their mind; staff see it', async () => {
    const scene = await open({ plugins: [waking] })
    const [viewer, admin] = [await scene.visit('viewer'), await scene.visit('admin')]
    expect((await viewer.post('/account/data/deletion')).status).to.equal(303)
    expect(await viewer.get('/account/data')).to.show(
      'Your account closes on',
      'Keep my account',
      'Some data must be kept by law',
    )
    expect((await viewer.post('/account/data/deletion')).status).to.equal(409)
    const state = () => admin.at('/settings/client-portal/state')
    expect(await state()).to.show('Accounts to be closed', whoIs('viewer').email)

    expect((await viewer.post('/account/data/deletion/withdrawal')).status).to.equal(303)
    expect(await viewer.get('/account/data?kept')).to.show('Your account stays open.', 'Close my account')
    expect((await state()).text).to.not.include('Accounts to be closed')
    await inPast(scene)
    await jobsDone(scene.owner, 'plugins')
    expect((await viewer.get('/account')).status).to.equal(200)
  })

  it('leaves nothing of the person but what must be kept, and lets them in no more', async () => {
    const scene = await open({ plugins: [waking] })
    const viewer = await scene.visit('viewer')
    const { email, password } = whoIs('viewer')
    await viewer.post('/account/profile', { name: 'Ilse Gone', phone: '+31 20 555 0142' })
    await viewer.agent.post('/portal/brightside/account/profile/photo').attach('photo', png, 'photo.png')
    await viewer.post('/account/data/deletion')
    await inPast(scene)
    await until(async () => (await viewer.get('/account')).status === 303)
    expect((await (await scene.visit()).post('/sign-in', { email, password })).status).to.equal(422)
    const left = await Promise.all(
      ['client_users', 'client_memberships', 'client_invitations', 'client_sessions'].map(it =>
        scene.owner(`portal.${it}`).select(),
      ),
    )
    expect(JSON.stringify(left)).to.not.include(email).and.not.include('+31 20 555 0142')
    for (const it of ['client_photos', 'client_contact_changes'])
      expect(await scene.owner(`portal.${it}`), it).to.be.empty
    expect(await scene.owner('portal.client_activity_logs').where({ event: 'account.deleted' })).to.have.length(1)
    expect(await (await scene.visit('admin')).at('/settings/client-portal/state')).to.show('Ended on')
    expect((await (await scene.visit('owner')).get('/team')).text).to.not.include(email)
  })

  it('is not asked for by the only admin of colleagues', async () => {
    const scene = await open({ plugins: [waking] })
    const owner = await scene.visit('owner')
    expect(await owner.get('/account/data')).to.show('You are the only admin of Acme Bakery.')
    expect((await owner.post('/account/data/deletion')).status).to.equal(409)
  })

  it('lets one of two admins leave, but not while the other is suspended', async () => {
    const scene = await open({ plugins: [waking] })
    const { id } = await scene
      .owner('portal.client_users')
      .where({ email: whoIs('approver').email })
      .first('id')
    await scene.owner('portal.client_memberships').where({ person_id: id, client_id: '1' }).update({ role: 'admin' })
    const who = [await scene.visit('owner'), await scene.visit('approver')]
    const answers = await Promise.all(who.map(it => it.post('/account/data/deletion')))
    expect(answers.map(it => it.status).sort()).to.deep.equal([303, 409])
    for (const it of who) await it.post('/account/data/deletion/withdrawal')
    await scene
      .owner('portal.client_users')
      .where({ id })
      .update({ suspended_at: new Date(testTime()) })
    expect((await who[0]!.post('/account/data/deletion')).status).to.equal(409)
  })

  it('waits, and staff are told, where nobody else is an admin by then', async () => {
    const scene = await open({ plugins: [waking] })
    const { id } = await scene
      .owner('portal.client_users')
      .where({ email: whoIs('approver').email })
      .first('id')
    const member = scene.owner('portal.client_memberships').where({ person_id: id, client_id: '1' })
    await member.clone().update({ role: 'admin' })
    const [owner, admin] = [await scene.visit('owner'), await scene.visit('admin')]
    expect((await owner.post('/account/data/deletion')).status).to.equal(303)
    await member.clone().update({ role: 'approver' })
    const waits = () => scene.owner('portal.client_activity_logs').where({ event: 'account.deletion-waits' })
    const put = async () => {
      await inPast(scene)
      await until(async () => (await scene.owner('portal.client_deletions').first()).due_at > testTime())
    }
    for (let at = 0; at < 2; at++) await put()
    expect(await waits()).to.have.length(1)
    expect(await admin.at('/settings/client-portal/activity')).to.show(
      'has not closed the account of Nadia El-Khoury yet, who asked for it: nobody else is an admin of Acme Bakery',
    )
    expect((await owner.get('/account')).status).to.equal(200)
    await member.clone().update({ role: 'admin' })
    await inPast(scene)
    await until(async () => (await owner.get('/account')).status === 303)
  })

  it('comes while the portal is off as well', async () => {
    const on = { now: true }
    const flags = { enabledAnywhere: () => true, enabled: () => on.now }
    const scene = await open({ plugins: [waking], flags })
    await (await scene.visit('viewer')).post('/account/data/deletion')
    on.now = false
    await inPast(scene)
    await until(async () => (await scene.owner('portal.client_deletions').first()).completed_at)
  })

  it('comes where it was asked for before plugins had jobs', async () => {
    const scene = await open({ plugins: [waking] })
    const viewer = await scene.visit('viewer')
    await viewer.post('/account/data/deletion')
    const { id, workspace_id: workspace } = await scene.owner('portal.client_deletions').first()
    await scene.owner('portal_jobs.job').where({ name: 'plugins' }).del()
    await inPast(scene)
    const former = jobs({ database: scene.database, log: lent.at(-1)!.log, trusted: async () => true })
    const task = { what: 'end', workspace, slug: 'brightside', id }
    await scene.database.transaction(tx => former.send(tx, 'data', task))
    await until(async () => (await viewer.get('/account')).status === 303)
  })

  it('takes its migration back and brings it again', async () => {
    const copy = await fresh()
    const { down } = await import('./migrations/001_copies_and_deletions.ts')
    await down(copy.owner)
    await copy.owner('portal.migrations').where({ name: 'privacy/001_copies_and_deletions' }).delete()
    expect(await migrate(copy.owner, { role: 'portico_app' })).to.deep.equal(['privacy/001_copies_and_deletions'])
    await close(copy)
  })
})
