import type { Knex } from 'knex'

const kinds = ['sign-in', 'reset', 'address', 'undo', 'unlock', 'step-up', 'device', 'link']

/** Codes for signing in that are texted, and not mailed. */
export const up = (db: Knex) => db.raw(limitTo([...kinds, 'text']))

export const down = (db: Knex) => db.raw(`delete from portal.client_tokens where kind = 'text'; ${limitTo(kinds)}`)

const limitTo = (its: string[]) => `
  alter table portal.client_tokens drop constraint client_tokens_kind_check,
    add constraint client_tokens_kind_check check (kind in (${its.map(it => `'${it}'`).join(', ')}));
`
