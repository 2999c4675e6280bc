import { createReadStream, existsSync, mkdtempSync, readdirSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { expect } from 'chai'
import { strToU8, zipSync } from 'fflate'
import { scanForViruses } from '../../src/files/scan.ts'
import { filesIn } from '../../src/index.ts'
import { until } from '../until.ts'
import { leave, open, type Visitor } from '../visit.ts'
import { binary, Clamd, eicar } from './clamd.ts'

const settings = '/settings/client-portal/documents'
const activity = '/settings/client-portal/activity'

/** A portal with a scanner, and a folder of its own for files. */
async function scene(scanner: string) {
  const folder = mkdtempSync(join(tmpdir(), 'portico-files-'))
  const it = await open({ scanner, files: filesIn(folder) })
  await it.owner('public.documents').update({ shared: false })
  const [client, admin] = await Promise.all([it.visit('owner'), it.visit('admin')])
  return { ...it, client, admin, folder }
}
type Scene = Awaited<ReturnType<typeof scene>>

async function upload(who: Visitor, name: string, content: string | Uint8Array) {
  const answer = await who.agent
    .post('/portal/brightside/documents')
    .attach('files', Buffer.from(content), { filename: name })
  expect(answer.status).to.equal(303)
  return find(who, name)
}

const find = async (who: Visitor, name: string) =>
  (await who.api('/documents')).body.items.find((it: { name: string }) => it.name === name)

/** The document, once its file was scanned. */
const scanned = (who: Visitor, name: string) =>
  until(async () => {
    const it = await find(who, name)
    return it.state !== 'checking' && it
  }, 30)

/** What both sides get when they ask for the bytes: statuses of client, staff, preview and zip. */
async function opened({ client, admin }: Scene, id: string) {
  const answers = await Promise.all([
    client.get(`/documents/${id}/content`),
    admin.at(`${settings}/${id}/content`),
    client.get(`/documents/${id}/preview`),
    client.get('/documents/zip'),
  ])
  return answers.map(it => it.status)
}

const stored = ({ folder }: Scene) =>
  existsSync(join(folder, 'kept'))
    ? readdirSync(join(folder, 'kept'), { recursive: true, withFileTypes: true }).filter(it => it.isFile())
    : []

/** What waits to be scanned once more. */
const waiting = ({ owner }: Scene) => owner('portal_jobs.job').where({ name: 'plugins', state: 'created' })

/** Lets what waits be due, as if it had been tried so often already. */
const fallDue = async (it: Scene, failed: number) => {
  await until(async () => (await waiting(it)).length === 2)
  await waiting(it).update({
    start_after: new Date(0),
    data: it.owner.raw(`jsonb_set(data, '{data,failed}', ?)`, [failed]),
  })
}

describe('viruses, by a real clamd', function () {
  this.timeout(120_000)
  let clamd: Clamd

  before(async function () {
    if (!binary) {
      console.log('      There is no clamd here: install clamav-daemon (apt-get) to run this.')
      this.skip()
    }
    clamd = await Clamd.started()
  })
  after(() => clamd?.end())
  afterEach(async () => {
    clamd?.goOn()
    await leave()
  })

  it('a file is opened by nobody until it was scanned, and by both sides afterwards', async () => {
    const it = await scene(clamd.url)
    clamd.halt()
    const { id } = await upload(it.client, 'plan.txt', 'nothing bad')
    expect(await opened(it, id)).to.deep.equal([409, 409, 409, 404])
    expect(await it.client.get('/documents')).to.show('being checked for viruses')
    expect(await it.admin.at(settings)).to.show('being checked for viruses')
    clamd.goOn()
    expect(await scanned(it.client, 'plan.txt')).to.include({ state: 'ready' })
    expect((await opened(it, id)).slice(0, 2)).to.deep.equal([200, 200])
    expect(await it.client.get('/documents')).to.not.show('being checked')
    expect(await it.client.get(`/documents/${id}`)).to.show('Virus check', 'Nothing found')
    expect(await it.admin.at(`${settings}/${id}`)).to.show('checked for viruses')
  })

  it('an infected file is deleted, also one in a zip, and both sides read what was found', async () => {
    const it = await scene(clamd.url)
    const zip = zipSync({ 'folder/inner.zip': zipSync({ 'plan.txt': strToU8(eicar) }) })
    for (const [name, content] of [
      ['plan.txt', eicar],
      ['plans.zip', zip],
    ] as const) {
      const { id } = await upload(it.client, name, content)
      const { state, threat } = await scanned(it.client, name)
      expect([state, threat]).to.deep.equal(['infected', 'Test.Eicar.UNOFFICIAL'])
      expect(await opened(it, id)).to.deep.equal([404, 404, 404, 404])
      await until(() => stored(it).length === 0)
      const told = 'A virus was found (Test.Eicar.UNOFFICIAL). The file was deleted.'
      for (const list of [await it.client.get('/documents'), await it.admin.at(settings)]) expect(list).to.show(told)
      expect(await it.client.get(`/documents/${id}`)).to.show('A virus was found in this file')
      expect(await it.admin.at(`${settings}/${id}`)).to.show('a virus was found (Test.Eicar.UNOFFICIAL)')
      const found = `found a virus in ${name} (Test.Eicar.UNOFFICIAL) and deleted the file`
      for (const log of [await it.client.get('/activity'), await it.admin.at(activity)]) expect(log).to.show(found)
    }
  })

  it('an infected version does not take the one before it away', async () => {
    const it = await scene(clamd.url)
    const { id } = await upload(it.client, 'plan.txt', 'the first')
    await scanned(it.client, 'plan.txt')
    const replaced = await it.admin.agent
      .post(`${settings}/${id}/versions`)
      .attach('files', Buffer.from(eicar), { filename: 'plan.txt' })
    expect(replaced.status).to.equal(303)
    expect(await scanned(it.client, 'plan.txt')).to.include({ state: 'infected', version: 2 })
    const [first, second] = [1, 2].map(version => it.client.get(`/documents/${id}/content?version=${version}`).buffer())
    expect(String((await first)!.body)).to.equal('the first')
    expect((await second)!.status).to.equal(404)
    expect(stored(it)).to.have.length(1)
  })

  it('what is larger than clamd takes, or looks at, is let through, and staff read so', async () => {
    const it = await scene(clamd.url)
    // One that clamd hangs up on, and one that it takes and does not look at.
    for (const [name, megabytes] of [
      ['film.txt', 24],
      ['song.txt', 4.5],
    ] as const) {
      const { id } = await upload(it.client, name, Buffer.alloc(megabytes * 1_048_576, 'x'))
      expect(await scanned(it.client, name)).to.include({ state: 'ready' })
      expect((await opened(it, id)).slice(0, 2)).to.deep.equal([200, 200])
      expect(await it.admin.at(`${settings}/${id}`)).to.show('too large to be checked for viruses')
      expect(await it.client.get(`/documents/${id}`)).to.not.show('Nothing found')
    }
    expect(await it.admin.at(settings)).to.show('too large to be checked for viruses')
  })

  it('clamd’s answer to what is too large is read although it hangs up', async () => {
    const part = Buffer.alloc(65_536, 'x')
    const scan = () => scanForViruses(clamd.url, Readable.from(Array(200).fill(part))).catch(error => error)
    const results: unknown[] = []
    for (let at = 0; at < 40; at++) results.push(await scan())
    const lost = results.filter(it => it instanceof Error)
    // The connection can break in the same moment, more often on a busy machine: such a file is tried again.
    expect(lost.length, String(lost[0])).to.be.below(20)
    for (const it of results) if (!lost.includes(it as Error)) expect(it).to.deep.equal({ scan: 'too-large' })
  })

  it('while clamd is away files wait, however often it is tried, and are scanned once it is back', async () => {
    const it = await scene(clamd.url)
    await clamd.stop()
    const { id } = await upload(it.client, 'plan.txt', 'nothing bad')
    const bad = await upload(it.client, 'bad.txt', eicar)
    const failures = () => it.log.filter(({ sentence }) => sentence === 'a file could not be scanned for viruses')
    await until(() => failures().length === 2)
    expect(failures()[0]!.facts.err.code).to.equal('ECONNREFUSED')
    // More often than a queue tries.
    await fallDue(it, 20)
    await until(() => failures().length === 4)
    expect(failures().map(({ facts }) => facts.seconds)).to.deep.equal([30, 30, 600, 600])
    expect(await opened(it, id)).to.deep.equal([409, 409, 409, 404])
    expect(await opened(it, bad.id)).to.deep.equal([409, 409, 409, 404])
    expect(await it.client.get('/documents')).to.show('being checked for viruses')
    await clamd.start()
    await fallDue(it, 0)
    expect(await scanned(it.client, 'plan.txt')).to.include({ state: 'ready' })
    expect(await scanned(it.client, 'bad.txt')).to.include({ state: 'infected' })
  })
})

describe('something else than clamd', function () {
  this.timeout(60_000)
  let answers: (socket: Socket) => void
  const server = createServer(socket => {
    socket.on('error', () => undefined)
    answers(socket)
  })
  let url: string

  before(done => {
    server.listen(0, '127.0.0.1', () => {
      url = `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`
      done()
    })
  })
  after(() => server.close())
  afterEach(leave)

  /** Answers when everything has arrived, as clamd does, and hangs up. */
  const says = (answer: string) => (socket: Socket) => {
    let last = Buffer.alloc(0)
    socket.on('data', part => {
      last = Buffer.concat([last, part]).subarray(-4)
      if (last.equals(Buffer.alloc(4))) socket.end(answer)
    })
  }

  const strange: Record<string, (socket: Socket) => void> = {
    'hangs up at once': socket => socket.destroy(),
    'hangs up after the first bytes': socket => socket.once('data', () => socket.destroy()),
    'resets the connection': socket => socket.once('data', () => socket.resetAndDestroy()),
    'says nothing at the end': says(''),
    'speaks HTTP': says('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'),
    'is an SMTP server': socket => socket.end('220 mail.example ESMTP stream: OK\r\n'),
    'says half of it': says('stream: O'),
    'says OK of something else': says('other: OK\0'),
    'says OK and more': says('stream: OK\0stream: Bad FOUND\0'),
    fails: says('stream: Can’t allocate memory ERROR\0'),
    'knows no such command': says('UNKNOWN COMMAND\0'),
    'speaks of a size limit in passing': says('no size limit exceeded\0'),
    'sends bytes without an end': socket => {
      const more = () => !socket.destroyed && socket.write(Buffer.alloc(65_536, 'stream: OK\0'), more)
      more()
    },
  }

  it('never has a file released, nor deleted', async () => {
    for (const [what, how] of Object.entries(strange)) {
      answers = how
      for (const size of [1, 3_000_000]) {
        const file = Readable.from([Buffer.alloc(size, 'x'), Buffer.alloc(size, 'x')])
        const result = await scanForViruses(url, file).catch(error => error)
        expect(result, `${what}, ${size}`).to.be.instanceOf(Error)
        expect(file.destroyed).to.equal(true)
      }
    }
  })

  it('says OK of a file before it has it: that is not believed', async () => {
    answers = socket => socket.end('stream: OK\0')
    const result = await scanForViruses(url, Readable.from(Array(100).fill(Buffer.alloc(65_536)))).catch(error => error)
    expect(result).to.be.instanceOf(Error)
  })

  it('a file that cannot be read is no clean one', async () => {
    answers = says('stream: OK\0')
    const lost = createReadStream(join(tmpdir(), 'portico-no-such-file'))
    expect(await scanForViruses(url, lost).catch(error => error.code)).to.equal('ENOENT')
    const broken = Readable.from(
      (async function* () {
        yield Buffer.alloc(100)
        throw new Error('the disk failed')
      })(),
    )
    expect(await scanForViruses(url, broken).catch(error => error.message)).to.equal('the disk failed')
  })

  it('takes connections, and reads or answers nothing: it is given up, long before the job', async () => {
    const limits = { whole: 600_000, idle: 300, answer: 600 }
    const deaf: Record<string, (socket: Socket) => void> = {
      'reads nothing': socket => socket.pause(),
      'reads and never answers': socket => socket.resume(),
    }
    for (const [what, how] of Object.entries(deaf)) {
      answers = how
      const file = Readable.from(Array(400).fill(Buffer.alloc(65_536)))
      const error = await scanForViruses(url, file, limits).catch(it => it)
      expect(error.message, what).to.equal('clamd did not answer in time')
      expect(file.destroyed).to.equal(true)
    }
    answers = says('stream: OK\0')
    async function* slow() {
      for (let at = 0; at < 10; at++) {
        await wait(100)
        yield Buffer.alloc(10, 'x')
      }
    }
    expect(await scanForViruses(url, Readable.from(slow()), limits)).to.deep.equal({ scan: 'clean' })
    async function* stuck() {
      yield Buffer.alloc(10, 'x')
      await wait(5_000)
    }
    const late = await scanForViruses(url, Readable.from(stuck()), limits).catch(it => it)
    expect(late.message).to.equal('clamd did not answer in time')
  })

  it('has files wait in the portal, and the log says why', async () => {
    const it = await scene(url)
    const failures = () =>
      it.log.filter(({ sentence, facts }) => sentence.includes('could not be scanned') && facts.err)
    let tries = 0
    for (const [what, how] of Object.entries(strange).slice(0, 4)) {
      answers = how
      const { id } = await upload(it.client, `${what}.txt`, 'text')
      tries++
      await until(() => failures().length === tries)
      expect(await opened(it, id)).to.deep.equal([409, 409, 409, 404])
    }
    expect(stored(it)).to.have.length(4)
  })
})
