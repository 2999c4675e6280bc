import type { Client, Contact, Directory } from '../crm.ts'
import { contactChange } from './contact-change.ts'
import { containing } from './listing.ts'
import type { CrmMap } from './map.ts'
import { equals, inWorkspace } from './owned.ts'
import { followPath, hintIndex, placeOf, type Reader, text } from './reader.ts'
import type { Ask } from './section.ts'
import { param } from './sql.ts'
import { logoOfWorkspace, oneWorkspace, workspaceBySlug, workspaceOf } from './workspaces.ts'

/** All but what the staff's part of a map answers; contacts may be changed where the map says how. */
export type DirectoryOfMap = Required<Omit<Directory, 'owner' | 'admins' | 'changeContact' | 'clientsOfDocuments'>> &
  Pick<Directory, 'changeContact'>

/** The look-ups that a CRM's map answers before anybody is known. */
export function directory(reader: Reader, map: CrmMap): (ask: Ask) => DirectoryOfMap {
  const bySlug = workspaceBySlug(reader, map)
  const logo = logoOfWorkspace(reader, map)
  const one = oneWorkspace(map.workspaces)
  const client = clientById(reader, map)
  const contacts = contactsOf(reader, map)
  const named = clientsNamed(reader, map)
  const still = contactsStillThere(reader, map)
  const change = contactChange(reader, map)

  return ask => ({
    async workspace(slug) {
      if (!bySlug) return one?.slug === slug ? workspaceOf({ letterhead: [one.name], ...one }) : undefined
      const [row] = await ask(bySlug, { slug })
      return row && workspaceOf(row)
    },

    async client(workspace, id): Promise<Client | undefined> {
      const [row] = await ask(client, { workspace: workspace.id, client: id })
      return row
    },

    async stillThere(workspace, contactIds) {
      const rows = await ask(still, { workspace: workspace.id, contacts: contactIds })
      return rows.map(it => it.id)
    },

    clients: (workspace, search) => ask(named, { workspace: workspace.id, search: containing(search) }),

    async logo(workspace) {
      const [row] = logo ? await ask(logo, { workspace: workspace.id }) : []
      return row?.logo ? Buffer.from(row.logo) : undefined
    },

    async contacts(workspace, clientId): Promise<Contact[]> {
      const rows = await ask(contacts, { workspace: workspace.id, client: clientId })
      return rows.map(({ language, phone, ...row }) => ({
        ...row,
        ...(language ? { language: language.replace('_', '-') } : {}),
        ...(map.contacts.phone ? { phone: phone ?? '' } : {}),
      }))
    },

    ...(change && { changeContact: change(ask) }),
  })
}

function clientById(reader: Reader, map: CrmMap): string {
  const c = placeOf(reader, map.clients, 'c')
  const address = (map.clients.address ?? [map.clients.name]).map(it => `${text(c, it)}::text`)
  return `select ${c.column(c.key)}::text as id, coalesce(${text(c, map.clients.name)}, '') as name,
      array_remove(array[${address.join(', ')}], null) as address
    from ${c.from} where ${equals(c, c.key, 'client')} and ${inWorkspace(map, c, map.clients.workspace)} and ${c.rows}`
}

function contactsStillThere(reader: Reader, map: CrmMap): string {
  const p = placeOf(reader, map.contacts, 'p')
  const c = placeOf(reader, map.clients, 'c')
  const client = followPath(p, map.contacts.client).sql
  return `select ${p.column(p.key)}::text as id from ${p.from}
    where ${p.column(p.key)}::text = any(${param('contacts')}::text[]) and ${p.rows}
      and exists (select from ${c.from} where ${c.column(c.key)}::text = (${client})::text and ${c.rows}
                  and ${inWorkspace(map, c, map.clients.workspace)})`
}

function clientsNamed(reader: Reader, map: CrmMap): string {
  const c = placeOf(reader, map.clients, 'c')
  const name = text(c, map.clients.name)
  const address = (map.clients.address ?? []).slice(1).map(it => `${text(c, it)}::text`)
  return `select ${c.column(c.key)}::text as id, ${name} as name, array_remove(array[${address.slice(-1).join('') || 'null::text'}], null) as address
    from ${c.from} where ${name} ilike ${param('search')} and ${inWorkspace(map, c, map.clients.workspace)} and ${c.rows}
    order by lower(${name}), 1 limit 20`
}

function contactsOf(reader: Reader, map: CrmMap): string {
  const { contacts, clients } = map
  const p = placeOf(reader, contacts, 'p')
  const c = placeOf(reader, clients, 'c')
  hintIndex(p, contacts, contacts.client, [], 'contacts of a client')
  const email = followPath(p, contacts.email).sql
  return `select ${p.column(p.key)}::text as id, coalesce(${text(p, contacts.name)}, ${email}::text) as name, lower(${email}::text) as email,
      ${text(p, contacts.language)} as language, ${text(p, contacts.phone)} as phone
    from ${p.from} where ${equals(p, contacts.client, 'client')} and ${p.rows} and nullif(btrim(${email}::text), '') is not null
      and exists (select from ${c.from} where ${equals(c, c.key, 'client')} and ${inWorkspace(map, c, clients.workspace)})
    order by ${p.column(p.key)}`
}
