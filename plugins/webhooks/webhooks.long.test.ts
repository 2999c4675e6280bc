import dns from 'node:dns'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { syncBuiltinESMExports } from 'node:module'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect } from 'chai'
import { Webhook } from 'standardwebhooks'
import { reseal } from '../../src/auth/reseal.ts'
import { bySystem, insert } from '../../src/platform/activity.ts'
import { query, within } from '../../src/platform/database.ts'
import { secret as portalSecret } from '../../test/database.ts'
import { lookNow, until } from '../../test/until.ts'
import { leave, open, type Scene, type Visitor } from '../../test/visit.ts'
import { refusalOf } from './address.ts'
import { post } from './post.ts'
import { newSecret, saveKeys } from './secrets.ts'
import { sendDue } from './sending.ts'

const area = '/settings/client-portal/webhooks'
const address = 'http://localhost/portal'
const place = { id: '1', slug: 'brightside' }

interface Received {
  id: string
  at: Date
  signatures: string
  body: string
  event: any
}

describe('webhooks', function () {
  this.timeout(60_000)
  const closing: (() => void)[] = []
  afterEach(async () => {
    for (const close of closing.splice(0)) close()
    await leave()
  })

  /** A server of this machine; gives its address. */
  const serve = async (answer: RequestListener) => {
    const server = createServer(answer)
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    closing.push(() => {
      server.closeAllConnections()
      server.close()
    })
    return `http://localhost:${(server.address() as AddressInfo).port}`
  }

  /** Software that takes events, and answers as it is told. */
  const receiver = async (answer: (res: ServerResponse, it: Received) => unknown = res => res.end('ok')) => {
    const received: Received[] = []
    const url = await serve(async (req, res) => {
      const it = await eventIn(req)
      received.push(it)
      await answer(res, it)
    })
    return { url, received, of: (event: string) => received.filter(it => it.event.type === event) }
  }

  const partsOf = ({ database }: Scene) => ({
    ...{ database, secrets: [portalSecret], address },
    flags: { enabled: () => true },
  })

  /** Sends what is due, as the job does it, until nothing is. */
  const sendAll = async (scene: Scene) => {
    for (let more: object | undefined = {}; more; ) more = await sendDue(place, partsOf(scene))
  }

  /** Something happens at an invoice, in a transaction of its own. */
  const happen = (scene: Scene, subject: object = {}, event = 'invoices.viewed') =>
    within(scene.database, { workspace: '1' }, tx =>
      insert(tx, [bySystem('1', { event, subject: { number: '1', ...subject } }, '1')]),
    )

  const look = (scene: Scene) => lookNow(scene.owner, 'webhooks.send')

  const deliveries = (scene: Scene, where: object = {}) =>
    scene.owner('portal.client_webhook_deliveries').where(where).orderBy('queued_at')
  const endpoint = (scene: Scene, id: string) => scene.owner('portal.client_webhooks').where({ id }).first()

  const add = async (admin: Visitor, url: string, events: string[] = ['invoices.*'], title = 'Billing') => {
    const added = await admin.postAt(area, { title, url, events })
    expect(added.status, added.text).to.equal(200)
    return { id: /webhooks\/([\w-]{36})\/tests/.exec(added.text)![1]!, secret: secretIn(added.text) }
  }

  it('tell other software within seconds what a client did, signed, and without from where', async () => {
    const scene = await open({ address })
    const [admin, nadia] = [await scene.visit('admin'), await scene.visit('owner')]
    const other = await receiver()
    const { secret } = await add(admin, `${other.url}/hook?key=1`)
    const invoice = (await nadia.api('/invoices?search=2026-0107')).body.items[0]
    await nadia.get(`/invoices/${invoice.id}`)
    await look(scene)
    const it = await until(() => other.received[0], 20)
    expect(new Webhook(secret).sign(it.id, it.at, it.body)).to.equal(it.signatures)
    expect(it.id).to.match(/^msg_[\w-]{36}$/)
    const { type, timestamp, data } = it.event
    expect({ type, timestamp }).to.deep.equal({ type: 'invoices.viewed', timestamp: data.at })
    expect(data).to.have.all.keys('id', 'event', 'workspace', 'client', 'actor', 'subject', 'at')
    expect(data).to.deep.include({ event: type, workspace: place, client: { id: '1' } })
    expect(data.actor).to.deep.include({ kind: 'client', name: 'Nadia El-Khoury' })
    expect(data.subject).to.include({ number: '2026-0107' })
    expect(it.body).to.not.match(/127\.0\.0\.1|::1|agent/i)
    expect(other.of('account.signed-in'), 'not chosen').to.deep.equal([])
  })

  it('send what was chosen, each event once, by two processes at once, whichever transaction commits first', async () => {
    const scene = await open({ address })
    const other = await receiver()
    await add(await scene.visit('admin'), other.url)
    const early = await scene.database.transaction()
    await query(early, { text: `select set_config('portal.workspace_id', '1', true)` })
    await insert(early, [bySystem('1', { event: 'invoices.viewed', subject: { id: 'early' } })])
    await happen(scene, { id: 'late' })
    await sendAll(scene)
    await early.commit()
    const undone = await scene.database.transaction()
    await query(undone, { text: `select set_config('portal.workspace_id', '1', true)` })
    await insert(undone, [bySystem('1', { event: 'invoices.viewed', subject: { id: 'undone' } })])
    await undone.rollback()
    await happen(scene, {}, 'quotations.viewed')
    for (let it = 0; it < 20; it++) await happen(scene, { id: String(it) })
    await Promise.all([sendAll(scene), sendAll(scene), sendAll(scene)])
    await until(async () => (await deliveries(scene, { state: 'waiting' })).length === 0)
    const ids = other.received.map(it => it.event.data.subject.id)
    expect(ids).to.have.length(22)
    expect(new Set(ids)).to.include('early').and.include('late').and.not.include('undone')
    expect(new Set(other.received.map(it => it.id)).size).to.equal(22)
  })

  it('send again under the same id what a process had begun that was killed', async () => {
    const scene = await open({ address })
    const held: ServerResponse[] = []
    const other = await receiver(res => (held.length ? res.end() : held.push(res)))
    const { id } = await add(await scene.visit('admin'), other.url)
    await happen(scene)
    // What the killed process leaves: it holds the endpoint, and has told nobody what was answered.
    const killed = sendDue(place, partsOf(scene))
    await until(() => held.length)
    await sendDue(place, partsOf(scene))
    expect(other.received, 'while it is held').to.have.length(1)
    await scene.owner('portal.client_webhooks').where({ id }).update({ lease: crypto.randomUUID() })
    held[0]!.destroy()
    await killed
    await scene.owner('portal.client_webhook_deliveries').update({ state: 'waiting', next_at: scene.now() })
    await sendDue(place, partsOf(scene))
    expect(other.received, 'still held').to.have.length(1)
    await scene.pass(2)
    await sendAll(scene)
    await until(async () => (await deliveries(scene, { state: 'delivered' })).length === 1)
    expect(other.received.map(it => it.id)).to.have.length(2)
    expect(new Set(other.received.map(it => it.id)).size).to.equal(1)
  })

  it('are tried for a day, count as failed then, and are switched off after five days, which admins see', async () => {
    const scene = await open({ address })
    const admin = await scene.visit('admin')
    const other = await receiver(res => res.writeHead(500).end('<b>no\0</b>'))
    const { id } = await add(admin, other.url)
    await happen(scene, { id: 'first' })
    const at: number[] = []
    for (let minutes = 0; minutes < 25 * 60; minutes += 20) {
      const before = other.received.length
      await sendAll(scene)
      if (other.received.length > before) at.push(minutes)
      await scene.pass(20)
    }
    const [failed] = await deliveries(scene)
    expect(failed).to.include({ state: 'failed', status: 500, problem: 'status', answer: '<b>no\ufffd</b>' })
    expect(failed.attempts).to.be.within(8, 10)
    expect(at.at(-1)! - at.at(-2)!, 'the last delay').to.be.greaterThan(180)
    const shown = await admin.at(`${area}/${id}`)
    expect(shown).to.show('Failing', 'It has failed since', 'Failed: it answered 500')
    const page = await admin.at(`${area}/${id}/deliveries/${failed.id}`)
    expect(page).to.show('&lt;b&gt;no', `msg_${failed.id}`)
    await scene.pass(4 * 24 * 60)
    await happen(scene, { id: 'later' })
    await sendAll(scene)
    expect((await endpoint(scene, id)).state).to.equal('failed')
    await happen(scene, { id: 'unheard' })
    expect(await deliveries(scene)).to.have.length(2)
    const again = await scene.visit('admin')
    expect(await again.at('/settings/client-portal/')).to.show('1 webhook was switched off')
    expect(await again.at(`${area}/${id}`)).to.show('It failed for five days, so Portico switched it off.')
    expect(await again.at('/settings/client-portal/activity')).to.show('Portico switched the webhook Billing off')
    expect((await again.postAt(`${area}/${id}/switch`, { on: 'true' })).status).to.equal(303)
    expect(await again.at('/settings/client-portal/')).to.not.show('webhook was switched off')
  })

  it('are switched off at once where the server says that the address is gone', async () => {
    const scene = await open({ address })
    const other = await receiver(res => res.writeHead(410).end())
    const { id } = await add(await scene.visit('admin'), other.url)
    await happen(scene)
    await sendAll(scene)
    expect((await endpoint(scene, id)).state).to.equal('gone')
    expect((await deliveries(scene))[0]).to.include({ state: 'failed', status: 410 })
  })

  it('take an answer for what it is: slow, endless, broken, leading elsewhere, or nonsense', async () => {
    const asked: string[] = []
    const inward = await serve((req, res) => {
      asked.push(req.url!)
      res.end()
    })
    const answers: Record<string, RequestListener> = {
      '/moved': (_req, res) => res.writeHead(307, { Location: inward }).end('elsewhere'),
      '/silent': () => undefined,
      '/nonsense': (_req, res) => res.end(Buffer.from([0, 255, 254, 0xd8, 65])),
      '/endless': (_req, res) => {
        const more = () => res.destroyed || (res.write(Buffer.alloc(100_000, 'a')) && setImmediate(more))
        res.on('drain', more)
        more()
      },
      '/stuck': (_req, res) => void res.write('begun'),
      '/broken': (_req, res) => res.socket!.end('HTTP/1.1 nothing\r\n\r\n'),
    }
    const url = await serve((req, res) => answers[req.url!]!(req, res))
    const send = (path: string) => post(url + path, { headers: {}, body: '{}', here: true, within: 500 })
    expect(await send('/moved')).to.include({ status: 307, problem: 'redirect', text: 'elsewhere' })
    expect(asked).to.deep.equal([])
    expect(await send('/silent')).to.include({ status: null, problem: 'timeout' })
    expect(await send('/nonsense')).to.include({ status: 200, problem: null, text: '\ufffd\ufffd\ufffd\ufffdA' })
    const endless = await send('/endless')
    expect(endless).to.include({ status: 200, problem: null })
    expect(endless.milliseconds, 'not read to its end').to.be.lessThan(400)
    expect(endless.text).to.equal('a'.repeat(1_024))
    const stuck = await send('/stuck')
    expect(stuck).to.include({ status: 200, problem: null, text: 'begun' })
    expect(stuck.milliseconds).to.be.within(400, 1_500)
    expect(await send('/broken')).to.include({ problem: 'connection' })
    const secure = url.replace('http:', 'https:')
    expect(await post(secure, { headers: {}, body: '', here: true })).to.include({ problem: 'tls' })
    expect(await post('http://localhost:1', { headers: {}, body: '', here: true })).to.include({
      problem: 'connection',
    })
  })

  it('are sent to public addresses alone, by what a name leads to when connecting', async () => {
    for (const it of [
      ...['http://crm.example/', 'ftp://crm.example/', 'crm.example', '//crm.example', 'javascript:alert(1)'],
      ...['https://me:secret@crm.example/', 'https://127.0.0.1/', 'https://2130706433/', 'https://0x7f.1/'],
      ...['https://[::1]/', 'https://[::ffff:10.0.0.1]/', 'https://10.0.0.1/', 'https://169.254.169.254/latest'],
      ...['https://[fd00::1]/', 'https://[fe80::1]/', 'https://224.0.0.1/', 'https://0.0.0.0/', 'https://intranet/'],
      ...['https://localhost/', 'https://a.localhost/', 'https://printer.local/', 'https://metadata.google.internal/'],
    ])
      expect(refusalOf(it, false), it).to.be.a('string')
    expect(refusalOf('https://crm.example:8443/hooks?a=1', false)).to.equal(undefined)
    expect(refusalOf('http://10.0.0.1/', true), 'only this machine').to.be.a('string')

    const asked: string[] = []
    const url = new URL(
      await serve((req, res) => {
        asked.push(req.url!)
        res.end()
      }),
    )
    const own = dns.lookup
    // A name that was public when it was entered, and leads inward when it is connected to.
    const rebound = (_name: string, _options: object, done: any) => done(null, [{ address: '127.0.0.1', family: 4 }])
    Object.assign(dns, { lookup: rebound })
    syncBuiltinESMExports()
    try {
      const inward = await post(`https://hooks.example:${url.port}/`, { headers: {}, body: '', here: true })
      expect(inward).to.include({ status: null, problem: 'address' })
    } finally {
      Object.assign(dns, { lookup: own })
      syncBuiltinESMExports()
    }
    expect(asked).to.deep.equal([])
  })

  it('keep what was typed where a form is refused, and take no address of this machine in earnest', async () => {
    const scene = await open()
    const admin = await scene.visit('admin')
    expect(await admin.at(area)).to.show('No webhooks yet')
    const refused = await admin.postAt(area, { title: '', url: 'http://localhost:1/', events: 'invoices.viewed' })
    expect(refused.status).to.equal(422)
    expect(refused).to.show('Enter a name.', 'value="http://localhost:1/"', 'value="invoices.viewed" checked')
    const inward = await admin.postAt(area, { title: 'A', url: 'http://localhost:1/', events: 'invoices.viewed' })
    expect(inward).to.show('Enter an address that begins with https://.')
    const none = await admin.postAt(area, { title: 'A', url: 'https://crm.example', events: 'no.such' })
    expect(none).to.show('Choose at least one event.')
    const { id } = await add(admin, 'https://crm.example/x', ['invoices.viewed'], 'Ünïcödé 🪝 <b>')
    expect(await admin.at(`${area}/${id}`)).to.show('Ünïcödé 🪝 &lt;b&gt;')
    const form = { title: 'B', url: 'https://crm.example/y', events: ['invoices.*'], 'was.revision': 1 }
    expect((await admin.postAt(`${area}/${id}`, form)).status).to.equal(303)
    expect((await admin.postAt(`${area}/${id}`, form)).status, 'changed meanwhile').to.equal(409)
    expect(await endpoint(scene, id)).to.deep.include({ title: 'B', events: ['invoices.*'], revision: 2 })
    const events = await scene.owner('portal.client_activity_logs').whereLike('event', 'webhooks.%').orderBy('id')
    expect(events.map(it => it.event)).to.deep.equal(['webhooks.added', 'webhooks.changed'])
    expect(JSON.stringify(events), 'no path of an address').to.not.include('example/')
    for (let it = 1; it < 20; it++) await add(admin, 'https://crm.example', ['invoices.*'])
    expect(
      (await admin.postAt(area, { title: 'C', url: 'https://crm.example', events: 'invoices.*' })).status,
    ).to.equal(409)
  })

  it('describe each event by a schema', async () => {
    const scene = await open()
    const { body, headers } = await (await scene.visit('admin')).at(`${area}/schema.json`)
    expect(headers['content-type']).to.include('application/json')
    const schema = body.$defs['invoices.viewed']
    expect(schema.properties.type).to.deep.include({ const: 'invoices.viewed' })
    expect(schema.properties.data.required).to.have.members([
      'id',
      'event',
      'workspace',
      'client',
      'actor',
      'subject',
      'at',
    ])
    expect(schema.properties.data.properties.subject.properties).to.have.property('number')
    expect(body.$defs).to.include.keys('account.signed-in', 'webhooks.test', 'webhooks.stopped', 'settings.changed')
    expect(body.oneOf).to.have.length(Object.keys(body.$defs).length)
  })

  it('are sent for nobody while the portal is off, and dropped after a day of that', async () => {
    const on = { now: true }
    const flags = { enabledAnywhere: () => true, enabled: () => on.now }
    const scene = await open({ address, flags })
    const admin = await scene.visit('admin')
    const other = await receiver()
    const { id } = await add(admin, other.url, ['invoices.*', 'webhooks.*'])
    await look(scene)
    await until(() => other.of('webhooks.added').length)
    on.now = false
    await happen(scene)
    await look(scene)
    expect(other.of('invoices.viewed')).to.have.length(0)
    on.now = true
    await look(scene)
    await until(() => other.of('invoices.viewed').length, 20)
    on.now = false
    await until(async () => (await deliveries(scene, { state: 'waiting' })).length === 0)
    await happen(scene, { id: 'old' })
    await scene.pass(25 * 60)
    on.now = true
    await sendAll(scene)
    expect(other.of('invoices.viewed')).to.have.length(1)
    const late = await deliveries(scene, { state: 'failed' })
    expect(late.map(it => it.problem)).to.deep.equal(['late'])
    expect(await admin.at(`${area}/${id}?show=failed`)).to.show('it waited for more than a day')
  })

  it('are tried by a test, sent again by hand, and gone when their endpoint is removed', async () => {
    const scene = await open({ address })
    const admin = await scene.visit('admin')
    const state = { status: 500 }
    const other = await receiver(res => res.writeHead(state.status).end())
    const { id } = await add(admin, other.url)
    expect((await admin.postAt(`${area}/${id}/tests`)).status).to.equal(303)
    const [test] = await until(async () => {
      const rows = await deliveries(scene, { event: 'webhooks.test' })
      return rows[0]?.attempts && rows
    })
    expect(other.received[0]!.event.data).to.deep.include({ event: 'webhooks.test', client: null })
    state.status = 204
    const again = () => admin.postAt(`${area}/${id}/deliveries/${test.id}/again`)
    expect((await again()).status, 'it waits anyway').to.equal(409)
    await scene.owner('portal.client_webhook_deliveries').update({ state: 'failed' })
    expect((await again()).status).to.equal(303)
    await until(async () => (await deliveries(scene, { state: 'delivered' })).length)
    expect(other.received.at(-1)!.id).to.equal(`msg_${test.id}`)
    await happen(scene)
    expect((await admin.postAt(`${area}/${id}/removal`)).headers.location).to.include('removed')
    await sendAll(scene)
    expect(await deliveries(scene)).to.have.length(0)
    expect(other.of('invoices.viewed')).to.have.length(0)
    expect(await scene.owner('portal.client_plugin_settings').whereLike('name', 'webhooks.%')).to.have.length(0)
  })

  it('are signed with the former secret too for a day, and keep their secrets when the portal’s is changed', async () => {
    const scene = await open({ address })
    const admin = await scene.visit('admin')
    const other = await receiver()
    const { id, secret: former } = await add(admin, other.url)
    const secret = secretIn((await admin.postAt(`${area}/${id}/rotation`)).text)
    expect(secret).to.not.equal(former)
    expect((await admin.at(`${area}/${id}`)).text).to.not.include(secret)
    expect(secretIn((await admin.postAt(`${area}/${id}/secret`)).text)).to.equal(secret)
    await happen(scene)
    await sendAll(scene)
    await scene.pass(24 * 60 + 1)
    await happen(scene)
    await sendAll(scene)
    const [during, after] = await until(() => other.received.length === 2 && other.received)
    const signed = (it: Received, by: string) => new Webhook(by).sign(it.id, it.at, it.body)
    expect(during!.signatures).to.equal(`${signed(during!, secret)} ${signed(during!, former)}`)
    expect(after!.signatures).to.equal(signed(after!, secret))
    const stored = JSON.stringify(await scene.owner('portal.client_plugin_settings'))
    expect(stored).to.include('webhooks.secret').and.not.include('whsec_')
    await scene.portal.close()
    const newer = 'the newer secret, long enough for it'
    await reseal(scene.database, [newer, portalSecret])
    expect(await reseal(scene.database, [newer])).to.deep.equal({ anew: 0, lost: 0 })
    await happen(scene)
    await sendDue(place, { ...partsOf(scene), secrets: [newer] })
    expect(other.received.at(-1)!.signatures).to.equal(signed(other.received.at(-1)!, secret))
  })

  it('drain when many wait, without waiting for one that is slow', async () => {
    const scene = await open({ address })
    await scene.portal.close()
    const slow = await receiver(() => undefined)
    const quick = await receiver()
    const made = [slow.url, quick.url].map((url, at) => ({
      ...{ workspace_id: '1', id: `01a00000-0000-7000-8000-00000000000${at}`, title: 'x', url },
      ...{ events: ['invoices.*'], added_by: 'Marta' },
    }))
    await scene.owner('portal.client_webhooks').insert(made)
    await within(scene.database, { workspace: '1' }, async tx => {
      for (const { id } of made) {
        const of = { workspace: '1', endpoint: id, secrets: [portalSecret] }
        await saveKeys(tx, of, { current: newSecret(), former: null }, 'Marta')
      }
    })
    await within(scene.database, { workspace: '1' }, tx =>
      query(tx, {
        text: `insert into portal.client_activity_logs (workspace_id, event, actor_kind)
               select '1', 'invoices.viewed', 'system' from generate_series(1, 10000)`,
      }),
    )
    await sendAll(scene)
    expect(quick.received).to.have.length(10_000)
    expect(new Set(quick.received.map(it => it.id)).size).to.equal(10_000)
    expect(slow.received.length, 'four, and then it rests for a while').to.be.within(4, 12)
  })

  it('of another workspace are not there, for any route, and no client’s transaction sees one', async () => {
    const scene = await open({ address })
    const admin = await scene.visit('admin')
    const other = '01a00000-0000-7000-8000-000000000001'
    await scene.owner('portal.client_webhooks').insert({
      ...{
        workspace_id: '2',
        id: other,
        title: 'theirs',
        url: 'https://x.example',
        events: ['invoices.*'],
        added_by: 'x',
      },
    })
    const delivery = { workspace_id: '2', id: other, webhook_id: other, event: 'invoices.viewed' }
    await scene.owner('portal.client_webhook_deliveries').insert(delivery)
    const { id } = await add(admin, 'https://crm.example')
    expect((await admin.at(area)).text).to.not.include('theirs')
    for (const path of [other, `${other}/edit`, `${other}/deliveries/${other}`, `${id}/deliveries/${other}`, 'nothing'])
      expect((await admin.at(`${area}/${path}`)).status, path).to.equal(404)
    for (const path of ['', '/secret', '/rotation', '/switch', '/removal', '/tests', `/deliveries/${other}/again`]) {
      const form = { title: 'x', url: 'https://crm.example', events: 'invoices.*', on: 'false', 'was.revision': 1 }
      expect((await admin.postAt(`${area}/${other}${path}`, form)).status, path).to.equal(404)
    }
    expect((await (await scene.visit('colleague')).postAt(`${area}/${id}/secret`)).status).to.equal(403)
    const tables = ['client_webhooks', 'client_webhook_deliveries']
    for (const table of tables) {
      const seen = (client: string) =>
        within(scene.database, { workspace: '1', client }, tx => query(tx, { text: `select from portal.${table}` }))
      expect(await seen('1'), table).to.have.length(0)
    }
    await happen(scene)
    expect(await deliveries(scene, { workspace_id: '2' })).to.have.length(1)
  })
})

const secretIn = (page: string): string => /whsec_[\w+/=]+/.exec(page.replaceAll('&#x3D;', '='))![0]

async function eventIn(req: IncomingMessage): Promise<Received> {
  const body = await text(req)
  const header = (name: string) => String(req.headers[`webhook-${name}`])
  const at = new Date(Number(header('timestamp')) * 1_000)
  return { id: header('id'), at, signatures: header('signature'), body, event: JSON.parse(body) }
}
