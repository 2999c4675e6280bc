import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { freePort } from '../free-port.ts'
import { rank } from '../proof/plan.ts'
import { until } from '../until.ts'
import {
  addUser,
  clone,
  isRoot,
  launch,
  leftovers,
  type Newcomer,
  type Outcome,
  removeUser,
  run,
  start,
} from './newcomer.ts'
import { fetchTools, removeGround } from './tools.ts'

/** Each lives under a home of mode 0700. */
const newcomers: Newcomer[] = [
  { who: 'root', node: '20', npm: '10', folder: 'a folder with spaces' },
  { who: 'ordinary user', node: '22', npm: '11', folder: 'another folder' },
  { who: 'root', node: '22', npm: '12', folder: 'npm12-node22' },
  { who: 'ordinary user', node: '24', npm: '12', folder: 'npm12-node24' },
]

const usual = newcomers[1]!
/** One of them in turn; all four by `npm run proof`. */
const { PORTICO_NEWCOMERS: turn = '' } = process.env
const one = newcomers[rank('newcomer', turn) % newcomers.length]!
const tried = turn === 'all' ? newcomers : [one]
const ordinary = tried.findLast(it => it.who === 'ordinary user')
const ownPrograms = '/usr/lib/postgresql/15/bin'

describe('A newcomer', function () {
  this.timeout(900_000)
  this.slow(600_000)

  before('gets Node.js, npm and an account', () => {
    fetchTools()
    addUser()
  })

  after(() => {
    removeUser()
    removeGround()
  })

  for (const newcomer of tried) {
    const { who, node, npm, folder } = newcomer

    describe(`as ${who}, with Node.js ${node} and npm ${npm}, in "${folder}" under a closed home`, () => {
      let port: string

      before(async function () {
        if (who === 'root' && !isRoot) skip(this, 'this proof does not run as root')
        port = await freePort()
        clone(newcomer)
      })

      it('installs with npm ci', async () => {
        const { code, output, seconds } = await run(newcomer, 'npm ci')
        expect(code, output).to.equal(0)
        expect(output).not.to.match(/install scripts (blocked|not yet covered)/)
        say(`npm ci: ${seconds.toFixed(0)} s`)
      })

      let first = 0

      it('is ready the first time, and Ctrl-C stops everything', async () => {
        const running = await start(newcomer, { PORT: port })
        say(`ready after ${running.readyAfter.toFixed(1)} s`)
        first = running.readyAfter
        expect((await fetch(`http://127.0.0.1:${port}/`)).status).to.be.below(400)
        const { output, seconds } = await running.signal('SIGINT')
        expect(seconds).to.be.below(5)
        expect(output)
          .to.match(/demo\/people\.json/)
          .and.not.to.match(/ at .*\.ts:/)
        expect(leftovers(newcomer)).to.deep.equal([])
      })

      it('is ready sooner the second time', async () => {
        const running = await start(newcomer, { PORT: port })
        say(`ready after ${running.readyAfter.toFixed(1)} s`)
        await running.signal('SIGINT')
        expect(running.readyAfter).to.be.below(first)
      })

      it('starts again after kill -9', async () => {
        const running = await start(newcomer, { PORT: port })
        await running.signal('SIGKILL')
        const again = await start(newcomer, { PORT: port })
        say(`ready after ${again.readyAfter.toFixed(1)} s`)
        await again.signal('SIGTERM')
        expect(again.readyAfter).to.be.below(first)
        expect(leftovers(newcomer)).to.deep.equal([])
      })

      it('is told when it starts twice in one folder, or when the port is taken', async () => {
        const running = await start(newcomer, { PORT: port })
        const twice = await run(newcomer, 'npm start', { PORT: port })
        await running.signal('SIGINT')
        expectSentence(twice, /^Portico already runs .*Stop it/m)

        const other = createServer().listen(Number(port), '127.0.0.1')
        await once(other, 'listening')
        const taken = await run(newcomer, 'npm start', { PORT: port })
        other.close()
        expectSentence(taken, /^Port \d+ is taken .*PORT=\d+ npm start/m)
        expect(leftovers(newcomer)).to.deep.equal([])
      })

      it('passes the tests of what depends on the machine, Chromium included', async () => {
        const { code, output } = await run(newcomer, 'npm test -- --grep "lead a newcomer|embedded PostgreSQL|a PDF"')
        expect(code, output.slice(-4000)).to.equal(0)
        // PostgreSQL goes after the process whose it was.
        for (let at = 0; at < 100 && leftovers(newcomer).length; at++) await sleep(100)
        expect(leftovers(newcomer)).to.deep.equal([])
      })
    })
  }

  describe('with an install that is not whole', () => {
    const newcomer: Newcomer = { ...usual, folder: 'not whole' }

    before(function () {
      if (!tried.includes(usual)) skip(this, 'another newcomer’s turn')
      clone(newcomer)
    })

    for (const node of ['20', '24'] as const)
      it(`is told what to do after no install at all, on Node.js ${node}`, async () => {
        expectSentence(await run({ ...newcomer, node }, 'npm start'), /^Nothing is installed here yet\. Run "npm ci"/m)
      })

    for (const node of ['20', '24'] as const)
      it(`is told what to do after NODE_ENV=production npm ci, on Node.js ${node}`, async () => {
        const { code, output } = await run({ ...newcomer, node }, 'npm ci', { NODE_ENV: 'production' })
        expect(code, output).to.equal(0)
        const outcome = await run({ ...newcomer, node }, 'npm start')
        expectSentence(outcome, /development dependencies.*Run "npm ci --include=dev"/)
      })

    it('starts with an npm that runs no install scripts, where Node.js is new enough', async () => {
      const modern: Newcomer = { ...newcomer, node: '24' }
      expect((await run(modern, 'npm ci --ignore-scripts')).code).to.equal(0)
      await (await start(modern, { PORT: await freePort() })).signal('SIGINT')
      expectSentence(await run(newcomer, 'npm start'), /^Portico needs Node\.js 24 or newer, and this is v22/m)
    })
  })

  describe('with a PostgreSQL of their own', () => {
    let newcomer: Newcomer

    before(function () {
      if (!ordinary) skip(this, 'root’s turn')
      newcomer = ordinary
    })

    it('uses it, from version 14 on', async function () {
      if (!existsSync(ownPrograms)) skip(this, 'there is no PostgreSQL 15 here')
      const port = await freePort()
      const own = `${ownPrograms}/postgres -D own -p ${port} -k "" -c listen_addresses=127.0.0.1`
      const created = await run(newcomer, `${ownPrograms}/initdb -D own -U postgres -A trust`)
      expect(created.code, created.output).to.equal(0)
      const server = launch(newcomer, `exec ${own}`)
      await until(() => server.output().includes('ready to accept connections'))
      const DATABASE_URL = `postgres://postgres@127.0.0.1:${port}/postgres`
      const running = await start(newcomer, { PORT: await freePort(), PORTICO_DATA: 'elsewhere', DATABASE_URL })
      say(`ready after ${running.readyAfter.toFixed(1)} s`)
      await running.signal('SIGINT')
      process.kill(-server.child.pid!, 'SIGINT')
      await server.ended
    })

    it('is told when it does not answer', async () => {
      const DATABASE_URL = `postgres://postgres@127.0.0.1:${await freePort()}/postgres`
      expectSentence(
        await run(newcomer, 'npm start', { DATABASE_URL }),
        /^DATABASE_URL leads to no database .*Start it/m,
      )
    })

    it('is told when the data cannot be written', async () => {
      expectSentence(
        await run(newcomer, 'npm start', { PORTICO_DATA: '/var/portico' }),
        /cannot be written .*PORTICO_DATA/,
      )
    })
  })

  describe('who reads the lock file', () => {
    const lock = JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'package-lock.json'), 'utf8'))
    const packages: [string, { resolved?: string; optionalDependencies?: Record<string, string> }][] = Object.entries(
      lock.packages,
    )

    it('finds no registry in it', () => {
      expect(packages.filter(([, it]) => it.resolved).map(([name]) => name)).to.deep.equal([])
    })

    it("finds every system's packages in it, without which npm ci refuses", () => {
      const names = new Set(packages.map(([path]) => path.replace(/.*node_modules\//, '')))
      const wanted = packages.flatMap(([, it]) => Object.keys(it.optionalDependencies ?? {}))
      expect(wanted.filter(name => !names.has(name))).to.deep.equal([])
    })
  })
})

function expectSentence({ code, output }: Outcome, sentence: RegExp) {
  expect(output)
    .to.match(sentence)
    .and.not.to.match(/^ +at /m)
  expect(code).to.equal(1)
}

function skip(context: Mocha.Context, reason: string): never {
  say(`skipped: ${reason}`)
  return context.skip()
}

const say = (what: string) => console.log(`        ${what}`)
