import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { expect } from 'chai'
import { until } from '../test/until.ts'
import { leave, open } from '../test/visit.ts'
import { limitConnections, stopGracefully } from './stop.ts'

describe('stopping an instance', () => {
  afterEach(leave)

  it('says that it is not ready, answers what was asked, and refuses what comes later', async () => {
    const scene = await open()
    const { cookie } = await scene.visit('owner')
    const server = createServer(scene.app).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const home = `http://127.0.0.1:${(server.address() as AddressInfo).port}/portal`
    const ask = (path: string) => fetch(home + path, { headers: { cookie }, redirect: 'manual' })
    expect((await ask('/-/ready')).status).to.equal(200)

    const asked = Array.from({ length: 60 }, () => ask('/brightside/invoices').then(it => it.status))
    await until(async () => (await connections(server)) >= 10)
    const stopped = stopGracefully({ servers: [server], portal: scene.portal, notice: 3 })
    const notReady = await ask('/-/ready')
    expect(notReady.status).to.equal(503)
    expect(notReady.headers.get('Connection')).to.equal('close')
    const statuses = await Promise.all(asked)
    expect(statuses.filter(it => it !== 200)).to.deep.equal([])
    await stopped
    expect(await ask('/-/health').catch(error => error.cause.code)).to.equal('ECONNREFUSED')
  })

  it('waits no longer than its limit for who never ends a request', async () => {
    const { app, portal } = await open()
    const server = limitConnections(createServer(app)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const slow = connect((server.address() as AddressInfo).port, '127.0.0.1')
    slow.write('POST /portal/brightside/sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nemail=')
    slow.on('error', () => undefined)
    await until(async () => (await connections(server)) === 1)
    const began = performance.now()
    await stopGracefully({ servers: [server], portal, notice: 0, limit: 0.5 })
    expect(performance.now() - began).to.be.within(400, 5_000)
    expect(server.keepAliveTimeout).to.be.above(60_000)
    expect(server.requestTimeout).to.be.above(0)
  })
})

const connections = (server: ReturnType<typeof createServer>) =>
  new Promise<number>((resolve, reject) =>
    server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  )
