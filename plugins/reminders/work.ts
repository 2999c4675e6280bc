import { allows, type RecipientOf } from '../../src/auth/recipients.ts'
import { type Role, roles } from '../../src/crm/crm.ts'
import type { RequestContext } from '../../src/http/context.ts'
import { readWithin } from '../../src/platform/database.ts'
import { daysLater } from '../../src/platform/dates.ts'
import type { Section } from '../../src/plugin/plugin.ts'
import type { Due, DueRecord, Subject } from '../../src/plugin/subjects.ts'
import { lasting, paymentMomentOf } from './moments.ts'
import { wanted } from './own.ts'
import { type Audience, portsOf, type Round } from './round.ts'
import { tellOfWork, type Work } from './work-mail.ts'

/** So many records of a person are read at a time. */
const page = 200
/** So many are read at all, the first due first. */
const mostRead = 2_000
/** So many records of one client are told in one round. */
const mostTold = 20_000

interface Demanding extends Section {
  subject: Subject & { due: Due }
}

/** Plugins whose subjects are to be done by a day. */
export const demanding = (plugins: Section[]) => plugins.filter((it): it is Demanding => it.subject?.due !== undefined)

/** Roles that may do some of it. */
export const workingRoles = ({ plugins, rights, work }: Round): Role[] =>
  roles.filter(role => work.length > 0 && demanding(plugins).some(it => allows(it, rights, role, neededFor(it))))

/** Whether somebody is reminded of what to do, where the workspace reminds anybody. */
export const isWorker = ({ may, on }: RequestContext, plugins: Section[]): boolean =>
  demanding(plugins).some(
    it => neededFor(it).every(one => may(`${it.name}.${one}`)) && togglesOf(it).every(one => on(`${it.name}.${one}`)),
  )

const neededFor = ({ subject: { due } }: Demanding) => ['see', ...due.may]
const togglesOf = ({ subject: { due } }: Demanding) => [...due.on, 'reminders']

/** Mails each person what they have to do, before and after it is due: one mail for all of it, once a day. */
export async function remindOfWork(audience: Audience, round: Round) {
  if (!round.work.length) return
  const wanted = sourcesOf(audience, round)
  const rested = await toldToday(audience, round)
  const people = [...new Set(wanted.flatMap(it => it.people))].filter(it => !rested.has(it.id))
  const works: Work[] = []
  for (const person of people) {
    const its = wanted.filter(it => it.people.includes(person))
    works.push(...(await workOf(person, its, audience, round)))
    if (works.length < mostTold) continue
    round.log.warn({ workspace: round.workspace.slug }, 'a client has more to do than is told in one hour')
    break
  }
  if (!works.length) return
  const still = await audience.still([...new Set(works.map(it => it.person))])
  const known = new Map(still.map(it => [it.id, it]))
  const told = works.flatMap(it => {
    const person = known.get(it.person.id)
    return person ? [{ ...it, person }] : []
  })
  if (told.length) await tellOfWork(told, audience.client, round)
}

/** A section, and who is to be told of it. */
interface Source {
  section: string
  due: Due
  people: RecipientOf[]
}

/** Each person is one object, whatever they are told of. */
const sourcesOf = ({ of }: Audience, round: Round): Source[] =>
  demanding(round.plugins).map(it => ({
    section: it.name,
    due: it.subject.due,
    people: of({ section: it, may: neededFor(it), on: togglesOf(it) }).filter(wanted(round)),
  }))

/** Ids of who was reminded today, at the workspace. */
async function toldToday({ client }: Audience, { database, today, workspace }: Round): Promise<Set<string>> {
  const rows = await readWithin<{ person: string }>(
    database,
    { workspace: workspace.id },
    {
      text: `select distinct t.person_id as person from portal.client_reminders t
             where t.workspace_id = scope.workspace and t.client_id = $3 and t.kind = 'work'
               and t.at > portal.now() - interval '2 days' and (t.at at time zone $4)::date = $5::date`,
      values: [client, workspace.timeZone, today],
    },
  )
  return new Set(rows.map(it => it.person))
}

/** What this person has to do whose moment has come, with ports of their own. */
async function workOf(person: RecipientOf, sources: Source[], { client }: Audience, round: Round): Promise<Work[]> {
  const { today, work } = round
  const ports = portsOf(round, client, person)
  const found: Work[] = []
  for (const { section, due } of sources) {
    if (!(section in ports)) continue
    for await (const it of aroundToday(asked => due.list(ports, asked), section, round)) {
      const moment = paymentMomentOf(work, { sentOn: '', dueOn: it.dueOn }, today)
      if (moment) found.push({ ...it, section, moment, person, overdue: it.dueOn < today })
    }
  }
  return found
}

/** Those that a moment can have come for, of lists that may be long. */
async function* aroundToday(
  list: (asked: { size: number; after?: string }) => ReturnType<Due['list']>,
  section: string,
  { log, today, work, workspace }: Round,
): AsyncGenerator<DueRecord> {
  const first = daysLater(today, -Math.max(...work, 0) - lasting)
  const last = daysLater(today, -Math.min(...work, 0))
  let after: string | undefined
  for (let read = 0; read < mostRead; read += page) {
    const { items, next } = await list({ size: page, ...(after !== undefined && { after }) })
    for (const it of items) {
      if (it.dueOn < first) continue
      if (it.dueOn > last) return
      yield it
    }
    if (!next) return
    after = next
  }
  log.warn({ workspace: workspace.slug, section }, 'a person has more to do than is read for reminders')
}
