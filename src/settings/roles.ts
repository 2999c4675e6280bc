import type { Request, RequestHandler } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { note } from '../activity.ts'
import { includes, type Rights, roleName } from '../auth/roles.ts'
import { type Role, roles } from '../crm.ts'
import { query, within } from '../database.ts'
import { Conflict, Invalid } from '../errors.ts'
import type { Permission, Section } from '../section.ts'

interface Parts {
  database: Knex
  sections: Section[]
}

/** What each role is called and may do. That a client's admin manages its people is no permission, and stays. */
export const showRoles =
  ({ sections }: Parts): RequestHandler =>
  (req, res) => {
    const { rights, problem } = req.portal
    const typed = (problem instanceof Invalid ? problem.typed : undefined) as Form | undefined
    res.answer('settings/roles', {
      roles: roles.map(role => ({
        role,
        name: rights[role]?.name ?? '',
        typed: typed?.[`name.${role}`] ?? rights[role]?.name ?? '',
        own: roleName({ ...req.portal, rights: {} }, role),
        permissions: permissionsOf(sections).map(([name, it, icon]) => {
          const is = includes(rights, role, name, it)
          return { name, icon, label: it.label, is, ticked: typed ? typed[`${role}.${name}`] === 'on' : is }
        }),
      })),
      saved: req.query.saved === '',
    })
  }

/** All of it with a row of activity each, or none. Throws Conflict where it is not any more as it was on the page. */
export const saveRoles =
  ({ database, sections }: Parts): RequestHandler =>
  async (req, res) => {
    const form = z.record(z.string(), z.unknown()).catch({}).parse(req.portal.body)
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
  const is = (it: Tick) => includes({ [role]: now }, role, it.name, it.permission)
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
    await note(tx, req, {
      event: 'roles.renamed',
      subject: { id: role, before: called(renamed.before), after: called(renamed.after) },
    })
  for (const { name, permission, before, after } of ticks)
    await note(tx, req, {
      event: 'roles.changed',
      subject: {
        ...{ id: role, role: called(now.name), permission: name, label: permission.label },
        ...{ before, after, state: String(after) },
      },
    })
}

/** One that is not ticked is not sent: `was.` says that it was on the page, and how. */
const ticksIn = (form: Form, role: Role, sections: Section[]): Tick[] =>
  permissionsOf(sections).flatMap(([name, permission]) => {
    const was = form[`was.${role}.${name}`]
    const after = form[`${role}.${name}`] === 'on'
    return (was === 'on' || was === 'off') && after !== (was === 'on')
      ? [{ name, permission, before: was === 'on', after }]
      : []
  })

/** An empty name is the one that the role came with. */
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
  sections.flatMap(({ icon, permissions }) =>
    Object.entries<Permission>(permissions).map(([name, it]) => [name, it, icon] as const),
  )
