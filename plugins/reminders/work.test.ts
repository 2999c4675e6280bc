import { expect } from 'chai'
import { type Copy, fresh } from '../../test/database.ts'
import { acme, mailed, nine, round, set, switched, watched } from '../../test/reminders.ts'
import { sendRequest } from '../../test/requests.ts'
import { leave, open, type Role, type Scene, whoIs } from '../../test/visit.ts'

const kinds = ['reminders.work', 'reminders.work-overdue']
const page = '/settings/client-portal/reminders'
const workMails = (copy: Copy) => mailed(copy, kinds)
const to = async (copy: Copy) => (await workMails(copy)).map(it => it.recipient)
const email = (role: Role) => whoIs(role).email

type Item = { id: string; title: string; dueOn: string; for?: Role; left?: number }

/** The ports of this client have these tasks, each for one person or for anybody; those of others none. */
function demanding(copy: Copy, client: string, tasks: Item[]) {
  const asked: string[] = []
  const crm = watched(copy, (ports, customer) => {
    const own = (it: Item) => customer.client.id === client && (!it.for || email(it.for) === customer.person.email)
    const items = tasks.filter(own).map(it => ({
      ...it,
      checklist: it.left ? { all: it.left, done: 0 } : null,
      status: 'open',
      completed: null,
      version: '1',
    }))
    const list = async ({ after = '0', size }: { after?: string; size: number }) => {
      if (customer.client.id === client) asked.push(customer.person.email)
      const from = Number(after)
      return { items: items.slice(from, from + size), next: from + size < items.length ? String(from + size) : null }
    }
    return { ...ports, tasks: { ...ports.tasks, list } }
  })
  return { crm, asked }
}

const soon: Item[] = [
  { id: '11', title: 'Send the logo', dueOn: '2026-11-24' },
  { id: '12', title: 'Read the briefing', dueOn: '2026-11-24', for: 'member', left: 2 },
]

describe('reminders of what is to be done', () => {
  afterEach(leave)

  async function begun(tasks = soon, moments = '-3 0 +7'): Promise<Scene & ReturnType<typeof demanding>> {
    const scene = await open()
    await set(scene, 'reminders.work', moments)
    return Object.assign(scene, demanding(scene, await acme(scene), tasks))
  }

  it('are one mail for each person, of all that they have to do', async () => {
    const it = await begun()
    await it
      .owner('portal.client_users')
      .where({ email: email('owner') })
      .update({ language: 'es' })
    await round(it, { crm: it.crm })
    const mails = await workMails(it)
    const workers = [...new Set(it.asked)].sort()
    expect(mails.map(one => one.recipient)).to.deep.equal(workers)
    expect(workers)
      .to.include.members([email('member'), email('owner')])
      .and.not.include(email('viewer'))
    const own = mails.find(one => one.recipient === email('member'))!
    expect(own.subject).to.equal('2 things are due by Tuesday 24 November')
    expect(own.text)
      .to.match(/Send the logo\ndue on 24 Nov 2026\nhttps:\S+\/tasks\/11/)
      .and.match(/Read the briefing\ndue on 24 Nov 2026, 2 items left\nhttps:\S+\/tasks\/12/)
    const others = mails.find(one => one.recipient === email('approver'))!
    expect(others.subject).to.equal('Send the logo is due on Tuesday 24 November')
    expect(others.text).to.not.include('Read the briefing')
    expect(mails.find(one => one.recipient === email('owner'))!.subject).to.equal(
      'Send the logo: vence el martes, 24 de noviembre',
    )

    const admin = await it.visit('admin')
    expect(await admin.at('/settings/client-portal/activity')).to.show(
      `reminded ${workers.length} people of the task Send the logo`,
      'reminded 1 person of the task Read the briefing',
    )
  })

  it('come once for each moment and at most once a day, whichever instances send them', async () => {
    const tasks = [...soon]
    const it = await begun(tasks)
    const all = demanding(it, await acme(it), tasks)
    const going = { crm: all.crm }
    await Promise.all([round(it, going), round(it, going), round(it, going)])
    const first = await to(it)
    expect(first).to.deep.equal([...new Set(first)])

    tasks.push({ id: '13', title: 'Answer the survey', dueOn: '2026-11-24' })
    const later = demanding(it, await acme(it), tasks)
    await round(it, { crm: later.crm, at: '2026-11-21T12:00:00Z' })
    expect(await to(it)).to.have.length(first.length)
    await round(it, { crm: later.crm, at: '2026-11-22T08:00:00Z' })
    expect(await to(it)).to.have.length(first.length * 2)
    expect((await workMails(it)).filter(one => one.subject.startsWith('Answer the survey'))).to.have.length(
      first.length,
    )
    await round(it, { crm: later.crm, at: '2026-11-23T08:00:00Z' })
    expect(await to(it)).to.have.length(first.length * 2)
    await round(it, { crm: later.crm, at: '2026-11-24T08:00:00Z' })
    expect(await to(it)).to.have.length(first.length * 3)
    await round(it, { crm: later.crm, at: '2026-12-01T08:00:00Z' })
    const late = (await workMails(it)).filter(one => one.kind === 'reminders.work-overdue')
    expect(late.map(one => one.subject)).to.include('2 things are due or overdue')
    expect(late[0]!.text).to.include('overdue since 24 Nov 2026')
    await round(it, { crm: later.crm, at: '2026-12-20T08:00:00Z' })
    expect(await workMails(it)).to.have.length(first.length * 4)
  })

  it('come to nobody who may not do it, does not want them, or has left, and in waking hours alone', async () => {
    const it = await begun([soon[0]!])
    await it
      .owner('portal.client_users')
      .where({ email: email('approver') })
      .update({ reminders: false })
    await it
      .owner('portal.client_users')
      .where({ email: email('billing') })
      .update({ suspended_at: new Date() })
    const { id } = await it
      .owner('portal.client_users')
      .where({ email: email('owner') })
      .first('id')
    await switched(it, 'tasks.reminders', await acme(it), id)
    for (const at of ['2026-11-21T05:00:00Z', '2026-11-21T19:00:00Z']) await round(it, { crm: it.crm, at })
    expect(await to(it)).to.deep.equal([])
    await round(it, { crm: it.crm, at: nine, without: ['notifications'] })
    const told = await to(it)
    expect(told).to.include(email('member'))
    for (const role of ['approver', 'billing', 'owner', 'viewer', 'neighbour', 'stranger'] as Role[])
      expect(told, role).to.not.include(email(role))
  })

  it('come to nobody while the section, its reminders or the moments are off', async () => {
    for (const name of ['tasks', 'tasks.reminders']) {
      const it = await begun()
      await switched(it, name)
      await round(it, { crm: it.crm })
      expect(await to(it), name).to.deep.equal([])
    }
    const it = await begun(soon, 'none')
    await round(it, { crm: it.crm })
    expect([await to(it), it.asked]).to.deep.equal([[], []])
  })

  it('read no more than they need of a list that has no end', async () => {
    const many = (dueOn: string) =>
      Array.from({ length: 5_000 }, (_, at) => ({ id: String(at), title: `Task ${at}`, dueOn, for: 'member' as const }))
    const it = await begun(many('2026-11-24'))
    const log: string[] = []
    await round(it, { crm: it.crm, log })
    const [mail] = await workMails(it)
    expect(mail!.subject).to.equal('2000 things are due by Tuesday 24 November')
    expect(mail!.text).to.include('and 1980 more')
    expect(log.join()).to.include('a person has more to do than is read for reminders')

    const copy = await fresh()
    await set(copy, 'reminders.work', '-3 0')
    const far = demanding(copy, await acme(copy), many('2027-11-24'))
    await round(copy, { crm: far.crm })
    expect(far.asked.filter(one => one === email('member'))).to.have.length(1)
    await Promise.all([copy.owner.destroy(), copy.database.destroy()])
  })

  it('are chosen like those of payments, and shown where something can be due', async () => {
    const it = await open({ mail: 'kept' })
    const [admin, member] = [await it.visit('admin'), await it.visit('member')]
    expect(await member.get('/notifications/settings')).to.not.show('Tasks and requests that are due')
    const save = (form: object) => admin.postAt(page, { 'was.work': 'none', ...form })
    expect(await admin.at(page)).to.show('Tasks and requests', 'name="was.work" value="none"')
    const refused = await save({ 'work.before': '3', 'work.after': ['soon', '7'] })
    expect(refused.status).to.equal(422)
    expect(refused).to.show('Enter days from 1 to 60.', 'value="soon"')
    const form = { 'work.before': '3', 'work.onDay': 'on', 'work.after': ['7', ''] }
    const answers = await Promise.all([save(form), save({ ...form, 'work.before': '1' })])
    expect(answers.map(one => one.status).sort()).to.deep.equal([303, 409])
    expect(await admin.at(page)).to.show('name="work.onDay" value="on" checked', 'name="was.payments" value="none"')
    expect(await admin.at('/settings/client-portal/activity')).to.show(
      'changed when clients are reminded of tasks and requests',
    )
    expect(await member.get('/notifications/settings')).to.show('Tasks and requests that are due')
  })

  it('tell a request that is for one person to that person alone, and do not name it in the log', async () => {
    const it = await open({ mail: 'kept' })
    await set(it, 'reminders.work', '-3')
    const admin = await it.visit('admin')
    const { id: person } = await it
      .owner('portal.client_users')
      .where({ email: email('member') })
      .first('id')
    await sendRequest(admin, { name: 'Year-end', dueOn: '2026-11-24' })
    await sendRequest(admin, { name: 'Passport', dueOn: '2026-11-24', person })
    await round(it)
    const mails = (await workMails(it)).filter(one => /Year-end|Passport/.test(one.text))
    const named = (word: string) => mails.filter(one => one.text.includes(word)).map(one => one.recipient)
    expect(named('Passport')).to.deep.equal([email('member')])
    expect(named('Year-end'))
      .to.include.members([email('member'), email('owner')])
      .and.not.include(email('viewer'))
    const activity = await (await it.visit('owner')).get('/activity')
    expect(activity).to.show('of the request Year-end', 'reminded somebody of a personal request')
    expect(activity).to.not.show('Passport')
  })
})
