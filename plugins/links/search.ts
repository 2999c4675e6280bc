import type { Request } from 'express'
import type { CoreHost } from '../../src/auth/host.ts'
import type { Client } from '../../src/crm/crm.ts'
import type { Page } from '../../src/http/paging.ts'
import { dateIn, zoneOf } from '../../src/platform/i18n.ts'
import type { Section } from '../../src/plugin/plugin.ts'
import { resolve, togglesOf } from '../../src/plugin/toggles.ts'
import { switchesOf } from './store.ts'

type Parts = Pick<CoreHost, 'activation' | 'crm' | 'database' | 'plugins'>

interface Listed {
  id: string
  number: string
  title?: string
}

interface Port {
  list?(filter: object): Promise<Page<Listed>>
}

export interface FoundDocument extends Listed {
  section: Section
  client: Client
}

/** How many clients are asked, and how many documents of each kind. */
const most = { clients: 10, documents: 5 }

/**
 * Finds documents that a link can lead to, by their number, their title or their client: as the client's own people have
 * them, so no draft and nothing deleted is found. Clients with that name come first.
 */
export async function searchDocuments(parts: Parts, req: Request<any>, search: string): Promise<FoundDocument[]> {
  const { directory } = parts.crm
  const { workspace } = req.portal
  const [named = [], holders = []] = await Promise.all([
    directory.clients?.(workspace, search),
    directory.clientsOfDocuments?.(workspace, search),
  ])
  const others = holders.filter(id => !named.some(it => it.id === id)).slice(0, most.clients)
  const clients = await Promise.all(others.map(id => directory.client(workspace, id)))
  const found = await Promise.all([
    ...bestFirst(named, search)
      .slice(0, most.clients)
      .map(it => documentsOf(parts, req, it, undefined)),
    ...clients.flatMap(it => (it ? [documentsOf(parts, req, it, search)] : [])),
  ])
  return found.flat()
}

/** Those whose name begins so come first. */
const bestFirst = (clients: Client[], search: string) => {
  const begins = ({ name }: Client) => Number(name.toLowerCase().startsWith(search.toLowerCase()))
  return clients.toSorted((a, b) => begins(b) - begins(a))
}

/** The newest of a client, of each kind that links are switched on for. */
async function documentsOf(parts: Parts, req: Request<any>, client: Client, search: string | undefined) {
  const { activation, crm, database, plugins } = parts
  const { workspace, now, staff } = req.portal
  const customer = {
    ...{ workspace, client: { id: client.id, name: client.name }, role: 'viewer' as const },
    ...{ person: { id: '', name: staff?.name ?? '', email: '' }, today: dateIn(zoneOf(workspace.timeZone), now) },
  }
  const on = resolve(togglesOf(plugins), await switchesOf(database, workspace.id, client.id), client.id, '')
  const ports = activation.availablePorts(crm.connect(customer)) as Record<string, Port | undefined>
  const open = plugins.filter(({ name, subject }) => subject?.link && on(name) && on(subject.link.toggle))
  const lists = await Promise.all(
    open.map(async section => {
      const listed = await ports[section.name]?.list?.({ search, sort: 'newest', size: most.documents })
      return (listed?.items ?? []).map(
        ({ id, number, title }): FoundDocument => ({ id, number, title, section, client }),
      )
    }),
  )
  return lists.flat()
}
