import type { Customer } from '../../crm.ts'
import type { Check } from '../checks.ts'
import { many, type RealRows, reasonOf } from './rows.ts'
import type { Sample } from './sample.ts'

/** Asks every question of the map on real rows: of each section, the directory and the sign-in with the CRM's passwords. */
export async function checkQuestions(rows: RealRows, sample: Sample): Promise<Check> {
  const failed = new Map<string, string>()
  const notes: string[] = []
  let asked = 0
  const attempt: Attempt = async (section, name, question) => {
    if (rows.isOver()) return undefined
    asked++
    return question().catch(error => {
      const sentence = `${section}: ${name} fails on real rows: ${reasonOf(error)}`
      if (!failed.has(sentence)) failed.set(sentence, sentence)
      return undefined
    })
  }
  const customers = oneOfEach(sample.customers)
  for (const it of customers) await askPorts(rows, it, attempt)
  const contacts = []
  for (const it of sample.customers) contacts.push(await askDirectory(rows, it, attempt))
  await askStaff(rows, customers, attempt)
  await askIdentities(rows, sample, contacts.flat()[0]?.email, attempt)
  if (!rows.isOver() && !contacts.flat().length)
    notes.push(
      `contacts: none of these ${many(contacts.length, 'client')} has a person with an e-mail address to invite`,
    )
  if (rows.isOver()) notes.push('there was no time for all of them: the database answers slowly')
  return {
    label: `every question is answered on real rows: ${many(asked, 'question')} as ${many(customers.length, 'client')}`,
    problems: [...failed.keys()],
    notes,
  }
}

type Attempt = <T>(section: string, name: string, question: () => Promise<T>) => Promise<T | undefined>

/** Of each workspace the two with the most documents: the others are asked for their lists alone. */
const oneOfEach = (customers: Customer[]) =>
  [...Map.groupBy(customers, it => it.workspace.id).values()].flatMap(its => its.slice(0, 2))

async function askPorts({ compiled, ask }: RealRows, customer: Customer, attempt: Attempt) {
  for (const [section, portOf] of compiled.ports) {
    const port = portOf(ask, customer) as Listing
    const first = await attempt(section, 'its list', async () => port.list?.({ sort: 'newest', size: 1 }))
    const known = { id: first?.items[0]?.id, today: customer.today }
    const questions = compiled.questions.get(section)?.(port, known) ?? {}
    for (const [name, question] of Object.entries(questions)) await attempt(section, name, question)
  }
}

/** As every port of a section that lists something is. */
export interface Listing {
  list?(filter: object): Promise<{ items: { id: string }[]; next: string | null }>
}

async function askDirectory({ compiled, ask }: RealRows, { workspace, client }: Customer, attempt: Attempt) {
  const directory = compiled.directory(ask)
  await attempt('clients', 'the search for a client', () => directory.clients(workspace, client.name.slice(0, 20)))
  await attempt('workspaces', 'the logo', () => directory.logo(workspace))
  const contacts = (await attempt('contacts', 'the list', () => directory.contacts(workspace, client.id))) ?? []
  const ids = contacts.slice(0, 20).map(it => it.id)
  await attempt('contacts', 'who has left', () => directory.stillThere(workspace, ids))
  return contacts
}

/** Whom mails to staff go to. */
async function askStaff({ compiled, ask }: RealRows, customers: Customer[], attempt: Attempt) {
  const owner = compiled.owners?.(ask)
  const admins = compiled.admins?.(ask)
  for (const { workspace, client } of customers) {
    for (const section of owner ? compiled.ports.keys() : [])
      await attempt('owners', `who looks after ${section}`, () =>
        owner!(workspace, { section, id: '1', client: client.id }),
      )
    if (admins) await attempt('staff', 'who administers the workspace', () => admins(workspace))
  }
}

async function askIdentities({ compiled, ask }: RealRows, sample: Sample, email: string | undefined, attempt: Attempt) {
  for (const section of ['identity', 'staff'] as const) {
    const identity = compiled[section]?.(ask)
    if (!identity) continue
    for (const workspace of sample.workspaces.slice(0, 3)) {
      await attempt(section, 'the look-up by address', () =>
        identity.named(workspace, email ?? 'nobody@portico.invalid'),
      )
      await attempt(section, 'the look-up by id', () => identity.find(workspace, '1'))
    }
  }
}
