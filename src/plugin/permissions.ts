import type { RequestHandler } from 'express'
import { Forbidden, SignInRequired } from '../http/errors.ts'
import { type Rule, withRule } from '../http/rules.ts'

/** Rule: members of a client whose role has this permission. */
export const may = (permission: string): Rule =>
  withRule(permission, (req, _res, next) => {
    if (!req.portal.customer) throw new SignInRequired()
    next(req.portal.may(permission) ? undefined : new Forbidden())
  })

/**
 * Follows a route's rule. For visitors by a public link, the permission counts once more after they were verified by a
 * code.
 */
export const stepUp =
  (action: string): RequestHandler<any> =>
  (req, res, next) =>
    req.portal.requireStepUp(action, res, next)

/**
 * Follows a route's rule. For visitors by a public link, the permission counts once more after they were verified by a
 * code.
 */
export const identified =
  (permission: string): RequestHandler<any> =>
  (req, res, next) => {
    const { guest, requireStepUp } = req.portal
    if (!guest) return next()
    return requireStepUp('link', res, error =>
      next(error ?? (req.portal.may(permission) ? undefined : new Forbidden())),
    )
  }

/** Rule: everybody who is signed in, in any role. */
export const anyMember = withRule('member', (req, _res, next) =>
  next(req.portal.customer ? undefined : new SignInRequired()),
)

/** Rule: admins of a client, who manage its people. */
export const clientAdmins = withRule('client admin', (req, _res, next) => {
  if (!req.portal.customer) throw new SignInRequired()
  next(req.portal.customer.role === 'admin' ? undefined : new Forbidden())
})

/** For staff of a portal that stands alone, about how they sign in themselves. */
export const anyStaff = withRule('staff', (req, _res, next) =>
  next(req.portal.staff ? undefined : new SignInRequired()),
)

/** Rule: staff who administer the workspace. */
export const admins = withRule('staff admin', (req, _res, next) =>
  next(req.portal.staff?.admin ? undefined : new Forbidden()),
)
