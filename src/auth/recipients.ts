import type { Knex } from 'knex'
import type { Crm, Role, Workspace } from '../crm/crm.ts'
import { readWithin } from '../platform/database.ts'
import type { Section } from '../plugin/plugin.ts'
import { resolve, type SettingRow, togglesOf } from '../plugin/toggles.ts'
import { presentContacts } from './departed-contacts.ts'
import { suspendedSql } from './identity.ts'
import { type Rights, roleIncludes } from './roles.ts'

declare global {
  namespace Portico {
    interface RequestContext {
      recipients: FindRecipients
    }
  }
}

export interface RecipientOf {
  id: string
  name: string
  email: string
  language: string | null
  timeZone: string | null
  role: Role
  /** The client's name. */
  client: string
  contact: string | null
  /** Whether they want reminders, where they do not choose them with the plugin `notifications`. */
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
  /** The permissions that a recipient needs, without the section's name. */
  may: readonly string[]
  /** Toggles that must be on for a recipient, besides the section itself, without the section's name. */
  on: readonly string[]
}

/** Finds the people of a client who may get mail about a section's records. */
export async function recipientsAt({ crm, database, sections }: Parts, where: Where) {
  const { workspace, client, rights } = where
  const { people, settings } = await peopleOf(database, workspace.id, client)
  const toggles = togglesOf(sections)
  let known: Promise<RecipientOf[]> | undefined

  return {
    /** Returns the people who may see the section and are not suspended. Does not ask the CRM. */
    of: ({ section, may, on }: Wanted) =>
      people.filter(({ id, role }) => {
        const isOn = resolve(toggles, settings, client, id)
        return allows(section, rights, role, may) && isOn(section.name) && on.every(it => isOn(`${section.name}.${it}`))
      }),
    /**
     * Returns those who are still contacts in the CRM, in the CRM's language if they chose none. This asks the CRM,
     * once.
     */
    async still(these: RecipientOf[]): Promise<RecipientOf[]> {
      if (!these.length) return []
      known ??= arrived({ crm, workspace, client }, people)
      const all = await known
      return all.filter(it => these.some(({ id }) => id === it.id))
    },
  }
}

/** Returns the recipients of a section, by the section's name, in one call. */
export const recipientsFinder =
  (parts: Parts) =>
  async (where: Where, { section: name, ...wanted }: Omit<Wanted, 'section'> & { section: string }) => {
    const section = parts.sections.find(it => it.name === name)
    if (!section) return []
    const { of, still } = await recipientsAt(parts, where)
    return still(of({ section, ...wanted }))
  }

type FindRecipients = ReturnType<typeof recipientsFinder>

/** Whether a role has all of these permissions of a section. */
export const allows = ({ name, permissions }: Section, rights: Rights, role: Role, may: readonly string[]) =>
  may.every(it => roleIncludes(rights, role, `${name}.${it}`, permissions[`${name}.${it}` as keyof typeof permissions]))

async function peopleOf(database: Knex, workspace: string, client: string) {
  const [row] = await readWithin<{ people: RecipientOf[]; settings: SettingRow[] }>(
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

async function arrived(
  { crm: { directory }, workspace, client }: Omit<Where, 'rights'> & { crm: Crm },
  all: RecipientOf[],
) {
  if (!(await directory.client(workspace, client))) return []
  const found = new Map((await directory.contacts(workspace, client)).map(it => [it.id, it]))
  const still = await presentContacts(
    directory,
    workspace,
    client,
    all.flatMap(it => it.contact ?? []),
  )
  return all
    .filter(it => !it.contact || still.includes(it.contact))
    .map(it => ({ ...it, language: it.language ?? found.get(it.contact ?? '')?.language ?? null }))
}
