import type { Facts } from '../model.ts'
import { judgeAccess } from './access.ts'
import type { Answers, Findings } from './answer.ts'
import { judgeBackend } from './backend.ts'
import { type DataMap, mapData } from './data-map.ts'
import { openToLimitedUsers } from './limited-users.ts'
import { judgeLimits } from './limits.ts'
import { judgePages } from './pages.ts'
import { findClientPeople } from './people.ts'
import { classifyRoutes } from './surface.ts'
import { unexamined } from './unexamined.ts'
import { judgeViews, messagesOf } from './views.ts'

export interface Judgement {
  answers: Answers
  data: DataMap
  /** What the answers were judged from. */
  of: Findings
}

/** Answers the questions from the facts, without looking at any input. */
export function judge(facts: Facts): Judgement {
  const first = mapData(facts.tables)
  const surface = openToLimitedUsers(classifyRoutes(facts.routes), first)
  const people = findClientPeople(facts, first, surface)
  const data = mapData(
    facts.tables,
    writtenBy(
      messagesOf({ facts, data: first, surface, people }).map(it => it.route.body),
      facts,
    ),
  )
  const findings: Findings = { facts, data, surface, people }
  const portal = people.identity?.table
  const access = judgeAccess(findings)
  if (portal && access.A1.status === 'implemented')
    data.portal_users = { ...placeOf(portal.name, data), table: portal.name, at: portal.at }
  const views = judgeViews(findings)
  const answers = {
    ...access,
    ...views,
    ...judgeBackend(findings),
    ...judgePages(findings, views),
    ...judgeLimits(findings),
  }
  return { answers: unexamined(answers, facts, data, surface), data, of: findings }
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
