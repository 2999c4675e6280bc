import { randomBytes } from 'node:crypto'
import type { Workspace } from '../crm.ts'
import type { CrmMap, IdentityMap, StaffMap } from './map.ts'
import { inWorkspace } from './owned.ts'
import { matchesForeignHash } from './passwords.ts'
import { expectType, placeOf, type Reader, text } from './reader.ts'
import type { Ask } from './section.ts'
import { param } from './sql.ts'

/** Verifies an e-mail address and password against the CRM. */
export interface Identity {
  verify(workspace: Workspace, email: string, password: string): Promise<Found | undefined>
  /** The person as the CRM has them now; undefined if they have left. */
  find(workspace: Pick<Workspace, 'id'>, id: string): Promise<Found | undefined>
  /** All of this address. */
  named(workspace: Pick<Workspace, 'id'>, email: string): Promise<Found[]>
}

interface Found {
  id: string
  name: string
  email: string
  admin: boolean
  /** Their password as the CRM stores it. */
  stored: string
}

/** Compares passwords. An unknown address takes as long as a wrong password. */
export function identity(reader: Reader, map: CrmMap, it: IdentityMap | StaffMap): (ask: Ask) => Identity {
  const u = placeOf(reader, it, 'u')
  const staff = 'admin' in it ? it : undefined
  if (staff) expectType(u, staff.admin, ['boolean'], 'true or false')
  const sql = `select ${u.column(u.key)}::text as id, ${text(u, staff?.name ?? it.email)} as name, ${u.column(it.email)}::text as email, coalesce(${u.column(it.password)}::text, '') as stored,
      ${staff ? `${u.column(staff.admin)} is true` : 'false'} as admin
    from ${u.from} where ${u.rows} and ${inWorkspace(map, u, it.workspace)}`
  const byEmail = `${sql} and lower(${u.column(it.email)}::text) = ${param('email')} limit 5`
  let seen: string | undefined

  return ask => ({
    async verify(workspace, email, password) {
      const rows = await ask(byEmail, { workspace: workspace.id, email: email.trim().toLowerCase() })
      for (const row of rows) {
        seen ||= row.stored
        if (row.stored && (await matchesForeignHash(row.stored, password))) return row
      }
      if (!rows.length && seen) await matchesForeignHash(seen, randomBytes(24).toString('base64'))
      return undefined
    },

    named: (workspace, email) => ask(byEmail, { workspace: workspace.id, email: email.trim().toLowerCase() }),

    async find(workspace, id) {
      const [row] = await ask(`${sql} and ${u.column(u.key)}::text = ${param('id')}`, { workspace: workspace.id, id })
      return row
    },
  })
}
