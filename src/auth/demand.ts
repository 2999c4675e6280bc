import type { RequestHandler } from 'express'
import type { RequestContext } from '../context.ts'
import { type Role, roles } from '../crm.ts'
import { Forbidden } from '../errors.ts'
import type { Row } from '../settings/toggles.ts'

/** Whom a workspace asks for a second factor, and from which plain date on. Stored as `2026-12-01 admin billing`. */
export interface Demand {
  from: string
  roles: Role[]
}

export const demandName = 'second-factor.demand'

export function demandIn(value: unknown): Demand | undefined {
  const [from = '', ...names] = typeof value === 'string' ? value.split(' ') : []
  const whom = roles.filter(it => names.includes(it))
  return /^\d{4}-\d\d-\d\d$/.test(from) && whom.length ? { from, roles: whom } : undefined
}

export const demandText = (it: Demand | undefined) => (it ? [it.from, ...it.roles].join(' ') : 'nobody')

/** What is asked of this person, today or later. */
export const demandOf = ({ visitor, customer }: Pick<RequestContext, 'visitor' | 'customer'>) =>
  demandOn(customer.role, visitor?.settings ?? [])

export function demandOn(role: Role, settings: Row[]): Demand | undefined {
  const row = settings.find(([client, person, name]) => !client && !person && name === demandName)
  const demand = demandIn(row?.[3])
  return demand?.roles.includes(role) ? demand : undefined
}

class FactorNeeded extends Forbidden {
  code = 'second-factor-needed'
  message = 'A second factor is needed here.'
  advice = 'Set one up under your account, then go on.'
}

/** From that date on, whoever has none comes no further than to where it is set up. */
export const demanding: RequestHandler = (req, res, next) => {
  const { customer, visitor, wants, url } = req.portal
  const demand = customer && !visitor?.factor && demandOf(req.portal)
  if (!demand || demand.from > customer.today || open.test(req.path)) return next()
  if (wants === 'json') return next(new FactorNeeded())
  const address = url('/account/second-factor')
  if (wants === 'page') return res.redirect(303, address)
  res.status(403).set('HX-Redirect', address).end()
}

const open = /^\/(account\/(second-factor|passkeys)(\/|$)|step-up$|sign-out$|logo\/)/
