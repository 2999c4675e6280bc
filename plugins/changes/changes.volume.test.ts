import { expect } from 'chai'
import { writingMap } from '../../demo/adapter/map.ts'
import { adapterOf, type CrmMap } from '../../src/index.ts'
import { fresh } from '../../test/database.ts'
import { openTelling } from '../../test/notifications.ts'
import { leave } from '../../test/visit.ts'
import { rowsRead } from '../../test/volume.ts'

const many = 1_000_000

describe('a CRM with a million invoices', () => {
  afterEach(leave)

  it('is watched by an index: a minute without changes reads fewer than 50 of its rows', async function () {
    this.timeout(300_000)
    const on = await fresh()
    await on.owner.raw('alter table public.invoices disable trigger invoices_modified')
    await on.owner.raw(
      `insert into public.invoices (workspace_id, client_id, ref_no, subject, state, currency_code, issued_on, due_on,
         net_total, tax_total, grand_total, amount_paid, balance, modified)
       select 1, 2 + n % 3, 'M-' || n, 'Hosting', 'paid', 'EUR', date '2020-01-01' + (n % 2000)::int, date '2026-12-15',
         100, 21, 121, 121, 0, timestamptz '2026-01-01' + n * interval '1 second'
       from generate_series(1, ${many}) n`,
    )
    await on.owner.raw('alter table public.invoices enable trigger invoices_modified')
    await on.owner.raw('create index on public.invoices (modified, id)')
    await on.owner.raw('analyze public.invoices')
    await on.owner.raw('grant select (modified) on public.invoices to ??', [on.database.client.config.connection.user])
    const map = { ...writingMap, invoices: { ...writingMap.invoices!, changedOn: 'modified' } } as CrmMap
    const only = { ...map, proposals: undefined, quotations: undefined, tasks: undefined, documents: undefined }
    const scene = await openTelling({ on, crm: adapterOf(only as CrmMap, on.database) })
    await scene.perform('changes.poll')
    await scene.pass(10)

    const read = () => rowsRead(on, 'seq_tup_read + coalesce(idx_tup_fetch, 0)', ['invoices'])
    const before = await read()
    for (let minute = 0; minute < 5; minute++) await scene.perform('changes.poll')
    const watched = await read()
    expect(watched - before).to.be.below(5 * 50)

    // What a look without the index would read is noticed.
    await scene.database.raw(`select count(*) from public.invoices where remarks = 'nothing'`)
    expect((await read()) - watched).to.be.above(many / 10)
  })
})
