import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { adapter } from '../demo/adapter/adapter.ts'
import { staff } from '../demo/mount.ts'
import { personal } from '../src/api/tokens.ts'
import { createPortal, type Portal } from '../src/index.ts'
import { within } from '../src/platform/database.ts'
import { sections } from '../src/plugin/discover.ts'
import { fresh } from './database.ts'
import { Custom } from './identity-provider.ts'
import { person, share } from './links.ts'
import { type Route, routesOf } from './routes.ts'
import { leave, open, type Role, type Scene, storage, type Visitor, whoIs } from './visit.ts'

/** Whatever is mounted is asked: a route that a later section adds is in these tests by being there. */
describe('every route', () => {
  let portal: Portal
  let clientRoutes: Route[]
  let settingsRoutes: Route[]
  let scene: Scene
  const visitors = new Map<string, Visitor>()

  before(async () => {
    const { database } = await fresh()
    portal = await createPortal({
      database,
      crm: adapter(database),
      flags: { enabledAnywhere: () => true, enabled: () => true },
      staff,
      secrets: ['x'.repeat(32)],
      address: 'https://crm.example/portal',
      mail: { from: 'portal@example.com', send: async () => undefined },
      signIn: { strategies },
    })
    clientRoutes = routesOf(portal.clients)
    settingsRoutes = routesOf(portal.settings)
    scene = await open({ mail: 'kept', signIn: { strategies } })
    for (const role of ['owner', 'billing', 'neighbour', 'stranger', 'twofold', 'admin', 'colleague'] as Role[]) {
      visitors.set(role, await scene.visit(role))
    }
    visitors.set('suspended', await scene.visit('viewer'))
    await scene
      .owner('portal.client_users')
      .where({ email: 'ilse@acmebakery.example' })
      .update({ suspended_at: new Date() })
    visitors.set('nobody', await scene.visit())
    // It is off until somebody switches it on.
    await scene
      .owner('portal.client_portal_settings')
      .insert({ workspace_id: '1', name: 'sms', value: 'true', changed_by: 'A test' })
    for (const it of sections) await it.fixtures?.(scene.owner, { files: storage })
  })

  after(async () => {
    await portal.close()
    await leave()
  })

  const strategies = [{ name: 'house', title: 'House', strategy: new Custom(() => ({ contact: 1 })) }]
  const permissions = sections.flatMap(it => Object.entries(it.permissions))
  const ruled = (rule: string) => clientRoutes.filter(it => it.rule === rule)
  const byLink = ({ path }: Route) => path.startsWith('/:workspace/link/open/')
  const withoutId = (permission: string) => ruled(permission).filter(it => !it.path.includes(':id') && !byLink(it))
  const guarded = () => clientRoutes.filter(it => it.rule !== 'anybody' && !byLink(it))
  const ask = (who: string, { method, path }: Route, workspace = 'brightside', id = '1') =>
    visitors.get(who)!.agent[method](`/portal${path.replace(':workspace', workspace).replaceAll(/:\w+/g, id)}`)

  it('has a rule that is known', () => {
    const rules = ['anybody', 'member', 'client admin', ...permissions.map(([name]) => name)]

    expect(clientRoutes.length).to.be.above(10)
    for (const { method, path, rule } of clientRoutes) expect(rules, `${method} ${path}`).to.include(rule)
    for (const { method, path, rule } of settingsRoutes) {
      // The clients' pages once more, behind the rule of staff: each has the rule that it has for clients.
      const known = path.startsWith('/view/:client/:person') ? rules : ['staff admin', 'anybody']
      expect(known, `${method} ${path}`).to.include(rule)
      if (rule === 'anybody') expect(path).to.match(/^\/-\/assets\//)
    }
  })

  it('that is open to anybody is one of these few', () => {
    expect([...new Set(ruled('anybody').map(it => it.path))]).to.have.members([
      '/-/assets/:version/brand-:colour.css',
      '/-/assets/:version/stage-:colour.css',
      '/:workspace/logo/:version{/:paper}',
      '/-/assets/:version/:name',
      '/-/assets/:version/:plugin/:name',
      '/-/health',
      '/-/ready',
      '/-/metrics',
      '/:workspace/sign-in',
      '/:workspace/sign-in/code',
      '/:workspace/sign-in/code/:request',
      '/:workspace/sign-in/link/:token',
      '/:workspace/forgot-password',
      '/:workspace/reset-password/:token',
      '/:workspace/address/:token',
      '/:workspace/address/undo/:token',
      '/:workspace/verify',
      '/:workspace/unsubscribe/:token',
      '/:workspace/push-worker/worker.js',
      '/:workspace/text-code',
      '/:workspace/calendar-feed/:token/calendar.ics',
      '/:workspace/text-code/:request',
      '/:workspace/home-screen/manifest.webmanifest',
      '/:workspace/home-screen/icons/:version/:name.png',
      '/:workspace/sign-out',
      '/:workspace/api/v1/codes',
      '/:workspace/api/v1/tokens',
      '/:workspace/api/v1/openapi.json',
      '/:workspace/invitation/:token',
      '/:workspace/invitation/:token/membership',
      '/:workspace/invitation/:token/renewal',
      '/:workspace/unlock/:token',
      '/:workspace/register',
      '/:workspace/not-me/:token',
      '/:workspace/sign-in/second-factor',
      '/:workspace/sign-in/passkey',
      '/:workspace/sign-in/with/:name',
      '/:workspace/sign-in/with/:name/callback',
      '/:workspace/register/:token',
      '/:workspace/link/:token',
      '/:workspace/link/open/:link/code',
      '/:workspace/link/open/:link/another-address',
    ])
  })

  it('sends nobody and the suspended to sign-in, as page, fragment and JSON', async () => {
    for (const who of ['nobody', 'suspended', 'stranger', 'admin']) {
      for (const route of guarded()) {
        const api = route.path.includes('/api/')
        const page = await ask(who, route)
        const fragment = await ask(who, route).set('HX-Request-Type', 'partial')

        expect(page.status, `${who} ${route.path}`).to.equal(api ? 401 : 303)
        expect(fragment.status, `${who} ${route.path}`).to.equal(401)
        if (!api) {
          expect(page.headers.location).to.match(/^\/portal\/brightside\/sign-in/)
          expect(fragment.headers['hx-redirect']).to.match(/^\/portal\/brightside\/sign-in/)
        }
        for (const answer of [page, fragment]) expect(answer.text).to.not.match(/Acme|P-2026|2026-01/)
      }
    }
  })

  /** An action that is asked for without anything says what is missing. */
  const given = ({ method }: Route) => (method === 'get' ? [200] : [200, 204, 303, 412, 422])

  it('is refused to a role that does not include it, and given to one that does', async () => {
    for (const [permission, { roles }] of permissions) {
      for (const route of withoutId(permission)) {
        expect(given(route)).to.include((await ask('owner', route)).status, route.path)
        const expected = (roles as string[]).includes('billing') ? given(route) : [403]
        expect(expected).to.include((await ask('billing', route)).status, route.path)
      }
    }
  })

  it('follows the roles as the workspace has changed them', async () => {
    const admin = visitors.get('admin')!
    const was = (permission: string) =>
      ((permissions.find(([it]) => it === permission)?.[1].roles ?? []) as string[]).includes('billing')
    const flip = (on: (permission: string) => boolean) =>
      admin.postAt(
        '/settings/client-portal/roles',
        Object.assign(
          {},
          ...permissions.map(([it]) => ({
            [`was.billing.${it}`]: on(it) ? 'on' : 'off',
            ...(on(it) ? {} : { [`billing.${it}`]: 'on' }),
          })),
        ),
      )

    expect((await flip(was)).status).to.equal(303)
    for (const [permission] of permissions)
      for (const route of withoutId(permission))
        expect(was(permission) ? [403] : given(route)).to.include((await ask('billing', route)).status, route.path)
    expect((await flip(it => !was(it))).status).to.equal(303)
    for (const [permission] of permissions)
      for (const route of withoutId(permission))
        expect(was(permission) ? given(route) : [403]).to.include((await ask('billing', route)).status, route.path)
  })

  it('never shows the record of another client, of another workspace, a draft or a deleted one', async function () {
    this.timeout(120_000)
    const withId = clientRoutes.filter(it => it.path.includes(':id'))
    expect(withId).to.not.be.empty

    for (const route of withId) {
      const [, table = ''] = /\/(\w+)\/:id/.exec(route.path) ?? []
      const foreign = await foreignIds(scene, table)
      for (const { id, number } of [
        ...foreign,
        { id: 'nonsense', number: '' },
        { id: '-1', number: '' },
        { id: '99999999999999', number: '' },
      ]) {
        const answer = await ask('owner', route, 'brightside', String(id))
        const fragment = await ask('owner', route, 'brightside', String(id)).set('HX-Request-Type', 'partial')

        expect(answer.status, `${route.path} ${id}`).to.equal(404)
        expect(fragment.status, `${route.path} ${id}`).to.equal(404)
        if (number) expect(`${answer.text}${fragment.text}`).to.not.include(number)
      }
    }
  })

  /** The owner's, for one permission. */
  async function tokenFor(scope: string): Promise<string> {
    const own = await scene
      .owner('portal.client_users as u')
      .join('portal.client_memberships as m', 'm.person_id', 'u.id')
      .where({ 'u.email': whoIs('owner').email })
      .first('u.workspace_id as workspace', 'u.id as person', 'm.client_id as client')
    const token = { name: scope, scopes: [scope], days: 1 }
    return within(scene.database, { workspace: own.workspace }, tx => personal(tx, own, token))
  }

  const askWith = (token: string, route: Route, id?: string) =>
    ask('nobody', route, 'brightside', id).set('Authorization', `Bearer ${token}`)

  it('of the API is given to a token by its scopes alone, and to none of them for a foreign id', async function () {
    this.timeout(120_000)
    const apiRoutes = clientRoutes.filter(it => it.path.includes('/api/v1/') && it.method === 'get')
    for (const [turn, scope] of [...permissions.map(([name]) => name), 'nothing.at-all'].entries()) {
      const token = await tokenFor(scope)
      // A person may send a thousand requests in a minute: not every scope is tried on every route and record.
      const tried = ['invoices.see', 'documents.see', 'nothing.at-all'].includes(scope)
      const some = (route: Route, at: number) => tried || route.rule === scope || at % 3 === turn % 3
      for (const route of apiRoutes.filter(it => !it.path.includes(':id')).filter(some)) {
        const open = route.rule === 'member' || route.rule === 'anybody' || route.rule === scope
        expect((await askWith(token, route)).status, `${scope} ${route.path}`).to.equal(open ? 200 : 403)
      }
      for (const route of apiRoutes.filter(it => it.path.includes(':id') && (tried || it.rule === scope))) {
        const [, table = ''] = /\/(\w+)\/:id/.exec(route.path) ?? []
        const foreign = await foreignIds(scene, table)
        for (const { id, number } of route.rule === scope ? foreign : foreign.slice(0, 1)) {
          const answer = await askWith(token, route, String(id))
          expect(answer.status, `${scope} ${route.path} ${id}`).to.equal(route.rule === scope ? 404 : 403)
          if (number) expect(JSON.stringify(answer.body)).to.not.include(number)
        }
      }
    }
  })

  it('of pages and of the settings takes no token at all', async function () {
    this.timeout(120_000)
    const token = await tokenFor('invoices.see')
    for (const route of guarded().filter(it => !it.path.includes('/api/v1/') && it.method === 'get'))
      expect((await askWith(token, route)).status, route.path).to.equal(303)
    for (const { method, path } of settingsRoutes.filter(it => it.rule !== 'anybody')) {
      const asked = visitors.get('nobody')!.agent[method](`/settings/client-portal${path}`)
      expect((await asked.set('Authorization', `Bearer ${token}`)).text ?? '').to.not.include('Client portal')
    }
  })

  it('answers a foreign id like one that does not exist, to the letter', async () => {
    const [foreign] = await foreignIds(scene, 'invoices')
    const texts = []
    for (const id of [foreign.id, 999_999_99]) {
      const { text } = await visitors.get('owner')!.get(`/invoices/${id}`)
      texts.push(text.replaceAll(/nonce="[^"]+"/g, ''))
    }
    expect(texts[0]).to.equal(texts[1])
  })

  it('keeps the two companies of one person apart', async () => {
    const bookkeeper = visitors.get('twofold')!
    const ours = await scene
      .owner('invoices as i')
      .join('clients as c', 'c.id', 'i.client_id')
      .where('c.company_name', 'Acme Bakery')
      .whereNot('i.state', 'draft')
      .whereNull('i.deleted_at')
      .first('i.id', 'i.client_id')
    const theirs = await scene
      .owner('invoices as i')
      .join('clients as c', 'c.id', 'i.client_id')
      .where('c.company_name', 'Halloran & Sons')
      .whereNot('i.state', 'draft')
      .whereNull('i.deleted_at')
      .first('i.id', 'i.client_id')
    const see = async (id: number) => (await bookkeeper.get(`/invoices/${id}`)).status

    expect([await see(ours.id), await see(theirs.id)]).to.deep.equal([200, 404])
    expect((await bookkeeper.post('/account/client', { client: String(theirs.client_id) })).status).to.equal(303)
    expect([await see(ours.id), await see(theirs.id)]).to.deep.equal([404, 200])
    expect((await bookkeeper.post('/account/client', { client: '999999' })).status).to.equal(422)
  })

  it('of a link is for its browser and its document alone, and signs nothing without a code', async () => {
    const all = clientRoutes.filter(it => byLink(it) && it.rule !== 'anybody')
    const beside = /\/open\/:link\/pay(\/|$)/
    const routes = all.filter(it => !beside.test(it.path))
    const sections = new Set(routes.map(it => /([^/]+)\/:id/.exec(it.path)?.[1]))
    expect([...sections]).to.have.members(['proposals', 'quotations', 'invoices'])
    expect(routes.every(it => it.path.includes('/:id'))).to.equal(true)

    const numbers: Record<string, string> = { proposals: 'P-2026-031', invoices: '2026-0107' }
    const sent = { client_id: 1, status: 'sent', deleted_at: null }
    numbers.quotations = (await scene.owner('quotations').where(sent).first('ref_no')).ref_no
    for (const section of sections as Set<string>) {
      const shared = await share(scene, { section, number: numbers[section]! })
      const guest = await person(scene)
      const own = (await visitors.get('owner')!.api(`/${section}/${shared.id}`)).body
      const attachment = (own.proposal ?? own.quotation ?? own.invoice).attachments?.[0]?.id ?? 'none'
      const [, base = ''] = /^(.*\/open\/[\w-]+)\//.exec((await guest.get(shared.path)).headers.location!) ?? []
      for (const { method, path, rule } of routes) {
        const at = (id: unknown) =>
          base +
          path
            .replace(/.*:link/, '')
            .replace(':id', String(id))
            .replace(':attachment', attachment)
        for (const who of ['nobody', 'owner', 'neighbour', 'stranger', 'admin', 'suspended'])
          expect((await visitors.get(who)!.agent[method](at(shared.id))).status, `${who} ${path}`).to.equal(404)
        for (const { id, number } of await foreignIds(scene, section)) {
          const answer = await guest.agent[method](at(id))
          expect(answer.status, `${path} ${id}`).to.equal(404)
          expect(answer.text).to.not.include(number)
        }
        const { status } = await guest.agent[method](at(shared.id))
        const absent = path.includes('/evidence') || (path.includes('/attachments') && attachment === 'none')
        const expected = absent ? 404 : rule?.endsWith('.respond') ? 403 : 200
        expect(status, `${method} ${path} by a link to ${section}`).to.equal(
          path.includes(`/${section}/`) ? expected : 404,
        )
      }
      // What is beside the document: nothing by its id, nothing of anybody's, and only where there is something to pay.
      for (const { method, path } of all.filter(it => beside.test(it.path))) {
        const address = base + path.replace(/.*:link/, '').replace(':id', shared.id)
        for (const who of ['nobody', 'owner', 'neighbour', 'stranger', 'admin', 'suspended'])
          expect((await visitors.get(who)!.agent[method](address)).status, `${who} ${path}`).to.equal(404)
        const { status } = await guest.agent[method](address)
        const there = section === 'invoices' && !path.includes(':id')
        expect(status, `${method} ${path} by a link to ${section}`).to.equal(
          there ? (method === 'get' ? 200 : 422) : 404,
        )
      }
    }
  })

  it('of the settings is for staff who administer the workspace', async () => {
    for (const { method, path, rule } of settingsRoutes.filter(it => it.rule !== 'anybody')) {
      const address = `/settings/client-portal${path}`
      expect((await visitors.get('colleague')!.agent[method](address)).status, `${path} ${rule}`).to.equal(403)
      const { status } = await visitors.get('admin')!.agent[method](address)
      if (path.includes(':') || path === '/live') expect(status, `${path}, of nobody`).to.equal(404)
      else expect(status < 400 || (method !== 'get' && status === 422), `${path}: ${status}`).to.equal(true)
      const plain = await visitors.get('nobody')!.agent[method](address)
      const owner = await visitors.get('owner')!.agent[method](address)
      for (const it of [plain, owner]) expect(it.text ?? '').to.not.include('Client portal')
    }
  })

  it('refuses a form that another site sent', async () => {
    const posts = [...clientRoutes, ...settingsRoutes].filter(it => it.method !== 'get' && it.method !== 'head')
    expect(posts).to.not.be.empty
    for (const route of posts) {
      const settings = settingsRoutes.includes(route)
      const address = settings
        ? `/settings/client-portal${route.path}`
        : `/portal${route.path.replace(':workspace', 'brightside').replace(':name', 'house')}`
      const visitor = visitors.get(settings ? 'admin' : 'owner')!
      const others: Record<string, string>[] = [
        { 'Sec-Fetch-Site': 'cross-site' },
        { 'Sec-Fetch-Site': 'same-site' },
        { Origin: 'https://else.where' },
        { Origin: 'null' },
      ]
      for (const header of others) {
        expect((await visitor.agent[route.method](address).set(header)).status, address).to.equal(403)
      }
    }
  })
})

/** The demo has no payment of a draft or of a deleted invoice. */
const unseenPayments = (owner: Scene['owner']) =>
  owner.raw(`insert into payments (client_id, invoice_id, paid_on, amount, method)
             select client_id, id, '2026-01-01', 1, 'cash' from invoices where state = 'draft' or deleted_at is not null`)

/** Documents of others, of her own company for another role, and one that has expired. */
async function hiddenDocuments(owner: Scene['owner']): Promise<any[]> {
  const id = async (company: string) => owner('clients').where({ company_name: company }).first('id', 'workspace_id')
  const [acme, neighbour, stranger] = [
    await id('Acme Bakery'),
    await id('Halloran & Sons'),
    await id('Thornbury Garden Centres'),
  ]
  const hidden = [
    { of: neighbour },
    { of: stranger },
    { of: acme, roles: ['billing'] },
    { of: acme, expires_on: '2026-01-01' },
  ]
  return Promise.all(
    hidden.map(async ({ of, ...more }) => {
      const its = { workspace_id: String(of.workspace_id), client_id: String(of.id) }
      const [file, document] = [randomUUID(), randomUUID()]
      const by = { by_kind: 'staff', by_id: '1', by_name: 'Somebody' }
      const number = `FOREIGN-${document}`
      const stored = { type: 'text/plain', size: 1, sha256: Buffer.alloc(32), state: 'ready' }
      await owner('portal.client_files').insert({ ...its, ...by, ...stored, id: file, name: number })
      await owner('portal.client_documents').insert({
        ...{ ...its, ...by, ...more, id: document, name: number, file_id: file, size: 1 },
      })
      await owner('portal.client_document_versions').insert({
        ...{ ...its, ...by, document_id: document, version: 1, file_id: file },
      })
      return { id: document, number }
    }),
  )
}

/** A request of another client, of one in another workspace, and of a colleague alone. */
async function foreignRequests(owner: Scene['owner']): Promise<any[]> {
  const of = (company: string) => owner('clients').where({ company_name: company }).first('id', 'workspace_id')
  const [acme, ...others] = await Promise.all(['Acme Bakery', 'Halloran & Sons', 'Thornbury Garden Centres'].map(of))
  const foreign = [...others.map(it => ({ ...it, person: null })), { ...acme, person: randomUUID() }]
  return Promise.all(
    foreign.map(async ({ id: client, workspace_id, person }) => {
      const [sending, id, number] = [randomUUID(), randomUUID(), `FOREIGN-${randomUUID()}`]
      const its = { workspace_id: String(workspace_id), name: number }
      const by = { by_name: 'Somebody' }
      await owner('portal.client_request_sendings').insert({
        ...{ ...its, ...by, id: sending, by_id: '1', about: '', content: '[]', clients: '[]' },
      })
      await owner('portal.client_requests').insert({
        ...{ ...its, ...by, id, sending_id: sending, client_id: String(client), client_name: 'X', person_id: person },
      })
      return { id, number }
    }),
  )
}

/** Ids that the owner must not reach: a neighbour's, another workspace's, her own company's drafts and deleted ones. */
/** Payments that another client, and one of another workspace, began here. */
async function begunPayments(owner: Scene['owner']): Promise<any[]> {
  const clients = await owner('clients')
    .whereIn('company_name', ['Halloran & Sons', 'Thornbury Garden Centres'])
    .select('id', 'workspace_id')
  return Promise.all(
    clients.map(async ({ id, workspace_id }) => {
      const it = { workspace_id: String(workspace_id), id: randomUUID(), client_id: String(id), person_id: '1' }
      const number = `FOREIGN-${id}`
      const paid = {
        payer: number,
        provider: 'transfer',
        reference: number,
        currency: 'EUR',
        amount: '5',
        state: 'paid',
      }
      await owner('portal.client_payments').insert({ ...it, ...paid })
      return { id: it.id, number }
    }),
  )
}

/** Tasks of others, and one of her own company’s that staff keep for themselves. */
const foreignTasks = (owner: Scene['owner']): Promise<any[]> =>
  owner('tasks as t')
    .join('clients as c', 'c.id', 't.client_id')
    .whereIn('c.company_name', ['Halloran & Sons', 'Thornbury Garden Centres'])
    .orWhere({ 'c.company_name': 'Acme Bakery', 't.for_client': false })
    .select('t.id')

/** Announcements for another client, in another workspace, for tomorrow, of last year, and withdrawn. */
function foreignAnnouncements(owner: Scene['owner']): Promise<any[]> {
  const foreign = [
    { workspace_id: '1', client_ids: ['another'] },
    { workspace_id: '2' },
    { workspace_id: '1', starts_on: '2099-01-01' },
    { workspace_id: '1', starts_on: '2020-01-01', ends_on: '2020-02-01' },
    { workspace_id: '1', withdrawn_at: '2026-01-01' },
  ]
  const number = `FOREIGN-${randomUUID()}`
  const its = { title: number, text: number, important: false, starts_on: '2020-01-01', by_name: 'Somebody' }
  const rows = foreign.map(it => ({ ...its, ...it, id: randomUUID() }))
  return owner('portal.client_announcements').insert(rows).returning(['id', 'title as number'])
}

/** Devices of a colleague, of another client’s person and of one in another workspace. */
async function foreignDevices(owner: Scene['owner']): Promise<any[]> {
  const people = await owner('portal.client_users')
    .whereIn('email', [whoIs('approver').email, whoIs('neighbour').email, whoIs('stranger').email])
    .select('id', 'workspace_id')
  return Promise.all(
    people.map(async ({ id: person_id, workspace_id }) => {
      const number = `FOREIGN-${randomUUID()}`
      const its = { endpoint: `https://push.example/${number}`, p256dh: 'x', auth: 'x', label: number }
      const [row] = await owner('portal.client_push_devices')
        .insert({ ...its, workspace_id, person_id })
        .returning('id')
      return { id: row.id, number }
    }),
  )
}

/** Notifications of a colleague, of another client and of one in another workspace. */
async function foreignNotifications(owner: Scene['owner']): Promise<any[]> {
  const people = await owner('portal.client_users as u')
    .join('portal.client_memberships as m', 'm.person_id', 'u.id')
    .whereIn('u.email', [whoIs('approver').email, whoIs('neighbour').email, whoIs('stranger').email])
    .select('u.id', 'u.workspace_id', 'm.client_id')
  return Promise.all(
    people.map(async ({ id: person_id, workspace_id, client_id }) => {
      const number = `FOREIGN-${randomUUID()}`
      const its = {
        workspace_id,
        client_id,
        person_id,
        kind: 'documents.shared',
        section: 'documents',
        record_id: number,
      }
      const facts = JSON.stringify({ staff: number, name: number, files: 1 })
      const [row] = await owner('portal.client_notifications')
        .insert({ ...its, facts })
        .returning('id')
      return { id: row.id, number }
    }),
  )
}

/** Conversations of another client, and of one in another workspace. */
async function foreignThreads(owner: Scene['owner']): Promise<any[]> {
  const clients = await owner('clients')
    .whereIn('company_name', ['Halloran & Sons', 'Thornbury Garden Centres'])
    .select('id', 'workspace_id')
  return Promise.all(
    clients.map(async ({ id: client, workspace_id }) => {
      const [id, number] = [randomUUID(), `FOREIGN-${randomUUID()}`]
      const last = { last_seq: 1, last_kind: 'client', last_name: 'Somebody', last_text: number }
      const its = { workspace_id: String(workspace_id), client_id: String(client) }
      await owner('portal.client_message_threads').insert({ ...its, ...last, id, client_name: 'X', title: number })
      const by = { author_kind: 'client', author_id: '1', author_name: 'Somebody' }
      const message = { ...its, ...by, thread_id: id, id: randomUUID(), seq: 1, text: number }
      await owner('portal.client_messages').insert(message)
      return { id, number }
    }),
  )
}

async function foreignIds({ owner }: Scene, table: string): Promise<any[]> {
  if (table === 'payments') await unseenPayments(owner)
  if (table === 'pay') return begunPayments(owner)
  if (table === 'uploads') return []
  if (table === 'documents') return hiddenDocuments(owner)
  if (table === 'requests') return foreignRequests(owner)
  if (table === 'tasks') return foreignTasks(owner)
  if (table === 'messages') return foreignThreads(owner)
  if (table === 'announcements') return foreignAnnouncements(owner)
  if (table === 'devices') return foreignDevices(owner)
  if (table === 'notifications') return foreignNotifications(owner)
  const of = (company: string) =>
    table === 'payments'
      ? owner('payments as y')
          .join('invoices as d', 'd.id', 'y.invoice_id')
          .join('clients as c', 'c.id', 'd.client_id')
          .where('c.company_name', company)
          .select('y.id', 'd.ref_no as number')
      : owner(`${table} as d`)
          .join('clients as c', 'c.id', 'd.client_id')
          .where('c.company_name', company)
          .select('d.id', 'd.ref_no as number')
  const rows = await Promise.all([
    of('Halloran & Sons').whereNull('d.deleted_at').limit(2),
    of('Thornbury Garden Centres').whereNull('d.deleted_at').limit(2),
    of('Acme Bakery')
      .where(table === 'quotations' ? 'd.status' : 'd.state', 'draft')
      .limit(1),
    of('Acme Bakery').whereNotNull('d.deleted_at').limit(1),
  ])
  for (const [at, it] of rows.entries())
    if (!it.length) throw new Error(`the demo has no foreign ${table} of kind ${at}`)
  return rows.flat()
}
