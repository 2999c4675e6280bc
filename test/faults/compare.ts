import type { Knex } from 'knex'
import { faults } from '../../src/evidence/chain.ts'
import { orders } from './client.ts'
import type { Entry, Journal, Kind } from './journal.ts'
import type { PostOffice } from './post-office.ts'

/** What of the journal the database does not say, or says more than once; each in a line. */
export interface Differences {
  lost: string[]
  doubled: string[]
  /** What does not fit together in the database, whatever was acknowledged. */
  broken: string[]
}

/** Compares all that was done so far. Nobody may be doing anything meanwhile. */
export async function compare(journal: Journal, owner: Knex, portal: Knex): Promise<Differences> {
  const found: Differences = { lost: [], doubled: [], broken: [] }
  const of = (...kinds: Kind[]) => journal.entries.filter(it => kinds.includes(it.kind))
  await compareComments(of('comment', 'reply'), owner, found)
  await compareResponses(of('accepted', 'declined'), owner, found)
  await compareArrangements(of('arranged'), owner, found)
  await compareSettings(of('settings'), owner, found)
  await compareSignIns(of('code'), of('signed-in'), owner, found)
  found.broken.push(...(await faults(portal, '1')))
  found.broken.push(...(await outOfTime(owner)))
  return found
}

const rowsOf = async (owner: Knex, sql: string) => (await owner.raw(sql)).rows

async function compareComments(entries: Entry[], owner: Knex, { lost, doubled, broken }: Differences) {
  const rows = await rowsOf(owner, 'select text, count(*)::int as n from portal.client_comments group by 1')
  const stored = new Map<string, number>(rows.map((it: any) => [it.text, it.n]))
  for (const { key, acknowledged } of entries) {
    const times = stored.get(key) ?? 0
    if (acknowledged && !times) lost.push(key)
    if (times > 1) doubled.push(key)
  }
  const [{ comments, events }] = await rowsOf(
    owner,
    `select (select count(*)::int from portal.client_comments where text ~ '^(Comment|Reply) \\d') as comments,
       (select count(*)::int from portal.client_activity_logs where event in ('proposals.commented', 'proposals.replied')) as events`,
  )
  if (comments !== events) broken.push(`${comments} comments and ${events} events of them`)
}

async function compareResponses(entries: Entry[], owner: Knex, { lost, doubled, broken }: Differences) {
  const rows = await rowsOf(
    owner,
    `select p.id::text, p.state,
       (select array_agg(s.act) from portal.client_signatures s
        where s.workspace_id = '1' and s.section = 'proposals' and s.document_id = p.id::text) as signed,
       (select array_agg(a.event) from portal.client_activity_logs a
        where a.workspace_id = '1' and a.subject_id = p.id::text
          and a.event in ('proposals.accepted', 'proposals.declined')) as events
     from proposals p where p.ref_no like 'F-%' and (p.state <> 'sent' or exists (
       select from portal.client_signatures s
       where s.workspace_id = '1' and s.section = 'proposals' and s.document_id = p.id::text))`,
  )
  const stored = new Map<string, any>(rows.map((it: any) => [it.id, it]))
  for (const { kind, key, acknowledged } of entries)
    if (acknowledged && stored.get(key)?.signed?.[0] !== kind) lost.push(`${kind} ${key}`)
  for (const { id, state, signed, events } of stored.values()) {
    if (signed?.length > 1 || events?.length > 1) doubled.push(`signature of ${id}`)
    const act = state === 'rejected' ? 'declined' : state
    if (signed?.[0] !== act || events?.[0] !== `proposals.${act}`)
      broken.push(`proposal ${id} is ${state}, signed: ${signed}, events: ${events}`)
  }
}

/** Of what is stored over and over, the last acknowledged or one that was begun later. */
async function compareArrangements(entries: Entry[], owner: Knex, { lost }: Differences) {
  const rows = await rowsOf(
    owner,
    `select person_id, value -> 'order' as "order" from portal.client_portal_settings where name = 'home'`,
  )
  const stored = new Map<string, string>(rows.map((it: any) => [it.person_id, String(it.order)]))
  for (const [who, its] of Map.groupBy(entries, it => it.who)) {
    const may = sinceAcknowledged(its).map(it => String(orders[Number(it.key) % orders.length]))
    if (may.length && !may.includes(stored.get(who) ?? '')) lost.push(`arrangement of ${who}`)
  }
}

async function compareSettings(entries: Entry[], owner: Knex, { lost, broken }: Differences) {
  const rows = await rowsOf(
    owner,
    `select value ->> 'next' as next from portal.client_portal_settings
     where name = 'signing' and client_id = '' and person_id = ''`,
  )
  const may = sinceAcknowledged(entries).map(it => it.key)
  if (may.length && !may.includes(rows[0]?.next)) lost.push(`${may[0]} of the settings, which are at ${rows[0]?.next}`)
  const [{ events }] = await rowsOf(
    owner,
    `select count(*)::int as events from portal.client_activity_logs where event = 'settings.signing'`,
  )
  const acknowledged = entries.filter(it => it.acknowledged).length
  if (events < acknowledged || events > entries.length)
    broken.push(`${events} events of ${acknowledged} to ${entries.length} changed settings`)
}

const sinceAcknowledged = (entries: Entry[]) => {
  const last = entries.findLastIndex(it => it.acknowledged)
  return last < 0 ? [] : entries.slice(last)
}

async function compareSignIns(asked: Entry[], typed: Entry[], owner: Knex, { lost, doubled }: Differences) {
  const mails = await counted(
    owner,
    `select recipient as who, count(*)::int as n from portal.client_outbox where kind = 'sign-in' group by 1`,
  )
  const events = await counted(
    owner,
    `select actor_id as who, count(*)::int as n from portal.client_activity_logs
     where event = 'account.signed-in' and actor_kind = 'client' group by 1`,
  )
  for (const [what, entries, stored] of [['code', asked, mails] as const, ['sign-in', typed, events] as const])
    for (const [who, its] of Map.groupBy(entries, it => it.who)) {
      const times = stored.get(who) ?? 0
      const acknowledged = its.filter(it => it.acknowledged).length
      if (times < acknowledged) lost.push(`${what} of ${who}`)
      if (times > its.length) doubled.push(`${what} of ${who}`)
    }
}

const counted = async (owner: Knex, sql: string) =>
  new Map<string, number>((await rowsOf(owner, sql)).map((it: any) => [it.who, it.n]))

/** Links that are older than the one before, and what has a time that is not the database's. */
async function outOfTime(owner: Knex): Promise<string[]> {
  const rows = await rowsOf(
    owner,
    `select 'link ' || sequence || ' is older than the one before' as told from (
       select sequence, at, lag(at) over (order by sequence) as before from (
         select sequence, at from portal.client_signatures where workspace_id = '1'
         union all select sequence, at from portal.client_seals where workspace_id = '1') it) it
     where at < before
     union all
     select event || ' in the future' from portal.client_activity_logs where at > now() + interval '1 minute'
     union all
     select 'link ' || sequence || ' in the future' from portal.client_signatures where at > now() + interval '1 minute'`,
  )
  return rows.map((it: any) => it.told)
}

/** Each mail is with the mail server once, or once more under the same Message-ID. */
export async function compareMails(post: PostOffice, owner: Knex): Promise<Differences & { twice: number }> {
  const rows: { id: string; kind: string; recipient: string; error: string | null }[] = await rowsOf(
    owner,
    `select id, kind, recipient, error from portal.client_outbox where recipient <> ''`,
  )
  const found = { lost: [] as string[], doubled: [] as string[], broken: [] as string[], twice: 0 }
  const known = new Set(rows.map(it => `<${it.id}@faults.example>`))
  for (const { id, kind, recipient, error } of rows) {
    const times = post.times.get(`<${id}@faults.example>`) ?? 0
    if (!times) found.lost.push(`${kind} to ${recipient}: ${error}`)
    if (times === 2) found.twice++
    if (times > 2) found.doubled.push(`${kind} to ${recipient}: ${times} times`)
  }
  for (const id of post.times.keys()) if (!known.has(id)) found.broken.push(`a mail that nobody wrote: ${id}`)
  const [{ copies, accepted }] = await rowsOf(
    owner,
    `select (select count(*)::int from portal.client_outbox where kind = 'signed-copy') as copies,
       (select count(*)::int from portal.client_signatures where act = 'accepted') as accepted`,
  )
  if (copies !== accepted) found.broken.push(`${copies} signed copies of ${accepted} acceptances`)
  return found
}
