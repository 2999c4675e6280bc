import { cpSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { expect } from 'chai'
import knex from 'knex'
import { type Postgres, startPostgres } from '../../demo/postgres.ts'
import { root } from '../../src/platform/root.ts'
import { freePort } from '../free-port.ts'
import { writePlugin } from '../plugins/walked.ts'
import { rank } from '../proof/plan.ts'
import { Browser, Host, nodeOf, pack, readmeLines, removeGround } from './host.ts'

const all = [
  { express: '5', node: '24' },
  { express: '4.21', node: '26' },
]
/** One of them in turn; both by `npm run proof`. */
const { PORTICO_HOSTS: turn = '' } = process.env
const companies = turn === 'all' ? all : [all[rank('host', turn) % all.length]!]

describe('The package', function () {
  this.timeout(300_000)
  this.slow(200_000)
  let packed: ReturnType<typeof pack>

  before('is packed', () => {
    packed = pack()
    const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(0)} kB`
    say(`${kilobytes(packed.size)}, ${kilobytes(packed.unpackedSize)} unpacked, ${packed.files.length} files`)
  })

  after(removeGround)

  it('holds what runs, and nothing of tests, demo or bench', () => {
    const { files: all } = packed
    // The maps that are kept are given out as text, as drafts.
    const files = all.filter(it => !/^dist\/docs\/crms\/[\w-]+\/crm\.map\.ts$/.test(it))
    expect(files.filter(it => /(^|\/)(test|demo|bench|docs)\/|\.test\.|\/actors/.test(it))).to.deep.equal([])
    expect(files.filter(it => /(?<!\.d)\.ts$/.test(it))).to.deep.equal([])
    expect(files).to.include.members([
      'package.json',
      'README.md',
      'LICENSE',
      'dist/src/index.js',
      'dist/src/index.d.ts',
    ])
    expect(files.filter(it => it.startsWith('dist/migrations/')).every(it => it.endsWith('.js'))).to.equal(true)
    const read = globSync('{src,plugins,views,assets}/**', { cwd: root, withFileTypes: true })
      .filter(
        it =>
          it.isFile() && !/\.(test\.)?ts$|^(build|source)\./.test(it.name) && !/\/(test|actors)/.test(it.parentPath),
      )
      .map(it => `dist/${relative(root, join(it.parentPath, it.name))}`)
    expect(read.filter(it => !files.includes(it))).to.deep.equal([])
  })

  it('is added with ten lines', () => {
    expect(readmeLines().filter(it => !it.startsWith('import'))).to.have.length(7)
    expect(readmeLines()).to.have.length(10)
  })

  for (const { express, node } of companies)
    describe(`in a CRM with Express ${express} on Node.js ${node}`, () => {
      let postgres: Postgres
      let host: Host
      let port: string
      let app: Awaited<ReturnType<Host['start']>>
      let jo: Browser
      let invitation: string

      before('a blank CRM', async () => {
        const folder = `express-${express}-node-${node}`
        postgres = await startPostgres({
          directory: join(tmpdir(), `portico-package-${process.pid}-${folder}`),
          throwaway: true,
        })
        const owner = knex({ client: 'pg', connection: postgres.url })
        await owner.raw(readFileSync(join(import.meta.dirname, 'crm', 'schema.sql'), 'utf8'))
        await owner.destroy()

        port = await freePort()
        const portal = Object.assign(new URL(postgres.url), { username: 'portal_app', password: 'portal' })
        host = new Host(folder, nodeOf(node), {
          PORT: port,
          DATABASE_URL: postgres.url,
          PORTAL_DATABASE_URL: portal.href,
          PORTAL_SECRET: 'a secret of thirty-two characters or more',
        })
        jo = new Browser(`http://127.0.0.1:${port}`)
      })

      after(async () => {
        await app?.stop()
        await postgres?.stop()
      })

      it('is installed by npm', async () => {
        const began = Date.now()
        const what = `express@~${express} express-session knex pg mocha chai ${packed.tarball}`.replace('~5', '5')
        const { code, output } = await host.run(`npm install --no-audit --no-fund ${what}`)
        expect(code, output).to.equal(0)
        say(`npm install: ${((Date.now() - began) / 1000).toFixed(0)} s`)
        const versions = await host.run(`node -p "process.version + ' ' + require('express/package.json').version"`)
        expect(versions.output).to.match(new RegExp(`^v${node}\\.\\S+ ${express.replace('.', '\\.')}\\.`))
        say(versions.output.trim())
      })

      it('can be required by a CommonJS app too', async () => {
        const required = await host.run(`node --input-type=commonjs -p "typeof require('portico').createPortal"`)
        expect(required.output).to.equal('function\n')
      })

      it('makes its tables, has its audit accepted, and invites', async () => {
        const migrated = await host.run('npx portico migrate')
        expect(migrated.output).to.match(/^Applied 001_/m)
        expect(migrated.code).to.equal(0)
        const invited = await host.run('npx portico invite --workspace acme --client 1 --email jo@client.example')
        expect(invited.code, invited.output).to.equal(0)
        const refused = await host.run('npx portico enable')
        expect(refused.code, refused.output).to.equal(1)
        expect(refused.output).to.include('✗ the audit is there (audit.json)')
        const looked = await host.run('npx portico audit --quiet --database "$DATABASE_URL"')
        expect(looked.code, looked.output).to.equal(0)
        const enabled = await host.run('npx portico enable --by Kim')
        expect(enabled.code, enabled.output).to.equal(0)
        invitation = new URL(/^http.*\/invitation\/.*$/m.exec(invited.output)?.[0] ?? '').pathname
      })

      it('tells by its exit status whether a command was wrong or had trouble', async () => {
        expect((await host.run('npx portico --help')).code).to.equal(0)
        expect((await host.run('npx portico migrate')).output).to.match(/Nothing to do/)
        expect((await host.run('npx portico rollback')).code).to.equal(1)
        expect(
          (await host.run('npx portico invite --workspace acme --client 99 --email jo@client.example')).code,
        ).to.equal(1)
        expect((await host.run('npx portico nonsense')).code).to.equal(2)
        expect((await host.run('npx portico invite --workspace acme')).code).to.equal(2)
      })

      it('tells an old Node.js what it needs', async () => {
        const old = await host.run(`"${nodeOf('20')}/node" node_modules/portico/bin/portico.js --help`)
        expect(old.code).to.equal(1)
        expect(old.output.trim()).to.match(/^Portico needs Node\.js 24 or newer, and this is v20\.[\d.]+\. Install it/)
      })

      it('keeps the contract of its port', async () => {
        const { code, output } = await host.run('npx mocha portal-adapter.test.js')
        expect(code, output).to.equal(0)
        expect(output)
          .to.match(/the contract of invoices/)
          .and.to.match(/\d passing/)
      })

      it('is not there with the flag off', async () => {
        app = await host.start({ CUSTOMER_PORTAL_ENABLED: 'false' })
        const nowhere = await jo.get('/nowhere')
        for (const path of ['/portal/acme', '/portal/acme/sign-in', invitation, '/settings/client-portal']) {
          const { status, headers, text } = await jo.get(path)
          expect({ status, text }, path).to.deep.equal({ status: 404, text: nowhere.text })
          expect([...headers.keys()].sort(), path).to.deep.equal([...nowhere.headers.keys()].sort())
        }
        expect((await jo.get('/')).text).to.equal('<h1>CRM of nobody</h1>')
        await app.stop()
      })

      it('lets a client in by the invitation, once', async () => {
        app = await host.start({ CUSTOMER_PORTAL_ENABLED: 'acme' })
        expect((await jo.get(invitation)).text)
          .to.include('Jo Ferris')
          .and.include('Acme Printing')
        const form = { name: 'Jo Ferris', password: 'violet tandem harbour quartz' }
        const joined = await jo.post(invitation, form)
        expect(joined.status, joined.text).to.equal(303)
        expect(joined.headers.get('Location')).to.equal('/portal/acme/')
        expect((await jo.get(invitation)).status).to.equal(410)
      })

      it('lets her sign in with her password, on a form of its own pages only', async () => {
        jo = new Browser(`http://127.0.0.1:${port}`)
        const asked = await jo.get('/portal/acme/invoices?status=overdue')
        expect(asked.headers.get('Location')).to.equal(
          '/portal/acme/sign-in?next=%2Fportal%2Facme%2Finvoices%3Fstatus%3Doverdue',
        )
        expect((await jo.get('/portal/acme/sign-in')).text).to.include('Welcome back')
        const form = { email: 'jo@client.example', password: 'violet tandem harbour quartz' }
        expect((await jo.post('/portal/acme/sign-in', form, 'http://127.0.0.1')).status).to.equal(403)
        expect((await jo.post('/portal/acme/sign-in', { ...form, password: 'wrong' })).status).to.equal(422)
        const signedIn = await jo.post('/portal/acme/sign-in', form)
        expect(signedIn.status, signedIn.text).to.equal(303)
        expect(signedIn.headers.get('Location')).to.equal('/portal/acme/')
      })

      it('shows her home, list and invoice, and what belongs to others to nobody', async () => {
        const home = await jo.get('/portal/acme/')
        expect(home.status, home.text).to.equal(200)
        expect(home.text).to.include('An invoice is overdue').and.include('Jo’s Bicycles').and.not.include('Proposals')

        expect((await jo.get('/portal/acme/invoices')).text)
          .to.include('A-1')
          .and.include('A-2')
          .and.not.include('B-1')
        expect((await jo.get('/portal/acme/invoices?status=overdue')).text)
          .to.include('A-2')
          .and.not.include('A-1')
        expect((await jo.get('/portal/acme/invoices?status[x]=y&search[]=z')).status).to.equal(200)

        expect((await jo.get('/portal/acme/invoices/2')).text)
          .to.include('Posters')
          .and.include('€950.50')
        const pdf = await jo.get('/portal/acme/invoices/2/pdf')
        expect(pdf.headers.get('Content-Type'), pdf.text.slice(0, 500)).to.equal('application/pdf')
        expect(pdf.text).to.match(/^%PDF-/)
        for (const path of ['/invoices/5', '/invoices/x', '/nothing']) {
          const { status, text } = await jo.get(`/portal/acme${path}`)
          expect(status, path).to.equal(404)
          expect(text, path).to.include('Page not found')
        }
        expect((await jo.get('/portal/elsewhere')).text).to.equal('The CRM knows nothing of this.')
      })

      it('serves what its pages load', async () => {
        const { text } = await jo.get('/portal/acme/')
        const own = [...text.matchAll(/(?:src|href)="([^"#]*\/-\/assets\/[^"#]*)/g)].map(it => it[1]!)
        expect(own.some(it => it.endsWith('.js')) && own.some(it => it.endsWith('.css'))).to.equal(true)
        for (const path of new Set(own)) {
          const { status, headers } = await jo.get(path)
          expect(status, path).to.equal(200)
          expect(headers.get('Cache-Control'), path).to.match(/immutable/)
          expect(headers.get('Content-Type'), path).to.match(/^(text\/(css|javascript)|image\/svg\+xml)/)
        }
      })

      it('speaks Spanish and JSON', async () => {
        const kim = await fetch(`http://127.0.0.1:${port}/portal/acme/sign-in`, {
          headers: { 'Accept-Language': 'es' },
        })
        expect(await kim.text())
          .to.include('lang="es"')
          .and.not.include('Welcome back')
        const api = await jo.get('/portal/acme/api/v1/invoices')
        expect(JSON.parse(api.text).items).to.have.length(4)
      })

      it("shows the CRM's own admin the settings, and leaves the CRM's sign-in as it is", async () => {
        const kim = new Browser(`http://127.0.0.1:${port}`)
        expect((await kim.get('/settings/client-portal')).status).to.equal(404)
        await kim.post('/login', { name: 'Kim' })
        expect((await kim.get('/')).text).to.equal('<h1>CRM of Kim</h1>')
        const { status, text } = await kim.get('/settings/client-portal')
        expect(status, text).to.equal(200)
        expect(text).to.include('/settings/client-portal/visibility')
        expect((await kim.get('/settings/client-portal/visibility')).text).to.include('Clients see their invoices')
        const saved = await kim.post('/settings/client-portal/visibility', { 'was.invoices': 'on' })
        expect(saved.headers.get('Location')).to.equal('/settings/client-portal/visibility?saved')
        expect((await jo.get('/portal/acme/invoices')).status).to.equal(404)
        expect(app.output()).to.not.match(/deprecated|Warning/)
      })

      it(`has types that hold for who writes TypeScript, with @types/express ${express[0]}`, async () => {
        cpSync(join(import.meta.dirname, 'typed', 'portal.ts.txt'), join(host.folder, 'typed', 'portal.ts'))
        writeFileSync(join(host.folder, 'typed', 'tsconfig.json'), tsconfig)
        const what = `typescript @types/node@24 @types/pg @types/express@${express[0]}`
        const installed = await host.run(`npm install --no-audit --no-fund --save-dev ${what}`)
        expect(installed.code, installed.output).to.equal(0)
        const { code, output } = await host.run('npx tsc -p typed')
        expect(code, output).to.equal(0)
      })

      if (express === '5')
        it('takes a plugin from npm, made of docs/plugins.md', async () => {
          await app.stop()
          const folder = join(host.folder, 'portico-tickets')
          for (const name of writePlugin(join(folder, 'src')))
            if (!name.endsWith('.ts')) cpSync(join(folder, 'src', name), join(folder, name))
          writeFileSync(join(folder, 'package.json'), pluginPackage)
          writeFileSync(join(folder, 'tsconfig.json'), pluginConfig)
          const steps = ['npm install --no-audit --no-fund zod@4', 'npx tsc -p portico-tickets']
          steps.push(
            'cd portico-tickets && npm pack && cd .. && npm install --no-audit --no-fund ./portico-tickets/portico-tickets-1.0.0.tgz',
          )
          for (const step of steps) {
            const { code, output } = await host.run(step)
            expect(code, output).to.equal(0)
          }
          host.rewrite('app.js', it => tickets + it.replace('createPortal({', 'createPortal({ plugins: [tickets],'))
          host.rewrite(
            'portico.config.js',
            it => tickets + it.replace('crm: adapter', 'plugins: [tickets], crm: adapter'),
          )
          expect((await host.run('npx portico migrate')).output).to.include('Applied tickets/001_tickets')
          app = await host.start({ CUSTOMER_PORTAL_ENABLED: 'acme' })
          const { status, headers } = await jo.post('/portal/acme/tickets', { title: 'No paper', text: 'Since noon.' })
          expect([status, headers.get('Location')]).to.deep.equal([303, '/portal/acme/tickets/1'])
          expect((await jo.get('/portal/acme/tickets')).text).to.include('No paper')
        })

      it('is taken away again', async () => {
        await app.stop()
        const { code, output } = await host.run('npx portico rollback --destroy')
        expect(code, output).to.equal(0)
      })
    })
})

const tsconfig = JSON.stringify({
  compilerOptions: {
    strict: true,
    noEmit: true,
    module: 'nodenext',
    target: 'es2024',
    skipLibCheck: false,
    types: ['node'],
  },
})

const tickets = "import tickets from 'portico-tickets'\n"

const pluginPackage = JSON.stringify({
  name: 'portico-tickets',
  version: '1.0.0',
  type: 'module',
  exports: './plugin.js',
  files: ['*.js', '*.ejs', '*.json', 'migrations'],
})

const pluginConfig = JSON.stringify({
  compilerOptions: {
    ...{ strict: true, module: 'nodenext', target: 'es2024', skipLibCheck: false, types: ['node'] },
    ...{ rootDir: 'src', outDir: '.', rewriteRelativeImportExtensions: true },
  },
  include: ['src'],
  exclude: [],
})

const say = (what: string) => console.log(`      ${what}`)
