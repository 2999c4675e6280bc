import type { Customer } from '../../crm.ts'
import { kindOf } from '../catalogue.ts'
import type { CrmMap, Owned } from './map.ts'
import { follow, keyOfType, type Place, placeOf, type Reader } from './reader.ts'
import { literal, param } from './sql.ts'

/** What every statement on behalf of a customer knows. */
export const known = ({ workspace, client, today }: Customer) => ({
  workspace: workspace.id,
  client: client.id,
  today,
  zone: workspace.timeZone,
})

/** A comparison with a value of a request, which may be anything: what is no such key is equal to none. */
export function equals(place: Place, source: string, name: string): string {
  const { sql, type, where } = follow(place, source)
  const { cast } = keyOfType(type)
  if (cast !== 'text' || kindOf(type) === 'text') return where(checked(name, cast))
  return `${sql}::text = ${param(name)}::text`
}

/** Null where the text is no number or no UUID, decided before PostgreSQL would refuse it. */
export const checked = (name: string, cast: string) =>
  cast === 'text' ? `${param(name)}::text` : `${param(`${name}__${cast.replace(' ', '_')}`)}::${cast}`

/** The values of a statement as the keys' types have them. */
export function withKeys(values: Record<string, unknown>): Record<string, unknown> {
  const keys = ['workspace', 'client', 'id', 'afterId'].filter(it => typeof values[it] === 'string')
  const typed = keys.flatMap(name =>
    ['smallint', 'integer', 'bigint', 'numeric', 'uuid'].map(type => {
      const text = String(values[name])
      return [`${name}__${type}`, keyOfType(type).fits(text) ? text : null] as const
    }),
  )
  const plain = keys.map(name => [name, keyOfType('text').fits(String(values[name])) ? values[name] : null] as const)
  return { ...values, ...Object.fromEntries([...plain, ...typed]) }
}

/** That a row is this customer's: of this client, and of this workspace by itself or by its client. */
export function belongs(reader: Reader, map: CrmMap, place: Place, { client, workspace }: Owned): string {
  const its = equals(place, client, 'client')
  return `${its} and ${workspace ? ofWorkspace(place, workspace) : clientOfWorkspace(reader, map)}`
}

/** Compared as text, so that PostgreSQL does not take an index of whole workspaces beside that of the client. */
const ofWorkspace = (place: Place, source: string) => `${follow(place, source).sql}::text = ${param('workspace')}`

/** Asked once for each statement, and not for each row. */
function clientOfWorkspace(reader: Reader, map: CrmMap): string {
  const c = placeOf(reader, map.clients, 'cw')
  return `exists (select from ${c.from} where ${equals(c, c.key, 'client')} and ${inWorkspace(map, c, map.clients.workspace)})`
}

/** That a row of the directory is of the workspace that is asked for. */
export function inWorkspace(map: CrmMap, place: Place, source: string | undefined): string {
  if (source) return ofWorkspace(place, source)
  return 'only' in map.workspaces && !('table' in map.workspaces || 'query' in map.workspaces)
    ? `${param('workspace')} = ${literal(String((map.workspaces.only as { id: unknown }).id))}`
    : `${param('workspace')}::text is not null`
}
