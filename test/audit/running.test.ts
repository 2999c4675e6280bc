import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import express, { type Request, type Response } from 'express'
import { readExpressApp } from '../../audit/collectors/express-app.ts'
import { readServer } from '../../audit/collectors/http.ts'
import { audit, auditApp } from '../../audit/index.ts'

describe('audit of a running CRM', () => {
  let server: Server
  let asked: string[]
  afterEach(() => server?.close())

  const serve = async (answer: (path: string) => { status: number; to?: string; body?: string }) => {
    asked = []
    server = createServer((request, response) => {
      asked.push(request.method!)
      const { status, to, body = '' } = answer(request.url!)
      response.writeHead(status, to ? { location: to } : {}).end(body)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  it('takes a redirect to sign-in as a guard, sends only GET and HEAD, and calls nothing implemented', async () => {
    const url = await serve(path => (path === '/portal' ? { status: 302, to: '/portal/login' } : { status: 404 }))
    const { routes } = await readServer(url, ['/client-area'])
    expect(routes.map(it => [it.path, it.guards.join()])).to.deep.equal([
      ['/portal', 'portal sign-in at /portal/login'],
    ])
    expect(new Set(asked)).to.deep.equal(new Set(['HEAD']))

    const { json } = await audit({ url })
    expect(json.answers.E2.status).to.equal('partial')
    expect(Object.values(json.answers).filter(it => it.status === 'implemented')).to.be.empty
  })

  it('says that it cannot tell when every address gets the same answer', async () => {
    const url = await serve(() => ({ status: 200, body: '<div id="app"></div>' }))
    const { routes, notes } = await readServer(url, [])
    expect(routes).to.be.empty
    expect(notes.join()).to.include('answers every address')
  })

  it('reports a server that is down', async () => {
    const { report } = await audit({ url: 'http://127.0.0.1:9' })
    expect(report).to.include('The server does not answer').and.include('Not decided')
  })

  it('reads prefixes, guards and handlers from the router stack of Express 5', async () => {
    const { routes } = appWithPortal()
    expect(routes.map(it => `${it.method} ${it.path} [${it.guards}]`)).to.deep.equal([
      'GET /login []',
      'POST /portal/login []',
      'GET /portal/invoices/:id [requireClient]',
      'GET /clients [signedIn]',
    ])
    const { json } = await auditApp(appWithPortal().app)
    expect(json.answers.E2.status).to.equal('implemented')
  })

  it('finds the prefixes in an older Express 5, which keeps only matchers, by trying known addresses', () => {
    const { app } = appWithPortal()
    for (const layer of app.router.stack) Object.assign(layer, { rawPath: undefined })
    expect(readExpressApp(app, []).map(it => it.path)).to.deep.equal([
      '/login',
      '/portal/login',
      '/portal/invoices/:id',
      '/clients',
    ])
  })

  it('reads the router stack of Express 4, where a mount path is a regular expression', () => {
    const handle = Object.assign(() => {}, {
      stack: [
        {
          name: 'bound',
          handle: () => {},
          route: { path: '/:id', stack: [{ method: 'get', name: 'show', handle: () => {} }] },
        },
      ],
    })
    const fastSlash = Object.assign(/^\/?(?=\/|$)/i, { fast_slash: true })
    const stack = [
      { name: 'query', handle: () => {}, regexp: fastSlash },
      { name: 'signedIn', handle: () => {}, regexp: fastSlash },
      { name: 'router', handle, regexp: /^\/api\/(?:([^/]+?))\/invoices\/?(?=\/|$)/i, keys: [{ name: 'workspace' }] },
    ]
    expect(readExpressApp({ _router: { stack } }).map(it => `${it.path} [${it.guards}]`)).to.deep.equal([
      '/api/:workspace/invoices/:id [signedIn]',
    ])
    expect(() => readExpressApp({})).to.throw('no Express app')
  })
})

function appWithPortal() {
  const requireClient = (_: Request, __: Response, next: () => void) => next()
  const signedIn = (_: Request, __: Response, next: () => void) => next()
  const answer = (_: Request, response: Response) => response.end()
  const portal = express.Router()
  portal.post('/login', answer)
  portal.get('/invoices/:id', requireClient, answer)
  const clients = express.Router()
  clients.get('/', answer)
  const app = express()
  app.use(express.json())
  app.get('/login', answer)
  app.use('/portal', portal)
  app.use('/clients', signedIn, clients)
  return { app, routes: readExpressApp(app) }
}
