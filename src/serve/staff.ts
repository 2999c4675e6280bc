import { createHash } from 'node:crypto'
import type { Knex } from 'knex'
import { v7 as uuid } from 'uuid'
import { hashPassword, passwordMatches } from '../auth/passwords.ts'
import type { Workspace } from '../crm/crm.ts'
import type { Identity } from '../crm/mapping/identity.ts'
import { query, readWithin, within } from '../platform/database.ts'

/** Staff who administer the portal of one workspace. */
export interface Colleague {
  /** The id; with the prefix `crm:` if it is from the CRM's own table. */
  id: string
  name: string
  email: string
  admin: boolean
  /** Whether the password is stored by Portico and can be changed here. */
  own: boolean
  /** Whether sign-in requires a second factor, and which ones they have. */
  factor: boolean
  app: boolean
  passkey: boolean
  /** Changes with the password. */
  credential: string
  /** Changes with the password and the second factors. A session stores it and ends when it differs. */
  state: string
}

/** A stored row, with its confirmed second factors. */
type Row = Pick<Colleague, 'id' | 'name' | 'email' | 'admin'> & { password: string; factors: Factor[] }
type Factor = [id: string, kind: 'app' | 'passkey', confirmed: string]

type Place = Pick<Workspace, 'id'>

export type StaffOf = ReturnType<typeof staffOf>

/** The staff added by `portico staff add`, and if the map names a staff table, those of the CRM too. */
export const staffOf = (database: Knex, crm: Identity | undefined) => ({
  async verify(workspace: Workspace, email: string, password: string): Promise<Colleague | undefined> {
    const own = await ownRow(database, workspace, 'email', email.trim().toLowerCase())
    if (await passwordMatches(own?.password, password)) return own && colleagueOf(own)
    const theirs = await crm?.verify(workspace, email, password)
    return theirs && ofCrm(database, workspace, theirs)
  },

  /** Finds somebody by id, as they are now; undefined if they have left. */
  async find(workspace: Place, id: string): Promise<Colleague | undefined> {
    if (!id.startsWith(prefix)) {
      const own = await ownRow(database, workspace, 'id', id)
      return own && colleagueOf(own)
    }
    const theirs = await crm?.find(workspace, id.slice(prefix.length))
    return theirs && ofCrm(database, workspace, theirs)
  },

  /** Returns everybody with this address, of Portico and of the CRM. */
  async named(workspace: Workspace, email: string): Promise<Colleague[]> {
    const own = await ownRow(database, workspace, 'email', email.trim().toLowerCase())
    const theirs = (await crm?.named(workspace, email)) ?? []
    const all = await Promise.all(theirs.map(it => ofCrm(database, workspace, it)))
    return own ? [colleagueOf(own), ...all] : all
  },

  /** Locks somebody until the transaction ends, and reads them again. The CRM is not asked again. */
  async lock(tx: Knex, workspace: Place, { id, own, ...it }: Colleague): Promise<Colleague | undefined> {
    await query(tx, {
      text: 'select pg_advisory_xact_lock(hashtextextended($1, 0))',
      values: [`portico staff ${workspace.id} ${id}`],
    })
    if (!own) return stateOf({ ...it, id, own }, await factorsOf(tx, workspace, id))
    const row = await ownRow(tx, workspace, 'id', id)
    return row && colleagueOf(row)
  },
})

const prefix = 'crm:'

type OfCrm = NonNullable<Awaited<ReturnType<Identity['find']>>>

async function ofCrm(database: Knex, workspace: Place, { id, stored, ...it }: OfCrm): Promise<Colleague> {
  const factors = await factorsOf(database, workspace, prefix + id)
  return colleagueOf({ ...it, id: prefix + id, password: stored, factors })
}

function colleagueOf({ password, factors, id, name, email, admin }: Row): Colleague {
  const own = !id.startsWith(prefix)
  return stateOf({ id, name, email, admin, own, credential: digest(password) }, factors)
}

type Known = Pick<Colleague, 'id' | 'name' | 'email' | 'admin' | 'own' | 'credential'>

const stateOf = ({ id, name, email, admin, own, credential }: Known, factors: Factor[]): Colleague => ({
  id,
  name,
  email,
  admin,
  own,
  credential,
  factor: factors.length > 0,
  app: factors.some(([, kind]) => kind === 'app'),
  passkey: factors.some(([, kind]) => kind === 'passkey'),
  state: digest(JSON.stringify([credential, factors])),
})

const digest = (text: string) => createHash('sha256').update(text).digest('base64url')

const factorsSql = (person: string) => `(
  select coalesce(jsonb_agg(jsonb_build_array(f.id, f.kind, f.confirmed_at) order by f.id), '[]')
  from portal.client_staff_factors f
  where f.workspace_id = scope.workspace and f.person_id = ${person} and f.confirmed_at is not null)`

async function ownRow(database: Knex, { id }: Place, by: 'id' | 'email', value: string): Promise<Row | undefined> {
  const [row] = await readWithin<Row>(
    database,
    { workspace: id },
    {
      text: `select s.id::text, s.name, s.email, s.admin, s.password_hash as password, ${factorsSql('s.id::text')} as factors
             from portal.client_staff s
             where s.workspace_id = scope.workspace and ${by === 'id' ? 's.id::text' : 's.email'} = $3`,
      values: [value],
    },
  )
  return row
}

async function factorsOf(database: Knex, { id }: Place, person: string): Promise<Factor[]> {
  const [row] = await readWithin<{ factors: Factor[] }>(
    database,
    { workspace: id },
    { text: `select ${factorsSql('$3')} as factors`, values: [person] },
  )
  return row?.factors ?? []
}

/** Adds somebody, or changes their name, right or password. */
export async function addStaff(
  database: Knex,
  workspace: Workspace,
  { email, name, admin, password }: { email: string; name: string; admin: boolean; password: string },
): Promise<void> {
  const hash = await hashPassword(password)
  await within(database, { workspace: workspace.id }, tx =>
    query(tx, {
      text: `insert into portal.client_staff (workspace_id, id, email, name, admin, password_hash) values ($1, $2, $3, $4, $5, $6)
             on conflict (workspace_id, email) do update
               set name = excluded.name, admin = excluded.admin, password_hash = excluded.password_hash`,
      values: [workspace.id, uuid(), email.toLowerCase(), name, admin, hash],
    }),
  )
}

/**
 * Removes all second factors and recovery codes of somebody, within the workspace. Returns false if there were none.
 */
export async function dropFactors(tx: Knex, workspace: Place, person: string): Promise<boolean> {
  const dropped = await query(tx, {
    text: 'delete from portal.client_staff_factors where workspace_id = $1 and person_id = $2 returning confirmed_at',
    values: [workspace.id, person],
  })
  return dropped.some(it => it.confirmed_at !== null)
}
