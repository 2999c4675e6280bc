import type { Role } from '../crm/crm.ts'
import type { Permission } from '../plugin/parts.ts'
import type { Section } from '../plugin/plugin.ts'
import { resolve, type SettingRow, type ToggleSource, togglesOf } from '../plugin/toggles.ts'
import { type Rights, roleIncludes } from './roles.ts'

/** Whatever decides what one person of one client may do. */
export interface Standing {
  client: string
  person: string
  role: Role
  rights: Rights
  settings: SettingRow[]
  /** Whether the CRM has this section, and its part of the schema fits. */
  offered(section: string): boolean
}

/** Whether something is allowed, and the rule that decided: the first that says no, or else the role. */
export type Decision =
  | { allowed: false; rule: 'portal' }
  | { allowed: false; rule: 'section' }
  /** `toggle` is its name, and `from` whose setting it is. */
  | { allowed: false; rule: 'toggle'; toggle: string; from: ToggleSource }
  | { allowed: boolean; rule: 'role' }

/** What the plugins declare, looked up once. */
export const declaredBy = (sections: Section[]) => ({
  toggles: togglesOf(sections),
  permissions: new Map<string, Permission>(sections.flatMap(it => Object.entries(it.permissions))),
})

/** The one place that decides about access: requests ask it, and so do the settings when they explain or preview. */
export function accessOf({ toggles, permissions }: ReturnType<typeof declaredBy>, it: Standing) {
  const on = resolve(toggles, it.settings, it.client, it.person)
  const decide = (permission: string): Decision => {
    const [section = ''] = permission.split('.')
    if (on.portalOff) return { allowed: false, rule: 'portal' }
    if (!it.offered(section)) return { allowed: false, rule: 'section' }
    if (!on(section)) return { allowed: false, rule: 'toggle', toggle: section, from: on.from(section) }
    return { allowed: roleIncludes(it.rights, it.role, permission, permissions.get(permission)), rule: 'role' }
  }
  /** As `decide`, with the permission's own toggle: whether somebody can do it on a page. */
  const decideAction = (permission: string): Decision => {
    const decision = decide(permission)
    const toggle = permissions.get(permission)?.toggle
    if (!decision.allowed || toggle === undefined || on(toggle)) return decision
    if (!toggles.has(toggle)) return { allowed: false, rule: 'section' }
    return { allowed: false, rule: 'toggle', toggle, from: on.from(toggle) }
  }
  return { on, decide, decideAction, may: (permission: string) => decide(permission).allowed }
}
