import type { RequestHandler } from 'express'
import type { Knex } from 'knex'
import { query } from '../database.ts'
import { migrationNames } from '../migrations.ts'

/** Each thing that must hold, with whether it does: what an admin names when asking for help. */
export const showState =
  (database: Knex): RequestHandler =>
  async (_req, res) => {
    const [facts] = await query(database, {
      text: `select current_setting('server_version') as version, current_user as role,
               r.rolsuper or r.rolbypassrls as bypasses,
               (select count(*)::int from pg_class where relowner = r.oid) as owns,
               (select coalesce(jsonb_agg(name order by name), '[]') from portal.migrations) as applied,
               (select coalesce(jsonb_agg(relname), '[]') from pg_class
                where relnamespace = 'portal'::regnamespace and relkind = 'r'
                  and relname !~ '^(migrations|client_sessions)' and not (relrowsecurity and relforcerowsecurity)) as open
             from pg_roles r where r.rolname = current_user`,
    })
    const missing = migrationNames().filter(it => !facts.applied.includes(it))
    res.answer('settings/state', {
      facts,
      checks: [
        // Else this page would not be there.
        { label: 'The flag is on for this workspace', good: true, detail: '' },
        { label: 'All migrations are applied', good: missing.length === 0, detail: missing.join(', ') },
        { label: 'The portal’s role cannot bypass row-level security', good: !facts.bypasses, detail: facts.role },
        { label: 'The portal’s role owns no table', good: facts.owns === 0, detail: facts.role },
        {
          label: 'Row-level security is forced on all of the portal’s tables',
          good: facts.open.length === 0,
          detail: facts.open.join(', '),
        },
      ],
    })
  }
