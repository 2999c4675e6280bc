import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import pg from 'pg'
import { until } from '../test/until.ts'
import { type Postgres, startPostgres } from './postgres.ts'

describe('The embedded PostgreSQL', () => {
  let directory: string
  const started: Postgres[] = []

  before(async () => {
    directory = join(await mkdtemp(join(tmpdir(), 'portico test ')), 'postgres')
  })

  afterEach(() => Promise.all(started.splice(0).map(it => it.stop())))

  after(() => rm(join(directory, '..'), { recursive: true, force: true }))

  async function start() {
    const said: string[] = []
    const postgres = await startPostgres({ directory, log: line => said.push(line) })
    started.push(postgres)
    return { ...postgres, said }
  }

  it('is created at the first start: UTF-8, UTC, on 127.0.0.1 alone, durable', async () => {
    const { url, said } = await start()
    expect(said).to.deep.equal(['creating the database'])
    expect(await settings(url)).to.deep.equal({
      server_encoding: 'UTF8',
      TimeZone: 'UTC',
      listen_addresses: '127.0.0.1',
      fsync: 'on',
      synchronous_commit: 'on',
      full_page_writes: 'on',
    })
    await query(url, 'create table kept (id int)')
  })

  it('finds its data, its password and its port again at the next start', async () => {
    const { url, stop, said } = await start()
    expect(said).to.deep.equal([])
    await query(url, 'select id from kept')
    await stop()
    expect((await start()).url).to.equal(url)
  })

  it('wants the password, which only its owner can read', async () => {
    const { url } = await start()
    const stranger = Object.assign(new URL(url), { password: 'guessed' }).href
    expect(await failure(query(stranger, 'select 1'))).to.include('password authentication failed')
    const { mode } = await stat(join(directory, 'password'))
    expect(mode & 0o777).to.equal(0o600)
  })

  it('starts once in a folder, and says so the second time', async () => {
    await start()
    expect(await failure(start())).to.match(/^Portico already runs with the data in .*Stop it/)
  })

  it('lets the port and the folder go when it stops', async () => {
    const { url, stop } = await start()
    await stop()
    expect(await failure(query(url, 'select 1'))).to.include('ECONNREFUSED')
    expect(existsSync(join(directory, 'cluster', 'postmaster.pid'))).to.equal(false)
  })

  it('takes another port when its own is taken', async () => {
    const { url, stop } = await start()
    await stop()
    const other = createServer().listen(Number(new URL(url).port), '127.0.0.1')
    await once(other, 'listening')
    expect((await start()).url).not.to.equal(url)
    other.close()
  })

  it('is not held up by the lock file of a program that has long ended', async () => {
    const lock = join(directory, 'cluster', 'postmaster.pid')
    await writeFile(lock, `${process.pid}\n${directory}\n`)
    await start()
  })

  it('keeps what was written when everything is killed', async function () {
    if (process.platform === 'win32') this.skip()
    const { child, url } = await startElsewhere()
    await query(url, 'insert into kept values (42)')
    const postmaster = await postmasterPid()
    process.kill(-child.pid!, 'SIGKILL')
    process.kill(postmaster, 'SIGKILL')
    const again = await start()
    expect(await query(again.url, 'select id from kept')).to.deep.equal([{ id: 42 }])
  })

  it('stops an orphan of a killed start before it starts anew', async function () {
    if (process.platform === 'win32') this.skip()
    const { child } = await startElsewhere()
    const orphan = await postmasterPid()
    process.kill(-child.pid!, 'SIGKILL') // with it dies the guard that would have stopped PostgreSQL
    const { said } = await start()
    expect(said[0]).to.include('an earlier start left running')
    expect(await postmasterPid()).not.to.equal(orphan)
  })

  it('stops when only the program that started it is killed', async function () {
    if (process.platform === 'win32') this.skip()
    const { child, url } = await startElsewhere()
    child.kill('SIGKILL')
    await until(() =>
      query(url, 'select 1').then(
        () => false,
        () => true,
      ),
    )
  })

  it('leaves nothing when it was for throwing away', async () => {
    const throwaway = await mkdtemp(join(tmpdir(), 'portico-'))
    const { url, stop } = await startPostgres({ directory: throwaway, throwaway: true })
    expect((await settings(url)).fsync).to.equal('off')
    await stop()
    expect(existsSync(throwaway)).to.equal(false)
  })

  /** The same in another process, which is the first of its group. */
  async function startElsewhere() {
    const script = `
      const { startPostgres } = await import(${JSON.stringify(join(import.meta.dirname, 'postgres.ts'))})
      console.log((await startPostgres({ directory: ${JSON.stringify(directory)} })).url)
      setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = await once(child.stdout.setEncoding('utf8'), 'data')
    return { child, url: line.trim() as string }
  }

  const postmasterPid = async () =>
    Number.parseInt(await readFile(join(directory, 'cluster', 'postmaster.pid'), 'utf8'), 10)
})

async function query(url: string, sql: string): Promise<any[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  try {
    await client.connect()
    return (await client.query(sql)).rows
  } finally {
    await client.end().catch(() => {})
  }
}

async function settings(url: string): Promise<Record<string, string>> {
  const names = "'server_encoding','TimeZone','listen_addresses','fsync','synchronous_commit','full_page_writes'"
  const rows = await query(url, `select name, setting from pg_settings where name in (${names})`)
  return Object.fromEntries(rows.map(row => [row.name, row.setting]))
}

async function failure(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'nothing failed',
    error => error.message || error.code,
  )
}
