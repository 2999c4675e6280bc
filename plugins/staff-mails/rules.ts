import type { Request } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { Conflict } from '../../src/http/errors.ts'
import { recordEventIn } from '../../src/platform/activity.ts'
import { query, readWithin } from '../../src/platform/database.ts'

/** What staff can be mailed of. */
export const newsKinds = [
  'accepted',
  'declined',
  'questions',
  'messages',
  'uploads',
  'countersignatures',
  'failures',
] as const
export type NewsKind = (typeof newsKinds)[number]

export const modes = ['off', 'now', 'daily'] as const
type Mode = (typeof modes)[number]

/**
 * What a workspace has chosen. Before anybody has: acceptances, rejections, questions and uploads go to whoever looks after the
 * document in the CRM, or in the daily summary of its admins where nobody does.
 */
export interface Rules {
  /** Counts what was saved; 0 before the first time. */
  revision: number
  /** `since` is an instant in ISO 8601: nobody is mailed of what was before. */
  kinds: Record<NewsKind, { mode: Mode; since: string | null }>
  /** Whoever looks after the document in the CRM. */
  toOwner: boolean
  /** Everybody who administers the workspace in the CRM. */
  toAdmins: boolean
  /** Whether admins and addresses are mailed even where a document's owner is. */
  also: boolean
  /** Whether admins and addresses get what nobody looks after in the daily summary only. */
  othersDaily: boolean
  addresses: string[]
  /** Of the digest, in the workspace's time zone. */
  hour: number
  language: string
}

const Kinds = z.record(z.string(), z.object({ mode: z.enum(modes), since: z.string().nullable() }))

/** The workspace's rules, or those that hold before the first time. */
export async function rulesOf(database: Knex, workspace: string): Promise<Rules> {
  const [row] = await readWithin<Rules>(
    database,
    { workspace },
    {
      name: 'portal.staff-mail-rules',
      text: `select ${columns} from portal.client_staff_mail_rules r where r.workspace_id = scope.workspace`,
    },
  )
  return rulesIn(row)
}

export type Chosen = Omit<Rules, 'revision' | 'kinds'> & { modes: Record<NewsKind, Mode> }

/** Saves all of it, in a transaction of the workspace. Throws Conflict where it changed since the page was shown. */
export async function saveRules(tx: Knex, req: Request<any>, shown: number, chosen: Chosen): Promise<void> {
  const { workspace, staff } = req.portal
  const [row] = await query<Rules>(tx, {
    text: `select ${columns} from portal.client_staff_mail_rules r where r.workspace_id = $1 for update`,
    values: [workspace.id],
  })
  const before = rulesIn(row)
  const [clock] = await query<{ now: Date }>(tx, { text: 'select portal.now() as now' })
  const kinds = kindsAfter(before, chosen.modes, clock!.now.toISOString())
  const saved = await query(tx, {
    text: `insert into portal.client_staff_mail_rules as it
             (workspace_id, revision, kinds, to_owner, to_admins, also, addresses, hour, language, changed_by, others_daily)
           values ($1, 1, $3, $4, $5, $6, $7, $8, $9, $10, $11)
           on conflict (workspace_id) do update set revision = it.revision + 1, kinds = excluded.kinds,
             to_owner = excluded.to_owner, to_admins = excluded.to_admins, also = excluded.also,
             addresses = excluded.addresses, hour = excluded.hour, language = excluded.language,
             others_daily = excluded.others_daily, changed_by = excluded.changed_by, changed_at = portal.now()
           where it.revision = $2
           returning revision`,
    values: [
      ...[workspace.id, shown, JSON.stringify(kinds), chosen.toOwner, chosen.toAdmins, chosen.also],
      ...[chosen.addresses, chosen.hour, chosen.language, staff?.name ?? '', chosen.othersDaily],
    ],
  })
  if (!saved.length || before.revision !== shown) throw new Conflict()
  const subject = { before: summaryOf(before), after: summaryOf({ ...before, ...chosen, kinds }) }
  if (subject.before !== subject.after) await recordEventIn(tx, req, { event: 'staff-mails.changed', subject })
}

/** A kind that was off before begins now; one that goes on keeps its beginning. */
const kindsAfter = (before: Rules, after: Record<NewsKind, Mode>, now: string): Rules['kinds'] =>
  eachKind(kind => {
    const mode = after[kind]
    if (mode === 'off') return { mode, since: null }
    const was = before.kinds[kind]
    return { mode, since: was.mode === 'off' ? now : was.since }
  })

const columns = `r.revision, r.kinds, r.to_owner as "toOwner", r.to_admins as "toAdmins", r.also, r.addresses,
  r.others_daily as "othersDaily", r.hour::int as hour, r.language`

function rulesIn(row: Rules | undefined): Rules {
  const kinds = Kinds.safeParse(row?.kinds).data ?? {}
  return {
    ...{ revision: 0, toOwner: true, toAdmins: true, also: false, othersDaily: true },
    ...{ addresses: [], hour: 8, language: '' },
    ...row,
    kinds: eachKind(kind => (row ? (kinds[kind] ?? off) : atFirst(kind))),
  }
}

const off = { mode: 'off', since: null } as const

/** Nothing is told of before: an event is told by the job that came with it. */
const atFirst = (kind: NewsKind): Rules['kinds'][NewsKind] =>
  ['accepted', 'declined', 'questions', 'messages', 'uploads'].includes(kind)
    ? { mode: 'now', since: new Date(0).toISOString() }
    : off

export const eachKind = <T>(of: (kind: NewsKind) => T) =>
  Object.fromEntries(newsKinds.map(kind => [kind, of(kind)])) as Record<NewsKind, T>

/** For the activity log. */
function summaryOf({ kinds, toOwner, toAdmins, also, othersDaily, addresses, hour, language }: Rules): string {
  const on = newsKinds.filter(kind => kinds[kind].mode !== 'off').map(kind => `${kind} ${kinds[kind].mode}`)
  if (!on.length) return 'off'
  const to = [...(toOwner ? ['owner'] : []), ...(toAdmins ? ['admins'] : []), ...addresses].join(' ')
  return `${on.join(', ')}; ${to}${also ? ' (all)' : ''}${othersDaily ? ' (others daily)' : ''}; ${hour}:00; ${language}`
}
