// npm run bench: a file of 1 GB by the tus protocol, in parts of 2 MB, to the portal and to a bare tus server in the same
// process, in turns; and how late the event loop is while previews are made.
import { createHash, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Readable } from 'node:stream'
import { FileStore } from '@tus/file-store'
import { Server } from '@tus/server'
import express from 'express'
import sharp from 'sharp'
import { adapter } from '../demo/adapter/adapter.ts'
import people from '../demo/people.json' with { type: 'json' }
import { connectPortal } from '../demo/portal-database.ts'
import { endPreviews, previewOf } from '../src/files/previews.ts'
import { createPortal, filesIn } from '../src/index.ts'
import { password, prepareDemo } from './demo.ts'

const part = 2_000_000
const parts = 500
const bytes = Buffer.alloc(part, createHash('sha256').update('a part').digest())

const folder = mkdtempSync(join(tmpdir(), 'portico-bench-'))
const files = filesIn(join(folder, 'portal'))
const { postgres, owner } = await prepareDemo()
const database = connectPortal(postgres.url, password, { min: 0, max: 4 })
const portico = await createPortal({
  database,
  crm: adapter(database),
  flags: { enabledAnywhere: () => true, enabled: () => true },
  staff: () => undefined,
  secrets: ['a secret of at least thirty-two characters'],
  log: { info() {}, warn() {}, error: console.error },
  files,
})
await owner('portal.client_portal_settings').insert({
  ...{ workspace_id: '1', name: 'documents.limits', changed_by: 'the bench' },
  value: { size: 4_000, total: 90_000 },
})

const bare = new Server({ path: '/files', datastore: new FileStore({ directory: folder }) })
const floor = express().all(/^\/files/, (req, res) => void bare.handle(req, res))
const servers = [express().use('/portal', portico.clients), floor].map(it => it.listen(0, '127.0.0.1'))
await Promise.all(servers.map(it => new Promise(resolve => it.once('listening', resolve))))
const [portal, plain] = servers.map(it => `http://127.0.0.1:${(it.address() as AddressInfo).port}`)
const home = `${portal}/portal/brightside`
const nadia = people.find(it => it.email.startsWith('nadia@'))!
const signedIn = await fetch(`${home}/sign-in`, {
  method: 'POST',
  headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  body: new URLSearchParams({ email: nadia.email, password: nadia.password }),
  redirect: 'manual',
})
const cookie = signedIn.headers
  .getSetCookie()
  .map(it => it.split(';')[0])
  .join('; ')

const best = { portal: Infinity, plain: Infinity }
for (let round = 0; round < 2; round++) {
  best.plain = Math.min(best.plain, await upload(`${plain}/files`, {}))
  best.portal = Math.min(best.portal, await upload(`${home}/documents/uploads`, { cookie }))
}
const size = (part * parts) / 1e6
console.log(
  `upload of ${size} MB: ratio ${(best.plain / best.portal).toFixed(2)} of a bare tus server's rate ` +
    `(${(size / best.portal).toFixed(0)} MB/s, bare ${(size / best.plain).toFixed(0)} MB/s)`,
)

const noise = { create: { width: 5_000, height: 4_000, channels: 3 as const, background: '#369' } }
const photo = await sharp(noise).jpeg().toBuffer()
const late = monitorEventLoopDelay({ resolution: 5 })
late.enable()
const began = performance.now()
for (let at = 0; at < 20; at++) {
  const key = `bench/${randomUUID()}`
  await previewOf(
    { store: files, key, type: 'image/jpeg', size: photo.length, open: async () => Readable.from([photo]) },
    'large',
  )
}
late.disable()
console.log(
  `20 previews of 20 megapixels: ${(performance.now() - began).toFixed(0)} ms, event loop late by at most ` +
    `${(late.max / 1e6).toFixed(0)} ms (99 %: ${(late.percentile(99) / 1e6).toFixed(0)} ms)`,
)

endPreviews()
for (const it of servers) it.close()
await portico.close()
await database.destroy()
await owner.destroy()
await postgres.stop()
rmSync(folder, { recursive: true })

/** Seconds that an upload takes until the server has all of it. */
async function upload(address: string, headers: Record<string, string>): Promise<number> {
  const tus = { ...headers, 'Tus-Resumable': '1.0.0' }
  const began = performance.now()
  const name = Buffer.from('film.bin').toString('base64')
  const created = await fetch(address, {
    method: 'POST',
    headers: { ...tus, 'Upload-Length': String(part * parts), 'Upload-Metadata': `filename ${name}` },
  })
  if (created.status !== 201) throw new Error(`${address}: ${created.status} ${await created.text()}`)
  const at = new URL(created.headers.get('location')!, address)
  for (let offset = 0; offset < part * parts; offset += part) {
    const sent = await fetch(at, {
      method: 'PATCH',
      headers: { ...tus, 'Upload-Offset': String(offset), 'Content-Type': 'application/offset+octet-stream' },
      body: bytes,
    })
    if (sent.status !== 204) throw new Error(`${address}: ${sent.status} ${await sent.text()}`)
  }
  return (performance.now() - began) / 1_000
}
