import type { RequestHandler } from 'express'
import type { ZodType } from 'zod'

/** What openapi.json says of a route, where it is not like others. */
export interface Described {
  summary?: string
  /** Names of headers that it takes, with what they hold. */
  headers?: Record<string, string>
  /** What its body may be, by media type; null is bytes. */
  body?: Record<string, ZodType | null>
  /** What it answers, by status; a header of each, if any, and its schema. */
  answers?: Record<number, { description: string; schema?: ZodType; header?: [name: string, about: string] }>
}

/** Describes a route by its handler. */
export const described = (about: Described, handler: RequestHandler<any>): RequestHandler<any> =>
  Object.assign(handler, { described: about })
