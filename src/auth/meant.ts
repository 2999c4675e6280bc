import type { RequestHandler } from 'express'

/**
 * A link in a mail says for which company it is. Whoever looks at another one of theirs just now is asked first: nothing
 * changes by GET.
 */
export const meant: RequestHandler = (req, res, next) => {
  const { customer, visitor, wants } = req.portal
  const other =
    req.method === 'GET' && wants === 'page' && customer && req.query.client !== customer.client.id
      ? visitor?.memberships.find(it => it.client === req.query.client)
      : undefined
  if (!other) return next()
  req.portal.frame = 'solo'
  res.answer('auth/meant', { other, next: req.originalUrl })
}
