import type { Knex } from 'knex'
import type { Roles } from '../knexfile.ts'

/** A client's admin ends the access of a colleague. */
export const up = (db: Knex, { app }: Roles) => db.raw(`grant delete on portal.client_memberships to ${app}`)

export const down = (db: Knex, { app }: Roles) => db.raw(`revoke delete on portal.client_memberships from ${app}`)
