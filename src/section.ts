import type { NextFunction, RequestHandler, Response, Router } from 'express'
import type { Knex } from 'knex'
import type { ZodObject, ZodType } from 'zod'
import type { RequestContext } from './context.ts'
import type { Customer, Role } from './crm.ts'
import { Forbidden, SignedOut } from './errors.ts'
import type { Speech } from './language.ts'
import type { Mail } from './mail/letters.ts'
import type { Money } from './money.ts'
import type { PrintedDocument } from './pdf/pdf.ts'

declare global {
  namespace Portico {
    interface RequestContext {
      nav: Section[]
      may(permission: string): boolean
      /** All that this person may, here and now. */
      allowed(): string[]
      /** Whether a toggle is on for this person. */
      on(toggle: string): boolean
      /** Goes on where this action needs no fresh proof of who it is, or has one; asks for it else. */
      climb(action: string, res: Response, next: NextFunction): Promise<void> | void
    }
  }
}

/** `Name` is one word for all: folder, URL segment, port, permission, event and view. */
export interface Section<Name extends string = string> {
  name: Name
  title: string
  /** A name of Tabler's. */
  icon: string
  /** Sections are offered in this order. */
  order: number
  permissions: Record<`${Name}.${string}`, Permission>
  /** What a workspace may switch. The toggle of the section's own name switches the whole of it. */
  toggles: Record<string, Toggle>
  /** The API's answer for each view: it validates, and it describes (OpenAPI). */
  answers: Record<`${Name}/${string}`, ZodObject>
  /** Actions of it that a fresh proof can be asked for: `stepUp` in their routes names them. */
  stepUps?: Record<`${Name}.${string}`, StepUp>
  /** Where staff may make a public link to a document of it. */
  link?: Linkable
  /** What a list or page of the API may be asked, and what a command of it is told, by view: for its description. */
  asks?: Record<`${Name}/${string}`, ZodType>
  /** The view that answers a path which ends in another word, for the same. */
  views?: Record<string, string>
  /** What each event leaves. */
  activity: Record<`${Name}.${string}`, Told>
  /** How a document of it is printed for whoever signed it, of the content that was signed. */
  signed?(content: object, reader: Reader): PrintedDocument
  /** What this section puts on the first page. */
  home?(visit: RequestContext): Promise<Home>
  routes(router: Router): void
  /** Where its views (`<view>.ejs`), translations (`<language>.json`) and `migrations/` lie: `import.meta.dirname`. */
  folder?: string
  /**
   * Its port over tables of its own, for a CRM that has no such thing: bound to this customer, whose rows alone it may
   * reach. `database` is the portal's, or a transaction of it that has entered the customer's workspace.
   */
  store?(customer: Customer, database: Knex): object
  /** Its page in the workspace's settings, at `<settings>/<name>`; each route names who may, such as `admins`. */
  settings?: { title: string; icon: string; routes(router: Router): void }
  /** What it mails, by `<name>.<word>`: a workspace may put each in its own words. */
  mails?: Record<`${Name}.${string}`, Mail>
}

/** What of a section is to be had by a public link to one of its documents, without an account. */
interface Linkable {
  /** The toggle that lets staff make links, and links lead anywhere. */
  toggle: string
  /** Its routes, all of them below `/:id`. Others are not there for a link. */
  opens: readonly string[]
  /** Permissions that whoever has the link has. */
  may: readonly string[]
  /** Toggles that are off for a link. */
  without: readonly string[]
  /** The same where no code can be mailed, or where the workspace asks for more than a code before one of its actions. */
  withoutCode: readonly string[]
}

/** What people do: look at something, take a file away, change something, come and go. */
export type EventKind = 'view' | 'download' | 'change' | 'sign-in'

/** What an event says after the name of whoever did it, and of what kind it is; words alone are of a change. */
export type Told = string | { kind: EventKind; says: string }

/** For whom something is printed. */
export type Reader = Speech & Pick<RequestContext, 'workspace'>

export interface Permission {
  label: string
  /** Who may, unless the workspace says otherwise. */
  roles: readonly Role[]
}

export interface Toggle {
  label: string
  about: string
  /** What it is about where no mail is sent, if that is something else. */
  withoutMail?: string
  default: boolean
}

/**
 * What an action needs: to be signed in, a proof of the last ten minutes that it is you, or such a proof by the second
 * factor.
 */
export type Rung = 'none' | 'proof' | 'second'

export interface StepUp {
  label: string
  /** Unless the workspace says otherwise. */
  rung: Rung
}

export interface Home {
  /** What waits for this person. */
  needs: Need[]
  figures: Figure[]
  chart?: Chart
  actions?: Action[]
  /** What the company has to say to its clients. */
  news?: News[]
}

/** Two sums by month, the earliest month first, all in one currency; in the reader's words. */
export interface Chart {
  title: string
  first: string
  second: string
  months: { month: string; first: Money; second: Money }[]
}

/** Something that a client often comes for, in a verb and a noun. */
export interface Action {
  icon: string
  title: string
  path: string
  /** How much of it waits; with 0 it is not offered. */
  count?: number
  /** Whether there are more than `count`. */
  more?: boolean
}

export interface News {
  title: string
  text: string
  /** A plain date: the latest comes first. */
  on: string
}

export interface Need {
  tone: 'bad' | 'warn' | ''
  icon: string
  title: string
  about: string
  amount: Money[]
  path: string
  /** A verb. */
  action: string
  /** A plain date: the earliest comes first. */
  by: string
}

export interface Figure {
  label: string
  /** Money, each in its own currency, or a plain text. */
  value: Money[] | string
  note?: string
  late?: boolean
}

export const section = <Name extends string>(it: Section<Name>): Section => it as unknown as Section

/** Which rule a route has; a route without one fails the build. */
export type Rule = RequestHandler<any> & { rule: string }

/** For members of a client whose role includes this permission. */
export const may = (permission: string): Rule =>
  ruled(permission, (req, _res, next) => {
    if (!req.portal.customer) throw new SignedOut()
    next(req.portal.may(permission) ? undefined : new Forbidden())
  })

/**
 * Named after a route's rule: `router.post('/:id/acceptance', may('proposals.answer'), stepUp('proposals.accept'), …)`.
 * Where the workspace asks for a fresh proof of who it is, a page asks for it first and carries the form's fields along;
 * JSON is answered 403 `proof-needed`. Not for forms with a file.
 */
export const stepUp =
  (action: string): RequestHandler<any> =>
  (req, res, next) =>
    req.portal.climb(action, res, next)

/**
 * Named after a route's rule, which it holds whoever came by a public link to once more, when they have shown by a code who
 * they are.
 */
export const identified =
  (permission: string): RequestHandler<any> =>
  (req, res, next) => {
    const { guest, climb } = req.portal
    if (!guest) return next()
    return climb('link', res, error => next(error ?? (req.portal.may(permission) ? undefined : new Forbidden())))
  }

/** For whoever is signed in, whatever their role. */
export const anyMember = ruled('member', (req, _res, next) => next(req.portal.customer ? undefined : new SignedOut()))

/** For the admins of a client, who manage its people. */
export const clientAdmins = ruled('client admin', (req, _res, next) => {
  if (!req.portal.customer) throw new SignedOut()
  next(req.portal.customer.role === 'admin' ? undefined : new Forbidden())
})

/** For everybody: nothing of any client may be in the answer. */
export const anybody = ruled('anybody', (_req, _res, next) => next())

/** For staff of a portal that stands alone, about how they sign in themselves. */
export const anyStaff = ruled('staff', (req, _res, next) => next(req.portal.staff ? undefined : new SignedOut()))

/** For staff who administer the workspace. */
export const admins = ruled('staff admin', (req, _res, next) =>
  next(req.portal.staff?.admin ? undefined : new Forbidden()),
)

function ruled(rule: string, check: RequestHandler<any>): Rule {
  return Object.assign(((req, res, next) => check(req, res, next)) as RequestHandler<any>, { rule })
}
