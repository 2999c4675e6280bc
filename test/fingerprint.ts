import type { Knex } from 'knex'

/** What the catalogue says of everything outside of Portico's schemas, and of every row there, as sorted lines. */
export async function fingerprint(owner: Knex): Promise<string[]> {
  const { rows } = await owner.raw(catalogue)
  const tables = await owner.raw(
    `select schemaname || '.' || quote_ident(tablename) as name from pg_tables where ${foreign('schemaname')} order by 1`,
  )
  const contents = await Promise.all(
    tables.rows.map(async ({ name }: { name: string }) => {
      const counted = await owner.raw(
        `select count(*), md5(coalesce(string_agg(md5(t::text), '' order by md5(t::text)), '')) as hash from ${name} t`,
      )
      return `rows ${name}: ${counted.rows[0].count} ${counted.rows[0].hash}`
    }),
  )
  return [...rows.map((it: { line: string }) => it.line), ...contents].sort()
}

const foreign = (schema: string) => `${schema} !~ '^(pg_|information_schema$|portal$|portal_jobs$)'`

const catalogue = `
  select 'schema ' || nspname || ' ' || coalesce(nspacl::text, '') as line from pg_namespace where ${foreign('nspname')}
  union all
  select 'relation ' || c.oid::regclass || ' ' || relkind::text || ' ' || relowner::regrole || ' ' || relrowsecurity || relforcerowsecurity
         || ' ' || coalesce(relacl::text, '') || ' ' || coalesce(reloptions::text, '') || ' ' || relhastriggers || relhasrules
  from pg_class c join pg_namespace n on n.oid = c.relnamespace where ${foreign('n.nspname')}
  union all
  select 'column ' || a.attrelid::regclass || '.' || attname || ' ' || format_type(atttypid, atttypmod) || ' ' || attnotnull || attidentity::text
         || attgenerated::text || ' ' || coalesce(pg_get_expr(d.adbin, d.adrelid), '') || ' ' || coalesce(attacl::text, '')
  from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where ${foreign('n.nspname')} and attnum > 0 and c.relkind in ('r', 'v', 'm', 'p', 'f')
  union all
  select 'constraint ' || conname || ' ' || conrelid::regclass || ' ' || pg_get_constraintdef(k.oid)
  from pg_constraint k join pg_namespace n on n.oid = k.connamespace where ${foreign('n.nspname')}
  union all
  select 'index ' || pg_get_indexdef(indexrelid) from pg_index i join pg_class c on c.oid = i.indexrelid
    join pg_namespace n on n.oid = c.relnamespace where ${foreign('n.nspname')}
  union all
  select 'trigger ' || pg_get_triggerdef(t.oid) || tgenabled::text from pg_trigger t join pg_class c on c.oid = t.tgrelid
    join pg_namespace n on n.oid = c.relnamespace where ${foreign('n.nspname')}
  union all
  select 'rule ' || pg_get_ruledef(r.oid) from pg_rewrite r join pg_class c on c.oid = r.ev_class
    join pg_namespace n on n.oid = c.relnamespace where ${foreign('n.nspname')}
  union all
  select 'policy ' || polname || ' ' || polrelid::regclass from pg_policy p join pg_class c on c.oid = p.polrelid
    join pg_namespace n on n.oid = c.relnamespace where ${foreign('n.nspname')}
  union all
  select 'sequence ' || schemaname || '.' || sequencename || ' ' || coalesce(last_value, 0) from pg_sequences where ${foreign('schemaname')}
  union all
  select 'function ' || pg_get_functiondef(p.oid) from pg_proc p join pg_namespace n on n.oid = p.pronamespace where ${foreign('n.nspname')}
  union all
  select 'type ' || t.oid::regtype from pg_type t join pg_namespace n on n.oid = t.typnamespace where ${foreign('n.nspname')}
  union all
  select 'extension ' || extname || extversion from pg_extension
  union all
  select 'event trigger ' || evtname from pg_event_trigger
  union all
  select 'publication ' || pubname from pg_publication`
