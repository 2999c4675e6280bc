import type { Request, RequestHandler } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { type Rights, roleIncludes, roleName } from '../auth/roles.ts'
import { type Role, roles } from '../crm/crm.ts'
import { Conflict, Invalid } from '../http/errors.ts'
import { recordEventIn } from '../platform/activity.ts'
import { query, readWithin, within } from '../platform/database.ts'
import type { Permission } from '../plugin/parts.ts'
import type { Section } from '../plugin/plugin.ts'

interface Parts {
  database: Knex
  sections: Section[]
}

/**
 * Shows what each role may do, by section, with how many people have it, and what it is called. A client's admin always
 * manages its people; that is not a permission.
 */
export const showRoles =
  ({ database, sections }: Parts): RequestHandler =>
  async (req, res) => {
    const { rights, problem, workspace } = req.portal
    const form = problem ? formOf(req) : undefined
    const people = await peopleByRole(database, workspace.id)
    res.respond('settings/roles', {
      roles: roles.map(role => ({
        role,
        name: rights[role]?.name ?? '',
        typed: form?.[`name.${role}`] ?? rights[role]?.name ?? '',
        own: roleName({ ...req.portal, rights: {} }, role),
        people: people.get(role) ?? 0,
      })),
      groups: sections
        .map(({ name, title, permissions }) => ({
          ...{ name, title },
          permissions: Object.entries<Permission>(permissions).map(([permission, it]) => ({
            ...{ name: permission, label: it.label },
            cells: roles.map(role => {
              const is = roleIncludes(rights, role, permission, it)
              return { role, is, ticked: form ? form[`${role}.${permission}`] === 'on' : is }
            }),
          })),
        }))
        .filter(it => it.permissions.length),
      saved: req.query.saved === '',
    })
  }

async function peopleByRole(database: Knex, workspace: string): Promise<Map<Role, number>> {
  const rows = await readWithin<{ role: Role; people: number }>(
    database,
    { workspace },
    {
      name: 'portal.people-by-role',
      text: `select m.role, count(distinct m.person_id)::int as people
             from portal.client_memberships m join portal.client_users u
               on u.workspace_id = m.workspace_id and u.id = m.person_id
             where m.workspace_id = scope.workspace and u.suspended_at is null group by 1`,
    },
  )
  return new Map(rows.map(it => [it.role, it.people]))
}

const formOf = (req: Request): Form => z.record(z.string(), z.unknown()).catch({}).parse(req.portal.body)

/**
 * Saves all changes, each with a row of activity, or none. Throws Conflict if they changed since the page was shown.
 */
export const saveRoles =
  ({ database, sections }: Parts): RequestHandler =>
  async (req, res) => {
    const form = formOf(req)
    const named = namesIn(form, req)
    await within(database, { workspace: req.portal.workspace.id }, async tx => {
      for (const role of roles) await change(tx, req, role, named.get(role), ticksIn(form, role, sections))
    })
    res.redirect(303, req.portal.url('/roles?saved'))
  }

type Form = Record<string, unknown>

interface Renamed {
  before: string
  after: string
}

interface Tick {
  name: string
  permission: Permission
  before: boolean
  after: boolean
}

async function change(tx: Knex, req: Request, role: Role, renamed: Renamed | undefined, ticks: Tick[]) {
  if (!renamed && !ticks.length) return
  const key = [req.portal.workspace.id, role]
  const by = req.portal.staff?.name
  await query(tx, {
    text: `insert into portal.client_roles (workspace_id, role, changed_by) values ($1, $2, $3) on conflict do nothing`,
    values: [...key, by],
  })
  const [now] = await query<NonNullable<Rights[Role]>>(tx, {
    text: 'select name, permissions from portal.client_roles where workspace_id = $1 and role = $2 for update',
    values: key,
  })
  const is = (it: Tick) => roleIncludes({ [role]: now }, role, it.name, it.permission)
  if (!now || (renamed && (now.name ?? '') !== renamed.before) || ticks.some(it => is(it) !== it.before))
    throw new Conflict()

  const changed = Object.fromEntries(ticks.map(it => [it.name, it.after]))
  await query(tx, {
    text: `update portal.client_roles set name = nullif($3, ''), permissions = $4, changed_at = portal.now(), changed_by = $5
           where workspace_id = $1 and role = $2`,
    values: [...key, renamed?.after ?? now.name ?? '', { ...now.permissions, ...changed }, by],
  })
  const called = (name: string | null) => name || roleName({ ...req.portal, rights: {} }, role)
  if (renamed)
    await recordEventIn(tx, req, {
      event: 'roles.renamed',
      subject: { id: role, before: called(renamed.before), after: called(renamed.after) },
    })
  for (const { name, permission, before, after } of ticks)
    await recordEventIn(tx, req, {
      event: 'roles.changed',
      subject: {
        ...{ id: role, role: called(now.name), permission: name, label: permission.label },
        ...{ before, after, state: String(after) },
      },
    })
}

/** Browsers do not send an unticked box: `was.` shows that it was on the page, and its value. */
const ticksIn = (form: Form, role: Role, sections: Section[]): Tick[] =>
  permissionsOf(sections).flatMap(([name, permission]) => {
    const was = form[`was.${role}.${name}`]
    const after = form[`${role}.${name}`] === 'on'
    return (was === 'on' || was === 'off') && after !== (was === 'on')
      ? [{ name, permission, before: was === 'on', after }]
      : []
  })

/** An empty name restores the role's default name. */
function namesIn(form: Form, req: Request): Map<Role, Renamed> {
  const texts = roles.map(role => [role, z.string().trim().catch('').parse(form[`name.${role}`])] as const)
  const used = texts.map(([role, it]) => (it || roleName({ ...req.portal, rights: {} }, role)).toLowerCase())
  const wrong = texts.flatMap(([role, it], at): [string, string[]][] => {
    if (it.length > 40) return [[`name.${role}`, ['Use at most 40 characters.']]]
    return it && used.indexOf(used[at] ?? '') !== used.lastIndexOf(used[at] ?? '')
      ? [[`name.${role}`, ['Two roles cannot have one name. Choose another.']]]
      : []
  })
  if (wrong.length) throw new Invalid(Object.fromEntries(wrong), form)
  return new Map(
    texts.flatMap(([role, after]): [Role, Renamed][] => {
      const before = form[`was.name.${role}`]
      return typeof before === 'string' && before !== after ? [[role, { before, after }]] : []
    }),
  )
}

const permissionsOf = (sections: Section[]) =>
  sections.flatMap(({ permissions }) => Object.entries<Permission>(permissions))
