import type { CrmMap } from '../src/index.ts'

/** The lines of a map as one would write them: a text, a list, the words of a status or a logo's column are one each. */
function linesOf(it: object, path = ''): [string, string][] {
  return Object.entries(it).flatMap(([name, value]): [string, string][] => {
    const at = path ? `${path}.${name}` : name
    const nested =
      typeof value === 'object' &&
      value !== null &&
      !Array.isArray(value) &&
      /(^|\.)(workspaces|only|clients|contacts|proposals|quotations|invoices|payments|identity|staff|lines|creditNotes|status|method|invoice|account)$/.test(
        at,
      )
    const whole = !nested || (/\.(only|headings)$/.test(at) && at !== 'workspaces.only')
    return whole ? [[at, JSON.stringify(sorted(value))]] : linesOf(value, at)
  })
}

/** What a developer changes, adds and takes out to come from a draft to a map, a line each. */
export function edited(draft: CrmMap, map: CrmMap): string[] {
  const [from, to] = [new Map(linesOf(draft)), new Map(linesOf(map))]
  const names = new Set([...from.keys(), ...to.keys()])
  return [...names]
    .filter(it => from.get(it) !== to.get(it))
    .map(it => `${it}: ${from.get(it) ?? 'nothing'} becomes ${to.get(it) ?? 'nothing'}`)
}

/** Words in any order are the same words. */
const sorted = (it: unknown): unknown =>
  typeof it === 'object' && it !== null && !Array.isArray(it) ? Object.fromEntries(Object.entries(it).sort()) : it
