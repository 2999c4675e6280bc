import { expect } from 'chai'
import { person as guest, share } from '../links.ts'
import { answer, begin, conversation, inbox } from '../messages.ts'
import { type Route, routesOf } from '../routes.ts'
import { leave, open, type Role, type Scene, type Visitor, whoIs } from '../visit.ts'
import { inTurn } from './turns.ts'
import { unlimited } from './unlimited.ts'

/** In every text of the victims' that an attacker could be shown, and in nothing of the attacker's own. */
const marker = 'QVICTIM'
const otherMarker = 'QSECOND'
/** What a victim's amounts are: nobody else has one like it. */
const amounts = /77[.,\s\u00a0\u202f]?123[.,]45/
const settings = '/settings/client-portal'
/** What a form of anybody's may need, so that nothing is refused for want of a field before it is asked whose it is. */
const body = {
  ...{ text: 'An attacker was here', reason: 'An attacker was here', role: 'viewer', amount: '1', currency: 'EUR' },
  ...{ agree: 'on', how: 'typed', typed: 'Nadia El-Khoury', name: 'Nadia El-Khoury', email: 'attacker@else.example' },
  ...{ suspended: 'on', sections: 'proposals', scopes: 'proposals.see', days: '7', note: 'An attacker was here' },
}

describe('an id of somebody else’s', () => {
  let scene: Scene
  let clients: Route[]
  let staffs: Route[]
  const visitors = new Map<string, Visitor>()
  const companies: Record<string, number> = {}

  before(async function () {
    this.timeout(120_000)
    scene = await open({ mail: 'kept' })
    await unlimited(scene)
    clients = routesOf(scene.portal.clients)
    staffs = routesOf(scene.portal.settings)
    const names = ['Acme Bakery', 'Halloran & Sons', 'Thornbury Garden Centres']
    for (const name of names)
      companies[name] = (await scene.owner('clients').where({ company_name: name }).first('id')).id
    for (const role of ['owner', 'neighbour', 'stranger', 'admin'] as Role[])
      visitors.set(role, await scene.visit(role))
    const other = await scene.visit()
    const { email, password } = { email: 'priya@ledgerline.example', password: 'powerful-bakeware-steel-order-958' }
    expect((await other.postAt('/login', { email, password })).status).to.equal(303)
    visitors.set('other admin', other)
    for (const role of ['owner', 'neighbour', 'stranger'] as const) {
      await furnish(scene, visitors.get(role)!, role)
      await converse(visitors.get(role)!, role)
    }
    await noteAll(scene, visitors.get('admin')!)
  })

  after(leave)

  it('of a client shows and changes nothing, in any place of any route', async function () {
    this.timeout(600_000)
    const victims = [companies['Halloran & Sons']!, companies['Thornbury Garden Centres']!]
    await mark(scene, victims, marker)
    const ids = [
      ...new Set([
        ...(await idsOf(scene, victims)),
        ...(await seenBy(visitors.get('neighbour')!, '/portal/brightside')),
        ...(await seenBy(visitors.get('stranger')!, '/portal/ledgerline')),
      ]),
    ]
    const seen = new Set((await seenBy(visitors.get('owner')!, '/portal/brightside')).filter(it => !/^\d+$/.test(it)))
    const foreign = everyFew(ids.filter(it => !seen.has(it)))
    const own: Record<string, string> = {
      proposals: await idOf(scene, 'proposals'),
      quotations: await idOf(scene, 'quotations'),
      messages: await threadOf(scene),
    }
    const mine = await documentsOf(scene, companies['Acme Bakery']!)
    expect(foreign.length).to.be.above(40)
    const before = await rowsOf(scene, victims)

    const owner = visitors.get('owner')!
    const withId = clients.filter(it => it.rule !== 'anybody' && it.path.includes('/:') && /:\w+.*:\w+/.test(it.path))
    const shown: string[] = []
    let asked = 0
    for (const [at, route] of withId.filter(it => !it.path.includes('/link/open/')).entries())
      for (const id of inTurn(foreign, at)) {
        const path = route.path
          .replace(':workspace', 'brightside')
          .replace(/:id(?=.*:)/, own[sectionOf(route) ?? ''] ?? id)
        const address = `/portal${path.replaceAll(/:\w+/g, encodeURIComponent(id))}`
        const answer = await ask(owner, route, address)
        asked++
        if (leaks(answer)) shown.push(`${route.method} ${address}`)
        if (route.method === 'get' && answer.status === 200 && !mine.has(`${sectionOf(route)} ${id}`))
          shown.push(`200 ${address}`)
      }
    console.log(`      ${asked} requests with ${foreign.length} ids of others`)
    expect(shown).to.deep.equal([])
    expect(changesOf(before, await rowsOf(scene, victims))).to.deep.equal([])
  })

  it('of a client shows and changes nothing, in any field of any form', async function () {
    this.timeout(600_000)
    const victims = [companies['Halloran & Sons']!, companies['Thornbury Garden Centres']!]
    const foreign = await idsOf(scene, victims)
    const before = await rowsOf(scene, victims)
    const owner = visitors.get('owner')!
    const forms = await formsOf(owner, '/portal/brightside')
    expect(forms.length).to.be.above(18)
    expect(forms.flatMap(it => it.fields).filter(([name]) => name.startsWith('role.'))).to.have.length.above(4)
    const shown: string[] = []
    let asked = 0
    for (const { action, fields } of forms.filter(it => !/sign-out|deletion|others\/end/.test(it.action)))
      for (const [field] of fields)
        for (const id of inTurn(foreign, asked)) {
          asked++
          const answer = await owner.postAt(action, { ...body, ...Object.fromEntries(fields), [field]: id })
          if (leaks(answer)) shown.push(`${action} ${field}=${id}`)
        }
    console.log(`      ${asked} requests with ${forms.length} forms`)
    expect(shown).to.deep.equal([])
    expect(changesOf(before, await rowsOf(scene, victims))).to.deep.equal([])
  })

  it('on a cookie is nobody’s elsewhere: of another workspace, and of another link', async () => {
    const owner = visitors.get('owner')!
    const nobody = await scene.visit()
    for (const { path } of clients.filter(
      it => it.method === 'get' && it.rule !== 'anybody' && !/:\w+.*:/.test(it.path),
    )) {
      const answer = await nobody.agent
        .get(`/portal${path.replace(':workspace', 'ledgerline')}`)
        .set('Cookie', owner.cookie)
      expect(answer.status, path).to.be.oneOf([303, 401])
    }
    const [mine, other] = [
      await share(scene),
      await share(scene, { section: 'quotations', number: await quotation(scene) }),
    ]
    const browser = await guest(scene)
    const came = await browser.get(mine.path)
    const ticket = [came.headers['set-cookie'] ?? []]
      .flat()
      .find(it => it.startsWith('portico.link'))!
      .split(';')[0]!
    const there = (await (await guest(scene)).get(other.path)).headers.location!
    expect((await nobody.agent.get(came.headers.location!).set('Cookie', ticket)).status).to.equal(200)
    expect((await nobody.agent.get(there).set('Cookie', ticket)).status).to.equal(404)
    const mixed = there.replace(/open\/[^/]+/, /open\/[^/]+/.exec(came.headers.location!)![0])
    expect((await nobody.agent.get(mixed).set('Cookie', ticket)).status).to.equal(404)
  })

  it('of another workspace shows and changes nothing for its staff in theirs', async function () {
    this.timeout(600_000)
    const victims = [companies['Acme Bakery']!, companies['Halloran & Sons']!]
    await mark(scene, victims, otherMarker)
    const foreign = [...(await idsOf(scene, victims)), ...(await seenBy(visitors.get('admin')!, settings))]
    const other = visitors.get('other admin')!
    const own = new Set(await seenBy(other, settings))
    const ids = everyFew([...new Set(foreign)]).filter(it => !own.has(it) && !/^\d$/.test(it))
    const before = await rowsOf(scene, victims)
    const shown: string[] = []
    let asked = 0
    const counted = async (answer: { text: string; status: number }, what: string) => {
      asked++
      if (answer.text?.includes(otherMarker)) shown.push(what)
    }
    for (const [at, route] of staffs.filter(it => it.rule !== 'anybody' && it.path.includes(':')).entries())
      for (const id of inTurn(ids, at)) {
        const address = settings + route.path.replaceAll(/:\w+/g, encodeURIComponent(id))
        await counted(await ask(other, route, address), `${route.method} ${address}`)
      }
    for (const { action, fields } of await formsOf(other, settings))
      for (const [field] of fields.slice(0, 12))
        for (const id of ids.slice(0, 10))
          await counted(
            await other.postAt(action, { ...body, ...Object.fromEntries(fields), [field]: id }),
            `${action} ${field}=${id}`,
          )
    console.log(`      ${asked} requests with ${ids.length} ids of another workspace`)
    expect(shown).to.deep.equal([])
    expect(changesOf(before, await rowsOf(scene, victims))).to.deep.equal([])
  })
})

const leaks = ({ text = '' }: { text: string }) => text.includes(marker) || amounts.test(text)

/** By turns as page and as fragment, or as form and as JSON; the API's routes are asked beside. */
function ask(visitor: Visitor, { method }: Route, address: string) {
  const request = visitor.agent[method](address)
  turn++
  if (turn % 2) request.set({ 'HX-Request': 'true', 'HX-Request-Type': 'partial' })
  return method === 'get' || method === 'head' ? request : request.type(turn % 2 ? 'json' : 'form').send(body)
}
let turn = 0

/** Something of everything that has an id: each of the three has as much as the others. */
async function furnish(scene: Scene, who: Visitor, role: 'owner' | 'neighbour' | 'stranger') {
  const { email } = whoIs(role)
  const mark = role === 'owner' ? 'Own' : marker
  const { id: person, workspace_id } = await scene
    .owner('portal.client_users as u')
    .where({ 'u.email': email })
    .first('u.id', 'u.workspace_id')
  await who.post('/account/tokens', { name: `${mark} program`, scopes: ['invoices.see'], days: '30' })
  await who.post('/account/data/copy')
  await who.post('/team/invitations', { name: 'New Colleague', email: `new.${role}@else.example`, role: 'member' })
  await scene.owner('portal.client_factors').insert({
    ...{
      workspace_id,
      id: `passkey-of-${role}`,
      person_id: person,
      kind: 'passkey',
      name: `${mark} key`,
      confirmed_at: scene.now(),
    },
  })
  for (const section of ['proposals', 'quotations']) {
    const [one] = (await who.api(`/${section}`)).body.items ?? []
    if (one) await who.post(`/${section}/${one.id}/comments`, { text: `${mark} asks` })
  }
  await scene
    .owner('portal.client_factors')
    .where({ id: `passkey-of-${role}` })
    .update({ confirmed_at: null })
}

/** A conversation with a file in it. */
async function converse(who: Visitor, role: 'owner' | 'neighbour' | 'stranger') {
  const mark = role === 'owner' ? 'Own' : marker
  const id = await begin(who, `${mark} asks`, { title: `${mark} subject` }, [[`${mark}.txt`, 'x']])
  await who.post(`/messages/${id}/draft`, { text: `${mark} draft` })
  expect((await conversation(who, id)).messages[0].files).to.have.length(1)
}

/** Staff of the first workspace make notes and have quick replies. */
async function noteAll({ owner }: Scene, admin: Visitor) {
  await admin.postAt(`${inbox}/setup/replies`, { title: 'Quick', text: 'Words of staff' })
  for (const { id } of await owner('portal.client_message_threads').where({ workspace_id: '1' }).select('id')) {
    expect((await answer(admin, id, 'A note', { note: 'on' })).status).to.equal(303)
  }
}

const threadOf = async ({ owner }: Scene): Promise<string> =>
  (await owner('portal.client_message_threads').where({ client_id: '1' }).first('id')).id

const quotation = async ({ owner }: Scene) =>
  (await owner('quotations').where({ client_id: 1, status: 'sent', deleted_at: null }).first('ref_no')).ref_no

const idOf = async ({ owner }: Scene, section: string) =>
  String((await owner(section).where({ client_id: 1, deleted_at: null }).first('id')).id)

/** Numbers are alike, other ids are not. */
const everyFew = (ids: string[]) => {
  const numbers = ids.filter(it => /^\d+$/.test(it))
  return [...ids.filter(it => !/^\d+$/.test(it)), ...numbers.slice(0, 30)]
}

const sectionOf = ({ path }: Route) => /([a-z]+)\/:id/.exec(path)?.[1]

/** A number may be the id of an invoice of theirs and of a payment of one's own. */
async function documentsOf({ owner }: Scene, client: number): Promise<Set<string>> {
  const found = new Set<string>()
  for (const section of ['invoices', 'payments', 'proposals', 'quotations', 'tasks'])
    for (const { id } of await owner(section).where({ client_id: client }).select('id')) found.add(`${section} ${id}`)
  const threads = owner('portal.client_message_threads').where({ client_id: String(client) })
  for (const { id } of await threads.select('id')) found.add(`messages ${id}`)
  return found
}

const tablesOf = async ({ owner }: Scene): Promise<{ table: string; columns: string[] }[]> => {
  const { rows } = await owner.raw(
    `select table_schema || '.' || table_name as table, array_agg(column_name::text) as columns
     from information_schema.columns join information_schema.tables using (table_schema, table_name)
     where table_schema in ('portal', 'public') and table_type = 'BASE TABLE' group by 1 order by 1`,
  )
  return rows
}

/** Which rows of a table are of these clients or of people who belong to no other. */
function ofVictims({ table, columns }: { table: string; columns: string[] }, clients: number[], persons: string[]) {
  const has = (it: string) => columns.includes(it)
  if (table === 'public.clients') return ['id = any(?)', [clients]]
  if (has('client_id')) return ['client_id::text = any(?)', [clients.map(String)]]
  if (table === 'portal.client_users') return ['id = any(?)', [persons]]
  if (has('person_id')) return ['person_id::text = any(?)', [persons]]
  return undefined
}

const personsOf = async ({ owner }: Scene, clients: number[]): Promise<string[]> =>
  (
    await owner('portal.client_memberships')
      .groupBy('person_id')
      .havingRaw('bool_and(client_id = any(?))', [clients.map(String)])
      .select('person_id')
  ).map(it => it.person_id)

/** Everything that there is of them, but when a session of theirs was used last. */
async function rowsOf(scene: Scene, clients: number[]) {
  const persons = await personsOf(scene, clients)
  const all: Record<string, string[]> = {}
  for (const it of await tablesOf(scene)) {
    const which = ofVictims(it, clients, persons)
    if (!which || it.table === 'portal.client_sessions') continue
    const { rows } = await scene.owner.raw(
      `select to_jsonb(t)::text as row from ${it.table} t where ${which[0]}`,
      which[1] as any,
    )
    all[it.table] = rows.map((row: any) => row.row).sort()
  }
  return all
}

/** Rows that are other, gone or new. */
const changesOf = (before: Record<string, string[]>, after: Record<string, string[]>) =>
  Object.keys(after).flatMap(table => {
    const [was, is] = [new Set(before[table]), new Set(after[table])]
    return [...is.difference(was), ...was.difference(is)].map(row => `${table} ${row}`)
  })

/** Every id of theirs in the database, up to four of a table and kind. */
async function idsOf(scene: Scene, clients: number[]): Promise<string[]> {
  const persons = await personsOf(scene, clients)
  const ids = new Set<string>()
  for (const it of await tablesOf(scene)) {
    const keys = it.columns.filter(name =>
      /^(id|person_id|contact_id|document_id|signature_id|sid|hash|line_id)$/.test(name),
    )
    for (const client of clients) {
      const which = ofVictims(it, [client], persons)
      if (!which) continue
      for (const key of keys) {
        const { rows } = await scene.owner.raw(
          `select distinct ${key}::text as id from ${it.table} where ${which[0]} and ${key} is not null limit 2`,
          which[1] as any,
        )
        for (const { id } of rows) ids.add(id)
      }
    }
  }
  return [...ids]
}

/** Puts the marker into their texts, and an amount that nobody else has into their documents. */
async function mark(scene: Scene, clients: number[], marker: string) {
  const at = scene.owner
  const amount = { net_total: 77_123.45, tax_total: 0, grand_total: 77_123.45 }
  await at('clients')
    .whereIn('id', clients)
    .update({ company_name: at.raw(`'${marker} ' || id`) })
  await at('contacts').whereIn('client_id', clients).update({ last_name: marker })
  await at('portal.client_memberships').whereIn('client_id', clients.map(String)).update({ client_name: marker })
  for (const table of ['invoices', 'proposals', 'quotations'])
    await at(table)
      .whereIn('client_id', clients)
      .update({ ref_no: at.raw(`'${marker}-' || id`), ...(table === 'invoices' ? {} : amount) })
  await at('portal.client_users')
    .whereIn('id', await personsOf(scene, clients))
    .update({ name: `${marker} person` })
  await at('portal.client_invitations')
    .whereIn('client_id', clients.map(String))
    .update({ name: marker, client_name: marker })
}

/** What somebody comes to see: addresses, at most so many of one kind. */
async function crawl(visitor: Visitor, home: string) {
  const pages = new Map<string, string>()
  const waiting = [home]
  const kinds = new Map<string, number>()
  while (waiting.length && pages.size < 120) {
    const address = waiting.shift()!
    const path = address.split(/[?#]/)[0]!
    const kind = path.replace(/[^/]*\d[^/]*/g, '*')
    if (
      pages.has(path) ||
      (kinds.get(kind) ?? 0) >= 3 ||
      !path.startsWith(home) ||
      /\/-\/|pdf|csv|sign-out|bundle/.test(path)
    )
      continue
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
    const { text = '', headers } = await visitor.at(path)
    pages.set(path, headers['content-type']?.includes('html') ? text : '')
    for (const [, href] of text.matchAll(/href="([^"#]+)/g)) waiting.push(href!.replaceAll('&amp;', '&'))
  }
  return pages
}

/** Every id in the links, hidden fields and JSON that somebody sees. */
async function seenBy(visitor: Visitor, home: string): Promise<string[]> {
  const ids = new Set<string>()
  const isId = (it: string) => /^\d{1,12}$|^[0-9a-f]{8}-[0-9a-f-]{27}$|^[\w-]{43}$/.test(it)
  for (const text of (await crawl(visitor, home)).values()) {
    for (const [, address] of text.matchAll(/(?:href|action)="([^"]+)/g))
      for (const part of address!.split(/[/?&=]/)) if (isId(part)) ids.add(part)
    for (const [, value] of text.matchAll(/value="([^"]+)"/g)) if (isId(value!)) ids.add(value!)
  }
  if (!home.startsWith('/portal')) return [...ids]
  for (const section of ['proposals', 'quotations', 'invoices', 'payments']) {
    const { items = [] } = (await visitor.api(`/${section}`)).body
    for (const { id } of items.slice(0, 4)) {
      ids.add(String(id))
      const text = JSON.stringify((await visitor.api(`/${section}/${id}`)).body)
      for (const [, found] of text.matchAll(/"id":"?([\w-]+)/g)) ids.add(found!)
    }
  }
  return [...ids]
}

interface Form {
  action: string
  fields: [string, string][]
}

/** Every form that somebody sees, one of each address and set of fields. */
async function formsOf(visitor: Visitor, home: string): Promise<Form[]> {
  const forms = new Map<string, Form>()
  for (const text of (await crawl(visitor, home)).values())
    for (const [, tag, inside] of text.matchAll(/<form([^>]*method="post"[^>]*)>([\s\S]*?)<\/form>/g)) {
      const action = /action="([^"]+)/.exec(tag!)?.[1]?.replaceAll('&amp;', '&')
      const id = /id="([^"]+)/.exec(tag!)?.[1]
      const elsewhere = id ? [...text.matchAll(new RegExp(`<(?:input|select)[^>]*form="${id}"[^>]*>`, 'g'))] : []
      const fields = [
        ...`${inside}${elsewhere.join('')}`.matchAll(
          /<(?:input|select|textarea|button)[^>]*?name="([^"]+)"[^>]*?(?:value="([^"]*)")?[^>]*>/g,
        ),
      ].map(([, name, value = '']): [string, string] => [name!, value])
      if (action && fields.length) forms.set(action + fields.map(([name]) => name).join(), { action, fields })
    }
  return [...forms.values()]
}
