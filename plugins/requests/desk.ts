import type { Request, RequestHandler } from 'express'
import { z } from 'zod'
import { coreHostOf } from '../../src/auth/host.ts'
import { iconOf } from '../../src/files/kinds.ts'
import { previewOf, sendPreview } from '../../src/files/previews.ts'
import { fileKey } from '../../src/files/receive.ts'
import { BeingChecked, inStore, sendStoredFile } from '../../src/files/send.ts'
import { sendZipOf, type Zipped } from '../../src/files/zip.ts'
import { NotFound, TooMany } from '../../src/http/errors.ts'
import { words } from '../../src/http/filter.ts'
import { recordEvent } from '../../src/platform/activity.ts'
import { currentTime } from '../../src/platform/clock.ts'
import type { FileStore } from '../../src/platform/files.ts'
import { dateIn, zoneOf } from '../../src/platform/i18n.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { sentencesOf } from '../../src/plugin/sentences.ts'
import { areInCrm } from '../../src/settings/own-records.ts'
import { trailOf } from '../../src/settings/record-trail.ts'
import { countsOf, findForStaff, requestsOf, type Sought, type StaffRequest, sendingsOf, shows } from './desk-reads.ts'
import { loggedAs } from './events.ts'
import { templatesOf } from './templates.ts'
import { dueOf } from './words.ts'

/** The workspace and the plain date there, which decide what is late. */
export const placeOf = ({ portal }: Request<any>, { database }: Pick<Host, 'database'>) => ({
  workspace: portal.workspace.id,
  today: dateIn(zoneOf(portal.workspace.timeZone), currentTime(database)),
})

const Filter = z.object({
  show: z.enum(shows).optional().catch(undefined),
  search: words.catch(''),
  sending: z.uuid().optional().catch(undefined),
  client: words.optional().catch(undefined),
  after: z.string().max(400).optional().catch(undefined),
})

/** How far all clients are. */
export const showDesk =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    if (areInCrm(req, host, 'requests')) return res.respond('requests/elsewhere', {})
    const asked: Sought = { ...Filter.parse(req.query), client: req.params.client }
    const { database } = host
    const place = placeOf(req, host)
    const [page, counts, sendings, templates] = await Promise.all([
      requestsOf(database, place, asked),
      countsOf(database, place.workspace, place.today, asked),
      sendingsOf(database, place, asked.sending),
      templatesOf(database, place.workspace),
    ])
    if (asked.sending && !sendings.length) throw new NotFound()
    const client = req.params.client && (await clientAt(req, host))
    res.respond('requests/desk', {
      ...{ asked, client, counts, sendings, templates: templates.length, ...page, due: dueOf(req.portal, place.today) },
      sending: asked.sending && sendings[0],
      stored: host.files !== undefined,
      mails: coreHostOf(host).mailContext !== undefined,
      done: ['sent', 'withdrawn', 'prompted'].find(it => req.query[it] !== undefined),
    })
  }

async function clientAt({ portal, params }: Request<any>, host: Host): Promise<{ name: string }> {
  const client = await coreHostOf(host).crm.directory.client(portal.workspace, params.client)
  if (!client) throw new NotFound()
  return client
}

/** One request, with what was sent for each item, and what happened to it. */
export const showOne =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { database } = host
    const place = placeOf(req, host)
    const request = await findForStaff(database, place, req.params.id)
    const { problem, body } = req.portal
    const sentences = sentencesOf(coreHostOf(host).plugins)
    const trail = await trailOf(database, {
      ...{ workspace: place.workspace, client: request.client, section: 'requests', id: request.id },
    })
    res.respond('requests/one', {
      ...{ request, iconOf, due: dueOf(req.portal, place.today) },
      trail: trail.map(it => ({ ...it, words: req.portal.sentence(sentences[it.event] ?? it.event, it.subject) })),
      filledIn: problem ? Object(body) : {},
      item: req.params.item,
      mails: coreHostOf(host).mailContext !== undefined,
      done: ['changed', 'accepted', 'returned', 'added', 'closed', 'reopened', 'prompted', 'removed'].find(
        it => req.query[it] !== undefined,
      ),
    })
  }

/** Sends a file to staff. */
export const sendToStaff =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { request, file } = await fileAt(req, host)
    await recordEvent(req, {
      event: 'requests.file_downloaded',
      subject: loggedAs(request.id, { request: file.name, personal: request.person !== null }),
      actor: actorOf(req, request.client),
    })
    const { name, type, size } = file
    const key = fileKey(req.portal.workspace.id, file.id)
    await sendStoredFile(req, res, {
      name,
      type,
      size,
      version: file.tag ?? '',
      ...inStore(host.files as FileStore, key),
    })
  }

export const sendPreviewToStaff =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { file } = await fileAt(req, host)
    const store = host.files as FileStore
    const key = fileKey(req.portal.workspace.id, file.id)
    const { type, size } = file
    sendPreview(res, await previewOf({ store, key, type, size, open: () => store.read(key) }, 'small'))
  }

const actorOf = ({ portal }: Request<any>, client: string) =>
  ({ kind: 'staff', id: portal.staff?.id, name: portal.staff?.name, client }) as const

async function fileAt(req: Request<any>, host: Host) {
  const request = await findForStaff(host.database, placeOf(req, host), req.params.id)
  const file = request.list.flatMap(it => it.files).find(it => it.id === req.params.file)
  if (!file || !host.files || file.state === 'infected' || file.state === 'arriving') throw new NotFound()
  if (file.state === 'checking') throw new BeingChecked()
  return { request, file }
}

/** Files in one zip, and requests that are looked through for them. */
const most = { files: 5_000, requests: 500 }

/** 422: more files than fit into one zip. */
class TooManyFiles extends TooMany {
  message = 'There are too many files for one zip.'
  advice = 'Choose one client, or a part of the list.'
}

/** Everything that was sent for the requests of a list, or for one: a folder for each client, and one in it for each item. */
export const sendZipToStaff =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const asked = Filter.parse(req.query)
    const { id } = req.params
    const place = placeOf(req, host)
    const found = id ? [await findForStaff(host.database, place, id)] : await everyRequest(host, place, asked)
    const files = found.flatMap(it => zippedOf(req, host, it, id === undefined))
    if (!files.length) return res.redirect(303, req.portal.url(id ? `/requests/${id}` : '/requests'))
    if (files.length > most.files) throw new TooManyFiles()
    for (const it of found) {
      const count = it.list.flatMap(one => one.files).filter(one => one.state === 'ready').length
      if (count)
        await recordEvent(req, {
          event: 'requests.zip_downloaded',
          subject: loggedAs(it.id, { request: it.name, personal: it.person !== null }, { count }),
          actor: actorOf(req, it.client),
        })
    }
    await sendZipOf(res, found[0]!.name, files)
  }

async function everyRequest(host: Host, place: { workspace: string; today: string }, asked: Sought) {
  const found: StaffRequest[] = []
  let after: string | undefined
  do {
    const page = await requestsOf(host.database, place, { ...asked, after })
    for (const it of page.items.filter(one => one.files > 0))
      found.push(await findForStaff(host.database, place, it.id))
    if (found.length > most.requests) throw new TooManyFiles()
    after = page.next ?? undefined
  } while (after)
  return found
}

function zippedOf({ portal }: Request<any>, { files }: Host, request: StaffRequest, several: boolean): Zipped[] {
  const client = several ? [request.clientName, request.personName].filter(Boolean).join(', ') : undefined
  return request.list.flatMap(item =>
    item.files
      .filter(it => it.state === 'ready')
      .map(it => ({
        folders: [client, ...(several ? [request.name] : []), item.name].filter(part => part !== undefined),
        ...{ name: it.name, type: it.type, at: new Date(it.at) },
        open: () => (files as FileStore).read(fileKey(portal.workspace.id, it.id)),
      })),
  )
}
