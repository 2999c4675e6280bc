import { createHmac } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { unzipSync } from 'fflate'
import request from 'supertest'
import { z } from 'zod'
import { map } from '../../demo/adapter/map.ts'
import { role } from '../../demo/portal-database.ts'
import { archive } from '../../plugins/privacy/archive.ts'
import { endAccount } from '../../plugins/privacy/requests.ts'
import { reseal } from '../../src/auth/reseal.ts'
import { withdrawAudit } from '../../src/crm/activation/accept.ts'
import { adapterOf, audit, grantsOf, problemsOf, query } from '../../src/index.ts'
import { root } from '../../src/platform/root.ts'
import {
  admins,
  anybody,
  anyMember,
  type Customer,
  may,
  optionOf,
  type Plugin,
  plugin,
  saveOption,
  type WebhookCall,
  within,
} from '../../src/sdk.ts'
import { secret } from '../database.ts'
import { until } from '../until.ts'
import { leave, open, whoIs } from '../visit.ts'
import { freshWith, makeTickets } from './walked-tickets.ts'

const shared = 'a secret that both know'
const linkable = { toggle: 'board', opens: ['/:id'], may: [], without: [], withoutCode: [] }

describe('a plugin', () => {
  let made: Awaited<ReturnType<typeof makeTickets>>
  const folder = mkdtempSync(join(root, 'test', 'plugins', 'walked-'))

  before(async () => {
    made = await makeTickets()
    mkdirSync(join(folder, 'assets'))
    writeFileSync(join(folder, 'assets', 'board.js'), 'document.title')
    writeFileSync(
      join(folder, 'show.ejs'),
      `<script src="<%= asset('board/board.js') %>" nonce="<%= nonce %>"></script>`,
    )
  })
  after(() => rmSync(folder, { recursive: true }))
  afterEach(leave)

  const calls: WebhookCall[] = []
  const board = plugin({
    name: 'board',
    title: 'Board',
    icon: 'message',
    order: 70,
    folder,
    permissions: { 'board.see': { label: 'See the board', roles: ['admin'] } },
    toggles: { board: { label: 'Board', about: 'A board.', default: true } },
    csp: { 'img-src': ['https://maps.example'] },
    store: () => ({}),
    options: {
      'board.hours': {
        label: 'Hours',
        shape: z.coerce.number('Type a number.').int('Type a whole number.').default(24),
      },
      'board.key': { label: 'Key of the service', shape: z.string().default(''), secret: true },
    },
    settings: {
      title: 'Board',
      icon: 'message',
      routes(router, host) {
        router.post('/', admins, async (req, res) => {
          const { name, value, before } = Object(req.portal.body)
          await saveOption(req, host, { name, value, before })
          res.json({ now: await optionOf(host, req.portal.workspace.id, name) })
        })
      },
    },
    routes: router => void router.get('/', may('board.see'), (_req, res) => res.respond('board/show', {})),
    public: {
      path: 'board-status',
      routes: router => void router.get('/', anybody, (_req, res) => void res.json({ up: true })),
    },
    async webhook(call) {
      calls.push(call)
      const signature = createHmac('sha256', shared).update(call.body).digest('hex')
      if (call.headers['x-signature'] !== signature) return { status: 401, body: { error: 'wrong signature' } }
      if (call.query.fail) throw new Error('out of order')
      return { status: 202 }
    },
  })

  it('takes what others send, as raw bytes past the CRM’s parsers, and nothing while the flag is off', async () => {
    const on = { now: true }
    const flags = { enabledAnywhere: () => on.now, enabled: () => on.now }
    const scene = await open({ plugins: [board], flags, checkEvery: 0.1 })
    const body = '{ "a":  1 }'
    const signed = createHmac('sha256', shared).update(body).digest('hex')
    const send = (path = '', signature = signed) =>
      request(scene.app)
        .post(`/portal/-/webhooks/board${path}`)
        .set({ 'Content-Type': 'application/json', 'X-Signature': signature })
        .send(body)
    expect((await send()).status).to.equal(202)
    expect(calls.at(-1)?.body.toString()).to.equal(body)
    expect(await send('', 'x')).to.deep.include({ status: 401, body: { error: 'wrong signature' } })
    expect(await send('?fail=1')).to.deep.include({ status: 500, body: {} })
    expect(scene.log.find(it => it.level === 'error')?.sentence).to.include('webhook')
    const large = await request(scene.app)
      .post('/portal/-/webhooks/board')
      .send({ a: 'x'.repeat(2_000_000) })
    expect(large.status).to.equal(413)
    await withdrawAudit(scene.owner)
    await until(async () => (await send()).status === 404)
    on.now = false
    const before = calls.length
    expect((await send()).status).to.equal(404)
    expect(calls).to.have.length(before)
  })

  it('has settings with a type and a default, sealed where they are secret, changed by an admin and by one at once', async () => {
    const scene = await open({ plugins: [board] })
    const admin = await scene.visit('admin')
    const save = (form: object, who = admin) => who.postAt('/settings/client-portal/board', form)
    expect((await save({ name: 'board.hours', value: '8', before: '24' })).body).to.deep.equal({ now: 8 })
    expect((await save({ name: 'board.hours', value: '9', before: '24' })).status).to.equal(409)
    expect(await save({ name: 'board.hours', value: 'many', before: '8' })).to.include({ status: 422 })
    expect(
      (await save({ name: 'board.hours', value: '1', before: '8' }, await scene.visit('colleague'))).status,
    ).to.equal(403)
    const both = await Promise.all(['10', '11'].map(value => save({ name: 'board.hours', value, before: '8' })))
    expect(both.map(it => it.status).sort()).to.deep.equal([200, 409])

    expect((await save({ name: 'board.key', value: 'a very secret key' })).body).to.deep.equal({
      now: 'a very secret key',
    })
    const { rows } = await scene.owner.raw(`select to_jsonb(s) - 'sealed' as row, encode(s.sealed, 'escape') as sealed
      from portal.client_plugin_settings s where name = 'board.key'`)
    expect(JSON.stringify(rows)).to.not.include('very secret')
    expect(JSON.stringify(await scene.owner('portal.client_activity_logs'))).to.not.include('very secret')
    expect(await admin.at('/settings/client-portal/activity')).to.show(
      'changed Key of the service',
      'changed Hours from “24” to “8”',
    )
    const { anew } = await reseal(scene.database, ['another secret of thirty-two characters', secret])
    expect(anew).to.be.above(0)
    const other = await within(scene.database, { workspace: '2' }, tx =>
      query(tx, { text: 'select * from portal.client_plugin_settings' }),
    )
    expect(other).to.be.empty
  })

  it('has files of its own, loads what it has named, and is there without an account where it says so', async () => {
    const scene = await open({ plugins: [board] })
    const owner = await scene.visit('owner')
    const page = await owner.get('/board')
    const [, address = ''] = /src="([^"]+board\/board\.js)"/.exec(page.text) ?? []
    expect(await owner.at(address)).to.include({ status: 200, text: 'document.title' })
    expect(page.headers['content-security-policy']).to.include("img-src 'self' data: https://maps.example")
    expect((await owner.get('/invoices')).headers['content-security-policy']).to.not.include('maps.example')
    expect(await (await scene.visit()).get('/board-status')).to.deep.include({ status: 200, body: { up: true } })
    for (const file of ['..%2F..%2Fpackage.json', 'show.ejs', 'nothing.js'])
      expect((await owner.at(address.replace('board.js', file))).status, file).to.equal(404)
  })

  it('tells what it keeps of a person, and erases it with the account', async () => {
    const plugins: Plugin[] = [made.tickets]
    const copy = await freshWith(plugins)
    const scene = await open({ on: copy, plugins })
    const [owner, colleague] = [await scene.visit('owner'), await scene.visit('approver')]
    await owner.post('/tickets', { title: 'Mine', text: 'Of the owner.' })
    await colleague.post('/tickets', { title: 'Theirs', text: 'Of a colleague.' })
    const { id: person } = await copy
      .owner('portal.client_users')
      .where({ email: whoIs('owner').email })
      .first()
    const who = { workspace: '1', person }
    const kept = await within(copy.database, { workspace: '1' }, tx => made.tickets.privacy!.exports!(tx, who))
    expect(kept.tickets).to.have.length(1)
    expect(kept.tickets![0]).to.include({ title: 'Mine' })
    const customer = { workspace: { id: '1' }, client: { id: '1' }, person: { id: person } } as unknown as Customer
    const ports = { tickets: made.tickets.store!(customer, copy.database, { files: undefined }) }
    const copied = await archive({ database: copy.database, plugins }, customer, ports as never, ['tickets'])
    const files = Object.keys(unzipSync(new Uint8Array(copied)))
    expect(files).to.include.members(['tickets.json', 'tickets (2).json'])

    await copy.owner('portal.client_deletions').insert({
      workspace_id: '1',
      id: '018f0000-0000-7000-8000-000000000001',
      person_id: person,
      requested_at: new Date(0),
      due_at: new Date(0),
    })
    const asked = { workspace: '1', id: '018f0000-0000-7000-8000-000000000001' }
    expect(await within(copy.database, { workspace: '1' }, tx => endAccount(tx, plugins, asked))).to.equal(true)
    const persons = await copy.owner('portal.client_tickets').orderBy('id').pluck('person_id')
    expect(persons[0]).to.equal('')
    expect(persons[1]).to.not.equal('')
  })

  it('is read by a map, of its own client’s rows alone, and never asked beyond what is granted', async () => {
    const plugins = [made.tickets]
    const copy = await freshWith(plugins)
    await copy.owner.raw(`
      create schema helpdesk;
      create table helpdesk.cases (id serial primary key, customer_id int, subject text, body text, reply text, created_at timestamptz, secret text);
      insert into helpdesk.cases (customer_id, subject, body, reply, created_at, secret)
        select c.id, 'Case of ' || c.company_name, 'Please help.', null, '2026-11-01 10:00Z', 'internal' from clients c`)
    const tickets = {
      ...{ table: 'helpdesk.cases', client: 'customer_id', title: 'subject', text: 'body', answer: 'reply' },
      openedOn: 'created_at',
    }
    const crm = adapterOf({ ...map, tickets } as never, copy.database, { plugins })
    for (const text of grantsOf(crm, role)) await query(copy.owner, { text })
    expect(crm.reads!.tickets!['helpdesk.cases']).to.not.include('secret')
    const scene = await open({ on: copy, crm, plugins })
    const owner = await scene.visit('owner')
    const { items } = (await owner.api('/tickets')).body
    expect(items.map((it: any) => it.title)).to.deep.equal(['Case of Acme Bakery'])
    expect(await owner.get(`/tickets/${items[0].id}`)).to.show('Please help.')
    for (const who of ['neighbour', 'stranger'] as const)
      expect((await (await scene.visit(who)).get(`/tickets/${items[0].id}`)).status, who).to.equal(404)
    expect(await copy.owner('portal.client_tickets')).to.be.empty

    const wrong = (entry: object) =>
      problemsOf({ ...map, tickets: { ...tickets, ...entry } } as never, copy.owner, { plugins }).then(all =>
        all.map(it => it.sentence).join('\n'),
      )
    expect(await wrong({ title: 'subjet' })).to.include('helpdesk.cases.subjet: no such column; did you mean subject?')
    expect(await wrong({ subject: 'x' })).to.include('tickets.subject: no such entry')
    expect(await problemsOf({ ...map, tickets } as never, copy.owner)).to.not.be.empty
  })

  it('is named in the report of an audit, with what it adds', async () => {
    const source = join(root, 'test/audit/crms/express-knex')
    const { json: before } = await audit({ source })
    const [question = ''] = Object.entries(before.answers).find(([, it]) => it.status === 'missing') ?? []
    const { json } = await audit({ source, plugins: [{ audit: { question, adds: 'tickets that clients open' } }] })
    const { consequence } = json.answers[question as keyof typeof json.answers]!
    expect(consequence).to.include('tickets that clients open')
    expect(Object.values(json.answers).filter(it => it.consequence.includes('tickets that'))).to.have.length(1)
  })

  it('that is malformed in what it may have stops the start with a sentence', async () => {
    const scene = await open()
    const said = (change: object) =>
      open({ on: scene, plugins: [{ ...board, ...change } as Plugin] }).then(
        () => 'nothing',
        error => error.message,
      )
    const kind = { label: 'x', group: 'work', sentence: '{a, select, 1 {{b}} other {}}' }
    const told = (change: object) => ({ notifications: { 'board.x': { ...kind, ...change } } })
    for (const [change, sentence] of [
      [{ csp: { 'script-src': ['https://x.example'] } }, 'plugin board: csp Unrecognized key: "script-src"'],
      [
        { csp: { 'img-src': ["https://x; script-src 'unsafe-inline'"] } },
        'plugin board: csp.img-src.0 must be sources',
      ],
      [{ options: { 'board.x': { label: 'x', shape: z.string() } } }, 'options.board.x.shape must have a default'],
      [told({ sentence: '{a' }), 'notifications.board.x.sentence must be ICU MessageFormat'],
      [told({ example: { a: 1 } }), 'notifications.board.x.example lacks b, which a sentence names'],
      [told({ example: { a: 1, b: { day: 'soon' } } }), 'notifications.board.x.example.b'],
      [{ jobs: { 'invoices.x': { work: async () => undefined } } }, 'jobs.invoices.x must begin with board'],
      [{ jobs: { 'board.x': { every: 1, work: async () => undefined } } }, 'jobs.board.x.every must be 60 seconds'],
      [{ jobs: { 'board.x': { whileOff: 'yes', work: async () => undefined } } }, 'jobs.board.x.whileOff must be true'],
      [{ privacy: { exports: 'all' } }, 'plugin board: privacy.exports must be a function'],
      [{ subject: { label: 'x', page: 'board/show' } }, 'plugin board: subject.find must be a function'],
      [{ capabilities: { comments: () => ({}) } }, 'both have the capability comments'],
      [
        { settings: { title: 'x', icon: 'message', path: 'questions', routes: () => undefined } },
        'settings page questions',
      ],
      [
        { public: { path: 'board-x', routes: (it: any) => it.get('/', (_: any, res: any) => res.end()) } },
        'must say who may',
      ],
      [{ public: { path: 'sign-in', routes: () => undefined } }, 'plugin board: public.path is taken'],
      [{ public: { path: ':x', routes: () => undefined } }, 'plugin board: public.path must be small letters'],
      [{ public: { path: 'payments', routes: () => undefined } }, 'both have the address payments'],
      [
        { public: { path: 'board-x', routes: (it: any) => it.get('/', anyMember, () => undefined) } },
        'must be for anybody',
      ],
      [
        { settings: { title: 'x', icon: 'message', path: 'people', routes: () => undefined } },
        'settings.path is taken',
      ],
      [{ name: 'password', account: { routes: () => undefined } }, 'plugin password: '],
      [
        { subject: { label: 'x', page: 'board/show', find: async () => ({}), link: { ...linkable, opens: ['/'] } } },
        'subject.link.opens.0 must be below /:id',
      ],
      [{ mapping: { shape: {}, compile: () => ({}) } }, 'plugin board: mapping.shape must be a schema of zod'],
    ] as const)
      expect(await said(change), sentence).to.include(sentence)
  })
})
