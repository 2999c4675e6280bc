import type { RequestHandler } from 'express'
import { z } from 'zod'
import { filterOf } from '../../src/http/filter.ts'
import { recordEvent } from '../../src/platform/activity.ts'
import { piecesOf, summaryOf } from './text.ts'

export const Filter = filterOf({ statuses: [], sorts: ['newest'] })

export const showList: RequestHandler = async (req, res) => {
  const { announcements } = req.portal.crm
  res.respond('announcements/list', { ...(await announcements.list(Filter.parse(req.query))), summaryOf })
}

export const showOne: RequestHandler<any> = async (req, res) => {
  const { announcements } = req.portal.crm
  const announcement = await announcements.find(req.params.id)
  if (isReading(req) && (await announcements.markRead(announcement.id)))
    await recordEvent(req, {
      event: 'announcements.viewed',
      subject: { id: announcement.id, title: announcement.title },
    })
  res.respond('announcements/show', { announcement, piecesOf })
}

/** A person does, and neither staff who view as a client, nor a program, nor a browser that fetches ahead. */
const isReading = (req: Parameters<RequestHandler>[0]) =>
  req.method === 'GET' && !req.portal.viewing && !req.portal.bearer && !req.get('Sec-Purpose')

/** `back` is `home` for the button on the first page. */
export const Dismissing = z.object({ back: z.enum(['home']).optional().catch(undefined) })

export const saveDismissal: RequestHandler<any> = async (req, res) => {
  const { back } = Dismissing.parse(Object(req.portal.body))
  await req.portal.crm.announcements.dismiss(req.params.id)
  res.redirect(303, req.portal.url(back ? '/' : '/announcements'))
}
