import type { Request, RequestHandler } from 'express'
import { v7 as uuid } from 'uuid'
import { z } from 'zod'
import type { CoreHost } from '../../src/auth/host.ts'
import { sendMail } from '../../src/auth/mail-context.ts'
import type { Client, Crm } from '../../src/crm/crm.ts'
import { Invalid, NotFound } from '../../src/http/errors.ts'
import { read } from '../../src/http/forms.ts'
import type { Page } from '../../src/http/paging.ts'
import { within } from '../../src/platform/database.ts'
import { dateIn, zoneOf } from '../../src/platform/i18n.ts'
import { resolve, togglesOf } from '../../src/plugin/toggles.ts'
import { searchDocuments } from './search.ts'
import { linksOf, makeLink, revokeLink, switchesOf } from './store.ts'

type Parts = Pick<CoreHost, 'address' | 'crm' | 'database' | 'activation' | 'mailContext' | 'plugins'>

const lifetimes = [7, 30, 90] as const

/** Every link with what became of it, and a form in two steps: a search for the document, then what kind of link. */
export const showLinks =
  (parts: Parts): RequestHandler<any> =>
  async (req, res) => {
    const { database, mailContext, plugins, crm } = parts
    const { portal } = req
    const form = portal.problem ? portal.body : req.query
    const asked = Asked.parse(form)
    const found =
      asked.client && (asked.document || asked.id) ? await documentOf(parts, req, asked).catch(none) : undefined
    if (found instanceof Invalid) portal.problem ??= found
    const document = found instanceof Invalid ? undefined : found
    const { search } = asked
    const results = search && !document ? await searchDocuments(parts, req, search) : undefined
    res.respond('links/settings', {
      links: await linksOf(database, portal.workspace.id),
      kinds: plugins.filter(it => it.subject?.link),
      ...{ asked, document, results, lifetimes, form, mails: mailContext !== undefined },
      contacts: document && mailContext ? await crm.directory.contacts(portal.workspace, document.client.id) : [],
      made: (req as Shown).made,
      revoked: req.query.revoked === '',
      again: req.query.again === '',
      key: uuid(),
    })
  }

/** The address is shown once, in this response. Only a hash of its token is stored. */
export const saveLink =
  (parts: Parts): RequestHandler<any> =>
  async (req, res, next) => {
    const { address, crm, database, mailContext } = parts
    const { workspace, staff, now } = req.portal
    const asked = Asked.parse(req.portal.body ?? {})
    // An empty body is no form of ours: nothing is meant by it.
    if (!asked.id) return res.redirect(303, req.portal.url('/links'))
    const { days, coded, contact, key } = read(Making, req)
    const { client, section, id, number } = await documentOf(parts, req, asked)
    const contacts = contact ? await crm.directory.contacts(workspace, client.id) : []
    const to = contacts.find(it => it.id === contact)
    if (contact && !(to && mailContext)) throw new Invalid({ contact: ['Choose one of the people in the list.'] }, {})
    if (coded && !mailContext) throw new Invalid({ coded: ['Codes can’t be e-mailed here.'] }, {})
    const path = await within(database, { workspace: workspace.id }, async tx => {
      const token = await makeLink(tx, req, {
        ...{
          id: key ?? uuid(),
          client,
          section,
          document: { id, number },
          coded: coded !== undefined,
          days,
          to,
        },
      })
      if (!token) return undefined
      const path = `/${workspace.slug}/link/${token}`
      if (to && mailContext)
        await sendMail(
          mailContext,
          req,
          tx,
          'links.sent',
          { email: to.email, name: to.name, language: to.language },
          {
            facts: ({ day }) => ({
              ...{ staff: staff?.name ?? workspace.name, number },
              until: day(dateIn(zoneOf(workspace.timeZone), new Date(now.getTime() + days * 86_400_000))),
            }),
            url: `${mailContext.address}${path}`,
          },
        )
      return path
    })
    if (!path) return res.redirect(303, req.portal.url('/links?again'))
    mailContext?.outbox.wake()
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

/** `search` in numbers, titles and clients. For links of a CRM: `client` by name or id, `document` by its number, `id` as the CRM has it. */
const Asked = z.object({ search: text, section: text, client: text, document: text, id: text })

const Making = z.object({
  days: z.coerce.number('Choose how long it is valid.').pipe(z.literal(lifetimes, 'Choose how long it is valid.')),
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

/** Throws Invalid, with what is missing. */
async function documentOf(parts: Parts, req: Request<any>, asked: z.infer<typeof Asked>): Promise<Found> {
  const { crm, database, activation, plugins } = parts
  const { workspace, now, staff } = req.portal
  const section = plugins.find(it => it.name === asked.section)
  const client = await clientOf(crm, req, asked.client)
  const customer = {
    ...{ workspace, client: { id: client.id, name: client.name }, role: 'viewer' as const },
    ...{ person: { id: '', name: staff?.name ?? '', email: '' }, today: dateIn(zoneOf(workspace.timeZone), now) },
  }
  const on = resolve(togglesOf(plugins), await switchesOf(database, workspace.id, client.id), client.id, '')
  if (on.portalOff) throw new Invalid({ section: ['The portal is switched off for this client.'] }, {})
  const port = (activation.availablePorts(crm.connect(customer)) as Record<string, Port | undefined>)[asked.section]
  if (!section?.subject?.link || !port || !on(section.name) || !on(section.subject.link.toggle))
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
  throw new Invalid({ client: [one ? 'Several clients match. Enter the full name.' : 'No client has this name.'] }, {})
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
