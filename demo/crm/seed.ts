import { createHash } from 'node:crypto'
import { Faker } from '@faker-js/faker'
import type { Knex } from 'knex'
import { hashPassword } from './password.ts'
import { type Client, type Setting, writeClients } from './seed/clients.ts'
import { at, calendar, year } from './seed/dates.ts'
import { planInvoices } from './seed/invoices.ts'
import { logos } from './seed/logos.ts'
import { numberSeries } from './seed/numbers.ts'
import { planProposals, planQuotations } from './seed/offers.ts'
import { type Invoice, type Offer, writeInvoice, writeOffer } from './seed/papers.ts'
import { people, staffOf } from './seed/people.ts'
import { collectRows, type Rows } from './seed/rows.ts'
import { acmeInvoices } from './seed/showcase/invoices.ts'
import { acmeProposals } from './seed/showcase/proposals.ts'
import { writeAcmeTalk } from './seed/showcase/talk.ts'
import { writeComments, writeWork } from './seed/work.ts'
import { type Workspace, workspaces } from './seed/workspaces.ts'

export async function seedCrm(knex: Knex, { today }: { today: string }): Promise<void> {
  const rows = collectRows()
  for (const [index, workspace] of workspaces.entries()) await writeWorkspace(rows, workspace, index, today)
  await knex.transaction(async transaction => {
    await rows.insert(transaction)
    await checkPeople(transaction)
  })
  await knex.raw('analyze')
}

async function writeWorkspace(rows: Rows, workspace: Workspace, index: number, today: string): Promise<void> {
  const days = calendar(today)
  const faker = new Faker({ locale: workspace.locale, seed: 2019 + index })
  faker.setDefaultRefDate(`${today}T00:00:00Z`)
  const workspaceId = rows.add('workspaces', {
    ...workspace.row,
    logo_svg: logos[workspace.slug] ?? null,
    created: at(days.day(-2500), '08:00'),
  })
  const staffIds = await writeStaff(rows, workspace, workspaceId, at(days.day(-2500), '08:10'))
  const setting: Setting = { rows, faker, days, workspace, workspaceId, staffIds }
  const clients = writeClients(setting)
  const showcase = clients.find(client => client.role === 'showcase')
  const offers = [
    ...clients.flatMap(client => planProposals(setting, client)),
    ...clients.flatMap(client => planQuotations(setting, client)),
    ...(showcase ? acmeProposals(setting, showcase) : []),
  ]
  const invoices = [
    ...clients.flatMap(client => planInvoices(setting, client)),
    ...(showcase ? acmeInvoices(setting, showcase) : []),
  ]
  const written = writePapers(rows, offers, invoices)
  for (const client of clients) {
    writeWork(setting, client)
    for (const [kind, papers] of written) {
      writeComments(
        setting,
        client,
        kind,
        papers.filter(paper => paper.client === client).map(paper => paper.id),
      )
    }
  }
  const winter = written.get('proposal')!.find(paper => paper.client === showcase && paper.number === 31)
  if (showcase && winter) writeAcmeTalk(setting, showcase, winter.id)
}

async function writeStaff(rows: Rows, workspace: Workspace, workspaceId: number, created: string): Promise<number[]> {
  const staff = staffOf(workspace.slug)
  const hashes = await Promise.all(staff.map(person => hashPassword(person.password, saltFor(person.email))))
  return staff.map((person, index) =>
    rows.add('staff', {
      workspace_id: workspaceId,
      full_name: person.name,
      email: person.email,
      password_hash: hashes[index]!,
      is_admin: person.role === 'admin',
      title: person.role === 'admin' ? 'Partner' : 'Account manager',
      phone: null,
      created,
    }),
  )
}

function saltFor(email: string): Buffer {
  return createHash('sha256').update(email).digest().subarray(0, 16)
}

type Written = { id: number; client: Client; number?: number }

function writePapers(rows: Rows, offers: Offer[], invoices: Invoice[]): Map<string, Written[]> {
  const numbers = numberSeries()
  for (const { kind, created, number } of offers) {
    if (number !== undefined) numbers.reserve(kind === 'proposal' ? 'P' : 'Q', year(created), number)
  }
  for (const { issued, number, credit } of invoices) {
    if (number !== undefined) numbers.reserve('', year(issued!), number)
    if (credit?.number !== undefined) numbers.reserve('C', year(credit.day), credit.number)
  }
  const written = new Map<string, Written[]>([
    ['proposal', []],
    ['quotation', []],
    ['invoice', []],
  ])
  for (const offer of offers.sort(byDay)) {
    written.get(offer.kind)!.push({ id: writeOffer(rows, numbers, offer), client: offer.client, number: offer.number })
  }
  for (const invoice of invoices.sort(byDay)) {
    written.get('invoice')!.push({ id: writeInvoice(rows, numbers, invoice), client: invoice.client })
  }
  return written
}

function byDay(one: { created: string }, other: { created: string }): number {
  if (one.created === other.created) return 0
  return one.created < other.created ? -1 : 1
}

async function checkPeople(knex: Knex): Promise<void> {
  const contacts = await knex('contacts as c')
    .join('clients as k', 'k.id', 'c.client_id')
    .join('workspaces as w', 'w.id', 'k.workspace_id')
    .whereNull('c.left_on')
    .select('w.slug', 'k.company_name', 'c.email')
  const staff = await knex('staff as s').join('workspaces as w', 'w.id', 's.workspace_id').select('w.slug', 's.email')
  const known = new Set([
    ...contacts.map(row => `${row.slug} ${row.company_name} ${row.email}`),
    ...staff.map(row => `${row.slug} null ${row.email}`),
  ])
  const missing = people.filter(person => !known.has(`${person.workspace} ${person.client} ${person.email}`))
  if (missing.length > 0)
    throw new Error(`in people.json but not in the CRM: ${missing.map(person => person.email).join(', ')}`)
}
