import type { Request, RequestHandler, Response } from 'express'
import { record } from '../activity.ts'
import { renew, safe, seconds } from '../auth/enter.ts'
import type { Held, Proof } from '../auth/sessions.ts'
import type { Staff } from '../crm.ts'
import type { Colleague, StaffOf } from './staff.ts'

/** Staff who send a request, as they are now. */
export type Present = Colleague & Staff

/** Where the settings area is mounted. */
const area = '/settings/client-portal'

const held = (req: Request<any>) => (req as unknown as { session: Held }).session

/**
 * Whose session this is. It ends with the password and the second factors that it was begun with: its state is compared
 * with each request, so that nothing has to be told of a change, wherever that was made.
 */
export async function presentStaff(req: Request<any>, staff: StaffOf): Promise<Present | undefined> {
  const { id, of, workspace, state } = held(req).staff ?? {}
  if (!id || !of || !workspace) return undefined
  const found = await staff.find({ id: of }, id)
  if (!found || found.state !== state) return undefined
  const home = `/staff/${workspace}`
  return { ...found, workspace, account: `${home}/account`, signOut: `${home}/sign-out` }
}

/** Who is signed in to this workspace goes to `req.portal.staff`, and their session is the portal's of this request. */
export const loadStaff =
  (staff: StaffOf): RequestHandler<any> =>
  async (req, _res, next) => {
    req.portal.aside = req as never
    const present = await presentStaff(req, staff)
    if (present && held(req).staff?.of === req.portal.workspace.id) {
      req.portal.staff = present
      req.portal.frame = 'settings'
      req.portal.area = area
    }
    next()
  }

/** Who is signed in, behind a route's `anyStaff`. */
export const presentIn = (req: Request<any>) => req.portal.staff as Present

interface Entering {
  who: Colleague
  /** Where they wanted to go. */
  next: unknown
  /** How they have shown who they are. */
  proofs: Proof[]
}

/** The one door to a session of staff: nobody gets one without a second factor who has one. */
export async function enterStaff(req: Request<any>, res: Response, { who, next, proofs }: Entering) {
  const { workspace, url } = req.portal
  const { id, name, email, state } = who
  const [proof] = proofs
  if (!proof) throw new Error('nothing was proven')
  if (who.factor && !proofs.some(it => seconds.includes(it.by))) {
    await renew(req, { workspace: workspace.id, half: { person: id, email, next: safe(req, next), proof, state } })
    return res.redirect(303, url('/sign-in/second-factor'))
  }
  const staff = { id, workspace: workspace.slug, of: workspace.id, state }
  await renew(req, { workspace: workspace.id, staff, proofs })
  await record(req, { event: 'account.signed-in', actor: { kind: 'staff', id, name } })
  const wanted = safe(req, next)
  res.redirect(303, wanted === url('/') ? `${area}/` : wanted)
}
