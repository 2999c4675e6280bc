import { expect } from 'chai'
import { preparePortal, role } from '../demo/portal-database.ts'
import { migrate, rollback } from '../src/index.ts'
import { fresh } from './database.ts'
import { fingerprint } from './fingerprint.ts'
import { leave, open, type Role } from './visit.ts'

describe('the CRM’s database', () => {
  afterEach(leave)

  it('is as it was after Portico is installed, used by everybody, and removed', async () => {
    const copy = await fresh('crm')
    await grant(copy)
    const before = await fingerprint(copy.owner)

    expect(await migrate(copy.owner, { role })).to.not.be.empty
    expect(await fingerprint(copy.owner)).to.deep.equal(before)
    expect(await migrate(copy.owner, { role })).to.be.empty

    await rollback(copy.owner, { role })
    expect(await fingerprint(copy.owner)).to.deep.equal(before)
    expect(await copy.owner('pg_namespace').where({ nspname: 'portal' }).select('oid')).to.be.empty
  })

  it('keeps every row while clients read and staff switch settings', async () => {
    const scene = await open()
    const admin = await scene.visit('admin')
    const people = await Promise.all((['owner', 'billing', 'twofold', 'newcomer'] as Role[]).map(scene.visit))
    const before = await fingerprint(scene.owner)

    for (const person of people) {
      for (const path of [
        '/',
        '/proposals',
        '/invoices',
        '/invoices?status=overdue&search=shop&sort=amount',
        '/account',
      ])
        await person.get(path)
      for (const section of ['invoices', 'proposals']) {
        const { body } = await person.api(`/${section}`)
        for (const { id } of body.items ?? []) await person.get(`/${section}/${id}`)
      }
      await person.post('/sign-out')
    }
    await admin.postAt('/settings/client-portal/visibility', { 'was.invoices': 'on' })

    expect(await scene.database('portal.client_sessions').count()).to.deep.equal([{ count: '0' }])
    expect(changed(before, await fingerprint(scene.owner))).to.deep.equal([])
  })

  it('would show in the fingerprint if anything of it were changed', async () => {
    const { owner } = await fresh('crm')
    const changes = [
      `update clients set notes = 'x' where id = 1`,
      'create index on payments (paid_on)',
      'alter table staff add x int',
      'grant select on staff to public',
      'alter table tasks enable row level security',
      `alter table staff alter title set default 'x'`,
      'create view spying as select * from staff',
      `select nextval(pg_get_serial_sequence('tasks', 'id'))`,
      'create trigger t before insert on tasks for each row execute function touch_modified()',
    ]
    let before = await fingerprint(owner)
    for (const change of changes) {
      await owner.raw(change)
      const after = await fingerprint(owner)
      expect(after, change).to.not.deep.equal(before)
      before = after
    }
  })

  it('has no foreign key, view, trigger or rule of Portico’s on it', async () => {
    const { owner } = await fresh()
    const { rows } = await owner.raw(`
      select conname as name from pg_constraint where connamespace = 'portal'::regnamespace and contype = 'f'
        and confrelid not in (select oid from pg_class where relnamespace = 'portal'::regnamespace)
      union all
      select c.relname from pg_class c where relnamespace = 'portal'::regnamespace and relkind in ('v', 'm')`)

    expect(rows).to.deep.equal([])
  })
})

const changed = (before: string[], after: string[]) => {
  const known = new Set(before)
  // The CRM keeps the sessions of its own staff, who came by.
  return after.filter(it => !known.has(it) && !it.startsWith('rows public.user_sessions'))
}

/** The grants on the CRM's tables are the developer's doing and no part of a migration. */
async function grant({ owner }: { owner: Parameters<typeof preparePortal>[0] }) {
  await preparePortal(owner, 'only-in-tests')
  await rollback(owner, { role })
}
