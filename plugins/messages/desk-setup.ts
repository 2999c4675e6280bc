import type { RequestHandler } from 'express'
import { v7 as uuid } from 'uuid'
import { z } from 'zod'
import { NotFound } from '../../src/http/errors.ts'
import { read } from '../../src/http/forms.ts'
import { query } from '../../src/platform/database.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { optionOf, saveOption } from '../../src/settings/plugin-options.ts'
import { quickReplies } from './desk-reads.ts'
import { type Hours, usualAnswer, usualText } from './hours.ts'
import { uuidOf } from './store.ts'

/** Quick replies and office hours: what the whole workspace shares. */
export const showSetup =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { workspace, body, problem } = req.portal
    const [hours, replies, seconds] = await Promise.all([
      optionOf<Hours | null>(host, workspace.id, 'messages.hours'),
      quickReplies(host.database, workspace.id),
      usualAnswer(host.database, workspace.id),
    ])
    const typed = problem ? Object(body) : {}
    res.respond('messages/setup', {
      ...{ replies, hours, usually: usualText(req.portal, seconds), before: JSON.stringify(hours) },
      typedHours: 'before' in typed ? Typed.parse(typed) : undefined,
      typedReply: 'title' in typed ? Object(typed) : undefined,
      done: ['hours', 'saved', 'removed'].find(it => req.query[it] !== undefined),
    })
  }

const several = z.union([z.string().transform(it => [it]), z.array(z.string())]).catch([])

const Typed = z.object({
  days: several.transform(all => all.map(Number)),
  from: z.string().max(5).catch(''),
  to: z.string().max(5).catch(''),
})

const Saved = Typed.extend({ before: z.string().max(400), none: z.literal('on').optional().catch(undefined) })

const json = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export const saveHours =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { before, none, ...value } = read(Saved, req)
    await saveOption(req, host, { name: 'messages.hours', value: none ? null : value, before: json(before) ?? null })
    res.redirect(303, req.portal.url('/inbox/setup?hours'))
  }

const line = (most: number, missing: string) =>
  z
    .string(missing)
    .transform(it => it.trim().toWellFormed())
    .pipe(z.string().min(1, missing).max(most, 'This is too long.'))

const Reply = z.object({
  id: z.uuid().catch(() => uuid()),
  title: line(80, 'Give it a name.').transform(it => it.replace(/\s+/g, ' ')),
  text: line(4_000, 'Write the text.'),
})

/** Adds a quick reply, or changes the one of this id. */
export const saveReply: RequestHandler<any> = async (req, res) => {
  const { id, title, text } = read(Reply, req)
  const { workspace, staff } = req.portal
  await req.portal.inWorkspace(tx =>
    query(tx, {
      text: `insert into portal.client_message_quick_replies (workspace_id, id, title, text, by_name) values ($1, $2, $3, $4, $5)
             on conflict (workspace_id, id) do update set title = excluded.title, text = excluded.text,
               by_name = excluded.by_name, at = portal.now()`,
      values: [workspace.id, id, title, text, staff?.name ?? workspace.name],
    }),
  )
  res.redirect(303, req.portal.url('/inbox/setup?saved#replies'))
}

export const saveReplyRemoval: RequestHandler<any> = async (req, res) => {
  const { workspace } = req.portal
  const rows = await req.portal.inWorkspace(tx =>
    query(tx, {
      text: 'delete from portal.client_message_quick_replies where workspace_id = $1 and id = $2 returning id',
      values: [workspace.id, uuidOf(req.params.reply)],
    }),
  )
  if (!rows.length) throw new NotFound()
  res.redirect(303, req.portal.url('/inbox/setup?removed#replies'))
}
