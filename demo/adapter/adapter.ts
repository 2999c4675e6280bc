import { globSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Knex } from 'knex'
import {
  adapterOf,
  type Client,
  type Colleague,
  type Columns,
  type ContactChange,
  type ContactField,
  type ContactOf,
  type Crm,
  type Customer,
  type Directory,
  type OwnedRecord,
  query,
} from '../../src/index.ts'
import { of } from './columns.ts'
import { pages, writingMap } from './map.ts'
import { containing } from './sql.ts'

/** What this CRM has for one of Portico's plugins: a file of its name here. */
export interface AdapterPart {
  reads: Columns
  writes?: Columns
  adds?: Columns
  port(database: Knex, customer: Customer): object
}

const require = createRequire(import.meta.url)
const own = ['adapter', 'columns', 'map', 'sql']
const parts = new Map(
  globSync('[a-z]*.ts', { cwd: import.meta.dirname })
    .map(it => it.slice(0, -3))
    .filter(it => !own.includes(it))
    .sort()
    .map((name): [string, AdapterPart] => [name, require(join(import.meta.dirname, `${name}.ts`)).default]),
)

/** How Portico reads this CRM. `database` is connected as Portico's own role, which has only the grants of `reads`. */
export const adapter = (database: Knex): Crm =>
  process.env.PORTICO_ADAPTER === 'map' ? adapterOf({ ...writingMap, pages }, database) : byHand(database)

export const byHand = (database: Knex): Crm => ({
  directory: directory(database),
  connect: (customer: Customer, tx) => eachPart(it => it.port(tx ?? database, customer)),
  reads: { directory: of('workspaces', 'clients', 'contacts'), owners: ownerColumns, ...eachPart(it => it.reads) },
  writes: { directory: { contacts: ['email', 'phone'] }, ...eachPart(it => it.writes) },
  adds: eachPart(it => it.adds),
  pages,
})

/** What is read to find who mails about a document go to. */
const ownerColumns: Columns = {
  staff: ['id', 'workspace_id', 'full_name', 'email', 'is_admin'],
  clients: ['id', 'workspace_id', 'account_manager'],
  proposals: ['id', 'client_id', 'owner_id'],
  quotations: ['id', 'client_id', 'prepared_by'],
}

const eachPart = <T>(give: (it: AdapterPart) => T | undefined): Record<string, T> =>
  Object.fromEntries(
    [...parts].flatMap(([name, it]) => {
      const given = give(it)
      return given === undefined ? [] : [[name, given]]
    }),
  )

const directory = (database: Knex): Directory => ({
  workspace: slug => findWorkspace(database, slug),
  client: (workspace, id) => findClient(database, workspace.id, id),
  stillThere: (workspace, contacts) => stillThere(database, workspace.id, contacts),
  clients: (workspace, search) => searchClients(database, workspace.id, search),
  clientsOfDocuments: (workspace, search) => clientsOfDocuments(database, workspace.id, search),
  logo: workspace => readLogo(database, workspace.id),
  contacts: (workspace, client) => contactsOf(database, workspace.id, client),
  changeContact: (workspace, of, change) => changeContact(database, workspace.id, of, change),
  owner: (workspace, record) => findOwner(database, workspace.id, record),
  admins: workspace => findAdmins(database, workspace.id),
})

async function findWorkspace(database: Knex, slug: string) {
  const [row] = await query(database, {
    name: 'crm.workspace',
    text: `select id::text, slug, name, time_zone as "timeZone", colour,
             array_remove(array[legal_name, address_line1, address_line2, postcode || ' ' || city,
                                'VAT ' || vat_no], null) as letterhead
           from public.workspaces where slug = $1`,
    values: [slug],
  })
  return row
}

async function findClient(database: Knex, workspace: string, id: string) {
  const [row] = await query<Client>(database, {
    name: 'crm.client',
    text: `select id::text, company_name as name,
             array_remove(array[coalesce(legal_name, company_name), address_line1, address_line2,
                                postcode || ' ' || city], null) as address
           from public.clients where workspace_id = $1 and id::text = $2 and not archived`,
    values: [workspace, id],
  })
  return row
}

async function stillThere(database: Knex, workspace: string, contacts: readonly string[]) {
  const rows = await query<{ id: string }>(database, {
    name: 'crm.stillThere',
    text: `select p.id::text from public.contacts p join public.clients c on c.id = p.client_id
           where c.workspace_id = $1 and p.id::text = any($2) and p.left_on is null and not c.archived`,
    values: [workspace, contacts],
  })
  return rows.map(it => it.id)
}

const searchClients = (database: Knex, workspace: string, search: string) =>
  query<Client>(database, {
    name: 'crm.clients',
    text: `select id::text, company_name as name, array_remove(array[postcode || ' ' || city], null) as address
           from public.clients where workspace_id = $1 and not archived and company_name ilike $2
           order by lower(company_name), id limit 20`,
    values: [workspace, containing(search)],
  })

async function clientsOfDocuments(database: Knex, workspace: string, search: string) {
  const rows = await query<{ id: string }>(database, {
    name: 'crm.clients_of_documents',
    text: `select distinct d.client_id::text as id from (
             select p.client_id, p.workspace_id, p.ref_no, p.title from public.proposals p where p.deleted_at is null
             union all
             select q.client_id, q.workspace_id, q.ref_no, q.subject from public.quotations q where q.deleted_at is null
             union all
             select i.client_id, i.workspace_id, i.ref_no, i.subject from public.invoices i where i.deleted_at is null) d
           where d.workspace_id = $1 and (d.ref_no ilike $2 or d.title ilike $2) limit 10`,
    values: [workspace, containing(search)],
  })
  return rows.map(it => it.id)
}

async function readLogo(database: Knex, workspace: string) {
  const [row] = await query<{ logo: string | null }>(database, {
    name: 'crm.logo',
    text: 'select logo_svg as logo from public.workspaces where id = $1',
    values: [workspace],
  })
  return row?.logo ? Buffer.from(row.logo) : undefined
}

const contactsOf = (database: Knex, workspace: string, client: string) =>
  query(database, {
    name: 'crm.contacts',
    text: `select p.id::text, p.first_name || ' ' || p.last_name as name, lower(p.email) as email, p.language,
             coalesce(p.phone, '') as phone
           from public.contacts p join public.clients c on c.id = p.client_id
           where c.workspace_id = $1 and c.id::text = $2 and p.email is not null and p.left_on is null
           order by p.id`,
    values: [workspace, client],
  })

/** Of a name, nobody can tell where the first ends and the last begins: staff change it by hand. */
async function changeContact(
  database: Knex,
  workspace: string,
  { client, contact }: ContactOf,
  { email, phone }: ContactChange,
): Promise<ContactField[]> {
  const rows = await query(database, {
    name: 'crm.changeContact',
    text: `update public.contacts p set email = coalesce($4, p.email),
             phone = case when $5::text is null then p.phone else nullif($5, '') end
           where p.id::text = $3 and p.client_id::text = $2 and p.left_on is null
             and exists (select from public.clients c where c.id = p.client_id and c.workspace_id = $1)
           returning 1`,
    values: [workspace, client, contact, email ?? null, phone ?? null],
  })
  if (!rows.length) return []
  return [...(email === undefined ? [] : ['email' as const]), ...(phone === undefined ? [] : ['phone' as const])]
}

/** The owner of a proposal or quotation, or else the account manager of the client. */
async function findOwner(database: Knex, workspace: string, { section, id, client }: OwnedRecord) {
  const [row] = await query<Colleague>(database, {
    name: 'crm.owner',
    text: `select s.full_name as name, lower(s.email) as email
           from public.clients c join public.staff s on s.id = coalesce(
             (select p.owner_id from public.proposals p
              where $3 = 'proposals' and p.id::text = $4 and p.client_id = c.id),
             (select q.prepared_by from public.quotations q
              where $3 = 'quotations' and q.id::text = $4 and q.client_id = c.id),
             c.account_manager)
           where c.workspace_id = $1 and c.id::text = $2 and s.workspace_id = c.workspace_id`,
    values: [workspace, client, section, id],
  })
  return row
}

const findAdmins = (database: Knex, workspace: string) =>
  query<Colleague>(database, {
    name: 'crm.admins',
    text: `select full_name as name, lower(email) as email from public.staff
           where workspace_id = $1 and is_admin order by id`,
    values: [workspace],
  })
