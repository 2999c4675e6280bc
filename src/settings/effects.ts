import type { Knex } from 'knex'
import { accessOf, type declaredBy } from '../auth/access.ts'
import type { Rights } from '../auth/roles.ts'
import type { Role } from '../crm/crm.ts'
import { readWithin } from '../platform/database.ts'
import type { SettingRow } from '../plugin/toggles.ts'

/** Whom a toggle reaches now, and whom its change for the whole workspace would reach. */
export interface Effect {
  /** People who have it now. */
  now: number
  /** People and clients for whom the change would decide otherwise. */
  people: number
  clients: number
  /** People who keep what they have, by an exception of their own or of their client. */
  kept: number
}

type Declared = ReturnType<typeof declaredBy>

interface Asked {
  declared: Declared
  rights: Rights
  offered(section: string): boolean
}

/** The effect of changing each toggle for the whole workspace, by the rules that decide about requests. */
export async function effectsOf(database: Knex, workspace: string, asked: Asked): Promise<Map<string, Effect>> {
  const [{ groups, settings }] = (await readWithin<{ groups: Group[]; settings: SettingRow[] }>(
    database,
    { workspace },
    { name: 'portal.groups', text: groupsSql },
  )) as [{ groups: Group[]; settings: SettingRow[] }]
  return new Map([...asked.declared.toggles.keys()].map(name => [name, effectOf(name, groups, settings, asked)]))
}

/**
 * People whom the same rules reach: of all clients without exceptions that have as many people in each role; of one client
 * with exceptions; or one person with exceptions of their own.
 */
interface Group {
  client: string
  person: string
  /** How many people a client has in each role. */
  roles: Partial<Record<Role, number>>
  clients: number
}

const groupsSql = `
  with rows as (select t.client_id, t.person_id, t.name, t.value from portal.client_portal_settings t
                where t.workspace_id = scope.workspace and jsonb_typeof(t.value) = 'boolean'),
  people as (select m.client_id, m.person_id::text, m.role, m.client_id in (select r.client_id from rows r) as apart,
               m.person_id::text in (select r.person_id from rows r) as alone
             from portal.client_memberships m join portal.client_users u
               on u.workspace_id = m.workspace_id and u.id = m.person_id
             where m.workspace_id = scope.workspace and u.suspended_at is null),
  of_client as (select client_id, apart, jsonb_object_agg(role, count) as roles
                from (select client_id, apart, role, count(*)::int as count from people where not alone group by 1, 2, 3) it
                group by 1, 2)
  select
    (select coalesce(jsonb_agg(it), '[]')
     from (select '' as client, '' as person, roles, count(*)::int as clients from of_client where not apart group by roles
           union all
           select client_id, '', roles, 1 from of_client where apart
           union all
           select client_id, person_id, jsonb_build_object(role, 1), 1 from people where alone) it) as groups,
    (select coalesce(jsonb_agg(jsonb_build_array(client_id, person_id, name, value)), '[]') from rows) as settings`

function effectOf(name: string, groups: Group[], settings: SettingRow[], { declared, ...asked }: Asked): Effect {
  const was = settings.find(it => it[0] === '' && it[2] === name)?.[3] ?? declared.toggles.get(name)!.default
  const rows = Map.groupBy(settings, ([client]) => client)
  const general = rows.get('') ?? []
  const changed: SettingRow[] = [...general.filter(it => it[2] !== name), ['', '', name, !was]]
  const effect = { now: 0, people: 0, kept: 0 }
  const touched = { apart: new Set<string>(), alike: 0 }
  for (const { client, person, roles, clients } of groups) {
    const own = client ? (rows.get(client) ?? []) : []
    const counted = Object.entries(roles).map(([role, count]) => {
      const standing = { ...asked, client, person, role: role as Role }
      const before = accessOf(declared, { ...standing, settings: [...general, ...own] })
      const after = accessOf(declared, { ...standing, settings: [...changed, ...own] })
      const [has, will] = [before, after].map(it => reaches(name, declared, it))
      const people = count * clients
      if (has) effect.now += people
      if (has !== will) effect.people += people
      else if (has === was && ['client', 'person'].includes(before.on.from(name))) effect.kept += people
      return has !== will
    })
    if (!counted.includes(true)) continue
    if (client) touched.apart.add(client)
    else touched.alike += clients
  }
  return { ...effect, clients: touched.apart.size + touched.alike }
}

/** Whether somebody has what a toggle is about: it is on, and they may see its section, where it has one. */
function reaches(name: string, { permissions }: Declared, { on, may }: ReturnType<typeof accessOf>): boolean {
  const [section = ''] = name.split('.')
  const see = `${section}.see`
  return on(name) && (!permissions.has(see) || may(see))
}
