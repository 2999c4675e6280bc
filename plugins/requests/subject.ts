import { NotFound } from '../../src/http/errors.ts'
import type { Subject, SubjectRecord } from '../../src/plugin/subjects.ts'
import type { RequestedList } from './port.ts'

/** A request as other plugins attach to it. */
export const subject: Subject = {
  label: 'Request',
  page: 'requests/show',
  find: async (ports, id) => recordOf(await ports.requests!.find(id)),
  due: {
    may: ['upload'],
    on: [],
    async list(ports, { size, after }) {
      const { items, next } = await ports.requests!.list({ status: 'open', sort: 'due', size, after })
      return {
        items: items.flatMap(({ id, name, dueOn, items: all, done, personal }) =>
          dueOn ? [{ id, title: name, dueOn, left: all - done, personal }] : [],
        ),
        // Those without a day come last.
        next: items.at(-1)?.dueOn ? next : null,
      }
    },
  },
}

/** Colleagues read in the activity log what was asked about, so that nothing is asked there about a personal list. */
export function askedAbout(request: RequestedList): SubjectRecord {
  if (request.personal) throw new NotFound()
  return recordOf(request)
}

/** Comments can be about one item. */
const recordOf = ({ id, name, list }: RequestedList): SubjectRecord => ({
  id,
  number: name,
  title: name,
  parts: list.filter(it => it.state !== 'withdrawn').map(it => it.name),
})
