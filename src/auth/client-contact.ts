import type { Colleague, Crm, Workspace } from '../crm/crm.ts'

/**
 * Who of the CRM's people looks after this client, if the CRM says. Undefined while the CRM does not answer: no page
 * waits for a name.
 */
export const clientContact = async (crm: Crm, workspace: Workspace, client: string): Promise<Colleague | undefined> =>
  crm.directory.owner?.(workspace, { section: 'clients', id: client, client }).catch(() => undefined)
