import type { Request, RequestHandler } from 'express'
import type { Knex } from 'knex'
import { v7 as uuid } from 'uuid'
import { z } from 'zod'
import { coreHostOf } from '../../src/auth/host.ts'
import { documentAt } from '../../src/auth/mail-context.ts'
import type { RecipientOf } from '../../src/auth/recipients.ts'
import { rightsOf } from '../../src/auth/roles.ts'
import { Invalid } from '../../src/http/errors.ts'
import { words } from '../../src/http/filter.ts'
import { read } from '../../src/http/forms.ts'
import { excerptOf } from '../../src/mail/content.ts'
import { itemsText } from '../../src/mail/items.ts'
import { notifyPeople } from '../../src/notifications/notify.ts'
import { recordEventIn } from '../../src/platform/activity.ts'
import { query } from '../../src/platform/database.ts'
import type { Speech } from '../../src/platform/i18n.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { clientsWithPeople } from '../../src/settings/client-choice.ts'
import { placeOf } from './desk.ts'
import { fields, requireFuture, saveItems } from './desk-changes.ts'

/** Clients in a list that staff choose from; others are found by their name. */
const offered = 40

/** The most clients that get a task at once. */
const mostClients = 100

const several = z
  .union([z.string().transform(it => [it]), z.array(z.string())])
  .default([])
  .transform(all => [...new Set(all.filter(it => it !== ''))])

/** The form as it was typed. */
const Form = z.object({
  id: z.uuid().catch(() => uuid()),
  title: z.string().catch(''),
  text: z.string().catch(''),
  items: z.string().catch(''),
  dueOn: z.string().catch(''),
  client: several.catch([]),
  person: z.string().catch(''),
  search: words.catch(''),
})

/** The form of a new task: what is to be done, by whom, and until when. */
export const showNew =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { workspace, body } = req.portal
    const form = Form.parse(req.method === 'POST' ? Object(body) : { client: req.query.client })
    const [clients, chosen] = await Promise.all([
      clientsWithPeople(host.database, workspace.id, { search: form.search, size: offered + 1 }),
      clientsOf(req, host, form.client.slice(0, mostClients)),
    ])
    const [only, second] = chosen
    res.respond('tasks/new', {
      ...{ form, today: placeOf(req, host).today, mails: coreHostOf(host).mailContext !== undefined },
      people: only && !second ? await peopleOf(req, only.id) : [],
      clients: [...chosen, ...clients.slice(0, offered).filter(it => !form.client.includes(it.id))],
      more: clients.length > offered,
    })
  }

interface Client {
  id: string
  name: string
}

/** With the names that the CRM has now; those that it does not have are left out. */
async function clientsOf({ portal }: Request<any>, host: Host, ids: string[]): Promise<Client[]> {
  const { directory } = coreHostOf(host).crm
  const found = await Promise.all(ids.map(id => directory.client(portal.workspace, id).catch(() => undefined)))
  return found.flatMap(it => (it ? [{ id: it.id, name: it.name }] : []))
}

/** Who at a client can complete tasks. */
async function peopleOf({ portal }: Request<any>, client: string): Promise<RecipientOf[]> {
  const { workspace } = portal
  const rights = await portal.inWorkspace(tx => rightsOf(tx, workspace.id))
  return portal.recipients({ workspace, client, rights }, { section: 'tasks', may: ['see', 'complete'], on: [] })
}

const Given = z.object(fields)
type Given = z.infer<typeof Given>

/** What one client gets, and who is mailed about it. */
interface Gift {
  id: string
  client: Client
  person?: { id: string; name: string }
  readers: RecipientOf[]
}

/** Gives the task to each client that was chosen, once, also if the form is sent twice. */
export const saveNew =
  (host: Host): RequestHandler<any> =>
  async (req, res, next) => {
    const { step } = Object(req.portal.body)
    if (step === 'find') return showNew(host)(req, res, next)
    const given = read(Given, req)
    requireFuture(req, given.dueOn, placeOf(req, host).today)
    const form = Form.parse(req.portal.body)
    const gifts = await giftsOf(req, host, form)
    await req.portal.inWorkspace(async tx => {
      const made: Gift[] = []
      for (const it of gifts) if (await give(tx, req, { ...it, batch: form.id }, given)) made.push(it)
      await tellReaders(tx, req, host, made, given)
    })
    req.portal.mailContext?.outbox.wake()
    res.redirect(303, req.portal.url(`/tasks?created=${gifts.length}`))
  }

/** Throws Invalid. */
async function giftsOf(req: Request<any>, host: Host, form: z.infer<typeof Form>): Promise<Gift[]> {
  const refuse = (errors: Record<string, string[]>) => new Invalid(errors, req.portal.body)
  if (form.client.length > mostClients) throw refuse({ client: ['Choose at most 100 clients.'] })
  const clients = await clientsOf(req, host, form.client)
  if (!clients.length) throw refuse({ client: ['Choose at least one client.'] })
  const gifts: Gift[] = []
  for (const client of clients) gifts.push({ id: uuid(), client, readers: await peopleOf(req, client.id) })
  if (!form.person) return gifts
  const [gift] = gifts
  const person = gifts.length === 1 && gift?.readers.find(it => it.id === form.person)
  if (!gift || !person)
    throw refuse({ person: ['This person cannot complete tasks of this client. Choose another one.'] })
  return [{ ...gift, person: { id: person.id, name: person.name }, readers: [person] }]
}

/** Whether the client did not have it yet. */
async function give(tx: Knex, req: Request<any>, it: Gift & { batch: string }, given: Given): Promise<boolean> {
  const { workspace, staff } = req.portal
  const { id, client, person } = it
  const by = staff?.name ?? workspace.name
  const made = await query(tx, {
    text: `insert into portal.client_tasks
             (workspace_id, id, batch_id, client_id, client_name, person_id, person_name, title, text, due_on, asked_by)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict do nothing returning id`,
    values: [
      ...[workspace.id, id, it.batch, client.id, client.name, person?.id ?? null, person?.name ?? null],
      ...[given.title, given.text, given.dueOn, by],
    ],
  })
  if (!made.length) return false
  await saveItems(tx, { workspace: workspace.id, task: id, client: client.id }, given.items)
  const actor = { kind: 'staff', id: staff?.id, name: staff?.name, client: client.id } as const
  await recordEventIn(tx, req, { event: 'tasks.assigned', subject: { id, number: given.title }, actor })
  return true
}

/** Tells each person of the task of each client, by one mail with a link to each. */
async function tellReaders(tx: Knex, req: Request<any>, host: Host, gifts: Gift[], given: Given): Promise<void> {
  const { workspace, staff, mailContext } = req.portal
  const address = mailContext?.address ?? ''
  const linkTo = ({ id, client }: Gift) =>
    documentAt({ address }, workspace.slug, { client: client.id, section: 'tasks', id })
  const all = gifts.flatMap(gift => gift.readers.map(reader => ({ gift, reader })))
  for (const its of Map.groupBy(all, it => it.reader.id).values()) {
    const task = { title: given.title, text: excerptOf(given.text ?? '') }
    const links = its.length > 1 ? its.map(it => ({ title: it.gift.client.name, text: '', url: linkTo(it.gift) })) : []
    const by = staff?.name ?? workspace.name
    const mail = () => ({
      facts: ({ longDay }: Speech) => ({
        ...{ staff: by, name: given.title, items: itemsText([task, ...links]) },
        day: given.dueOn ? longDay(given.dueOn) : '',
      }),
    })
    for (const [at, { gift, reader }] of its.entries())
      await notifyPeople(tx, host, req, [reader], {
        kind: 'tasks.assigned',
        record: { client: gift.client.id, section: 'tasks', id: gift.id },
        facts: { staff: by, name: given.title, due: given.dueOn ? 1 : 0, day: { day: given.dueOn ?? '2000-01-01' } },
        mail: at === 0 && mail,
      })
  }
}
