import { allows, type RecipientOf } from '../../src/auth/recipients.ts'
import { type Role, roles } from '../../src/crm/crm.ts'
import type { RequestContext } from '../../src/http/context.ts'
import { readWithin } from '../../src/platform/database.ts'
import { daysLater } from '../../src/platform/dates.ts'
import type { Host, Section } from '../../src/plugin/plugin.ts'
import type { Payable, PayableDocument, Subject } from '../../src/plugin/subjects.ts'
import { lasting, paymentMomentOf } from './moments.ts'
import { wanted } from './own.ts'
import { type Due, tellOfPayments } from './payments-mail.ts'
import { type Audience, gone, portsOf, type Round } from './round.ts'

/** So many documents of a client are read at a time. */
const page = 500
/** So many are read at all, the first due first. */
const mostRead = 20_000
/** So many are looked at once more right before the mail. A list is only seconds old, too. */
const mostFresh = 100

interface Owing extends Section {
  subject: Subject & { payable: Payable }
}

/** Plugins whose subjects are to be paid. */
const owing = (plugins: Section[]) =>
  plugins.filter((it): it is Owing => it.subject?.payable !== undefined && !it.subject.payable.downPayments)

/** Roles that may see some of them, and pay where that is done here. */
export const payingRoles = (round: Round): Role[] =>
  roles.filter(role => round.payments.length > 0 && owing(round.plugins).some(it => isFor(it, role, round)))

/** Whether somebody is reminded of payments, where the workspace reminds anybody. */
export const isPayer = (
  { customer: { role }, on, rights }: RequestContext,
  { capability, plugins }: Pick<Host, 'capability' | 'plugins'>,
): boolean =>
  owing(plugins).some(
    it => on(it.name) && on(`${it.name}.reminders`) && isFor(it, role, { capability, plugins, rights }),
  )

function isFor(section: Owing, role: Role, where: Pick<Round, 'capability' | 'plugins' | 'rights'>): boolean {
  const { capability, plugins, rights } = where
  const paying = capability('paying')
  const desk = plugins.find(it => it.name === paying?.section)
  const pays = !paying || !desk || allows(desk, rights, role, paying.may)
  return pays && allows(section, rights, role, section.subject.payable.may)
}

/** Mails whoever may pay, before and after payments are due: one mail for all of them. */
export async function remindOfPayments(audience: Audience, round: Round) {
  if (!round.payments.length) return
  const sources = sourcesOf(audience, round)
  const coming: Coming[] = []
  for (const it of sources) for await (const one of comingOf(it, round)) coming.push(one)
  if (!coming.length) return
  const untold = await untoldOf(sources, coming, round)
  const people = await audience.still(everybody(sources).filter(it => untold.some(({ person }) => person === it.id)))
  const keys = new Set(untold.filter(it => people.some(({ id }) => id === it.person)).map(keyOf))
  const dues = await dueOf(
    coming.filter(it => keys.has(keyOf(it))),
    audience,
    round,
  )
  const recipients = sources.flatMap(({ section, people: its }) =>
    people.filter(it => its.some(({ id }) => id === it.id)).map(person => ({ section, person })),
  )
  if (dues.length) await tellOfPayments({ dues, recipients, payers: payersOf(audience, round) }, audience.client, round)
}

/** A section's documents of this client, and who is to be told of them. */
interface Source extends Payable {
  section: string
  people: RecipientOf[]
  ports: ReturnType<typeof portsOf>
}

function sourcesOf({ client, of }: Audience, round: Round): Source[] {
  const isWanted = wanted(round)
  return owing(round.plugins).flatMap(it => {
    const { name: section, subject } = it
    const { may } = subject.payable
    const people = of({ section: it, may, on: ['reminders'] }).filter(
      one => isWanted(one) && isFor(it, one.role, round),
    )
    const ports = people[0] ? portsOf(round, client, people[0]) : {}
    return section in ports ? [{ ...subject.payable, section, people, ports }] : []
  })
}

/** Each person once. */
const everybody = (sources: Source[]): RecipientOf[] => [
  ...new Map(sources.flatMap(it => it.people).map(it => [it.id, it])).values(),
]

/** A document whose moment has come. */
interface Coming {
  source: Source
  section: string
  id: string
  moment: string
  dueOn: string
  listed: PayableDocument
}

async function* comingOf(source: Source, round: Round): AsyncGenerator<Coming> {
  const { section } = source
  const { payments, today } = round
  for await (const listed of aroundToday(source, round)) {
    const { id, dueOn, sentOn = '' } = listed
    const moment = paymentMomentOf(payments, { sentOn, dueOn }, today)
    if (moment) yield { source, section, id, moment, dueOn, listed }
  }
}

/** Those that a moment can have come for, of lists that may be long. */
async function* aroundToday(
  { section, list, ports }: Source,
  { log, payments, today, workspace }: Round,
): AsyncGenerator<PayableDocument & { dueOn: string }> {
  const first = daysLater(today, -Math.max(...payments, 0) - lasting)
  const last = daysLater(today, -Math.min(...payments, 0))
  let after: string | undefined
  for (let read = 0; read < mostRead; read += page) {
    const { items, next } = await list(ports, { size: page, after })
    for (const it of items) {
      if (it.dueOn === null || it.dueOn < first) continue
      if (it.dueOn > last) return
      yield { ...it, dueOn: it.dueOn }
    }
    if (!next) return
    after = next
  }
  log.warn({ workspace: workspace.slug, section }, 'a client has more to pay than is read for reminders')
}

interface Untold {
  section: string
  id: string
  person: string
}

const keyOf = ({ section, id }: { section: string; id: string }) => `${section}/${id}`

/** Who was not told yet of what. */
const untoldOf = (sources: Source[], coming: Coming[], { database, workspace }: Round): Promise<Untold[]> =>
  readWithin<Untold>(
    database,
    { workspace: workspace.id },
    {
      text: `select d.section, d.id, r.person
             from jsonb_to_recordset($3) d (section text, id text, moment date)
               join jsonb_to_recordset($4) r (section text, person uuid) on r.section = d.section
             where not exists (select from portal.client_reminders t
               where t.workspace_id = scope.workspace and t.kind = 'due' and t.section = d.section
                 and t.document_id = d.id and t.version = 0 and t.due_on = d.moment and t.person_id = r.person)`,
      values: [
        JSON.stringify(coming.map(({ section, id, moment }) => ({ section, id, moment }))),
        JSON.stringify(sources.flatMap(({ section, people }) => people.map(it => ({ section, person: it.id })))),
      ],
    },
  )

/** What of them is still left to pay, beside what is on its way and what is disputed, the first due first. */
async function dueOf(coming: Coming[], { client }: Audience, { capability, workspace }: Round): Promise<Due[]> {
  if (!coming.length) return []
  // Asked before the balances: what is booked in between is then taken off twice, and nobody told of it.
  const underWay = await capability('paying')?.underWay({ workspace: workspace.id, client })
  const disputed = await capability('comments')?.disputed({ workspace: workspace.id, client })
  const dues: Due[] = []
  const sorted = coming.toSorted((a, b) => (a.dueOn < b.dueOn ? -1 : 1))
  for (const [at, { source, section, id, moment, dueOn, listed }] of sorted.entries()) {
    const found = at < mostFresh ? await source.find(source.ports, id).catch(gone) : listed
    if (found?.dueOn !== dueOn) continue
    const { number, balance, overdue } = found
    const rest = underWay?.({ section, id, balance }) ?? { left: balance, beingPaid: false }
    if (rest.beingPaid || disputed?.has(keyOf({ section, id })) || Number(rest.left.amount) <= 0) continue
    dues.push({ section, id, moment, number, dueOn, overdue, left: rest.left })
  }
  return dues
}

/** Ids of people who can pay here. */
function payersOf({ client, of }: Audience, round: Round): Set<string> {
  const paying = round.capability('paying')
  const section = round.plugins.find(it => it.name === paying?.section)
  const people = paying && section ? of({ section, may: paying.may, on: [] }) : []
  const there = people[0] && section && section.name in portsOf(round, client, people[0])
  return new Set(there ? people.map(it => it.id) : [])
}
