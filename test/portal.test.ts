import { globSync, readFileSync } from 'node:fs'
import { expect } from 'chai'
import { icons, stylesheet } from '../assets/build.ts'
import { adapter } from '../demo/adapter/adapter.ts'
import { createPortal } from '../src/index.ts'
import { sections } from '../src/plugin/discover.ts'
import { fresh } from './database.ts'
import { leave, open } from './visit.ts'

describe('createPortal', () => {
  it('names a wrong option in a sentence', async () => {
    const { database } = await fresh()
    const good = {
      database,
      crm: adapter(database),
      flags: { enabledAnywhere: () => true, enabled: () => true },
      staff: () => undefined,
      secrets: ['x'.repeat(32)],
    }
    const said = async (wrong: object) =>
      createPortal({ ...good, ...wrong } as never).then(
        portal => portal.close().then(() => 'nothing'),
        error => error.message,
      )

    expect(await said({})).to.equal('nothing')
    expect(await said({ database: {} })).to.include('option database must be a knex instance')
    expect(await said({ crm: undefined })).to.include('option crm must be an adapter')
    expect(await said({ crm: { connect() {}, directory: { workspace() {}, client() {} } } })).to.include(
      'option crm.directory.contacts must be a function',
    )
    expect(await said({ flags: {} })).to.include('option flags must be')
    expect(await said({ staff: 'x' })).to.include('option staff must be a function')
    expect(await said({ secrets: [] })).to.include('option secrets must hold at least one')
    expect(await said({ secrets: ['x'.repeat(32), 'short'] })).to.include('option secrets[1] must have at least 32')
    expect(
      await createPortal(undefined as never).then(
        () => '',
        error => error.message,
      ),
    ).to.match(/^createPortal: option database/)
  })
})

describe('a portal', () => {
  afterEach(leave)

  it('stands without any one of its sections', async () => {
    const scene = await open()
    for (const absent of sections) {
      const { visit } = await open({ sections: sections.filter(it => it !== absent), on: scene })
      const owner = await visit('owner')

      expect((await owner.get(`/${absent.name}`)).status).to.equal(404)
      for (const path of ['/', '/account'])
        expect(await owner.get(path))
          .to.include({ status: 200 })
          .and.not.show(`/${absent.name}"`, `/${absent.name}?`, `/${absent.name}/`)
    }
  })

  it('has no section that the CRM has no port for', async () => {
    const scene = await open()
    const whole = adapter(scene.database)
    const crm = {
      ...whole,
      connect: (...of: Parameters<typeof whole.connect>) => ({ invoices: whole.connect(...of).invoices }),
    }
    const owner = await (await open({ crm, on: scene })).visit('owner')

    expect((await owner.get('/proposals')).status).to.equal(404)
    expect(await owner.get('/'))
      .to.show('/invoices')
      .and.not.show('/proposals')
  })

  it('asks the database at most four times for a page, when it knows the workspace, and on the first once for each section', async () => {
    const { visit, database } = await open()
    const owner = await visit('owner')
    const [{ id }] = (await owner.api('/invoices')).body.items
    const acquire = database.client.acquireConnection.bind(database.client)
    let trips = 0
    database.client.acquireConnection = () => {
      trips++
      return acquire()
    }
    for (const path of ['/', '/invoices', '/proposals', `/invoices/${id}`, '/account']) {
      const counts: number[] = []
      // Twice: jobs that begin meanwhile ask as well.
      for (let at = 0; at < 2; at++) {
        trips = 0
        expect((await owner.get(path)).status).to.equal(200)
        counts.push(trips)
      }
      expect(Math.min(...counts), path).to.be.at.most(path === '/' ? 2 + sections.length : 4)
    }
  })

  it('sends every answer of its own with a strict policy, its id, and for nobody else to keep', async () => {
    const { visit } = await open()
    const [owner, admin] = [await visit('owner'), await visit('admin')]
    for (const answer of [
      await owner.get('/'),
      await owner.get('/nothing'),
      await owner.get('/sign-in'),
      await owner.api('/invoices'),
      await admin.at('/settings/client-portal'),
    ]) {
      const policy = answer.headers['content-security-policy']
      expect(policy)
        .to.match(/default-src 'none'/)
        .and.match(/script-src 'nonce-[\w+/=]{20,}'/)
        .and.not.match(/unsafe|strict-dynamic|\*/)
      expect(policy).to.include("frame-ancestors 'none'").and.include("require-trusted-types-for 'script'")
      expect(answer.headers).to.include({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'same-origin' })
      expect(answer.headers).to.have.property('x-request-id')
      expect(answer.headers).to.not.have.any.keys('x-powered-by', 'strict-transport-security')
      if (answer.status !== 303) expect(answer.headers['cache-control']).to.include('no-store')
    }
  })

  it('has a line in the log for each request, without what is personal or secret', async () => {
    const { visit, log } = await open()
    const owner = await visit('owner')
    log.length = 0
    await owner.get('/invoices?search=secret-search').set('X-Request-Id', 'from-the-proxy-1')
    await owner.get(`/invitation/${'t'.repeat(43)}`)

    expect(log).to.have.length(2)
    expect(log[0]!.facts).to.include({
      request: 'from-the-proxy-1',
      method: 'GET',
      path: '/portal/brightside/invoices',
      status: 200,
    })
    expect(log[1]!.facts).to.include({ path: '/portal/brightside/invitation/…', status: 410 })
    expect(JSON.stringify(log)).to.not.match(/secret-search|ttttt|nadia/i)
  })

  it('serves its assets compressed and for ever, and the colour of a workspace', async () => {
    const { visit } = await open()
    const nobody = await visit()
    const page = await nobody.get('/sign-in')
    const address = (name: string) => new RegExp(`"(/portal/-/assets/[\\w-]+/${name})"`).exec(page.text)![1]!

    for (const name of ['portico\\.css', 'portico\\.js', 'brand-[0-9a-f]{6}\\.css']) {
      const answer = await nobody.agent.head(address(name)).set('Accept-Encoding', 'br')
      expect(answer).to.include({ status: 200 })
      if (!name.startsWith('brand')) expect(answer.headers['content-encoding']).to.equal('br')
      expect(answer.headers['cache-control']).to.include('immutable')
    }
    expect((await nobody.at(address('portico\\.css')).set('Accept-Encoding', 'identity')).text).to.include('.shell')
    for (const name of ['nothing.css', 'brand-red.css', 'brand-0c5a63%7D.css', '__proto__', '..%2f..%2fpackage.json']) {
      expect((await nobody.at(address('portico\\.css').replace('portico.css', name))).status, name).to.equal(404)
    }
  })
})

describe('the code', () => {
  it('keeps the CRM and Portico apart: neither knows the other, but for the mounting lines and the adapter', () => {
    const imports = (pattern: string) =>
      globSync(pattern).flatMap(file =>
        [...readFileSync(file, 'utf8').matchAll(/from '([^']+)'/g)].map(it => `${file}: ${it[1]}`),
      )
    const bridge = /^demo\/(adapter\/|mount|demo|outbox|portal-database)/

    expect(imports('demo/crm/**/*.ts').filter(it => /\/(src|plugins|adapter)\//.test(it))).to.deep.equal([])
    expect(imports('demo/**/*.ts').filter(it => /\/(src|plugins)\//.test(it) && !bridge.test(it))).to.deep.equal([])
    expect(
      imports('{src,plugins,migrations,audit}/**/*.ts').filter(it => /\/demo\//.test(it) && !/\.test\.ts:/.test(it)),
    ).to.deep.equal([])
    expect(imports('src/**/*.ts').filter(it => /\/plugins\//.test(it))).to.deep.equal([])
  })

  it('has a style sheet and icons that are built from its views', async () => {
    expect(readFileSync('assets/portico.css', 'utf8')).to.equal(await stylesheet())
    expect(readFileSync('assets/icons.svg', 'utf8')).to.equal(icons())
  })
})
