import type { NextFunction, Request, Response } from 'express'

export function sameOrigin(request: Request, response: Response, next: NextFunction) {
  if (['GET', 'HEAD', 'OPTIONS'].includes(request.method) || fromHere(request)) return next()
  response.status(403).render('message', {
    title: 'Not from here',
    text: 'This form was sent from another site and has been ignored.',
  })
}

function fromHere(request: Request): boolean {
  const site = request.get('sec-fetch-site')
  if (site) return site === 'same-origin' || site === 'none'
  const origin = request.get('origin')
  return origin === undefined || origin === `${request.protocol}://${request.get('host')}`
}
