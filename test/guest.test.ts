import { expect } from 'chai'
import pg from 'pg'
import request from 'supertest'
import { createCrm } from '../demo/crm/app.ts'
import { fresh, today } from './database.ts'
import { leave, open, whoIs } from './visit.ts'

const addresses = [
  '/login',
  '/',
  '/clients',
  '/clients/1',
  '/proposals',
  '/proposals/1',
  '/quotations',
  '/invoices',
  '/invoices/1',
  '/settings',
  '/nothing',
  '/portal',
  '/portal/',
  '/portal/brightside',
  '/portal/brightside/sign-in',
  '/portal/brightside/invoices/1',
  '/portal/brightside/api/v1/invoices',
  '/portal/-/assets/x/portico.css',
  '/portal/%E0%A4%A',
  '/portal/nowhere',
  '/settings/client-portal',
  '/settings/client-portal/activity',
  '/settings/client-portal/-/assets/x/portico.css',
]

describe('the CRM that Portico is mounted in', () => {
  afterEach(leave)

  it('answers to the byte as if Portico were not installed while the flag is off, and no portal query runs', async () => {
    const off = { enabledAnywhere: () => false, enabled: () => false }
    const only = { enabledAnywhere: () => true, enabled: (slug: string) => slug === 'harbor' }
    for (const flags of [off, only]) {
      const copy = await fresh()
      const { app } = await open({ flags, on: copy })
      const bare = createCrm({ database: copy.owner, secret: 'the secret of the CRM', today })
      const signedIn = await signIn(bare)
      const queries = await counted(async () => {
        for (const cookie of ['', signedIn]) {
          for (const method of ['get', 'head', 'post'] as const) {
            for (const address of addresses.filter(it => flags === off || !it.includes('/-/assets/'))) {
              const [with_, without] = [
                await ask(app, method, address, cookie),
                await ask(bare, method, address, cookie),
              ]
              expect(with_, `${method} ${address}`).to.deep.equal(without)
            }
          }
        }
      })
      // What a process asks once, when it starts: whose sessions end, or which workspaces are on.
      const atStart =
        flags === off ? 'select portal.switch_off($1) as ended' : 'select id, slug from portal.used_workspaces()'
      const asked = queries.filter(it => /portal\./.test(it))
      expect(asked.slice(asked[0] === atStart ? 1 : 0)).to.deep.equal([])
    }
  })

  it('keeps its pages, its session, its user and its headers while the flag is on', async () => {
    const copy = await fresh()
    const { app } = await open({ on: copy })
    const bare = createCrm({ database: copy.owner, secret: 'the secret of the CRM', today })
    const settings = { ...app.settings }
    const cookie = await signIn(bare)
    const portal = request.agent(app)
    const { email, password } = whoIs('owner')
    await portal.post('/portal/brightside/sign-in').type('form').send({ email, password })

    for (const address of addresses.filter(it => !/^\/(portal|settings\/client)/.test(it))) {
      const [with_, without] = [await ask(app, 'get', address, cookie), await ask(bare, 'get', address, cookie)]
      expect(with_, address).to.deep.equal(without)
    }
    expect(app.settings).to.deep.equal(settings)
    expect(await ask(app, 'get', '/portal/nowhere', cookie)).to.deep.equal(
      await ask(bare, 'get', '/portal/nowhere', cookie),
    )
  })

  it('finds on the request what it put there, after the portal has answered', async () => {
    const { app, visit } = await open()
    const left: object[] = []
    const stack = (app as any).router.stack
    const [, clients] = stack.flatMap((it: any, at: number) => (it.name === 'router' ? [at] : []))
    app.use((req: any, res, next) => {
      const { session, sessionID, sessionStore, user, body } = req
      res.on('finish', () => {
        const same = { session, sessionID, sessionStore, user, body }
        left.push({
          changed: Object.keys(same).filter(it => req[it] !== same[it as 'body']),
          staff: user?.name,
          locals: { ...res.locals },
        })
      })
      next()
    })
    stack.splice(clients, 0, stack.pop())

    const both = await visit('admin')
    const { email, password } = whoIs('owner')
    left.length = 0
    for (const answer of [
      await both.post('/sign-in', { email, password }),
      await both.get('/proposals'),
      await both.post('/sign-out'),
    ]) {
      expect(answer.status).to.be.below(400)
    }

    expect(left).to.have.length(3)
    for (const it of left) expect(it).to.deep.equal({ changed: [], staff: 'Marta Lindqvist', locals: {} })
  })

  it('keeps its session cookie apart from the portal’s', async () => {
    const { visit } = await open()
    const admin = await visit('admin')
    const { email, password } = whoIs('owner')
    const answer = await admin.post('/sign-in', { email, password })

    const set = [answer.headers['set-cookie'] ?? []].flat()
    expect(set.find(it => it.startsWith('portico.sid='))).to.match(
      /^portico\.sid=.+; Path=\/portal\/brightside; .*HttpOnly; SameSite=Lax/,
    )
    expect((await admin.at('/settings/client-portal')).status).to.equal(200)
    expect((await admin.post('/sign-out')).status).to.equal(303)
    expect((await admin.at('/clients')).status).to.equal(200)
  })

  it('has a switch that works without a restart', async () => {
    let on = true
    const { visit } = await open({ flags: { enabledAnywhere: () => on, enabled: () => on } })
    const owner = await visit('owner')

    expect((await owner.get('/invoices')).status).to.equal(200)
    on = false
    expect(await owner.get('/invoices'))
      .to.include({ status: 404 })
      .and.show('Tandem')
    on = true
    expect((await owner.get('/invoices')).status).to.equal(200)
  })
})

async function signIn(app: ReturnType<typeof createCrm>) {
  const { email, password } = whoIs('admin')
  const answer = await request(app).post('/login').type('form').send({ email, password })
  return String(answer.headers['set-cookie']?.[0]).split(';')[0]!
}

async function ask(
  app: ReturnType<typeof createCrm>,
  method: 'get' | 'head' | 'post',
  address: string,
  cookie: string,
) {
  const answer = await request(app)[method](address).set('Cookie', cookie)
  const { date, ...headers } = answer.headers
  return { status: answer.status, headers, text: answer.text }
}

/** Every statement that reaches PostgreSQL meanwhile, whoever sends it. */
async function counted(work: () => Promise<void>): Promise<string[]> {
  const { query } = pg.Client.prototype
  const texts: string[] = []
  pg.Client.prototype.query = function (this: pg.Client, ...given: any[]) {
    texts.push(typeof given[0] === 'string' ? given[0] : given[0].text)
    return (query as any).apply(this, given)
  } as typeof query
  try {
    await work()
  } finally {
    pg.Client.prototype.query = query
  }
  return texts
}
