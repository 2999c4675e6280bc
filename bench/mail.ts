// npm run bench: how long it takes until a code that somebody asked for has been taken by the mail server, while 10,000
// other mails wait, against the same mail handed to that server by itself. The server takes 50 ms for each mail.
import { fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { SMTPServer } from 'smtp-server'
import people from '../demo/people.json' with { type: 'json' }
import { smtp } from '../src/mail/transport.ts'
import { seal } from '../src/platform/crypto.ts'
import { password, prepareDemo } from './demo.ts'

const [others, codes] = [Number(process.env.MAILS ?? 10_000), 100]
const { email } = people.find(it => it.email === 'nadia@acmebakery.example')!

let taken = 0
const waiting: (() => void)[] = []
const mailServer = new SMTPServer({
  authOptional: true,
  disabledCommands: ['STARTTLS'],
  onData(stream, { envelope }, done) {
    stream.resume().on('end', async () => {
      await sleep(50)
      taken++
      if (envelope.rcptTo.some(it => it.address === email)) waiting.shift()?.()
      done()
    })
  },
})
mailServer.listen(0, '127.0.0.1')
await once(mailServer.server, 'listening')
const mailUrl = `smtp://127.0.0.1:${(mailServer.server.address() as AddressInfo).port}`

const { postgres, owner } = await prepareDemo()
await queueOthers()

const floor = await floorTimes()
const child = fork(join(import.meta.dirname, 'server.ts'), [postgres.url, password, mailUrl], {
  env: { ...process.env, NODE_ENV: 'production' },
})
const [{ port }] = (await once(child, 'message')) as [{ port: number }]
const page = `http://127.0.0.1:${port}/portal/brightside/sign-in/code`
await timed(() => ask())
const before = taken
const times: number[] = []
for (let at = 0; at < codes; at++) {
  times.push(await timed(() => ask()))
  await sleep(100)
}
for (const [name, share] of [
  ['code-mailed', 0.5],
  ['code-mailed-p99', 0.99],
] as const) {
  const [p, f] = [times, floor].map(its => its.toSorted((x, y) => x - y)[Math.floor(its.length * share)]!) as [
    number,
    number,
  ]
  console.log(`${name} ratio ${(p / f).toFixed(1)} (portal ${p.toFixed(0)} ms, floor ${f.toFixed(0)} ms)`)
}
const left = await owner('portal.client_outbox').whereNull('sent_at').count()
console.log(`other mails: ${taken - before - codes} taken meanwhile, ${left[0]!.count} were still waiting`)
child.disconnect()
await owner.destroy()
mailServer.close()
await postgres.stop()

async function ask() {
  await owner('portal_jobs.limits').delete()
  const { status } = await fetch(page, { method: 'POST', body: new URLSearchParams({ email }), redirect: 'manual' })
  if (status !== 303) throw new Error(`answered ${status}`)
}

/** Until the mail that this brings about has been taken. */
async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  const arrived = new Promise<void>(done => waiting.push(done))
  await work()
  await arrived
  return performance.now() - began
}

async function floorTimes(): Promise<number[]> {
  const send = smtp(mailUrl, 'portal@example.com')
  const mail = { from: 'Brightside', to: email, subject: 'Your code', text: '123456', html: '<p>123456</p>' }
  const times: number[] = []
  for (let at = 0; at < codes; at++) times.push(await timed(() => send({ ...mail, id: randomUUID() })))
  return times.slice(1)
}

/** Copies of what was signed, to others. */
async function queueOthers() {
  const text = { subject: 'One of many', text: 'x'.repeat(2_000), html: 'x'.repeat(2_000), from: 'Brightside' }
  const sealed = seal(JSON.stringify(text), ['a secret of at least thirty-two characters'], 'mail')
  await owner.raw(
    `with mails as (
       insert into portal.client_outbox (workspace_id, id, kind, recipient, subject, sealed)
       select '1', gen_random_uuid(), 'signed-copy', 'many@else.example', 'One of many', ? from generate_series(1, ?)
       returning id
     )
     insert into portal_jobs.job (name, data, policy, retry_limit, expire_seconds)
     select 'mail', jsonb_build_object('workspace', '1', 'slug', 'brightside', 'id', id), 'standard', 8, 120 from mails`,
    [sealed, others],
  )
}
