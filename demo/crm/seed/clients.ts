import type { Faker } from '@faker-js/faker'
import { type Company, companies } from './companies.ts'
import { at, type Calendar } from './dates.ts'
import { peopleAt } from './people.ts'
import type { Rows } from './rows.ts'
import type { Workspace } from './workspaces.ts'

export type Client = {
  id: number
  workspaceId: number
  staffId: number
  name: string
  role: NonNullable<Company['role']> | 'ordinary'
  currency: string
  abroad: boolean
  paymentDays: number
  contacts: { id: number; name: string; email: string }[]
}

export type Setting = {
  rows: Rows
  faker: Faker
  days: Calendar
  workspace: Workspace
  workspaceId: number
  staffIds: number[]
}

const perWorkspace = 30

const titles: Record<string, string> = {
  admin: 'Managing director',
  approver: 'Head of purchasing',
  billing: 'Accounts payable',
  member: 'Project coordinator',
  viewer: 'Assistant',
}

export function writeClients(setting: Setting): Client[] {
  return companiesOf(setting).map((company, index) => writeClient(setting, company, index))
}

function companiesOf({ workspace, faker }: Setting): Company[] {
  const named = companies[workspace.slug]!
  const names = new Set(named.map(company => company.name))
  while (names.size < perWorkspace) names.add(faker.company.name())
  return [...named, ...[...names].slice(named.length).map(name => ({ name }))]
}

function writeClient(setting: Setting, company: Company, index: number): Client {
  const { rows, faker, days, workspace, workspaceId, staffIds } = setting
  const since = days.day(-faker.number.int({ min: 760, max: 2400 }))
  const staffId = company.role ? staffIds[0]! : faker.helpers.arrayElement(staffIds)
  const currency = company.currency ?? workspace.currency
  const country = company.country ?? workspace.country
  const paymentDays = company.role === 'showcase' ? 30 : faker.helpers.arrayElement([14, 14, 30, 30, 30, 45])
  const domain = `client${workspaceId}${String(index + 1).padStart(2, '0')}.example`
  const id = rows.add('clients', {
    workspace_id: workspaceId,
    client_no: String(10_001 + index),
    company_name: company.name,
    legal_name: company.legal ?? null,
    address_line1: company.street ?? faker.location.streetAddress(),
    address_line2: index % 9 === 4 ? 'Unit 3' : null,
    postcode: company.postcode ?? faker.location.zipCode(),
    city: company.city ?? faker.location.city(),
    country,
    currency,
    vat_no: index % 7 === 6 ? null : `${country}${faker.string.numeric(9)}`,
    phone: faker.phone.number(),
    website: `https://${domain}`,
    payment_days: paymentDays,
    account_manager: staffId,
    notes: index % 5 === 3 ? 'Pays late in summer. Do not call before ten.' : null,
    archived: !company.role && index > 27,
    created: at(since, '09:00'),
    modified: at(since, '09:30'),
  })
  const client: Client = {
    id,
    workspaceId,
    staffId,
    name: company.name,
    role: company.role ?? 'ordinary',
    currency,
    abroad: country !== workspace.country,
    paymentDays,
    contacts: [],
  }
  client.contacts = writeContacts(setting, client, company, domain, since)
  return client
}

function writeContacts(
  { rows, faker, workspace, days }: Setting,
  client: Client,
  company: Company,
  domain: string,
  since: string,
) {
  const known = peopleAt(workspace.slug, company.name).map(person => ({
    ...split(person.name),
    email: person.email,
    job: titles[person.role]!,
    language: workspace.language,
    left: null as string | null,
  }))
  const given = (company.contacts ?? []).map(([first, last, language], index) => ({
    first,
    last,
    email: `office${index + 1}@${domain}`,
    job: faker.person.jobTitle(),
    language,
    left: null,
  }))
  const wanted = company.contacts ? 0 : Math.max(0, faker.number.int({ min: 2, max: 3 }) - known.length)
  const others = Array.from({ length: wanted }, () => stranger(faker, domain, workspace.language, null))
  const former = client.id % 6 === 1 ? [stranger(faker, domain, workspace.language, days.day(-40))] : []
  const all = [...known, ...given, ...others, ...former]
  if (all.length === 1) all.push(stranger(faker, domain, workspace.language, null))
  return all.map((contact, index) => ({
    id: rows.add('contacts', {
      client_id: client.id,
      first_name: contact.first,
      last_name: contact.last,
      email: contact.email,
      phone: faker.phone.number(),
      job_title: contact.job,
      language: contact.language,
      is_primary: index === 0,
      left_on: contact.left,
      created: at(since, '09:10'),
      modified: at(contact.left ?? since, '09:40'),
    }),
    name: `${contact.first} ${contact.last}`,
    email: contact.email,
  }))
}

function stranger(faker: Faker, domain: string, language: string, left: string | null) {
  const first = faker.person.firstName()
  const last = faker.person.lastName()
  const mailbox = faker.helpers.slugify(`${first}.${last}`.normalize('NFD').replace(/[\u0300-\u036f]/g, ''))
  return { first, last, email: `${mailbox.toLowerCase()}@${domain}`, job: faker.person.jobTitle(), language, left }
}

function split(name: string): { first: string; last: string } {
  const [first, ...rest] = name.split(' ')
  return { first: first!, last: rest.join(' ') }
}
