import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect } from 'chai'
import { portalUrl } from '../../demo/portal-database.ts'
import { faults } from '../../src/evidence/chain.ts'
import { type Copy, close, fresh, postgres, urlOf } from '../database.ts'
import { until } from '../until.ts'
import { whoIs } from '../visit.ts'
import { copies } from './copies.ts'

/** How many processes are killed in each of the situations; `npm run proof` kills a hundred. */
const kills = Number(process.env.PORTICO_KILLS ?? 2)

const started = new Set<ChildProcess>()

describe('an acceptance in the middle of which all goes down', function () {
  this.timeout(240_000 + kills * 10_000)

  afterEach(() => {
    for (const it of started) it.kill('SIGKILL')
  })

  it('is whole or not there at all, where the CRM is in the same database', () => killing(false, portalKilled))
  it('is whole, and delivered once, where the CRM is in another database', () => killing(true, portalKilled))
  it('is whole or not there at all, where it is PostgreSQL that goes down and recovers', () =>
    killing(false, postgresKilled))
})

/** What somebody presses accept on, and how: gives back when the process or the database is gone. */
type Round = (pressing: (at: string) => Promise<unknown>, running: () => Promise<Running>) => Promise<void>

interface Running {
  url: string
  child: ChildProcess
}

const portalKilled: Round = async (pressing, running) => {
  const it = await running()
  const end = setTimeout(() => it.child.kill('SIGKILL'), Math.random() * 1_500)
  const gone = once(it.child, 'exit')
  await pressing(it.url)
  await gone
  clearTimeout(end)
}

/** One of its processes is killed: it ends all the others, and comes back by its log. */
const postgresKilled: Round = async (pressing, running) => {
  const it = await running()
  const end = new Promise(resolve => setTimeout(resolve, Math.random() * 1_500)).then(async () => {
    const { rows } = await postgres.raw('select pg_backend_pid() as pid')
    process.kill(rows[0].pid, 'SIGKILL')
  })
  await Promise.all([pressing(it.url), end])
  await until(async () => (await postgres.raw('select 1')).rows.length === 1)
}

async function killing(apart: boolean, round: Round) {
  const crm = await fresh()
  // What was acknowledged must outlive PostgreSQL, which is in a hurry in other tests.
  await postgres.raw(`alter database ${crm.name} set synchronous_commit = on`)
  const portal = apart ? await fresh() : crm
  const open = await copies(crm.owner, kills * 12)
  const all = [...open]
  const acknowledged = new Set<string>()
  let cookie = ''
  let it: Running | undefined
  const running = async () => {
    if (!it || it.child.signalCode !== null) it = await start(crm, portal, apart)
    cookie ||= await signIn(it.url)
    return it
  }

  // On a slow machine the first ones may be killed before anything is done.
  let killed = 0
  while (killed < kills || (!acknowledged.size && killed < 30)) {
    await round(url => Promise.all([1, 2, 3].map(() => accepting(url, cookie, open, acknowledged))), running)
    // What pg-boss does with the jobs of a process that is gone, once their time is over.
    await until(() =>
      portal
        .owner('portal_jobs.job')
        .where({ state: 'active' })
        .update({ state: 'retry', start_after: new Date(0) })
        .then(() => true),
    )
    killed++
  }

  const last = await running()
  await until(async () => {
    const { rows } = await portal.owner.raw(
      `select count(*)::int as open from portal.client_signatures where state <> 'confirmed' or sealed is null`,
    )
    return rows[0].open === 0
  }, 120)
  last.child.kill('SIGTERM')
  last.child.kill('SIGKILL')
  await once(last.child, 'exit')

  const accepted = await idsOf(
    crm.owner('proposals').whereIn('id', all).where({ state: 'accepted' }).select('id as it'),
  )
  const signatures = await idsOf(portal.owner('portal.client_signatures').select('document_id as it'))
  const events = await idsOf(
    portal.owner('portal.client_activity_logs').where({ event: 'proposals.accepted' }).select('subject_id as it'),
  )
  const { rows: mails } = await portal.owner.raw(
    `select count(*)::int as mails from portal.client_outbox where kind = 'signed-copy'`,
  )
  expect(acknowledged.size).to.be.above(0)
  expect(signatures).to.deep.equal(accepted)
  expect(events).to.deep.equal(accepted)
  expect(mails[0].mails).to.equal(accepted.length)
  expect(accepted).to.include.members([...acknowledged])
  expect(await faults(portal.database, '1')).to.deep.equal([])
  await Promise.all([...new Set([crm, portal])].map(close))
  console.log(`      ${killed} killed, ${acknowledged.size} acknowledged, ${accepted.length} accepted`)
}

const idsOf = async (rows: PromiseLike<{ it: unknown }[]>) => (await rows).map(it => String(it.it)).sort()

/** Presses accept on one after the other, until the process is gone; what got no answer is pressed again later. */
async function accepting(url: string, cookie: string, open: string[], acknowledged: Set<string>) {
  for (;;) {
    const id = open.shift()
    if (!id) return
    try {
      const headers = { cookie, 'Content-Type': 'application/json' }
      const address = `${url}/portal/brightside/api/v1/proposals/${id}/acceptance`
      const page = await fetch(address, { headers, redirect: 'manual' })
      const { seen } = page.status === 200 ? ((await page.json()) as { seen: string }) : { seen: '' }
      const body = JSON.stringify({ seen, agree: 'on', how: 'typed', typed: 'N. El-Khoury' })
      const { status } = await fetch(address, { method: 'POST', headers, body, redirect: 'manual' })
      if (status !== 303) throw new Error(`answered ${status}`)
      acknowledged.add(id)
    } catch {
      open.unshift(id)
      return
    }
  }
}

async function start(crm: Copy, portal: Copy, apart: boolean): Promise<{ url: string; child: ChildProcess }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'portal.ts')], {
    env: {
      ...process.env,
      OWNER_URL: urlOf(crm.name),
      PORTAL_URL: as(portal),
      CRM_URL: apart ? as(crm) : '',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [port] = await once(createInterface({ input: child.stdout! }), 'line')
  started.add(child)
  return { url: `http://127.0.0.1:${port}`, child }
}

const as = ({ name }: Copy) => portalUrl(urlOf(name), 'only-in-tests')

async function signIn(url: string): Promise<string> {
  const { email, password } = whoIs('owner')
  const answer = await fetch(`${url}/portal/brightside/sign-in`, {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams({ email, password }),
  })
  if (answer.status !== 303) throw new Error(`${answer.status} ${await answer.text()}`)
  return answer.headers
    .getSetCookie()
    .find(it => it.startsWith('portico.sid'))!
    .split(';')[0]!
}
