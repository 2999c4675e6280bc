import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect } from 'chai'
import { portalUrl } from '../../demo/portal-database.ts'
import { type Copy, close, fresh, password, urlOf } from '../database.ts'
import { set } from '../reminders.ts'
import { until } from '../until.ts'
import { copies } from './copies.ts'

describe('a round of reminders whose process is killed', function () {
  this.timeout(120_000)
  let child: ChildProcess | undefined

  afterEach(() => void child?.kill('SIGKILL'))

  it('is done by the next one, and nobody gets a mail twice or none', async () => {
    const copy = await fresh()
    const { owner } = copy
    const made = await copies(owner, 120)
    await owner('invoices').where('balance', '>', 0).update({ issued_on: '2026-10-01', due_on: '2026-11-24' })
    await set(copy, 'reminders.payments', '-3')
    await owner.raw(
      `insert into portal_jobs.job (name, data, policy, singleton_key, expire_seconds, retry_limit)
       values ('plugins', '{"job": "reminders.round", "workspace": "1", "slug": "brightside", "data": {}, "round": true}', 'short',
         'reminders.round 1', 900, 8)`,
    )
    const told = async () => Number((await owner('portal.client_reminders').count('* as n').first())?.n)

    const killAt = async (enough: number) => {
      await lost(copy)
      start(copy)
      await until(async () => (await told()) >= enough, 40)
      child?.kill('SIGKILL')
      await once(child!, 'exit')
    }
    for (const enough of [10, 80, 160]) await killAt(enough)
    expect(await told()).to.be.below(2 * made.length)
    // After the offers of the first client, when payments begin.
    await killAt(2 * made.length + 3)
    await lost(copy)
    start(copy)
    await until(
      async () => (await owner('portal_jobs.job').where({ name: 'plugins', state: 'completed' })).length === 1,
      40,
    )

    const mails = await owner('portal.client_outbox').where({ kind: 'reminders.expiry' }).whereLike('subject', 'K-%')
    expect(mails).to.have.length(2 * made.length)
    expect(new Set(mails.map(it => `${it.recipient} ${it.subject}`))).to.have.property('size', mails.length)
    const events = await owner('portal.client_activity_logs')
      .where({ event: 'proposals.reminded' })
      .whereIn('subject_id', made)
    expect(events).to.have.length(made.length)
    // One mail for each person of each client, however many invoices are in it.
    const due = await owner('portal.client_reminders').where({ kind: 'due' })
    const paying = await owner('portal.client_outbox').where({ kind: 'reminders.due' })
    expect(paying).to.have.length(new Set(due.map(it => `${it.person_id} ${it.client_id}`)).size)
    expect(due.length).to.be.above(paying.length)
    child?.kill('SIGKILL')
    await once(child!, 'exit')
    await close(copy)
  })

  const start = ({ name }: Copy) => {
    const url = urlOf(name)
    child = spawn(process.execPath, [join(import.meta.dirname, 'portal.ts')], {
      env: { ...process.env, OWNER_URL: url, PORTAL_URL: portalUrl(url, password) },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
  }
})

/** What pg-boss does with the jobs of a process that is gone, once their time is over. */
const lost = ({ owner }: Copy) =>
  owner.raw(`update portal_jobs.job set state = 'retry', start_after = now() where state = 'active'`)
