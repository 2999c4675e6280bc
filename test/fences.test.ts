import { expect } from 'chai'
import { adapter } from '../demo/adapter/adapter.ts'
import { role } from '../demo/portal-database.ts'
import { type Customer, columnsOf } from '../src/index.ts'
import { query, readWithin, within } from '../src/platform/database.ts'
import { type Copy, today } from './database.ts'
import { leave, open } from './visit.ts'

/** Each fence is tried with the others out of the way. */
describe('the fences around a client’s data', () => {
  let copy: Copy
  let acme: Ids
  let halloran: Ids

  before(async () => {
    const scene = await open()
    copy = scene
    for (const it of ['owner', 'neighbour', 'stranger'] as const) await scene.visit(it)
    acme = await idsOf(copy, 'Acme Bakery')
    halloran = await idsOf(copy, 'Halloran & Sons')
  })

  after(leave)

  it('ports are bound to their customer, also for a role that may read everything', async () => {
    const ports = adapter(copy.owner).connect(customer(acme))
    for (const section of ['invoices', 'proposals'] as const) {
      const foreign = await copy.owner(section).where({ client_id: halloran.client }).select('id')
      expect(foreign).to.not.be.empty
      for (const { id } of foreign)
        expect(await refusal(ports[section]!.find(String(id)))).to.have.property('code', 'not-found')
    }
  })

  it('ports do not take the client of one workspace for that of another', async () => {
    const [other] = await copy.owner('workspaces').where({ slug: 'harbor' }).select('id')
    const lost = adapter(copy.owner).connect(customer({ ...acme, workspace: String(other.id) }))

    expect((await lost.invoices!.list({ sort: 'newest', size: 10 })).items).to.be.empty
    expect((await lost.proposals!.list({ sort: 'newest', size: 10 })).items).to.be.empty
  })

  it('every table of Portico’s begins its key with the workspace, except sessions and activation', async () => {
    const { rows } = await copy.owner.raw(`
      select c.relname as name, (select attname from pg_attribute a where a.attrelid = c.oid and a.attnum = i.indkey[0]) as first
      from pg_class c left join pg_index i on i.indrelid = c.oid and i.indisprimary
      where c.relnamespace = 'portal'::regnamespace and c.relkind = 'r' and c.relname !~ '^migrations'`)

    expect(rows).to.have.length.above(4)
    for (const { name, first } of rows) expect(first, name).to.equal(keys[name] ?? 'workspace_id')
  })

  it('row-level security is forced on every table of Portico’s, except sessions and activation', async () => {
    const { rows } = await copy.owner.raw(`
      select relname as name, relrowsecurity and relforcerowsecurity as forced from pg_class
      where relnamespace = 'portal'::regnamespace and relkind in ('r', 'p') and relname !~ '^migrations'`)

    for (const { name, forced } of rows) expect(forced, name).to.equal(!(name in keys))
  })

  it('row-level security shows no row outside of a scope, and only the workspace’s within one', async () => {
    const tables = ['client_users', 'client_memberships', 'client_activity_logs']
    for (const table of tables) {
      const all = `select distinct workspace_id from portal.${table}`
      expect(await query(copy.database, { text: all }), table).to.be.empty
      expect(
        await within(copy.database, { workspace: acme.workspace }, tx => query(tx, { text: all })),
        table,
      ).to.deep.equal([{ workspace_id: acme.workspace }])
      expect(await readWithin(copy.database, { workspace: acme.workspace }, { text: all })).to.deep.equal([
        { workspace_id: acme.workspace },
      ])
      expect(await within(copy.database, { workspace: '' }, tx => query(tx, { text: all })), table).to.be.empty
    }
  })

  it('row-level security shows a client only its own activity', async () => {
    const all = 'select distinct client_id from portal.client_activity_logs'
    const scope = { workspace: acme.workspace, client: acme.client }

    expect(await within(copy.database, scope, tx => query(tx, { text: all }))).to.deep.equal([
      { client_id: acme.client },
    ])
    expect(
      (await within(copy.database, { workspace: acme.workspace }, tx => query(tx, { text: all }))).length,
    ).to.be.above(1)
  })

  it('row-level security lets nobody write into another workspace', async () => {
    const write = (workspace: string) =>
      within(copy.database, { workspace: acme.workspace }, tx =>
        tx('portal.client_activity_logs').insert({ workspace_id: workspace, event: 'x', actor_kind: 'system' }),
      )

    expect(await refusal(write(acme.workspace))).to.equal(undefined)
    expect(String(await refusal(write('2000')))).to.include('row-level security')
  })

  it('a scope ends with its transaction or statement, on every connection of the pool', async () => {
    await Promise.all(
      Array.from({ length: 20 }, () => readWithin(copy.database, { workspace: acme.workspace }, { text: 'select 1' })),
    )
    const after = await Promise.all(
      Array.from({ length: 20 }, () => query(copy.database, { text: 'select id from portal.client_users' })),
    )

    expect(after.flat()).to.be.empty
  })

  it('Portico’s role owns nothing, bypasses nothing and has no more than it was given', async () => {
    const [{ super: superuser, bypass, owned }] = await query(copy.owner, {
      text: `select rolsuper as super, rolbypassrls as bypass,
               (select count(*)::int from pg_class where relowner = r.oid) as owned from pg_roles r where rolname = $1`,
      values: [role],
    })
    expect({ superuser, bypass, owned }).to.deep.equal({ superuser: false, bypass: false, owned: 0 })

    const granted = await query(copy.owner, {
      text: `select table_name, column_name, privilege_type from information_schema.column_privileges
             where grantee = $1 and table_schema = 'public'`,
      values: [role],
    })
    const { reads, writes, adds = {} } = adapter(copy.owner)
    const needed = (privilege: string, its: typeof writes) =>
      Object.entries(columnsOf(its!)).flatMap(([table, columns]) =>
        columns.map(it => `${privilege} ${table.replace('public.', '')}.${it}`),
      )
    expect(granted.map(it => `${it.privilege_type} ${it.table_name}.${it.column_name}`)).to.have.members([
      ...needed('SELECT', reads),
      ...needed('UPDATE', writes),
      ...needed('INSERT', adds),
    ])
    for (const text of [
      'select password_hash from public.staff',
      'select * from public.invoices',
      'select body from public.comments',
      `update public.invoices set subject = 'x'`,
      'delete from public.proposals',
      'update portal.client_activity_logs set event = event',
      'delete from portal.client_activity_logs',
      'create table portal.mine ()',
      'truncate portal.client_sessions',
    ]) {
      expect(String(await refusal(query(copy.database, { text }))), text).to.include('permission denied')
    }
  })

  it('a session is stored only under the hash of its id, which opens nothing', async () => {
    const { visit } = await open()
    const owner = await visit('owner')
    const id = /s%3A([\w-]+)\./.exec(owner.cookie)?.[1]
    const stored = await copy.owner('portal.client_sessions').select('sid')

    expect(id).to.have.length(43)
    expect(stored.map(it => it.sid)).to.not.include(id)
    for (const { sid } of stored) {
      const answer = await (await visit()).get('/account').set('Cookie', `portico.sid=s%3A${sid}.forged`)
      expect(answer.status).to.equal(303)
    }
  })
})

/** Those that are no single workspace's. */
const keys: Record<string, string> = { client_sessions: 'sid', activation: 'singleton', secret_in_use: 'id' }

interface Ids {
  workspace: string
  client: string
}

async function idsOf({ owner }: Copy, company: string): Promise<Ids> {
  const it = await owner('clients').where({ company_name: company }).first('id', 'workspace_id')
  return { workspace: String(it.workspace_id), client: String(it.id) }
}

const customer = ({ workspace, client }: Ids): Customer => ({
  workspace: { id: workspace, slug: 'x', name: 'X', letterhead: [], timeZone: 'Europe/Amsterdam' },
  client: { id: client, name: '' },
  person: { id: '', name: '', email: '' },
  role: 'admin',
  today,
})

const refusal = (asked: Promise<unknown>) =>
  asked.then(
    () => undefined,
    error => error,
  )
