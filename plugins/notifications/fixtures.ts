import type { Knex } from 'knex'
import type { NotificationFacts } from '../../src/notifications/kinds.ts'
import { query } from '../../src/platform/database.ts'

interface Sample {
  /** Minutes before now. */
  ago: number
  kind: string
  section: string
  /** SQL of the newest record that it may lead to, of workspace $1 and client $2; the section's list if there is none. */
  record?: string
  facts: NotificationFacts
  read?: true
}

const hour = 60
const day = 24 * hour
const newest = (table: string) =>
  `select id::text from portal.${table} where workspace_id = $1 and client_id = $2 order by id desc limit 1`

const samples: Sample[] = [
  {
    ...{ ago: 20, kind: 'messages.received', section: 'messages', record: newest('client_message_threads') },
    facts: { name: 'Jonas Okafor', text: 'Shall I send it to print on Monday?', title: 'Gift box' },
  },
  {
    ...{ ago: 3 * hour, kind: 'documents.shared', section: 'documents' },
    facts: { staff: 'Marta Lindqvist', files: 4, name: 'Autumn range.pdf' },
  },
  {
    ...{ ago: 2 * day, kind: 'tasks.assigned', section: 'tasks' },
    facts: { staff: 'Marta Lindqvist', name: 'Check the cookie texts', due: 0, day: { day: '2000-01-01' } },
  },
  {
    ...{ ago: 3 * day, kind: 'pay.received', section: 'payments', read: true },
    facts: { amount: { amount: '1000.00', currency: 'EUR' }, numbers: '2026-0107' },
  },
  {
    ...{ ago: 40 * day, kind: 'documents.shared', section: 'documents', read: true },
    facts: { staff: 'Jonas Okafor', files: 1, name: 'Brand guidelines.pdf' },
  },
]

/** What the first person of a workspace's first client was told, for the demo and tests. Made once. */
export async function fixtures(owner: Knex, workspace = '1'): Promise<void> {
  const [one] = await query(owner, {
    text: 'select from portal.client_notifications where workspace_id = $1 limit 1',
    values: [workspace],
  })
  const [reader] = await query<{ client: string; person: string }>(owner, {
    text: `select client_id as client, person_id::text as person from portal.client_memberships
           where workspace_id = $1 order by client_id::int, role <> 'admin', person_id limit 1`,
    values: [workspace],
  })
  if (one || !reader) return
  for (const it of samples) await keep(owner, { workspace, ...reader }, it)
}

async function keep(owner: Knex, of: { workspace: string; client: string; person: string }, it: Sample): Promise<void> {
  const { workspace, client, person } = of
  const text = it.record && (await exists(owner, it.record)) ? it.record : undefined
  const [found] = text ? await query<{ id: string }>(owner, { text, values: [workspace, client] }) : []
  await query(owner, {
    text: `insert into portal.client_notifications
             (workspace_id, client_id, person_id, kind, section, record_id, facts, at, read_at)
           select $1, $2, $3, $4, $5, $6, $7, at, case when $9 then at end
           from (select portal.now() - $8 * interval '1 minute' as at) it on conflict do nothing`,
    values: [
      ...[workspace, client, person, it.kind, it.section, found?.id ?? '', JSON.stringify(it.facts)],
      ...[it.ago, it.read === true],
    ],
  })
}

/** Whether the plugin whose record it is has its table. */
async function exists(owner: Knex, record: string): Promise<boolean> {
  const [, table = ''] = /from (portal\.\w+)/.exec(record) ?? []
  const [row] = await query<{ there: boolean }>(owner, {
    text: 'select to_regclass($1) is not null as there',
    values: [table],
  })
  return row?.there === true
}
