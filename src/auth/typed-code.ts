import type { Request } from 'express'
import type { Knex } from 'knex'
import { within } from '../platform/database.ts'
import type { Limits } from './limits.ts'
import { type CodeKind, recipientOf, type Token, useCode } from './tokens.ts'

interface Parts {
  database: Knex
  limits: Limits
}

interface Typed {
  kind: CodeKind
  /** The id of the request that the code belongs to. */
  id: string | undefined
  code: string
  secret: string
  /** An account that the attempt also counts for. */
  account?: string
}

/**
 * Tries a mailed or texted code. Wrong codes are counted for the address they were asked for with, across codes and kinds, whether or
 * not it has an account. Returns the token of a right code, and a function that takes the attempt back. Throws
 * TooOften.
 */
export async function verifyTypedCode(
  { database, limits }: Parts,
  req: Request<any>,
  { kind, id, account, ...typed }: Typed,
) {
  const workspace = req.portal.workspace.id
  const inside = <T>(work: (tx: Knex) => Promise<T>) => within(database, { workspace }, work)
  const email = id ? await inside(tx => recipientOf(tx, workspace, kind, id)) : undefined
  const succeeded = await limits.count(req, { ...(account && { account }), ...(email && { code: email }) })
  const code = typed.code.replace(/[\s-]/g, '')
  const used: Token | undefined = id
    ? await inside(tx => useCode(tx, workspace, kind, id, code, typed.secret))
    : undefined
  return { used, succeeded }
}
