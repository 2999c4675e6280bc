import type { Knex } from 'knex'
import { query } from '../../platform/database.ts'
import type { Crm } from '../crm.ts'
import type { Audited } from './audit.ts'
import { schemaOf } from './drift.ts'

/**
 * Records that somebody has read this audit, together with the CRM's current schema. From then on the portal may
 * be switched on. Needs the owner of Portico's tables.
 */
export async function acceptAudit(owner: Knex, crm: Crm, { audit, by }: { audit: Audited; by: string }): Promise<void> {
  const { schema } = await schemaOf(crm, owner)
  await query(owner, {
    text: `insert into portal.activation (accepted_by, fingerprint, audit, crm_schema) values ($1, $2, $3, $4)
           on conflict (singleton) do update set accepted_at = portal.now(), accepted_by = excluded.accepted_by,
             fingerprint = excluded.fingerprint, audit = excluded.audit, crm_schema = excluded.crm_schema`,
    values: [by, audit.fingerprint, JSON.stringify(audit), JSON.stringify(schema)],
  })
}

/** The portal is off within a minute, for every workspace. Says whether it was on. */
export async function withdrawAudit(owner: Knex): Promise<boolean> {
  const rows = await query(owner, { text: 'delete from portal.activation returning singleton' })
  return rows.length > 0
}
