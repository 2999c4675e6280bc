import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { connectPortal } from '../../demo/portal-database.ts'
import { type Copy, fresh, urlOf } from '../database.ts'
import { until } from '../until.ts'
import { leave, open, type Role } from '../visit.ts'

/** Connections shared by the transaction, by a PgBouncer that keeps no names (before 1.21). */
describe('behind PgBouncer', () => {
  let pooler: ChildProcess
  let port: number
  let copy: Copy

  before(async function () {
    this.timeout(30_000)
    copy = await fresh()
    port = await freePort()
    pooler = await start(port, copy.name)
  })
  afterEach(leave)
  after(() => pooler.kill('SIGINT'))

  const through = () => {
    const url = Object.assign(new URL(urlOf(copy.name)), { port: String(port) })
    return { ...copy, database: connectPortal(url.href, 'only-in-tests', { min: 0, max: 20 }) }
  }

  it('many clients at once read their own things and nobody else’s, on two shared connections', async () => {
    const { visit } = await open({ on: through(), preparedStatements: false })
    const people = await Promise.all(
      (['owner', 'billing', 'neighbour', 'stranger', 'busy'] as Role[]).map(it => visit(it)),
    )
    const pages = await Promise.all(
      Array.from({ length: 40 }, async (_, n) => {
        const it = people[n % people.length]!
        const [list, home] = [await it.get('/invoices'), await it.get('/')]
        return { name: it.person!.name, client: it.person!.client!, list, home }
      }),
    )
    for (const { client, list, home } of pages) {
      expect(list.status).to.equal(200)
      for (const it of [list, home]) expect(it).to.show(client.replace('&', '&amp;'))
      for (const other of pages.filter(it => it.client !== client)) {
        expect(home).to.not.show(`<b>${other.name}</b>`)
      }
    }
  }).timeout(60_000)
})

async function start(port: number, database: string): Promise<ChildProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'pooler-'))
  const { hostname, port: behind } = new URL(urlOf(database))
  const users = join(folder, 'users')
  writeFileSync(users, '"portico_app" "only-in-tests"\n')
  const settings = `[databases]
* = host=${hostname} port=${behind}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = plain
auth_file = ${users}
pool_mode = transaction
default_pool_size = 2
max_client_conn = 200
`
  writeFileSync(join(folder, 'settings'), settings)
  chmodSync(folder, 0o755)
  const root = process.getuid?.() === 0
  const asOther = root
    ? { uid: Number(execFileSync('id', ['-u', 'nobody'])), gid: Number(execFileSync('id', ['-g', 'nobody'])) }
    : {}
  const pooler = spawn('pgbouncer', [join(folder, 'settings')], { stdio: 'ignore', ...asOther })
  await until(() => answers(port))
  return pooler
}

const answers = (port: number) =>
  new Promise<boolean>(resolve => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))
    socket.unref()
  })

const freePort = () =>
  new Promise<number>(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
