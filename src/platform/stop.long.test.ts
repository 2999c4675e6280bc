import { once } from 'node:events'
import { Agent, createServer, request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { expect } from 'chai'
import { until } from '../../test/until.ts'
import { leave, open } from '../../test/visit.ts'
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
    expect((await ask('/-/ready')).status).to.equal(503)
    const statuses = await Promise.all(asked)
    expect(statuses.filter(it => it !== 200)).to.deep.equal([])
    await stopped
    expect(await ask('/-/health').catch(error => error.cause.code)).to.equal('ECONNREFUSED')
  })

  for (const [which, keepAlive] of [
    ['that a proxy keeps and sends the next request by', true],
    ['that is new while it stops listening', false],
  ] as const)
    it(`cuts no connection ${which}`, async function () {
      // The system may take a moment between the last look and the end of listening.
      if (!keepAlive) this.retries(4)
      const { app, portal } = await open()
      const server = limitConnections(createServer(app)).listen(0, '127.0.0.1')
      await once(server, 'listening')
      const agent = new Agent({ keepAlive, maxSockets: 40 })
      const { port } = server.address() as AddressInfo
      const ended: string[] = []
      let answered = 0
      /** As a proxy does: over and over, by a connection that is there, until no new one is taken. */
      const asking = async () => {
        for (;;) {
          const outcome = await posted(port, agent)
          if (outcome === 404) answered++
          else return void ended.push(String(outcome))
        }
      }
      const all = Promise.all(Array.from({ length: 40 }, asking))
      await until(() => answered > 200)
      await stopGracefully({ servers: [server], portal, notice: 0 })
      await all
      expect(ended.filter(it => it !== 'ECONNREFUSED')).to.deep.equal([])
    })

  it('says with an answer that its connection ends, also of what was asked before', async () => {
    const { portal } = await open()
    const server = limitConnections(createServer()).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const agent = new Agent({ keepAlive: true })
    const asked = request({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, agent }).end()
    const [, res] = await once(server, 'request')
    const stopped = stopGracefully({ servers: [server], portal, notice: 0 })
    await until(() => !server.listening)
    res.end('late')
    const [answer] = await once(asked, 'response')
    expect(answer.headers.connection).to.equal('close')
    answer.resume()
    await stopped
  })

  it('does not wait for connections by which nobody asks anything', async () => {
    const { app, portal } = await open()
    const server = limitConnections(createServer(app)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const silent = connect((server.address() as AddressInfo).port, '127.0.0.1')
    await until(async () => (await connections(server)) === 1)
    const began = performance.now()
    await stopGracefully({ servers: [server], portal, notice: 0, limit: 30 })
    expect(performance.now() - began).to.be.below(15_000)
    silent.destroy()
  })

  it('waits at most its limit for requests that never end', async () => {
    const { app, portal } = await open()
    const server = limitConnections(createServer(app)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const slow = connect((server.address() as AddressInfo).port, '127.0.0.1')
    const type = 'Content-Type: application/x-www-form-urlencoded'
    slow.write(`POST /portal/brightside/sign-in HTTP/1.1\r\nHost: x\r\n${type}\r\nContent-Length: 100\r\n\r\nemail=`)
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

/** The status, or what became of the connection. */
const posted = (port: number, agent: Agent) =>
  new Promise<number | string>(resolve => {
    const sent = request({ host: '127.0.0.1', port, agent, method: 'POST', path: '/portal/nobody/sign-in' })
    sent.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    sent.on('response', answer => answer.resume().on('end', () => resolve(answer.statusCode ?? 0)))
    sent.end('a=b')
  })
