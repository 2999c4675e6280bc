import type { Knex } from 'knex'
import type { Customer } from '../../src/crm/crm.ts'
import { readWithin } from '../../src/platform/database.ts'
import { noteReader } from './keep.ts'
import type { Messages, Summary } from './port.ts'
import { follow } from './store.ts'

/** The CRM's conversations, and beside them how far each person has read, where the CRM does not keep that. */
export function besideCrm(theirs: Messages, customer: Customer, database: Knex): Messages {
  const scope = { workspace: customer.workspace.id, client: customer.client.id }
  const by = { kind: 'client', id: customer.person.id, name: customer.person.name } as const
  const shown = async <It extends Summary>(its: It[]) => {
    const rows = await readWithin<{ id: string; follows: boolean; readTo: number; draft: string | null }>(
      database,
      scope,
      {
        name: 'portal.messages-beside',
        text: `select it.id, coalesce(r.follows, false) as follows, coalesce(r.read_to, 0) as "readTo", d.text as draft
             from unnest($3::text[]) it(id)
               left join portal.client_message_readers r on r.workspace_id = scope.workspace and r.client_id = scope.client
                 and r.thread_id = it.id and r.kind = 'client' and r.person_id = $4
               left join portal.client_message_drafts d on d.workspace_id = scope.workspace and d.client_id = scope.client
                 and d.thread_id = it.id and d.person_id = $4`,
        values: [its.map(it => it.id), by.id],
      },
    )
    return its.map(it => {
      const known = rows.find(row => row.id === it.id)
      const read = theirs.markRead ? {} : { readTo: known?.readTo ?? 0, follows: known?.follows ?? false }
      return { ...it, ...read, draft: known?.draft ?? it.draft }
    })
  }
  return {
    ...theirs,
    async list(filter) {
      const { items, next } = await theirs.list(filter)
      return { items: await shown(items), next }
    },
    async find(id, size) {
      const [found] = await shown([await theirs.find(id, size)])
      return found!
    },
    markRead:
      theirs.markRead ??
      (async (thread, seq) => {
        const { seq: last } = await theirs.find(thread, 1)
        return noteReader(database, { ...scope, thread, by, readTo: Math.min(seq, last) })
      }),
    follow:
      theirs.follow ??
      (async (thread, on) => {
        await theirs.find(thread, 1)
        await follow(database, { ...scope, thread, by }, on)
      }),
  }
}
