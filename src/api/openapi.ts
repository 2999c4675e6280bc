import { Router } from 'express'
import { type ZodType, z } from 'zod'
import type { Rule } from '../http/rules.ts'
import type { Host, Section } from '../plugin/plugin.ts'
import type { Described } from './described.ts'
import { Asked, Me, MyPhoto, Proof, Requested, Tokens } from './shapes.ts'

interface Route {
  method: string
  /** The path as in Express, after the section's name. */
  path: string
  /** The permission that the route requires. */
  rule: string
  /** What its handler says of it. */
  about: Described
}

/**
 * Describes the API of these sections as OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.1). Made from the mounted
 * routes, their rules and their response schemas, so it cannot differ from them.
 */
export function openapi(sections: Section[], { host, mails }: { host: Host; mails: boolean }) {
  const description: Description = { schemas: { Problem }, paths: {} }
  for (const section of sections) addSection(description, section, host)
  addSignIn(description, mails)
  return {
    openapi: '3.1.1',
    info: { title: 'Portico', version, description: 'What a client of a company sees of it, for programs.' },
    paths: description.paths,
    components: { schemas: description.schemas, securitySchemes: { token } },
  }
}

/** The description, filled route by route. */
interface Description {
  schemas: Record<string, object>
  paths: Record<string, Record<string, object>>
}

const Problem = {
  type: 'object',
  description: 'What went wrong (RFC 9457).',
  properties: {
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string', description: 'Stays the same whatever the words.' },
    instance: { type: 'string', description: 'The id of this request, also in X-Request-Id.' },
    errors: { type: 'object', additionalProperties: { type: 'array', items: { type: 'string' } } },
  },
  required: ['title', 'status', 'code', 'instance'],
}

const token = {
  type: 'http',
  scheme: 'bearer',
  description: 'What /tokens gives, or a token made on the account page; each names the permission that it needs.',
}

function addSection(description: Description, section: Section, host: Host) {
  for (const route of routesOf(section, host)) {
    const { method, path } = route
    const address = `/${section.name}${path === '/' ? '' : path.replaceAll(/:(\w+)/g, '{$1}')}`
    add(description, address, method, operationOf(description, section, route))
  }
}

function operationOf(description: Description, section: Section, { method, path, rule, about }: Route) {
  const noun = nounOf(path)
  const view = section.views?.[noun] ?? noun
  const answer = section.responseSchemas[`${section.name}/${view}` as keyof typeof section.responseSchemas]
  const page = `${section.name}/${view.replace('.csv', '')}`
  const asked = section.requestSchemas?.[page as keyof typeof section.requestSchemas]
  const answerSchema = () => answer && named(description, capital(section.name) + capital(view), answer)
  return {
    operationId: operationId(section.name, method, noun),
    tags: [section.title],
    summary: about.summary ?? `${section.title}: ${noun}`,
    security: [{ token: [rule] }],
    parameters: [...inPath(path), ...(method === 'get' && asked ? inQuery(asked) : []), ...inHeaders(about)],
    ...bodyOf(method, asked, about),
    responses: about.answers
      ? answersOf(about.answers)
      : method === 'get'
        ? { 200: ok(noun, answerSchema()) }
        : seeOther,
  }
}

function bodyOf(method: string, asked: ZodType | undefined, { body: given, answers }: Described) {
  if (given) return { requestBody: { required: true, content: mapped(given) } }
  if (answers || ['get', 'head', 'delete'].includes(method)) return {}
  return { requestBody: body(asked) }
}

const mapped = (content: NonNullable<Described['body']>) =>
  Object.fromEntries(
    Object.entries(content).map(([type, schema]) => [type, schema ? { schema: jsonSchema(schema, 'input') } : {}]),
  )

const inHeaders = ({ headers = {} }: Described) =>
  Object.entries(headers).map(([name, about]) => ({
    ...{ name, in: 'header', required: true, description: about, schema: { type: 'string' } },
  }))

const answersOf = (answers: NonNullable<Described['answers']>) =>
  Object.fromEntries(
    Object.entries(answers).map(([status, { description, schema, header }]) => [
      status,
      {
        description,
        ...(header && { headers: { [header[0]]: { description: header[1], schema: { type: 'string' } } } }),
        ...(schema && { content: { [mediaOf(Number(status))]: { schema: jsonSchema(schema, 'output') } } }),
      },
    ]),
  )

const mediaOf = (status: number) => (status < 400 ? 'application/json' : 'application/problem+json')

/** Adds the routes that belong to no section: tokens and their owner. */
function addSignIn(description: Description, mails: boolean) {
  add(description, '/tokens', 'post', {
    operationId: 'getTokens',
    summary: 'Tokens for a proof of who somebody is, or for a refresh token',
    security: [],
    requestBody: body(Proof),
    responses: {
      200: given('Refreshed', named(description, 'Tokens', Tokens)),
      201: given('Signed in', named(description, 'Tokens', Tokens)),
    },
  })
  add(description, '/tokens/current', 'delete', {
    operationId: 'endTokens',
    summary: 'End the token of this request, and all that came of the same sign-in',
    security: [{ token: [] }],
    responses: { 204: { description: 'Ended' } },
  })
  add(description, '/me', 'get', {
    operationId: 'getMe',
    summary: 'Whose token it is, and what it may',
    security: [{ token: [] }],
    responses: { 200: given('Known', named(description, 'Me', Me)) },
  })
  add(description, '/me/photo', 'get', {
    operationId: 'getMyPhoto',
    summary: 'The photo of whose token it is',
    security: [{ token: [] }],
    responses: { 200: given('Photo, in Base64', named(description, 'MyPhoto', MyPhoto)) },
  })
  if (!mails) return
  const requested = given('On its way, if there is such an account', named(description, 'Requested', Requested))
  add(description, '/codes', 'post', {
    operationId: 'askCode',
    summary: 'Have a code mailed, whether or not somebody has an account of this address',
    security: [],
    requestBody: body(Asked),
    responses: { 202: requested },
  })
}

function add(
  { paths }: Description,
  path: string,
  method: string,
  operation: { responses: object; [key: string]: unknown },
) {
  const responses = { ...operation.responses, default: problem }
  paths[path] = { ...paths[path], [method]: { ...operation, responses } }
}

function named({ schemas }: Description, name: string, schema: ZodType) {
  schemas[name] ??= jsonSchema(schema, 'output')
  return { $ref: `#/components/schemas/${name}` }
}

const problem = {
  description: 'It went otherwise',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
}
const seeOther = { 303: { description: 'Done: how it is now is at the address of Location' } }
const given = (description: string, schema: object) => ({ description, content: { 'application/json': { schema } } })

/** Of files that are no PDF, by the last word of their path. */
const mediaTypes = { content: 'application/octet-stream', preview: 'image/webp', zip: 'application/zip' }

/** A response without a schema is a file. */
function ok(noun: string, schema: object | undefined) {
  const description = capital(noun)
  if (schema) return given(description, schema)
  if (noun.endsWith('csv')) return { description, content: { 'text/csv': { schema: { type: 'string' } } } }
  if (noun.endsWith('bundle')) return given(description, { type: 'object' })
  const type = Object.entries(mediaTypes).find(([end]) => noun.endsWith(end))?.[1] ?? 'application/pdf'
  return { description, content: { [type]: {} } }
}

const body = (schema: ZodType | undefined) => ({
  required: schema !== undefined,
  content: { 'application/json': { schema: schema ? jsonSchema(schema, 'input') : { type: 'object' } } },
})

const inPath = (path: string) =>
  [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: { type: 'string' } }))

/** A list's filter never fails, so no parameter is required. */
const inQuery = (schema: ZodType) =>
  Object.entries<object>(Object(jsonSchema(schema, 'output')).properties ?? {}).map(([name, one]) => ({
    name,
    in: 'query',
    required: false,
    schema: one,
  }))

function jsonSchema(schema: ZodType, io: 'input' | 'output'): object {
  const { $schema: _, ...made } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return made
}

/** The API's version; in addresses `api/v1`. */
const version = '1.0.0'

/** Returns the routes of a section, found by mounting it alone. */
function routesOf(section: Section, host: Host): Route[] {
  const router = Router()
  section.routes(router, host)
  return router.stack.flatMap(({ route }: any) => (route ? methodsOf(route) : []))
}

function methodsOf(route: {
  path: string
  methods: object
  stack: { handle: Rule & { described?: Described } }[]
}): Route[] {
  const { path } = route
  const rule = route.stack[0]?.handle.rule ?? ''
  const about = route.stack.find(it => it.handle.described)?.handle.described ?? {}
  return Object.keys(route.methods).map(method => ({ method, path, rule, about }))
}

/** Names a route: `/` is the list, `/:id` one record, `/:id/evidence/pdf` its `evidence/pdf`. */
function nounOf(path: string) {
  if (path === '/') return 'list'
  const nouns = path.split('/').filter(it => it && !it.startsWith(':'))
  return nouns.length ? nouns.join('/') : 'show'
}

function operationId(section: string, method: string, noun: string): string {
  const subject = method === 'get' ? section : method + capital(section)
  return subject + noun.split(/[./]/).map(capital).join('')
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)
