import { kindOf } from '../catalogue.ts'
import type { Customer } from '../crm.ts'
import type { CrmMap, Owned } from './map.ts'
import { followPath, keyOfType, type Place, placeOf, type Reader } from './reader.ts'
import { literal, param } from './sql.ts'

/** The values of a customer that every statement may use as parameters. */
export const customerValues = ({ workspace, client, today }: Customer) => ({
  workspace: workspace.id,
  client: client.id,
  today,
  zone: workspace.timeZone,
})

/** A comparison with a value of a request, which may be anything: what is no such key is equal to none. */
export function equals(place: Place, source: string, name: string): string {
  const { sql, type, where } = followPath(place, source)
  const { cast } = keyOfType(type)
  if (cast !== 'text' || kindOf(type) === 'text') return where(checked(name, cast))
  return `${sql}::text = ${param(name)}::text`
}

/** SQL for an id from a request; NULL where the text is no number or UUID, before PostgreSQL would refuse it. */
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

/** SQL condition: the row belongs to this customer's client, and to the workspace, by itself or through the client. */
export function belongs(reader: Reader, map: CrmMap, place: Place, { client, workspace }: Owned): string {
  const its = equals(place, client, 'client')
  return `${its} and ${workspace ? ofWorkspace(place, workspace) : clientOfWorkspace(reader, map)}`
}

/** Said so that PostgreSQL does not take an index of whole workspaces beside that of the client. */
function ofWorkspace(place: Place, source: string): string {
  const { sql, type } = followPath(place, source)
  const { cast } = keyOfType(type)
  // Whatever is no number or UUID, as an enumerated type, is compared as its text.
  return `(${cast === 'text' ? `${sql}::text` : sql} = ${checked('workspace', cast)}) is true`
}

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
