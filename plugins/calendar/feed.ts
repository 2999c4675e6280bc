import type { Request, RequestHandler } from 'express'
import ical, { ICalEventTransparency } from 'ical-generator'
import type { CoreHost } from '../../src/auth/host.ts'
import { tallies } from '../../src/auth/limits.ts'
import { documentAt } from '../../src/auth/mail-context.ts'
import { recipientsAt } from '../../src/auth/recipients.ts'
import { rightsOf } from '../../src/auth/roles.ts'
import { NotFound, RateLimited } from '../../src/http/errors.ts'
import { within } from '../../src/platform/database.ts'
import { dateIn, localeOf, type Speech, speak, zoneOf } from '../../src/platform/i18n.ts'
import { type CalendarDate, datesOf } from './dates.ts'
import { type Owner, ownerOf } from './store.ts'

/** How often one calendar may be read within an hour: programs do so a few times. */
const mostReads = 120

interface Dates {
  client: { id: string; name: string }
  dates: CalendarDate[]
}

/**
 * Sends a calendar (RFC 5545) to anyone with its address. It shows what its owner could see in the portal now: access is
 * judged with each request. Amounts are left out.
 */
export const sendFeed =
  (host: CoreHost): RequestHandler<any> =>
  async (req, res) => {
    const { workspace } = req.portal
    const owner = await within(host.database, { workspace: workspace.id }, tx =>
      ownerOf(tx, workspace.id, String(req.params.token)),
    )
    if (
      owner &&
      (await tallies(host.database)('calendar.read', `${workspace.id} ${owner.person}`, 3_600)).count > mostReads
    )
      throw new RateLimited(3_600, 'calendar.read')
    const { t } = speak(`${localeOf(owner?.language ?? req.portal.locale)}|${zoneOf(workspace.timeZone)}`)
    const found = owner && (await datesFor(owner, req, host, t))
    if (!found?.length || !host.address) throw new NotFound()
    const { address } = host
    const calendar = ical({ name: workspace.name, prodId: { company: 'Portico', product: 'Portico' }, ttl: 3_600 })
    const today = new Date(`${dateIn(zoneOf(workspace.timeZone), req.portal.now)}T00:00:00Z`)
    for (const { client, dates } of found)
      for (const { section, id, day, text } of dates)
        calendar.createEvent({
          id: `${workspace.id}-${client.id}-${section}-${id}@${URL.parse(address)?.hostname}`,
          // The same all day, so that programs see no change where there is none.
          stamp: today,
          start: new Date(`${day}T00:00:00Z`),
          ...{ allDay: true, summary: oneLine(text), url: pageOf(address, workspace.slug, section, id, client.id) },
          description: oneLine(
            found.length > 1
              ? t('{workspace}, for {client}', { workspace: workspace.name, client: client.name })
              : workspace.name,
          ),
          transparency: ICalEventTransparency.TRANSPARENT,
        })
    res.set({ 'Cache-Control': 'private, no-store', 'X-Robots-Tag': 'noindex' })
    res.type('text/calendar; charset=utf-8').send(calendar.toString())
  }

const pageOf = (address: string, slug: string, section: string, id: string, client: string) =>
  documentAt({ address }, slug, { client, section, id })

const oneLine = (text: string) => text.replace(/\p{Cc}+/gu, ' ').trim()

/** The dates of each client that lets this person in. */
async function datesFor(
  { person, clients }: Owner,
  req: Request<any>,
  host: CoreHost,
  t: Speech['t'],
): Promise<Dates[]> {
  const { activation, crm, database, plugins } = host
  const { workspace, now } = req.portal
  const rights = await rightsOf(database, workspace.id)
  const section = plugins.find(it => it.name === 'calendar')!
  const today = dateIn(zoneOf(workspace.timeZone), now)
  const all: Dates[] = []
  for (const id of clients) {
    const { of, still } = await recipientsAt({ crm, database, sections: plugins }, { workspace, client: id, rights })
    const [reader] = await still(of({ section, may: ['see'], on: [] }).filter(it => it.id === person))
    if (!reader) continue
    const client = { id, name: reader.client }
    const { name, email, role } = reader
    const customer = { workspace, client, person: { id: person, name, email }, role, today }
    const ports = activation.availablePorts(crm.connect(customer))
    all.push({ client, dates: await datesOf(plugins, { person: reader, ports, of, t }) })
  }
  return all
}
