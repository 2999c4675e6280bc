import { expect } from 'chai'
import { leave, open, type Scene } from '../../test/visit.ts'
import { readInFull, stopwatch } from '../../test/volume.ts'

/** Clients, each with a request of forty items. */
const many = 20_000
const settings = '/settings/client-portal/requests'
const idOf = (prefix: string, at: string) => `('${prefix}-0000-7000-8000-' || lpad((${at})::text, 12, '0'))::uuid`
const request = idOf('0199a000', 'i')

const tables = ['client_request_sendings', 'client_requests', 'client_request_items']
/** What a client's pages read. */
const read = ['client_requests', 'client_request_items', 'client_request_files']

/** Ten sendings; a fifth of the requests has something to check, a third is finished. The first client has 2,000. */
async function fill({ owner }: Scene) {
  for (const it of tables) await owner.raw(`alter table portal.${it} no force row level security`)
  const clients = `(select jsonb_agg(jsonb_build_object('id', n::text, 'name', 'Client ' || n)) from generate_series(1, case when i < 10 then 2000 else 1 end) n)`
  const rows = [
    `client_request_sendings (workspace_id, id, content, name, about, clients, by_id, by_name)
     select '1', ${idOf('0399a000', 'i')}, '[]', 'Year ' || i, '', ${clients}, '1', 'Marta' from generate_series(0, 2009) i`,
    `client_requests (workspace_id, id, client_id, client_name, sending_id, name, due_on, items, done, to_review, files, by_name)
     select '1', ${request}, case when i % 10 = 0 then '1' else (100 + i)::text end, 'Client ' || i, ${idOf('0399a000', 'case when i % 10 = 0 then i / 10 + 9 else i % 10 end')}, 'Year ' || i % 10,
       case when i % 7 = 0 then null else date '2026-01-01' + i % 700 end, 40, case when i % 3 = 0 then 40 else i % 40 end,
       case when i % 5 = 0 then 1 else 0 end, i % 40, 'Marta' from generate_series(1, ${many}) i on conflict do nothing`,
    `client_request_items (workspace_id, request_id, id, client_id, position, name)
     select '1', r.id, gen_random_uuid(), r.client_id, n, 'Thing ' || n from portal.client_requests r, generate_series(1, 40) n`,
  ]
  for (const it of rows) await owner.raw(`insert into portal.${it}`)
  for (const it of tables) await owner.raw(`alter table portal.${it} force row level security`)
  await owner.raw(`vacuum analyze ${tables.map(it => `portal.${it}`).join(', ')}`)
}

describe('requests', () => {
  afterEach(leave)

  it('of 20,000 clients, with 800,000 items, are listed by indexes for staff, and 2,000 of them for one client', async function () {
    this.timeout(180_000)
    const scene = await open()
    await fill(scene)
    const [owner, admin] = [await scene.visit('owner'), await scene.visit('admin')]
    const sending = '0399a000-0000-7000-8000-000000000003'
    const before = await readInFull(scene, read)
    const { ask, print } = stopwatch()
    for (const query of ['', '?status=open', '?status=overdue', '?status=done', '?sort=newest'])
      await ask(`client ${query}`, () => owner.get(`/requests${query}`))
    // A sum over five large sendings, and counts to a thousand, may go through a table; what a client sees never does.
    expect((await readInFull(scene, read)) - before).to.be.below(many / 10)
    const shows = ['?show=review', '?show=late', '?show=silent', '?show=open', '?show=done']
    for (const query of ['', ...shows, `?sending=${sending}`])
      await ask(`staff ${query}`, () => admin.at(settings + query))
    await ask('staff, one', () => admin.at(`${settings}/0199a000-0000-7000-8000-000000000010`))
    await ask('invoices', () => owner.get('/invoices'))
    await ask('staff, search', () => admin.at(`${settings}?search=client+1999`))
    print()
  })
})
