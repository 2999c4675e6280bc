import { execFile, execFileSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { leave, open, type Scene, type Visitor } from '../visit.ts'
import { unlimited } from './unlimited.ts'

/** What other people's scanners say that is no hole: each with its reason in docs/security/attack.md. */
const explained: RegExp[] = []

/** Scanners of Debian's, against a demo of this process on 127.0.0.1, for as long as they are given. */
describe('a scanner', () => {
  let scene: Scene
  let server: Server
  let owner: Visitor
  let base: string
  const directory = mkdtempSync(join(tmpdir(), 'portico-attack-'))

  before(async () => {
    scene = await open({ mail: 'kept' })
    await unlimited(scene)
    owner = await scene.visit('owner')
    // A scanner that signs itself out looks at nothing afterwards.
    const ends = /\/sign-out|\/devices\/|\/deletion/
    server = createServer((req, res) => (ends.test(req.url ?? '') ? res.writeHead(404).end() : scene.app(req, res)))
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })

  after(async () => {
    server.closeAllConnections()
    await new Promise(done => server.close(done))
    await leave()
  })

  it('wapiti finds nothing that is not explained', async function () {
    if (!installed('wapiti')) return skipped(this, 'wapiti')
    this.timeout(300_000)
    const report = join(directory, 'wapiti.json')
    const start = `${base}/portal/brightside/`
    const more = [
      'invoices',
      'proposals',
      'quotations',
      'payments',
      'account',
      'team',
      'verify',
      'sign-in/code',
      'invoices/statement',
    ]
    const log = await run(
      'wapiti',
      [
        ...['-u', start, ...more.flatMap(it => ['-s', start + it]), '--scope', 'folder', '-d', '2'],
        ...['-H', `Cookie: ${owner.cookie}`, '-H', `Origin: ${base}`],
        ...[
          '--max-links-per-page',
          '20',
          '--max-files-per-dir',
          '12',
          '--max-parameters',
          '12',
          '--max-scan-time',
          '25',
          '--max-attack-time',
          '15',
        ],
        ...['-m', 'sql,xss,permanentxss,file,exec,crlf,redirect', '--endpoint', base, '-f', 'json', '-o', report],
        ...['--flush-session', '--store-session', directory, '--no-bugreport', '-t', '5'],
      ],
      240,
      directory,
    )
    expect(Number(/found (\d+) URLs and forms/.exec(log)?.[1])).to.be.above(20)
    const { vulnerabilities, anomalies } = JSON.parse(readFileSync(report, 'utf8'))
    const found = Object.entries<any[]>({ ...vulnerabilities, ...anomalies }).flatMap(([kind, its]) =>
      its.map(it => `${kind}: ${it.method} ${it.path} ${it.parameter} ${it.info}`),
    )
    expect(found.filter(it => !explained.some(known => known.test(it)))).to.deep.equal([])
  })

  it('sqlmap finds nothing that is not explained', async function () {
    if (!installed('sqlmap')) return skipped(this, 'sqlmap')
    this.timeout(180_000)
    const urls = join(directory, 'urls')
    const there = [
      '/portal/brightside/invoices?search=a&status=open&sort=due&after=a',
      '/portal/brightside/payments?search=a&sort=newest&after=a',
      '/portal/brightside/proposals?search=P&status=open',
      '/portal/brightside/invoices/statement?from=2026-01-01&until=2026-12-31',
      '/portal/brightside/activity?before=100',
    ]
    writeFileSync(urls, there.map(it => base + it).join('\n'))
    const said = await run(
      'sqlmap',
      [
        ...[
          '-m',
          urls,
          '--batch',
          '--cookie',
          owner.cookie,
          '--dbms',
          'PostgreSQL',
          '--technique',
          'BEU',
          '--level',
          '1',
          '--risk',
          '1',
        ],
        ...[
          '--threads',
          '2',
          '--flush-session',
          '--output-dir',
          join(directory, 'sqlmap'),
          '--disable-coloring',
          '--timeout',
          '10',
          '--retries',
          '0',
          '--ignore-stdin',
        ],
      ],
      120,
      directory,
    )
    const tested = there.filter(it => said.includes(it.split('?')[0]!))
    expect(tested).to.have.length(there.length)
    expect(said.match(/do not appear to be injectable/g)).to.have.length(there.length)
    expect(said).to.not.match(/is vulnerable|identified the following injection point/)
    for (const file of globSync('**/results-*.csv', { cwd: join(directory, 'sqlmap') })) {
      const [, ...rows] = readFileSync(join(directory, 'sqlmap', file), 'utf8')
        .trim()
        .split('\n')
      expect(rows.filter(it => /,[BEUSTQ]+,/.test(it))).to.deep.equal([])
    }
  })
})

function installed(program: string) {
  try {
    execFileSync('which', [program], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

function skipped(test: Mocha.Context, program: string) {
  console.log(`      ${program} is not installed here, so this part is skipped: apt-get install ${program}`)
  test.skip()
}

/** What it says, until it ends or its time is over. */
const run = (program: string, given: string[], seconds: number, directory: string) =>
  new Promise<string>(done =>
    // What they would look up elsewhere they do not reach: they talk to this machine alone.
    execFile(
      program,
      given,
      {
        timeout: seconds * 1_000,
        maxBuffer: 1e8,
        env: { ...process.env, HOME: directory },
      },
      (_error, out, err) => done(out + err),
    ).stdin?.end(),
  )
