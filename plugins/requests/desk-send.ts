import { createHash } from 'node:crypto'
import type { Request, RequestHandler } from 'express'
import { v7 as uuid } from 'uuid'
import { z } from 'zod'
import { coreHostOf } from '../../src/auth/host.ts'
import { rightsOf, roleIncludes } from '../../src/auth/roles.ts'
import { roles } from '../../src/crm/crm.ts'
import { Conflict, Invalid } from '../../src/http/errors.ts'
import { words } from '../../src/http/filter.ts'
import { read } from '../../src/http/forms.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { clientsWithPeople, peopleCounts } from '../../src/settings/client-choice.ts'
import { textOf } from './content.ts'
import { placeOf } from './desk.ts'
import { DueOn, requireFuture } from './desk-changes.ts'
import { peopleOf, type Sending, saveSending, sendNext } from './sending.ts'
import { identified, itemsOf, listFields, type Template, templateOf, templatesOf } from './templates.ts'

/** Clients in a list that staff choose from; others are found by their name. */
const offered = 40

/** The most clients that one list is sent to. */
const mostClients = 20_000

const several = z
  .union([z.string().transform(it => [it]), z.array(z.string())])
  .default([])
  .transform(all => [...new Set(all.filter(it => it !== ''))])

/** As it was typed, whatever that is. */
const Typed = z.object({
  id: z.uuid().catch(() => uuid()),
  template: z.string().catch(''),
  name: z.string().catch(''),
  about: z.string().catch(''),
  items: z.string().catch(''),
  dueOn: z.string().catch(''),
  whom: z.enum(['all', 'chosen']).catch('chosen'),
  client: several.catch([]),
  person: z.string().catch(''),
  search: words.catch(''),
})
type Typed = z.infer<typeof Typed>

/** The form of a new request: what is asked, of whom, and by when. */
export const showNew =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { database } = host
    const { workspace, body } = req.portal
    const templates = await templatesOf(database, workspace.id)
    const chosen = templates.find(it => it.id === req.query.template)
    const sent = body && typeof body === 'object' && 'whom' in body
    const form = Typed.parse(sent ? body : begun(req, chosen))
    const [clients, named, total] = await Promise.all([
      clientsWithPeople(database, workspace.id, { search: form.search, size: offered + 1 }),
      namesOfClients(host, req, form.client),
      clientsWithPeople(database, workspace.id, { size: mostClients }).then(it => it.length),
    ])
    const [only, second] = named
    const people = only && !second ? await peopleOf(host, workspace, { client: only.id }) : []
    res.respond('requests/new', {
      ...{ form, templates, people, total },
      clients: [...named, ...clients.slice(0, offered).filter(it => !form.client.includes(it.id))],
      more: clients.length > offered,
    })
  }

/** A form that begins with a template, or with a client. */
const begun = (req: Request<any>, template?: Template) => ({
  ...(template && {
    template: `${template.id}:${template.version}`,
    name: template.name,
    about: template.about,
    items: textOf(template.items),
  }),
  client: typeof req.query.client === 'string' ? [req.query.client] : [],
})

/** With the names that the CRM has now; those that it does not have are left out. */
async function namesOfClients(host: Host, req: Request<any>, ids: string[]): Promise<{ id: string; name: string }[]> {
  const { directory } = coreHostOf(host).crm
  const found = await Promise.all(ids.map(id => directory.client(req.portal.workspace, id).catch(() => undefined)))
  return found.flatMap(it => (it ? [{ id: it.id, name: it.name }] : []))
}

const Form = z.object({ ...listFields, dueOn: DueOn })

interface Prepared {
  sending: Sending
  /** Of whom it is sent to: another one means that this has changed. */
  fingerprint: string
}

/** What the form says, as it would be sent. Throws Invalid. */
async function prepare(req: Request<any>, host: Host): Promise<Prepared> {
  const { workspace, staff } = req.portal
  const typed = Typed.parse(Object(req.portal.body))
  const { name, about, items, dueOn } = read(Form, req)
  requireFuture(req, dueOn, placeOf(req, host).today)
  const [templateId = '', version] = typed.template.split(':')
  const template = templateId
    ? await templateOf(host.database, workspace.id, templateId).catch(() => undefined)
    : undefined
  const clients =
    typed.whom === 'all'
      ? await clientsWithPeople(host.database, workspace.id, { size: mostClients })
      : await namesOfClients(host, req, typed.client)
  if (!clients.length) throw new Invalid({ client: ['Choose at least one client.'] }, req.portal.body)
  const person = await personAt(req, host, typed, clients)
  const sending: Sending = {
    ...{ id: typed.id, name, about, dueOn },
    items: identified(itemsOf(req, items), template?.items ?? []),
    clients: clients.map(it => ({ ...it, ...(person && { person }) })),
    ...(template && { template: { id: template.id, version: Number(version) || template.version } }),
    by: { id: staff?.id ?? '', name: staff?.name ?? workspace.name },
  }
  const whom = clients.map(it => it.id).sort()
  return {
    sending,
    fingerprint: createHash('sha256')
      .update(JSON.stringify([whom, person?.id]))
      .digest('base64url'),
  }
}

/** The person whom it is asked of, where it is one person of one client. Throws Invalid. */
async function personAt(req: Request<any>, host: Host, { person }: Typed, clients: { id: string }[]) {
  if (!person) return undefined
  const [only, second] = clients
  const people = only && !second ? await peopleOf(host, req.portal.workspace, { client: only.id, person }) : []
  const [found] = people
  if (!found)
    throw new Invalid(
      { person: ['This person cannot send files for this client. Choose another one.'] },
      req.portal.body,
    )
  return { id: found.id, name: found.name }
}

/** Looks for clients, goes back to the form, or shows what would be sent to whom. Changes nothing. */
export const showPreview =
  (host: Host): RequestHandler<any> =>
  async (req, res, next) => {
    const { step } = Object(req.portal.body)
    if (step !== 'preview') return showNew(host)(req, res, next)
    await respondPreview(req, res, host)
  }

async function respondPreview(req: Request<any>, res: Parameters<RequestHandler>[1], host: Host) {
  const { database } = host
  const { workspace } = req.portal
  const { sending, fingerprint } = await prepare(req, host)
  const rights = await rightsOf(database, workspace.id)
  const section = host.plugins.find(it => it.name === 'requests')
  const permission = section?.permissions['requests.upload']
  const able = roles.filter(it => roleIncludes(rights, it, 'requests.upload', permission))
  const clients = sending.clients.map(it => it.id)
  const counts = await peopleCounts(database, workspace.id, { clients, roles: able })
  const people = new Map(counts.map(it => [it.client, it.people]))
  const [only] = sending.clients
  res.respond('requests/preview', {
    ...{ sending, fingerprint, form: Typed.parse(Object(req.portal.body)) },
    people: only?.person ? 1 : counts.reduce((sum, it) => sum + it.people, 0),
    nobody: sending.clients.filter(it => !people.get(it.id)),
    counts: people,
    mails: coreHostOf(host).mailContext !== undefined,
  })
}

/** Sends the list to all who were shown. The first clients have it when this answers. */
export const saveNew =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { workspace } = req.portal
    const { sending, fingerprint } = await prepare(req, host)
    const { seen } = Object(req.portal.body)
    if (seen !== fingerprint) throw new Conflict()
    const made = await req.portal.inWorkspace(tx => saveSending(tx, host, workspace, sending))
    // The queue does the same if this process ends here, and the rest.
    if (made) await sendNext(host, workspace, { sending: sending.id, from: 0 })
    host.jobs.wake()
    res.redirect(303, req.portal.url(`/requests?sending=${sending.id}&sent`))
  }

/** After a conflict the preview is shown again, with whom it would be sent to now. */
export const showPreviewAgain =
  (host: Host): RequestHandler<any> =>
  async (req, res, next) => {
    if (!(req.portal.problem instanceof Conflict)) return showNew(host)(req, res, next)
    await respondPreview(req, res, host)
  }
