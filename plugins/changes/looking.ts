import { type CoreHost, coreHostOf } from '../../src/auth/host.ts'
import { type RecipientOf, recipientsAt } from '../../src/auth/recipients.ts'
import { rightsOf } from '../../src/auth/roles.ts'
import type { Ports } from '../../src/crm/crm.ts'
import type { BrandedWorkspace } from '../../src/crm/workspaces.ts'
import { NotFound } from '../../src/http/errors.ts'
import { notifyPeople } from '../../src/notifications/notify.ts'
import { currentTime } from '../../src/platform/clock.ts'
import { query, within } from '../../src/platform/database.ts'
import { daysLater } from '../../src/platform/dates.ts'
import { dateIn, localeOf, zoneOf } from '../../src/platform/i18n.ts'
import type { Host, Section } from '../../src/plugin/plugin.ts'
import { isStore } from '../../src/plugin/stores.ts'
import type { Changed, RecordNews, Subject } from '../../src/plugin/subjects.ts'

/** A plugin whose records people are told of when the CRM makes or changes them. */
export interface Watched extends Section {
  subject: Subject & { changed: Changed }
}

export const watched = (plugins: Section[]): Watched[] =>
  plugins.filter((it): it is Watched => it.subject?.changed !== undefined)

/** What is older than this is never told as new. */
const mostDays = 14
/** So many mails of one kind a person gets in an hour; what else is new they find in the portal. */
const mostMails = 10

/** One section of one client, with those who may be told. */
export interface Looking {
  host: Host
  workspace: BrandedWorkspace
  section: Watched
  client: string
  readers: { reader: RecipientOf; ports: Partial<Ports> }[]
  /** A plain date: what became so before that is old. */
  since: string
}

interface Where {
  workspace: BrandedWorkspace
  section: Watched
  client: string
  /** When the section was first watched. */
  began: Date
}

/** Undefined where nobody may be told, or where the section is Portico's own: then it tells people itself. */
export async function lookingAt(
  host: Host,
  { workspace, section, client, began }: Where,
): Promise<Looking | undefined> {
  const core = coreHostOf(host)
  const { crm, database, plugins: sections } = core
  const rights = await rightsOf(database, workspace.id)
  const people = await recipientsAt({ crm, database, sections }, { workspace, client, rights })
  const some = await people.still(people.of({ section, may: section.subject.changed.may, on: [] }))
  const zone = zoneOf(workspace.timeZone)
  const today = dateIn(zone, currentTime(database))
  const readers = some
    .map(reader => ({ reader, ports: portsOf(core, workspace, client, { reader, today }) }))
    .filter(({ ports }) => isTheirs(ports, section.name))
  if (!readers.length) return undefined
  const [since] = [daysLater(today, -mostDays), dateIn(zone, began)].sort().toReversed()
  return { host, workspace, section, client, readers, since: since! }
}

/** Whether the CRM has the section. */
function isTheirs(ports: Partial<Ports>, name: string): boolean {
  const port = ports[name as keyof Ports]
  return port !== undefined && !isStore(port)
}

function portsOf(
  { activation, crm }: CoreHost,
  workspace: BrandedWorkspace,
  client: string,
  { reader, today }: { reader: RecipientOf; today: string },
): Partial<Ports> {
  const { id, name, email, role } = reader
  const customer = { workspace, client: { id: client, name: reader.client }, person: { id, name, email }, role, today }
  return activation.availablePorts(crm.connect(customer))
}

/** Tells each reader what is new about a record; `quiet` where all of it counts as known. */
export async function lookAt(looking: Looking, id: string, quiet = false): Promise<number> {
  const { section, readers, since } = looking
  let told = 0
  for (const { reader, ports } of readers) {
    const news = await section.subject.changed.news(ports, id, since).catch(noneIfGone)
    for (const it of news) told += await tell(looking, reader, { id, news: it, quiet })
  }
  return told
}

function noneIfGone(error: unknown): RecordNews[] {
  if (error instanceof NotFound) return []
  throw error
}

interface Telling {
  id: string
  news: RecordNews
  quiet: boolean
}

async function tell({ host, workspace, section, client }: Looking, reader: RecipientOf, { id, news, quiet }: Telling) {
  const { kind, key, facts, after } = news
  const told = await within(host.database, { workspace: workspace.id }, async tx => {
    const [row] = await query<{ many: boolean }>(tx, {
      text: `select count(*) >= ${mostMails} as many from (select from portal.client_outbox o
               where o.workspace_id = $1 and o.person_id = $2 and o.kind = 'notifications.notice'
                 and o.created_at > portal.now() - interval '1 hour' limit ${mostMails}) o`,
      values: [workspace.id, reader.id],
    })
    const req = { portal: { workspace, locale: localeOf('') } }
    const record = { client, section: section.name, id }
    const mail = row?.many ? { mail: false as const } : {}
    return notifyPeople(tx, host, req, [reader], { kind, key, facts, after, record, quiet, ...mail })
  })
  return told.length
}
