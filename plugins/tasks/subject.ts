import type { Subject, SubjectRecord } from '../../src/plugin/subjects.ts'
import type { Task } from './port.ts'

/** A task as other plugins attach to it. */
export const subject: Subject = {
  label: 'Task',
  page: 'tasks/show',
  find: async (ports, id) => recordOf(await ports.tasks!.find(id)),
  due: {
    may: ['complete'],
    on: [],
    async list(ports, { size, after }) {
      const { items, next } = await ports.tasks!.list({ status: 'mine', sort: 'due', size, after })
      const dated = items.flatMap(({ id, title, dueOn, checklist }) =>
        dueOn ? [{ id, title, dueOn, ...(checklist && { left: checklist.all - checklist.done }) }] : [],
      )
      // Those without a day come last.
      return { items: dated, next: dated.length === items.length ? next : null }
    },
  },
}

/** People call it by its title. */
export const recordOf = ({ id, title }: Task): SubjectRecord => ({ id, number: title, title })
