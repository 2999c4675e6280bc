import type { RequestHandler } from 'express'
import type { Crm, Directory, Workspace } from '../crm.ts'
import type { Log } from '../log.ts'

/** The CRM is asked this often whether somebody is still a contact of their client. */
const remembered = 45_000
/** One that does not answer is left alone for so long. */
const failureRemembered = 5_000

/** Those of these contacts of a client who have not left in the CRM. */
export const here = async (directory: Directory, workspace: Workspace, client: string, contacts: string[]) =>
  directory.stillThere
    ? directory.stillThere(workspace, contacts)
    : (await directory.contacts(workspace, client)).map(it => it.id).filter(it => contacts.includes(it))

/**
 * Whoever has left in the CRM has left here, within a minute: the membership counts no more, in whatever session. One
 * by invitation only, whom the CRM does not know, stays. A CRM that cannot be asked throws nobody out.
 */
export function leavers({ crm, log }: { crm: Crm; log: Log }): RequestHandler {
  const asked = new Map<string, { here: Promise<boolean>; until: number }>()
  const { directory } = crm

  const stillHere = (workspace: Workspace, client: string, contact: string): Promise<boolean> => {
    const key = JSON.stringify([workspace.id, client, contact])
    const known = asked.get(key)
    if (known && known.until > Date.now()) return known.here
    if (asked.size > 10_000) asked.clear()
    const still = here(directory, workspace, client, [contact])
      .then(found => found.includes(contact))
      .catch(err => {
        log.error({ err }, 'the CRM does not say who is still there; nobody is signed out by it')
        asked.set(key, { here: Promise.resolve(true), until: Date.now() + failureRemembered })
        return true
      })
    asked.set(key, { here: still, until: Date.now() + remembered })
    return still
  }

  return async (req, _res, next) => {
    const { visitor, workspace } = req.portal
    if (!visitor) return next()
    const here = await Promise.all(
      visitor.memberships.map(({ client, contact }) => !contact || stillHere(workspace, client, contact)),
    )
    visitor.memberships = visitor.memberships.filter((_, at) => here[at])
    next()
  }
}
