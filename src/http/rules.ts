import type { RequestHandler } from 'express'

/** Who may use a route. A route without a rule stops the start. */
export type Rule = RequestHandler<any> & { rule: string }

/** Makes a named rule of a check, which refuses by passing on an error. */
export function withRule(rule: string, check: RequestHandler<any>): Rule {
  return Object.assign(((req, res, next) => check(req, res, next)) as RequestHandler<any>, { rule })
}

/** Rule: everybody, signed in or not. The page must not contain any client's data. */
export const anybody = withRule('anybody', (_req, _res, next) => next())
