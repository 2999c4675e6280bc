import type { Express, Request } from 'express'
import type { Portal, Staff } from '../src/index.ts'
import type { CrmOptions } from './crm/app.ts'

/** The lines by which Portico comes into the CRM. */
export const mount = (portal: Portal) => ({
  early: (app: Express) => app.use('/portal', portal.webhooks),
  late: (app: Express) => app.use('/portal', portal.clients).use('/settings/client-portal', portal.settings),
})

/** Who of the CRM's people is asking, as its own passport knows them. */
export function staff({ user }: Request): Staff | undefined {
  if (!user) return undefined
  const { id, name, isAdmin, workspace } = user as {
    id: number
    name: string
    isAdmin: boolean
    workspace: { slug: string }
  }
  return { id: String(id), name, workspace: workspace.slug, admin: isAdmin }
}

/** What stands beside a paper of the CRM: what became of it in the portal. */
export const beside =
  (portal: Portal): CrmOptions['beside'] =>
  async ({ workspaceId, slug, clientId, kind, id }) => {
    const workspace = { id: String(workspaceId), slug }
    const { html } = await portal.documentActivity({
      workspace,
      client: String(clientId),
      section: kind,
      id: String(id),
    })
    return html
  }
