import type { Knex } from 'knex'
import type { ContactChange, ContactField, ContactOf, Crm, Workspace } from '../crm/crm.ts'
import { query, within } from '../platform/database.ts'
import type { Log } from '../platform/log.ts'

export interface ContactParts {
  crm: Crm
  database: Knex
  log: Log
}

/** A field of a contact that the person has changed and the CRM does not have yet. */
export interface KeptChange extends ContactOf {
  field: ContactField
  value: string
  changedAt: Date
}

const columns = 'k.client_id as client, k.contact_id as contact, k.field, k.value, k.changed_at as "changedAt"'

/** Keeps what a person changed for each of their contacts, within the transaction that changes it here. */
export async function keepContactChange(
  tx: Knex,
  { workspace, person }: { workspace: string; person: string },
  change: ContactChange,
) {
  for (const [field, value] of Object.entries(change))
    await query(tx, {
      text: `insert into portal.client_contact_changes (workspace_id, person_id, client_id, contact_id, field, value)
             select m.workspace_id, m.person_id, m.client_id, m.contact_id, $3, $4 from portal.client_memberships m
             where m.workspace_id = $1 and m.person_id = $2 and m.contact_id is not null
             on conflict (workspace_id, person_id, client_id, field) do update
               set contact_id = excluded.contact_id, value = excluded.value, changed_at = portal.now()`,
      values: [workspace, person, field, value],
    })
}

/** Returns what the CRM does not have of this person's data, oldest first. */
export const keptChanges = (tx: Knex, workspace: string, person: string): Promise<KeptChange[]> =>
  query(tx, {
    text: `select ${columns} from portal.client_contact_changes k
           where k.workspace_id = $1 and k.person_id::text = $2 order by k.client_id, k.field`,
    values: [workspace, person],
  })

/**
 * Submits what is kept to the CRM, and forgets what it took. What it does not take stays, and staff see that it differs.
 * Of two calls for one person the later waits, so that the CRM gets the newest values last. Never throws: what the
 * person changed is saved already.
 */
export async function submitContactChanges({ crm, database, log }: ContactParts, workspace: Workspace, person: string) {
  if (!crm.directory.changeContact) return
  await within(database, { workspace: workspace.id }, async tx => {
    await query(tx, {
      text: 'select pg_advisory_xact_lock(hashtextextended($1, 0))',
      values: [`contact ${workspace.id} ${person}`],
    })
    const kept = await keptChanges(tx, workspace.id, person)
    for (const its of Map.groupBy(kept, it => it.client).values()) {
      const taken = await submit({ crm, log }, workspace, its[0]!, its)
      await forgetKept(
        tx,
        workspace.id,
        person,
        its.filter(it => taken.includes(it.field)),
      )
    }
  }).catch(err => log.error({ err }, 'what a person changed of their contact could not be submitted to the CRM'))
}

async function submit(
  { crm, log }: Pick<ContactParts, 'crm' | 'log'>,
  workspace: Workspace,
  { client, contact }: ContactOf,
  kept: KeptChange[],
): Promise<ContactField[]> {
  const change: ContactChange = Object.fromEntries(kept.map(it => [it.field, it.value]))
  try {
    return (await crm.directory.changeContact?.(workspace, { client, contact }, change)) ?? []
  } catch (err) {
    log.warn({ err }, 'the CRM did not take what a person changed of their contact; staff see that it differs')
    return []
  }
}

/** What was changed once more while it was submitted stays. */
async function forgetKept(tx: Knex, workspace: string, person: string, taken: KeptChange[]) {
  for (const { client, field, value } of taken)
    await query(tx, {
      text: `delete from portal.client_contact_changes
             where workspace_id = $1 and person_id::text = $2 and client_id = $3 and field = $4 and value = $5`,
      values: [workspace, person, client, field, value],
    })
}
