// npm run bench: the list of invoices at 16 connections while 100,000 notifications go out, half of them by e-mail and
// half by push, against the same list of the same process before. In turns of two seconds. Mail server and push service
// take 20 ms for each. NOTICES=1000 for fewer.
import { fork } from 'node:child_process'
import { createECDH, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import autocannon from 'autocannon'
import { SMTPServer } from 'smtp-server'
import people from '../demo/people.json' with { type: 'json' }
import { seal } from '../src/platform/crypto.ts'
import { password, prepareDemo } from './demo.ts'

const half = Math.ceil(Number(process.env.NOTICES ?? 100_000) / 2)
const rounds = Number(process.env.ROUNDS ?? 5)
const { email, password: theirs } = people.find(it => it.email === 'nadia@acmebakery.example')!

const taken = { mails: 0, pushes: 0 }
const mailServer = new SMTPServer({
  ...{ authOptional: true, disabledCommands: ['STARTTLS'] },
  async onData(stream, _session, done) {
    await once(stream.resume(), 'end')
    await sleep(20)
    taken.mails++
    done()
  },
})
const pushService = createServer(async (req, res) => {
  await once(req.resume(), 'end')
  await sleep(20)
  taken.pushes++
  res.writeHead(201).end()
})
const portOf = async (server: { listen(port: number, host: string): unknown; address(): unknown }, it = server) => {
  it.listen(0, '127.0.0.1')
  await sleep(50)
  return (it.address() as AddressInfo).port
}
const mailUrl = `smtp://127.0.0.1:${await portOf(mailServer.server as never)}`
const pushUrl = `http://127.0.0.1:${await portOf(pushService)}/device`

const { postgres, owner } = await prepareDemo()
const child = fork(join(import.meta.dirname, 'server.ts'), [postgres.url, password, mailUrl], {
  env: { ...process.env, NODE_ENV: 'production', LOOPBACK: 'yes' },
})
const [{ port }] = (await once(child, 'message')) as [{ port: number }]
const home = `http://127.0.0.1:${port}/portal/brightside`
const cookie = await signIn()

await measure()
const before = await measure()
await queueMails()
await queuePushes()
await until(() => taken.mails > 0 && taken.pushes > 0)
const meanwhile = await measure()
for (const [name, of] of [
  ['list-page-while-notices-leave', (it: Load) => it.rate],
  ['list-page-while-notices-leave-p99', (it: Load) => it.p99],
] as const) {
  const [during, idle] = [middleOf(meanwhile.map(of)), middleOf(before.map(of))]
  console.log(`${name} ratio ${(during / idle).toFixed(2)} (meanwhile ${during.toFixed(0)}, before ${idle.toFixed(0)})`)
}
const [sent, began] = [{ ...taken }, performance.now()]
await until(() => taken.mails + taken.pushes >= Math.min(sent.mails + sent.pushes + 2_000, 2 * half))
const rate = (1_000 * (taken.mails + taken.pushes - sent.mails - sent.pushes)) / (performance.now() - began)
console.log(
  `notices: ${sent.mails} mails and ${sent.pushes} pushes left while the list was asked for; ${rate.toFixed(0)} a second afterwards`,
)
child.disconnect()
await owner.destroy()
mailServer.close()
pushService.close()
await postgres.stop()

interface Load {
  rate: number
  p99: number
}

async function measure(): Promise<Load[]> {
  const loads: Load[] = []
  for (let round = 0; round < rounds; round++) {
    const url = `${home}/invoices`
    const { requests, latency, non2xx } = await autocannon({ url, headers: { cookie }, connections: 16, duration: 2 })
    if (non2xx) throw new Error(`${non2xx} answers were no pages`)
    loads.push({ rate: requests.average, p99: latency.p99 })
  }
  return loads
}

async function signIn(): Promise<string> {
  const body = new URLSearchParams({ email, password: theirs })
  const { headers } = await fetch(`${home}/sign-in`, { method: 'POST', body, redirect: 'manual' })
  return headers
    .getSetCookie()
    .find(it => it.startsWith('portico.sid'))!
    .split(';')[0]!
}

async function queueMails() {
  const mail = { subject: 'A new invoice', text: 'x'.repeat(2_000), html: 'x'.repeat(2_000), from: 'Brightside' }
  const sealed = seal(JSON.stringify(mail), ['a secret of at least thirty-two characters'], 'mail')
  await owner.raw(
    `with mails as (
       insert into portal.client_outbox (workspace_id, id, kind, recipient, subject, sealed)
       select '1', gen_random_uuid(), 'invoices.sent', 'many@else.example', 'A new invoice', ? from generate_series(1, ?)
       returning id
     )
     insert into portal_jobs.job (name, data, policy, retry_limit, expire_seconds)
     select 'mail', jsonb_build_object('workspace', '1', 'slug', 'brightside', 'id', id), 'standard', 8, 120 from mails`,
    [sealed, half],
  )
}

/** Of invoices, to one person's phone. */
async function queuePushes() {
  const { id: person } = await owner('portal.client_users').where({ email }).first('id')
  const { id: invoice } = await owner('invoices').where({ ref_no: '2026-0107' }).first('id')
  const key = createECDH('prime256v1').generateKeys()
  await owner('portal.client_push_devices').insert({
    ...{ workspace_id: '1', person_id: person, endpoint: pushUrl, label: 'Phone' },
    ...{ p256dh: key.toString('base64url'), auth: randomBytes(16).toString('base64url') },
  })
  const facts = { number: '2026-0107', total: { amount: '1210.00', currency: 'EUR' }, day: { day: '2026-12-24' } }
  await owner.raw(
    `with messages as (
       insert into portal.client_notification_messages
         (workspace_id, id, client_id, person_id, channel, kind, section, record_id, rest, facts)
       select '1', gen_random_uuid(), '1', ?, 'push', 'invoices.sent', 'invoices', ?, '', ? from generate_series(1, ?)
       returning id
     )
     insert into portal_jobs.job (name, data, policy, retry_limit, expire_seconds, singleton_key)
     select 'plugins', jsonb_build_object('job', 'notifications.send', 'workspace', '1', 'slug', 'brightside',
       'data', jsonb_build_object('id', id), 'round', false), policy, retry_limit, expire_seconds, id::text
     from messages, portal_jobs.queue where queue.name = 'plugins'`,
    [person, invoice, JSON.stringify(facts), half],
  )
}

async function until(holds: () => boolean) {
  for (let tries = 0; !holds(); tries++) {
    if (tries > 1_200) throw new Error(`Nothing more leaves: ${taken.mails} mails and ${taken.pushes} pushes did.`)
    await sleep(100)
  }
}

function middleOf(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!
}
