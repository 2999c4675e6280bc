import type { Request, RequestHandler, Response } from 'express'
import { z } from 'zod'
import { seal, unsealOrUndefined } from '../platform/crypto.ts'
import { readCookie } from './cookies.ts'

declare global {
  namespace Portico {
    interface RequestContext {
      /**
       * What was typed into this page's form when the session had ended, for the page to show again. Undefined for
       * anybody but the person who typed it.
       */
      keptFields: Fields | undefined
      /** What the form was that could not be sent: shown on the sign-in page. */
      keptForm: 'signature' | 'form' | undefined
      /**
       * Keeps the form of this request in the browser until its person signs in again, for an hour at most. Returns the
       * page to go back to; undefined if the form is not one that may be kept.
       */
      keepForm(res: Response): string | undefined
    }
  }
}

type Fields = Record<string, string | string[]>

const cookieName = 'portico.kept'
const hour = 3_600_000

/** What a browser takes in one cookie, with its name and attributes (RFC 6265, 6.1). */
const mostBytes = 3_800

/** Forms say with these fields that they may be kept, and whose they are (see keep.ejs). */
const Kept = z.object({
  'kept.as': z.enum(['signature', 'form']),
  'kept.by': z.string().max(100),
  'kept.page': z.string().max(500),
})

const Sealed = z.object({
  workspace: z.string(),
  page: z.string(),
  as: z.enum(['signature', 'form']),
  by: z.string(),
  fields: z.record(z.string(), z.union([z.string(), z.array(z.string())])),
  /** The expiry, in milliseconds since 1970. */
  until: z.number(),
})

/**
 * Keeps a form that was sent after the session had ended, sealed and in the browser that sent it. Nothing is stored
 * here, since nobody is signed in. Passwords and codes, the drawing and the consent are left out.
 */
export function keptForms(secrets: string[]): RequestHandler {
  return (req, res, next) => {
    const { portal } = req
    portal.keepForm = res => keep(secrets, req, res)
    const kept = portal.wants === 'page' ? keptBy(secrets, req) : undefined
    portal.keptForm = portal.customer ? undefined : kept?.as
    const mine = kept && portal.customer?.person.id === kept.by && kept.page === pathOf(req)
    portal.keptFields = mine && req.method === 'GET' ? kept.fields : undefined
    if (portal.keptFields) res.clearCookie(cookieName, { path: portal.url('') })
    next()
  }
}

/** Forgets the form that is kept, as on signing out. */
export const forgetForm = (req: Request<any>, res: Response) =>
  res.clearCookie(cookieName, { path: req.portal.url('') })

function keep(secrets: string[], req: Request, res: Response): string | undefined {
  const form = Kept.safeParse(req.portal.body)
  const { workspace, now, url } = req.portal
  const page = form.data?.['kept.page']
  if (!page?.startsWith(`${url('')}/`)) return undefined
  const kept: z.infer<typeof Sealed> = {
    workspace: workspace.id,
    page,
    as: form.data!['kept.as'],
    by: form.data!['kept.by'],
    fields: fieldsOf(Object(req.portal.body)),
    until: now.getTime() + hour,
  }
  const value = seal(JSON.stringify(kept), secrets, 'kept form').toString('base64url')
  if (value.length > mostBytes) return page
  res.cookie(cookieName, value, {
    path: url(''),
    httpOnly: true,
    sameSite: 'lax',
    secure: req.secure,
    maxAge: hour,
  })
  return page
}

const neverKept = /^(kept\..*|step-up\..*|password|current|code|strokes|agree)$/

const fieldsOf = (body: Record<string, unknown>): Fields =>
  Object.fromEntries(Object.entries(body).filter(([name, it]) => !neverKept.test(name) && isText(it))) as Fields

const isText = (it: unknown) =>
  typeof it === 'string' || (Array.isArray(it) && it.every(one => typeof one === 'string'))

function keptBy(secrets: string[], req: Request): z.infer<typeof Sealed> | undefined {
  const sealed = readCookie(req, cookieName)
  const text = sealed && unsealOrUndefined(Buffer.from(sealed, 'base64url'), secrets, 'kept form')
  if (!text) return undefined
  const { data: kept } = Sealed.safeParse(JSON.parse(text))
  const { workspace, now } = req.portal
  return kept?.workspace === workspace.id && kept.until > now.getTime() ? kept : undefined
}

const pathOf = (req: Request) => req.originalUrl.split('?')[0]
