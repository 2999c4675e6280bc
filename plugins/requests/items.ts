import type { Knex } from 'knex'
import { z } from 'zod'
import { Conflict, NotFound } from '../../src/http/errors.ts'
import { query, within } from '../../src/platform/database.ts'
import type { ArrivedFile, Changed, Item } from './port.ts'

/** Who changes something, and where: a person of the client reaches only what that person may see. */
export interface Place {
  /** The portal's database, or a transaction in the workspace. */
  database: Knex
  workspace: string
  /** The client that is reached; every client of the workspace where it is left out, for staff. */
  client?: string
  by: { kind: 'client' | 'staff'; id: string; name: string }
}

interface Which {
  request: string
  item: string
}

/** 409: an item that takes nothing now. */
class NotAskedFor extends Conflict {
  message = 'This is no longer asked for.'
  advice = 'Nothing was saved. Here is the list as it is now.'
}

/** 409: an item that was accepted meanwhile. */
class AlreadyAccepted extends Conflict {
  message = 'This was already accepted.'
  advice = 'Nothing was saved. Ask us if you want to change it.'
}

/** An item as it is, with its request; both are locked until the transaction ends. */
export interface Locked {
  request: string
  requestName: string
  personal: boolean
  client: string
  requestState: 'open' | 'closed' | 'withdrawn'
  item: string
  itemName: string
  state: Item['state']
  wanted: number
  accepted: boolean
  version: number
}

/**
 * Locks the request first, so that everything that people do to one list at once happens one after the other. Throws
 * NotFound.
 */
async function lockItem(tx: Knex, { workspace, client, by }: Place, { request, item }: Which): Promise<Locked> {
  const [list] = await query<{ name: string; client: string; state: Locked['requestState']; personal: boolean }>(tx, {
    text: `select name, client_id as client, state, person_id is not null as personal from portal.client_requests
           where workspace_id = $1 and id = $2 and ($3::text is null or client_id = $3)
             and ($4::text is null or person_id is null or person_id::text = $4) for update`,
    values: [workspace, uuidOf(request), client ?? null, by.kind === 'client' ? by.id : null],
  })
  const [found] = await query<Pick<Locked, 'state' | 'wanted' | 'accepted' | 'version'> & { name: string }>(tx, {
    text: `select name, state, wanted, accepted_at is not null as accepted, version from portal.client_request_items
           where workspace_id = $1 and request_id = $2 and id = $3 for update`,
    values: [workspace, uuidOf(request), uuidOf(item)],
  })
  if (!list || !found) throw new NotFound()
  const { name: itemName, ...its } = found
  const { name: requestName, client: of, state: requestState, personal } = list
  return { request, requestName, client: of, requestState, personal, item, itemName, ...its }
}

/** Adds files that are kept in this transaction to an item. Throws NotFound or Conflict. */
export const addFiles = (place: Place, which: Which, files: ArrivedFile[]): Promise<Changed> =>
  changing(place, which, async (tx, it) => {
    requireTaking(it)
    await query(tx, {
      text: `insert into portal.client_request_files (workspace_id, file_id, request_id, item_id, client_id)
             select $1, unnest($2::uuid[]), $3, $4, $5 on conflict (workspace_id, file_id) do nothing`,
      values: [place.workspace, files.map(one => one.id), it.request, it.item, it.client],
    })
    if (it.state === 'skipped') await setState(tx, place, it, { state: 'open' })
    await settle(tx, place, it)
    return {}
  })

/** Notes that a file is on its way to an item: others see it. Throws NotFound or Conflict. */
export async function expectFile(tx: Knex, place: Place, which: Which, file: string): Promise<void> {
  const it = await lockItem(tx, place, which)
  requireTaking(it)
  await query(tx, {
    text: `insert into portal.client_request_files (workspace_id, file_id, request_id, item_id, client_id)
           values ($1, $2, $3, $4, $5)`,
    values: [place.workspace, file, it.request, it.item, it.client],
  })
}

/** Throws Conflict where nothing can be sent for an item now. */
function requireTaking({ requestState, state, accepted }: Locked): void {
  if (requestState !== 'open' || state === 'withdrawn') throw new NotAskedFor()
  if (accepted) throw new AlreadyAccepted()
}

/** Removes a file that this person sent within a day. Its bytes and its row of `client_files` stay for the caller. */
export const removeFile = (place: Place, which: Which, file: string): Promise<Changed> =>
  changing(place, which, async (tx, it) => {
    requireTaking(it)
    const [gone] = await query<{ name: string }>(tx, {
      text: `delete from portal.client_request_files f using portal.client_files k
             where f.workspace_id = $1 and f.request_id = $2 and f.item_id = $3 and f.file_id = $4
               and k.workspace_id = f.workspace_id and k.id = f.file_id and k.state <> 'arriving'
               and k.by_kind = 'client' and k.by_id = $5 and k.at > portal.now() - interval '1 day' returning k.name`,
      values: [place.workspace, it.request, it.item, uuidOf(file), place.by.id],
    })
    if (!gone) throw new NotFound()
    await settle(tx, place, it)
    return { file: gone.name }
  })

/** Says that an item does not apply. */
export const dismiss = (place: Place, which: Which, reason: string): Promise<Changed> =>
  changing(place, which, async (tx, it) => {
    requireTaking(it)
    await setState(tx, place, it, { state: 'skipped', reason })
    return {}
  })

export const undismiss = (place: Place, which: Which): Promise<Changed> =>
  changing(place, which, async (tx, it) => {
    requireTaking(it)
    if (it.state !== 'skipped') throw new Conflict()
    await setState(tx, place, it, { state: 'open' })
    await settle(tx, place, it)
    return {}
  })

/** Changes an item in one transaction, and counts its request again. */
export const changing = (
  place: Place,
  which: Which,
  work: (tx: Knex, it: Locked) => Promise<{ file?: string }>,
): Promise<Changed> =>
  within(place.database, { workspace: place.workspace, client: place.client }, async tx => {
    const it = await lockItem(tx, place, which)
    const done = await work(tx, it)
    await recount(tx, place.workspace, it.request)
    return { request: it.requestName, item: it.itemName, personal: it.personal, ...done }
  })

interface NewState {
  state: Item['state']
  reason?: string
}

/** Changes the state of a locked item, which is not accepted then. */
export async function setState(tx: Knex, { workspace, by }: Place, it: Locked, { state, reason }: NewState) {
  it.state = state
  await query(tx, {
    text: `update portal.client_request_items
           set state = $4, reason = $5, by_id = $6, by_name = $7, changed_at = portal.now(), version = version + 1,
             accepted_at = null, accepted_by = null
           where workspace_id = $1 and request_id = $2 and id = $3`,
    values: [workspace, it.request, it.item, state, reason ?? null, by.id, by.name],
  })
}

/**
 * Makes an item done when it has all its files, and to do again when it has not. One that was sent back needs a new one.
 */
async function settle(tx: Knex, place: Place, it: Locked): Promise<void> {
  const [there] = await query<{ files: number; new: number }>(tx, {
    text: `select count(*)::int as files, (count(*) filter (where not f.returned))::int as new
           from portal.client_request_files f
             join portal.client_files k on k.workspace_id = f.workspace_id and k.id = f.file_id
           where f.workspace_id = $1 and f.request_id = $2 and f.item_id = $3 and k.state in ('checking', 'ready')`,
    values: [place.workspace, it.request, it.item],
  })
  const complete = there!.files >= it.wanted && (it.state !== 'returned' || there!.new > 0)
  if (complete) return setState(tx, place, it, { state: 'sent' })
  if (it.state === 'sent') await setState(tx, place, it, { state: 'open' })
}

/** Asks again for what a virus was in, in the transaction that takes the file away. */
export async function reopenInfected(tx: Knex, { workspace, id }: { workspace: string; id: string }): Promise<void> {
  const [of] = await query<Which>(tx, {
    text: `select request_id as request, item_id as item from portal.client_request_files where workspace_id = $1 and file_id = $2`,
    values: [workspace, id],
  })
  if (!of) return
  const place: Place = { database: tx, workspace, by: { kind: 'staff', id: '', name: '–' } }
  const it = await lockItem(tx, place, of)
  await settle(tx, place, it)
  await recount(tx, workspace, of.request)
}

/** Counts what is done of a request, for lists. */
export const recount = (tx: Knex, workspace: string, request: string) =>
  query(tx, {
    text: `update portal.client_requests r set items = n.items, done = n.done, to_review = n.to_review, returned = n.returned,
             changed_at = portal.now(), files = (
               select count(*) from portal.client_request_files f
                 join portal.client_files k on k.workspace_id = f.workspace_id and k.id = f.file_id
               where f.workspace_id = $1 and f.request_id = $2 and k.state in ('checking', 'ready'))
           from (
             select (count(*) filter (where state <> 'withdrawn'))::int as items,
               (count(*) filter (where state in ('sent', 'skipped')))::int as done,
               (count(*) filter (where state in ('sent', 'skipped') and accepted_at is null))::int as to_review,
               (count(*) filter (where state = 'returned'))::int as returned
             from portal.client_request_items where workspace_id = $1 and request_id = $2) n
           where r.workspace_id = $1 and r.id = $2`,
    values: [workspace, request],
  })

export const uuidOf = (id: string) => z.uuid().safeParse(id).data ?? null
