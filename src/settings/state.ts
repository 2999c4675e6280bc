import type { RequestHandler } from 'express'
import type { Knex } from 'knex'
import type { Alerts } from '../alerts.ts'
import { clockDifference, clockLimits } from '../clock.ts'
import type { RequestContext } from '../context.ts'
import { deletionsOf } from '../data/requests.ts'
import { query, within } from '../database.ts'
import { faults } from '../evidence/chain.ts'
import type { Misfit } from '../gate/drift.ts'
import type { Gate } from '../gate/gate.ts'
import { migrationNames } from '../migrations.ts'
import type { Section } from '../section.ts'

/** Each thing that must hold, with whether it does: what an admin names when asking for help. */
export const showState =
  (database: Knex, door: Gate, sections: Section[], alerts: Alerts): RequestHandler =>
  async (req, res) => {
    const [facts] = await query(database, {
      text: `select current_setting('server_version') as version, current_user as role,
               r.rolsuper or r.rolbypassrls as bypasses,
               (select count(*)::int from pg_class where relowner = r.oid) as owns,
               (select coalesce(jsonb_agg(name order by name), '[]') from portal.migrations) as applied,
               (select coalesce(jsonb_agg(relname), '[]') from pg_class
                where relnamespace = 'portal'::regnamespace and relkind = 'r'
                  and relname !~ '^(migrations|client_sessions|gate|secret_in_use)' and not (relrowsecurity and relforcerowsecurity)) as open
             from pg_roles r where r.rolname = current_user`,
    })
    const titleOf = (name: string) => sections.find(it => it.name === name)?.title ?? 'All sections'
    const tampered = await faults(database, req.portal.workspace.id, 100)
    const missing = migrationNames(sections).filter(it => !facts.applied.includes(it))
    const { accepted, problems, news, answers } = await door.look()
    const drifted = (section: string) => problems.filter(it => it.section === section).map(it => told(it, req.portal.t))
    const stoodOut = req.portal.workspace.id ? await alerts.of(req.portal.workspace.id) : []
    const leaving = req.portal.workspace.id
      ? await within(database, { workspace: req.portal.workspace.id }, tx => deletionsOf(tx, req.portal.workspace.id))
      : []
    res.answer('settings/state', {
      leaving,
      news,
      stoodOut,
      facts,
      checks: [
        // Else this page would not be there.
        { label: 'The flag is on for this workspace', good: true, detail: '' },
        {
          label: 'The audit of this CRM is accepted',
          good: accepted !== undefined,
          detail: '',
        },
        ...(answers ? [] : [{ label: 'The CRM’s database answers', good: false, detail: '' }]),
        ...['directory', ...sections.map(it => it.name)]
          .filter(name => drifted(name).length)
          .map(name => ({
            label: 'The CRM is as it was when the audit was accepted',
            section: titleOf(name),
            good: false,
            detail: drifted(name).join('; '),
          })),
        ...(problems.length || !answers
          ? []
          : [{ label: 'The CRM is as it was when the audit was accepted', good: true, detail: '' }]),
        { label: 'All migrations are applied', good: missing.length === 0, detail: missing.join(', ') },
        {
          label: 'The last hundred signatures and their chain are whole',
          good: tampered.length === 0,
          detail: tampered.join('; '),
        },
        clockCheck(database, req.portal.t),
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

function clockCheck(database: Knex, t: RequestContext['t']) {
  const milliseconds = Math.abs(clockDifference(database))
  return {
    label: 'The clock of this instance agrees with the database’s',
    good: milliseconds <= clockLimits.warning,
    detail: t('They differ by {n, plural, one {a second} other {# seconds}}.', { n: Math.round(milliseconds / 1_000) }),
  }
}

function told({ what, how, before, now }: Misfit, t: RequestContext['t']): string {
  if (how === 'gone') return t('{what} is gone, or has another name', { what })
  if (how === 'refused') return t('the portal’s role may not read {what} any more', { what })
  return t('{what} was {before} and is {now}', { what, before: before ?? '', now: now ?? '' })
}
