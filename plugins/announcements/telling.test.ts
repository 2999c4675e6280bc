import { expect } from 'chai'
import { openTelling, type Telling } from '../../test/notifications.ts'
import { until } from '../../test/until.ts'
import { leave } from '../../test/visit.ts'

const area = '/settings/client-portal/announcements'

async function told({ owner }: Telling): Promise<string[]> {
  const rows = await owner('portal.client_notifications as n')
    .join('portal.client_users as u', 'u.id', 'n.person_id')
    .where('n.kind', 'announcements.published')
    .select('u.email', owner.raw(`n.facts->>'title' as title`))
  return rows.map(it => `${it.email.split('@')[0]} ${it.title}`)
}

describe('notifications of announcements', () => {
  afterEach(leave)

  it('come once, to those for whom it is, on its first day', async () => {
    const scene = await openTelling({ mail: 'kept' })
    const admin = await scene.visit('admin')
    const ours = { text: 'From Monday on.', whom: 'chosen', client: '1', role: ['admin', 'viewer'] }
    await admin.postAt(area, { ...ours, title: 'We are closed', startsOn: '2026-11-21' })
    await admin.postAt(area, { ...ours, title: 'We move', startsOn: '2026-11-23' })
    await until(async () => (await told(scene)).length === 2)
    expect(await told(scene)).to.have.members(['nadia We are closed', 'ilse We are closed'])

    const [row] = await scene.owner('portal.client_announcements').where({ title: 'We move' }).select('id')
    const [{ seconds }] = (
      await scene.owner.raw(
        `select extract(epoch from start_after - now())::int as seconds from portal_jobs.job
         where name = 'plugins' and data->'data'->>'id' = ? and data->>'job' = 'announcements.tell'`,
        [row.id],
      )
    ).rows
    // From nine on Saturday to midnight before Monday, in Amsterdam.
    expect(seconds / 3_600).to.be.within(38.9, 39.1)
    await scene.perform('announcements.tell', { id: row.id })
    expect(await told(scene)).to.have.length(2)
    await scene.pass(40 * 60)
    await Promise.all([1, 2, 3].map(() => scene.perform('announcements.tell', { id: row.id })))
    expect((await told(scene)).filter(it => it.endsWith('We move'))).to.have.members(['nadia We move', 'ilse We move'])
    await admin.postAt(`${area}/${row.id}/withdrawal`)
    expect(await scene.perform('announcements.tell', { id: row.id })).to.equal(undefined)
  })
})
