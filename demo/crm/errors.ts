import type { NextFunction, Request, Response } from 'express'

export function notFound(request: Request, response: Response): void {
  response.status(404).render('message', {
    title: 'Page not found',
    text: `There is nothing at ${decoded(request.path)}. It may have been deleted, or the address has a typing error.`,
  })
}

export function failed(error: unknown, request: Request, response: Response, next: NextFunction) {
  if (response.headersSent) return next(error)
  const status = statusOf(error)
  if (status === 500) console.error(request.method, request.path, error)
  response.status(status).render('message', {
    title: status === 500 ? 'Something went wrong' : 'That did not work',
    text:
      status === 500
        ? 'An error has occurred. It has been logged, please try again.'
        : 'The request could not be understood.',
  })
}

function statusOf(error: unknown): number {
  const status = error instanceof Error && 'status' in error ? Number(error.status) : 500
  return status >= 400 && status < 500 ? status : 500
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
