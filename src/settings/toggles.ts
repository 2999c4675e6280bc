import type { Section, Toggle } from '../section.ts'

/** Rows of `client_portal_settings`: client, person, name, value. An empty client or person means all of them. */
export type Row = [client: string, person: string, name: string, value: unknown]

/** Every toggle that the installed sections declare, by name. */
export const togglesOf = (sections: Section[]): Map<string, Toggle & { icon: string }> =>
  new Map(sections.flatMap(({ icon, toggles }) => Object.entries(toggles).map(([name, it]) => [name, { ...it, icon }])))

/** What holds for one person of one client: the closest row decides, else the default. */
export function resolve(toggles: Map<string, Toggle>, rows: Row[], client: string, person: string) {
  const values = new Map([...toggles].map(([name, it]) => [name, it.default]))
  const closest = (row: Row) => (row[1] ? 2 : row[0] ? 1 : 0)
  for (const [itsClient, itsPerson, name, value] of rows.toSorted((a, b) => closest(a) - closest(b))) {
    const meant = (!itsClient || itsClient === client) && (!itsPerson || itsPerson === person)
    if (meant && values.has(name) && typeof value === 'boolean') values.set(name, value)
  }
  return (name: string) => values.get(name) ?? false
}
