import { randomBytes } from 'node:crypto'
import type { Request, Response } from 'express'
import { z } from 'zod'
import { readCookie } from '../../src/http/cookies.ts'
import { seal, unsealOrUndefined } from '../../src/platform/crypto.ts'

/** How long a browser may look by a link before it has to open it again, in milliseconds. */
const good = 24 * 60 * 60_000

/**
 * What a browser gets for the token of a link, sealed with the portal's secret: good for this link only, and for as long
 * as that is.
 */
const LinkSession = z.object({
  link: z.uuid(),
  /** Random, of this browser: a code that was asked for here is typed here. */
  browser: z.string(),
  /** When it came, in milliseconds since 1970. */
  at: z.number(),
  /** The verified contact, with the e-mail address and time of the verification. */
  proof: z.object({ contact: z.string(), email: z.string(), at: z.number() }).optional(),
})
export type LinkSession = z.infer<typeof LinkSession>

const name = 'portico.link'

export const newLinkSession = ({ portal }: Request<any>, link: string): LinkSession => ({
  link,
  browser: randomBytes(16).toString('base64url'),
  at: portal.now.getTime(),
})

/** Sent back only to addresses below `path`, which are this link's. */
export const saveLinkSession = (
  req: Request<any>,
  res: Response,
  ticket: LinkSession,
  path: string,
  secrets: string[],
) =>
  res.cookie(name, seal(JSON.stringify(ticket), secrets, 'public link').toString('base64url'), {
    ...{
      path,
      httpOnly: true,
      sameSite: 'lax',
      secure: req.secure,
      maxAge: ticket.at + good - req.portal.now.getTime(),
    },
  })

/** Undefined if there is none, or if it has expired, is for another link, or is forged. */
export function linkSessionOf(req: Request<any>, link: string, secrets: string[]): LinkSession | undefined {
  const value = readCookie(req, name)
  const text = value && unsealOrUndefined(Buffer.from(value, 'base64url'), secrets, 'public link')
  const ticket = text ? LinkSession.safeParse(json(text)).data : undefined
  return ticket && ticket.link === link && ticket.at > req.portal.now.getTime() - good ? ticket : undefined
}

/** Other things are sealed by the same secret. */
function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
