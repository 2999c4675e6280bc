import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { within } from '../../src/platform/database.ts'
import { actors } from '../../test/actors.ts'
import { alone } from '../../test/tasks.ts'
import { leave, open, type Scene, type Visitor, whoIs } from '../../test/visit.ts'
import { tasksContract } from './contract.ts'
import plugin from './plugin.ts'

const add = ({ owner }: Scene, more: object = {}) => {
  const task = { id: randomUUID(), title: 'Send the opening hours', client_name: 'Acme Bakery', asked_by: 'Marta' }
  const row = { workspace_id: '1', client_id: '1', ...task, ...more }
  return owner('portal.client_tasks')
    .insert(row)
    .then(() => row.id)
}

const taskOf = async (who: Visitor, id: unknown) => (await who.api(`/tasks/${id}`)).body.task
const finish = async (who: Visitor, id: unknown, version?: string) =>
  who.post(`/tasks/${id}/completion`, { version: version ?? (await taskOf(who, id)).version, at: '' })
const entries = async ({ owner }: Scene, event: string) =>
  (await owner('portal.client_activity_logs').where({ event })).length

describe('tasks', () => {
  afterEach(leave)
  tasksContract(() => actors())

  for (const [where, made] of [
    ['the CRM', () => open()],
    ['Portico', alone],
  ] as const) {
    const first = async (it: Scene, more: object = {}) => {
      if (where === 'Portico') return add(it, more)
      const row = await it.owner('public.tasks').where({ client_id: 1, for_client: true, state: 'open' }).first('id')
      return row.id
    }

    it(`of ${where} are completed once, by whom is said, and undone within half an hour`, async () => {
      const it = await made()
      const [owner, member] = [await it.visit('owner'), await it.visit('member')]
      const id = await first(it)
      const { version, title } = await taskOf(owner, id)
      const answers = await Promise.all([finish(owner, id, version), finish(member, id, version)])
      expect(answers.map(one => one.status)).to.deep.equal([303, 303])
      expect(await entries(it, 'tasks.completed')).to.equal(1)
      expect(await taskOf(owner, id)).to.include({ status: 'done', undoable: true, doneOn: '2026-11-21' })
      expect(await owner.get(`/tasks?completed=${id}`)).to.show(`“${title}” is done.`, 'Undo', 'Done today')

      await it.pass(29)
      expect((await member.post(`/tasks/${id}/completion/removal`)).status).to.equal(303)
      expect((await taskOf(owner, id)).status).to.equal('open')
      await finish(owner, id)
      await it.pass(31)
      const late = await owner.post(`/tasks/${id}/completion/removal`)
      expect(late.status).to.equal(409)
      expect(late).to.show('This can’t be undone any more.')
    })

    it(`of ${where} that changed meanwhile are not completed, nor undone after they went on`, async () => {
      const it = await made()
      const owner = await it.visit('owner')
      const id = await first(it)
      const table = where === 'Portico' ? 'portal.client_tasks' : 'public.tasks'
      const change = (more: object) => it.owner(table).where({ id }).update(more)
      const { version } = await taskOf(owner, id)
      const bump = where === 'Portico' ? { version: it.owner.raw('version + 1') } : {}
      await change({ title: 'Send all of them', ...bump })
      const refused = await finish(owner, id, version)
      expect(refused.status).to.equal(409)
      expect(refused).to.show('This has changed in the meantime.', 'Send all of them', 'Mark as done')
      await finish(owner, id)
      await change({ title: 'Done, and more', ...bump })
      expect(await owner.post(`/tasks/${id}/completion/removal`)).to.show('the task has changed since')
      expect((await taskOf(owner, id)).status).to.equal('done')
    })

    it(`of ${where} are nobody else’s, and not completed by who only looks`, async () => {
      const it = await made()
      const id = await first(it)
      for (const role of ['neighbour', 'newcomer'] as const) {
        const who = await it.visit(role)
        for (const path of ['', '/completion', '/completion/removal', '/column', '/checklist'])
          expect((await (path ? who.post(`/tasks/${id}${path}`) : who.get(`/tasks/${id}`))).status).to.equal(404)
        expect((await who.api(`/tasks/${id}`)).status).to.equal(404)
      }
      const viewer = await it.visit('viewer')
      expect((await viewer.get(`/tasks/${id}`)).text).to.not.include('Mark as done')
      expect((await finish(viewer, id)).status).to.equal(403)
    })
  }

  it('that a person completed are in the copy of their data, and lose the name with their account', async () => {
    const it = await alone()
    const owner = await it.visit('owner')
    const id = await add(it)
    await finish(owner, id)
    const person = (
      await it
        .owner('portal.client_users')
        .where({ email: whoIs('owner').email })
        .first('id')
    ).id
    const who = { workspace: '1', person }
    await within(it.database, { workspace: '1' }, async tx => {
      expect((await plugin.privacy!.exports!(tx, who)).tasks!.map((one: any) => one.task)).to.deep.equal([id])
      await plugin.privacy!.erases!(tx, who)
    })
    expect(await it.owner('portal.client_task_completions').pluck('by_name')).to.deep.equal(['–'])
    expect((await taskOf(owner, id)).status).to.equal('done')
  })

  it('are grouped by when they are due, counted, moved on the board and ticked', async () => {
    const it = await alone()
    const owner = await it.visit('owner')
    const long = 'x'.repeat(200)
    const late = await add(it, { due_on: '2026-11-18', title: long })
    await add(it, { due_on: '2026-11-21', title: 'Due today' })
    await add(it, { due_on: '2027-01-11', title: 'Due later' })
    await add(it, { title: 'Some day' })
    await add(it, { title: 'For somebody else', person_id: randomUUID(), person_name: 'Pieter' })
    const item = randomUUID()
    await it.owner('portal.client_task_items').insert({
      ...{ workspace_id: '1', client_id: '1', task_id: late, id: item, position: 1, title: 'Dutch' },
    })
    const list = await owner.get('/tasks')
    expect(list).to.show('Overdue', '3 days late', 'This week', 'Today', 'Later', '11 Jan', 'No date', long)
    expect(list.text).to.not.include('For somebody else')
    expect((await owner.api('/tasks?status=everybody')).body.overview).to.deep.equal({
      mine: 4,
      anybody: 4,
      everybody: 5,
      overdue: 1,
      done: 0,
    })
    expect(await owner.get('/')).to.show('3 days late', 'View your tasks')
    expect((await owner.post(`/tasks/${late}/checklist`, { item, done: 'on' })).status).to.equal(303)
    expect(await owner.get(`/tasks/${late}`)).to.show('1 of 1')
    const { version } = await taskOf(owner, late)
    await owner.post(`/tasks/${late}/column`, { version, column: 'doing', at: '?view=board' })
    const { body } = await owner.api('/tasks?view=board')
    expect(body.columns.map((one: any) => [one.state, one.items.length])).to.deep.equal([
      ['open', 4],
      ['doing', 1],
      ['done', 0],
    ])
    expect((await owner.post(`/tasks/${late}/comments`, { text: 'All five shops?' })).status).to.equal(303)
    expect(await owner.get(`/tasks/${late}`)).to.show('All five shops?', 'In progress')
  })
})
