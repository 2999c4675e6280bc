// npm run bench: how long an acceptance takes, evidence, frozen paper and all, against a bare handler that only sets the
// CRM's status. Sealing and mails come after the answer, in the same process.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import people from '../demo/people.json' with { type: 'json' }
import { copies } from '../test/kill/copies.ts'
import { password, prepareDemo } from './demo.ts'

const many = 60
const { postgres, owner } = await prepareDemo()
const ids = await copies(owner, many * 2)

const child = fork(join(import.meta.dirname, 'server.ts'), [postgres.url, password], {
  env: { ...process.env, NODE_ENV: 'production' },
})
const [{ port }] = (await once(child, 'message')) as [{ port: number }]
const home = `http://127.0.0.1:${port}/portal/brightside`
const { email, password: known } = people.find(it => it.email === 'nadia@acmebakery.example')!
const signedIn = await fetch(`${home}/sign-in`, {
  method: 'POST',
  body: new URLSearchParams({ email, password: known }),
  redirect: 'manual',
})
const cookie = signedIn.headers
  .getSetCookie()
  .find(it => it.startsWith('portico.sid'))!
  .split(';')[0]!

if (signedIn.status !== 303) throw new Error(`not signed in: ${signedIn.status}`)
const [accepted, floor]: [number[], number[]] = [[], []]
for (const [at, id] of ids.slice(0, many).entries()) {
  const page = await (await fetch(`${home}/api/v1/proposals/${id}/acceptance`, { headers: { cookie } })).json()
  const { seen } = page as { seen: string }
  const body = new URLSearchParams({ seen, agree: 'on', how: 'typed', typed: 'N. El-Khoury' })
  const [portal, bare] = [
    await timed(() =>
      fetch(`${home}/proposals/${id}/acceptance`, { method: 'POST', headers: { cookie }, body, redirect: 'manual' }),
    ),
    await timed(() =>
      fetch(`http://127.0.0.1:${port}/floor/acceptance/${ids[many + at]}`, { method: 'POST', redirect: 'manual' }),
    ),
  ]
  // The first ones make the workspace's key and start the printing process.
  if (at < 5) continue
  accepted.push(portal)
  floor.push(bare)
}
for (const [name, share] of [
  ['acceptance', 0.5],
  ['acceptance-p95', 0.95],
] as const) {
  const [a, f] = [accepted, floor].map(its => its.toSorted((x, y) => x - y)[Math.floor(its.length * share)]!) as [
    number,
    number,
  ]
  console.log(
    `${name} ratio ${(a / f).toFixed(1)} (portal ${a.toFixed(0)} ms, floor ${f.toFixed(1)} ms, ${(a - f).toFixed(0)} ms over it)`,
  )
}
child.disconnect()
await owner.destroy()
await postgres.stop()

async function timed(ask: () => Promise<Response>): Promise<number> {
  const began = performance.now()
  const { status, headers } = await ask()
  if (status !== 303 || /sign-in/.test(headers.get('location') ?? '')) throw new Error(`answered ${status}`)
  return performance.now() - began
}
