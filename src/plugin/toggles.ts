import type { Toggle } from './parts.ts'
import type { Section } from './plugin.ts'

/** Rows of `client_portal_settings`: client, person, name, value. An empty client or person means all of them. */
export type SettingRow = [client: string, person: string, name: string, value: unknown]

/** Every toggle that the installed sections declare, by name. */
export const togglesOf = (sections: Section[]): Map<string, Toggle & { icon: string }> =>
  new Map(sections.flatMap(({ icon, toggles }) => Object.entries(toggles).map(([name, it]) => [name, { ...it, icon }])))

/**
 * The setting that switches the whole portal off for one client: a row with the value `false` and no person. There is no
 * row where it is on.
 */
export const portalSwitch = 'portal'

/** Whether the portal is switched off for a client. */
export const isPortalOff = (rows: SettingRow[], client: string): boolean =>
  rows.some(([its, person, name, value]) => its === client && !person && name === portalSwitch && value === false)

/** Whose row decides about a toggle. */
export type ToggleSource = 'default' | 'workspace' | 'client' | 'person'

const sources = ['workspace', 'client', 'person'] as const

/**
 * What holds for one person of one client: the closest row decides, else the default. `from` says which. Everything is off
 * where the portal is off for the client.
 */
export function resolve(toggles: Map<string, Toggle>, rows: SettingRow[], client: string, person: string) {
  const from = new Map<string, ToggleSource>()
  const values = new Map([...toggles].map(([name, it]) => [name, it.default]))
  const closest = (row: SettingRow) => (row[1] ? 2 : row[0] ? 1 : 0)
  for (const row of rows.toSorted((a, b) => closest(a) - closest(b))) {
    const [itsClient, itsPerson, name, value] = row
    const meant = (!itsClient || itsClient === client) && (!itsPerson || itsPerson === person)
    if (!meant || !values.has(name) || typeof value !== 'boolean') continue
    values.set(name, value)
    from.set(name, sources[closest(row)]!)
  }
  const portalOff = isPortalOff(rows, client)
  return Object.assign((name: string) => !portalOff && (values.get(name) ?? false), {
    from: (name: string): ToggleSource => from.get(name) ?? 'default',
    portalOff,
  })
}
