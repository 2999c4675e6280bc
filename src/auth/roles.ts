import type { Knex } from 'knex'
import type { RequestContext } from '../context.ts'
import type { Role } from '../crm.ts'
import { readWithin } from '../database.ts'
import type { Permission, Section } from '../section.ts'

declare global {
  namespace Portico {
    interface RequestContext {
      /** What the workspace has changed about its roles. */
      rights: Rights
    }
  }
}

/** What a workspace has changed about its roles: a name of its own, and permissions that differ from their section's. */
export type Rights = Partial<Record<Role, { name: string | null; permissions: Record<string, boolean> }>>

export const includes = (rights: Rights, role: Role, name: string, permission: Permission | undefined): boolean =>
  permission !== undefined && (rights[role]?.permissions[name] ?? permission.roles.includes(role))

/** As the workspace calls it, else in the reader's language. */
export const roleName = ({ t, rights }: Pick<RequestContext, 't' | 'rights'>, role: Role): string =>
  rights[role]?.name ??
  { admin: t('Admin'), approver: t('Approver'), billing: t('Billing'), member: t('Member'), viewer: t('Viewer') }[role]

/** In words, of what there is for this workspace's clients. Managing people is the admin's, always. */
export const allowedTo = (sections: Section[], rights: Rights, role: Role): string[] => [
  ...sections.flatMap(it =>
    Object.entries(it.permissions)
      .filter(([name, one]) => includes(rights, role, name, one))
      .map(([, one]) => one.label),
  ),
  ...(role === 'admin' ? [manages] : []),
]

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
