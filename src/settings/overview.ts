import type { Request, RequestHandler } from 'express'
import type { Knex } from 'knex'
import type { Activation } from '../crm/activation/activation.ts'
import type { RequestContext } from '../http/context.ts'
import { entries } from '../platform/activity.ts'
import { readWithin } from '../platform/database.ts'
import { dayBegins, daysLater } from '../platform/dates.ts'
import { dateIn } from '../platform/i18n.ts'
import type { Section } from '../plugin/plugin.ts'
import { kindsOf, sentencesOf, weeklyOf } from '../plugin/sentences.ts'
import { viewedOnce } from './view-as.ts'

interface Parts {
  activation: Activation
  database: Knex
  mails: boolean
  sections: Section[]
}

/** The settings' first page: what waits for staff, the week in figures, what is left to set up, and what happened. */
export function showOverview({ activation, database, mails, sections }: Parts): RequestHandler {
  const sentences = sentencesOf(sections)
  // Who comes, looks and goes is on the page of activity.
  const events = Object.entries(kindsOf(sections)).flatMap(([event, kind]) => (kind === 'change' ? [event] : []))
  return async (req, res) => {
    const { workspace } = req.portal
    const { week, before, from } = weeksOf(req.portal)
    const [facts, counts, recent] = await Promise.all([
      factsOf(database, workspace.id),
      countsOf(database, workspace.id, { week, before, ...eventsOf(sections) }),
      entries(database, { workspace: workspace.id }, { from, events, size: 8 }),
    ])
    const problems = activation.state()?.problems.length ?? 0
    res.respond('settings/overview', {
      facts,
      waits: waitsOf(req, { facts, problems, sections }),
      figures: figuresOf(req.portal, facts, counts),
      steps: stepsOf(req.portal, facts, mails),
      status: { problems, mails, failed: facts.failed, checked: activation.state() !== undefined },
      recent,
      sentences,
      since: dateIn(req.portal.zone, week),
    })
  }
}

/** Seven days each, in the workspace's time zone, up to now; `from` is where recent activity begins. */
function weeksOf({ now, zone }: RequestContext) {
  const today = dateIn(zone, now)
  const begin = (days: number) => dayBegins(daysLater(today, -days), zone)
  return { week: begin(6), before: begin(13), from: begin(29) }
}

interface Facts {
  clients: number
  people: number
  branded: boolean
  /** Whether staff have ever looked at the portal as a client. */
  viewed: boolean
  /** Mails of the last seven days. */
  sent: number
  failed: number
  /** Invitations that nobody has used for three days, and those of them that expire within three days. */
  unused: number
  expiring: number
  registrations: number
}

async function factsOf(database: Knex, workspace: string): Promise<Facts> {
  const [facts] = await readWithin<Facts>(
    database,
    { workspace },
    {
      name: 'portal.overview',
      text: `select
          (select count(distinct m.client_id)::int from portal.client_memberships m
           where m.workspace_id = scope.workspace) as clients,
          (select count(distinct m.person_id)::int from portal.client_memberships m
           where m.workspace_id = scope.workspace) as people,
          exists (select from portal.client_branding b where b.workspace_id = scope.workspace) as branded,
          exists (select from portal.client_portal_settings t
                  where t.workspace_id = scope.workspace and t.name = '${viewedOnce}') as viewed,
          (select count(*)::int from portal.client_outbox o where o.workspace_id = scope.workspace and o.recipient <> ''
             and o.created_at > portal.now() - interval '7 days' and o.sent_at is not null) as sent,
          (select count(*)::int from portal.client_outbox o where o.workspace_id = scope.workspace and o.recipient <> ''
             and o.created_at > portal.now() - interval '7 days' and o.failed_at is not null) as failed,
          i.unused, i.expiring,
          (select count(*)::int from portal.client_registrations r
           where r.workspace_id = scope.workspace and r.confirmed_at is not null) as registrations
        from (select count(*) filter (where i.created_at < portal.now() - interval '3 days')::int as unused,
                count(*) filter (where i.created_at < portal.now() - interval '3 days'
                  and i.expires_at between portal.now() and portal.now() + interval '3 days')::int as expiring
              from portal.client_invitations i
              where i.workspace_id = scope.workspace and i.used_at is null and i.revoked_at is null) i`,
    },
  )
  return facts!
}

interface Counts {
  now: number
  before: number
}

/** Events that are counted by week, under one label each, and how many people were active. */
const eventsOf = (sections: Section[]) => {
  const weekly = Object.entries(weeklyOf(sections))
  return { events: weekly.map(([event]) => event), labels: weekly.map(([, label]) => label) }
}

const active = 'Active people'

/** By label. */
async function countsOf(
  database: Knex,
  workspace: string,
  { week, before, events, labels }: { week: Date; before: Date; events: string[]; labels: string[] },
): Promise<Map<string, Counts>> {
  const rows = await readWithin<{ label: string } & Counts>(
    database,
    { workspace },
    {
      name: 'portal.weeks',
      // Counted by event and actor first: sorting all actors as text would take most of the time.
      text: `with recent as materialized (
               select l.event, l.actor_kind, l.actor_id, count(*) filter (where l.at >= $3)::int as now,
                 count(*) filter (where l.at < $3)::int as before
               from portal.client_activity_logs l
               where l.workspace_id = scope.workspace and l.at >= $4 group by 1, 2, 3)
             select w.label, sum(r.now)::int as now, sum(r.before)::int as before
             from recent r join unnest($5::text[], $6::text[]) w(event, label) on w.event = r.event group by 1
             union all
             select $7, count(*) filter (where a.now > 0)::int, count(*) filter (where a.before > 0)::int
             from (select r.actor_id, sum(r.now) as now, sum(r.before) as before from recent r
                   where r.actor_kind = 'client' and r.actor_id is not null group by 1) a`,
      values: [week, before, events, labels, active],
    },
  )
  return new Map(rows.map(({ label, ...it }) => [label, it]))
}

interface Wait {
  tone: '' | 'warn' | 'bad'
  icon: string
  title: string
  about?: string
  path: string
  action: string
}

interface Found {
  facts: Facts
  /** Of the CRM's schema. */
  problems: number
  sections: Section[]
}

/** What staff have to do something about, the most urgent first. */
function waitsOf(req: Request, { facts, problems, sections }: Found): Wait[] {
  const { awaiting, t } = req.portal
  const { failed, unused, expiring, registrations } = facts
  const some = (count: number, it: Wait): Wait[] => (count ? [it] : [])
  const ofPlugins = sections.flatMap(({ name, settings }) => {
    const count = awaiting?.[settings?.path ?? name] ?? 0
    if (!settings?.waits || !count) return []
    const [sentence, action] = settings.waits
    const { icon, path = name } = settings
    return [{ tone: 'warn' as const, icon, title: t(sentence, { count }), path: `/${path}`, action: t(action) }]
  })
  return [
    ...some(problems, {
      ...{ tone: 'bad', icon: 'plug-connected-x', path: '/state', action: t('View') },
      title: t('The CRM has changed, and clients miss a part of the portal'),
    }),
    ...some(failed, {
      ...{ tone: 'bad', icon: 'mail-x', path: '/mail?show=failed', action: t('View') },
      title: t('{count, plural, one {A mail could not be delivered} other {# mails could not be delivered}}', {
        count: failed,
      }),
      about: t('In the last seven days'),
    }),
    ...ofPlugins,
    ...some(awaiting?.responses ?? 0, {
      ...{ tone: 'warn', icon: 'signature', path: '/responses', action: t('View') },
      title: t('{count, plural, one {A response is not in the CRM yet} other {# responses are not in the CRM yet}}', {
        count: awaiting?.responses ?? 0,
      }),
    }),
    ...some(registrations, {
      ...{ tone: 'warn', icon: 'user-plus', path: '/people', action: t('Decide') },
      title: t('{count, plural, one {One person asks for access} other {# people ask for access}}', {
        count: registrations,
      }),
    }),
    ...some(unused, {
      ...{ tone: '', icon: 'user-question', path: '/people/adoption', action: t('View') },
      title: t(
        '{count, plural, one {One person was invited but hasn’t signed in} other {# people were invited but haven’t signed in}}',
        {
          count: unused,
        },
      ),
      ...(expiring && {
        about: t(
          '{count, plural, one {One invitation expires within three days} other {# invitations expire within three days}}',
          {
            count: expiring,
          },
        ),
      }),
    }),
  ]
}

/** Each with the week before beside it. */
function figuresOf({ t }: RequestContext, { people }: Facts, counts: Map<string, Counts>) {
  return counts
    .entries()
    .filter(([, { now, before }]) => now || before)
    .map(([label, { now, before }]) => ({
      label,
      now,
      note: [label === active && t('of {people}', { people }), changeOf(t, now - before)].filter(Boolean).join(' · '),
    }))
    .toArray()
    .sort((a, b) => Number(b.label === active) - Number(a.label === active) || (a.label < b.label ? -1 : 1))
}

const changeOf = (t: RequestContext['t'], more: number) =>
  more > 0
    ? t('{count} more', { count: more })
    : more < 0
      ? t('{count} fewer', { count: -more })
      : t('as many as before')

/** Steps that make a portal ready for clients. */
function stepsOf({ t, workspace }: RequestContext, facts: Facts, mails: boolean) {
  return [
    {
      label: t('Logo and colour'),
      done: facts.branded || workspace.logo !== undefined,
      path: '/branding',
      action: t('Set'),
    },
    { label: t('View it as a client'), done: facts.viewed, path: '/view', action: t('View') },
    {
      label: mails ? t('Mail arrives') : t('Set up e-mail'),
      done: mails && facts.sent > 0 && !facts.failed,
      path: '/mail',
      action: t('View'),
    },
    { label: t('Invite the first client'), done: facts.people > 0, path: '/people', action: t('Invite') },
  ]
}
