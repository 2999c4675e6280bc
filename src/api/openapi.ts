import { Router } from 'express'
import { type ZodType, z } from 'zod'
import type { Rule, Section } from '../section.ts'
import { Asked, Me, Proof, Requested, Tokens } from './shapes.ts'

interface Route {
  method: string
  /** As Express has it, after the section's name. */
  path: string
  /** A permission. */
  rule: string
}

/**
 * The API of these sections as OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.1): made of the routes that are mounted,
 * their rules, and the schemas that answer them, so that it cannot say anything else.
 */
export function openapi(sections: Section[], { mails }: { mails: boolean }) {
  const schemas: Record<string, object> = {
    Problem: {
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
    },
  }
  const paths: Record<string, Record<string, object>> = {}
  const add = (path: string, method: string, operation: object) => {
    paths[path] = {
      ...paths[path],
      [method]: { ...operation, responses: { ...Object(operation).responses, default: problem } },
    }
  }
  const named = (name: string, schema: ZodType) => {
    schemas[name] ??= jsonSchema(schema, 'output')
    return { $ref: `#/components/schemas/${name}` }
  }

  for (const section of sections)
    for (const { method, path, rule } of routesOf(section)) {
      const noun = nounOf(path)
      const view = section.views?.[noun] ?? noun
      const answer = section.answers[`${section.name}/${view}` as keyof typeof section.answers]
      const asked = section.asks?.[`${section.name}/${view.replace('.csv', '')}` as keyof typeof section.asks]
      const id = operationId(section.name, method, noun)
      add(`/${section.name}${path === '/' ? '' : path.replaceAll(/:(\w+)/g, '{$1}')}`, method, {
        operationId: id,
        tags: [section.title],
        summary: `${section.title}: ${noun}`,
        security: [{ token: [rule] }],
        parameters: [...inPath(path), ...(method === 'get' && asked ? inQuery(asked) : [])],
        ...(method !== 'get' && method !== 'delete' ? { requestBody: body(asked) } : {}),
        responses:
          method === 'get'
            ? { 200: ok(noun, answer && named(capital(section.name) + capital(view), answer)) }
            : seeOther,
      })
    }

  add('/tokens', 'post', {
    operationId: 'getTokens',
    summary: 'Tokens for a proof of who somebody is, or for a refresh token',
    security: [],
    requestBody: body(Proof),
    responses: { 200: given('Refreshed', named('Tokens', Tokens)), 201: given('Signed in', named('Tokens', Tokens)) },
  })
  add('/tokens/current', 'delete', {
    operationId: 'endTokens',
    summary: 'End the token of this request, and all that came of the same sign-in',
    security: [{ token: [] }],
    responses: { 204: { description: 'Ended' } },
  })
  add('/me', 'get', {
    operationId: 'getMe',
    summary: 'Whose token it is, and what it may',
    security: [{ token: [] }],
    responses: { 200: given('Known', named('Me', Me)) },
  })
  if (mails)
    add('/codes', 'post', {
      operationId: 'askCode',
      summary: 'Have a code mailed, whether or not somebody has an account of this address',
      security: [],
      requestBody: body(Asked),
      responses: { 202: given('On its way, if there is such an account', named('Requested', Requested)) },
    })

  return {
    openapi: '3.1.1',
    info: { title: 'Portico', version, description: 'What a client of a company sees of it, for programs.' },
    paths,
    components: {
      schemas,
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description:
            'What /tokens gives, or a token made on the account page; each names the permission that it needs.',
        },
      },
    },
  }
}

const problem = {
  description: 'It went otherwise',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
}
const seeOther = { 303: { description: 'Done: how it is now is at the address of Location' } }
const given = (description: string, schema: object) => ({ description, content: { 'application/json': { schema } } })

/** What has no schema is a file. */
function ok(noun: string, schema: object | undefined) {
  const description = capital(noun)
  if (schema) return given(description, schema)
  if (noun.endsWith('csv')) return { description, content: { 'text/csv': { schema: { type: 'string' } } } }
  if (noun.endsWith('bundle')) return given(description, { type: 'object' })
  return { description, content: { 'application/pdf': {} } }
}

const body = (schema: ZodType | undefined) => ({
  required: schema !== undefined,
  content: { 'application/json': { schema: schema ? jsonSchema(schema, 'input') : { type: 'object' } } },
})

const inPath = (path: string) =>
  [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: { type: 'string' } }))

/** A list's filter never fails, so none of it is required. */
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

/** Of the API, as its addresses have it: `api/v1`. */
const version = '1.0.0'

/** A section mounted alone tells what it answers. */
function routesOf(section: Section): Route[] {
  const router = Router()
  section.routes(router)
  return router.stack.flatMap(({ route }: any) =>
    route
      ? Object.keys(route.methods).map(method => ({
          method,
          path: route.path,
          rule: (route.stack[0].handle as Rule).rule,
        }))
      : [],
  )
}

/** `/` is the list, `/:id` one of it, `/:id/evidence/pdf` its `evidence/pdf`. */
function nounOf(path: string) {
  if (path === '/') return 'list'
  const nouns = path.split('/').filter(it => it && !it.startsWith(':'))
  return nouns.length ? nouns.join('/') : 'show'
}

const operationId = (section: string, method: string, noun: string) =>
  `${method === 'get' ? '' : method}${method === 'get' ? section : capital(section)}${noun.split(/[./]/).map(capital).join('')}`

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)
