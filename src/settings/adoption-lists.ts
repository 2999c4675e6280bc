import { z } from 'zod'
import { portalOffSql } from '../auth/portal-switch.ts'
import type { Role } from '../crm/crm.ts'
import { keyOf } from '../http/paging.ts'
import type { Statement } from '../platform/database.ts'
import type { SettingRow } from '../plugin/toggles.ts'

export const shows = ['never', 'away'] as const
type Shown = (typeof shows)[number]

/** Days after which somebody counts as away. */
export const awayDays = 60

/** Days in which one person is invited again at most once. */
export const againDays = 7

/** Somebody who never came, or has not come for long. */
export interface Away {
  /** `i:` and the id of an invitation, or `p:` and that of a person. */
  key: string
  /** Since when, to the microsecond; the list's order. */
  since: string
  person: string | null
  name: string
  email: string
  photo: string | null
  clients: { client: string; name: string; role: Role }[]
  /** Of the workspace, the clients and the person. */
  settings: SettingRow[]
  invitedAt: Date | null
  mailedAt: Date | null
  firstVisit: Date | null
  lastVisit: Date | null
  /** Whether the mail of the invitation was refused. */
  failed: boolean
  /** Mails about documents since they were last here. */
  mails: number
  /** When they were invited or reminded last, and from when they may be again; null where they may be now. */
  sentAt: Date | null
  againFrom: Date | null
}

export const keyOfRow = ({ since, key }: Away) => [since, key]

interface Page {
  after: string | undefined
  size: number
  /** Kinds of the mails about documents. */
  kinds: string[]
}

/** A page, newest first, and one more row where there are others. */
export function adoptionPage(show: Shown, { after, size, kinds }: Page): Statement {
  const [since, key] = keyOf(after, z.tuple([z.iso.datetime({ offset: true }), z.string().max(100)])) ?? [null, null]
  const found = show === 'never' ? `(${invitees}) union all (${strangers})` : gone
  return {
    name: `portal.adoption-${show}`,
    text: `select it.*, ${details} from (select * from (${found}) a order by at desc, key desc limit $5) it
             cross join lateral (select ${lastSentSql('scope.workspace', 'it.email')} as at) sent
           order by it.at desc, it.key desc`,
    values: [since, key, size + 1, kinds],
  }
}

const iso = (at: string) => `to_char(${at} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`

/** The page's own place, for each part of the list by itself, so that no part reads more than a page. */
const from = (at: string, key: string) => `
  and ($3::timestamptz is null or (${at}, ${key}) < ($3::timestamptz, $4)) order by ${at} desc, ${key} desc limit $5`

const invitationKey = `'i:' || i.id`
const personKey = `'p:' || u.id`

const invited = `i.workspace_id = scope.workspace and i.used_at is null and i.revoked_at is null
  and not ${portalOffSql('i')} and not exists (
    select from portal.client_emails e
      join portal.client_memberships m on m.workspace_id = e.workspace_id and m.person_id = e.person_id
    where e.workspace_id = i.workspace_id and e.email = i.email and m.client_id = i.client_id)`

/** Invitations that nobody has used. */
const invitees = `
  select ${invitationKey} as key, i.created_at as at, null::uuid as person, i.name, i.email, null as photo,
    jsonb_build_array(jsonb_build_object('client', i.client_id, 'name', i.client_name, 'role', i.role)) as clients,
    i.created_at as "invitedAt", i.mailed_at as "mailedAt", null::timestamptz as "firstVisit",
    null::timestamptz as "lastVisit", i.mail_id
  from portal.client_invitations i where ${invited} ${from('i.created_at', invitationKey)}`

const allowed = `u.workspace_id = scope.workspace and u.suspended_at is null and exists (
  select from portal.client_memberships m
  where m.workspace_id = u.workspace_id and m.person_id = u.id and not ${portalOffSql('m')})`

const account = `
  select ${personKey} as key, {at} as at, u.id as person, u.name, u.email, u.photo_version as photo,
    (select jsonb_agg(jsonb_build_object('client', m.client_id, 'name', m.client_name, 'role', m.role)
                      order by m.client_name)
     from portal.client_memberships m
     where m.workspace_id = u.workspace_id and m.person_id = u.id and not ${portalOffSql('m')}) as clients,
    null::timestamptz as "invitedAt", null::timestamptz as "mailedAt", v.first_at as "firstVisit",
    v.last_at as "lastVisit", null::uuid as mail_id`

const neverHere = `portal.client_users u
    left join portal.client_visits v on v.workspace_id = u.workspace_id and v.person_id = u.id
  where ${allowed} and v.first_at is null`

const longAway = `portal.client_visits v
    join portal.client_users u on u.workspace_id = v.workspace_id and u.id = v.person_id
  where v.workspace_id = scope.workspace and v.last_at < portal.now() - interval '${awayDays} days' and ${allowed}`

/** Accounts that nobody has ever signed in to. */
const strangers = `${account.replace('{at}', 'u.created_at')} from ${neverHere} ${from('u.created_at', personKey)}`

const gone = `${account.replace('{at}', 'v.last_at')} from ${longAway} ${from('v.last_at', personKey)}`

/** When somebody with this address was invited or reminded last, in SQL. */
export const lastSentSql = (workspace: string, email: string) => `(
  select max(s.at) from (
    select i.created_at as at from portal.client_invitations i
    where i.workspace_id = ${workspace} and i.email in (
      select o.email from portal.client_emails e
        join portal.client_emails o on o.workspace_id = e.workspace_id and o.person_id = e.person_id
      where e.workspace_id = ${workspace} and e.email = ${email} union all select ${email})
    union all
    select v.recalled_at from portal.client_emails e
      join portal.client_visits v on v.workspace_id = e.workspace_id and v.person_id = e.person_id
    where e.workspace_id = ${workspace} and e.email = ${email}) s)`

/** Asked for the rows of one page only. */
const details = `
  ${iso('it.at')} as since, sent.at as "sentAt",
  case when sent.at > portal.now() - interval '${againDays} days'
    then sent.at + interval '${againDays} days' end as "againFrom",
  it.mail_id is not null and exists (select from portal.client_outbox o
    where o.workspace_id = scope.workspace and o.id = it.mail_id and o.failed_at is not null) as failed,
  (select count(*)::int from portal.client_outbox o
   where o.workspace_id = scope.workspace and o.person_id = it.person and o.kind = any($6) and o.sent_at is not null
     and o.created_at > coalesce(it."lastVisit", '-infinity')) as mails,
  (select coalesce(jsonb_agg(jsonb_build_array(t.client_id, t.person_id, t.name, t.value)), '[]')
   from portal.client_portal_settings t
   where t.workspace_id = scope.workspace and t.person_id in ('', it.person::text)
     and (t.client_id = '' or t.client_id in (
       select c ->> 'client' from jsonb_array_elements(it.clients) c))) as settings`

export const adoptionCounts: Statement = {
  name: 'portal.adoption-counts',
  text: `select
    (select count(*)::int from portal.client_invitations i where ${invited})
      + (select count(*)::int from ${neverHere}) as never,
    (select count(*)::int from ${longAway}) as away`,
}
