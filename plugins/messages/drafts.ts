import type { Knex } from 'knex'
import type { Customer } from '../../src/crm/crm.ts'
import { query, readWithin, within } from '../../src/platform/database.ts'

interface Draft {
  title: string
  text: string
}

const keyOf = ({ workspace, client, person }: Customer, thread: string | undefined) => [
  ...[workspace.id, client.id, person.id, thread ?? ''],
]

/** What somebody was writing in a conversation, or in a new one where there is none. */
export async function draftOf(database: Knex, customer: Customer, thread: string | undefined): Promise<Draft> {
  const scope = { workspace: customer.workspace.id, client: customer.client.id }
  const [draft] = await readWithin<Draft>(database, scope, {
    name: 'portal.message-draft',
    text: `select d.title, d.text from portal.client_message_drafts d
           where d.workspace_id = scope.workspace and d.client_id = scope.client and d.person_id = $3 and d.thread_id = $4`,
    values: keyOf(customer, thread).slice(2),
  })
  return draft ?? { title: '', text: '' }
}

/** Keeps a draft, or forgets it where it is empty. */
export const saveDraft = (
  database: Knex,
  customer: Customer,
  thread: string | undefined,
  { title, text }: Draft,
): Promise<unknown> =>
  within(database, { workspace: customer.workspace.id, client: customer.client.id }, tx =>
    title.trim() || text.trim()
      ? query(tx, {
          name: 'portal.save-message-draft',
          text: `insert into portal.client_message_drafts (workspace_id, client_id, person_id, thread_id, title, text)
                 values ($1, $2, $3, $4, $5, $6)
                 on conflict (workspace_id, client_id, person_id, thread_id)
                   do update set title = excluded.title, text = excluded.text, at = portal.now()`,
          values: [...keyOf(customer, thread), title, text],
        })
      : query(tx, {
          name: 'portal.drop-message-draft',
          text: `delete from portal.client_message_drafts
                 where workspace_id = $1 and client_id = $2 and person_id = $3 and thread_id = $4`,
          values: keyOf(customer, thread),
        }),
  )
