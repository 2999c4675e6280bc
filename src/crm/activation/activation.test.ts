import { expect } from 'chai'
import { map } from '../../../demo/adapter/map.ts'
import { role } from '../../../demo/portal-database.ts'
import { fresh } from '../../../test/database.ts'
import { until } from '../../../test/until.ts'
import { leave, open } from '../../../test/visit.ts'
import { adapterOf, migrate } from '../../index.ts'
import { acceptAudit, withdrawAudit } from './accept.ts'
import { Audited } from './audit.ts'

const state = '/settings/client-portal/state'

describe('activation', () => {
  afterEach(leave)

  it('leaves every address to the CRM until the audit is accepted, and opens and closes without a restart', async () => {
    const copy = await fresh()
    await withdrawAudit(copy.owner)
    const scene = await open({ on: copy, checkEvery: 0.1 })
    const nobody = await scene.visit()
    expect(await nobody.get('/sign-in'))
      .to.include({ status: 404 })
      .and.show('Tandem')
    expect(scene.log.map(it => it.sentence)).to.include(
      'no audit of this CRM was accepted (portico enable): the portal is off',
    )

    const audit = Audited.parse({ answers: {}, data: {}, fingerprint: 'f' })
    const { adapter } = await import('../../../demo/adapter/adapter.ts')
    await acceptAudit(copy.owner, adapter(copy.owner), { audit, by: 'Marta' })
    await until(async () => (await nobody.get('/sign-in')).status === 200)
    await withdrawAudit(copy.owner)
    await until(async () => (await nobody.get('/sign-in')).status === 404)
  })

  it('keeps the portal off if its table is missing', async () => {
    const copy = await fresh()
    await copy.owner.raw('drop table portal.activation')
    const { visit } = await open({ on: copy })
    expect((await (await visit()).get('/sign-in')).status).to.equal(404)
  })

  it('takes its migration back and brings it again, with what other tables hold', async () => {
    const { owner } = await fresh()
    const people = await owner('portal.client_users').count()
    const { down } = await import('../../../migrations/006_operation.ts')
    await down(owner)
    await owner('portal.migrations').where({ name: '006_operation' }).delete()
    expect(await migrate(owner, { role })).to.deep.equal(['006_operation'])
    expect(await owner('portal.client_users').count()).to.deep.equal(people)
  })
})

describe('drift', () => {
  afterEach(leave)

  it('switches off only the sections concerned while serving, says so in settings, log and metrics, and heals by itself', async () => {
    const scene = await open({ checkEvery: 0.1 })
    const [owner, admin] = [await scene.visit('owner'), await scene.visit('admin')]
    expect(await owner.get('/')).to.show('/invoices"')

    await scene.owner.raw('alter table public.proposals rename column valid_until to good_until')
    const first = await owner.get('/proposals')
    expect(first.status).to.be.oneOf([404, 503])
    expect(first).to.not.show('valid_until', '.ts:', 'column')
    await until(async () => (await owner.get('/proposals')).status === 404)
    expect(await owner.get('/'))
      .to.include({ status: 200 })
      .and.not.show('/proposals"')
    expect((await owner.get('/invoices')).status).to.equal(200)
    expect(await admin.at(state)).to.show(
      'Failed',
      'proposals.valid_until is gone',
      'New in the CRM',
      'proposals.good_until',
    )
    const told = scene.log.find(it => it.sentence === 'the CRM has drifted: sections are switched off')
    expect(told?.facts.sections).to.deep.equal(['proposals'])
    expect((await owner.at('/portal/-/metrics')).text)
      .to.include('portico_section_off{section="proposals"} 1')
      .and.include('portico_section_off{section="invoices"} 0')

    await scene.owner.raw('alter table public.proposals rename column good_until to valid_until')
    await until(async () => (await owner.get('/proposals')).status === 200)
    expect(scene.log.at(-1)?.sentence).to.be.a('string')
    expect(scene.log.map(it => it.sentence)).to.include('the CRM fits again: all sections are on')
  })

  it('of a type, a grant or a whole table is noticed as well', async () => {
    const scene = await open({ checkEvery: 0.1 })
    const [owner, admin] = [await scene.visit('owner'), await scene.visit('admin')]
    await scene.owner.raw('alter table public.payments alter payer type text')
    await scene.owner.raw(`revoke select (deleted_at) on public.quotations from ${role}`)
    await scene.owner.raw('alter table public.proposals alter answered_on type text')
    await scene.owner.raw('alter table public.credit_notes rename to credits')
    await owner.get('/quotations')

    expect(await admin.at(state)).to.show(
      'may not read quotations.deleted_at',
      'proposals.answered_on was timestamp with time zone and is text',
      'credit_notes is gone',
    )
    for (const path of ['/quotations', '/proposals', '/invoices'])
      await until(async () => (await owner.get(path)).status === 404)
    expect((await owner.get('/payments')).status).to.equal(200)
  })

  it('of an amount that becomes text while a map serves it switches off its section', async () => {
    const copy = await fresh()
    const scene = await open({ on: copy, checkEvery: 0.1, crm: adapterOf(map, copy.database) })
    const [owner, admin] = [await scene.visit('owner'), await scene.visit('admin')]
    expect((await owner.get('/payments')).status).to.equal(200)
    await scene.owner.raw('alter table public.payments drop constraint payments_amount_check, alter amount type text')
    await until(async () => (await owner.get('/payments')).status === 404)
    expect(await admin.at(state)).to.show('payments.amount was numeric(14,2) and is text')
    expect((await owner.get('/quotations')).status).to.equal(200)
  })

  it('of what every page needs closes all of them with a page that says to come again', async () => {
    const scene = await open({ checkEvery: 0.1 })
    const owner = await scene.visit('owner')
    await scene.owner.raw('alter table public.workspaces rename column name to called')
    await until(async () => (await owner.get('/')).status === 503)
    for (const path of ['/', '/invoices', '/sign-in', '/account'])
      expect(await owner.get(path), path)
        .to.include({ status: 503 })
        .and.show('This information is temporarily unavailable.')
        .and.not.show('column', '.ts:')
    await scene.owner.raw('alter table public.workspaces rename column called to name')
    await until(async () => (await owner.get('/')).status === 200)
  })

  it('of what every page needs is shown to staff, whose settings stay usable', async () => {
    const scene = await open({ checkEvery: 0.1 })
    const admin = await scene.visit('admin')
    await admin.at('/settings/client-portal/')
    await scene.owner.raw(`revoke select (name) on public.workspaces from ${role}`)
    await until(async () => (await admin.at(state)).text.includes('may not read workspaces.name'))
    expect(await admin.at('/settings/client-portal/'))
      .to.include({ status: 200 })
      .and.show('Brightside Agency')

    const restarted = await open({ on: scene, checkEvery: 0.1 })
    const another = await restarted.visit('admin')
    expect(await another.at(state)).to.show('may not read workspaces.name', 'All sections')
    expect((await another.at('/settings/client-portal/people')).headers.location).to.match(/client-portal\/state$/)
    const saved = await another.postAt('/settings/client-portal/visibility', { 'was.invoices': 'on' })
    expect(saved.status).to.equal(503)
    expect(await scene.owner('portal.client_portal_settings').select()).to.deep.equal([])
  })

  it('is a number with fewer decimals, or that is exact no longer, and is none where all is read as before', async () => {
    const scene = await open({ checkEvery: 0.1 })
    const admin = await scene.visit('admin')
    const said = async (type: string) => {
      await scene.owner.raw(
        `alter table public.proposal_lines alter discount_pct type ${type} using discount_pct::numeric::${type}`,
      )
      return (await admin.at(state)).text.includes('proposal_lines.discount_pct was')
    }
    const drifts: Record<string, boolean> = {}
    for (const type of ['numeric(9,4)', 'numeric', 'double precision', 'numeric(9,1)', 'numeric(9,2)'])
      drifts[type] = await said(type)
    expect(drifts).to.deep.equal({
      'numeric(9,4)': false,
      numeric: false,
      'double precision': true,
      'numeric(9,1)': true,
      'numeric(9,2)': false,
    })
    await scene.owner.raw('alter table public.proposals alter version type bigint')
    expect(await admin.at(state)).to.not.show('proposals.version')
  })

  it('hides a column that came, and says that it is there', async () => {
    const scene = await open({ checkEvery: 0.1 })
    const [owner, admin] = [await scene.visit('owner'), await scene.visit('admin')]
    await scene.owner.raw(`alter table public.invoices add margin text default 'forty per cent'`)
    const [{ id }] = (await owner.api('/invoices')).body.items

    expect(await owner.get(`/invoices/${id}`)).to.not.show('forty per cent')
    expect(JSON.stringify((await owner.api(`/invoices/${id}`)).body)).to.not.include('forty')
    expect(await admin.at(state)).to.show('New in the CRM', 'invoices.margin')
  })
})
