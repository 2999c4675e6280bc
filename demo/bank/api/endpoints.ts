import { ApiError, invalid } from '../errors.ts'
import { newestFirst, page, paging } from '../lists.ts'
import type { Endpoint } from '../objects.ts'
import { boolean, clearable, list, mergeMetadata, metadata, needed, type Rule, text, url } from '../params.ts'
import { createEndpoint } from '../webhooks.ts'
import { get, route } from './route.ts'

/** Stripe allows so many in test mode. */
const most = 16

const eventType: Rule<string> = (value, name) => {
  const read = text(100)(value, name)
  if (read === '*' || /^[a-z_]+(\.[a-z_]+)+$/.test(read)) return read
  throw invalid(`Invalid ${name}: ${read} is not a type of event`, name)
}
const events = list(eventType, 300)
const version: Rule<string> = (value, name) => {
  const read = text(40)(value, name)
  if (/^\d{4}-\d{2}-\d{2}(\.[a-z]+)?$/.test(read)) return read
  throw invalid(`Invalid ${name}: ${read}`, name)
}

const creation = {
  url: needed(url),
  enabled_events: needed(events),
  api_version: version,
  description: clearable(text(1_000)),
  metadata,
}
const change = { url, enabled_events: events, description: clearable(text(1_000)), disabled: boolean, metadata }

export const endpointRoutes = [
  route('post', '/webhook_endpoints', creation, ({ core, params }) => {
    if (Object.keys(core.state.endpoints).length >= most) {
      throw new ApiError(`You have reached the maximum of ${most} test webhook endpoints.`)
    }
    const { url, enabled_events, api_version, description } = params
    const metadata = mergeMetadata({}, params.metadata)
    return createEndpoint(core, { url, events: enabled_events, apiVersion: api_version, description, metadata })
  }),
  route('get', '/webhook_endpoints', paging, ({ core, params }) => {
    const all = newestFirst(core.state.endpoints).map(shown)
    return page(all, params, '/v1/webhook_endpoints', 'webhook_endpoint')
  }),
  route('get', '/webhook_endpoints/:id', {}, ({ core, id }) =>
    shown(get(core.state.endpoints, id, 'webhook endpoint')),
  ),
  route('post', '/webhook_endpoints/:id', change, ({ core, id, params }) => {
    const endpoint = get(core.state.endpoints, id, 'webhook endpoint')
    const { disabled, metadata, ...fields } = params
    Object.assign(endpoint, fields, { metadata: mergeMetadata(endpoint.metadata, metadata) })
    if (disabled !== undefined) endpoint.status = disabled ? 'disabled' : 'enabled'
    core.store.changed()
    return shown(endpoint)
  }),
  route('delete', '/webhook_endpoints/:id', {}, ({ core, id }) => {
    get(core.state.endpoints, id, 'webhook endpoint')
    delete core.state.endpoints[id]
    core.store.changed()
    return { id, object: 'webhook_endpoint', deleted: true }
  }),
]

/** The secret is shown once, when the endpoint is created. */
function shown({ secret, ...endpoint }: Endpoint): Omit<Endpoint, 'secret'> {
  return endpoint
}
