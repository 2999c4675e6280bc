import { z } from 'zod'
import type { Colleague, Directory } from '../crm.ts'
import type { CrmMap, OffersMap, StaffMap } from './map.ts'
import { belongs, equals, inWorkspace } from './owned.ts'
import { expectType, type Place, placeOf, type Reader, text } from './reader.ts'
import type { Ask } from './section.ts'

/** Who looks after a client's records; undefined where the map does not say. */
export function ownersOf(reader: Reader, map: CrmMap): ((ask: Ask) => Required<Directory>['owner']) | undefined {
  const ofClient = map.clients.manager && managerOfClient(reader, map, map.clients.manager)
  const offers = [['proposals', map.proposals] as const, ['quotations', map.quotations] as const]
  const ofSection = new Map(
    offers.flatMap(([section, it]) => (it?.ownerEmail ? [[section as string, ownerOfDocument(reader, map, it)]] : [])),
  )
  if (!ofClient && !ofSection.size) return undefined

  return ask =>
    async (workspace, { section, id, client }) => {
      const questions = [ofSection.get(section), ofClient].filter(it => it !== undefined)
      for (const question of questions) {
        const rows = await ask(question, { workspace: workspace.id, client, id })
        const [found] = reachable(rows)
        if (found) return found
      }
      return undefined
    }
}

/** Who administers a workspace; undefined where the map names no staff. */
export function adminsOf(reader: Reader, map: CrmMap, staff: StaffMap): (ask: Ask) => Required<Directory>['admins'] {
  const u = placeOf(reader, staff, 'u')
  expectType(u, staff.admin, ['boolean'], 'true or false')
  const sql = `select ${named(u, staff.name, staff.email)} from ${u.from}
    where ${u.rows} and ${inWorkspace(map, u, staff.workspace)} and ${u.column(staff.admin)} is true
    order by 2 limit 100`
  return ask => async workspace => reachable(await ask(sql, { workspace: workspace.id }))
}

function ownerOfDocument(reader: Reader, map: CrmMap, it: OffersMap): string {
  const d = placeOf(reader, it, 'd')
  return `select ${named(d, it.owner, it.ownerEmail)} from ${d.from}
    where ${equals(d, d.key, 'id')} and ${belongs(reader, map, d, it)} and ${d.rows} limit 1`
}

function managerOfClient(reader: Reader, map: CrmMap, { name, email }: Required<CrmMap['clients']>['manager']): string {
  const c = placeOf(reader, map.clients, 'c')
  return `select ${named(c, name, email)} from ${c.from}
    where ${equals(c, c.key, 'client')} and ${inWorkspace(map, c, map.clients.workspace)} and ${c.rows} limit 1`
}

const named = (place: Place, name: Parameters<typeof text>[1], email: Parameters<typeof text>[1]) =>
  `coalesce(${text(place, name)}, '') as name, lower(btrim(${text(place, email)})) as email`

/** Those whose address is one. */
const reachable = (rows: Colleague[]): Colleague[] => rows.filter(it => z.email().safeParse(it.email).success)
