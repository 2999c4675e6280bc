import type { Request, RequestHandler } from 'express'
import { z } from 'zod'
import { coreHostOf } from '../../src/auth/host.ts'
import { Conflict, NotFound } from '../../src/http/errors.ts'
import { recordEventIn } from '../../src/platform/activity.ts'
import { within } from '../../src/platform/database.ts'
import { MissingFile } from '../../src/platform/files.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { isReceiving } from './addresses.ts'
import { readHeldFiles, removeHeldFiles, storeFiles } from './files.ts'
import type { IncomingFile } from './incoming.ts'
import { decideMail, type HeldMail, heldMail, keptDays, listMails, tellWhy } from './mails.ts'
import { handOver, replyTo } from './receiving.ts'

/** Mails on a page. */
const size = 50

const Shown = z.object({
  show: z.enum(['held', 'ignored']).catch('held'),
  before: z.uuid().optional().catch(undefined),
})

/** Mails that are held, or those that were ignored, the newest first. */
export const showHeld =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { show, before } = Shown.parse(req.query)
    const rows = await listMails(host.database, req.portal.workspace.id, { state: show, before, size })
    res.respond('mail-replies/list', {
      ...{ show, keptDays },
      rows: rows.slice(0, size),
      next: rows.length > size ? rows[size - 1]!.key : null,
      on: isReceiving(coreHostOf(host).replies),
      done: z.enum(['accepted', 'discarded']).optional().catch(undefined).parse(req.query.done),
    })
  }

/** One that is held. */
export const showOne =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { workspace } = req.portal
    const mail = await heldOf(host, req)
    const client = await coreHostOf(host).crm.directory.client(workspace, mail.client)
    res.respond('mail-replies/one', {
      ...{ mail, keptDays },
      clientName: client?.name ?? mail.client,
      section: host.plugins.find(it => it.name === mail.kind)?.title ?? mail.kind,
      acceptable: mail.text !== '' || mail.stored,
      refused: req.query.refused === '',
    })
  }

/** Puts it into the conversation as the person to whom the mail was sent that it replies to. */
export const saveAcceptance =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { workspace, staff } = req.portal
    const mail = await heldOf(host, req)
    const { key, kind } = mail
    if (!mail.text && !mail.stored) throw new NothingToAccept()
    const { files } = await storeFiles(host, workspace.id, await filesOf(host, workspace.id, mail))
    const of = { ...mail, workspace: { id: workspace.id, slug: workspace.slug }, email: '' }
    const done = await handOver(host, { ...replyTo(of), text: mail.text, files, key }, kind, async tx => {
      const isFirst = await decideMail(tx, workspace.id, { key, state: 'accepted', by: staff?.name ?? '' })
      if (isFirst) await recordEventIn(tx, req, eventOf(req, mail, 'mail-replies.accepted'))
      return isFirst
    })
    if (typeof done !== 'string') {
      await within(host.database, { workspace: workspace.id }, tx => tellWhy(tx, workspace.id, key, done))
      return res.redirect(303, req.portal.url(`/held-mail/${key}?refused`))
    }
    await removeHeldFiles(host, workspace.id, key)
    coreHostOf(host).mailContext?.outbox.wake()
    host.jobs.wake()
    res.redirect(303, req.portal.url('/held-mail?done=accepted'))
  }

export const saveDiscarding =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { workspace, staff } = req.portal
    const mail = await heldOf(host, req)
    await within(host.database, { workspace: workspace.id }, async tx => {
      const by = staff?.name ?? ''
      if (await decideMail(tx, workspace.id, { key: mail.key, state: 'discarded', by }))
        await recordEventIn(tx, req, eventOf(req, mail, 'mail-replies.discarded'))
    })
    await removeHeldFiles(host, workspace.id, mail.key)
    res.redirect(303, req.portal.url('/held-mail?done=discarded'))
  }

class NothingToAccept extends Conflict {
  code = 'nothing-to-accept'
  message = 'There is nothing in this e-mail that could be added to the conversation.'
  advice = 'Discard it, and ask for the files in another way.'
}

/** Throws NotFound for one that is not held, or of another workspace. */
async function heldOf(host: Host, { params, portal }: Request<any>): Promise<HeldMail> {
  const key = z.guid().safeParse(params.key).data
  const mail = key && (await heldMail(host.database, portal.workspace.id, key))
  if (!mail) throw new NotFound()
  return mail
}

/** Its files, as far as they were kept. */
async function filesOf(host: Host, workspace: string, { key, stored }: HeldMail): Promise<IncomingFile[]> {
  if (!stored) return []
  try {
    return await readHeldFiles(host, workspace, key)
  } catch (error) {
    if (error instanceof MissingFile) return []
    throw error
  }
}

const eventOf = (req: Request<any>, { id, sender, client }: HeldMail, event: string) => ({
  event,
  subject: { id, from: sender },
  actor: { kind: 'staff' as const, id: req.portal.staff?.id, name: req.portal.staff?.name, client },
})
