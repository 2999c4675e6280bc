import type { RequestHandler } from 'express'
import { type Role, roles } from '../crm/crm.ts'
import type { RequestContext } from '../http/context.ts'
import { Forbidden } from '../http/errors.ts'
import type { SettingRow } from '../plugin/toggles.ts'

/**
 * The roles that need a second factor in a workspace, and from which plain date on. Stored as `2026-12-01 admin
 * billing`.
 */
export interface MfaPolicy {
  from: string
  roles: Role[]
}

export const mfaPolicyName = 'second-factor.policy'

export function parseMfaPolicy(value: unknown): MfaPolicy | undefined {
  const [from = '', ...names] = typeof value === 'string' ? value.split(' ') : []
  const whom = roles.filter(it => names.includes(it))
  return /^\d{4}-\d\d-\d\d$/.test(from) && whom.length ? { from, roles: whom } : undefined
}

export const mfaPolicyText = (it: MfaPolicy | undefined) => (it ? [it.from, ...it.roles].join(' ') : 'nobody')

/** Returns the policy that applies to this person, now or later. */
export const mfaPolicyFor = ({ user, customer }: Pick<RequestContext, 'user' | 'customer'>) =>
  mfaPolicyForRole(customer.role, user?.settings ?? [])

export function mfaPolicyForRole(role: Role, settings: SettingRow[]): MfaPolicy | undefined {
  const row = settings.find(([client, person, name]) => !client && !person && name === mfaPolicyName)
  const mfaPolicy = parseMfaPolicy(row?.[3])
  return mfaPolicy?.roles.includes(role) ? mfaPolicy : undefined
}

class FactorRequired extends Forbidden {
  code = 'second-factor-required'
  message = 'A second factor is needed here.'
  advice = 'Set one up in your account, then continue.'
}

/** From the policy's date on, redirects people without a second factor to its setup page. */
export const requireMfa: RequestHandler = (req, res, next) => {
  const { customer, user, wants, url } = req.portal
  const mfaPolicy = customer && !user?.factor && mfaPolicyFor(req.portal)
  if (!mfaPolicy || mfaPolicy.from > customer.today || allowedPaths.test(req.path)) return next()
  if (wants === 'json') return next(new FactorRequired())
  const address = url('/account/second-factor')
  if (wants === 'page') return res.redirect(303, address)
  res.status(403).set('HX-Redirect', address).end()
}

const allowedPaths = /^\/(account\/(second-factor|passkeys)(\/|$)|step-up$|sign-out$|logo\/)/
