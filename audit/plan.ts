import { migrationSql } from '../src/platform/migrations.ts'
import type { Parts } from './decisions.ts'
import type { Answers } from './judgement/answer.ts'
import type { DataMap } from './judgement/data-map.ts'
import type { QuestionId } from './questionnaire.ts'

export interface Creation {
  table: string
  ddl: string
}

export interface Omission {
  table: string
  /** Why Portico does not need it here. */
  because: string
}

/** The tables that Portico's migrations create, with the statements that they really run. */
export async function tablesToCreate(): Promise<Creation[]> {
  const statements = (await migrationSql('portal_app')).flatMap(statementsOf)
  const created = statements.flatMap(it => it.match(/^create table (portal\.\w+)/i)?.[1] ?? [])
  return created.map(table => {
    const about = statements.filter(it =>
      new RegExp(
        `^(create table ${table}\\b|create (unique )?index .*\\bon ${table}\\b|alter table ${table}\\b|create policy \\w+ on ${table}\\b)`,
        'i',
      ).test(it),
    )
    return { table, ddl: about.map(it => `${it};`).join('\n') }
  })
}

/** The tables that Portico needs only where the CRM has no such data. */
const optional: { table: string; entity: keyof DataMap; question: QuestionId; what: string }[] = [
  { table: 'portal.client_tasks', entity: 'tasks', question: 'B6', what: 'tasks' },
  { table: 'portal.client_documents', entity: 'documents', question: 'B7', what: 'documents' },
  { table: 'portal.client_messages', entity: 'messages', question: 'B8', what: 'messages' },
  { table: 'portal.client_comments', entity: 'messages', question: 'F2', what: 'comments' },
]

interface Plan {
  answers: Answers
  data: DataMap
  /** What the installed version has for each question: what it does not have has no table to leave out. */
  parts: Parts
}

/** The tables of installed parts that are not needed here: the CRM has the part and keeps its rows. */
export const tablesToLeaveOut = ({ answers, data, parts }: Plan, created: Creation[]): Omission[] =>
  optional
    .filter(it => parts[it.question].length > 0 && /^(implemented|partial)$/.test(answers[it.question].status))
    .filter(it => data[it.entity].table !== null && !created.some(({ table }) => table === it.table))
    .map(it => ({
      table: it.table,
      because: `The CRM keeps ${it.what} in ${data[it.entity].table}; the adapter reads them there.`,
    }))

/** Split at the semicolons that end a statement; not at those inside of a function's body. */
function statementsOf(sql: string): string[] {
  const bodies: string[] = []
  return sql
    .replace(/\$(\w*)\$[\s\S]*?\$\1\$/g, body => `\uE000${bodies.push(body) - 1}\uE000`)
    .replace(/--[^\n]*/g, '')
    .split(';')
    .map(it =>
      it
        .replace(/\uE000(\d+)\uE000/g, (_, index) => bodies[Number(index)]!)
        .replace(/\n {4}/g, '\n')
        .trim(),
    )
    .filter(Boolean)
}
