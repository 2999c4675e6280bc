import type { Knex } from 'knex'
import { v7 as uuid } from 'uuid'
import { coreHostOf } from '../../src/auth/host.ts'
import { type RecipientOf, recipientsAt } from '../../src/auth/recipients.ts'
import { rightsOf } from '../../src/auth/roles.ts'
import type { Workspace } from '../../src/crm/crm.ts'
import { itemsText } from '../../src/mail/items.ts'
import type { Facts } from '../../src/mail/kinds.ts'
import { notifyPeople } from '../../src/notifications/notify.ts'
import { insert } from '../../src/platform/activity.ts'
import { query, readWithin, within } from '../../src/platform/database.ts'
import { localeOf, type Speech } from '../../src/platform/i18n.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import type { ListedItem } from './content.ts'
import { loggedAs } from './events.ts'

/** A list on its way to one or many clients. */
export interface Sending {
  id: string
  name: string
  about: string
  dueOn: string | null
  items: ListedItem[]
  clients: { id: string; name: string; person?: { id: string; name: string } }[]
  template?: { id: string; version: number }
  by: { id: string; name: string }
}

/** Keeps what is to be sent, and queues its sending, in a transaction of the workspace. False where it is there already. */
export async function saveSending(
  tx: Knex,
  { jobs }: Pick<Host, 'jobs'>,
  workspace: { id: string; slug: string },
  it: Sending,
): Promise<boolean> {
  const made = await query(tx, {
    text: `insert into portal.client_request_sendings
             (workspace_id, id, content, name, about, due_on, clients, template_id, version, by_id, by_name)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict do nothing returning id`,
    values: [
      ...[workspace.id, it.id, JSON.stringify(it.items), it.name, it.about, it.dueOn, JSON.stringify(it.clients)],
      ...[it.template?.id ?? null, it.template?.version ?? null, it.by.id, it.by.name],
    ],
  })
  if (!made.length) return false
  await jobs.queue(tx, { job: 'requests.send', workspace, data: { sending: it.id, from: 0 } })
  return true
}

/** Clients that one run of the job sends to. */
const chunk = 25

interface Run {
  sending: string
  /** How many clients have it already. */
  from: number
}

/**
 * Sends a list to the next clients, each in a transaction of its own with its mails and its entry in the activity log.
 * Whoever has it already does not get it again. Gives the data of the next run; undefined when all have it.
 */
export async function sendNext(host: Host, place: { id: string; slug: string }, run: Run): Promise<Run | undefined> {
  const sending = await sendingOf(host.database, place.id, run.sending)
  const workspace = await coreHostOf(host).workspaces.find(place.slug)
  if (!sending || workspace?.id !== place.id) return undefined
  for (const client of sending.clients.slice(run.from, run.from + chunk)) await sendTo(host, workspace, sending, client)
  coreHostOf(host).mailContext?.outbox.wake()
  if (run.from + chunk < sending.clients.length) return { ...run, from: run.from + chunk }
  await within(host.database, { workspace: place.id }, tx =>
    query(tx, {
      text: `update portal.client_request_sendings set sent_at = portal.now() where workspace_id = $1 and id = $2 and sent_at is null`,
      values: [place.id, run.sending],
    }),
  )
  return undefined
}

async function sendingOf(database: Knex, workspace: string, id: string): Promise<Sending | undefined> {
  const [row] = await readWithin<Omit<Sending, 'by' | 'template'> & { byId: string; byName: string }>(
    database,
    { workspace },
    {
      name: 'portal.request-sending',
      text: `select s.id, s.name, s.about, s.due_on::text as "dueOn", s.content as items, s.clients, s.by_id as "byId", s.by_name as "byName"
             from portal.client_request_sendings s where s.workspace_id = scope.workspace and s.id = $3`,
      values: [id],
    },
  )
  return row && { ...row, by: { id: row.byId, name: row.byName } }
}

async function sendTo(host: Host, workspace: Workspace, it: Sending, client: Sending['clients'][number]) {
  const people = await peopleOf(host, workspace, { client: client.id, person: client.person?.id })
  await within(host.database, { workspace: workspace.id }, async tx => {
    const id = uuid()
    const made = await query(tx, {
      text: `insert into portal.client_requests
               (workspace_id, id, client_id, client_name, person_id, person_name, sending_id, name, about, due_on, items, by_name)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) on conflict do nothing returning id`,
      values: [
        ...[workspace.id, id, client.id, client.name, client.person?.id ?? null, client.person?.name ?? null, it.id],
        ...[it.name, it.about, it.dueOn, it.items.length, it.by.name],
      ],
    })
    if (!made.length) return
    await addItems(tx, { workspace: workspace.id, request: id, client: client.id, from: 0 }, it.items)
    await tellPeople(tx, host, workspace, {
      ...{ kind: 'requests.sent', people, client: client.id, id },
      about: { staff: it.by.name, name: it.name, items: it.items.length },
      facts: ({ longDay }) => ({
        ...{ staff: it.by.name, name: it.name, count: it.items.length, day: it.dueOn ? longDay(it.dueOn) : '' },
        items: listedInMail(it.items),
      }),
    })
    await insert(tx, [
      {
        ...{
          workspace_id: workspace.id,
          event: 'requests.sent',
          actor_kind: 'staff',
          actor_id: it.by.id,
          actor_name: it.by.name,
        },
        ...{ client_id: client.id, subject_id: id, address: null, agent: null },
        subject: loggedAs(id, { request: it.name, personal: client.person !== undefined }, { count: it.items.length }),
      },
    ])
  })
}

/** Names in a mail; the others are counted. */
const named = 15

/** As mails list them: each with what to send, or why it was sent back. */
export const listedInMail = (items: { name: string; hint: string; reason?: string | null }[]): string => {
  const more = items.length - named
  const first = items.slice(0, named).map(it => ({ title: it.name, text: it.reason ?? it.hint }))
  return itemsText([...first, ...(more > 0 ? [{ title: `+ ${more}`, text: '' }] : [])])
}

interface Added {
  workspace: string
  request: string
  client: string
  /** The position of the first one. */
  from: number
}

/** Adds items to a request, in order. */
export const addItems = (tx: Knex, { workspace, request, client, from }: Added, items: Omit<ListedItem, 'id'>[]) =>
  query(tx, {
    text: `insert into portal.client_request_items (workspace_id, request_id, id, client_id, position, name, hint, wanted, example)
           select $1, $2, (it->>'id')::uuid, $3, $4 + at, it->>'name', it->>'hint', (it->>'wanted')::int, nullif(it->'example', 'null'::jsonb)
           from jsonb_array_elements($5::jsonb) with ordinality parts (it, at)`,
    values: [workspace, request, client, from, JSON.stringify(items.map(it => ({ ...it, id: uuid() })))],
  })

/** Who at a client may send what is asked for, or the one person whom it is asked of. Asks the CRM who has left. */
export async function peopleOf(
  host: Host,
  workspace: Workspace,
  { client, person }: { client: string; person?: string | null },
): Promise<RecipientOf[]> {
  const { crm, database, plugins } = coreHostOf(host)
  const section = plugins.find(it => it.name === 'requests')!
  const rights = await rightsOf(database, workspace.id)
  const { of, still } = await recipientsAt({ crm, database, sections: plugins }, { workspace, client, rights })
  const people = await still(of({ section, may: ['upload'], on: [] }))
  return people.filter(it => !person || it.id === person)
}

interface Mailed {
  kind: `requests.${string}`
  people: RecipientOf[]
  client: string
  /** Of the request. */
  id: string
  /** Fills the notification's own sentences. */
  about: { staff: string; name: string; items: number }
  /** Fills the mail. */
  facts: (speech: Speech) => Facts
}

/** Tells each person by the channels that they chose, in this transaction. */
export async function tellPeople(tx: Knex, host: Host, workspace: Workspace, it: Mailed): Promise<void> {
  const branded = await coreHostOf(host).workspaces.find(workspace.slug)
  if (!branded) return
  await notifyPeople(tx, host, { portal: { workspace: branded, locale: localeOf('') } }, it.people, {
    kind: it.kind,
    record: { client: it.client, section: 'requests', id: it.id },
    facts: it.about,
    mail: () => ({ facts: it.facts }),
  })
}
