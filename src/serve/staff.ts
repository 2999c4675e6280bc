import { createHash } from 'node:crypto'
import type { Knex } from 'knex'
import { v7 as uuid } from 'uuid'
import { fits, hashed } from '../auth/passwords.ts'
import type { Identity } from '../crm/map/identity.ts'
import type { Workspace } from '../crm.ts'
import { query, readWithin, within } from '../database.ts'

/** Somebody who looks after the portal of one workspace. */
export interface Colleague {
  /** `crm:` before it where the CRM's own table has them. */
  id: string
  name: string
  email: string
  admin: boolean
  /** Another one as soon as their password is another: a session holds it from sign-in on, and ends by that. */
  state: string
}

/** As they are stored. */
interface Row extends Omit<Colleague, 'state'> {
  password: string
}

export type StaffOf = ReturnType<typeof staffOf>

/** Those of `portico staff add`, and where the map names a table of staff, those too. */
export const staffOf = (database: Knex, crm: Identity | undefined) => ({
  async verify(workspace: Workspace, email: string, password: string): Promise<Colleague | undefined> {
    const own = await ownRow(database, workspace, 'email', email.trim().toLowerCase())
    if (await fits(own?.password, password)) return own && colleague(own)
    const theirs = await crm?.verify(workspace, email, password)
    return theirs && colleague(ofCrm(theirs))
  },

  /** As they are now: who has left is undefined. */
  async find(workspace: Pick<Workspace, 'id'>, id: string): Promise<Colleague | undefined> {
    if (!id.startsWith(prefix)) {
      const own = await ownRow(database, workspace, 'id', id)
      return own && colleague(own)
    }
    const theirs = await crm?.find(workspace, id.slice(prefix.length))
    return theirs && colleague(ofCrm(theirs))
  },
})

const prefix = 'crm:'

type OfCrm = NonNullable<Awaited<ReturnType<Identity['find']>>>

const ofCrm = ({ id, name, email, admin, stored }: OfCrm): Row => ({
  id: prefix + id,
  name,
  email,
  admin,
  password: stored,
})

function colleague({ password, ...it }: Row): Colleague {
  return {
    ...it,
    state: createHash('sha256')
      .update(JSON.stringify([password]))
      .digest('base64url'),
  }
}

const ownRow = async (database: Knex, { id }: Pick<Workspace, 'id'>, by: 'id' | 'email', value: string) => {
  const [row] = await readWithin<Row>(
    database,
    { workspace: id },
    {
      text: `select s.id::text, s.name, s.email, s.admin, s.password_hash as password from portal.client_staff s
             where s.workspace_id = scope.workspace and ${by === 'id' ? 's.id::text' : 's.email'} = $3`,
      values: [value],
    },
  )
  return row
}

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
