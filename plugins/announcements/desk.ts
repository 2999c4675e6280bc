import type { Request, RequestHandler } from 'express'
import { v7 as uuid } from 'uuid'
import { z } from 'zod'
import { coreHostOf } from '../../src/auth/host.ts'
import { rightsOf, roleIncludes, roleName } from '../../src/auth/roles.ts'
import { type Role, roles } from '../../src/crm/crm.ts'
import { Conflict, Invalid } from '../../src/http/errors.ts'
import { words } from '../../src/http/filter.ts'
import { read } from '../../src/http/forms.ts'
import { recordEventIn } from '../../src/platform/activity.ts'
import { query } from '../../src/platform/database.ts'
import { dateIn } from '../../src/platform/i18n.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { clientsWithPeople } from '../../src/settings/client-choice.ts'
import { announcementOf, listAnnouncements, reachOf, readersOf, type StaffAnnouncement, shows } from './desk-reads.ts'
import { queueTelling } from './telling.ts'
import { piecesOf } from './text.ts'

type Handler = RequestHandler<any>

/** Clients that the form offers; others are found by their name. */
const offered = 40

const placeOf = ({ portal }: Request<any>) => ({
  workspace: portal.workspace.id,
  today: dateIn(portal.workspace.timeZone, portal.now),
})

const Asked = z.object({
  show: z.enum(shows).catch('current'),
  after: z.string().max(400).optional().catch(undefined),
  done: z.enum(['published', 'changed', 'withdrawn']).optional().catch(undefined),
})

export const showDesk =
  ({ database }: Host): Handler =>
  async (req, res) => {
    const { show, after, done } = Asked.parse(req.query)
    const found = await listAnnouncements(database, placeOf(req), { show, after, size: 30 })
    res.respond('announcements/desk', { ...found, show, shows, done })
  }

/** Readers that the page lists; it counts all. */
const mostReaders = 200

export const showOneToStaff =
  (host: Host): Handler =>
  async (req, res) => {
    const { database } = host
    const { workspace } = req.portal
    const announcement = await announcementOf(database, placeOf(req), req.params.id)
    const [reach, readers, clients, able] = await Promise.all([
      ableRoles(req, host).then(it => reachOf(database, workspace.id, announcement, it)),
      readersOf(database, workspace.id, announcement.id, mostReaders),
      namesOf(req, host, announcement.clientIds?.slice(0, offered) ?? []),
      roleNames(req, host),
    ])
    res.respond('announcements/one', {
      ...{ announcement, reach, readers, mostReaders, clients, piecesOf },
      roleNames: new Map(able.map(it => [it.role, it.name])),
      done: Asked.parse(req.query).done,
    })
  }

/** Roles that may see announcements here. */
async function ableRoles(req: Request<any>, { database, plugins }: Host): Promise<Role[]> {
  const rights = await rightsOf(database, req.portal.workspace.id)
  const permission = plugins.find(it => it.name === 'announcements')?.permissions['announcements.see']
  return roles.filter(it => roleIncludes(rights, it, 'announcements.see', permission))
}

async function roleNames({ portal }: Request<any>, { database }: Host): Promise<{ role: Role; name: string }[]> {
  const rights = await rightsOf(database, portal.workspace.id)
  return roles.map(role => ({ role, name: roleName({ t: portal.t, rights }, role) }))
}

async function namesOf(req: Request<any>, host: Host, ids: string[]): Promise<{ id: string; name: string }[]> {
  const { directory } = coreHostOf(host).crm
  const found = await Promise.all(ids.map(id => directory.client(req.portal.workspace, id).catch(() => undefined)))
  return found.flatMap(it => (it ? [{ id: it.id, name: it.name }] : []))
}

const several = z
  .union([z.string().transform(it => [it]), z.array(z.string())])
  .default([])
  .transform(all => [...new Set(all.filter(it => it !== ''))])

/** As it was typed, whatever that is. */
const Typed = z.object({
  title: z.string().catch(''),
  text: z.string().catch(''),
  important: z.literal('on').optional().catch(undefined),
  startsOn: z.string().catch(''),
  endsOn: z.string().catch(''),
  whom: z.enum(['all', 'chosen']).catch('all'),
  client: several.catch([]),
  role: several.catch([]),
  search: words.catch(''),
  step: z.enum(['find', 'preview']).optional().catch(undefined),
  'was.revision': z.coerce.number().int().catch(0),
})
type Typed = z.infer<typeof Typed>

const typedFrom = (it: StaffAnnouncement | undefined, today: string): Typed => ({
  ...{ title: it?.title ?? '', text: it?.text ?? '', important: it?.important ? ('on' as const) : undefined },
  ...{ startsOn: it?.startsOn ?? today, endsOn: it?.endsOn ?? '', whom: it?.clientIds ? 'chosen' : 'all' },
  ...{ client: it?.clientIds ?? [], role: it?.roles ?? [], search: '', step: undefined },
  'was.revision': it?.revision ?? 0,
})

/** The form of a new announcement or of one that is there, with a preview where that was asked for. */
export const showForm =
  (host: Host): Handler =>
  async (req, res, next) => {
    const { database } = host
    const { workspace, body } = req.portal
    const { id } = req.params
    const announcement = id === undefined ? undefined : await announcementOf(database, placeOf(req), id)
    if (announcement?.status === 'withdrawn') return showOneToStaff(host)(req, res, next)
    const form = body ? Typed.parse(Object(body)) : typedFrom(announcement, placeOf(req).today)
    const preview = form.step === 'preview' && !req.portal.problem ? await previewOf(req, host) : undefined
    const [clients, named, choices] = await Promise.all([
      clientsWithPeople(database, workspace.id, { search: form.search, size: offered + 1 }),
      namesOf(req, host, form.client.slice(0, 500)),
      roleNames(req, host),
    ])
    res.respond('announcements/edit', {
      ...{ announcement, form, preview, choices, piecesOf, zone: workspace.timeZone },
      clients: [...named, ...clients.slice(0, offered).filter(it => !form.client.includes(it.id))],
      more: clients.length > offered,
    })
  }

async function previewOf(req: Request<any>, host: Host) {
  const it = typedOf(req)
  return { ...it, reach: await reachOf(host.database, req.portal.workspace.id, it, await ableRoles(req, host)) }
}

const date = z.iso.date('Enter a date.').refine(it => it > '2000' && it < '2100', 'Enter a date.')

const Form = z
  .object({
    title: z.string('Give it a title.').trim().min(1, 'Give it a title.').max(150, 'Use at most 150 characters.'),
    text: z
      .string('Write what you want to say.')
      .trim()
      .min(1, 'Write what you want to say.')
      .max(5_000, 'Use at most 5,000 characters.')
      .transform(it => it.replaceAll('\r\n', '\n')),
    important: z.string().optional(),
    startsOn: date,
    endsOn: z.union([z.literal(''), date]).default(''),
    whom: z.enum(['all', 'chosen'], 'Choose who sees it.'),
    client: several.pipe(z.array(z.string().max(200)).max(5_000, 'Choose at most 5,000 clients.')),
    role: several.pipe(z.array(z.enum(roles, 'Choose roles from the list.'))),
    'was.revision': z.coerce.number().int().catch(0),
  })
  .refine(it => !it.endsOn || it.endsOn >= it.startsOn, {
    path: ['endsOn'],
    error: 'Choose a day after the first one.',
  })
  .refine(it => it.whom === 'all' || it.client.length, { path: ['client'], error: 'Choose at least one client.' })

/** Throws Invalid. */
function typedOf(req: Request<any>) {
  const form = read(Form, req)
  return {
    ...{ title: form.title, text: form.text, important: form.important === 'on', startsOn: form.startsOn },
    ...{ endsOn: form.endsOn || null, clientIds: form.whom === 'all' ? null : form.client },
    roles: form.role.length && form.role.length < roles.length ? form.role : null,
    revision: form['was.revision'],
  }
}

/** Only clients of this workspace. Throws Invalid. */
async function checked(req: Request<any>, host: Host) {
  const it = typedOf(req)
  const known = it.clientIds && (await namesOf(req, host, it.clientIds)).map(one => one.id)
  if (known && !known.length) throw new Invalid({ client: ['Choose at least one client.'] }, req.portal.body)
  return { ...it, clientIds: known }
}

const valuesOf = (it: Awaited<ReturnType<typeof checked>>) => [
  ...[it.title, it.text, it.important, it.startsOn, it.endsOn ?? 'infinity', it.clientIds, it.roles],
]

export const saveNew =
  (host: Host): Handler =>
  async (req, res) => {
    const it = await checked(req, host)
    const { workspace, staff } = req.portal
    const id = uuid()
    await req.portal.inWorkspace(async tx => {
      await query(tx, {
        text: `insert into portal.client_announcements (workspace_id, id, title, text, important, starts_on, ends_on,
                 client_ids, roles, by_name) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
        values: [workspace.id, id, ...valuesOf(it), staff?.name ?? workspace.name],
      })
      await recordEventIn(tx, req, { event: 'announcements.published', subject: { id, title: it.title } })
      await queueTelling(tx, host, workspace, { id, startsOn: it.startsOn })
    })
    host.jobs.wake()
    res.redirect(303, req.portal.url(`/announcements/${id}?done=published`))
  }

/** Throws Conflict where it was changed or withdrawn since the page was shown. */
export const saveChange =
  (host: Host): Handler =>
  async (req, res) => {
    const { id } = await announcementOf(host.database, placeOf(req), req.params.id)
    const it = await checked(req, host)
    await req.portal.inWorkspace(async tx => {
      const changed = await query(tx, {
        text: `update portal.client_announcements set title = $3, text = $4, important = $5, starts_on = $6, ends_on = $7,
                 client_ids = $8, roles = $9, revision = revision + 1
               where workspace_id = $1 and id = $2 and revision = $10 and withdrawn_at is null returning id`,
        values: [req.portal.workspace.id, id, ...valuesOf(it), it.revision],
      })
      if (!changed.length) throw new Conflict()
      await recordEventIn(tx, req, { event: 'announcements.changed', subject: { id, title: it.title } })
      await queueTelling(tx, host, req.portal.workspace, { id, startsOn: it.startsOn })
    })
    host.jobs.wake()
    res.redirect(303, req.portal.url(`/announcements/${id}?done=changed`))
  }

/** Nobody sees it any more; who has read it stays. */
export const saveWithdrawal =
  ({ database }: Host): Handler =>
  async (req, res) => {
    const { workspace, staff } = req.portal
    const { id, title } = await announcementOf(database, placeOf(req), req.params.id)
    await req.portal.inWorkspace(async tx => {
      const changed = await query(tx, {
        text: `update portal.client_announcements set withdrawn_at = portal.now(), withdrawn_by = $3, revision = revision + 1
               where workspace_id = $1 and id = $2 and withdrawn_at is null returning id`,
        values: [workspace.id, id, staff?.name ?? workspace.name],
      })
      if (!changed.length) throw new Conflict()
      await recordEventIn(tx, req, { event: 'announcements.withdrawn', subject: { id, title } })
    })
    res.redirect(303, req.portal.url('/announcements?done=withdrawn'))
  }
