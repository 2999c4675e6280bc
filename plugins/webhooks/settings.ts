import type { Request, RequestHandler } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { coreHostOf } from '../../src/auth/host.ts'
import { Conflict, Invalid } from '../../src/http/errors.ts'
import { read } from '../../src/http/forms.ts'
import { recordEventIn } from '../../src/platform/activity.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { isTrial, refusalOf } from './address.ts'
import { deliveriesOf, deliveryOf, keptDays, messageId, queueAgain, queueTest } from './deliveries.ts'
import { jsonSchemas } from './described.ts'
import {
  addEndpoint,
  changeEndpoint,
  type Endpoint,
  endpointOf,
  endpointsOf,
  lockEndpoint,
  mostEndpoints,
  removeEndpoint,
  switchEndpoint,
  type Typed,
  wakeEndpoint,
} from './endpoints.ts'
import { choosable, eventGroups, everyEventOf, factsFor } from './events.ts'
import { keysOf, newSecret, overlap, removeKeys, saveKeys } from './secrets.ts'

type Handler = RequestHandler<any>

const tooLong = 'Use at most 100 characters.'

const Form = z.object({
  title: z.string('Enter a name.').trim().min(1, 'Enter a name.').max(100, tooLong),
  url: z.string('Enter an address that begins with https://.').trim().max(2_000, 'Use at most 2,000 characters.'),
  events: z
    .union([z.string().transform(it => [it]), z.array(z.string())])
    .optional()
    .default([]),
  'was.revision': z.coerce.number().int().catch(0),
})

/** All endpoints of the workspace. */
export const showEndpoints =
  ({ database }: Host): Handler =>
  async (req, res) =>
    res.respond('webhooks/list', {
      endpoints: await endpointsOf(database, req.portal.workspace.id),
      mostEndpoints,
      removed: req.query.removed === '',
    })

/** The form of a new endpoint, or of one that is there. */
export const showForm =
  (host: Host): Handler =>
  async (req, res) => {
    const { workspace, problem, body } = req.portal
    const endpoint =
      req.params.id === undefined ? undefined : await endpointOf(host.database, workspace.id, req.params.id)
    const typed = problem ? Object(body) : undefined
    res.respond('webhooks/form', {
      endpoint,
      values: { title: typed?.title ?? endpoint?.title ?? '', url: typed?.url ?? endpoint?.url ?? '' },
      chosen: new Set([typed ? (typed.events ?? []) : (endpoint?.events ?? [])].flat()),
      revision: typed?.['was.revision'] ?? endpoint?.revision ?? 0,
      groups: eventGroups(host.plugins),
      ...{ everyEventOf, factsFor },
    })
  }

/** Adds an endpoint, and shows its secret. */
export const saveNew =
  (host: Host): Handler =>
  async (req, res, next) => {
    const typed = typedOf(req, host)
    const { workspace, staff } = req.portal
    const by = staff?.name ?? ''
    const current = newSecret()
    const id = await req.portal.inWorkspace(async tx => {
      const endpoint = await addEndpoint(tx, workspace.id, typed, by)
      await saveKeys(tx, placeOf(req, host, endpoint), { current, former: null }, by)
      await recordEventIn(tx, req, { event: 'webhooks.added', subject: factsOf({ id: endpoint, ...typed }) })
      return endpoint
    })
    return showWithSecret(host, id, 'added')(req, res, next)
  }

export const saveChange =
  (host: Host): Handler =>
  async (req, res) => {
    const { workspace } = req.portal
    const { id } = await endpointOf(host.database, workspace.id, req.params.id)
    const typed = typedOf(req, host)
    await req.portal.inWorkspace(async tx => {
      await changeEndpoint(tx, workspace.id, { id, ...typed })
      await recordEventIn(tx, req, { event: 'webhooks.changed', subject: factsOf({ id, ...typed }) })
    })
    res.redirect(303, req.portal.url(`/webhooks/${id}?done=changed`))
  }

/** Throws Invalid. Events that nobody has any more are dropped. */
function typedOf(req: Request<any>, host: Host): Typed & { revision: number } {
  const form = read(Form, req)
  const refusal = refusalOf(form.url, isTrial(coreHostOf(host).address))
  const known = choosable(eventGroups(host.plugins))
  const events = [...new Set(form.events)].filter(it => known.has(it))
  const errors = {
    ...(refusal && { url: [refusal] }),
    ...(!events.length && { events: ['Choose at least one event.'] }),
  }
  if (Object.keys(errors).length) throw new Invalid(errors, req.portal.body)
  return { title: form.title, url: new URL(form.url).href, events, revision: form['was.revision'] }
}

const Shown = z.object({
  show: z.enum(['waiting', 'delivered', 'failed']).optional().catch(undefined),
  before: z.uuid().optional().catch(undefined),
  done: z.enum(['changed', 'on', 'off', 'test', 'again']).optional().catch(undefined),
})

/** Deliveries on a page. */
const size = 30

/** One endpoint, with its deliveries. */
export const showEndpoint =
  (host: Host): Handler =>
  async (req, res) =>
    res.respond('webhooks/show', await endpointPage(req, host, req.params.id))

/** The same, once with its secret: it is in no address. */
const showWithSecret =
  (host: Host, id: string, because: 'added' | 'asked' | 'rotated'): Handler =>
  async (req, res) => {
    const page = await endpointPage(req, host, id)
    const keys = await req.portal.inWorkspace(tx => keysOf(tx, placeOf(req, host, id)))
    res.respond('webhooks/show', { ...page, secret: keys?.current, because })
  }

async function endpointPage(req: Request<any>, { database }: Host, id: string) {
  const { workspace, now } = req.portal
  const { show, before, done } = Shown.parse(req.query)
  const endpoint = await endpointOf(database, workspace.id, id)
  const rows = await deliveriesOf(database, workspace.id, {
    endpoint: endpoint.id,
    state: show,
    before,
    size: size + 1,
  })
  return {
    ...{ endpoint, show, done, overlap, keptDays, now },
    rows: rows.slice(0, size),
    next: rows.length > size ? rows[size - 1]!.id : null,
  }
}

/** Shows the secret to an admin who asks for it, which is recorded. */
export const revealSecret =
  (host: Host): Handler =>
  async (req, res, next) => {
    const endpoint = await endpointOf(host.database, req.portal.workspace.id, req.params.id)
    await req.portal.inWorkspace(tx =>
      recordEventIn(tx, req, { event: 'webhooks.revealed', subject: factsOf(endpoint) }),
    )
    return showWithSecret(host, endpoint.id, 'asked')(req, res, next)
  }

/** Makes a new secret. The former one signs too, for a day. */
export const rotateSecret =
  (host: Host): Handler =>
  async (req, res, next) => {
    const { workspace, staff, now } = req.portal
    const endpoint = await endpointOf(host.database, workspace.id, req.params.id)
    await req.portal.inWorkspace(async tx => {
      await lockEndpoint(tx, workspace.id, endpoint.id)
      const place = placeOf(req, host, endpoint.id)
      const before = await keysOf(tx, place)
      const until = new Date(now.getTime() + overlap * 3_600_000)
      const former = before ? { secret: before.current, until } : null
      await saveKeys(tx, place, { current: newSecret(), former }, staff?.name ?? '')
      await recordEventIn(tx, req, { event: 'webhooks.rotated', subject: factsOf(endpoint) })
    })
    return showWithSecret(host, endpoint.id, 'rotated')(req, res, next)
  }

const Switch = z.object({ on: z.enum(['true', 'false']).transform(it => it === 'true') })

export const saveSwitch =
  (host: Host): Handler =>
  async (req, res) => {
    const { on } = read(Switch, req)
    const endpoint = await changeOne(req, host, async (tx, { id }) => {
      if (!(await switchEndpoint(tx, req.portal.workspace.id, id, on))) return undefined
      if (on) await queueSending(tx, req, host)
      return on ? 'webhooks.switched-on' : 'webhooks.switched-off'
    })
    host.jobs.wake()
    res.redirect(303, req.portal.url(`/webhooks/${endpoint.id}?done=${on ? 'on' : 'off'}`))
  }

export const removeOne =
  (host: Host): Handler =>
  async (req, res) => {
    const { workspace } = req.portal
    await changeOne(req, host, async (tx, { id }) => {
      await removeEndpoint(tx, workspace.id, id)
      await removeKeys(tx, { workspace: workspace.id, endpoint: id })
      return 'webhooks.removed'
    })
    res.redirect(303, req.portal.url('/webhooks?removed'))
  }

/** Sends an event that means nothing, so that the receiver can be tried. */
export const sendTest =
  (host: Host): Handler =>
  async (req, res) => {
    const { workspace } = req.portal
    const endpoint = await changeOne(req, host, async (tx, { id, state }) => {
      if (state !== 'on') throw new Conflict()
      await queueTest(tx, workspace.id, id)
      await wakeEndpoint(tx, workspace.id, id)
      await queueSending(tx, req, host)
      return 'webhooks.tested'
    })
    host.jobs.wake()
    res.redirect(303, req.portal.url(`/webhooks/${endpoint.id}?done=test`))
  }

/** One delivery, with what was answered. */
export const showDelivery =
  ({ database }: Host): Handler =>
  async (req, res) => {
    const { workspace } = req.portal
    const endpoint = await endpointOf(database, workspace.id, req.params.id)
    const delivery = await deliveryOf(database, workspace.id, endpoint.id, req.params.delivery)
    res.respond('webhooks/delivery', { endpoint, delivery, message: messageId(delivery.id) })
  }

export const sendAgain =
  (host: Host): Handler =>
  async (req, res) => {
    const { workspace } = req.portal
    const { id } = await endpointOf(host.database, workspace.id, req.params.id)
    const delivery = await deliveryOf(host.database, workspace.id, id, req.params.delivery)
    await changeOne(req, host, async (tx, { state }) => {
      if (state !== 'on') throw new Conflict()
      await queueAgain(tx, workspace.id, delivery.id)
      await wakeEndpoint(tx, workspace.id, id)
      await queueSending(tx, req, host)
      return 'webhooks.resent'
    })
    host.jobs.wake()
    res.redirect(303, req.portal.url(`/webhooks/${id}?done=again`))
  }

/** JSON Schemas of all events, to be downloaded. */
export const sendSchemas =
  ({ plugins }: Host): Handler =>
  (_req, res) => {
    const text = JSON.stringify(jsonSchemas(plugins), null, 2)
    res.set('Cache-Control', 'private, no-store').type('json').send(text)
  }

/** Changes an endpoint in one transaction with the entry of the event that `work` gives, if it gives one. */
async function changeOne(
  req: Request<any>,
  { database }: Host,
  work: (tx: Knex, endpoint: Endpoint) => Promise<string | undefined>,
): Promise<Endpoint> {
  const endpoint = await endpointOf(database, req.portal.workspace.id, req.params.id)
  await req.portal.inWorkspace(async tx => {
    const event = await work(tx, endpoint)
    if (event) await recordEventIn(tx, req, { event, subject: factsOf(endpoint) })
  })
  return endpoint
}

/** Without it, what is due is found within some seconds. */
const queueSending = (tx: Knex, { portal }: Request<any>, { jobs }: Host) => {
  const { id, slug } = portal.workspace
  return jobs.queue(tx, { job: 'webhooks.send', workspace: { id, slug }, data: {} })
}

const placeOf = ({ portal }: Request<any>, host: Host, endpoint: string) => ({
  ...{ workspace: portal.workspace.id, endpoint },
  secrets: coreHostOf(host).secrets,
})

/** What the activity names of an endpoint: of its address the host alone, since a path may be a secret. */
const factsOf = ({ id, title, url }: Pick<Endpoint, 'id' | 'title' | 'url'>) => {
  const { host } = new URL(url)
  return { id, title, host }
}
