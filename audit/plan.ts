import { migrationSql } from '../src/migrations.ts'
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

/** What Portico keeps in tables of its own only where the CRM keeps nothing of the kind. */
const optional: { table: string; entity: keyof DataMap; question: QuestionId; what: string }[] = [
  { table: 'portal.client_tasks', entity: 'tasks', question: 'B6', what: 'tasks' },
  { table: 'portal.client_documents', entity: 'documents', question: 'B7', what: 'documents' },
  { table: 'portal.client_messages', entity: 'messages', question: 'B8', what: 'messages' },
  { table: 'portal.client_comments', entity: 'messages', question: 'F2', what: 'comments' },
]

/** None of those in `created`. */
export function tablesToLeaveOut(answers: Answers, data: DataMap, created: Creation[]): Omission[] {
  const left = [...optionalTables(data), ...signaturesOf(answers)]
  return left.filter(it => !created.some(({ table }) => table === it.table))
}

const optionalTables = (data: DataMap): Omission[] =>
  optional
    .filter(it => data[it.entity].table !== null)
    .map(it => ({
      table: it.table,
      because: `The CRM keeps ${it.what} in ${data[it.entity].table}; the adapter reads them there.`,
    }))

const signaturesOf = (answers: Answers): Omission[] =>
  answers.B4.status === 'implemented'
    ? [{ table: 'portal.client_signatures', because: 'The CRM stores acceptances itself.' }]
    : []

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
