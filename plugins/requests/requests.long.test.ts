import { randomUUID } from 'node:crypto'
import { mkdtempSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { unzipSync } from 'fflate'
import type { Knex } from 'knex'
import { adapter } from '../../demo/adapter/adapter.ts'
import { type Crm, filesIn } from '../../src/index.ts'
import { within } from '../../src/platform/database.ts'
import { fresh } from '../../test/database.ts'
import {
  hiddenIn,
  latestRequest,
  preview,
  requestOf,
  sendFiles,
  sendRequest,
  settings,
  threeItems,
} from '../../test/requests.ts'
import { tus } from '../../test/sending.ts'
import { jobsDone, until } from '../../test/until.ts'
import { leave, open, type Scene, type Visitor, whoIs } from '../../test/visit.ts'
import plugin from './plugin.ts'
import type { Requests } from './port.ts'

const pdf = Buffer.from('%PDF-1.7\n1 0 obj <</Type /Catalog>> endobj\ntrailer <</Root 1 0 R>>\n%%EOF\n')

/** A scene with a folder of its own for files. */
const scene = (options: Parameters<typeof open>[0] = {}) =>
  open({ files: filesIn(mkdtempSync(join(tmpdir(), 'portico-files-'))), ...options })

const states = (request: any) => request.list.map((it: { state: string }) => it.state)

/** The version of an item, as the page of staff shows it. */
async function versionOf(admin: Visitor, request: { id: string }, item: { id: string }) {
  const { text } = await admin.at(`${settings}/${request.id}`)
  const its = new RegExp(
    `items/${item.id}/(?:acceptance|return)">\\s*<input type="hidden" name="version" value="(\\d+)"`,
  )
  return its.exec(text)?.[1] ?? ''
}

/** What staff do with an item, by the word at the end of its address. */
async function decide(admin: Visitor, request: { id: string }, item: { id: string }, word: string, form: object = {}) {
  const version = await versionOf(admin, request, item)
  return admin.postAt(`${settings}/${request.id}/items/${item.id}/${word}`, { version, ...form })
}

/** The demo's adapter, of a CRM that has requests of its own: one, to every client. */
function withRequests(database: Knex): Crm {
  const crm = adapter(database)
  const state = { state: 'open', overdue: false, personal: false, items: 3, done: 1, returned: 0 } as const
  const one = { id: 'c1', name: 'Papers of the CRM', dueOn: null, by: 'Marta', at: '2026-11-20T08:00:00Z', ...state }
  const requests = {
    list: async () => ({ items: [one], next: null }),
    counts: async () => ({ all: 1, open: 1, overdue: 0, done: 0 }),
  }
  const connect: Crm['connect'] = (customer, tx) =>
    Object.assign(crm.connect(customer, tx), { requests: requests as unknown as Requests })
  return Object.create(crm, { connect: { value: connect } })
}

const told = ({ owner }: Scene) =>
  owner('portal_jobs.job').whereRaw(`data->>'job' = 'requests.tell' and state = 'created'`)

describe('requests', () => {
  afterEach(leave)

  it('go from a template to a client, are ticked off by uploading, sent back, and accepted', async () => {
    const it = await scene({ mail: 'kept' })
    const [owner, viewer, admin] = [await it.visit('owner'), await it.visit('viewer'), await it.visit('admin')]
    const made = await admin.postAt(`${settings}/templates`, {
      name: 'Year-end 2026',
      about: 'As always.',
      items: threeItems,
    })
    const [, template = ''] = /templates\/([\w-]+)/.exec(made.headers.location!)!
    expect(await admin.at(`${settings}/new?template=${template}`)).to.show('Stock count | One sheet per shop | 2')

    const { shown } = await sendRequest(admin, { template: `${template}:1`, dueOn: '2030-12-11' })
    expect(shown).to.show('Check before sending', 'Acme Bakery', 'People who get an e-mail')
    const mail = await it.mailTo(whoIs('owner').email)
    expect(mail.subject).to.match(/needs 3 things from you: Year-end 2026$/)
    expect(mail.text).to.include('Bank statements').and.include('All accounts, as PDF')
    expect(it.mails.map(one => one.to)).to.not.include(whoIs('viewer').email)

    expect(await owner.get('/')).to.show('Year-end 2026', '0 of 3 done')
    const request = await latestRequest(owner)
    expect(request).to.deep.include({ name: 'Year-end 2026', dueOn: '2030-12-11', items: 3, done: 0, state: 'open' })
    const [statements, stock, loan] = request.list
    expect(await owner.get(`/requests/${request.id}`)).to.show(
      '0 of 3 done',
      'Stock count',
      '0 of 2 files',
      'Does not apply',
    )
    expect(await viewer.get(`/requests/${request.id}`))
      .to.show('Stock count')
      .and.not.show('Does not apply')
    expect(await viewer.get('/')).to.not.show('asks for Year-end 2026')

    expect((await sendFiles(owner, request, statements, [['abn-oct.pdf', pdf]])).status).to.equal(303)
    expect((await sendFiles(owner, request, stock, [['kanaalstraat.csv', 'a,1']])).status).to.equal(303)
    const skipped = await owner.post(`/requests/${request.id}/items/${loan.id}/dismissal`, { reason: 'There is none.' })
    expect(skipped.status).to.equal(303)
    const half = await requestOf(viewer, request.id)
    expect(states(half)).to.deep.equal(['sent', 'open', 'skipped'])
    expect([half.done, half.items]).to.deep.equal([2, 3])
    expect(half.list[0].files[0]).to.include({
      name: 'abn-oct.pdf',
      type: 'application/pdf',
      own: false,
      removable: false,
    })
    await sendFiles(owner, request, stock, [['lombok.csv', 'b,2']])
    expect(await owner.get(`/requests/${request.id}`)).to.show('Everything is sent', '3 of 3 done')
    expect(await owner.get('/')).to.not.show('asks for Year-end 2026')

    expect(await admin.at(settings)).to.show('3 to check', 'Acme Bakery')
    expect(await admin.at(`${settings}/${request.id}`)).to.show(
      'abn-oct.pdf',
      'Does not apply: “There is none.”',
      'Nadia El-Khoury',
    )
    const back = await decide(admin, request, statements, 'return', { reason: 'December is missing.' })
    expect(back.status).to.equal(303)
    expect((await decide(admin, request, stock, 'acceptance')).status).to.equal(303)
    expect(await owner.get(`/requests/${request.id}`)).to.show('Sent back by Marta Lindqvist', 'December is missing.')
    expect(await owner.get('/')).to.show('1 thing was sent back')
    await until(async () => (await told(it)).length === 1)
    await told(it).update({ start_after: new Date(0) })
    await until(async () => (await told(it)).length === 0)
    const mailed = await it.mailTo(whoIs('owner').email, 'Year-end 2026: one thing was sent back')
    expect(mailed.text).to.include('December is missing.')

    // What was there before does not tick it again; a new file does.
    expect(states(await requestOf(owner, request.id))[0]).to.equal('returned')
    await sendFiles(owner, request, statements, [['abn-dec.pdf', pdf]])
    expect(states(await requestOf(owner, request.id))[0]).to.equal('sent')
    const { seen } = hiddenIn((await admin.at(`${settings}/${request.id}`)).text)
    expect((await admin.postAt(`${settings}/${request.id}/acceptance`, { seen })).status).to.equal(303)
    const accepted = await requestOf(owner, request.id)
    expect(accepted.list.map((one: any) => one.accepted)).to.deep.equal([true, true, true])
    const late = await sendFiles(owner, request, statements, [['more.pdf', pdf]])
    expect(late.status).to.equal(409)
    expect(late).to.show('This was already accepted.')

    const zip = await admin.at(`${settings}/${request.id}/zip`).buffer().parse(binary)
    expect(Object.keys(unzipSync(zip.body))).to.have.members([
      'Bank statements/abn-oct.pdf',
      'Bank statements/abn-dec.pdf',
      'Stock count/kanaalstraat.csv',
      'Stock count/lombok.csv',
    ])
    expect(await admin.at(`${settings}/${request.id}`)).to.show(
      'asked for 3 things: Year-end 2026',
      'sent a file for “Bank statements” of the request Year-end 2026',
      'sent back “Bank statements” of the request Year-end 2026',
      'downloaded 4 files of the request Year-end 2026 as a zip',
    )
  })

  it('stay as they were sent when their template changes, and keep its examples', async () => {
    const it = await scene()
    const [owner, admin, neighbour] = [await it.visit('owner'), await it.visit('admin'), await it.visit('neighbour')]
    const made = await admin.postAt(`${settings}/templates`, { name: 'Taxes', items: 'Bank statements\nMileage log' })
    const [, path = '', template = ''] = /(\/settings.*\/templates\/([\w-]+))/.exec(made.headers.location!)!
    const [, item] = /items\/([\w-]+)\/example/.exec((await admin.at(path)).text)!
    const example = admin.agent.post(`${path}/items/${item}/example`).attach('file', pdf, { filename: 'so.pdf' })
    expect((await example).status).to.equal(303)
    await sendRequest(admin, { template: `${template}:2`, items: 'bank statements | All\nExtra' })
    const request = await latestRequest(owner)
    expect(request.list[0].example).to.deep.equal({ name: 'so.pdf', size: pdf.length })
    const at = (id: string) => `/requests/${id}/items/${request.list[0].id}/example`
    expect((await owner.get(at(request.id)).buffer()).body.equals(pdf)).to.equal(true)
    expect((await neighbour.get(at(request.id))).status).to.equal(404)

    const save = (version: string, items: string) => admin.postAt(path, { name: 'Taxes', about: '', items, version })
    expect((await save('2', 'Something else')).status).to.equal(303)
    const stale = await save('2', 'Typed by a colleague')
    expect(stale.status).to.equal(409)
    expect(stale).to.show('Typed by a colleague')
    expect((await requestOf(owner, request.id)).list.map((one: any) => one.name)).to.deep.equal([
      'bank statements',
      'Extra',
    ])
    expect((await owner.get(at(request.id))).status).to.equal(200)
    await admin.postAt(`${path}/removal`)
    expect((await admin.at(path)).status).to.equal(404)
    expect(await owner.get(`/requests/${request.id}`)).to.show('see an example')
  })

  it('go to many clients, once each, whatever ends in the middle', async () => {
    const it = await scene({ mail: 'kept' })
    const admin = await it.visit('admin')
    const { shown, typed } = await preview(admin, { whom: 'all' })
    const clients = await it
      .owner('portal.client_memberships')
      .where({ workspace_id: '1' })
      .distinct('client_id')
      .pluck('client_id')
    expect(shown).to.show(`${clients.length} clients`, 'Halloran')
    const { seen = '' } = hiddenIn(shown.text)
    // The connection was lost, and the form is sent once more.
    const answers = await Promise.all([1, 2, 3].map(() => admin.postAt(settings, { ...typed, seen })))
    expect(answers.map(one => one.status)).to.deep.equal([303, 303, 303])
    await jobsDone(it.owner, 'plugins')
    const rows = await it.owner('portal.client_requests').pluck('client_id')
    expect(rows.sort()).to.deep.equal(clients.sort())
    expect(await it.owner('portal.client_request_items').where({ workspace_id: '1' })).to.have.length(
      clients.length * 3,
    )
    const { sending } = Object.fromEntries(new URLSearchParams(answers[0]!.headers.location!.split('?')[1]))
    expect(await admin.at(`${settings}?sending=${sending}`)).to.show(
      `0 of ${clients.length} clients have sent everything`,
      `${clients.length} sent nothing yet`,
    )
    const events = await it.owner('portal.client_activity_logs').where({ event: 'requests.sent' })
    expect(events).to.have.length(clients.length)
    const mails = it.mails.filter(one => /needs 3 things/.test(one.subject))
    expect(new Set(mails.map(one => one.to + /client=\w+/.exec(one.text)?.[0])).size).to.equal(mails.length)

    // Whom it goes to has changed since the preview: it is shown again, and nothing is sent.
    const next = await preview(admin, { whom: 'all', name: 'Second' })
    await it.owner('portal.client_memberships').where({ workspace_id: '1', client_id: clients[0] }).delete()
    const late = await admin.postAt(settings, { ...next.typed, seen: hiddenIn(next.shown.text).seen })
    expect(late.status).to.equal(409)
    expect(late).to.show(`${clients.length - 1} clients`, 'This has changed in the meantime.')
    expect(await it.owner('portal.client_requests').where({ name: 'Second' })).to.be.empty
  })

  it('are filled by five people at once: every file is there once, and every tick is right', async () => {
    const it = await scene()
    const admin = await it.visit('admin')
    await sendRequest(admin, { items: Array.from({ length: 6 }, (_, at) => `Thing ${at} | | 5`).join('\n') })
    const roles = ['owner', 'approver', 'billing', 'member', 'twofold'] as const
    const people = await Promise.all(roles.map(role => it.visit(role)))
    const request = await latestRequest(people[0]!)
    await Promise.all(
      people.flatMap((who, at) =>
        request.list.map((item: { id: string }) => sendFiles(who, request, item, [[`${roles[at]}.txt`, roles[at]!]])),
      ),
    )
    const filled = await requestOf(people[0]!, request.id)
    expect([filled.done, filled.items]).to.deep.equal([6, 6])
    for (const item of filled.list) {
      expect(item.state).to.equal('sent')
      expect(item.files.map((one: any) => one.name).sort()).to.deep.equal(roles.map(one => `${one}.txt`).sort())
    }
    const row = await it.owner('portal.client_requests').where({ id: request.id }).first()
    expect([row.done, row.to_review, row.files]).to.deep.equal([6, 6, 30])
  })

  it('take an upload that stops and goes on; colleagues see who is sending', async () => {
    const it = await scene()
    const [owner, member, admin] = [await it.visit('owner'), await it.visit('member'), await it.visit('admin')]
    await sendRequest(admin)
    const request = await latestRequest(owner)
    const [statements, stock] = request.list
    const begin = (item: { id: string }, size = pdf.length) =>
      owner.agent.post(`/portal/brightside/requests/${request.id}/items/${item.id}/uploads`).set({
        ...tus,
        'Upload-Length': String(size),
        'Upload-Metadata': `filename ${Buffer.from('abn.pdf').toString('base64')}`,
      })
    const append = (at: string, offset: number, content: Buffer, who = owner) =>
      who.agent
        .patch(at)
        .set({ ...tus, 'Upload-Offset': String(offset), 'Content-Type': 'application/offset+octet-stream' })
        .send(content)
    const begun = await begin(statements)
    expect(begun.status).to.equal(201)
    const at = begun.headers.location!
    expect((await append(at, 0, pdf.subarray(0, 10))).status).to.equal(204)
    expect(await member.get(`/requests/${request.id}`)).to.show('abn.pdf', 'Nadia El-Khoury is sending it')
    expect(states(await requestOf(member, request.id))[0]).to.equal('open')
    expect((await append(at, 10, pdf.subarray(10), member)).status).to.equal(404)
    expect((await append(at.replace(statements.id, stock.id), 10, pdf.subarray(10))).status).to.equal(404)
    expect((await append(at, 10, pdf.subarray(10))).status).to.equal(204)
    const done = await requestOf(owner, request.id)
    expect(states(done)[0]).to.equal('sent')
    expect(done.list[0].files).to.have.length(1)
    // The answer was lost: the browser asks again, and it is there.
    expect((await owner.agent.head(at).set(tus)).headers['upload-offset']).to.equal(String(pdf.length))

    // What is no longer asked for is refused at its end, and leaves nothing.
    const other = (await begin(stock)).headers.location!
    await append(other, 0, pdf.subarray(0, 10))
    expect((await decide(admin, request, stock, 'withdrawal')).status).to.equal(303)
    const refused = await append(other, 10, pdf.subarray(10))
    expect([refused.status, refused.text]).to.deep.equal([422, 'This is no longer asked for.'])
    expect(await it.owner('portal.client_files')).to.have.length(1)
    expect(await owner.get(`/requests/${request.id}`)).to.show('No longer needed')
  })

  it('are decided on as they were seen: a file that came meanwhile is not accepted unseen', async () => {
    const it = await scene()
    const [owner, admin] = [await it.visit('owner'), await it.visit('admin')]
    await sendRequest(admin)
    const request = await latestRequest(owner)
    const [statements] = request.list
    await sendFiles(owner, request, statements, [['first.pdf', pdf]])
    const version = await versionOf(admin, request, statements)
    await sendFiles(owner, request, statements, [['second.pdf', pdf]])
    const at = `${settings}/${request.id}/items/${statements.id}`
    const late = await admin.postAt(`${at}/acceptance`, { version })
    expect(late.status).to.equal(409)
    expect(late).to.show('This has changed in the meantime.', 'second.pdf')
    const empty = await decide(admin, request, statements, 'return', { reason: ' ' })
    expect(empty.status).to.equal(422)
    expect(empty).to.show('Say what is missing.')
    expect((await decide(admin, request, statements, 'acceptance')).status).to.equal(303)
    // Accepted, it may still turn out to be wrong.
    expect((await decide(admin, request, statements, 'return', { reason: 'Not these.' })).status).to.equal(303)
    expect(states(await requestOf(owner, request.id))[0]).to.equal('returned')
  })

  it('can be undone by who sent something, and by nobody else', async () => {
    const it = await scene()
    const [owner, member, admin] = [await it.visit('owner'), await it.visit('member'), await it.visit('admin')]
    await sendRequest(admin)
    const request = await latestRequest(owner)
    const [statements, , loan] = request.list
    await sendFiles(owner, request, statements, [['wrong.pdf', pdf]])
    const [file] = (await requestOf(owner, request.id)).list[0].files
    const at = `/requests/${request.id}/items/${statements.id}/files/${file.id}/removal`
    expect((await member.post(at)).status).to.equal(404)
    expect((await owner.post(at)).status).to.equal(303)
    expect((await owner.post(at)).status).to.equal(404)
    const without = await requestOf(owner, request.id)
    expect([without.list[0].state, without.list[0].files]).to.deep.equal(['open', []])
    expect(await it.owner('portal.client_files')).to.be.empty
    const reason = `/requests/${request.id}/items/${loan.id}/dismissal`
    const blank = await owner.post(reason, { reason: ' ' })
    expect(blank.status).to.equal(422)
    expect(blank).to.show('Say why it does not apply.')
    await owner.post(reason, { reason: 'None.' })
    expect((await member.post(`${reason}/removal`)).status).to.equal(303)
    expect(states(await requestOf(owner, request.id))).to.deep.equal(['open', 'open', 'open'])
  })

  it('for one person are nobody else’s, also in the activity of their company', async () => {
    const it = await scene({ mail: 'kept' })
    const [owner, member, admin] = [await it.visit('owner'), await it.visit('member'), await it.visit('admin')]
    const { id: person } = await it
      .owner('portal.client_users')
      .where({ email: whoIs('member').email })
      .first('id')
    await sendRequest(admin, { name: 'Passport of Youssef', person })
    const request = await latestRequest(member)
    expect(request.personal).to.equal(true)
    expect(it.mails.filter(one => /Passport/.test(one.subject)).map(one => one.to)).to.deep.equal([
      whoIs('member').email,
    ])
    await sendFiles(member, request, request.list[0], [['passport.pdf', pdf]])
    const [file] = (await requestOf(member, request.id)).list[0].files
    for (const path of ['', `/files/${file.id}/content`, `/files/${file.id}/preview`, '/zip'])
      expect((await owner.get(`/requests/${request.id}${path}`)).status, path).to.equal(404)
    expect((await sendFiles(owner, request, request.list[1], [['x.pdf', pdf]])).status).to.equal(404)
    expect(
      (await owner.post(`/requests/${request.id}/items/${request.list[1].id}/dismissal`, { reason: 'x' })).status,
    ).to.equal(404)
    expect((await owner.api('/requests')).body.items).to.be.empty
    expect((await member.post(`/requests/${request.id}/comments`, { text: 'Why?' })).status).to.equal(404)
    expect(await member.get(`/requests/${request.id}`)).to.not.show('Your question')
    for (const page of [await owner.get('/activity'), await owner.get('/')])
      expect(page).to.not.show('Passport').and.not.show('passport.pdf')
    expect(await owner.get('/activity')).to.show('sent a file for a personal request')
    expect(await member.get('/requests')).to.show('Passport of Youssef', 'only for you')
    expect(await admin.at(settings)).to.show('only for Youssef Amrani')
  })

  it('are another client’s 404, and cannot be filled through an item of another list', async () => {
    const it = await scene()
    const [owner, neighbour, stranger] = [
      await it.visit('owner'),
      await it.visit('neighbour'),
      await it.visit('stranger'),
    ]
    const admin = await it.visit('admin')
    await sendRequest(admin)
    const mine = await latestRequest(owner)
    const { client_id: other } = await it
      .owner('portal.client_memberships as m')
      .join('portal.client_users as u', 'u.id', 'm.person_id')
      .where({ 'u.email': whoIs('neighbour').email })
      .first('m.client_id')
    await sendRequest(admin, { client: other })
    const theirs = await latestRequest(neighbour)
    expect(theirs.id).to.not.equal(mine.id)
    await sendFiles(owner, mine, mine.list[0], [['mine.pdf', pdf]])
    const [file] = (await requestOf(owner, mine.id)).list[0].files
    for (const who of [neighbour, stranger]) {
      for (const path of ['', '/zip', `/files/${file.id}/content`, `/files/${file.id}/preview`])
        expect((await who.get(`/requests/${mine.id}${path}`)).status, path).to.equal(404)
      expect((await sendFiles(who, mine, mine.list[0], [['x.pdf', pdf]])).status).to.equal(404)
    }
    // Ids of two lists in one address.
    expect((await sendFiles(neighbour, theirs, mine.list[0], [['x.pdf', pdf]])).status).to.equal(404)
    expect((await neighbour.get(`/requests/${theirs.id}/files/${file.id}/content`)).status).to.equal(404)
    expect(
      (await neighbour.post(`/requests/${theirs.id}/items/${mine.list[0].id}/files/${file.id}/removal`)).status,
    ).to.equal(404)
    expect(
      (await neighbour.post(`/requests/${theirs.id}/items/${mine.list[1].id}/dismissal`, { reason: 'x' })).status,
    ).to.equal(404)
    expect(await it.owner('portal.client_files')).to.have.length(1)
    const [colleague, viewer] = [await it.visit('colleague'), await it.visit('viewer')]
    expect((await colleague.at(`${settings}/${mine.id}`)).status).to.be.oneOf([403, 404])
    expect((await sendFiles(viewer, mine, mine.list[1], [['x.pdf', pdf]])).status).to.equal(403)
  })

  it('refuse what cannot be asked, with a sentence for each line, and keep what was typed', async () => {
    const it = await scene()
    const admin = await it.visit('admin')
    const refused = async (form: Record<string, string>, ...sentences: string[]) => {
      const { shown } = await preview(admin, form)
      expect(shown.status, sentences[0]).to.equal(422)
      expect(shown).to.show(...sentences)
    }
    await refused({ items: 'Fine\nFine' }, 'The name in line 2 is there twice.', 'Fine')
    await refused({ items: 'Stock | x | many\n | no name' }, 'not between 1 and 100', 'Line 2 has no name.')
    await refused({ items: 'x'.repeat(201) }, 'The name in line 1 is longer than 200 characters.')
    await refused({ items: ' ' }, 'List at least one thing.')
    await refused({ items: Array.from({ length: 401 }, (_, at) => `T${at}`).join('\n') }, 'Use at most 400 items.')
    await refused({ name: '' }, 'Give the list a name.')
    await refused({ dueOn: '2020-01-01' }, 'This day has passed.')
    await refused({ client: '' }, 'Choose at least one client.')
    await refused({ client: 'no such client' }, 'Choose at least one client.')
    await sendRequest(admin, {
      items: Array.from({ length: 400 }, (_, at) => `Thing ${at} ${'x'.repeat(100)}`).join('\n'),
    })
    const owner = await it.visit('owner')
    const request = await latestRequest(owner)
    expect(request.list).to.have.length(400)
    const added = await admin.postAt(`${settings}/${request.id}/items`, { items: 'One more' })
    expect(added.status).to.equal(422)
    expect(added).to.show('Use at most 400 items.', 'One more')
  })

  it('are closed, withdrawn and opened again; nothing is sent meanwhile', async () => {
    const it = await scene({ mail: 'kept' })
    const [owner, admin] = [await it.visit('owner'), await it.visit('admin')]
    await sendRequest(admin)
    const request = await latestRequest(owner)
    const at = `${settings}/${request.id}`
    expect((await admin.postAt(`${at}/closing`)).status).to.equal(303)
    expect((await admin.postAt(`${at}/closing`)).status).to.equal(409)
    const closed = await sendFiles(owner, request, request.list[0], [['x.pdf', pdf]])
    expect(closed.status).to.equal(409)
    expect(closed).to.show('This is no longer asked for.', 'This request is closed')
    expect((await admin.postAt(`${at}/withdrawal`)).status).to.equal(303)
    expect(await owner.get(`/requests/${request.id}`)).to.show('This is no longer needed')
    expect((await owner.api('/requests')).body.counts).to.deep.equal({ all: 1, open: 0, overdue: 0, done: 1 })
    expect((await admin.postAt(`${at}/reopening`)).status).to.equal(303)
    expect((await sendFiles(owner, request, request.list[0], [['x.pdf', pdf]])).status).to.equal(303)
    // Reminding is for once a day.
    expect((await admin.postAt(`${at}/prompt`)).status).to.equal(303)
    expect((await it.mailTo(whoIs('owner').email, 'Year-end 2026: 2 things are missing')).text).to.include(
      'Stock count',
    )
    expect((await admin.postAt(`${at}/prompt`)).status).to.equal(409)
    const moved = await admin.postAt(at, { name: 'Year-end', about: '', dueOn: '2020-01-01' })
    expect(moved.status).to.equal(422)
    expect((await admin.postAt(at, { name: 'Year-end', about: 'New', dueOn: '2030-01-01' })).status).to.equal(303)
    expect(await owner.get(`/requests/${request.id}`)).to.show('Year-end', 'New')
    await it.pass(60 * 24 * 365 * 5)
    expect(await (await it.visit('owner')).get('/requests')).to.show('days late')
  })

  it('ask again for what turned out to have a virus', async () => {
    const scanner = await finding('Win.Test.EICAR')
    const it = await scene({ scanner: scanner.address })
    const [owner, admin] = [await it.visit('owner'), await it.visit('admin')]
    await sendRequest(admin)
    const request = await latestRequest(owner)
    await sendFiles(owner, request, request.list[0], [['macro.txt', 'x']])
    const [{ id }] = (await requestOf(owner, request.id)).list[0].files
    await until(async () => (await it.owner('portal.client_files').where({ state: 'infected' })).length === 1)
    const after = await requestOf(owner, request.id)
    expect([states(after)[0], after.done]).to.deep.equal(['open', 0])
    expect(await owner.get(`/requests/${request.id}`)).to.show('A virus was found (Win.Test.EICAR)')
    expect((await owner.get(`/requests/${request.id}/files/${id}/content`)).status).to.equal(404)
    expect((await admin.at(`${settings}/${request.id}/files/${id}/content`)).status).to.equal(404)
    scanner.server.close()
  })

  it('have what a person sent in the copy of their data, and lose the name with their account', async () => {
    const it = await scene()
    const [owner, admin] = [await it.visit('owner'), await it.visit('admin')]
    await sendRequest(admin)
    const request = await latestRequest(owner)
    await sendFiles(owner, request, request.list[0], [['a.pdf', pdf]])
    const person = (
      await it
        .owner('portal.client_users')
        .where({ email: whoIs('owner').email })
        .first('id')
    ).id
    const who = { workspace: '1', person }
    await within(it.database, { workspace: '1' }, async tx => {
      const { requests } = await plugin.privacy!.exports!(tx, who)
      expect(requests!.map((one: any) => [one.item, one.state])).to.deep.equal([[request.list[0].name, 'sent']])
      await plugin.privacy!.erases!(tx, who)
    })
    expect((await requestOf(owner, request.id)).list[0]).to.include({ by: '–', state: 'sent' })
  })

  it('are the CRM’s where it has them, and staff cannot send any that no client would see', async () => {
    const on = await fresh()
    const it = await open({ on, crm: withRequests(on.database) })
    const [owner, admin] = [await it.visit('owner'), await it.visit('admin')]
    expect(await owner.get('/requests')).to.show('Papers of the CRM')
    expect(await admin.at(settings))
      .to.show('Your CRM has its own requests')
      .and.not.show('New request')
    expect((await admin.at(`${settings}/new`)).headers.location).to.match(/\/requests$/)
    expect((await admin.at(`${settings}/${randomUUID()}`)).status).to.equal(404)
  })

  it('are not there while the section or the portal is off', async () => {
    const it = await scene()
    const [owner, admin] = [await it.visit('owner'), await it.visit('admin')]
    await sendRequest(admin)
    const request = await latestRequest(owner)
    await admin.postAt('/settings/client-portal/visibility', { 'was.requests': 'on' })
    for (const path of ['', `/${request.id}`, `/${request.id}/zip`])
      expect((await owner.get(`/requests${path}`)).status, path).to.equal(404)
    expect((await sendFiles(owner, request, request.list[0], [['x.pdf', pdf]])).status).to.equal(404)
    expect(await owner.get('/')).to.not.show('Year-end 2026')
  })
})

const binary = (res: any, done: (error: Error | null, body: Buffer) => void) => {
  const parts: Buffer[] = []
  res.on('data', (it: Buffer) => parts.push(it))
  res.on('end', () => done(null, Buffer.concat(parts)))
}

/** A scanner that finds this in every file (clamd(8), INSTREAM). */
async function finding(threat: string) {
  const server = createServer(socket => {
    socket.on('error', () => undefined)
    socket.on('data', data => {
      if (data.subarray(-4).equals(Buffer.alloc(4))) socket.end(`stream: ${threat} FOUND\n`)
    })
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  return { server, address: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}` }
}
