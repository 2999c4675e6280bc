import type { Facts } from '../model.ts'
import { judgeAccess } from './access.ts'
import type { Answers, Case } from './answer.ts'
import { judgeBackend } from './backend.ts'
import { type DataMap, mapData } from './data-map.ts'
import { judgeLimits } from './limits.ts'
import { judgePages } from './pages.ts'
import { peopleOf } from './people.ts'
import { surfaceOf } from './surface.ts'
import { unexamined } from './unexamined.ts'
import { judgeViews, messagesOf } from './views.ts'

export interface Judgement {
  answers: Answers
  data: DataMap
  /** What of it was judged on, for the report. */
  of: Case
}

/** What the facts amount to. No input is looked at here. */
export function judge(facts: Facts): Judgement {
  const surface = surfaceOf(facts.routes)
  const first = mapData(facts.tables)
  const people = peopleOf(facts, first, surface)
  const data = mapData(
    facts.tables,
    writtenBy(
      messagesOf({ facts, data: first, surface, people }).map(it => it.route.body),
      facts,
    ),
  )
  const it: Case = { facts, data, surface, people }
  const portal = people.identity?.table
  const access = judgeAccess(it)
  if (portal && access.A1.status === 'implemented')
    data.portal_users = { ...placeOf(portal.name, data), table: portal.name, at: portal.at }
  const views = judgeViews(it)
  const answers = { ...access, ...views, ...judgeBackend(it), ...judgePages(it, views), ...judgeLimits(it) }
  return { answers: unexamined(answers, facts), data, of: it }
}

const placeOf = (table: string, data: DataMap) => Object.values(data).find(it => it.table === table) ?? {}

/** The tables that handlers insert into, by their names in SQL. */
const writtenBy = (bodies: string[], { tables }: Facts): string[] =>
  tables
    .filter(it =>
      bodies.some(body =>
        new RegExp(`insert\\s+into\\s+["'\`]?${it.name.replace(/[^\w]/g, '\\$&')}\\b`, 'i').test(body),
      ),
    )
    .map(it => it.name)
