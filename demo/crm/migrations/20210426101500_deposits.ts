import type { Knex } from 'knex'

/** What is asked for on acceptance. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table public.proposals add column deposit_percent numeric(5,2) check (deposit_percent between 0 and 100);
    alter table public.quotations add column deposit_amount numeric(14,2) check (deposit_amount >= 0);
  `)
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table public.quotations drop column deposit_amount;
    alter table public.proposals drop column deposit_percent;
  `)
}
