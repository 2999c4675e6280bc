import type { Request, RequestHandler } from 'express'
import type { Knex } from 'knex'
import { v7 as uuid } from 'uuid'
import { z } from 'zod'
import { type Ways, write } from '../auth/way.ts'
import type { Client, Crm } from '../crm.ts'
import { within } from '../database.ts'
import { Invalid, NotFound } from '../errors.ts'
import { read } from '../form.ts'
import type { Gate } from '../gate/gate.ts'
import { dateIn, zoneOf } from '../language.ts'
import { linksOf, makeLink, revokeLink, switchesOf } from '../links/store.ts'
import type { Page } from '../page.ts'
import type { Section } from '../section.ts'
import { resolve, togglesOf } from './toggles.ts'

interface Parts {
  /** Where clients find the portal, where that is known. */
  address: string | undefined
  crm: Crm
  database: Knex
  door: Gate
  mailed: Ways | undefined
  sections: Section[]
}

const lifetimes = [7, 30, 90] as const

/** Every link with what became of it, and a form in two steps: first which document, then what kind of link. */
export const showLinks =
  (parts: Parts): RequestHandler<any> =>
  async (req, res) => {
    const { database, mailed, sections, crm } = parts
    const { portal } = req
    const form = portal.problem ? portal.body : req.query
    const asked = Asked.parse(form)
    const found =
      asked.client && (asked.document || asked.id) ? await documentOf(parts, req, asked).catch(none) : undefined
    if (found instanceof Invalid) portal.problem ??= found
    const document = found instanceof Invalid ? undefined : found
    res.answer('settings/links', {
      links: await linksOf(database, portal.workspace.id),
      kinds: sections.filter(it => it.link),
      ...{ asked, document, lifetimes, form, mails: mailed !== undefined },
      contacts: document && mailed ? await crm.directory.contacts(portal.workspace, document.client.id) : [],
      made: (req as Shown).made,
      revoked: req.query.revoked === '',
      again: req.query.again === '',
      key: uuid(),
    })
  }

/** The address is told once, in the answer itself: only a hash of its token is kept. */
export const saveLink =
  (parts: Parts): RequestHandler<any> =>
  async (req, res, next) => {
    const { address, crm, database, mailed } = parts
    const { workspace, staff, now } = req.portal
    const asked = Asked.parse(req.portal.body ?? {})
    // An empty body is no form of ours: nothing is meant by it.
    if (!asked.id) return res.redirect(303, req.portal.url('/links'))
    const { days, coded, contact, key } = read(Making, req)
    const { client, section, id, number } = await documentOf(parts, req, asked)
    const contacts = contact ? await crm.directory.contacts(workspace, client.id) : []
    const to = contacts.find(it => it.id === contact)
    if (contact && !(to && mailed)) throw new Invalid({ contact: ['Choose one of the people in the list.'] }, {})
    if (coded && !mailed) throw new Invalid({ coded: ['No code can be mailed here.'] }, {})
    const path = await within(database, { workspace: workspace.id }, async tx => {
      const token = await makeLink(tx, req, {
        ...{
          id: key ?? uuid(),
          client,
          section,
          document: { id, number },
          coded: coded !== undefined,
          days,
          email: to?.email,
        },
      })
      if (!token) return undefined
      const path = `/${workspace.slug}/link/${token}`
      if (to && mailed)
        await write(
          mailed,
          req,
          tx,
          'link',
          { email: to.email, name: to.name, language: to.language },
          {
            facts: ({ day }) => ({
              ...{ staff: staff?.name ?? workspace.name, number },
              until: day(dateIn(zoneOf(workspace.timeZone), new Date(now.getTime() + days * 86_400_000))),
            }),
            url: `${mailed.address}${path}`,
          },
        )
      return path
    })
    if (!path) return res.redirect(303, req.portal.url('/links?again'))
    mailed?.outbox.wake()
    Object.assign(req, { made: { address: `${address ?? '…'}${path}`, number, to: to?.email } } satisfies Shown)
    return showLinks(parts)(req, res, next)
  }

export const saveLinkEnd =
  ({ database }: Pick<Parts, 'database'>): RequestHandler<any> =>
  async (req, res) => {
    const id = z.uuid().safeParse(req.params.id).data
    if (!id) throw new NotFound()
    await within(database, { workspace: req.portal.workspace.id }, tx => revokeLink(tx, req, id))
    res.redirect(303, req.portal.url('/links?revoked'))
  }

interface Shown {
  made?: { address: string; number: string; to: string | undefined }
}

const text = z
  .string()
  .trim()
  .max(200)
  .transform(it => it.replaceAll('\0', ''))
  .catch('')

/** `client` by name or id, `document` by its number, `id` as the CRM has it. */
const Asked = z.object({ section: text, client: text, document: text, id: text })

const Making = z.object({
  days: z.coerce.number('Choose how long it is good.').pipe(z.literal(lifetimes, 'Choose how long it is good.')),
  coded: z.string().optional().catch(undefined),
  contact: z.string().max(200).optional().catch(undefined),
  /** Of the form: pressed twice, it makes one link. */
  key: z.uuid().optional().catch(undefined),
})

interface Found {
  client: Client
  section: string
  one: string
  id: string
  number: string
  title: string
}

interface Port {
  list(filter: object): Promise<Page<{ id: string; number: string }>>
  find(id: string): Promise<{ id: string; number: string; title?: string }>
}

/** Throws Invalid, which says what of it is not there. */
async function documentOf(parts: Parts, req: Request<any>, asked: z.infer<typeof Asked>): Promise<Found> {
  const { crm, database, door, sections } = parts
  const { workspace, now, staff } = req.portal
  const section = sections.find(it => it.name === asked.section)
  const client = await clientOf(crm, req, asked.client)
  const customer = {
    ...{ workspace, client: { id: client.id, name: client.name }, role: 'viewer' as const },
    ...{ person: { id: '', name: staff?.name ?? '', email: '' }, today: dateIn(zoneOf(workspace.timeZone), now) },
  }
  const on = resolve(togglesOf(sections), await switchesOf(database, workspace.id, client.id), client.id, '')
  const port = (door.passing(crm.connect(customer)) as Record<string, Port | undefined>)[asked.section]
  if (!section?.link || !port || !on(section.name) || !on(section.link.toggle))
    throw new Invalid({ section: ['Links are switched off for this. Switch them on under Visibility.'] }, {})
  const id = asked.id || (await numbered(port, asked.document))
  const document = await port.find(id).catch(error => {
    if (!(error instanceof NotFound)) throw error
    throw new Invalid({ document: ['This client sees no such document.'] }, {})
  })
  return {
    client,
    section: section.name,
    one: section.title,
    id: document.id,
    number: document.number,
    title: document.title ?? '',
  }
}

async function clientOf({ directory }: Crm, req: Request<any>, asked: string): Promise<Client> {
  const { workspace } = req.portal
  const known = await directory.client(workspace, asked)
  if (known) return known
  const all = (await directory.clients?.(workspace, asked)) ?? []
  const same = all.filter(it => it.name.toLowerCase() === asked.toLowerCase())
  const [one, another] = same.length ? same : all
  if (one && !another) return one
  throw new Invalid(
    { client: [one ? 'Several clients fit. Type the whole name.' : 'No client is called like this.'] },
    {},
  )
}

/** The id of what has this number; what is not found may be an id. */
async function numbered(port: Port, number: string): Promise<string> {
  const { items } = await port.list({ search: number, sort: 'newest', size: 50 })
  return items.find(it => it.number.toLowerCase() === number.toLowerCase())?.id ?? number
}

const none = (error: unknown): Invalid => {
  if (error instanceof Invalid) return error
  throw error
}
