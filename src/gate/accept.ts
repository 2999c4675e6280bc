import type { Knex } from 'knex'
import type { Crm } from '../crm.ts'
import { query } from '../database.ts'
import type { Audited } from './audit.ts'
import { schemaOf } from './drift.ts'

/** Keeps that somebody has read this audit, and how the CRM looks now. As the owner of Portico's tables. */
export async function accept(owner: Knex, crm: Crm, { audit, by }: { audit: Audited; by: string }): Promise<void> {
  const { schema } = await schemaOf(crm, owner)
  await query(owner, {
    text: `insert into portal.gate (accepted_by, fingerprint, audit, crm_schema) values ($1, $2, $3, $4)
           on conflict (only_one) do update set accepted_at = portal.now(), accepted_by = excluded.accepted_by,
             fingerprint = excluded.fingerprint, audit = excluded.audit, crm_schema = excluded.crm_schema`,
    values: [by, audit.fingerprint, JSON.stringify(audit), JSON.stringify(schema)],
  })
}

/** The portal is off within a minute, for every workspace. Says whether it was on. */
export async function withdraw(owner: Knex): Promise<boolean> {
  const rows = await query(owner, { text: 'delete from portal.gate returning only_one' })
  return rows.length > 0
}
