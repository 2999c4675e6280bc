import type { Knex } from 'knex'
import type { Customer } from '../../src/crm/crm.ts'
import { type Completed, completedOf } from './completions.ts'
import type { Summary, Tasks } from './port.ts'

/**
 * The CRM's tasks, and beside them who completed each in the portal, and when: the CRM may keep a date alone, or nothing.
 * A task that changed after that says nothing of it.
 */
export function besideCrm(theirs: Tasks, customer: Customer, database: Knex): Tasks {
  const completed = (items: Summary[]) =>
    completedOf(
      database,
      customer,
      items.filter(it => it.status === 'done').map(it => it.id),
    )
  return {
    ...theirs,
    async list(filter) {
      const { items, next } = await theirs.list(filter)
      const known = await completed(items)
      return { items: items.map(it => ({ ...it, completed: shown(it, known.get(it.id)) })), next }
    },
    async find(id) {
      const task = await theirs.find(id)
      const it = (await completed([task])).get(task.id)
      const undoable = theirs.reopen !== undefined && it?.version === task.version && it.fresh
      return { ...task, completed: shown(task, it), undoable }
    },
  }
}

const shown = ({ version }: Summary, it: Completed | undefined): Summary['completed'] =>
  it?.version === version ? { at: it.at, name: it.name, own: it.own } : null
