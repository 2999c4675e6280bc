import type { Knex } from 'knex'
import { v7 as uuid } from 'uuid'
import { fits, hashed } from '../auth/passwords.ts'
import type { Identity } from '../crm/map/identity.ts'
import type { Workspace } from '../crm.ts'
import { query, within } from '../database.ts'

/** Somebody who looks after the portal of one workspace. */
export interface Colleague {
  /** `crm:` before it where the CRM's own table has them. */
  id: string
  name: string
  admin: boolean
}

/** Those of `portico staff add`, and where the map names a table of staff, those too. */
export const staffOf = (database: Knex, crm: Identity | undefined) => ({
  async verify(workspace: Workspace, email: string, password: string): Promise<Colleague | undefined> {
    const own = await row(database, workspace, 'email', email.trim().toLowerCase())
    if (await fits(own?.password_hash, password)) return own
    const theirs = await crm?.verify(workspace, email, password)
    return theirs && { ...theirs, id: `crm:${theirs.id}` }
  },

  /** As they are now: who has left is undefined. */
  async find(workspace: Pick<Workspace, 'id'>, id: string): Promise<Colleague | undefined> {
    if (!id.startsWith('crm:')) return row(database, workspace, 'id', id)
    const it = await crm?.find(workspace, id.slice(4))
    return it && { ...it, id }
  },
})

const row = (database: Knex, workspace: Pick<Workspace, 'id'>, by: 'id' | 'email', value: string) =>
  within(database, { workspace: workspace.id }, async tx => {
    const [it] = await query<Colleague & { password_hash: string }>(tx, {
      text: `select id::text, name, admin, password_hash from portal.client_staff
             where workspace_id = $1 and ${by === 'id' ? 'id::text' : 'email'} = $2`,
      values: [workspace.id, value],
    })
    return it
  })

/** Adds somebody, or gives them another name, right or password. */
export async function addStaff(
  database: Knex,
  workspace: Workspace,
  { email, name, admin, password }: { email: string; name: string; admin: boolean; password: string },
): Promise<void> {
  const hash = await hashed(password)
  await within(database, { workspace: workspace.id }, tx =>
    query(tx, {
      text: `insert into portal.client_staff (workspace_id, id, email, name, admin, password_hash) values ($1, $2, $3, $4, $5, $6)
             on conflict (workspace_id, email) do update
               set name = excluded.name, admin = excluded.admin, password_hash = excluded.password_hash`,
      values: [workspace.id, uuid(), email.toLowerCase(), name, admin, hash],
    }),
  )
}
