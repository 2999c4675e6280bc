import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import knex from 'knex'
import { map } from '../demo/adapter/map.ts'
import dolibarr from '../docs/crms/dolibarr/crm.map.ts'
import odoo from '../docs/crms/odoo/crm.map.ts'
import { invoicesContract } from '../plugins/invoices/contract.ts'
import { paymentsContract } from '../plugins/payments/contract.ts'
import { proposalsContract } from '../plugins/proposals/contract.ts'
import { quotationsContract } from '../plugins/quotations/contract.ts'
import { audited } from '../src/commands/audit.ts'
import { adapterOf, type CrmMap, problemsOf } from '../src/index.ts'
import { root } from '../src/root.ts'
import { actors } from './actors.ts'
import { close, fresh, postgres, urlOf } from './database.ts'
import { edited } from './edited.ts'
import kite from './kite/crm.map.ts'
import { leave } from './visit.ts'

describe('the draft of a map', () => {
  const folder = mkdtempSync(join(tmpdir(), 'portico-draft-'))
  let demo: { text: string; drafted: CrmMap }

  /** As `portico audit --map` writes it of a database. */
  async function draftOf(database: string, source?: string) {
    const its = mkdtempSync(join(folder, 'of-'))
    const file = join(its, 'crm.map.ts')
    const where = { out: join(its, 'AUDIT_REPORT.md'), json: join(its, 'audit.json'), map: file }
    const said = await audited({ database, source, ...where })
    expect(said).to.match(/Written: .*crm.map.ts, a draft; \d+ of its lines are to be looked at first\./)
    expect(await audited({ database, ...where }).catch(error => error.message)).to.include('is there already')
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, text.replace(`'portico'`, `'${root}/src/index.ts'`))
    return { text, drafted: (await import(file)).default as CrmMap }
  }

  before(async () => {
    const { name, ...copy } = await fresh('crm')
    demo = await draftOf(urlOf(name), join(root, 'demo/crm'))
    expect(await problemsOf(demo.drafted, copy.owner)).to.deep.equal([])
    await close({ name, ...copy })
  })

  afterEach(leave)
  after(() => rmSync(folder, { recursive: true }))

  it('says of each line how sure it is, and what else was considered', () => {
    const { text } = demo
    expect(text)
      .to.include(`sentOn: 'quoted_on', // 85 %; or created`)
      .and.include(`total: 'grand_total', // 95 %`)
      .and.include(`words: { sent: 'open', partial: 'open', paid: 'paid', void: 'cancelled' }, // 85 %`)
      .and.include(`deleted: 'left_on', // 65 %`)
      .and.include(`only: { state: ['issued'] }, // 85 %`)
      .and.include(`off: true, // 99 %`)
      .and.include(
        `accepted: { set: { state: { value: 'accepted' }, answered_on: 'time', answered_by: 'name' } }, // 60 %`,
      )
      .and.include(
        `declined: { set: { status: { value: 'rejected' }, decided_on: 'time', decided_by: 'name' } }, // 60 %`,
      )
    const entries = text.split('\n').filter(it => /^\s+\w+: .*,/.test(it) && !/table: |TODO/.test(it))
    for (const it of entries) expect(it).to.match(/\/\/ (\d\d %|not understood)/)
  })

  it('needs at most ten lines to be edited', async () => {
    const counts: Record<string, number> = { demo: edited(demo.drafted, map).length }
    for (const [name, kept, sql] of [
      ['kite', kite, 'test/kite/crm.sql'],
      ['odoo', odoo, 'docs/crms/odoo/fixture.sql'],
      ['dolibarr', dolibarr, 'docs/crms/dolibarr/fixture.sql'],
    ] as const) {
      await postgres.raw(`create database draft_${name}`)
      const owner = knex({ client: 'pg', connection: urlOf(`draft_${name}`), pool: { min: 0, max: 2 } })
      await owner.raw(readFileSync(join(root, sql), 'utf8'))
      const { drafted, text } = await draftOf(urlOf(`draft_${name}`))
      counts[name] = edited(drafted, kept).length
      if (name === 'odoo') expect(text).to.include('This is Odoo 19, whose map is kept.').and.include(`from 'portico'`)
      await owner.destroy()
    }
    for (const [name, count] of Object.entries(counts)) expect(count, name).to.be.at.most(10)
    // Of CRMs that are known the map itself is the draft.
    expect(counts).to.include({ odoo: 0, dolibarr: 0 })
  })

  const mapped = () => actors(database => adapterOf(demo.drafted, database))
  invoicesContract(mapped)
  paymentsContract(mapped)
  proposalsContract(mapped)
  quotationsContract(mapped)
})
