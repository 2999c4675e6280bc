import type { Knex } from 'knex'
import type { Crm, Role, Workspace } from '../crm.ts'
import { readWithin } from '../database.ts'
import type { Section } from '../section.ts'
import { type Row, resolve, togglesOf } from '../settings/toggles.ts'
import { suspendedSql } from './identity.ts'
import { here } from './leavers.ts'
import { includes, type Rights } from './roles.ts'

declare global {
  namespace Portico {
    interface RequestContext {
      readers: ReadersOf
    }
  }
}

export interface Member {
  id: string
  name: string
  email: string
  language: string | null
  timeZone: string | null
  role: Role
  /** Its name. */
  client: string
  contact: string | null
  /** Whether they want to be reminded. */
  reminders: boolean
}

export interface Parts {
  crm: Crm
  database: Knex
  sections: Section[]
}

interface Where {
  workspace: Workspace
  client: string
  rights: Rights
}

interface Wanted {
  section: Section
  /** What a reader must be allowed, without the section's name. */
  may: readonly string[]
  /** Toggles that must be on for a reader, beside the section itself, likewise. */
  on: readonly string[]
}

/** Who of a client's people may get a mail about what is in a section. */
export async function readersAt({ crm, database, sections }: Parts, where: Where) {
  const { workspace, client, rights } = where
  const { people, settings } = await peopleOf(database, workspace.id, client)
  const toggles = togglesOf(sections)
  let known: Promise<Member[]> | undefined

  return {
    /** Whoever is not kept out, and sees it: asks the CRM nothing. */
    of: ({ section, may, on }: Wanted) =>
      people.filter(({ id, role }) => {
        const isOn = resolve(toggles, settings, client, id)
        return allows(section, rights, role, may) && isOn(section.name) && on.every(it => isOn(`${section.name}.${it}`))
      }),
    /** Those of them who have not left in the CRM, with its language where they chose none; it is asked once, and not before this. */
    async still(these: Member[]): Promise<Member[]> {
      if (!these.length) return []
      known ??= arrived({ crm, workspace, client }, people)
      const all = await known
      return all.filter(it => these.some(({ id }) => id === it.id))
    },
  }
}

/** The same at once, for a section by its name. */
export const readers =
  (parts: Parts) =>
  async (where: Where, { section: name, ...wanted }: Omit<Wanted, 'section'> & { section: string }) => {
    const section = parts.sections.find(it => it.name === name)
    if (!section) return []
    const { of, still } = await readersAt(parts, where)
    return still(of({ section, ...wanted }))
  }

type ReadersOf = ReturnType<typeof readers>

/** Whether a role has all of these permissions of a section. */
export const allows = ({ name, permissions }: Section, rights: Rights, role: Role, may: readonly string[]) =>
  may.every(it => includes(rights, role, `${name}.${it}`, permissions[`${name}.${it}` as keyof typeof permissions]))

async function peopleOf(database: Knex, workspace: string, client: string) {
  const [row] = await readWithin<{ people: Member[]; settings: Row[] }>(
    database,
    { workspace },
    {
      name: 'portal.readers',
      text: `select
               (select coalesce(jsonb_agg(jsonb_build_object('id', u.id, 'name', u.name, 'email', u.email,
                  'language', u.language, 'timeZone', u.time_zone, 'role', m.role, 'client', m.client_name,
                  'contact', m.contact_id, 'reminders', u.reminders) order by u.id), '[]')
                from portal.client_memberships m
                  join portal.client_users u on u.workspace_id = m.workspace_id and u.id = m.person_id
                where m.workspace_id = scope.workspace and m.client_id = $3 and not ${suspendedSql}) as people,
               (select coalesce(jsonb_agg(jsonb_build_array(t.client_id, t.person_id, t.name, t.value)), '[]')
                from portal.client_portal_settings t
                where t.workspace_id = scope.workspace and t.client_id in ('', $3)) as settings`,
      values: [client],
    },
  )
  return row ?? { people: [], settings: [] }
}

async function arrived({ crm: { directory }, workspace, client }: Omit<Where, 'rights'> & { crm: Crm }, all: Member[]) {
  if (!(await directory.client(workspace, client))) return []
  const found = new Map((await directory.contacts(workspace, client)).map(it => [it.id, it]))
  const still = await here(
    directory,
    workspace,
    client,
    all.flatMap(it => it.contact ?? []),
  )
  return all
    .filter(it => !it.contact || still.includes(it.contact))
    .map(it => ({ ...it, language: it.language ?? found.get(it.contact ?? '')?.language ?? null }))
}
