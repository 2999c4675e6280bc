import { expect } from 'chai'
import { v7 as uuid } from 'uuid'
import type { Copy } from '../../test/database.ts'
import { change, closeOwing, late, next, owing, paymentMails, toldBy } from '../../test/owing.ts'
import { acme, nine, switched, watched } from '../../test/reminders.ts'
import { leave, open, type Role, whoIs } from '../../test/visit.ts'

const later = '2026-11-21T09:30:00Z'

describe('reminders of payments, to whom and of what', () => {
  afterEach(async () => {
    await leave()
    await closeOwing()
  })

  it('go to nobody who is suspended, has left, may not pay, is excepted, or wants none', async () => {
    const copy = await owing()
    const person = () => copy.owner('portal.client_users').where({ email: whoIs('approver').email })
    const { id } = await person().first('id')
    const membership = () => copy.owner('portal.client_memberships').where({ person_id: id })
    const contact = () => copy.owner('contacts').where({ email: whoIs('approver').email })
    const client = await acme(copy)
    const cases: [() => PromiseLike<unknown>, () => PromiseLike<unknown>][] = [
      [() => person().update({ suspended_at: new Date() }), () => person().update({ suspended_at: null })],
      [() => membership().update({ role: 'member' }), () => membership().update({ role: 'approver' })],
      [
        () => switched(copy, 'invoices.reminders', client, id),
        () => copy.owner('portal.client_portal_settings').where({ person_id: id }).del(),
      ],
      [
        () => switched(copy, 'invoices', client, id),
        () => copy.owner('portal.client_portal_settings').where({ person_id: id }).del(),
      ],
      [() => contact().update({ left_on: '2026-11-01' }), () => contact().update({ left_on: null })],
    ]
    for (const [at, [change, undo]] of cases.entries()) {
      await change()
      expect(recipientsOf(await toldBy(copy)), `case ${at}`).to.deep.equal(emails('owner', 'billing', 'twofold'))
      await undo()
      // Who may again is told what nobody told them yet, and nobody else.
      expect(recipientsOf(await toldBy(copy)), `case ${at} undone`).to.deep.equal(emails('approver'))
      await copy.owner('portal.client_reminders').del()
    }
    await person().update({ reminders: false })
    const [off, on] = [
      await toldBy(copy, nine, { without: ['notifications', 'pay'] }),
      await toldBy(copy, nine, { without: ['pay'] }),
    ]
    expect(recipientsOf(off)).to.not.include(whoIs('approver').email)
    expect(recipientsOf(on)).to.deep.equal(emails('approver'))
  })

  it('name nothing of another client, also to who works for both', async () => {
    const copy = await owing()
    const { client_id } = await copy
      .owner('portal.client_memberships')
      .where({ client_name: 'Halloran & Sons' })
      .first()
    const theirs = await copy.owner('invoices').where({ client_id }).where('balance', '>', 0).first()
    await change(copy, { due_on: '2026-11-24' }, theirs.ref_no)
    const mails = await toldBy(copy)
    const ofFarah = mails.filter(it => it.recipient === whoIs('twofold').email)
    expect(ofFarah).to.have.length(2)
    for (const { text } of mails) expect(text.includes(next) && text.includes(theirs.ref_no)).to.equal(false)
    const ofAcme = mails.filter(it => it.text.includes(next))
    expect(recipientsOf(ofAcme)).to.deep.equal(emails('owner', 'approver', 'billing', 'twofold'))
    expect(recipientsOf(mails)).to.include(whoIs('neighbour').email)
    expect(recipientsOf(mails)).to.not.include(whoIs('stranger').email)
  })

  it('lead to the invoice where this person cannot pay here', async () => {
    const scene = await open()
    await owing(undefined, undefined, scene)
    await switched(scene, 'pay')
    const [mail] = await toldBy(scene)
    const { id } = await scene.owner('invoices').where({ ref_no: next, workspace_id: 1 }).first('id')
    const client = await acme(scene)
    expect(mail!.text).to.include(
      `See what is due:\nhttps://crm.example/portal/brightside/invoices/${id}?client=${client}`,
    )
    expect(mail!.text).to.not.include('/pay')
  })

  it('go to all who see invoices where nothing is paid here, and lead to the list', async () => {
    const copy = await owing({ [late]: '2026-11-14', [next]: '2026-11-24' })
    const mails = await toldBy(copy, nine, { without: ['pay'] })
    expect(recipientsOf(mails)).to.deep.equal(emails('owner', 'approver', 'billing', 'twofold', 'member', 'viewer'))
    expect(mails[0]!.text).to.match(
      /See what is due:\nhttps:\/\/crm\.example\/portal\/brightside\/invoices\?client=\d+\n/,
    )
  })

  it('say what is left of one that is partly paid', async () => {
    const copy = await owing()
    await change(copy, { state: 'partial', amount_paid: '100.00', balance: '81.50' })
    const [mail] = await toldBy(copy)
    expect(mail!.text).to.include('There is €81.50 left to pay.').and.not.include('181.50')
  })

  for (const [what, payment] of [
    ['a transfer that was announced', { provider: 'transfer' }],
    ['a debit that banks are working on', { state: 'processing' }],
    ['a payment that has arrived and is not booked yet', { state: 'paid', booking: 'waiting' }],
    ['a payment that staff have to book', { state: 'paid', booking: 'manual' }],
  ] as [string, object][])
    it(`leave out what ${what} covers, and say the rest of what it does not`, async () => {
      const copy = await owing()
      const id = await paid(copy, payment)
      expect(await toldBy(copy)).to.be.empty
      await copy.owner('portal.client_payments').where({ id }).update({ amount: 100 })
      await copy.owner('portal.client_payment_shares').where({ payment_id: id }).update({ amount: 100 })
      const mails = await toldBy(copy, later)
      expect(mails).to.have.length(4)
      expect(mails[0]!.text).to.include('There is €81.50 left to pay.')
    })

  it('wait while somebody is paying online, and do not wait for a transfer for ever', async () => {
    const copy = await owing()
    const id = await paid(copy, { session: 'cs_1' }, nine)
    expect(await toldBy(copy)).to.be.empty
    expect(await toldBy(copy, later)).to.have.length(4)
    await copy.owner('portal.client_reminders').del()
    await copy
      .owner('portal.client_payments')
      .where({ id })
      .update({ provider: 'transfer', started_at: '2026-11-16T07:00:00Z' })
    expect(await toldBy(copy)).to.have.length(4)
  })

  it('are one mail for many invoices, which names twenty of them and sums up all', async () => {
    const copy = await owing({})
    await many(copy, 32)
    const finds: string[] = []
    const crm = watched(copy, ({ invoices, ...ports }) => {
      const find = async (id: string) => {
        finds.push(id)
        return invoices.find(id)
      }
      return { ...ports, invoices: { ...invoices, find } }
    })
    const mails = await toldBy(copy, nine, { crm })
    expect(mails).to.have.length(4)
    const { subject, text } = mails[0]!
    expect(subject).to.equal('32 payments are due soon: US$3,993.00 and €1,815.00')
    expect(text.match(/, due on /g)).to.have.length(20)
    expect(text).to.include('and 12 more')
    expect(text).to.match(/\/pay\?client=\d+(&document=invoices%2F\d+){20}\n/)
    expect(finds).to.have.length(32)
    expect(await copy.owner('portal.client_reminders').where({ kind: 'due' })).to.have.length(4 * 32)
    expect(await toldBy(copy, later)).to.be.empty
    expect(await paymentMails(copy)).to.have.length(4)
  })
})

const emails = (...roles: Role[]) => roles.map(it => whoIs(it).email).sort()
const recipientsOf = (mails: { recipient: string }[]) => mails.map(it => it.recipient).sort()

/** A payment of the whole invoice that is due, in some state. */
async function paid(copy: Copy, state: object, at = '2026-11-20T12:00:00Z'): Promise<string> {
  const { id: document, client_id } = await copy.owner('invoices').where({ ref_no: next, workspace_id: 1 }).first()
  const [id, key] = [uuid(), { workspace_id: '1', client_id: String(client_id) }]
  const said = { person_id: '0', payer: 'Nadia', reference: next, currency: 'EUR', amount: '181.50' }
  await copy
    .owner('portal.client_payments')
    .insert({ id, ...key, ...said, provider: 'stripe', state: 'started', started_at: at, ...state })
  await copy.owner('portal.client_payment_shares').insert({
    ...key,
    ...{ payment_id: id, section: 'invoices', document_id: String(document) },
    ...{ number: next, title: 'Hosting', amount: '181.50' },
  })
  return id
}

/** Copies of the invoice, due in three days: a third in euros, the others in dollars. */
const many = ({ owner }: Copy, count: number) =>
  owner.raw(
    `insert into invoices (workspace_id, client_id, ref_no, subject, state, issued_on, due_on, currency_code, net_total,
       tax_total, grand_total, amount_paid, balance)
     select workspace_id, client_id, 'M-' || n, subject, 'sent', '2026-10-01', '2026-11-24',
       case when n % 3 = 0 then 'EUR' else 'USD' end, net_total, tax_total, grand_total, 0, grand_total
     from invoices, generate_series(1, ?) n where ref_no = ? and workspace_id = 1`,
    [count, next],
  )
