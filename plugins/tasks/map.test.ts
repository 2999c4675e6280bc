import { expect } from 'chai'
import { map } from '../../demo/adapter/map.ts'
import { everyPage } from '../../src/crm/contract.ts'
import { adapterOf, type CrmMap, type Customer } from '../../src/index.ts'
import { type Copy, close, fresh, today } from '../../test/database.ts'

/** The demo's tasks, as a CRM has them that knows who is to do them, how often, in which steps, and more states. */
const more = `
  alter table public.tasks drop constraint tasks_state_check, drop constraint tasks_check;
  alter table public.tasks add column every text, add column email text, add column person text;
  create table public.task_steps (id serial primary key, task_id integer, place integer, name text, ticked boolean);
  update public.tasks set for_client = false;
  insert into public.tasks (id, client_id, for_client, title, due_on, state, every, email, person)
    overriding system value values
    (9001, 1, true, 'Send the VAT figures', '2026-11-01', 'open', 'Every quarter', 'NADIA@acmebakery.example', 'Nadia'),
    (9002, 1, true, 'Count the stock', null, 'open', null, 'sanne@acmebakery.example', 'Sanne'),
    (9003, 1, true, 'Sign the lease', '2026-11-01', 'On hold', null, null, null),
    (9004, 1, true, 'Not for anybody yet', null, 'draft', null, null, null);
  insert into public.task_steps (task_id, place, name, ticked)
    values (9001, 2, 'October', false), (9001, 1, 'September', true);`

const tasks: CrmMap['tasks'] = {
  ...map.tasks!,
  status: { ...map.tasks!.status, draft: ['draft'] },
  repeats: 'every',
  person: { email: 'email', name: 'person' },
  items: { table: 'task_steps', of: 'task_id', order: 'place', title: 'name', done: 'ticked' },
}

describe('tasks of a CRM by a map', () => {
  let copy: Copy
  beforeEach(async () => {
    copy = await fresh()
    await copy.owner.raw(more)
  })
  afterEach(() => close(copy))

  const connect = () => {
    const customer: Customer = {
      workspace: { id: '1', slug: 'brightside', name: '', letterhead: [], timeZone: 'Europe/Amsterdam' },
      client: { id: '1', name: '' },
      person: { id: '', name: '', email: 'nadia@acmebakery.example' },
      role: 'admin',
      today,
    }
    return adapterOf({ ...map, tasks }, copy.owner).connect(customer).tasks!
  }

  it('are those that are no drafts, for the reader first, and say how often they come again', async () => {
    const port = connect()
    const all = await everyPage(port, { sort: 'due' })
    expect(all.map(it => it.id)).to.have.members(['9001', '9002', '9003'])
    const mine = await everyPage(port, { sort: 'due', status: 'mine' })
    expect(mine.map(it => [it.id, it.for.kind, it.repeats])).to.deep.equal([['9001', 'you', 'Every quarter']])
    expect((await port.find('9002')).for).to.deep.equal({ kind: 'colleague', name: 'Sanne' })
    expect((await port.find('9001')).items.map(it => [it.title, it.done])).to.deep.equal([
      ['September', true],
      ['October', false],
    ])
    expect((await port.find('9001')).checklist).to.deep.equal({ done: 1, all: 2 })
  })

  it('with a status that nobody mapped are shown by the CRM’s word, never late, and nothing is offered', async () => {
    const port = connect()
    const task = await port.find('9003')
    expect(task).to.include({ status: 'other', word: 'On hold', overdue: false })
    expect(await port.overview()).to.deep.equal({ mine: 1, anybody: 0, everybody: 3, overdue: 1, done: 0 })
    const refused = (asked: Promise<unknown>) => asked.catch(error => error.code)
    expect(await refused(port.complete!('9003', task.version))).to.equal('not-offered')
    expect(await refused(port.move!('9003', 'doing', task.version))).to.equal('not-offered')
    const { state } = await copy.owner('public.tasks').where({ id: 9003 }).first('state')
    expect(state).to.equal('On hold')
  })
})
