import type { Request } from 'express'
import type { Knex } from 'knex'
import { v5 } from 'uuid'
import { demandOn } from '../auth/demand.ts'
import { lowest, type Standing, standingsOf, strictestLimit } from '../auth/identity.ts'
import { includes, rightsOf } from '../auth/roles.ts'
import type { Aside } from '../auth/sessions.ts'
import { rungIn } from '../auth/step-up.ts'
import type { Ways } from '../auth/way.ts'
import type { RequestContext } from '../context.ts'
import type { Contact, Crm, Customer, Ports, Role } from '../crm.ts'
import { within } from '../database.ts'
import { NotFound } from '../errors.ts'
import type { Gate } from '../gate/gate.ts'
import { dateIn, zoneOf } from '../language.ts'
import { limitName } from '../offer/limit.ts'
import type { Permission, Section } from '../section.ts'
import { type Row, resolve, togglesOf } from '../settings/toggles.ts'
import type { Open } from './store.ts'
import type { Ticket } from './ticket.ts'

declare global {
  namespace Portico {
    interface RequestContext {
      /** Where somebody came by a public link to one document, without an account. */
      guest: Guest | undefined
    }
  }
}

/** Whoever came by a public link: nobody in particular, until they have proven to be a contact of the client. */
export interface Guest {
  link: Open
  ticket: Ticket
  /** Whether their browser has shown by a code whose it is, and that person is still a contact. */
  known: boolean
  /** Whether codes can be mailed. */
  mails: boolean
  /** Whether a code is enough for what is signed, by whoever it is. */
  signs: boolean
  /** Where whoever has an account signs in to see the same. */
  signIn: string
}

export interface Parts {
  crm: Crm
  database: Knex
  door: Gate
  limits: Ways['limits']
  /** Undefined where no mail is sent. */
  mailed: Ways | undefined
  secrets: string[]
  sections: Section[]
}

/** The same for one that never was and for one that is over, taken back or switched off. */
export class NoLink extends NotFound {
  code = 'no-link'
  message = 'This link is not good, or not any more.'
  advice = 'Its time may be over, or it was taken back. Ask whoever sent it to you for a new one.'
}

/** Below which the pages of a link are, within its workspace's portal. */
export const placeOf = ({ id }: Pick<Open, 'id'>) => `/link/open/${id}`

/** Of the link's document, wherever its section is. */
export const addressOf = ({ section, document }: Pick<Open, 'section' | 'document'>) =>
  `/${section}/${encodeURIComponent(document)}`

/** In the portal this contact has no account: who signs by a link has an id for this link alone. */
export const idOf = (contact: Pick<Contact, 'id'>, link: Pick<Open, 'id'>) => v5(contact.id, link.id)

interface Known {
  contact: Contact
  /** How each account stands that they have here; none where they have no account. */
  standings: Standing[]
}

/** Who of the client's people has this address, as the CRM has them now; whom the workspace has suspended is nobody. */
export async function contactOf(
  { crm, database }: Pick<Parts, 'crm' | 'database'>,
  req: Request<any>,
  link: Open,
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

/**
 * Makes the visit one by this link: on behalf of its client, with no more of it than the document. Whoever else this
 * browser is signed in as does not count here. Throws NoLink where what it leads to is not there for the client.
 */
export function entering(parts: Parts) {
  const { crm, database, door, mailed, sections } = parts
  const toggles = togglesOf(sections)

  return async (req: Request<any>, link: Open, ticket: Ticket) => {
    const { workspace, now, url, story, journal } = req.portal
    const section = sections.find(it => it.name === link.section)
    const linkable = section?.link
    const client = await crm.directory.client(workspace, link.client)
    if (!client || !linkable) throw new NoLink()
    const { proof } = ticket
    const known = proof && (await contactOf(parts, req, link, proof.email, it => it.id === proof.contact))
    const person = known
      ? { id: idOf(known.contact, link), name: known.contact.name, email: known.contact.email }
      : { id: link.id, name: '', email: '' }
    const today = dateIn(zoneOf(workspace.timeZone), now)
    // What one of their accounts may not, a link lets nobody do: one whose access has ended, or whose second factor it would go round.
    const standings = known?.standings ?? []
    const barred = standings.some(it => !it.role || it.factor || demandedOn(today, it.role, link.settings))
    const held = barred ? [] : standings.flatMap(it => it.role ?? [])
    const role = lowest(held) ?? 'viewer'
    const rights = held.length ? await rightsOf(database, workspace.id) : {}
    const open = link.settings.filter(([, , name]) => name !== limitName)
    const limits = known ? link.settings.filter(([, , name]) => name === limitName) : []
    const settings = [...open, ...limits, ...strictestLimit(link.settings, standings, client.id, person.id)]
    const customer: Customer = { workspace, client: { id: client.id, name: client.name }, person, role, today }
    const ports = door.passing(crm.connect(customer))
    const each = standings.map(it => resolve(toggles, [...open, ...it.settings], client.id, it.person))
    const all = each.length ? each : [resolve(toggles, open, client.id, person.id)]
    const on = (toggle: string) => all.every(it => it(toggle))
    if (!(link.section in ports) || !on(link.section) || !on(linkable.toggle)) throw new NoLink()
    const permissions: Record<string, Permission> = section.permissions

    const here = `/${link.section}`
    const base = url('')
    const mails = mailed !== undefined
    const signs =
      mails && !barred && !Object.keys(section.stepUps ?? {}).some(it => rungIn(link.settings, it) === 'second')
    const off = [...linkable.without, ...(signs ? [] : linkable.withoutCode)]
    const proofs = known ? [{ by: 'code' as const, at: proof!.at }] : []
    Object.assign(req.portal, {
      frame: 'solo',
      url: path => base + (path === here || path.startsWith(`${here}/`) ? placeOf(link) : '') + path,
      guest: {
        ...{ link, ticket, known: known !== undefined, mails, signs },
        signIn: `${base}/sign-in?${new URLSearchParams({ next: base + addressOf(link) })}`,
      },
      aside: Object.create(req, { session: { value: { proofs } } }) as Aside,
      visitor: {
        person: { ...person, suspended: false },
        memberships: [{ client: client.id, name: client.name, role, contact: known?.contact.id ?? null }],
        settings,
        rights,
        factor: false,
      },
      nav: [],
      rights,
      may: permission =>
        linkable.may.includes(permission) &&
        (!standings.length ||
          (held.length ? held : [role]).every(it => includes(rights, it, permission, permissions[permission]))),
      allowed: () => linkable.may.filter(it => req.portal.may(it)),
      on: toggle => on(toggle) && !off.includes(toggle),
      customer,
      crm: ports as Ports,
      // What others said, signed and looked at is theirs.
      story: async (...asked) => {
        const { answers, countersigned, signed } = await story(...asked)
        const own = answers.map(it => ({ ...it, kept: it.kept && it.person === req.portal.customer.person.id }))
        const mine = own.some(it => it.kept && it.id === signed?.id)
        return { answers: own, countersigned, comments: [], seen: [], signed: mine ? signed : null }
      },
      earlier: async () => undefined,
      journal: row => journal(isProgram(req) ? { ...row, event: 'links.fetched', actor_kind: 'nobody' } : row),
    } satisfies Partial<RequestContext>)
  }
}

const demandedOn = (today: string, role: Role, settings: Row[]) => (demandOn(role, settings)?.from ?? '9999') <= today

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
