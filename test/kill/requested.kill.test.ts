import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { buffer } from 'node:stream/consumers'
import { expect } from 'chai'
import { portalUrl } from '../../demo/portal-database.ts'
import { fileKey } from '../../src/files/receive.ts'
import { filesIn } from '../../src/index.ts'
import { type Copy, close, fresh, postgres, urlOf } from '../database.ts'
import { tus } from '../sending.ts'
import { type Role, whoIs } from '../visit.ts'

const kills = Number(process.env.PORTICO_KILLS ?? 2)
const people: Role[] = ['owner', 'approver', 'billing', 'member', 'twofold']
const items = 12
/** Is offline after so many requests, in the middle of the third file, until the process has been killed. */
const [offline, lasts]: [Role, number] = ['member', 13]

/** A request of the first client: each item asks for a file of each person. */
async function requested({ owner }: Copy): Promise<{ request: string; items: string[] }> {
  const [sending, request] = [randomUUID(), randomUUID()]
  const its = { workspace_id: '1', name: 'Year-end', by_name: 'Marta Lindqvist' }
  await owner('portal.client_request_sendings').insert({
    ...{ ...its, id: sending, about: '', content: '[]', clients: '[]', by_id: '1' },
  })
  await owner('portal.client_requests').insert({
    ...{ ...its, id: request, sending_id: sending, client_id: '1', client_name: 'Acme Bakery', items },
  })
  const ids = Array.from({ length: items }, () => randomUUID())
  for (const [position, id] of ids.entries())
    await owner('portal.client_request_items').insert({
      ...{ workspace_id: '1', request_id: request, client_id: '1' },
      ...{ id, position, name: `Thing ${position}`, wanted: people.length },
    })
  return { request, items: ids }
}

interface Sent {
  item: string
  name: string
  content: Buffer
  /** Where it is sent, once that is known. */
  at?: string
  acknowledged?: true
}

describe('a request that five people fill, one of them offline in the middle, while the process is killed', function () {
  this.timeout(180_000 + kills * 10_000)
  const started = new Set<ChildProcess>()

  afterEach(() => {
    for (const it of started) it.kill('SIGKILL')
  })

  it('has every file once, and every tick is right', async () => {
    const copy = await fresh()
    await postgres.raw(`alter database ${copy.name} set synchronous_commit = on`)
    const folder = mkdtempSync(join(tmpdir(), 'portico-files-'))
    const { request, items: ids } = await requested(copy)
    const all = people.map(role => ({
      role,
      cookie: '',
      files: ids.map((item): Sent => ({ item, name: `${role}.bin`, content: randomBytes(20_000) })),
    }))
    const left = () => all.flatMap(it => it.files).filter(it => !it.acknowledged)
    const before: number[] = []
    for (let killed = 0; left().length; killed++) {
      const { url, child } = await start(copy, folder, started)
      for (const it of all) it.cookie ||= await signIn(url, it.role)
      const gone = once(child, 'exit')
      const end = killed < kills && setTimeout(() => child.kill('SIGKILL'), 200 + Math.random() * 1_000)
      const line = (role: Role) => ({ left: killed === 0 && role === offline ? lasts : Number.POSITIVE_INFINITY })
      const at = `${url}/portal/brightside/requests/${request}`
      await Promise.all(all.map(it => sendAll(at, it, line(it.role))))
      if (end) {
        before.push(items * people.length - left().length)
        child.kill('SIGKILL')
        clearTimeout(end)
      } else child.kill('SIGTERM')
      await gone
    }

    const rows = await copy
      .owner('portal.client_request_files as f')
      .join('portal.client_files as k', 'k.id', 'f.file_id')
      .whereNot('k.state', 'arriving')
      .select('f.item_id', 'k.id', 'k.name')
    expect(rows).to.have.length(items * people.length)
    const store = filesIn(folder)
    for (const { files } of all)
      for (const { item, name, content } of files) {
        const [row, ...twice] = rows.filter(it => it.item_id === item && it.name === name)
        expect(twice, `${name} of ${item}`).to.be.empty
        expect((await buffer(await store.read(fileKey('1', row.id)))).equals(content)).to.equal(true)
      }
    const states = await copy.owner('portal.client_request_items').where({ request_id: request }).pluck('state')
    expect(new Set(states)).to.deep.equal(new Set(['sent']))
    const found = await copy.owner('portal.client_requests').where({ id: request }).first()
    expect([found.done, found.to_review, found.files]).to.deep.equal([items, items, items * people.length])
    const events = await copy.owner('portal.client_activity_logs').where({ event: 'requests.uploaded' })
    expect(events).to.have.length(rows.length)
    await close(copy)
    console.log(`      killed ${before.length} times, after ${before.join(', ')} of ${rows.length} files`)
  })
})

/** One file after the other, until the process is gone. What got no answer is asked for again later. */
async function sendAll(at: string, { cookie, files }: { cookie: string; files: Sent[] }, line: Line) {
  for (const it of files.filter(one => !one.acknowledged)) {
    const done = await sendOne(at, cookie, it, line).catch(() => false)
    if (!done) return
  }
}

interface Line {
  /** After how many requests it breaks. */
  left: number
}

async function sendOne(base: string, cookie: string, it: Sent, line: Line): Promise<boolean> {
  const { origin } = new URL(base)
  const ask = (method: string, path: string, headers: Record<string, string>, body?: Buffer) => {
    if (line.left-- <= 0) throw new Error('offline')
    return fetch(path.startsWith('/') ? origin + path : path, {
      ...{ method, redirect: 'manual', headers: { ...tus, cookie, ...headers } },
      ...(body && { body: new Uint8Array(body) }),
    })
  }
  const begin = async () => {
    const answer = await ask('POST', `${base}/items/${it.item}/uploads`, {
      'Upload-Length': String(it.content.length),
      'Upload-Metadata': `filename ${Buffer.from(it.name).toString('base64')}`,
    })
    if (answer.status !== 201) throw new Error(`answered ${answer.status}`)
    return answer.headers.get('location')!
  }
  it.at ??= await begin()
  const { status, headers } = await ask('HEAD', it.at, {})
  if (status === 404) {
    it.at = undefined
    return sendOne(base, cookie, it, line)
  }
  for (let sent = Number(headers.get('upload-offset')); status === 200; ) {
    if (sent === it.content.length) break
    const part = it.content.subarray(sent, sent + 8_000)
    const type = { 'Upload-Offset': String(sent), 'Content-Type': 'application/offset+octet-stream' }
    const answer = await ask('PATCH', it.at, type, part)
    if (answer.status !== 204) return false
    sent += part.length
  }
  if (status !== 200) return false
  it.acknowledged = true
  return true
}

async function start(copy: Copy, folder: string, started: Set<ChildProcess>) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'portal.ts')], {
    env: {
      ...process.env,
      OWNER_URL: urlOf(copy.name),
      PORTAL_URL: portalUrl(urlOf(copy.name), 'only-in-tests'),
      FILES_FOLDER: folder,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [port] = await once(createInterface({ input: child.stdout! }), 'line')
  started.add(child)
  return { url: `http://127.0.0.1:${port}`, child }
}

async function signIn(url: string, role: Role): Promise<string> {
  const { email, password } = whoIs(role)
  const answer = await fetch(`${url}/portal/brightside/sign-in`, {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams({ email, password }),
  })
  if (answer.status !== 303) throw new Error(`${answer.status} ${await answer.text()}`)
  const [cookie = ''] = answer.headers.getSetCookie().filter(it => it.startsWith('portico.sid'))
  return cookie.split(';')[0]!
}
