import { gzipSync } from 'node:zlib'
import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express'
import { roleName } from './auth/roles.ts'
import type { RequestContext } from './context.ts'
import type { Role } from './crm.ts'
import { unreachable } from './database.ts'
import {
  BadToken,
  Conflict,
  CrmUnavailable,
  Forbidden,
  Invalid,
  Problem,
  SignedOut,
  TooLarge,
  TooMany,
  TooOften,
  Unreadable,
} from './errors.ts'
import { listAddress } from './filter.ts'
import { drifted } from './gate/drift.ts'
import type { Log } from './log.ts'
import { hasView, render } from './render.ts'
import type { Section } from './section.ts'

declare global {
  namespace Express {
    interface Response {
      answer(view: string, data: object): void
    }
  }
}

/** One answer, three representations: a page, the fragment of it that htmx asked for, or the API's JSON. */
export function answers({ sections, compress }: { sections: Section[]; compress: boolean }): RequestHandler {
  const shapes = new Map(sections.flatMap(it => Object.entries(it.answers)))

  return (req, res, next) => {
    res.answer = (view, data) => {
      const { wants, problem } = req.portal
      if (problem) res.status(problem.status)
      res.vary('Accept-Language').vary('HX-Request-Type').set('Cache-Control', 'private, no-store')
      if (wants === 'json') {
        const answer = shapes.get(view)?.parse(data)
        res.type(problem ? 'application/problem+json' : 'json').json({ ...told(problem, req.portal.id), ...answer })
      } else {
        send(req, res, shown(req.portal, view, data), compress)
      }
    }
    next()
  }
}

/** Past Express, which would make a hash of what nobody may keep. Level 1 brings a page to a sixth in a tenth of a millisecond. */
function send(req: Request, res: Response, html: string, compress: boolean) {
  const small = compress && html.length > 1_500 && req.acceptsEncodings('gzip') === 'gzip'
  const bytes = small ? gzipSync(html, { level: 1 }) : Buffer.from(html)
  if (compress) res.vary('Accept-Encoding')
  if (small) res.setHeader('Content-Encoding', 'gzip')
  res.setHeader('Content-Type', 'text/html; charset=utf-8')
  res.setHeader('Content-Length', bytes.length)
  res.end(req.method === 'HEAD' ? undefined : bytes)
}

/**
 * A page frames its view, which may say the page's title. A fragment is the part whose name begins with `_`, or where a
 * page has none, all of its content.
 */
export function shown(visit: RequestContext, view: string, data: object): string {
  const page = { title: '', times: false }
  /** As the reader is told instants; the page then knows that it has some, and may say in which time zone. */
  const time: RequestContext['time'] = instant => {
    page.times = true
    return visit.time(instant)
  }
  const locals = { ...visit, ...pieces(visit), ...data, time, view, page }
  if (visit.wants === 'page') return render(visit.frame, { ...locals, body: render(view, locals) })
  const part = view.replace(/[^/]+$/, '_$&')
  return render('fragment', { ...locals, body: render(hasView(part) ? part : view, locals) })
}

/** What every view may use beside what is known of the visit. */
const pieces = (visit: RequestContext) => {
  const { asset, direction } = visit
  const sprite = asset('icons.svg')
  const icon = (name: string, more = '') =>
    `<svg class="icon${more && ` ${more}`}" aria-hidden="true"><use href="${sprite}#${name}"/></svg>`
  /** Where something begins in a chart, counted from where the reader begins to read. */
  const across = (start: number, width = 0) => `${(direction === 'rtl' ? 100 - start - width : start).toFixed(2)}%`
  return { icon, mark, initials, listAddress, across, roleName: (role: Role) => roleName(visit, role) }
}

const mark =
  '<svg viewBox="0 0 32 32" aria-hidden="true"><path fill="currentColor" d="M4 20a12 12 0 0 1 24 0z"/><path stroke="currentColor" stroke-width="2.4" stroke-linecap="round" d="M2 25.5h28"/></svg>'

const initials = (name: string) => {
  const words = name.split(/\s+/).filter(Boolean)
  return [words[0], words.length > 1 ? words.at(-1) : undefined]
    .map(it => [...(it ?? '')][0] ?? '')
    .join('')
    .toUpperCase()
}

/** Ends a command's route: who is refused sees how things stand, and what was wrong. */
export function otherwise(show: RequestHandler<any>) {
  const refused: ErrorRequestHandler = (error, req, res, next) => {
    if (![Conflict, Invalid, TooMany, TooOften].some(it => error instanceof it)) return next(error)
    if (error instanceof TooOften) {
      res.set('Retry-After', String(error.seconds))
      const { password, current, code, ...typed } = Object(req.portal.body)
      error.typed = typed
    }
    req.portal.problem = error
    return show(req, res, next)
  }
  // Express knows an error handler by its four parameters, its types do not.
  return refused as unknown as RequestHandler<any>
}

/** Where every other error ends. What is not a Problem is logged with the request's id, and not told. */
export const problems =
  (log: Log, claim: RequestHandler): ErrorRequestHandler =>
  (error, req, res, next) => {
    if (!req.portal) return next(error?.status === 400 ? 'router' : error)
    if (res.headersSent) return next(error)
    if (!req.portal.claimed) return claim(req, res, () => problems(log, claim)(error, req, res, next))
    const problem = problemOf(error)
    if (problem.status >= 500) log.error({ request: req.portal.id, err: error }, problem.message)
    if (problem instanceof SignedOut && req.portal.wants !== 'json') return signIn(req, res)
    if (req.portal.wants === 'json') challenge(req, res, problem)
    if (problem.status === 503) res.set('Retry-After', '30')
    if (problem instanceof TooOften) res.set('Retry-After', String(problem.seconds))
    req.portal.problem = problem
    if (req.portal.wants === 'fragment')
      return void res
        .status(problem.status)
        .set('Cache-Control', 'no-store')
        .send(render('problem', { ...req.portal, ...pieces(req.portal) }))
    if (!req.portal.customer && req.portal.frame === 'page') req.portal.frame = 'solo'
    res.answer('error', {})
  }

/** What a program has to bring (RFC 6750, 3). */
function challenge(req: Request, res: Response, problem: Problem) {
  const { bearer, workspace } = req.portal
  const error =
    problem instanceof BadToken
      ? ', error="invalid_token"'
      : bearer?.scopes && problem instanceof Forbidden
        ? ', error="insufficient_scope"'
        : ''
  if (problem.status === 401 || error)
    res.set('WWW-Authenticate', `Bearer realm="${workspace?.slug ?? 'portal'}"${error}`)
}

/** Off to sign-in, and back to the page afterwards: with htmx that is the page around the fragment. */
function signIn(req: Parameters<RequestHandler>[0], res: Parameters<RequestHandler>[1]) {
  const { wants, url } = req.portal
  const page =
    wants === 'page' && req.method === 'GET' ? req.originalUrl : (req.get('HX-Current-URL') ?? req.get('Referer'))
  const { pathname, search } = URL.parse(page ?? '', 'http://portal.invalid') ?? { pathname: '', search: '' }
  const address = url(
    `/sign-in${pathname.startsWith(`${url('')}/`) ? `?${new URLSearchParams({ next: pathname + search })}` : ''}`,
  )
  if (wants === 'page') return res.redirect(303, address)
  res.status(401).set('HX-Redirect', address).end()
}

function problemOf(error: any): Problem {
  if (error instanceof Problem) return error
  if (error?.status === 413) return new TooLarge()
  if (error?.status >= 400 && error.status < 500) return Object.assign(new Unreadable(), { status: error.status })
  return unreachable(error) || drifted(error) ? new CrmUnavailable() : new Problem()
}

/** RFC 9457. */
const told = (problem: Problem | undefined, id: string) =>
  problem && {
    title: problem.message,
    status: problem.status,
    detail: problem.advice,
    code: problem.code,
    instance: id,
    errors: problem instanceof Invalid ? problem.errors : undefined,
  }
