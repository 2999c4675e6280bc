import type { RecordNews, Subject, SubjectRecord } from '../../src/plugin/subjects.ts'
import type { Task } from './port.ts'

/** A task as other plugins attach to it. */
export const subject: Subject = {
  label: 'Task',
  page: 'tasks/show',
  find: async (ports, id) => recordOf(await ports.tasks!.find(id)),
  changed: {
    may: ['see', 'complete'],
    undated: true,
    news: async ({ tasks }, id) => newsOf(await tasks!.find(id)),
    async newest({ tasks }, size) {
      const { items } = await tasks!.list({ status: 'mine', sort: 'newest', size })
      return items.map(it => it.id)
    },
  },
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

/** One that is the reader's to do, or anybody's. */
function newsOf({ id, title, status, dueOn, for: whose }: Task): RecordNews[] {
  if (status === 'done' || status === 'other' || whose.kind === 'colleague') return []
  const due = { due: dueOn ? 1 : 0, day: { day: dueOn ?? '2000-01-01' } }
  return [{ kind: 'tasks.given', key: id, facts: { name: title, ...due } }]
}

/** People call it by its title. */
export const recordOf = ({ id, title }: Task): SubjectRecord => ({ id, number: title, title })
