import type { RequestHandler } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import type { MailContext } from '../auth/mail-context.ts'
import type { Activation } from '../crm/activation/activation.ts'
import type { Crm } from '../crm/crm.ts'
import { page as pageOf } from '../http/paging.ts'
import { readWithin } from '../platform/database.ts'
import type { Log } from '../platform/log.ts'
import type { Section } from '../plugin/plugin.ts'
import { type Away, adoptionCounts, adoptionPage, keyOfRow, shows } from './adoption-lists.ts'
import { type Outcome, remindOne } from './recall.ts'
import { waitingFor } from './unopened.ts'

interface Parts {
  activation: Pick<Activation, 'availablePorts'>
  crm: Crm
  database: Knex
  log: Log
  mailContext: MailContext | undefined
  sections: Section[]
}

/** So many people are on a page. */
const size = 50

/** Lists who was invited and never came, or came and has not for 60 days, with what waits for them. */
export function showAdoption({ database, mailContext, ...parts }: Parts): RequestHandler {
  const kinds = parts.sections.flatMap(it => Object.keys(it.mails ?? {})).filter(it => !it.startsWith('staff-'))
  return async (req, res) => {
    const { workspace } = req.portal
    const { show, after, ...done } = Asked.parse(req.query)
    const scope = { workspace: workspace.id }
    const [[counts], rows] = await Promise.all([
      readWithin<Record<(typeof shows)[number], number>>(database, scope, adoptionCounts),
      readWithin<Away>(database, scope, adoptionPage(show, { after, size, kinds })),
    ])
    const { items, next } = pageOf(rows, size, keyOfRow)
    const waiting = await waitingFor(req, items, parts)
    res.respond('settings/adoption', {
      ...{ show, next, counts, done, mails: mailContext !== undefined },
      nobody: req.query.nobody === '',
      people: items.map((it, at) => ({ ...it, waiting: waiting[at] })),
    })
  }
}

const count = z.coerce.number().int().min(0).max(10_000).catch(0)

const Asked = z.object({
  show: z.enum(shows).catch('never'),
  after: z.string().max(500).optional().catch(undefined),
  sent: count,
  recent: count,
  gone: count,
})

/** `one` of them, by its own button; `all` that the page shows; or those that are ticked. */
const Chosen = z.object({
  one: z.string().max(100).optional().catch(undefined),
  all: z.string().optional().catch(undefined),
  show: z.enum(shows).catch('never'),
  chosen: z.preprocess(listed, z.array(z.string().max(100)).max(size)).catch([]),
  shown: z.preprocess(listed, z.array(z.string().max(100)).max(size)).catch([]),
})

function listed(it: unknown): unknown {
  return it === undefined ? [] : [it].flat()
}

/** Invites people again, each in a transaction of their own and at most once a week. */
export const saveInvitedAgain =
  (mailContext: MailContext): RequestHandler =>
  async (req, res) => {
    const { one, all, show, chosen, shown } = Chosen.parse(req.portal.body ?? {})
    const keys = one === undefined ? (all === undefined ? chosen : shown) : [one]
    if (!keys.length && 'show' in Object(req.portal.body))
      return res.redirect(303, req.portal.url(`/people/adoption?show=${show}&nobody`))
    const outcomes: Outcome[] = []
    for (const key of new Set(keys)) outcomes.push(await remindOne(mailContext, req, key))
    res.redirect(303, req.portal.url(`/people/adoption?${resultOf(show, outcomes)}`))
  }

function resultOf(show: string, outcomes: Outcome[]): URLSearchParams {
  const counts = Map.groupBy(outcomes, it => it)
  const told = new URLSearchParams({ show })
  for (const [outcome, its] of counts) told.set(outcome, String(its.length))
  return told
}
