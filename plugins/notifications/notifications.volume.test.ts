import { expect } from 'chai'
import { coreHostOf } from '../../src/auth/host.ts'
import type { Notice, Reader } from '../../src/notifications/notify.ts'
import { query, within } from '../../src/platform/database.ts'
import { openTelling, type Telling } from '../../test/notifications.ts'
import { leave, whoIs } from '../../test/visit.ts'
import { readInFull, stopwatch } from '../../test/volume.ts'
import { tell } from './tell.ts'

const many = 1_000_000
/** Of one person. */
const most = 100_000
const recipients = 10_000

/** Others are those of 10,000 people at 1,000 clients; one in ten is unread, one in fifty waits for a summary. */
async function fill({ owner }: Telling, person: string) {
  await owner.raw('alter table portal.client_notifications no force row level security')
  await owner.raw(
    `insert into portal.client_users (workspace_id, id, email, name)
     select '1', ('0199b000-0000-7000-8000-' || lpad(i::text, 12, '0'))::uuid, 'reader' || i || '@crowd.example', 'Reader ' || i
     from generate_series(1, ${recipients}) i`,
  )
  await owner.raw(
    `insert into portal.client_notifications
       (workspace_id, client_id, person_id, kind, section, record_id, facts, at, read_at, in_summary)
     select '1', case when i <= ${most} then '1' else (1000 + i % 1000)::text end,
       case when i <= ${most} then ?::uuid else ('0199b000-0000-7000-8000-' || lpad((1 + i % ${recipients})::text, 12, '0'))::uuid end,
       'documents.shared', 'documents', i::text, '{"staff": "Marta", "name": "Plan.pdf", "files": 1}',
       portal.now() - i * interval '1 minute', case when i % 10 > 0 then portal.now() end, i % 50 = 0
     from generate_series(1, ${many}) i`,
    [person],
  )
  await owner.raw('alter table portal.client_notifications force row level security')
  await owner.raw('vacuum analyze portal.client_notifications, portal.client_users')
}

describe('a million notifications', () => {
  afterEach(leave)

  it('are listed, counted and summed up by indexes, and 10,000 people are told at once', async function () {
    this.timeout(600_000)
    const scene = await openTelling({ mail: 'kept' })
    const owner = await scene.visit('owner')
    const { id: person } = await scene
      .owner('portal.client_users')
      .where({ email: whoIs('owner').email })
      .first('id')
    await fill(scene, person)
    const before = await readInFull(scene, ['client_notifications'])
    const { ask, print } = stopwatch()
    await ask('list', () => owner.get('/notifications'))
    await ask('unread', () => owner.get('/notifications?show=unread'))
    const { next } = (await owner.api('/notifications')).body
    await ask('next', () => owner.api(`/notifications?after=${encodeURIComponent(next)}`))
    await ask('waiting', () => owner.get('/waiting'))
    print()
    const began = performance.now()
    await scene.perform('notifications.summaries')
    console.log(`      summaries of 200 people in ${Math.round(performance.now() - began)} ms`)
    expect((await readInFull(scene, ['client_notifications'])) - before, 'read in full').to.be.below(many / 10)

    await tellAll(scene, 'behind the bell', { key: 'bell', mail: false })
    const mail = () => ({ facts: { staff: 'Marta', name: 'All', count: 1 } })
    await tellAll(scene, 'and by e-mail', { key: 'mail', mail })
    expect(await scene.owner('portal.client_outbox').where({ kind: 'documents.shared' })).to.have.length(recipients)
  })
})

/** One notice to 10,000 people, in one transaction. */
async function tellAll(scene: Telling, name: string, by: Pick<Notice, 'key' | 'mail'>) {
  const core = coreHostOf(scene.host)
  const workspace = (await core.workspaces.find('brightside'))!
  const readers = await query<Reader>(scene.owner, {
    text: `select id::text, name, email, language, time_zone as "timeZone" from portal.client_users
           where workspace_id = '1' and email like '%@crowd.example'`,
  })
  expect(readers).to.have.length(recipients)
  const notice = {
    ...{ kind: 'documents.shared', facts: { staff: 'Marta', name: 'All', files: 1 }, ...by },
    record: { client: '1', section: 'documents', id: name },
  }
  const [began, memory] = [performance.now(), process.memoryUsage().heapUsed]
  const told = await within(scene.database, { workspace: '1' }, tx =>
    tell(scene.host, tx, { portal: { workspace, locale: 'en-GB' } }, readers, notice),
  )
  const grown = (process.memoryUsage().heapUsed - memory) / 1_048_576
  const took = Math.round(performance.now() - began)
  console.log(`      10,000 told ${name} in ${took} ms, ${Math.round(grown)} MB more memory`)
  expect(told).to.have.length(recipients)
  expect(grown).to.be.below(200)
}
