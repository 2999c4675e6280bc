import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import people from '../../demo/people.json' with { type: 'json' }
import { type Copy, close, fresh, urlOf } from '../database.ts'
import { fingerprint } from '../fingerprint.ts'
import { auditDemo, reportFile } from './demo.ts'

describe('the report', () => {
  let crm: Copy
  before(async () => {
    crm = await fresh('crm')
  })
  after(() => close(crm))

  it('of the demo CRM is AUDIT_REPORT.md, to the byte: `npm run audit:demo` writes it anew', async () => {
    const { report } = await auditDemo(urlOf(crm.name))
    expect(report).to.equal(readFileSync(reportFile, 'utf8'))
  })

  it('is the same again, has no value of a person, and leaves every row as it was', async () => {
    const before = await fingerprint(crm.owner)
    const one = await auditDemo(urlOf(crm.name))
    const two = await auditDemo(urlOf(crm.name))
    expect(two.report).to.equal(one.report)
    expect(await fingerprint(crm.owner)).to.deep.equal(before)

    const { rows } = await crm.owner.raw(`
      select email as value from contacts union select last_name from contacts union select company_name from clients
      union select iban from workspaces where iban is not null union select phone from staff where phone is not null`)
    const values: string[] = [...rows.map((it: { value: string }) => it.value), ...people.map(it => it.email)]
    const said = one.report + JSON.stringify(one.json)
    expect(values.filter(it => it && new RegExp(`\\b${RegExp.escape(it)}\\b`).test(said))).to.deep.equal([])
  })

  it("creates what Portico's own migration creates, and has a fingerprint that a renamed column changes", async () => {
    const { json } = await auditDemo(urlOf(crm.name))
    expect(json.tables.create.map(it => it.table)).to.include.members([
      'portal.client_users',
      'portal.client_activity_logs',
    ])
    expect(json.tables.create[0]!.ddl)
      .to.include('create table portal.client_users (')
      .and.include('create policy workspace')
    expect(json.tables.leaveOut.map(it => it.table)).to.include('portal.client_tasks')

    const drifted = await fresh('crm')
    await drifted.owner.raw('alter table invoices rename column due_on to pay_by')
    const other = await auditDemo(urlOf(drifted.name))
    await close(drifted)
    expect(other.json.fingerprint).not.to.equal(json.fingerprint)
  })

  it('tells the risks of a CRM that has some', async () => {
    const risky = await fresh('crm')
    await risky.owner.raw(`
      alter table invoices drop constraint invoices_client_id_fkey;
      alter table invoices drop constraint invoices_workspace_id_ref_no_key;
      alter table payments alter column amount type double precision`)
    const { risks } = await auditDemo(urlOf(risky.name))
    await close(risky)
    const titles = risks.map(it => it.title).join('\n')
    expect(titles).to.include('No enforced key from documents to clients')
    expect(titles).to.include('floating-point')
    expect(titles).to.include('Nothing keeps a document number')
  })
})
