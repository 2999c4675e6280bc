import type { Request, RequestHandler } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { Conflict, Invalid, NotFound } from '../../src/http/errors.ts'
import { read } from '../../src/http/forms.ts'
import { query } from '../../src/platform/database.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { runStaffAction } from '../../src/settings/plugin-actions.ts'
import { mostItems } from './content.ts'
import { placeOf } from './desk.ts'
import { findForStaff, type StaffRequest } from './desk-reads.ts'
import { loggedAs } from './events.ts'
import { changing, type Locked, type Place, recount, setState } from './items.ts'
import { addItems, listedInMail, peopleOf, tellPeople } from './sending.ts'
import { itemsOf, listFields } from './templates.ts'

const requestAt = (req: Request<any>, host: Host): Promise<StaffRequest> =>
  findForStaff(host.database, placeOf(req, host), req.params.id)

const staffAt = ({ portal }: Request<any>, tx: Knex): Place => ({
  database: tx,
  workspace: portal.workspace.id,
  by: { kind: 'staff', id: portal.staff?.id ?? '', name: portal.staff?.name ?? portal.workspace.name },
})

const back = (req: Request<any>, done: string, at = '') =>
  req.portal.url(`/requests/${encodeURIComponent(req.params.id)}?${done}${at && `#item-${at}`}`)

const logged = ({ id, name, person, client }: StaffRequest, event: `requests.${string}`, more: object = {}) => ({
  event,
  subject: loggedAs(id, { request: name, personal: person !== null }, more),
  client,
})

/** 409: somebody else changed the item since the page was shown. */
function requireVersion(it: Locked, version: number): void {
  if (it.version !== version || it.requestState === 'withdrawn') throw new Conflict()
}

const Version = z.coerce.number('Reload the page and try again.').int()

/** Accepts an item as it was shown. Twice is once. */
export const saveAcceptance =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const request = await requestAt(req, host)
    const { version } = read(z.object({ version: Version }), req)
    const which = { request: request.id, item: req.params.item }
    const item = request.list.find(it => it.id === which.item)
    await runStaffAction(
      req,
      tx =>
        changing(staffAt(req, tx), which, async (_tx, it) => {
          requireVersion(it, version)
          await accept(tx, req, it)
          return {}
        }),
      () => logged(request, 'requests.item_accepted', { item: item?.name, count: 1 }),
    )
    res.redirect(303, back(req, 'accepted', which.item))
  }

async function accept(tx: Knex, { portal }: Request<any>, { request, item, state }: Locked): Promise<void> {
  if (state !== 'sent' && state !== 'skipped') throw new Conflict()
  await query(tx, {
    text: `update portal.client_request_items set accepted_at = portal.now(), accepted_by = $4, version = version + 1
           where workspace_id = $1 and request_id = $2 and id = $3 and accepted_at is null`,
    values: [portal.workspace.id, request, item, portal.staff?.name ?? ''],
  })
}

const Seen = z.object({ seen: z.string().max(40_000).default('') })

/** Accepts all items that are as they were shown; what changed since waits to be looked at. */
export const saveAllAccepted =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const request = await requestAt(req, host)
    const seen = new Map(
      read(Seen, req)
        .seen.split(',')
        .map(it => it.split(':') as [string, string]),
    )
    const its = request.list.filter(it => seen.get(it.id) === String(it.version) && !it.accepted)
    if (!its.length) throw new Conflict()
    const place = (tx: Knex) => staffAt(req, tx)
    await runStaffAction(
      req,
      async tx => {
        for (const { id, version } of its)
          await changing(place(tx), { request: request.id, item: id }, async (_tx, it) => {
            requireVersion(it, version)
            await accept(tx, req, it)
            return {}
          })
      },
      () => logged(request, 'requests.item_accepted', { item: its[0]!.name, count: its.length }),
    )
    res.redirect(303, back(req, 'accepted'))
  }

const Returned = z.object({
  version: Version,
  reason: z
    .string('Say what is missing.')
    .trim()
    .min(1, 'Say what is missing.')
    .max(1_000, 'Use at most 1,000 characters.')
    .transform(it => it.toWellFormed()),
})

/** Seconds until the client is told: several items that are sent back in a row are one mail. */
const patience = 120

/** Sends an item back with a comment. The client is told a little later, of all that was sent back. */
export const saveReturn =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const request = await requestAt(req, host)
    const { version, reason } = read(Returned, req)
    const { workspace } = req.portal
    const which = { request: request.id, item: req.params.item }
    const item = request.list.find(it => it.id === which.item)
    await runStaffAction(
      req,
      tx =>
        changing(staffAt(req, tx), which, async (_tx, it) => {
          requireVersion(it, version)
          if (it.state !== 'sent' && it.state !== 'skipped') throw new Conflict()
          await setState(tx, staffAt(req, tx), it, { state: 'returned', reason })
          await query(tx, {
            text: `update portal.client_request_files set returned = true where workspace_id = $1 and request_id = $2 and item_id = $3`,
            values: [workspace.id, it.request, it.item],
          })
          await query(tx, {
            text: 'update portal.client_request_items set told = false where workspace_id = $1 and request_id = $2 and id = $3',
            values: [workspace.id, it.request, it.item],
          })
          const data = { request: request.id }
          await host.jobs.queue(tx, { job: 'requests.tell', workspace, data, seconds: patience })
          return {}
        }),
      () => logged(request, 'requests.item_returned', { item: item?.name }),
    )
    res.redirect(303, back(req, 'returned', which.item))
  }

/** Asks for an item no more. What was sent for it stays. */
export const saveItemWithdrawal =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const request = await requestAt(req, host)
    const which = { request: request.id, item: req.params.item }
    const item = request.list.find(it => it.id === which.item)
    await runStaffAction(
      req,
      tx =>
        changing(staffAt(req, tx), which, async (_tx, it) => {
          await setState(tx, staffAt(req, tx), it, { state: 'withdrawn' })
          return {}
        }),
      () => logged(request, 'requests.item_withdrawn', { item: item?.name }),
    )
    res.redirect(303, back(req, 'removed'))
  }

/** Adds items to a request that is with the client already. */
export const saveMoreItems =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const request = await requestAt(req, host)
    const { workspace } = req.portal
    const items = itemsOf(req, read(z.object({ items: listFields.items }), req).items)
    if (request.list.length + items.length > mostItems)
      throw new Invalid({ items: [req.portal.t('Use at most {count} items.', { count: mostItems })] }, req.portal.body)
    await runStaffAction(
      req,
      async tx => {
        await requireOpen(tx, workspace.id, request.id)
        const of = { workspace: workspace.id, request: request.id, client: request.client, from: request.list.length }
        await addItems(tx, of, items)
        await recount(tx, workspace.id, request.id)
      },
      () => logged(request, 'requests.items_added', { count: items.length }),
    )
    res.redirect(303, back(req, 'added'))
  }

/** Locks a request. Throws Conflict where it is closed or withdrawn. */
async function requireOpen(tx: Knex, workspace: string, id: string): Promise<void> {
  const [open] = await query(tx, {
    text: `select from portal.client_requests where workspace_id = $1 and id = $2 and state = 'open' for update`,
    values: [workspace, id],
  })
  if (!open) throw new Conflict()
}

export const DueOn = z
  .union([z.literal('').transform(() => null), z.iso.date('Enter a date.')], 'Enter a date.')
  .default(null)

/** Throws Invalid for a day that has passed, unless it was there before. */
export function requireFuture(req: Request<any>, dueOn: string | null, today: string, before?: string | null): void {
  if (dueOn && dueOn < today && dueOn !== before)
    throw new Invalid({ dueOn: ['This day has passed. Choose today or a later one.'] }, req.portal.body)
}

const Changed = z.object({ name: listFields.name, about: listFields.about, dueOn: DueOn })

/** Changes the name, the text and the last day of a request. */
export const saveRequest =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const request = await requestAt(req, host)
    const { workspace } = req.portal
    const { name, about, dueOn } = read(Changed, req)
    requireFuture(req, dueOn, placeOf(req, host).today, request.dueOn)
    await runStaffAction(
      req,
      tx =>
        query(tx, {
          text: `update portal.client_requests set name = $3, about = $4, due_on = $5, changed_at = portal.now()
                 where workspace_id = $1 and id = $2`,
          values: [workspace.id, request.id, name, about, dueOn],
        }),
      () => logged({ ...request, name }, 'requests.changed'),
    )
    res.redirect(303, back(req, 'changed'))
  }

const moves = {
  closing: { from: ['open'], to: 'closed', event: 'requests.closed', done: 'closed' },
  reopening: { from: ['closed', 'withdrawn'], to: 'open', event: 'requests.reopened', done: 'reopened' },
  withdrawal: { from: ['open', 'closed'], to: 'withdrawn', event: 'requests.withdrawn', done: 'closed' },
} as const

/** Closes, withdraws or opens a request again. */
export const saveMove =
  (host: Host, move: keyof typeof moves): RequestHandler<any> =>
  async (req, res) => {
    const request = await requestAt(req, host)
    const { from, to, event, done } = moves[move]
    await runStaffAction(
      req,
      async tx => {
        const moved = await query(tx, {
          text: `update portal.client_requests set state = $3, changed_at = portal.now()
                 where workspace_id = $1 and id = $2 and state = any ($4) returning id`,
          values: [req.portal.workspace.id, request.id, to, from],
        })
        if (!moved.length) throw new Conflict()
      },
      () => logged(request, event),
    )
    res.redirect(303, back(req, done))
  }

/** Reminds the people of a client now; at most once a day. */
export const savePrompt =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const request = await requestAt(req, host)
    const { workspace } = req.portal
    const people = await peopleOf(host, workspace, request)
    if (!people.length) throw new NotFound()
    const left = request.list.filter(it => it.state === 'open' || it.state === 'returned')
    await runStaffAction(
      req,
      async tx => {
        const due = await query(tx, {
          text: `update portal.client_requests set reminded_at = portal.now()
                 where workspace_id = $1 and id = $2 and not finished
                   and (reminded_at is null or reminded_at < portal.now() - interval '20 hours') returning id`,
          values: [workspace.id, request.id],
        })
        if (!due.length) throw new Conflict()
        await tellPeople(tx, host, workspace, {
          ...{ kind: 'requests.prompt', people, client: request.client, id: request.id },
          about: { staff: workspace.name, name: request.name, items: left.length },
          facts: ({ longDay }) => ({
            ...{
              staff: req.portal.staff?.name ?? '',
              name: request.name,
              count: left.length,
              items: listedInMail(left),
            },
            day: request.dueOn ? longDay(request.dueOn) : '',
          }),
        })
      },
      () => logged(request, 'requests.prompted', { count: people.length }),
    )
    res.redirect(303, back(req, 'prompted'))
  }
