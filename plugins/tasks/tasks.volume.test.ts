import { expect } from 'chai'
import { alone, settings } from '../../test/tasks.ts'
import { leave, type Scene } from '../../test/visit.ts'
import { readInFull, stopwatch } from '../../test/volume.ts'

/** Tasks of one client; others have a tenth of that. */
const many = 100_000
const tables = ['client_tasks', 'client_task_items', 'client_task_completions']

/** A third is done, nearly all are for a colleague, a fifth has no date, and every tenth a checklist. */
async function fill({ owner }: Scene) {
  for (const it of tables) await owner.raw(`alter table portal.${it} no force row level security`)
  const id = (at: string) => `('0199a000-0000-7000-8000-' || lpad((${at})::text, 12, '0'))::uuid`
  const rows = [
    `client_tasks (workspace_id, id, client_id, client_name, person_id, person_name, title, due_on, state, done_on, asked_by)
     select '1', ${id('i')}, case when i > ${many} then (100 + i % 50)::text else '1' end, 'Client', case when i % 20 > 0 then ${id('7')} end,
       case when i % 20 > 0 then 'Sanne' end, 'Task ' || i, case when i % 5 = 0 then null else date '2026-06-01' + i % 300 end,
       case when i % 3 = 0 then 'done' when i % 3 = 1 then 'open' else 'doing' end, case when i % 3 = 0 then date '2026-01-01' + i % 300 end, 'Marta'
     from generate_series(1, ${many + many / 10}) i`,
    `client_task_items (workspace_id, id, task_id, client_id, position, title)
     select '1', gen_random_uuid(), t.id, t.client_id, n, 'Item ' || n from portal.client_tasks t, generate_series(1, 5) n
     where right(t.id::text, 1) = '1'`,
    `client_task_completions (workspace_id, task_id, client_id, by_id, by_name, before, version)
     select '1', t.id::text, t.client_id, 'x', 'Sanne', 'open', t.version::text from portal.client_tasks t where t.state = 'done'`,
  ]
  for (const it of rows) await owner.raw(`insert into portal.${it}`)
  for (const it of tables) await owner.raw(`alter table portal.${it} force row level security`)
  await owner.raw(`vacuum analyze ${tables.map(it => `portal.${it}`).join(', ')}`)
}

describe('tasks', () => {
  afterEach(leave)

  it('of a client who has 100,000 are listed by indexes, for the client and for staff', async function () {
    this.timeout(180_000)
    const scene = await alone()
    await fill(scene)
    const [owner, admin] = [await scene.visit('owner'), await scene.visit('admin')]
    const before = await readInFull(scene, tables)
    const { ask, print } = stopwatch()
    await ask('first page', () => owner.get('/'))
    const lists = ['', '?status=everybody', '?status=overdue', '?status=done', '?sort=newest', '?view=board']
    for (const query of lists) await ask(`client ${query}`, () => owner.get(`/tasks${query}`))
    const { next } = (await owner.api('/tasks?status=everybody')).body
    await ask('client, next', () => owner.get(`/tasks?status=everybody&after=${next}`))
    // Counts to a thousand may go through a table for staff; what a client sees never does.
    expect((await readInFull(scene, tables)) - before).to.be.below(many / 10)
    for (const show of ['open', 'late', 'done', 'all'])
      await ask(`staff ${show}`, () => admin.at(`${settings}?show=${show}`))
    await ask('staff, one', () => admin.at(`${settings}/0199a000-0000-7000-8000-000000000011`))
    await ask('client, search', () => owner.get('/tasks?search=task+9999'))
    await ask('staff, search', () => admin.at(`${settings}?search=task+9999`))
    print()
  })
})
