import type { Knex } from 'knex'
import { v7 as uuid } from 'uuid'
import { fileKey } from '../../src/files/receive.ts'
import { query } from '../../src/platform/database.ts'
import type { FileStore } from '../../src/platform/files.ts'
import { recount } from './items.ts'
import { addItems } from './sending.ts'

interface Sample {
  name: string
  hint: string
  wanted?: number
  state?: 'sent' | 'returned' | 'skipped'
  accepted?: boolean
  reason?: string
  files?: string[]
}

const list: Sample[] = [
  {
    name: 'Bank statements, October to December',
    hint: 'All accounts, PDF or MT940',
    state: 'returned',
    reason: 'December is missing pages 3 and 4. The other months are fine.',
    files: ['ABN-oct-2026.txt', 'ABN-nov-2026.txt'],
  },
  { name: 'Stock count on 31 December', hint: 'One sheet per shop', wanted: 5, files: ['stock-kanaalstraat.csv'] },
  { name: 'Loan agreement with the bank', hint: 'Only if it changed this year' },
  { name: 'Mileage log', hint: '' },
  { name: 'Annual report of the pension fund', hint: '', state: 'sent', accepted: true, files: ['pension-2026.txt'] },
  { name: 'Payroll summary', hint: '', state: 'sent', files: ['payroll-h1.csv', 'payroll-h2.csv'] },
  { name: 'Lease contracts', hint: 'One for each shop', state: 'sent', accepted: true, files: ['lease-1.txt'] },
  { name: 'Foreign subsidiaries', hint: '', state: 'skipped', reason: 'We have none.' },
]

/**
 * A list that was sent to several clients of a workspace, and to which the first of them has sent something: for the demo,
 * in that of the accountants. Made once.
 */
export async function fixtures(owner: Knex, files: FileStore, workspace = '2'): Promise<void> {
  const [one] = await query(owner, {
    text: 'select from portal.client_requests where workspace_id = $1 limit 1',
    values: [workspace],
  })
  if (one) return
  const clients = await query<{ id: string; name: string; person: string }>(owner, {
    text: `select m.client_id as id, max(m.client_name) as name, max(u.name) as person from portal.client_memberships m
             join portal.client_users u on u.workspace_id = m.workspace_id and u.id = m.person_id
           where m.workspace_id = $1 group by m.client_id order by m.client_id::int limit 6`,
    values: [workspace],
  })
  const sending = await templateAndSending(owner, workspace, clients)
  for (const [at, client] of clients.entries())
    await request(owner, files, { workspace, sending, client, full: at === 0 })
}

const by = { id: 'demo', name: 'Tomás Ferreira' }

async function templateAndSending(owner: Knex, workspace: string, clients: object[]): Promise<string> {
  const [template, sending] = [uuid(), uuid()]
  const items = list.map(({ name, hint, wanted = 1 }) => ({ id: uuid(), name, hint, wanted }))
  await query(owner, {
    text: `insert into portal.client_request_templates (workspace_id, id, version, name) values ($1, $2, 1, 'Year-end')`,
    values: [workspace, template],
  })
  await query(owner, {
    text: `insert into portal.client_request_template_versions (workspace_id, template_id, version, content, by_id, by_name)
           values ($1, $2, 1, $3, $4, $5)`,
    values: [workspace, template, JSON.stringify({ about: '', items }), by.id, by.name],
  })
  await query(owner, {
    text: `insert into portal.client_request_sendings
             (workspace_id, id, content, name, about, due_on, clients, template_id, version, by_id, by_name, at, sent_at)
           values ($1, $2, $3, $4, '', $5, $6, $7, 1, $8, $9, portal.now() - interval '20 days', portal.now())`,
    values: [
      workspace,
      sending,
      JSON.stringify(items),
      name,
      dueOn(),
      JSON.stringify(clients),
      template,
      by.id,
      by.name,
    ],
  })
  return sending
}

const name = `Year-end ${new Date().getUTCFullYear()}`
const dueOn = () => new Date(Date.now() + 19 * 86_400_000).toISOString().slice(0, 10)

interface Made {
  workspace: string
  sending: string
  client: { id: string; name: string; person: string }
  /** Whether something was sent, and not only asked for. */
  full: boolean
}

async function request(owner: Knex, files: FileStore, { workspace, sending, client, full }: Made): Promise<void> {
  const id = uuid()
  await query(owner, {
    text: `insert into portal.client_requests (workspace_id, id, client_id, client_name, sending_id, name, due_on, items, by_name, at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, portal.now() - interval '20 days')`,
    values: [workspace, id, client.id, client.name, sending, name, dueOn(), list.length, by.name],
  })
  await addItems(
    owner,
    { workspace, request: id, client: client.id, from: 0 },
    list.map(({ name, hint, wanted = 1 }) => ({ name, hint, wanted })),
  )
  if (full) for (const it of list) await fill(owner, files, { workspace, request: id, client }, it)
  await recount(owner, workspace, id)
}

type Of = Omit<Sent, 'item' | 'file'>

async function fill(owner: Knex, files: FileStore, of: Of, it: Sample) {
  const { workspace, request, client } = of
  for (const file of it.files ?? []) await send(owner, files, { ...of, item: it.name, file })
  if (!it.state) return
  if (it.state === 'returned')
    await query(owner, {
      text: `update portal.client_request_files f set returned = true from portal.client_request_items i
             where f.workspace_id = $1 and f.request_id = $2 and i.workspace_id = f.workspace_id and i.request_id = f.request_id
               and i.id = f.item_id and i.name = $3`,
      values: [workspace, request, it.name],
    })
  await query(owner, {
    text: `update portal.client_request_items set state = $4, reason = $5, by_name = $6, changed_at = portal.now() - interval '3 days',
             accepted_at = case when $7 then portal.now() end, accepted_by = case when $7 then $8 end, version = 2
           where workspace_id = $1 and request_id = $2 and name = $3`,
    values: [
      ...[workspace, request, it.name, it.state, it.reason ?? null],
      ...[it.state === 'returned' ? by.name : client.person, it.accepted ?? false, by.name],
    ],
  })
}

interface Sent {
  workspace: string
  request: string
  client: Made['client']
  item: string
  file: string
}

async function send(owner: Knex, files: FileStore, { workspace, request, client, item, file }: Sent): Promise<void> {
  const id = uuid()
  const { size, sha256 } = await files.write(fileKey(workspace, id), content(file))
  await query(owner, {
    text: `insert into portal.client_files (workspace_id, id, client_id, name, type, size, sha256, state, by_kind, by_id, by_name, at)
           values ($1, $2, $3, $4, 'text/plain', $5, $6, 'ready', 'client', 'demo', $7, portal.now() - interval '4 days')`,
    values: [workspace, id, client.id, file, size, sha256, client.person],
  })
  await query(owner, {
    text: `insert into portal.client_request_files (workspace_id, file_id, request_id, item_id, client_id, returned)
           select i.workspace_id, $4, i.request_id, i.id, i.client_id, false from portal.client_request_items i
           where i.workspace_id = $1 and i.request_id = $2 and i.name = $3`,
    values: [workspace, request, item, id],
  })
}

async function* content(name: string) {
  yield Buffer.from(`${name}\n`)
}
