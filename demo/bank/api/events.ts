import { ApiError } from '../errors.ts'
import { dated, newestFirst, page } from '../lists.ts'
import { list, text } from '../params.ts'
import { get, route } from './route.ts'

const filters = { ...dated, type: text(), types: list(text(), 20) }

export const eventRoutes = [
  route('get', '/events', filters, ({ core, params }) => {
    const { type, types, created } = params
    if (type !== undefined && types) {
      throw new ApiError('You may only specify one of these parameters: type, types.', { param: 'types' })
    }
    const all = newestFirst(core.state.events, created)
    const some = all.filter(event => named(event.type, type) && (!types || types.some(each => named(event.type, each))))
    return page(some, params, '/v1/events', 'event')
  }),
  route('get', '/events/:id', {}, ({ core, id }) => get(core.state.events, id, 'event')),
]

/** `charge.*` stands for all that begin so. */
function named(type: string, wanted: string | undefined): boolean {
  if (wanted === undefined || wanted === '*') return true
  return wanted.endsWith('.*') ? type.startsWith(wanted.slice(0, -1)) : type === wanted
}
