import { createHash, timingSafeEqual } from 'node:crypto'
import express, { type NextFunction, type Request, type Response, type Router } from 'express'
import { accountRoutes } from './api/account.ts'
import { customerRoutes } from './api/customers.ts'
import { disputeRoutes } from './api/disputes.ts'
import { endpointRoutes } from './api/endpoints.ts'
import { eventRoutes } from './api/events.ts'
import { methodRoutes } from './api/methods.ts'
import { paymentRoutes } from './api/payments.ts'
import { refundRoutes } from './api/refunds.ts'
import type { Route } from './api/route.ts'
import { sessionRoutes } from './api/sessions.ts'
import { apiVersion, type Core, newId } from './core.ts'
import { ApiError } from './errors.ts'
import { expand } from './expand.ts'
import { cut, type Fault, type Faults, failBy, failWithin } from './faults.ts'
import { decodeForm, type FormFields } from './form.ts'
import { type Answer, createIdempotency } from './idempotency.ts'
import { readParams } from './params.ts'

interface Api {
  core: Core
  key: string
  faults: Faults
  once: ReturnType<typeof createIdempotency>
  /** Does what is due by now. */
  tick(): void
}

const routes: Route[] = [
  ...accountRoutes,
  ...customerRoutes,
  ...sessionRoutes,
  ...paymentRoutes,
  ...refundRoutes,
  ...disputeRoutes,
  ...eventRoutes,
  ...methodRoutes,
  ...endpointRoutes,
]

/** Answers `/v1/*` as Stripe does, and nothing else. */
export function createApi(options: Omit<Api, 'once'>): Router {
  const api = { ...options, once: createIdempotency(options.core) }
  const router = express.Router()
  const body = express.text({ type: () => true, limit: '1mb' })
  router.use('/v1', body)
  for (const route of routes) {
    router[route.method](`/v1${route.path}`, (request, response) => handle(api, route, request, response))
  }
  router.use('/v1', (request, response) => handle(api, undefined, request, response))
  router.use('/v1', (error: unknown, request: Request, response: Response, _next: NextFunction) => {
    const unreadable = new ApiError('Invalid request: its address or body cannot be read.', { early: true })
    const id = newId('req', 14)
    send(request, response, refusal(hasStatus(error) ? unreadable : error, id), id)
  })
  return router
}

/** What Express says of a request that it cannot read. */
const hasStatus = (error: unknown) => error instanceof Error && 'status' in error && Number(error.status) < 500

interface Read {
  api: Api
  route: Route
  form: FormFields
  id: string
  request: string
  key: string | undefined
  version: string
  fault: Fault | undefined
}

async function handle(api: Api, route: Route | undefined, request: Request, response: Response): Promise<void> {
  const id = newId('req', 14)
  const down = api.faults.next()
  if (down?.fault === 'reset') return cut(request)
  const answer = await attempt(id, async () => {
    failBy(down?.fault)
    authenticate(api.key, request.get('Authorization'))
    const read = { ...readRequest(api, route, request, id), fault: down?.fault }
    const wait = () => new Promise<void>(done => setTimeout(done, down?.fault === 'slow' ? (down.wait ?? 100) : 0))
    return perform(read, request, down ? wait : async () => undefined)
  })
  if (down?.fault === 'lost') return cut(request)
  send(request, response, answer, id)
}

function readRequest(api: Api, route: Route | undefined, request: Request, id: string): Omit<Read, 'fault'> {
  const version = request.get('Stripe-Version') ?? apiVersion
  checkVersion(version)
  if (!route) throw unrecognized(request)
  const form = decodeForm(request.method === 'POST' ? bodyOf(request) : queryOf(request))
  const key = request.method === 'POST' ? request.get('Idempotency-Key') : undefined
  if (key !== undefined && key.length > 255) {
    throw new ApiError('Idempotency keys can be up to 255 characters long.', { type: 'idempotency_error' })
  }
  return { api, route, form, id: String(request.params.id ?? ''), request: id, key, version }
}

async function perform(read: Read, { method, path }: Request, wait: () => Promise<void>): Promise<Answer> {
  const { api, key, form } = read
  if (key !== undefined) {
    const keyed = { key, endpoint: `${method} ${path}`, params: JSON.stringify(form) }
    return api.once(keyed, wait, () => work(read))
  }
  await wait()
  const answer = work(read)
  await api.core.store.saved()
  return answer
}

/** Reads the parameters, does the work and writes the answer, without a pause in between. */
function work(read: Read): Answer {
  const { api, route, form, id, request, key, version } = read
  const { core } = api
  return attemptNow(request, () => {
    failWithin(read.fault)
    api.tick()
    const params = readParams(route.params, form)
    core.request = { id: request, idempotency_key: key ?? null }
    try {
      const answer = route.work({ core, id, params, version } as Parameters<Route['work']>[0])
      return { status: 200, body: JSON.stringify(expand(core, answer, params.expand ?? []), null, 2), request }
    } finally {
      core.request = undefined
    }
  })
}

async function attempt(request: string, action: () => Promise<Answer>): Promise<Answer> {
  try {
    return await action()
  } catch (error) {
    return refusal(error, request)
  }
}

function attemptNow(request: string, action: () => Answer): Answer {
  try {
    return action()
  } catch (error) {
    return refusal(error, request)
  }
}

function refusal(error: unknown, request: string): Answer {
  if (!(error instanceof ApiError)) console.error(error)
  const known = error instanceof ApiError ? error : new ApiError('The demo bank has a fault.', broken)
  return { status: known.status, body: JSON.stringify(known.body(), null, 2), request, early: known.early }
}
const broken = { status: 500, type: 'api_error' } as const

function send(request: Request, response: Response, answer: Answer, id: string): void {
  const key = request.get('Idempotency-Key')
  response.status(answer.status).set({
    'Cache-Control': 'no-cache, no-store',
    'Request-Id': id,
    'Stripe-Version': request.get('Stripe-Version') ?? apiVersion,
  })
  if (key !== undefined && request.method === 'POST') response.set('Idempotency-Key', key)
  if (answer.replayed) response.set({ 'Idempotent-Replayed': 'true', 'Original-Request': answer.request })
  if (answer.replayed) response.set('Stripe-Should-Retry', 'false')
  response.type('application/json').send(answer.body)
}

function authenticate(key: string, header: string | undefined): void {
  if (header === undefined) {
    const message =
      'You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer ' +
      "auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
    throw new ApiError(message, { status: 401, early: true })
  }
  const given = keyIn(header)
  if (same(given, key)) return
  const shown = `${given.slice(0, 8)}${'*'.repeat(Math.max(0, given.length - 12))}${given.slice(8).slice(-4)}`
  throw new ApiError(`Invalid API Key provided: ${shown}`, { status: 401, early: true })
}

/** Bearer, or the user name of Basic. */
function keyIn(header: string): string {
  const [, scheme = '', value = ''] = /^(\w+) +(\S+)$/.exec(header.trim()) ?? []
  if (scheme.toLowerCase() !== 'basic') return value
  return Buffer.from(value, 'base64').toString().split(':')[0] ?? ''
}

function same(a: string, b: string): boolean {
  const [one, other] = [a, b].map(text => createHash('sha256').update(text).digest())
  return timingSafeEqual(one!, other!)
}

function checkVersion(version: string): void {
  if (/^\d{4}-\d{2}-\d{2}(\.\w+)?(; *\S+)*$/.test(version)) return
  throw new ApiError(`Invalid Stripe API version: ${version}`, { early: true })
}

const unrecognized = ({ method, path }: Request) =>
  new ApiError(`Unrecognized request URL (${method}: ${path}). Please see https://stripe.com/docs.`, {
    status: 404,
    early: true,
  })

function bodyOf(request: Request): string {
  const type = request.get('Content-Type') ?? ''
  const text = typeof request.body === 'string' ? request.body : ''
  if (text === '' || type.startsWith('application/x-www-form-urlencoded')) return text
  throw new ApiError('Invalid request (check that your POST content type is application/x-www-form-urlencoded).', {
    early: true,
  })
}

function queryOf({ url }: Request): string {
  const at = url.indexOf('?')
  return at < 0 ? '' : url.slice(at + 1)
}
