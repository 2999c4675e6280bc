import { gzipSync } from 'node:zlib'
import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express'
import type { ZodObject } from 'zod'
import { fieldsOf } from '../files/receive.ts'
import { drifted, unreachable } from '../platform/database.ts'
import type { Log } from '../platform/log.ts'
import type { RequestContext } from './context.ts'
import {
  Conflict,
  CrmUnavailable,
  Forbidden,
  Invalid,
  InvalidToken,
  ofStore,
  Problem,
  RateLimited,
  SignInRequired,
  TooLarge,
  TooMany,
  Unreadable,
} from './errors.ts'
import { listAddress } from './filter.ts'
import { hasView, render } from './render.ts'

declare global {
  namespace Express {
    interface Response {
      respond(view: string, data: object): void
    }
  }
}

/**
 * Responds in one of three representations: a page, the fragment that htmx requested, or the API's JSON. `shapes` are
 * the API's schemas, by view.
 */
export function responseHandler({
  shapes,
  compress,
}: {
  shapes: Map<string, ZodObject>
  compress: boolean
}): RequestHandler {
  return (req, res, next) => {
    res.respond = (view, data) => {
      const { wants, problem } = req.portal
      if (problem) res.status(problem.status)
      res.vary('Accept-Language').vary('HX-Request-Type').set('Cache-Control', 'private, no-store')
      if (wants === 'json') {
        const answer = shapes.get(view)?.parse(data)
        res
          .type(problem ? 'application/problem+json' : 'json')
          .json({ ...problemDetails(problem, req.portal.id), ...answer })
      } else {
        send(req, res, shown(req.portal, view, data), compress)
      }
    }
    next()
  }
}

/**
 * Sends without Express, which would compute an ETag for a page that nobody may cache. Gzip level 1 makes a page six
 * times smaller in 0.1 ms.
 */
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
 * Renders a page around its view, which may set the title. A fragment is the view whose name begins with `_`, or if
 * there is none, the page's whole content.
 */
export function shown(context: RequestContext, view: string, data: object): string {
  const page = { title: '', times: false, narrow: false, led: false, open: false }
  /** Formats an instant for the reader. Records that the page shows one, so that it can name the time zone. */
  const time: RequestContext['time'] = instant => {
    page.times = true
    return context.time(instant)
  }
  /** The same in the words of people: "Today, 10:42". */
  const relativeTime = (instant: Date | string, inside = false) => {
    page.times = true
    return context.relativeTime(instant, context.now, inside)
  }
  const given = { ...context, ...pieces(context), ...data, time, relativeTime, view, page }
  /** Returns the plugins' views for a slot of this page, with their data. */
  const slot = (name: string, more: object = {}) =>
    context
      .slotViews(name)
      .map(it => render(it, { ...given, slot, ...filledOf(data, it), ...more }))
      .join('')
  const locals = { ...given, slot }
  if (context.wants === 'page') return render(context.frame, { ...locals, body: render(view, locals) })
  const part = view.replace(/[^/]+$/, '_$&')
  return render('fragment', { ...locals, body: render(hasView(part) ? part : view, locals) })
}

const filledOf = (data: object, view: string): object =>
  (data as { filled?: Record<string, object> }).filled?.[view] ?? {}

/** Functions that every view may use, besides the request context. */
const pieces = (context: RequestContext) => {
  const { asset, direction } = context
  const sprite = asset('icons.svg')
  const icon = (name: string, more = '') =>
    `<svg class="icon${more && ` ${more}`}" aria-hidden="true"><use href="${sprite}#${name}"/></svg>`
  /** The position in a chart, from the side where the reader begins to read. */
  const across = (start: number, width = 0) => `${(direction === 'rtl' ? 100 - start - width : start).toFixed(2)}%`
  return { icon, mark, initials, listAddress, across }
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

/** Ends a command's route: on an error, shows the page again with the message and the input. */
export function showAgainOnError(show: RequestHandler<any>) {
  const refused: ErrorRequestHandler = (error, req, res, next) => {
    if (![Conflict, Invalid, TooMany, RateLimited].some(it => error instanceof it)) return next(error)
    if (error instanceof RateLimited) {
      res.set('Retry-After', String(error.seconds))
      const { password, current, code, ...typed } = Object(req.portal.body)
      error.typed = typed
    }
    req.portal.problem = error
    return show(req, res, next)
  }
  // Express recognises an error handler by its four parameters; its types do not.
  return refused as unknown as RequestHandler<any>
}

/**
 * Handles every other error. An error that is not a Problem is logged with the request's id, and its details are not
 * shown.
 */
export const errorHandler =
  (log: Log, claim: RequestHandler): ErrorRequestHandler =>
  (error, req, res, next) => {
    if (!req.portal) return next(error?.status === 400 ? 'router' : error)
    if (res.headersSent) return next(error)
    if (!req.portal.claimed) return claim(req, res, () => errorHandler(log, claim)(error, req, res, next))
    const problem = problemOf(error)
    if (problem.status >= 500) log.error({ request: req.portal.id, err: error }, problem.message)
    if (problem instanceof SignInRequired && req.portal.wants !== 'json') return signIn(req, res)
    if (req.portal.wants === 'json') challenge(req, res, problem)
    if (problem.status === 503) res.set('Retry-After', '30')
    if (problem instanceof RateLimited) res.set('Retry-After', String(problem.seconds))
    req.portal.problem = problem
    if (req.portal.wants === 'fragment')
      return void res
        .status(problem.status)
        .set('Cache-Control', 'no-store')
        .send(render('problem', { ...req.portal, ...pieces(req.portal) }))
    if (!req.portal.customer && req.portal.frame === 'page') req.portal.frame = 'bare'
    res.respond('error', {})
  }

/** Sets the header that tells a program to authenticate (RFC 6750, 3). */
function challenge(req: Request, res: Response, problem: Problem) {
  const { bearer, workspace } = req.portal
  const error =
    problem instanceof InvalidToken
      ? ', error="invalid_token"'
      : bearer?.scopes && problem instanceof Forbidden
        ? ', error="insufficient_scope"'
        : ''
  if (problem.status === 401 || error)
    res.set('WWW-Authenticate', `Bearer realm="${workspace?.slug ?? 'portal'}"${error}`)
}

/** Redirects to sign-in, and afterwards back to the page; for a fragment, to the page around it. */
async function signIn(req: Parameters<RequestHandler>[0], res: Parameters<RequestHandler>[1]) {
  const { wants, url } = req.portal
  // A page that listens asks again by itself, and shows no other page.
  if (req.get('Accept') === 'text/event-stream') return res.status(401).set('Cache-Control', 'no-store').end()
  if (req.method === 'POST' && req.is('multipart/form-data')) req.portal.body = await fieldsOf(req)
  const sent = req.method === 'POST' ? req.portal.keepForm?.(res) : undefined
  const shown = req.get('HX-Current-URL') ?? req.get('Referer')
  const page = sent ?? (wants === 'page' && req.method === 'GET' ? req.originalUrl : shown)
  const { pathname, search } = URL.parse(page ?? '', 'http://portal.invalid') ?? { pathname: '', search: '' }
  const inside = pathname.startsWith(`${url('')}/`)
  const address = url(`/sign-in${inside ? `?${new URLSearchParams({ next: pathname + search })}` : ''}`)
  if (wants === 'page') return res.redirect(303, address)
  res.status(401).set('HX-Redirect', address).end()
}

function problemOf(error: any): Problem {
  if (error instanceof Problem) return error
  if (error?.status === 413) return new TooLarge()
  if (error?.status >= 400 && error.status < 500) return Object.assign(new Unreadable(), { status: error.status })
  const ofFiles = ofStore(error)
  if (ofFiles) return ofFiles
  return unreachable(error) || drifted(error) ? new CrmUnavailable() : new Problem()
}

/** The error as problem details (RFC 9457). */
const problemDetails = (problem: Problem | undefined, id: string) =>
  problem && {
    title: problem.message,
    status: problem.status,
    detail: problem.advice,
    code: problem.code,
    instance: id,
    errors: problem instanceof Invalid ? problem.errors : undefined,
  }
