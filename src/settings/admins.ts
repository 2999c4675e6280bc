import type { Knex } from 'knex'
import { z } from 'zod'
import type { CoreHost } from '../auth/host.ts'
import type { Colleague, Workspace } from '../crm/crm.ts'
import { readWithin } from '../platform/database.ts'

/** Admins of a portal that stands alone, as `portico staff add` made them. */
export const ownAdmins = (database: Knex, workspace: string): Promise<Colleague[]> =>
  readWithin<Colleague>(
    database,
    { workspace },
    {
      text: `select s.name, s.email from portal.client_staff s
             where s.workspace_id = scope.workspace and s.admin order by s.email limit 100`,
    },
  )

/** An adapter may give anything: only what has an address is mailed. */
const Addressed = z.object({ name: z.string().catch(''), email: z.email().max(254).toLowerCase() })

/** Those of them who can be mailed. */
export const addressed = (...its: unknown[]): Colleague[] =>
  its.flatMap(it => {
    const found = Addressed.safeParse(it).data
    return found ? [{ ...found, name: found.name.replace(/\s+/g, ' ').trim().slice(0, 200) }] : []
  })

/** By address, the first of each. */
export const onceEach = (its: Colleague[]): Colleague[] =>
  [...new Map(its.toReversed().map(it => [it.email, it])).values()].toReversed()

/** Who administers a workspace and can be mailed, by the CRM and by the portal itself. Throws where the CRM is away. */
export async function adminsOf({ crm, database }: Pick<CoreHost, 'crm' | 'database'>, workspace: Workspace) {
  const [theirs = [], own] = await Promise.all([crm.directory.admins?.(workspace), ownAdmins(database, workspace.id)])
  return onceEach([...addressed(...theirs), ...own])
}
