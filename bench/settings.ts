// npm run bench: pages of the settings with 20,000 people of 2,000 clients, against the same pages with those of the
// demo, in the same run: the best of five each.
import type { AddressInfo } from 'node:net'
import express from 'express'
import { adapter } from '../demo/adapter/adapter.ts'
import { connectPortal } from '../demo/portal-database.ts'
import { createPortal } from '../src/index.ts'
import { crowd } from '../test/crowd.ts'
import { password, prepareDemo } from './demo.ts'

const paths = ['/', '/visibility', '/exceptions', '/people', '/people?search=person', '/people/adoption', '/roles']

const log = { info() {}, warn() {}, error: console.error }

const { postgres, owner } = await prepareDemo()
const database = connectPortal(postgres.url, password, { min: 0, max: 4 })
const portal = await createPortal({
  database,
  crm: adapter(database),
  flags: { enabledAnywhere: () => true, enabled: () => true },
  staff: () => ({ id: '1', name: 'Bench', workspace: 'brightside', admin: true }),
  secrets: ['a secret of at least thirty-two characters'],
  address: 'http://127.0.0.1/portal',
  log,
})
const server = express().use('/settings', portal.settings).listen(0, '127.0.0.1')
await new Promise(resolve => server.once('listening', resolve))
const { port } = server.address() as AddressInfo

const few = await timesOf(paths)
await crowd(owner)
const many = await timesOf(paths)
for (const [at, path] of paths.entries()) {
  const [p, f] = [many[at]!, few[at]!]
  console.log(`settings${path} ratio ${(p / f).toFixed(1)} (20,000 people ${p.toFixed(0)} ms, demo ${f.toFixed(0)} ms)`)
}

server.close()
await portal.close()
await database.destroy()
await owner.destroy()
await postgres.stop()

async function timesOf(all: string[]): Promise<number[]> {
  const times: number[] = []
  for (const path of all) times.push(await best(path))
  return times
}

async function best(path: string): Promise<number> {
  const times: number[] = []
  for (let round = 0; round < 5; round++) {
    const began = performance.now()
    const answer = await fetch(`http://127.0.0.1:${port}/settings${path}`)
    await answer.text()
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status}`)
    times.push(performance.now() - began)
  }
  return Math.min(...times)
}
