import type { Knex } from 'knex'
import type { Role } from '../crm/crm.ts'
import type { RequestContext } from '../http/context.ts'
import { readWithin } from '../platform/database.ts'
import type { Permission } from '../plugin/parts.ts'
import type { Section } from '../plugin/plugin.ts'

declare global {
  namespace Portico {
    interface RequestContext {
      /** What the workspace has changed about its roles. */
      rights: Rights
      /** Returns what a role is called in this workspace. */
      roleName(role: Role): string
    }
  }
}

/** A workspace's changes to its roles: names of its own, and permissions that differ from the section's. */
export type Rights = Partial<Record<Role, { name: string | null; permissions: Record<string, boolean> }>>

export const roleIncludes = (rights: Rights, role: Role, name: string, permission: Permission | undefined): boolean =>
  permission !== undefined && (rights[role]?.permissions[name] ?? permission.roles.includes(role))

/** Returns the workspace's name of a role, or else its name in the reader's language. */
export const roleName = ({ t, rights }: Pick<RequestContext, 't' | 'rights'>, role: Role): string =>
  rights[role]?.name ??
  { admin: t('Admin'), approver: t('Approver'), billing: t('Billing'), member: t('Member'), viewer: t('Viewer') }[role]

/**
 * Returns the roles with a permission, in words, from what the workspace offers its clients. Managing people is always
 * the admin's.
 */
export const rolesAllowedTo = (sections: Section[], rights: Rights, role: Role): string[] => [
  ...sections.flatMap(it =>
    Object.entries(it.permissions)
      .filter(([name, one]) => roleIncludes(rights, role, name, one))
      .map(([, one]) => one.label),
  ),
  ...(role === 'admin' ? [manages] : []),
]

/** Returns what a role may do, in one sentence: "Can see everything, ask questions, and accept and sign." */
export function roleSummary(sections: Section[], context: RequestContext, role: Role): string {
  const { t, rights, locale } = context
  const may = (it: Section, what: string) =>
    roleIncludes(rights, role, `${it.name}.${what}`, it.permissions[`${it.name}.${what}` as never])
  const lists = sections.filter(it => `${it.name}.see` in it.permissions && !it.unlisted)
  const seen = lists.filter(it => may(it, 'see'))
  const and = new Intl.ListFormat(locale, { type: 'conjunction' })
  const titles = and.format(seen.map(it => t(it.title).toLocaleLowerCase(locale)))
  const abilities = [
    ...(seen.length
      ? [seen.length === lists.length ? t('see everything') : t('see {sections}', { sections: titles })]
      : []),
    ...(sections.some(it => may(it, 'comment')) ? [t('ask questions')] : []),
    ...(sections.some(it => may(it, 'write')) ? [t('write messages')] : []),
    ...(sections.some(it => may(it, 'respond')) ? [t('accept and sign')] : []),
    ...(sections.some(it => may(it, 'pay')) ? [t('pay')] : []),
    ...(sections.some(it => may(it, 'upload')) ? [t('send files')] : []),
    ...(sections.some(it => may(it, 'complete')) ? [t('complete tasks')] : []),
    ...(role === 'admin' ? [t('manage people')] : []),
  ]
  return abilities.length ? t('Can {abilities}.', { abilities: and.format(abilities) }) : t('Can see nothing yet.')
}

const manages = 'Invite people, change their roles and end their access'

export async function rightsOf(database: Knex, workspace: string): Promise<Rights> {
  const rows = await readWithin<{ role: Role; name: string | null; permissions: Record<string, boolean> }>(
    database,
    { workspace },
    {
      name: 'portal.rights',
      text: 'select r.role, r.name, r.permissions from portal.client_roles r where r.workspace_id = scope.workspace',
    },
  )
  return Object.fromEntries(rows.map(({ role, ...it }) => [role, it]))
}
