import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { hiddenIn } from '../../test/requests.ts'
import { alone, settings } from '../../test/tasks.ts'
import { leave, open, type Scene, type Visitor, whoIs } from '../../test/visit.ts'

const typed = () => ({
  id: randomUUID(),
  title: 'Send the opening hours',
  text: 'Of all five shops.',
  items: 'Utrecht\nAmersfoort\n\nUtrecht',
  dueOn: '2026-11-24',
  client: '1',
})

const give = (admin: Visitor, form: object = {}) => admin.postAt(settings, { ...typed(), ...form })

const rowOf = ({ owner }: Scene, what: object = {}) =>
  owner('portal.client_tasks')
    .where({ client_id: '1', ...what })
    .first()

/** The client's id of a member of the cast, beside the owner's. */
const clientOf = async ({ owner }: Scene, email: string) => {
  const found = await owner('portal.client_memberships as m')
    .join('portal.client_users as u', 'u.id', 'm.person_id')
    .where({ 'u.email': email, 'm.workspace_id': '1' })
    .whereNot('m.client_id', '1')
    .first('m.client_id')
  return String(found.client_id)
}

const complete = (who: Visitor, id: string, version: string) => who.post(`/tasks/${id}/completion`, { version, at: '' })

describe('tasks that staff give', () => {
  afterEach(leave)

  it('are on the client’s first page, are done there, and staff see by whom and when', async () => {
    const it = await alone({ mail: 'kept' })
    const [owner, admin] = [await it.visit('owner'), await it.visit('admin')]
    expect(await admin.at(settings)).to.show('No tasks yet', 'New task')
    expect(await admin.at(`${settings}/new?client=1`)).to.show('Acme Bakery', 'Anybody at this client', 'Nadia')
    const answer = await give(admin)
    expect(answer.headers.location).to.include('?created=1')
    expect(await admin.at(answer.headers.location!)).to.show('The client sees the task now.', 'Acme Bakery', '0 of 2')
    expect(await owner.get('/')).to.show('Send the opening hours')
    const { id } = await rowOf(it)
    const mail = await it.mailTo(whoIs('owner').email)
    expect(mail.subject).to.match(/has a task for you: Send the opening hours$/)
    expect(mail.text).to.include('Of all five shops.').and.include(`/tasks/${id}?client=1`)
    expect(it.mails.map(one => one.to)).to.not.include(whoIs('viewer').email)

    const page = await owner.get(`/tasks/${id}`)
    const { item, version = '' } = hiddenIn(page.text)
    await owner.post(`/tasks/${id}/checklist`, { item, done: 'on' })
    expect(await admin.at(`${settings}/${id}`)).to.show('1 of 2', 'To do', 'gave the client the task')
    expect((await complete(owner, id, version)).status).to.equal(303)
    expect(await admin.at(`${settings}?show=done`)).to.show('done by Nadia El-Khoury', '1 of 2')
    const done = await admin.at(`${settings}/${id}`)
    expect(done).to.show('completed the task Send the opening hours')
    expect(done.text).to.not.include('Change task').and.not.include('Withdraw task')
    for (const path of ['', '/withdrawal'])
      expect((await admin.postAt(`${settings}/${id}${path}`, { ...typed(), version: '2' })).status).to.equal(409)
    expect(await rowOf(it)).to.include({ state: 'done', title: 'Send the opening hours' })
  })

  it('change while the client has the page open, and keep the ticks of what stays', async () => {
    const it = await alone()
    const [owner, admin] = [await it.visit('owner'), await it.visit('admin')]
    await give(admin)
    const { id } = await rowOf(it)
    const { item, version = '' } = hiddenIn((await owner.get(`/tasks/${id}`)).text)
    await owner.post(`/tasks/${id}/checklist`, { item, done: 'on' })
    const shown = hiddenIn((await admin.at(`${settings}/${id}`)).text)
    const changed = { ...typed(), version: shown.version, title: 'Send all hours', items: 'Zeist\nAmersfoort' }
    // Two of staff save at once.
    const answers = await Promise.all([1, 2].map(() => admin.postAt(`${settings}/${id}`, changed)))
    expect(answers.map(one => one.status).sort()).to.deep.equal([303, 409])
    expect(answers.find(one => one.status === 409)).to.show('This has changed in the meantime.', 'Zeist')
    const late = await complete(owner, id, version)
    expect(late.status).to.equal(409)
    expect(late).to.show('This has changed in the meantime.', 'Send all hours', '1 of 2')
    const { task } = (await owner.api(`/tasks/${id}`)).body
    expect(task.items.map((one: any) => [one.title, one.done])).to.deep.equal([
      ['Zeist', false],
      ['Amersfoort', true],
    ])
    expect(task.items[1].id).to.equal(item)
    expect(await admin.at(`${settings}/${id}`)).to.show('changed the task Send all hours')
  })

  it('are withdrawn, unless somebody completes them first', async () => {
    const it = await alone()
    const [owner, admin] = [await it.visit('owner'), await it.visit('admin')]
    await give(admin)
    const { id } = await rowOf(it)
    const { version = '' } = hiddenIn((await owner.get(`/tasks/${id}`)).text)
    const [withdrawn, completed] = await Promise.all([
      admin.postAt(`${settings}/${id}/withdrawal`, { version }),
      complete(owner, id, version),
    ])
    const row = await rowOf(it)
    expect([withdrawn.status, completed.status]).to.deep.equal(row ? [409, 303] : [303, 404])
    if (row) return
    expect((await owner.get('/tasks')).text).to.not.include('Send the opening hours')
    expect((await admin.at(`${settings}/${id}`)).status).to.equal(404)
    const left = await it.owner('portal.client_task_items').where({ task_id: id })
    expect(left).to.be.empty
  })

  it('go to two clients at once, each once, with one mail to whoever is at both', async () => {
    const it = await alone({ mail: 'kept' })
    const admin = await it.visit('admin')
    const other = await clientOf(it, whoIs('twofold').email)
    const form = { ...typed(), client: ['1', other, 'nonsense'] }
    const answers = await Promise.all([1, 2].map(() => admin.postAt(settings, form)))
    expect(answers.map(one => one.status)).to.deep.equal([303, 303])
    const rows = await it.owner('portal.client_tasks').select('id', 'client_id')
    expect(rows.map(one => one.client_id).sort()).to.deep.equal(['1', other].sort())
    expect(await it.owner('portal.client_activity_logs').where({ event: 'tasks.assigned' })).to.have.length(2)
    const mail = await it.mailTo(whoIs('twofold').email)
    for (const row of rows) expect(mail.text).to.include(`/tasks/${row.id}?client=${row.client_id}`)
    const to = it.mails.filter(one => /has a task for you/.test(one.subject)).map(one => one.to)
    expect(new Set(to).size).to.equal(to.length)
  })

  it('are for one person, who alone gets the mail, and whom others read', async () => {
    const it = await alone({ mail: 'kept' })
    const [owner, member, admin] = [await it.visit('owner'), await it.visit('member'), await it.visit('admin')]
    const { id: person } = await it
      .owner('portal.client_users')
      .where({ email: whoIs('member').email })
      .first('id')
    await give(admin, { person })
    await it.mailTo(whoIs('member').email)
    expect(it.mails.filter(one => /has a task/.test(one.subject)).map(one => one.to)).to.deep.equal([
      whoIs('member').email,
    ])
    expect((await member.api('/tasks')).body.overview).to.include({ mine: 1, anybody: 0 })
    expect((await owner.api('/tasks')).body.overview).to.include({ mine: 0, everybody: 1 })
    expect(await owner.get('/tasks?status=everybody')).to.show('for Youssef')
    expect(await admin.at(settings)).to.show('for Youssef')
    const { id: viewer } = await it
      .owner('portal.client_users')
      .where({ email: whoIs('viewer').email })
      .first('id')
    for (const refused of [{ person: viewer }, { person: 'nonsense' }, { person, client: ['1', '2'] }]) {
      const answer = await give(admin, refused)
      expect(answer.status).to.equal(422)
      expect(answer).to.show('This person cannot complete tasks of this client.', 'Of all five shops.')
    }
  })

  it('are refused without a title, a client, or a day that is still to come where the workspace is', async () => {
    const it = await alone()
    const admin = await it.visit('admin')
    const wrong: [object, string][] = [
      [{ title: ' ' }, 'Enter a title.'],
      [{ dueOn: '2026-11-20' }, 'This day has passed. Choose today or a later one.'],
      [{ dueOn: 'soon' }, 'Enter a date.'],
      [{ client: '' }, 'Choose at least one client.'],
      [{ client: 'nonsense' }, 'Choose at least one client.'],
      [{ client: Array.from({ length: 101 }, (_, at) => `${at}`) }, 'Choose at most 100 clients.'],
      [{ items: Array.from({ length: 101 }, (_, at) => `${at}`).join('\n') }, 'Use at most 100 items.'],
    ]
    for (const [more, sentence] of wrong) {
      const answer = await give(admin, more)
      expect(answer.status, sentence).to.equal(422)
      expect(answer).to.show(sentence, 'Of all five shops.')
    }
    expect(await rowOf(it)).to.equal(undefined)
    expect((await give(admin, { dueOn: '2026-11-21' })).status).to.equal(303)
    // It is the next day there, though not yet by UTC.
    await it.pass(15 * 60 + 20)
    expect(it.now().toISOString().slice(0, 10)).to.equal('2026-11-21')
    expect((await give(admin, { dueOn: '2026-11-21' })).status).to.equal(422)
    expect(await admin.at(`${settings}?show=late`)).to.show('1 day late')
    expect((await (await it.visit('owner')).api('/tasks?status=overdue')).body.items).to.have.length(1)
    const row = await rowOf(it)
    const { version } = hiddenIn((await admin.at(`${settings}/${row.id}`)).text)
    const kept = { ...typed(), version, title: 'Still late', dueOn: '2026-11-21' }
    expect((await admin.postAt(`${settings}/${row.id}`, kept)).status).to.equal(303)
  })

  it('are found and paged, and nothing else is', async () => {
    const it = await alone()
    const [admin, colleague, stranger] = [
      await it.visit('admin'),
      await it.visit('colleague'),
      await it.visit('twofold'),
    ]
    const rows = Array.from({ length: 60 }, (_, at) => ({
      ...{ workspace_id: '1', client_id: '1', client_name: 'Acme Bakery', id: randomUUID(), asked_by: 'Marta' },
      ...{ title: `Task ${at}`, due_on: at % 3 ? '2027-01-11' : null },
    }))
    await it.owner('portal.client_tasks').insert(rows)
    const [elsewhere] = await it
      .owner('portal.client_tasks')
      .insert({ ...rows[0], workspace_id: '2', id: randomUUID(), title: 'Of another workspace' })
      .returning('id')
    for (const show of ['open', 'all']) {
      const seen: string[] = []
      let next: string | undefined = `${settings}?show=${show}`
      while (next) {
        const { text } = await admin.at(next)
        seen.push(...[...text.matchAll(/>(Task \d+)</g)].map(([, title]) => title!))
        next = /rel="next" href="([^"]+)"/.exec(text)?.[1]?.replaceAll('&amp;', '&').replaceAll('&#38;', '&')
      }
      expect(seen.sort(), show).to.deep.equal(rows.map(one => one.title).sort())
    }
    expect(await admin.at(`${settings}?search=sk+59`)).to.show('Task 59', 'To do <span>1</span>')
    expect(await admin.at(`${settings}?search=%25`)).to.show('No tasks found')
    expect(await admin.at(`${settings}?after=nonsense&show=none`)).to.show('Task 1')
    for (const id of [elsewhere.id, randomUUID(), 'nonsense', '%00', '1']) {
      expect((await admin.at(`${settings}/${id}`)).status, id).to.equal(404)
      expect((await admin.postAt(`${settings}/${id}`, { ...typed(), version: '1' })).status, id).to.equal(404)
      expect((await admin.postAt(`${settings}/${id}/withdrawal`, { version: '1' })).status, id).to.equal(404)
    }
    for (const who of [colleague, stranger])
      for (const path of ['', '/new', `/${rows[0]!.id}`])
        expect((await who.at(settings + path)).status).to.be.oneOf([303, 302, 403, 404])
    expect((await give(colleague)).status).to.be.oneOf([403, 404])
    expect(await rowOf(it, { title: 'Send the opening hours' })).to.equal(undefined)
  })

  it('are the CRM’s where it has them: staff see what clients completed', async () => {
    const it = await open()
    const [owner, admin] = [await it.visit('owner'), await it.visit('admin')]
    expect(await admin.at(settings)).to.show('Tasks come from your CRM', 'Nothing done yet')
    const { items } = (await owner.api('/tasks')).body
    await complete(owner, items[0].id, items[0].version)
    expect(await admin.at(settings)).to.show(items[0].title, 'Acme Bakery · Nadia El-Khoury')
    expect((await admin.at(`${settings}/new`)).headers.location).to.equal(settings)
    expect((await give(admin)).headers.location).to.equal(settings)
    expect(await rowOf(it)).to.equal(undefined)
    expect((await admin.at(`${settings}/${randomUUID()}`)).status).to.equal(404)
  })

  it('are nowhere where the section is switched off', async () => {
    const it = await alone({ mail: 'kept' })
    const [owner, admin] = [await it.visit('owner'), await it.visit('admin')]
    await give(admin)
    const { id } = await rowOf(it)
    await admin.postAt('/settings/client-portal/visibility', { 'was.tasks': 'on' })
    expect((await owner.get(`/tasks/${id}`)).status).to.equal(404)
    expect((await owner.get('/')).text).to.not.include('Send the opening hours')
    const before = it.mails.length
    await give(admin, { title: 'Another one' })
    expect(it.mails).to.have.length(before)
  })
})
