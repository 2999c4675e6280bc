import type { RequestHandler } from 'express'
import type { Crm, Directory, Workspace } from '../crm/crm.ts'
import type { Log } from '../platform/log.ts'

/** How long the CRM's answer about a contact is cached, in milliseconds. */
const cacheDuration = 45_000
/** How long a failed CRM is not asked again, in milliseconds. */
const failureCacheDuration = 5_000

/** Returns those of a client's contacts that the CRM still has. */
export const presentContacts = async (
  directory: Directory,
  workspace: Workspace,
  client: string,
  contacts: string[],
) =>
  directory.stillThere
    ? directory.stillThere(workspace, contacts)
    : (await directory.contacts(workspace, client)).map(it => it.id).filter(it => contacts.includes(it))

/**
 * Ignores memberships of departed contacts, in every session, within a minute. Members by invitation only, whom the CRM
 * does not know, stay. While the CRM cannot be reached, nobody loses access.
 */
export function dropDepartedContacts({ crm, log }: { crm: Crm; log: Log }): RequestHandler {
  const asked = new Map<string, { here: Promise<boolean>; until: number }>()
  const { directory } = crm

  const stillHere = (workspace: Workspace, client: string, contact: string): Promise<boolean> => {
    const key = JSON.stringify([workspace.id, client, contact])
    const known = asked.get(key)
    if (known && known.until > Date.now()) return known.here
    if (asked.size > 10_000) asked.clear()
    const still = presentContacts(directory, workspace, client, [contact])
      .then(found => found.includes(contact))
      .catch(err => {
        log.error({ err }, 'the CRM does not say who is still there; nobody is signed out by it')
        asked.set(key, { here: Promise.resolve(true), until: Date.now() + failureCacheDuration })
        return true
      })
    asked.set(key, { here: still, until: Date.now() + cacheDuration })
    return still
  }

  return async (req, _res, next) => {
    const { user, workspace } = req.portal
    if (!user) return next()
    const here = await Promise.all(
      user.memberships.map(({ client, contact }) => !contact || stillHere(workspace, client, contact)),
    )
    user.memberships = user.memberships.filter((_, at) => here[at])
    next()
  }
}
