import { v7 as uuid } from 'uuid'
import { type ContactChange, type ContactField, type ContactOf, contactFields, type Directory } from '../crm.ts'
import { sendCall } from './call.ts'
import type { Call, CrmMap } from './map.ts'
import { checked, equals, inWorkspace } from './owned.ts'
import { keyOfType, type Place, placeOf, type Reader } from './reader.ts'
import { noteWrites } from './responses.ts'
import type { Ask } from './section.ts'
import { ident, param } from './sql.ts'

/** How people's changes of their own data are written, as the map has it; undefined where it says nothing of them. */
export function contactChange(reader: Reader, map: CrmMap): ((ask: Ask) => Directory['changeContact']) | undefined {
  const { change } = map.contacts
  if (!change) return undefined
  if ('run' in change) return () => (_workspace, of, values) => change.run(of, values)
  if ('call' in change) return () => (_workspace, of, values) => callAll([change.call].flat(), of, values)
  const update = updateOf(reader, map, change.set)
  const named = contactFields.filter(it => change.set[it])
  return ask => async (workspace, of, values) => {
    const fields = named.filter(it => values[it] !== undefined)
    if (!fields.length) return []
    const given = Object.fromEntries(named.map(it => [`given_${it}`, values[it] !== undefined]))
    const [done] = await ask(update, {
      ...values,
      ...given,
      workspace: workspace.id,
      client: of.client,
      id: of.contact,
    })
    return done ? fields : []
  }
}

/** Sets what is given, of a contact of this client in this workspace. */
function updateOf(reader: Reader, map: CrmMap, set: Partial<Record<ContactField, string>>): string {
  const { contacts, clients } = map
  const p = placeOf(reader, contacts, 'p')
  const c = placeOf(reader, clients, 'c')
  const columns = contactFields.flatMap(it => (set[it] ? [[it, set[it]] as const] : []))
  noteWrites(
    reader,
    contacts.table ?? '',
    columns.map(([, column]) => column),
  )
  return `update ${p.from} set ${columns.map(it => assignment(p, ...it)).join(', ')}
    where ${p.column(p.key)} = ${checked('id', keyOfType(p.type(p.key)).cast)} and ${p.rows}
      and ${equals(p, contacts.client, 'client')}
      and exists (select from ${c.from} where ${equals(c, c.key, 'client')} and ${inWorkspace(map, c, clients.workspace)})
    returning 1 as done`
}

function assignment(place: Place, field: ContactField, column: string): string {
  const value = `nullif(${param(field)}::text, '')::${place.type(column)}`
  return `${ident(column)} = case when ${param(`given_${field}`)}::boolean then ${value} else ${place.column(column)} end`
}

async function callAll(calls: Call[], of: ContactOf, change: ContactChange): Promise<ContactField[]> {
  const written = JSON.stringify(calls.map(it => [it.url, it.body]))
  const taken = contactFields.filter(it => change[it] !== undefined && written.includes(`{${it}}`))
  const known = { name: null, email: null, phone: null, ...change, id: of.contact, client: of.client, key: uuid() }
  if (taken.length) for (const it of calls) await sendCall(it, known.key, known)
  return taken
}
