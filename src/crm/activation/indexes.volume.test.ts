import { expect } from 'chai'
import knex, { type Knex } from 'knex'
import { map } from '../../../demo/adapter/map.ts'
import { close, fresh, today, urlOf } from '../../../test/database.ts'
import { adapterOf, type Customer, query } from '../../index.ts'
import { adviceOn } from './indexes.ts'

describe('the indexes that doctor advises', function () {
  this.timeout(60_000)

  it('are what a list of 100,000 invoices needs, so that not all of them are read for each page', async () => {
    const copy = await fresh('crm')
    // One connection, so that its counts are those of what was asked before.
    const owner = knex({ client: 'pg', connection: urlOf(copy.name), pool: { min: 1, max: 1 } })
    const invoices = adapterOf(map, owner).connect(await fill(owner)).invoices!
    const rowsOf = async () => {
      const its: Record<string, number> = {}
      for (const sort of ['newest', 'urgent', 'amount'] as const)
        its[sort] = await touched(owner, () => invoices.list({ sort, size: 20 }))
      return its
    }
    // The demo CRM has one of its own over what is open, which is as good.
    expect((await adviceOn(map, owner)).join()).to.not.include('invoices to pay')
    await owner.raw('drop index public.invoices_open')
    const advice = (await adviceOn(map, owner)).filter(it => it.includes('"invoices"'))
    expect(advice.map(it => it.replace(/.*-- (.*?), .*/, '$1'))).to.have.members([
      'lists of invoices by amount',
      'invoices to pay',
    ])
    const { urgent, amount } = await rowsOf()
    for (const it of [urgent, amount]) expect(it).to.be.above(50_000)

    for (const text of advice) await query(owner, { text: text.replace('concurrently', '') })
    await owner.raw('analyze public.invoices')
    expect((await adviceOn(map, owner)).filter(it => it.includes('"invoices"'))).to.deep.equal([])
    for (const [sort, rows] of Object.entries(await rowsOf())) expect(rows, sort).to.be.below(1_000)
    await owner.destroy()
    await close(copy)
  })
})

/** A client with 100,000 invoices, of which 200 are to pay. */
async function fill(owner: Knex): Promise<Customer> {
  const it = await owner('clients').where({ company_name: 'Acme Bakery' }).first('id', 'workspace_id')
  await owner.raw(
    `insert into invoices (workspace_id, client_id, ref_no, subject, state, issued_on, due_on, currency_code, net_total, grand_total, amount_paid, balance)
     select ?::int, ?::int, 'many-' || n, 'Filling', case when n % 500 = 0 then 'sent' else 'paid' end, date '2026-11-01' - n % 1700,
            date '2026-12-01' - n % 1700, 'EUR', n % 9973, n % 9973, case when n % 500 = 0 then 0 else n % 9973 end,
            case when n % 500 = 0 then n % 9973 else 0 end
     from generate_series(1, 100000) n`,
    [it.workspace_id, it.id],
  )
  await owner.raw('vacuum analyze public.invoices')
  const workspace = { id: String(it.workspace_id), slug: '', name: '', letterhead: [], timeZone: 'Europe/Amsterdam' }
  const person = { id: '', name: '', email: '' }
  return { workspace, client: { id: String(it.id), name: '' }, person, role: 'admin', today }
}

/** How many invoices PostgreSQL touches for it, by its own count. */
async function touched(owner: Knex, ask: () => Promise<unknown>): Promise<number> {
  const count = async () => {
    const text = `select seq_tup_read + coalesce(idx_tup_fetch, 0) as rows from pg_stat_user_tables where relname = 'invoices'`
    await query(owner, { text: 'select pg_stat_force_next_flush()' })
    await query(owner, { text: 'select pg_stat_clear_snapshot()' })
    return Number((await query(owner, { text }))[0].rows)
  }
  const before = await count()
  await ask()
  return (await count()) - before
}
