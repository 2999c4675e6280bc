import type { Request, RequestHandler } from 'express'
import { z } from 'zod'
import { acceptOf, iconOf } from '../../src/files/kinds.ts'
import { previewOf, sendPreview } from '../../src/files/previews.ts'
import { sendStoredFile } from '../../src/files/send.ts'
import { sendZipOf } from '../../src/files/zip.ts'
import { NotFound } from '../../src/http/errors.ts'
import { filterOf } from '../../src/http/filter.ts'
import { read } from '../../src/http/forms.ts'
import { recordEvent } from '../../src/platform/activity.ts'
import type { FileStore } from '../../src/platform/files.ts'
import { runAction } from '../../src/plugin/action.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { attachedTo } from '../../src/settings/plugin-actions.ts'
import { loggedAs } from './events.ts'
import { clientLimits, takesFiles, type Uploading } from './limits.ts'
import { type Item, type RequestedList, sorts, statuses } from './port.ts'
import { dueOf } from './words.ts'

export const Filter = filterOf({ statuses, sorts })

export const showList: RequestHandler = async (req, res) => {
  const filter = Filter.parse(req.query)
  const { requests } = req.portal.crm
  const [page, counts, found] = await Promise.all([
    requests.list(filter),
    requests.counts(),
    filter.search ? requests.counts(filter.search) : undefined,
  ])
  res.respond('requests/list', { filter, counts, found, due: dueIn(req), ...page })
}

export const showRequest =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { id } = req.params
    const request = await req.portal.crm.requests.find(id)
    // A page that refreshes by itself was looked at before.
    if (!req.get('X-Portico-Refresh')) await recordEvent(req, { event: 'requests.viewed', subject: subjectOf(request) })
    const taking = request.state === 'open' && takesFiles(req, host)
    const limits = taking ? await clientLimits(host, req.portal.workspace.id) : undefined
    res.respond('requests/show', {
      ...{ request, limits, accept: limits?.kinds && acceptOf(limits.kinds), iconOf, due: dueIn(req) },
      ...groupsOf(request),
      result: (req as Uploading).result,
      at: (req as Uploading).at,
      sent: z.coerce.number().int().min(1).max(100).optional().catch(undefined).parse(req.query.sent),
      done: ['removed', 'dismissed', 'undismissed'].find(it => req.query[it] !== undefined),
      ...(await attachedTo(req, 'requests', request.id)),
    })
  }

const dueIn = ({ portal }: Request<any>) => dueOf(portal, portal.customer.today)

const subjectOf = ({ id, name, personal }: RequestedList, more: object = {}) =>
  loggedAs(id, { request: name, personal }, more)

/** What is to do, and what is done. */
const groupsOf = ({ list }: RequestedList) => {
  const isDone = ({ state }: Item) => state === 'sent' || state === 'skipped'
  const first = (it: Item) => (it.state === 'returned' ? 0 : 1)
  return {
    todo: list.filter(it => it.state === 'open' || it.state === 'returned').sort((a, b) => first(a) - first(b)),
    finished: list.filter(isDone),
    withdrawn: list.filter(it => it.state === 'withdrawn'),
  }
}

export const sendFile: RequestHandler<any> = async (req, res) => {
  const { id, file } = req.params
  const { requests } = req.portal.crm
  const [content, { personal }] = await Promise.all([requests.content(id, file), requests.find(id)])
  // A download that goes on is one download.
  if (req.method === 'GET' && !/^bytes=[1-9]/.test(req.get('Range') ?? ''))
    await recordEvent(req, {
      event: 'requests.file_downloaded',
      subject: loggedAs(id, { request: content.name, personal }),
    })
  await sendStoredFile(req, res, content)
}

export const sendFilePreview =
  ({ files }: Host): RequestHandler<any> =>
  async (req, res) => {
    const { key, type, size, open } = await req.portal.crm.requests.content(req.params.id, req.params.file)
    sendPreview(res, await previewOf({ store: files as FileStore, key, type, size, open: () => open() }, 'small'))
  }

export const sendExample: RequestHandler<any> = async (req, res) => {
  const { id, item } = req.params
  await sendStoredFile(req, res, await req.portal.crm.requests.example(id, item))
}

/** Everything that was sent, a folder for each item. */
export const sendZip: RequestHandler<any> = async (req, res) => {
  const { requests } = req.portal.crm
  const request = await requests.find(req.params.id)
  const files = request.list.flatMap(item => item.files.filter(it => it.state === 'ready').map(it => ({ ...it, item })))
  if (!files.length) throw new NotFound()
  await recordEvent(req, {
    event: 'requests.zip_downloaded',
    subject: subjectOf(request, { count: files.length }),
  })
  const zipped = files.map(({ item, id, name, type, at }) => ({
    ...{ folders: [item.name], name, type, at: new Date(at) },
    open: async () => (await requests.content(request.id, id)).open(),
  }))
  await sendZipOf(res, request.name, zipped)
}

const Reason = z.object({
  reason: z
    .string('Say why it does not apply.')
    .trim()
    .min(1, 'Say why it does not apply.')
    .max(1_000, 'Use at most 1,000 characters.')
    .transform(it => it.toWellFormed()),
})

export const saveDismissal: RequestHandler<any> = async (req, res) => {
  const { id, item } = req.params
  await req.portal.crm.requests.find(id)
  ;(req as Uploading).at = item
  const { reason } = read(Reason, req)
  await runAction(
    req,
    ({ crm }) => crm.requests!.dismiss(id, item, reason),
    done => ({ event: 'requests.dismissed', subject: loggedAs(id, done, { reason }) }),
  )
  res.redirect(303, req.portal.url(`/requests/${encodeURIComponent(id)}?dismissed#todo`))
}

export const saveDismissalRemoval: RequestHandler<any> = async (req, res) => {
  const { id, item } = req.params
  await runAction(
    req,
    ({ crm }) => crm.requests!.undismiss(id, item),
    done => ({ event: 'requests.undismissed', subject: loggedAs(id, done) }),
  )
  res.redirect(303, req.portal.url(`/requests/${encodeURIComponent(id)}?undismissed#item-${item}`))
}
