import { expect } from 'chai'
import { CrmUnavailable } from '../../src/http/errors.ts'
import { type Copy, today } from '../../test/database.ts'
import { change, closeOwing, late, next, owing, paymentMails, toldBy } from '../../test/owing.ts'
import { acme, nine, round, set, switched, watched } from '../../test/reminders.ts'
import { leave, open, whoIs } from '../../test/visit.ts'
import { paymentMomentOf, paymentMomentsIn, paymentMomentsText } from './moments.ts'

const payers = ['owner', 'approver', 'billing', 'twofold'] as const
const addresses = payers.map(it => whoIs(it).email).sort()

describe('reminders of payments', () => {
  afterEach(async () => {
    await leave()
    await closeOwing()
  })

  it('come before and after the due date, in one mail with the sum and the way to pay', async () => {
    const scene = await open()
    await owing({ [late]: '2026-11-14', [next]: '2026-11-24' }, '-3 0 +7', scene)
    await scene
      .owner('portal.client_users')
      .where({ email: whoIs('billing').email })
      .update({ language: 'es' })
    await round(scene)

    const mails = await paymentMails(scene)
    expect(mails.map(it => it.recipient)).to.deep.equal(addresses)
    expect(new Set(mails.map(it => it.kind))).to.deep.equal(new Set(['reminders.overdue']))
    const { subject, text } = mails.find(it => it.recipient === whoIs('owner').email)!
    expect(subject).to.equal('2 payments are due or overdue: €4,053.50')
    expect(text).to.include('There is €4,053.50 left to pay.')
    expect(text).to.include('If you have already paid, you don’t have to do anything.')
    expect(text).to.match(
      /2026-0112\n€3,872.00, overdue since 14 Nov 2026\nhttps:\S+\n\n2026-0119\n€181.50, due on 24 Nov/,
    )
    const page = /https:\/\/crm\.example\/portal\/brightside(\/pay\?\S+)/.exec(text)![1]!
    expect(await (await scene.visit('owner')).get(page)).to.show('What do you want to pay?', late, next)
    const spanish = mails.find(it => it.recipient === whoIs('billing').email)!
    expect(spanish.subject).to.equal('2 pagos vencen pronto o están vencidos: 4.053,50 €')
    const owner = await scene.visit('owner')
    expect(await owner.get('/activity')).to.show('reminded 4 people of the overdue invoice 2026-0112')
    expect(await owner.get('/activity')).to.show('reminded 4 people of the invoice 2026-0119')
    expect(await (await scene.visit('admin')).at('/settings/client-portal/activity')).to.show('reminded 4 people')
  })

  it('come once for each moment, and not between', async () => {
    const copy = await owing({ [next]: '2026-11-24' }, '-3 0 +7 +8')
    const told = async (at: string) => (await toldBy(copy, at)).length
    expect(await told('2026-11-20T08:00:00Z')).to.equal(0)
    expect(await told(nine)).to.equal(4)
    expect(await told('2026-11-21T12:00:00Z')).to.equal(0)
    expect(await told('2026-11-23T08:00:00Z')).to.equal(0)
    expect(await told('2026-11-24T08:00:00Z')).to.equal(4)
    expect(await told('2026-11-25T08:00:00Z')).to.equal(0)
    // Of two moments that nobody could be told at, the last one counts.
    expect(await told('2026-12-02T08:00:00Z')).to.equal(4)
    expect(await told('2026-12-03T08:00:00Z')).to.equal(0)
    expect(await told('2027-01-20T08:00:00Z')).to.equal(0)
  })

  it('wait while an invoice is disputed, until staff have answered', async () => {
    const scene = await open()
    await owing(undefined, '-3 0 +7', scene)
    const [owner, admin] = [await scene.visit('owner'), await scene.visit('admin')]
    const [{ id }] = (await owner.api(`/invoices?search=${next}`)).body.items
    await owner.post(`/invoices/${id}/comments`, { text: 'We returned these.', disputed: 'on' })
    await owner.post(`/invoices/${id}/comments`, { text: 'Two boxes.' })
    expect(await toldBy(scene)).to.deep.equal([])
    const last = await scene.owner('portal.client_comments').orderBy('id', 'desc').first('id')
    const reply = await admin.postAt(`/settings/client-portal/questions/${last.id}/reply`, { text: 'Not here.' })
    expect(reply.status).to.equal(303)
    expect(await toldBy(scene, '2026-11-21T09:00:00Z')).to.have.length(4)
  })

  it('say that one is due before it is, and that it is overdue afterwards', async () => {
    const copy = await owing()
    const [before] = await toldBy(copy)
    expect(before!.subject).to.equal('2026-0119 is due on Tuesday 24 November')
    expect(before!.text).to.not.include('already paid')
    const [on] = await toldBy(copy, '2026-11-24T08:00:00Z')
    expect(on!.kind).to.equal('reminders.due')
    const [after] = await toldBy(copy, '2026-12-01T08:00:00Z')
    expect(after!.subject).to.equal('2026-0119 is overdue: €181.50')
    expect(after!.text).to.include('was due on Tuesday 24 November')
  })

  it('say nothing is overdue where only what is before was chosen', async () => {
    const copy = await owing({ [next]: '2026-11-24' }, '-1 0')
    expect(await toldBy(copy, '2026-11-25T08:00:00Z')).to.be.empty
  })

  it('come for the new due date where it was changed', async () => {
    const copy = await owing()
    expect(await toldBy(copy)).to.have.length(4)
    await change(copy, { due_on: '2026-11-27' })
    expect(await toldBy(copy, '2026-11-22T08:00:00Z')).to.be.empty
    const [mail] = await toldBy(copy, '2026-11-24T08:00:00Z')
    expect(mail!.subject).to.include('Friday 27 November')
  })

  for (const [why, made] of [
    ['was paid meanwhile', it => change(it, { state: 'paid', balance: 0, amount_paid: '181.50' })],
    ['is cancelled', it => change(it, { state: 'void' })],
    ['is deleted', it => change(it, { deleted_at: new Date() })],
    ['was sent on the day of the moment', it => change(it, { issued_on: today })],
    ['is due later', it => change(it, { due_on: '2026-11-25' })],
    ['has been overdue for 200 days', it => change(it, { due_on: '2026-05-05' })],
    ['where no moment was chosen', it => it.owner('portal.client_portal_settings').del()],
    ['where reminders of invoices are off', it => switched(it, 'invoices.reminders')],
    ['where they are off for this client', async it => switched(it, 'invoices.reminders', await acme(it))],
    ['where invoices are off', it => switched(it, 'invoices')],
    ['where the portal is off for this client', async it => switched(it, 'portal', await acme(it))],
    [
      'of a client that is gone',
      it => it.owner('clients').where({ company_name: 'Acme Bakery' }).update({ archived: true }),
    ],
  ] as [string, (it: Copy) => PromiseLike<unknown>][])
    it(`never come for one that ${why}`.replace('one that where', 'one where').replace('that of', 'of'), async () => {
      const copy = await owing()
      await made(copy)
      expect(await toldBy(copy)).to.deep.equal([])
    })

  it('never come while the flag is off, the audit is not accepted, or at night; nor twice after a CRM that was down', async () => {
    const copy = await owing()
    for (const going of [{ flag: false }, { accepted: false }]) expect(await toldBy(copy, nine, going)).to.be.empty
    for (const at of ['06:59', '17:00', '23:30']) expect(await toldBy(copy, `${today}T${at}:00Z`)).to.be.empty
    const log: string[] = []
    const away = watched(copy, ({ invoices, ...ports }) => {
      const list = async () => Promise.reject(new CrmUnavailable())
      return { ...ports, invoices: { ...invoices, list } }
    })
    expect(await toldBy(copy, nine, { crm: away, log })).to.be.empty
    expect(log).to.deep.equal(['warn the CRM does not answer; nobody is reminded before the next hour'])
    expect(await toldBy(copy)).to.have.length(4)
  })

  it('come in the morning of the workspace, whatever day it is elsewhere', async () => {
    const copy = await owing()
    await copy.owner('workspaces').where({ slug: 'brightside' }).update({ time_zone: 'Pacific/Auckland' })
    // The 21st at 7:30 and at 8:30.
    expect(await toldBy(copy, '2026-11-20T18:30:00Z')).to.be.empty
    expect(await toldBy(copy, '2026-11-20T19:30:00Z')).to.have.length(4)
    await copy.owner('workspaces').where({ slug: 'brightside' }).update({ time_zone: 'Pacific/Honolulu' })
    await copy.owner('portal.client_reminders').del()
    // The 20th at 22:00, and the 21st at 9:00.
    expect(await toldBy(copy, '2026-11-21T08:00:00Z')).to.be.empty
    expect(await toldBy(copy, '2026-11-21T19:00:00Z')).to.have.length(4)
  })

  it('come once, however many processes go through the same at once', async () => {
    const copy = await owing({ [late]: '2026-11-14', [next]: '2026-11-24' })
    await Promise.all([round(copy), round(copy), round(copy)])
    expect((await paymentMails(copy)).map(it => it.recipient)).to.deep.equal(addresses)
    expect(await copy.owner('portal.client_reminders').where({ kind: 'due' })).to.have.length(8)
  })

  it('leave nothing half done: without its mail nobody counts as told', async () => {
    const copy = await owing()
    await set(copy, 'reminders', 'none')
    await copy.owner.raw(
      `alter table portal.client_outbox add constraint broken check (recipient not like 'sanne%') not valid`,
    )
    const log: string[] = []
    expect(await toldBy(copy, nine, { log })).to.be.empty
    expect(log).to.deep.equal(['error the people of a client could not be reminded'])
    expect(await copy.owner('portal.client_reminders').where({ kind: 'due' })).to.be.empty
    await copy.owner.raw('alter table portal.client_outbox drop constraint broken')
    expect(await toldBy(copy)).to.have.length(4)
  })

  it('look at each document once more, right before they go', async () => {
    const copy = await owing({ [late]: '2026-11-14', [next]: '2026-11-24' })
    const { id } = await copy.owner('invoices').where({ ref_no: next }).first('id')
    const changing = watched(copy, ({ invoices, ...ports }) => {
      const find = async (asked: string) => {
        if (asked === String(id)) await change(copy, { state: 'paid', balance: 0, amount_paid: '181.50' })
        return invoices.find(asked)
      }
      return { ...ports, invoices: { ...invoices, find } }
    })
    const [mail] = await toldBy(copy, nine, { crm: changing })
    expect(mail!.subject).to.equal('2026-0112 is overdue: €3,872.00')
  })

  it('know the moment that came last, in a leap year too', () => {
    const at = (dueOn: string, day: string, days = [-3, 0, 7], sentOn = '') =>
      paymentMomentOf(days, { sentOn, dueOn }, day)
    expect(at('2028-03-01', '2028-02-29', [-1])).to.equal('2028-02-29')
    expect(at('2027-03-01', '2027-02-28', [-1])).to.equal('2027-02-28')
    expect(at('2028-02-29', '2028-03-01', [1])).to.equal('2028-03-01')
    expect(at('2028-02-29', '2028-03-31', [30])).to.equal('2028-03-30')
    const days = [
      '2026-11-20',
      '2026-11-21',
      '2026-11-23',
      '2026-11-24',
      '2026-11-25',
      '2026-12-01',
      '2026-12-04',
      '2026-12-05',
    ]
    expect(days.map(it => at('2026-11-24', it))).to.deep.equal([
      ...[undefined, '2026-11-21', '2026-11-21', '2026-11-24', undefined, '2026-12-01', '2026-12-01', undefined],
    ])
    expect(at('2026-11-24', '2026-11-22', [-3], '2026-11-21')).to.equal(undefined)
    expect([undefined, 'none', '-3 0 +7', true].map(paymentMomentsIn)).to.deep.equal([[], [], [-3, 0, 7], []])
    expect([[], [7, 0, -3, 7]].map(paymentMomentsText)).to.deep.equal(['none', '-3 0 +7'])
  })
})
