import { expect } from 'chai'
import { closeOwing, next, owing, toldBy } from '../../test/owing.ts'
import { nine, watched } from '../../test/reminders.ts'

describe('a client with thousands of unpaid invoices', () => {
  afterEach(closeOwing)

  it('is reminded of what is due now, in one mail, by pages', async function () {
    this.timeout(60_000)
    const copy = await owing()
    await copy.owner.raw(
      `insert into invoices (workspace_id, client_id, ref_no, subject, state, issued_on, due_on, currency_code, net_total,
         tax_total, grand_total, balance)
       select workspace_id, client_id, 'V-' || n, subject, 'sent', '2026-01-01',
         case when n <= 4000 then date '2026-05-05' else date '2026-11-24' end, 'EUR', net_total, tax_total, grand_total,
         grand_total
       from invoices, generate_series(1, 5000) n where ref_no = ? and workspace_id = 1`,
      [next],
    )
    const [sizes, finds]: [number[], string[]] = [[], []]
    const crm = watched(copy, ({ invoices, ...ports }) => {
      const list = async (filter: object) => {
        const page = await invoices.list(filter)
        sizes.push(page.items.length)
        return page
      }
      const find = async (id: string) => {
        finds.push(id)
        return invoices.find(id)
      }
      return { ...ports, invoices: { ...invoices, list, find } }
    })

    const mails = await toldBy(copy, nine, { crm })
    expect(mails).to.have.length(4)
    expect(mails[0]!.subject).to.equal('1001 payments are due soon: €181,681.50')
    expect(Math.max(...sizes)).to.equal(500)
    expect(finds).to.have.length(100)
    expect(await copy.owner('portal.client_reminders').where({ kind: 'due' })).to.have.length(4 * 1001)

    // Told once, they cost a look at the list.
    expect(await toldBy(copy, nine, { crm })).to.be.empty
    expect(finds).to.have.length(100)
    expect(sizes).to.have.length.below(30)
  })
})
