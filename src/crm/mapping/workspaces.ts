import type { Workspace } from '../crm.ts'
import type { CrmMap, OneWorkspace, Rows, WorkspacesMap, WorkspaceTexts } from './map.ts'
import { checked } from './owned.ts'
import { keyOfType, type Place, placeOf, type Reader, text } from './reader.ts'
import { literal, param } from './sql.ts'

/** A table of workspaces, or the one that the map names. */
const tableOfWorkspaces = (map: WorkspacesMap) =>
  'table' in map || 'query' in map ? (map as Exclude<WorkspacesMap, { only: OneWorkspace }>) : undefined

export const oneWorkspace = (map: WorkspacesMap) =>
  tableOfWorkspaces(map) ? undefined : (map as { only: OneWorkspace }).only

/**
 * One row for the slug, as `Workspace` but for what is checked afterwards; null where the map names its one workspace.
 */
export function workspaceBySlug(reader: Reader, map: CrmMap): string | undefined {
  const it = tableOfWorkspaces(map.workspaces)
  if (!it) return undefined
  const w = placeOf(reader, it as Rows, 'w')
  const slug = slugIn(w, it.slug)
  const letterhead = (it.letterhead ?? [it.name]).map(one => `${text(w, one)}::text`)
  return `select ${w.column(w.key)}::text as id, ${slug} as slug, ${text(w, it.name)} as name, ${text(w, it.timeZone)} as "timeZone",
      lower(${text(w, it.colour)}) as colour, array_remove(array[${letterhead.join(', ')}], null) as letterhead
    from ${w.from} where ${slug} = ${param('slug')} and ${w.rows} order by 1 limit 1`
}

const slugIn = (w: Place, slug: WorkspaceTexts['slug']) =>
  typeof slug === 'string' ? `${w.column(slug)}::text` : slugOf(w, slug.madeOf)

/** The first thousand, by id and slug; undefined where the map names its one workspace. */
export function workspaceSlugs(reader: Reader, map: CrmMap): string | undefined {
  const it = tableOfWorkspaces(map.workspaces)
  if (!it) return undefined
  const w = placeOf(reader, it as Rows, 'w')
  return `select ${w.column(w.key)}::text as id, ${slugIn(w, it.slug)} as slug from ${w.from} where ${w.rows} order by 1 limit 1000`
}

/** `Acme & Söhne GmbH` is `acme-s-hne-gmbh`. */
const slugOf = (w: Place, column: string) =>
  `btrim(regexp_replace(lower(${w.column(column)}::text), '[^a-z0-9]+', '-', 'g'), '-')`

export function logoOfWorkspace(reader: Reader, map: CrmMap): string | undefined {
  const it = tableOfWorkspaces(map.workspaces)
  if (!it?.logo) return undefined
  const w = placeOf(reader, it as Rows, 'w')
  return `select ${w.column(it.logo)} as logo from ${w.from} where ${w.column(w.key)}::text = ${param('workspace')}`
}

/** Where to transfer what is left of the document `d`, as JSON. */
export function accountOf(reader: Reader, map: CrmMap, stated = 'coalesce(d.reference, d.number)'): string {
  const reference = `'reference', ${stated}`
  const json = (its: [string, string][]) =>
    `jsonb_build_object(${its.map(([name, sql]) => `${literal(name)}, ${sql}`).join(', ')}, ${reference})`
  const names = ['holder', 'bank', 'iban', 'number', 'code', 'bic'] as const
  const one = oneWorkspace(map.workspaces)?.account
  if (one) return json(names.map(name => [name, one[name] ? literal(one[name]) : 'null::text']))
  const it = tableOfWorkspaces(map.workspaces)
  if (!it?.account) return 'null::jsonb'
  const { account } = it
  const w = placeOf(reader, it as Rows, 'w')
  const there = `coalesce(${text(w, account.iban)}, ${text(w, account.number)}) is not null`
  return `(select ${json(names.map(name => [name, text(w, account[name])]))} from ${w.from}
    where ${w.column(w.key)} = ${checked('workspace', keyOfType(w.type(w.key)).cast)} and ${there})`
}

/** What a CRM says of a workspace, where it can be used. */
export const workspaceOf = (row: any): Workspace => ({
  id: row.id,
  slug: row.slug,
  name: row.name ?? row.slug,
  letterhead: row.letterhead ?? [],
  ...(/^#[0-9a-f]{6}$/.test(row.colour ?? '') ? { colour: row.colour } : {}),
  timeZone: row.timeZone ?? 'UTC',
})
