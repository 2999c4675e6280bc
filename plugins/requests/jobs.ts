import { coreHostOf } from '../../src/auth/host.ts'
import { query, within } from '../../src/platform/database.ts'
import type { Host, Job } from '../../src/plugin/plugin.ts'
import { listedInMail, peopleOf, sendNext, tellPeople } from './sending.ts'

export const jobs: Record<`requests.${string}`, Job> = {
  /** Sends a list to the clients that do not have it yet, some in each run. */
  'requests.send': {
    work: ({ workspace, data }, host) => sendNext(host, workspace, data),
  },
  /** Mails a client what was sent back and has not been told yet. */
  'requests.tell': {
    async work({ workspace, data }, host) {
      await tellReturned(host, workspace, data.request)
      return undefined
    },
  },
}

interface Waiting {
  client: string
  person: string | null
  name: string
  dueOn: string | null
  items: { id: string; name: string; hint: string; reason: string | null; by: string | null }[]
}

/** Each item is told once: its mark and its mail are one transaction. */
async function tellReturned(host: Host, place: { id: string; slug: string }, request: string): Promise<void> {
  const { workspaces, database, mailContext } = coreHostOf(host)
  const workspace = await workspaces.find(place.slug)
  if (workspace?.id !== place.id) return
  const scope = { workspace: place.id }
  const whose = await within(database, scope, tx => waitingOf(tx, place.id, request))
  const people = whose?.items.length ? await peopleOf(host, workspace, whose) : []
  await within(database, scope, async tx => {
    const waiting = await waitingOf(tx, place.id, request)
    if (!waiting?.items.length) return
    await query(tx, {
      text: 'update portal.client_request_items set told = true where workspace_id = $1 and request_id = $2 and not told',
      values: [place.id, request],
    })
    const { name, dueOn, items, client } = waiting
    const staff = items[0]?.by ?? workspace.name
    await tellPeople(tx, host, workspace, {
      ...{ kind: 'requests.returned', people, client, id: request },
      about: { staff, name, items: items.length },
      facts: ({ longDay }) => ({
        ...{ staff, name, count: items.length, items: listedInMail(items) },
        day: dueOn ? longDay(dueOn) : '',
      }),
    })
  })
  mailContext?.outbox.wake()
}

/** What was sent back, is still to be done and has not been told; the request is locked. */
async function waitingOf(tx: Parameters<typeof query>[0], workspace: string, request: string) {
  const [list] = await query<Omit<Waiting, 'items'>>(tx, {
    text: `select client_id as client, person_id::text as person, name, due_on::text as "dueOn" from portal.client_requests
           where workspace_id = $1 and id = $2 and state = 'open' for update`,
    values: [workspace, request],
  })
  if (!list) return undefined
  const items = await query<Waiting['items'][number]>(tx, {
    text: `select id, name, hint, reason, by_name as by from portal.client_request_items
           where workspace_id = $1 and request_id = $2 and state = 'returned' and not told order by position, id`,
    values: [workspace, request],
  })
  return { ...list, items }
}
