import type { Request, RequestHandler } from 'express'
import { v7 as uuid } from 'uuid'
import { z } from 'zod'
import { coreHostOf } from '../../src/auth/host.ts'
import type { RecipientOf } from '../../src/auth/recipients.ts'
import { attach, clientLimits, shownFiles, withAttachments } from '../../src/files/attachments.ts'
import type { ReceivedFile } from '../../src/files/receive.ts'
import { Invalid } from '../../src/http/errors.ts'
import { words } from '../../src/http/filter.ts'
import { read } from '../../src/http/forms.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { clientsWithPeople } from '../../src/settings/client-choice.ts'
import { recipientsOf, runStaffAction } from '../../src/settings/plugin-actions.ts'
import { author, noteStaff, once, Repeated } from './desk-changes.ts'
import { queueTelling } from './jobs.ts'
import { keepMessage, keepThread } from './keep.ts'
import { Starting } from './pages.ts'
import { follow, ofMessage } from './store.ts'

/** Clients in a list that staff choose from; others are found by their name. */
const offered = 40

/** The form as it was typed. */
const Form = z.object({
  id: z.uuid().catch(() => uuid()),
  title: z.string().catch(''),
  text: z.string().catch(''),
  client: z.string().max(300).catch(''),
  person: z.string().catch(''),
  search: words.catch(''),
})

/** The form of a new conversation with a client. */
export const showNewThread =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { workspace, body } = req.portal
    const form = Form.parse(req.method === 'POST' ? Object(body) : { client: req.query.client })
    const [clients, chosen] = await Promise.all([
      clientsWithPeople(host.database, workspace.id, { search: form.search, size: offered + 1 }),
      form.client ? clientOf(req, host, form.client) : undefined,
    ])
    res.respond('messages/new-thread', {
      ...{ form, more: clients.length > offered, ...shownFiles(host) },
      clients: [...(chosen ? [chosen] : []), ...clients.slice(0, offered).filter(it => it.id !== form.client)],
      people: chosen ? await recipientsOf(req, { client: chosen.id, section: 'messages' }) : [],
      mails: coreHostOf(host).mailContext !== undefined,
    })
  }

/** With the name that the CRM has now. */
async function clientOf({ portal }: Request<any>, host: Host, id: string) {
  const { directory } = coreHostOf(host).crm
  const found = await directory.client(portal.workspace, id).catch(() => undefined)
  return found && { id: found.id, name: found.name }
}

/** Begins a conversation. Everybody who may read it takes part, or the one person whom it is written to. */
export const saveNewThread =
  (host: Host): RequestHandler<any> =>
  async (req, res, next) => {
    const starting = withAttachments(req, host, files =>
      Object(req.portal.body).step === 'find' ? finding(files) : start(req, host, files),
    )
    const thread = await once(starting, Form.parse(Object(req.portal.body)).id).catch(error => {
      if (!(error instanceof Finding)) throw error
    })
    if (thread === undefined) return showNewThread(host)(req, res, next)
    res.redirect(303, req.portal.url(`/inbox/${thread}?show=all&sent#end`))
  }

/** Nothing is to be sent yet: staff look for a client. Files that came with it have to be chosen again. */
class Finding extends Error {}

const finding = (_files: ReceivedFile[]): Promise<string> => Promise.reject(new Finding())

/** Throws Invalid. Gives the conversation's id. */
async function start(req: Request<any>, host: Host, files: ReceivedFile[]): Promise<string> {
  const { workspace, body } = req.portal
  const form = Form.parse(Object(body))
  const client = await clientOf(req, host, form.client)
  if (!client) throw new Invalid({ client: ['Choose a client.'] }, body)
  const { id, text, title } = read(Starting, req)
  if (!text && !files.length) throw new Invalid({ text: ['Write a message.'] }, body)
  const people = chosenOf(await recipientsOf(req, { client: client.id, section: 'messages' }), form.person)
  if (!people.length) throw new Invalid({ person: ['Nobody at this client can read messages.'] }, body)
  const { space: most } = await clientLimits(host, workspace.id)
  const by = author(req)
  const of = { workspace: workspace.id, client: client.id }
  await runStaffAction(
    req,
    async tx => {
      const thread = await keepThread(tx, { workspace: workspace.id, id, client, by, title })
      for (const { id: person, name } of people)
        await follow(tx, { ...of, thread, by: { kind: 'client', id: person, name } }, true)
      const stored = await keepMessage(tx, { ...of, thread, id, by, text })
      if (stored.repeated) throw new Repeated()
      await attach(tx, host, { ...ofMessage, id, workspace, client: client.id, by, most, typed: body }, files)
      await noteStaff(tx, workspace.id, by)
      await queueTelling(tx, host, { workspace, client: client.id, thread })
    },
    () => ({ event: 'messages.addressed', client: client.id, subject: { id, number: title, message: id } }),
  )
  return id
}

const chosenOf = (all: RecipientOf[], person: string) => (person ? all.filter(it => it.id === person) : all)
