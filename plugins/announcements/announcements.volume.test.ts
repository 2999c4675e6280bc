import { expect } from 'chai'
import { leave, open, type Scene } from '../../test/visit.ts'
import { readInFull, stopwatch } from '../../test/volume.ts'

const many = { announcements: 10_000, people: 20_000 }
const area = '/settings/client-portal/announcements'
const tables = ['client_announcements', 'client_announcement_reads', 'client_memberships', 'client_users']
const first = '0199a000-0000-7000-8000-000000000001'

const read = ['client_announcements', 'client_announcement_reads']

/** Nearly all have ended, every third is for another client; 20,000 people have read the first one. */
async function fill({ owner }: Scene) {
  for (const it of tables) await owner.raw(`alter table portal.${it} no force row level security`)
  const id = (at: string) => `('0199a000-0000-7000-8000-' || lpad((${at})::text, 12, '0'))::uuid`
  for (const it of [
    `client_announcements (workspace_id, id, title, text, important, starts_on, ends_on, client_ids, by_name)
     select '1', ${id('i')}, 'Announcement ' || i, 'Text', i % 7 = 0, date '2026-11-20' - i / 10,
       case when i <= 60 then date 'infinity' else date '2026-11-20' - i / 10 + 5 end,
       case when i % 3 = 0 then array['999'] end, 'Marta'
     from generate_series(1, ${many.announcements}) i`,
    `client_users (workspace_id, id, email, name)
     select '1', ${id(`500000 + i`)}, 'p' || i || '@many.example', 'Person ' || i from generate_series(1, ${many.people}) i`,
    `client_memberships (workspace_id, person_id, client_id, client_name, role)
     select '1', ${id(`500000 + i`)}, 'many-' || i / 4, 'Client ' || i / 4, 'member' from generate_series(1, ${many.people}) i`,
    `client_announcement_reads (workspace_id, announcement_id, client_id, person_id)
     select '1', ${id('1')}, 'many-' || i / 4, ${id(`500000 + i`)}::text from generate_series(1, ${many.people}) i`,
  ])
    await owner.raw(`insert into portal.${it}`)
  for (const it of tables) await owner.raw(`alter table portal.${it} force row level security`)
  await owner.raw(`vacuum analyze ${tables.map(it => `portal.${it}`).join(', ')}`)
}

describe('announcements', () => {
  afterEach(leave)

  it('of which there are 10,000, for 20,000 people, are found by indexes', async function () {
    this.timeout(180_000)
    const scene = await open()
    await fill(scene)
    const [owner, admin] = [await scene.visit('owner'), await scene.visit('admin')]
    const before = await readInFull(scene, read)
    const { ask, print } = stopwatch()
    await ask('first page', () => owner.get('/'))
    await ask('list', () => owner.get('/announcements'))
    const { next } = (await owner.api('/announcements')).body
    await ask('list, next', () => owner.get(`/announcements?after=${next}`))
    await ask('one', () => owner.get(`/announcements/${first}`))
    expect((await readInFull(scene, read)) - before).to.be.below(many.announcements)
    for (const show of ['current', 'planned', 'ended', 'withdrawn'])
      await ask(`staff ${show}`, () => admin.at(`${area}?show=${show}`))
    await ask('staff, one', () => admin.at(`${area}/${first}`))
    const form = { title: 'x', text: 'x', startsOn: '2026-11-21', whom: 'all', step: 'preview' }
    await ask('preview', () => admin.postAt(`${area}/new`, form))
    print()
  })
})
