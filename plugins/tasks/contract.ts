import { expect } from 'chai'
import { type Actors, contract, everyPage } from '../../src/crm/contract.ts'
import { NotFound } from '../../src/http/errors.ts'
import { Counts, Summary, sorts, statuses, Task, type Tasks } from './port.ts'

/** For an adapter's author. Asks for a CRM in which `mine` has tasks, at least one to be done, and `theirs` has one. */
export const tasksContract = (actors: () => Promise<Actors>) =>
  contract('tasks', actors, ports => {
    it('gives what the port says', async () => checkShapes((await ports()).mine))
    it('turns pages without a gap or a repetition, in every order and with every filter', async () =>
      checkPages((await ports()).mine))
    it('counts what its lists show, also in a search', async () => checkCounts((await ports()).mine))
    it('completes one of mine once, undoes that once, and nothing of theirs', async () => {
      const { mine, theirs } = await ports()
      await checkCompleting(mine, theirs)
    })
  })

async function checkShapes(mine: Tasks) {
  const items = await everyPage(mine, { sort: 'due' })
  expect(items.map(it => Summary.parse(it))).to.deep.equal(items)
  for (const { id } of items.slice(0, 20)) {
    const task = await mine.find(id)
    expect(Task.parse(task)).to.deep.equal(task)
    expect(task).to.deep.include(items.find(it => it.id === id))
  }
}

async function checkPages(mine: Tasks) {
  for (const sort of sorts)
    for (const status of [undefined, ...statuses]) {
      const { items: all } = await mine.list({ sort, status, size: 1000 })
      expect(await everyPage(mine, { sort, status }, 1), `${sort} ${status}`).to.deep.equal(all)
    }
}

async function checkCounts(mine: Tasks) {
  const [first] = await everyPage(mine, { sort: 'due' })
  for (const search of [undefined, first!.title.slice(0, 5).toUpperCase(), '%', '_']) {
    const counts = Counts.parse(await mine.overview(search))
    for (const status of statuses)
      expect((await everyPage(mine, { sort: 'due', status, search })).length, `${status} ${search}`).to.equal(
        counts[status],
      )
  }
}

async function checkCompleting(mine: Tasks, theirs: Tasks) {
  const [task] = await everyPage(mine, { sort: 'due', status: 'mine' })
  if (!mine.complete || !task) return
  const refused = async (asked: Promise<unknown> | undefined) => (await asked?.catch(error => error)) as Error
  expect(await refused(theirs.complete!(task.id, task.version))).to.be.instanceOf(NotFound)
  expect(await refused(mine.complete(task.id, 'another version'))).to.include({ code: 'conflict' })
  const completion = await mine.complete(task.id, task.version)
  expect(completion.before).to.equal(task.status)
  expect(await mine.find(task.id)).to.include({ status: 'done', version: completion.version, overdue: false })
  expect(await refused(mine.complete(task.id, completion.version))).to.include({ code: 'already-done' })
  if (!mine.reopen) return
  await mine.reopen(task.id, completion)
  expect(await mine.find(task.id)).to.include({ status: task.status, title: task.title })
  expect(await refused(mine.reopen(task.id, completion))).to.include({ code: 'changed-since' })
}
