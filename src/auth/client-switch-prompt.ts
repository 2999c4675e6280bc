import type { RequestHandler } from 'express'

/**
 * Asks before switching clients when a mail's link belongs to another client of the person. A GET request never
 * switches.
 */
export const promptClientSwitch: RequestHandler = (req, res, next) => {
  const { customer, user, wants } = req.portal
  const other =
    req.method === 'GET' && wants === 'page' && customer && req.query.client !== customer.client.id
      ? user?.memberships.find(it => it.client === req.query.client)
      : undefined
  if (!other) return next()
  req.portal.frame = 'bare'
  res.respond('auth/client-switch', { other, next: req.originalUrl })
}
