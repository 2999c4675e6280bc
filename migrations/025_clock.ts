import type { Knex } from 'knex'

/**
 * One clock for every row: `portal.now()`. The defaults, policies and the function that asked `now()` ask it instead, and
 * `portal.enter` also says what time it is. See docs/decisions/one-clock.md.
 */
export const up = (db: Knex) =>
  db.raw(`
    create function portal.now() returns timestamptz
    language sql stable parallel safe as $body$ select pg_catalog.now() $body$;
    ${inDefaults(`now()`, 'portal.now()')}
    ${inPolicies(`now()`, 'portal.now()')}
    ${inEnter(`now()`, 'portal.now()')}
    ${inEnter(`'sess', s.sess,`, `'sess', s.sess, 'now', portal.now(),`)}`)

export const down = (db: Knex) =>
  db.raw(`
    ${inEnter(`'now', portal.now(), `, '')}
    ${inEnter(`portal.now()`, 'now()')}
    ${inPolicies(`portal.now()`, 'now()')}
    ${inDefaults(`portal.now()`, 'now()')}
    drop function portal.now();`)

const inDefaults = (from: string, to: string) => `
    do $do$ declare it record; begin
      for it in
        select d.adrelid::regclass as relation, a.attname as name, pg_get_expr(d.adbin, d.adrelid) as expression
        from pg_attrdef d
          join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
          join pg_class c on c.oid = d.adrelid
        where c.relnamespace = 'portal'::regnamespace and position('${from}' in pg_get_expr(d.adbin, d.adrelid)) > 0
      loop
        execute format('alter table %s alter %I set default %s',
          it.relation, it.name, replace(it.expression, '${from}', '${to}'));
      end loop;
    end $do$;`

const inPolicies = (from: string, to: string) => `
    do $do$ declare it record; begin
      for it in
        select tablename, policyname, qual from pg_policies
        where schemaname = 'portal' and position('${from}' in qual) > 0
      loop
        execute format('alter policy %I on portal.%I using (%s)',
          it.policyname, it.tablename, replace(it.qual, '${from}', '${to}'));
      end loop;
    end $do$;`

const inEnter = (from: string, to: string) => `
    do $do$ begin
      execute replace(pg_get_functiondef('portal.enter'::regproc), $from$${from}$from$, $to$${to}$to$);
    end $do$;`
