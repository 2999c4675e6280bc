import type { Request, RequestHandler, Response } from 'express'
import type { SessionData, Verification } from '../auth/sessions.ts'
import { renewSession, safeRedirect, secondFactorMethods } from '../auth/sign-in.ts'
import type { Staff } from '../crm/crm.ts'
import { recordEvent } from '../platform/activity.ts'
import type { Colleague, StaffOf } from './staff.ts'

/** The staff member who sends a request, read fresh with each request. */
export type Present = Colleague & Staff

/** Where the settings area is mounted. */
const area = '/settings/client-portal'

const held = (req: Request<any>) => (req as unknown as { session: SessionData }).session

/**
 * Returns the session's owner. A session ends when the password or second factors that it was begun with change: its
 * state is compared with each request, so a change anywhere needs no notification.
 */
export async function findPresentStaff(req: Request<any>, staff: StaffOf): Promise<Present | undefined> {
  const { id, of, workspace, state } = held(req).staff ?? {}
  if (!id || !of || !workspace) return undefined
  const found = await staff.find({ id: of }, id)
  if (!found || found.state !== state) return undefined
  const home = `/staff/${workspace}`
  return { ...found, workspace, account: `${home}/account`, signOut: `${home}/sign-out` }
}

/**
 * Sets `req.portal.staff` to the staff signed in to this workspace, and makes their session the request's portal
 * session.
 */
export const loadStaff =
  (staff: StaffOf): RequestHandler<any> =>
  async (req, _res, next) => {
    req.portal.sessionRequest = req as never
    const present = await findPresentStaff(req, staff)
    if (present && held(req).staff?.of === req.portal.workspace.id) {
      req.portal.staff = present
      req.portal.frame = 'settings'
      req.portal.settingsArea = area
    }
    next()
  }

/** Returns the signed-in staff; only behind a route with `anyStaff`. */
export const presentIn = (req: Request<any>) => req.portal.staff as Present

interface Entering {
  who: Colleague
  /** The page to continue to. */
  next: unknown
  /** How they were verified. */
  verifications: Verification[]
}

/** Begins a staff session: the only way to get one. Staff with a second factor must use it. */
export async function signInStaff(req: Request<any>, res: Response, { who, next, verifications }: Entering) {
  const { workspace, url } = req.portal
  const { id, name, email, state } = who
  const [proof] = verifications
  if (!proof) throw new Error('nothing was proven')
  if (who.factor && !verifications.some(it => secondFactorMethods.includes(it.by))) {
    await renewSession(req, {
      workspace: workspace.id,
      pendingFactor: { person: id, email, next: safeRedirect(req, next), proof, state },
    })
    return res.redirect(303, url('/sign-in/second-factor'))
  }
  const staff = { id, workspace: workspace.slug, of: workspace.id, state }
  await renewSession(req, { workspace: workspace.id, staff, verifications })
  await recordEvent(req, { event: 'account.signed-in', actor: { kind: 'staff', id, name } })
  const wanted = safeRedirect(req, next)
  res.redirect(303, wanted === url('/') ? `${area}/` : wanted)
}
