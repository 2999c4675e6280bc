import { createECDH, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { expect } from 'chai'
import { query, within } from '../../src/platform/database.ts'
import { allowLoopback, NotAllowed, post } from '../../src/platform/outgoing.ts'
import { openTelling, type Telling } from '../../test/notifications.ts'
import { until } from '../../test/until.ts'
import { leave, type Visitor, whoIs } from '../../test/visit.ts'
import { keysOf } from './keys.ts'

// Decrypts what web-push encrypted (RFC 8188), and comes with it.
const ece = createRequire(createRequire(import.meta.url).resolve('web-push'))('http_ece')

interface Received {
  device: string
  headers: IncomingMessage['headers']
  payload: { title: string; body: string; tag: string; url: string; lang: string }
}

/** A push service: what it was sent, and what it answers next. */
async function pushService() {
  const received: Received[] = []
  const devices = new Map<string, { key: ReturnType<typeof createECDH>; auth: Buffer }>()
  const answers: number[] = []
  const server: Server = createServer(async (req, res) => {
    const device = req.url!.slice(1)
    const { key, auth } = devices.get(device)!
    const text = ece.decrypt(await buffer(req), {
      version: 'aes128gcm',
      privateKey: key,
      authSecret: auth.toString('base64url'),
    })
    const status = answers.shift() ?? 201
    if (status === 201) received.push({ device, headers: req.headers, payload: JSON.parse(text) })
    res.writeHead(status).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    received,
    answers,
    /** What a browser that subscribed has. */
    subscribe(device: string) {
      const [key, auth] = [createECDH('prime256v1'), randomBytes(16)]
      const p256dh = key.generateKeys().toString('base64url')
      devices.set(device, { key, auth })
      return { endpoint: `${origin}/${device}`, p256dh, auth: auth.toString('base64url') }
    },
    close: () => server.close(),
  }
}

describe('push notifications', () => {
  let service: Awaited<ReturnType<typeof pushService>>
  let scene: Telling
  let owner: Visitor

  before(allowLoopback)
  beforeEach(async () => {
    service = await pushService()
    scene = await openTelling()
    owner = await scene.visit('owner')
  })
  afterEach(async () => {
    service.close()
    await leave()
  })

  const add = async (device: string, visitor = owner) => {
    const { status } = await visitor.post('/push/devices', service.subscribe(device))
    expect(status).to.equal(303)
  }
  const shared = { kind: 'documents.shared', facts: { staff: 'Marta', name: 'Plan.pdf', files: 1 } }
  const rows = () => scene.owner('portal.client_push_devices').orderBy('id')
  /** New devices are told of as well: they are none of this. */
  const messages = () => scene.owner('portal.client_notification_messages').whereNot('kind', 'notifications.device')
  /** Does what waits to be sent. */
  const work = async () => {
    for (const { id } of await messages().whereNull('sent_at').whereNull('failed_at'))
      await scene.perform('notifications.send', { id })
  }

  it('reach every device of a person, encrypted for it, and nobody else', async () => {
    await add('phone')
    await add('laptop')
    await add('other', await scene.visit('approver'))
    await scene.tell({ ...shared, id: '12' })
    await until(() => service.received.length === 2)
    const [one] = service.received
    expect(service.received.map(it => it.device).sort()).to.deep.equal(['laptop', 'phone'])
    expect(one!.payload).to.include({ title: 'Brightside Agency', body: 'Marta shared Plan.pdf', lang: 'en-GB' })
    expect(one!.payload.url).to.match(
      /^https:\/\/crm\.example\/portal\/brightside\/documents\/12\?client=1$|documents\/12/,
    )
    expect(one!.headers).to.include({ 'content-encoding': 'aes128gcm', topic: one!.payload.tag, ttl: '86400' })
    expect(one!.headers.authorization).to.match(/^vapid t=[\w.-]+, k=[\w-]+$/)
    const [message] = await until(async () => {
      const sent = await messages().whereNotNull('sent_at')
      return sent.length > 0 && sent
    })
    await scene.perform('notifications.send', { id: message.id })
    expect(service.received).to.have.length(2)
  })

  it('say nothing on a locked screen where somebody wants that, and come in their language', async () => {
    await add('phone')
    await owner.post('/push/hiding', { hidden: 'on' })
    await scene
      .owner('portal.client_users')
      .where({ email: whoIs('owner').email })
      .update({ language: 'es' })
    await scene.tell(shared)
    await until(() => service.received.length === 1)
    expect(service.received[0]!.payload).to.include({ body: 'Tiene una notificación nueva.', lang: 'es' })
    await add('laptop')
    expect((await rows()).map(it => it.hidden)).to.deep.equal([true, true])
  })

  it('are tried again where the push service is busy, only for who did not get it, and end where a device is gone', async () => {
    await add('phone')
    await add('laptop')
    service.answers.push(503, 201)
    await scene.tell(shared)
    await until(async () => (await messages().where({ attempts: 1 }).whereNotNull('error')).length === 1)
    expect(service.received).to.have.length(1)
    await work()
    expect(service.received.map(it => it.device).sort()).to.deep.equal(['laptop', 'phone'])
    expect(await messages().whereNotNull('sent_at')).to.have.length(1)

    service.answers.push(410, 404)
    await scene.tell({ ...shared, id: 'another' })
    await until(async () => (await rows()).length === 0)
    await until(async () => (await messages().whereNotNull('failed_at')).length === 1)
  })

  it('end when somebody signs out, is suspended or switches them off, and not when a session grows old', async () => {
    await add('phone')
    await scene.owner('portal.client_sessions').update({ expire: new Date(0) })
    await scene.owner('portal.client_sessions').delete()
    expect(await rows()).to.have.length(1)

    const again = await scene.visit('owner')
    const { endpoint } = (await rows())[0]
    expect((await again.post('/push/renewal', { endpoint })).status).to.equal(204)
    expect(await again.get('/notifications/settings')).to.show('this device')
    expect((await (await scene.visit('approver')).post('/push/renewal', { endpoint })).status).to.equal(404)
    await again.post('/sign-out')
    expect(await rows()).to.have.length(0)

    const third = await scene.visit('owner')
    await add('laptop', third)
    const id = (await rows())[0].id
    expect((await (await scene.visit('approver')).post(`/push/devices/${id}/removal`)).status).to.equal(404)
    expect((await third.post(`/push/devices/${id}/removal`)).status).to.equal(303)
    await scene.tell(shared)
    expect(await messages()).to.have.length(0)
    await add('phone', third)
    await scene.tell(shared)
    await scene
      .owner('portal.client_users')
      .where({ email: whoIs('owner').email })
      .update({ suspended_at: new Date() })
    await work()
    expect(service.received.length).to.be.at.most(1)
  })

  it('stay when the same person’s session gets another id', async () => {
    await add('phone')
    const [{ session }] = await rows()
    await scene.pass(11)
    const { status } = await owner.post('/step-up', {
      ...{ 'step-up.by': 'password', 'step-up.password': whoIs('owner').password, 'step-up.action': 'account.data' },
    })
    expect(status).to.equal(303)
    expect(await scene.owner('portal.client_sessions').where({ sid: session })).to.have.length(0)
    expect(await rows()).to.have.length(1)
  })

  it('are tried by a test, some times a minute', async () => {
    await add('phone')
    const { id } = (await rows())[0]
    const { headers } = await owner.post(`/push/devices/${id}/test`)
    expect(headers.location).to.match(/settings\?push=sent$/)
    expect(service.received[0]!.payload.body).to.equal('This is what a notification looks like.')
    const statuses = []
    for (let at = 0; at < 6; at++) statuses.push((await owner.post(`/push/devices/${id}/test`)).status)
    expect(statuses.at(-1)).to.equal(429)
  })

  it('have ten devices at most, and one address is one person’s', async () => {
    for (let at = 0; at < 12; at++) await add(`device-${at}`)
    expect((await rows()).map(it => it.endpoint.split('/').at(-1))).to.not.include.members(['device-0', 'device-1'])
    expect(await rows()).to.have.length(10)
    const same = service.subscribe('shared')
    await owner.post('/push/devices', same)
    await (await scene.visit('approver')).post('/push/devices', same)
    expect((await rows()).filter(it => it.endpoint === same.endpoint)).to.have.length(1)
  })

  it('are sent to nothing but push services: refused as they are typed, and when the name is looked up', async () => {
    const fine = service.subscribe('phone')
    for (const odd of [
      { ...fine, endpoint: 'ftp://push.example/1' },
      { ...fine, endpoint: 'http://10.0.0.1/1' },
      { ...fine, endpoint: `https://push.example/${'x'.repeat(1_001)}` },
      { ...fine, p256dh: 'short' },
      { ...fine, auth: '' },
      { endpoint: fine.endpoint },
    ])
      expect((await owner.post('/push/devices', odd)).status, JSON.stringify(odd)).to.equal(422)
    const error = await post('https://example.com/', { headers: {}, body: '' }).catch(it => it)
    expect(error).to.be.instanceOf(Error)
    expect(await post('http://192.168.0.1/', { headers: {}, body: '' }).catch(it => it)).to.be.instanceOf(NotAllowed)
  })

  it('are signed by one pair of keys, whichever process makes them, kept sealed', async () => {
    const all = await Promise.all([1, 2, 3].map(() => keysOf(scene.host, '1')))
    expect(new Set(all.map(it => it.publicKey)).size).to.equal(1)
    const stored = await within(scene.database, { workspace: '1' }, tx =>
      query(tx, { text: `select value, sealed from portal.client_plugin_settings where name = 'push.keys'` }),
    )
    expect(stored).to.have.length(1)
    expect(stored[0]!.value).to.equal(null)
    expect(String(stored[0]!.sealed)).to.not.include(all[0]!.privateKey)
  })

  it('have a service worker that looks after the portal of its workspace, for anybody', async () => {
    const nobody = await scene.visit()
    const { status, headers, text } = await nobody.get('/push-worker/worker.js')
    expect(status).to.equal(200)
    expect(headers['content-type']).to.include('text/javascript')
    expect(headers['service-worker-allowed']).to.equal('/portal/brightside/')
    expect(text).to.not.match(/caches|addEventListener\('fetch'/)
  })
})
