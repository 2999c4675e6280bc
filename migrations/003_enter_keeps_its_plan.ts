import type { Knex } from 'knex'
import type { Roles } from '../src/migrations.ts'

/**
 * The statement of `portal.enter` as it is, in PL/pgSQL: a connection plans it once, where an SQL function before
 * PostgreSQL 18 is planned with every call.
 */
export const up = async (db: Knex, { app }: Roles) => {
  const statement = (await bodyOf(db)).trim()
  await db.raw(define('plpgsql', `begin return (${statement}); end`))
  await db.raw(`grant execute on function portal.enter to ${app}`)
}

export const down = async (db: Knex) => {
  const [, statement = ''] = /^begin return \(([\s\S]*)\); end$/.exec(await bodyOf(db)) ?? []
  await db.raw(define('sql', statement))
}

const bodyOf = async (db: Knex): Promise<string> => {
  const { rows } = await db.raw(`select prosrc from pg_proc where oid = 'portal.enter(text)'::regprocedure`)
  return rows[0].prosrc
}

const define = (language: string, body: string) => `
  create or replace function portal.enter(hash text) returns jsonb
  language ${language} stable security definer set search_path = '' as $body$${body}$body$`
