import type { Request } from 'express'
import { v5 } from 'uuid'
import { limitName } from '../../src/auth/approval-limit.ts'
import type { Guest, PublicLink } from '../../src/auth/guest.ts'
import type { CoreHost } from '../../src/auth/host.ts'
import { lowest, type Standing, standingsOf, strictestLimit } from '../../src/auth/identity.ts'
import { mfaPolicyForRole } from '../../src/auth/mfa-policy.ts'
import { rightsOf, roleIncludes } from '../../src/auth/roles.ts'
import type { SessionRequest } from '../../src/auth/sessions.ts'
import { configuredLevel } from '../../src/auth/step-up.ts'
import type { Client, Contact, Customer, Ports, Role } from '../../src/crm/crm.ts'
import type { RequestContext } from '../../src/http/context.ts'
import { NotFound } from '../../src/http/errors.ts'
import { within } from '../../src/platform/database.ts'
import { dateIn, zoneOf } from '../../src/platform/i18n.ts'
import type { Permission } from '../../src/plugin/parts.ts'
import type { Section } from '../../src/plugin/plugin.ts'
import { resolve, type SettingRow, togglesOf } from '../../src/plugin/toggles.ts'
import type { LinkSession } from './link-session.ts'

declare global {
  namespace Portico {
    interface Guest {
      ticket: LinkSession
      /** Names of the plugins that offer something beside the document. */
      beside: readonly string[]
    }
  }
}

export type Parts = Pick<CoreHost, 'crm' | 'database' | 'activation' | 'limits' | 'mailContext' | 'plugins' | 'secrets'>

/** The same for one that never was and for one that is over, taken back or switched off. */
export class NoLink extends NotFound {
  code = 'no-link'
  message = 'This link doesn’t work'
  advice = 'It may have expired or been revoked. Ask the sender for a new one.'
}

/** Below which the pages of a link are, within its workspace's portal. */
export const placeOf = ({ id }: Pick<PublicLink, 'id'>) => `/link/open/${id}`

/** The path of the link's document in its section. */
export const addressOf = ({ section, document }: Pick<PublicLink, 'section' | 'document'>) =>
  `/${section}/${encodeURIComponent(document)}`

/** The id of a signer without an account. It is valid for this link only. */
export const idOf = (contact: Pick<Contact, 'id'>, link: Pick<PublicLink, 'id'>) => v5(contact.id, link.id)

interface Known {
  contact: Contact
  /** How each account stands that they have here; none where they have no account. */
  standings: Standing[]
}

/** Finds the client's contact with this address, as the CRM has it now. Suspended people are not found. */
export async function contactOf(
  { crm, database }: Pick<Parts, 'crm' | 'database'>,
  req: Request<any>,
  link: PublicLink,
  email: string,
  fits: (it: Contact) => boolean = () => true,
): Promise<Known | undefined> {
  const { id: workspace } = req.portal.workspace
  const contacts = await crm.directory.contacts(req.portal.workspace, link.client)
  const contact = contacts.find(it => it.email.toLowerCase() === email && fits(it))
  const named = { emails: [email], client: link.client, contact: contact?.id ?? null }
  const standings = await within(database, { workspace }, tx => standingsOf(tx, workspace, named))
  if (!contact || standings.some(it => it.suspended)) return undefined
  return { contact, standings }
}

/** The contact that the link was mailed to, if they are still one and not suspended. */
export async function recipientOf(parts: Pick<Parts, 'crm' | 'database'>, req: Request<any>, link: PublicLink) {
  if (!link.recipient) return undefined
  const contacts = await parts.crm.directory.contacts(req.portal.workspace, link.client)
  const email = contacts.find(it => it.id === link.recipient)?.email.toLowerCase()
  return email === undefined ? undefined : contactOf(parts, req, link, email, it => it.id === link.recipient)
}

/**
 * Builds the request context of a public link: the link's client, and its one document. An account that is signed in in
 * the same browser does not count. Throws NoLink if the section is not available to the client.
 */
export function guestContexts(parts: Parts) {
  const { crm, database, activation, plugins } = parts
  const toggles = togglesOf(plugins)

  return async (req: Request<any>, link: PublicLink, ticket: LinkSession): Promise<RequestContext> => {
    const { portal } = req
    const { workspace } = portal
    const section = plugins.find(it => it.name === link.section)
    const linkable = section?.subject?.link
    const client = await crm.directory.client(workspace, link.client)
    if (!client || !linkable) throw new NoLink()
    const bearer = await bearerOf(parts, req, link, ticket)
    const rights = bearer.held.length ? await rightsOf(database, workspace.id) : {}
    const customer = customerOf(workspace, client, bearer)
    const ports = activation.availablePorts(crm.connect(customer))
    const on = togglesFor(toggles, link, bearer)
    if (!(link.section in ports) || !on(link.section) || !on(linkable.toggle)) throw new NoLink()
    const guest = guestOf(parts, { req, link, ticket, bearer, section, on })
    const beside = plugins.filter(it => guest.beside.includes(it.name))
    const off = [...linkable.without, ...(guest.signs ? [] : linkable.withoutCode)]
    return {
      ...portal,
      frame: 'bare',
      url: urlsOf(portal, link, [link.section, ...guest.beside]),
      guest,
      sessionRequest: sessionOf(req, bearer),
      user: userOf(bearer, { link, client, rights }),
      nav: [],
      rights,
      may: permissionsFor([section, ...beside], bearer, rights),
      allowed: () => grantedBy([section, ...beside]).filter(it => req.portal.may(it)),
      on: toggle => on(toggle) && !off.includes(toggle),
      customer,
      crm: ports as Ports,
      documentHistory: ownHistory(req, portal.documentHistory),
      viewedVersions: async () => undefined,
      journal: row => portal.journal(isProgram(req) ? { ...row, event: 'links.fetched', actor_kind: 'nobody' } : row),
    }
  }
}

/** A visitor by a link: anonymous, or a contact with the rights that all of their accounts share. */
interface Bearer {
  contact: Contact | undefined
  person: { id: string; name: string; email: string }
  /** How each of their accounts stands. */
  standings: Standing[]
  /** Whether the link is read-only for this contact: access has ended, or a second factor would be bypassed. */
  barred: boolean
  /** Roles of their accounts; none where they are barred. */
  held: Role[]
  role: Role
  today: string
  verifications: { by: 'code'; at: number }[]
}

async function bearerOf(parts: Parts, req: Request<any>, link: PublicLink, { proof }: LinkSession): Promise<Bearer> {
  const { workspace, now } = req.portal
  const known = proof && (await contactOf(parts, req, link, proof.email, it => it.id === proof.contact))
  const contact = known?.contact
  const standings = known?.standings ?? []
  const today = dateIn(zoneOf(workspace.timeZone), now)
  const barred = standings.some(it => !it.role || it.factor || mfaRequiredOn(today, it.role, link.settings))
  const held = barred ? [] : standings.flatMap(it => it.role ?? [])
  return {
    contact,
    person: contact
      ? { id: idOf(contact, link), name: contact.name, email: contact.email }
      : { id: link.id, name: '', email: '' },
    standings,
    barred,
    held,
    role: lowest(held) ?? 'viewer',
    today,
    verifications: proof && contact ? [{ by: 'code', at: proof.at }] : [],
  }
}

const customerOf = (workspace: RequestContext['workspace'], client: Client, bearer: Bearer): Customer => ({
  workspace,
  client: { id: client.id, name: client.name },
  person: bearer.person,
  role: bearer.role,
  today: bearer.today,
})

/** What is on for each of their accounts. */
function togglesFor(toggles: ReturnType<typeof togglesOf>, link: PublicLink, { person, standings }: Bearer) {
  const open = withoutLimits(link)
  const each = standings.map(it => resolve(toggles, [...open, ...it.settings], link.client, it.person))
  const all = each.length ? each : [resolve(toggles, open, link.client, person.id)]
  return (toggle: string) => all.every(it => it(toggle))
}

const withoutLimits = ({ settings }: PublicLink) => settings.filter(([, , name]) => name !== limitName)

interface Found {
  req: Request<any>
  link: PublicLink
  ticket: LinkSession
  bearer: Bearer
  section: Section
  on: (toggle: string) => boolean
}

function guestOf({ mailContext, plugins }: Parts, { req, link, ticket, ...found }: Found): Guest {
  const base = req.portal.url('')
  const mails = mailContext !== undefined
  const codes = mails && !found.bearer.barred
  const levels = levelsOf(link, found.section)
  return {
    link,
    ticket,
    beside: besideOf(plugins, found).flatMap(it => (reachable(levelsOf(link, it), codes) ? it.name : [])),
    known: found.bearer.contact !== undefined,
    mails,
    signs: codes && !levels.includes('second'),
    responds: (found.section.subject?.link?.withoutCode ?? []).some(found.on),
    signIn: `${base}/sign-in?${new URLSearchParams({ next: base + addressOf(link) })}`,
  }
}

/** Plugins that offer something beside this document. */
const besideOf = (plugins: Section[], { section, on }: Pick<Found, 'section' | 'on'>): Section[] =>
  plugins.filter(({ name, linked }) => linked?.of(section.subject!) && on(name) && on(linked.toggle))

/** What the workspace asks for before an action of a plugin. */
export const levelOf = ({ settings }: PublicLink, { stepUps = {} }: Section, action: string) =>
  configuredLevel(settings, action) ?? Object.entries(stepUps).find(([it]) => it === action)?.[1].level

const levelsOf = (link: PublicLink, section: Section) =>
  Object.keys(section.stepUps ?? {}).map(it => levelOf(link, section, it))

/** A visitor can be asked for a code at most, where codes can be mailed. */
const reachable = (levels: (string | undefined)[], codes: boolean) =>
  levels.every(it => it === 'none' || (it !== 'second' && codes))

/** Addresses of the document's section, and of what is beside it, are below the link's own. */
function urlsOf(portal: RequestContext, link: PublicLink, names: string[]): RequestContext['url'] {
  const base = portal.url('')
  return path => {
    const [name] = path.slice(1).split(/[/?#]/, 1)
    return base + (names.includes(name!) ? placeOf(link) : '') + path
  }
}

const sessionOf = (req: Request<any>, { verifications }: Bearer) =>
  Object.create(req, { session: { value: { verifications } } }) as SessionRequest

interface Account {
  link: PublicLink
  client: Client
  rights: RequestContext['rights']
}

/** As if they were a member, with the strictest limit of all their accounts. */
function userOf(bearer: Bearer, { link, client, rights }: Account): NonNullable<RequestContext['user']> {
  const { contact, person, role, standings } = bearer
  const limits = contact ? link.settings.filter(([, , name]) => name === limitName) : []
  const strictest = strictestLimit(link.settings, standings, client.id, person.id)
  return {
    person: { ...person, suspended: false },
    memberships: [{ client: client.id, name: client.name, role, contact: contact?.id ?? null }],
    settings: [...withoutLimits(link), ...limits, ...strictest],
    rights,
    factor: false,
  }
}

const grantedBy = (sections: Section[]): string[] =>
  sections.flatMap(({ subject, linked }, at) => (at ? linked!.may : subject!.link!.may))

/** A link grants only what every account of this contact may do. The first section is the document's. */
function permissionsFor(sections: Section[], bearer: Bearer, rights: RequestContext['rights']) {
  const granted = grantedBy(sections)
  const permissions: Record<string, Permission> = Object.assign({}, ...sections.map(it => it.permissions))
  const roles = bearer.held.length ? bearer.held : [bearer.role]
  const each = (permission: string) => roles.every(it => roleIncludes(rights, it, permission, permissions[permission]))
  return (permission: string) => granted.includes(permission) && (!bearer.standings.length || each(permission))
}

/** Comments, signatures and views of others are hidden. */
const ownHistory =
  (req: Request<any>, documentHistory: RequestContext['documentHistory']): RequestContext['documentHistory'] =>
  async (...asked) => {
    const { responses, countersigned, signed } = await documentHistory(...asked)
    const { person } = req.portal.customer
    const own = responses.map(it => ({ ...it, kept: it.kept && it.person === person.id }))
    const mine = own.some(it => it.kept && it.id === signed?.id)
    return { responses: own, countersigned, attached: {}, seen: [], signed: mine ? signed : null }
  }

const mfaRequiredOn = (today: string, role: Role, settings: SettingRow[]) =>
  (mfaPolicyForRole(role, settings)?.from ?? '9999') <= today

/**
 * Whether it is a program that looks before a person does: what calls itself one, what no browser sends when somebody
 * opens a page, and what a browser loads in advance. Mail scanners and previews of messengers are mostly among them.
 */
function isProgram(req: Request<any>): boolean {
  const agent = req.get('User-Agent') ?? ''
  const mode = req.get('Sec-Fetch-Mode')
  return (
    req.method === 'HEAD' ||
    !agent.startsWith('Mozilla/') ||
    /bot\b|crawl|spider|preview|scan|headless|externalhit|fetcher/i.test(agent) ||
    (mode !== undefined && !['navigate', 'cors', 'same-origin'].includes(mode)) ||
    /prefetch/.test(`${req.get('Sec-Purpose')} ${req.get('Purpose')}`)
  )
}
