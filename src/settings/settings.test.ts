import { expect } from 'chai'
import { leave, open } from '../../test/visit.ts'
import { resolve, togglesOf } from '../plugin/toggles.ts'

const save = '/settings/client-portal/visibility'

describe('the settings', () => {
  afterEach(leave)

  it('are changed by an admin, hold from the next click on, and are kept with before and after', async () => {
    const { visit, owner: database } = await open()
    const [admin, owner] = [await visit('admin'), await visit('owner')]

    expect(await admin.at('/settings/client-portal/visibility')).to.show(
      'What clients see',
      'Proposals',
      'Invoices',
      'role="switch"',
      'checked',
    )
    const answer = await admin.postAt(save, { 'was.proposals': 'on', 'was.invoices': 'on', invoices: 'on' })
    expect(answer.headers.location).to.equal('/settings/client-portal/visibility?saved')
    expect((await owner.get('/proposals')).status).to.equal(404)
    expect((await owner.get('/invoices')).status).to.equal(200)

    const rows = await database('portal.client_activity_logs').where({ event: 'settings.changed' })
    expect(rows).to.have.length(1)
    expect(rows[0]).to.include({ actor_kind: 'staff', actor_name: 'Marta Lindqvist', subject_id: 'proposals' })
    expect(rows[0].subject).to.include({ before: true, after: false })
    expect(await admin.at('/settings/client-portal/activity')).to.show(
      'Marta Lindqvist',
      'switched Proposals off',
      'Nadia El-Khoury',
      'signed in',
    )
  })

  it('of one workspace leave the others alone', async () => {
    const { visit } = await open()
    const [admin, stranger] = [await visit('admin'), await visit('stranger')]
    await admin.postAt(save, { 'was.invoices': 'on' })

    expect((await stranger.get('/invoices')).status).to.equal(200)
    expect(await admin.at('/settings/client-portal/activity')).to.not.show('Harriet')
  })

  it('that somebody else changed meanwhile are shown as they are, and nothing is saved', async () => {
    const { visit, owner: database } = await open()
    const admin = await visit('admin')
    await admin.postAt(save, { 'was.invoices': 'on' })
    const late = await admin.postAt(save, { 'was.invoices': 'on', 'was.proposals': 'on', proposals: 'on' })
    const again = await admin.postAt(save, { 'was.proposals': 'on', 'was.invoices': 'on' })

    for (const it of [late, again]) expect(it).to.include({ status: 409 }).and.show('changed in the meantime')
    expect(
      await database('portal.client_activity_logs').where({ event: 'settings.changed' }).select('id'),
    ).to.have.length(1)
    expect(await database('portal.client_portal_settings').select('name', 'value')).to.deep.equal([
      { name: 'invoices', value: false },
    ])
  })

  it('take one of two concurrent changes', async () => {
    const { visit, owner: database } = await open()
    const admin = await visit('admin')
    const both = await Promise.all([1, 2].map(() => admin.postAt(save, { 'was.invoices': 'on' })))

    expect(both.map(it => it.status).sort()).to.deep.equal([303, 409])
    expect(
      await database('portal.client_activity_logs').where({ event: 'settings.changed' }).select('id'),
    ).to.have.length(1)
  })

  it('that no plugin declares are not stored', async () => {
    const { visit, owner: database } = await open()
    const admin = await visit('admin')
    for (const form of [
      { 'was.bogus': 'on' },
      { 'was.invoices': 'maybe' },
      { invoices: 'off' },
      { __proto__: 'x', 'was.constructor': 'on' },
    ]) {
      expect((await admin.postAt(save, form)).status).to.equal(303)
    }
    expect(await database('portal.client_portal_settings').select()).to.be.empty
  })

  it('are not found for a workspace where the flag is off', async () => {
    const { visit } = await open({ flags: { enabledAnywhere: () => true, enabled: slug => slug !== 'brightside' } })
    expect(await (await visit('admin')).at('/settings/client-portal'))
      .to.include({ status: 404 })
      .and.show('Tandem')
  })
})

describe('the state page', () => {
  afterEach(leave)

  it('says what holds, and what does not', async () => {
    const { visit, owner: database } = await open()
    const admin = await visit('admin')
    const state = () => admin.at('/settings/client-portal/state')

    expect(await state())
      .to.show('PostgreSQL 18', 'portico_app', 'All migrations are applied')
      .and.not.show('Failed')
    await database.raw('alter table portal.client_users no force row level security')
    await database('portal.migrations').update({ name: 'something else' })
    expect(await state()).to.show('Failed', 'client_users', '001_people')
  })
})

describe('a setting', () => {
  const toggles = togglesOf([{ icon: 'x', toggles: { a: { default: true }, b: { default: false } } } as never])

  it('holds by the closest row: person, then client, then workspace, then the default', () => {
    const it = (rows: [string, string, string, unknown][]) => resolve(toggles, rows, 'c1', 'p1')('a')

    expect(it([])).to.equal(true)
    expect(it([['', '', 'a', false]])).to.equal(false)
    expect(
      it([
        ['c1', '', 'a', true],
        ['', '', 'a', false],
      ]),
    ).to.equal(true)
    expect(
      it([
        ['c1', 'p1', 'a', false],
        ['c1', '', 'a', true],
        ['', '', 'a', false],
      ]),
    ).to.equal(false)
    expect(
      it([
        ['c2', '', 'a', false],
        ['c1', 'p2', 'a', false],
        ['', '', 'a', 'no'],
        ['', '', 'z', false],
      ]),
    ).to.equal(true)
    expect(resolve(toggles, [], 'c1', 'p1')('z')).to.equal(false)
  })
})
