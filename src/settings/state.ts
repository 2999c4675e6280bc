import type { RequestHandler } from 'express'
import type { Knex } from 'knex'
import type { Alerts } from '../auth/alerts.ts'
import type { Activation } from '../crm/activation/activation.ts'
import type { DriftProblem } from '../crm/activation/drift.ts'
import { faults } from '../evidence/chain.ts'
import type { RequestContext } from '../http/context.ts'
import { clockDifference, clockLimits } from '../platform/clock.ts'
import { query } from '../platform/database.ts'
import { migrationNames } from '../platform/migrations.ts'
import type { Section } from '../plugin/plugin.ts'

/** Shows each check of the portal's state, for an admin to quote when asking for help. */
export const showState =
  (database: Knex, activation: Activation, sections: Section[], alerts: Alerts): RequestHandler =>
  async (req, res) => {
    const { t, workspace } = req.portal
    const facts = await factsOf(database)
    const tampered = await faults(database, workspace.id, 100)
    const missing = migrationNames(sections).filter(it => !facts.applied.includes(it))
    const status = await activation.check()
    const stoodOut = workspace.id ? await alerts.of(workspace.id) : []
    const filled = await req.portal.fillSlots(req, 'state')
    const checks: Check[] = [
      // This page is only reachable with the flag on.
      { label: 'The flag is on for this workspace', good: true, detail: '' },
      { label: 'The audit of this CRM is accepted', good: status.accepted !== undefined, detail: '' },
      ...crmChecks(status, sections, t),
      { label: 'All migrations are applied', good: missing.length === 0, detail: missing.join(', ') },
      {
        label: 'The last hundred signatures and their chain are intact',
        good: tampered.length === 0,
        detail: tampered.join('; '),
      },
      clockCheck(database, t),
      ...roleChecks(facts),
    ]
    res.respond('settings/state', { ...filled, news: status.news, stoodOut, facts, checks })
  }

interface Facts {
  version: string
  role: string
  bypasses: boolean
  owns: number
  /** Names of migrations. */
  applied: string[]
  /** Tables without forced row security. */
  open: string[]
}

async function factsOf(database: Knex): Promise<Facts> {
  const [facts] = await query<Facts>(database, {
    text: `select current_setting('server_version') as version, current_user as role,
             r.rolsuper or r.rolbypassrls as bypasses,
             (select count(*)::int from pg_class where relowner = r.oid) as owns,
             (select coalesce(jsonb_agg(name order by name), '[]') from portal.migrations) as applied,
             (select coalesce(jsonb_agg(relname), '[]') from pg_class
              where relnamespace = 'portal'::regnamespace and relkind = 'r'
                and relname !~ '^(migrations|client_sessions|activation|secret_in_use)'
                and not (relrowsecurity and relforcerowsecurity)) as open
           from pg_roles r where r.rolname = current_user`,
  })
  return facts!
}

interface Check {
  label: string
  good: boolean
  detail: string
  section?: string
}

/** Checks that the CRM responds, and is as it was when the audit was accepted. */
function crmChecks(
  { problems, crmReachable }: Awaited<ReturnType<Activation['check']>>,
  sections: Section[],
  t: RequestContext['t'],
): Check[] {
  const unchanged = { label: 'The CRM hasn’t changed since the audit was accepted', good: true, detail: '' }
  const titleOf = (name: string) => sections.find(it => it.name === name)?.title ?? 'All sections'
  const drifted = (name: string) => problems.filter(it => it.section === name).map(it => told(it, t))
  const changed = ['directory', ...sections.map(it => it.name)].filter(name => drifted(name).length)
  return [
    ...(crmReachable ? [] : [{ label: 'The CRM’s database answers', good: false, detail: '' }]),
    ...changed.map(name => ({ ...unchanged, section: titleOf(name), good: false, detail: drifted(name).join('; ') })),
    ...(problems.length || !crmReachable ? [] : [unchanged]),
  ]
}

const roleChecks = ({ bypasses, owns, open, role }: Facts): Check[] => [
  { label: 'The portal’s role cannot bypass row-level security', good: !bypasses, detail: role },
  { label: 'The portal’s role owns no table', good: owns === 0, detail: role },
  {
    label: 'Row-level security is forced on all of the portal’s tables',
    good: open.length === 0,
    detail: open.join(', '),
  },
]

function clockCheck(database: Knex, t: RequestContext['t']) {
  const milliseconds = Math.abs(clockDifference(database))
  const n = Math.round(milliseconds / 1_000)
  return {
    label: 'The clock of this instance agrees with the database’s',
    good: milliseconds <= clockLimits.warning,
    detail: t('They differ by {n, plural, one {a second} other {# seconds}}.', { n }),
  }
}

function told({ what, how, before, now }: DriftProblem, t: RequestContext['t']): string {
  if (how === 'gone') return t('{what} is gone, or has another name', { what })
  if (how === 'refused') return t('the portal’s role may not read {what} any more', { what })
  return t('{what} was {before} and is {now}', { what, before: before ?? '', now: now ?? '' })
}
