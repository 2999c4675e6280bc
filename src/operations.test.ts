import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { fresh, postgres } from '../test/database.ts'
import { until } from '../test/until.ts'
import { leave, open, storage, whoIs } from '../test/visit.ts'
import { checkStorage } from './cli/files.ts'
import { filesIn } from './index.ts'
import { isSameDatabase } from './platform/database.ts'

describe('for operators there is', () => {
  afterEach(leave)

  it('health, which needs nothing, and ready, which needs the database', async () => {
    const { visit, name } = await open()
    const nobody = await visit()

    expect((await nobody.at('/portal/-/health')).body).to.deep.equal({ status: 'up' })
    expect((await nobody.at('/portal/-/ready')).body).to.deep.equal({ status: 'ready' })
    await postgres.raw(`alter database ${name} connection limit 0`)
    await postgres.raw(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`)
    expect((await nobody.at('/portal/-/health')).status).to.equal(200)
    expect(await nobody.at('/portal/-/ready'))
      .to.include({ status: 503 })
      .and.show('does not answer')
      .and.not.show(name)
    await postgres.raw(`alter database ${name} connection limit -1`)
    await until(async () => (await nobody.at('/portal/-/ready')).status === 200)
  })

  it('ready where files cannot be stored or scanned, and says so', async () => {
    const folder = join(mkdtempSync(join(tmpdir(), 'portico-files-')), 'a-file')
    writeFileSync(folder, '')
    const scene = await open({ files: filesIn(folder), scanner: 'tcp://127.0.0.1:1' })
    const nobody = await scene.visit()
    const { status, body } = await nobody.at('/portal/-/ready')
    expect(status).to.equal(200)
    expect(body).to.deep.equal({ status: 'ready', files: 'cannot be written', scanner: 'does not answer' })
    const { text } = await nobody.at('/portal/-/metrics')
    for (const it of ['portico_files_writable 0', 'portico_scanner_answers 0']) expect(text).to.include(it)
    const checks = await checkStorage({ files: filesIn(folder), scanner: 'tcp://127.0.0.1:1' })
    expect(checks.map(it => it.label)).to.deep.equal([
      'files can be stored',
      'the virus scanner answers (tcp://127.0.0.1:1)',
    ])
    expect(checks.map(it => it.problems[0]).join()).to.match(/ENOTDIR.*FILES_FOLDER.*ECONNREFUSED.*start clamd/)
    const [good] = await checkStorage({ files: storage })
    expect(good).to.deep.equal({ label: 'files can be stored', problems: [] })
  })

  it('a warning when the clock of the machine is off, in metrics and settings; a minute off is not ready', async () => {
    const right = Date.now
    try {
      for (const [off, ready] of [
        [0, 200],
        [-5, 200],
        [75, 503],
      ] as const) {
        Date.now = () => right() + off * 1_000
        const { visit, log } = await open()
        const [nobody, admin] = [await visit(), await visit('admin')]
        const answer = await nobody.at('/portal/-/ready')
        expect(answer.status, `${off} seconds`).to.equal(ready)
        if (ready === 503) expect(answer).to.show('the clock is more than a minute off')
        const [, told] = /^portico_clock_difference_seconds (\S+)/m.exec((await nobody.at('/portal/-/metrics')).text)!
        expect(Number(told)).to.be.closeTo(-off, 1)
        const warned = log.some(it => it.sentence.startsWith('the clock of this machine differs'))
        expect(warned).to.equal(off !== 0)
        const page = await admin.at('/settings/client-portal/state')
        expect(page).to.show('The clock of this instance agrees with the database’s')
        if (off) expect(page).to.show(`They differ by ${Math.abs(off)} seconds.`)
        else expect(page).to.not.show('They differ by')
      }
    } finally {
      Date.now = right
    }
  })

  it('metrics, with nothing personal in them', async () => {
    const { visit } = await open()
    const owner = await visit('owner')
    await (await visit()).post('/sign-in', { email: 'who@else.where', password: 'x' })
    for (const path of ['/', '/invoices', '/invoices/1', '/nothing', `/invitation/${'t'.repeat(43)}`])
      await owner.get(path)
    const { text, type } = await owner.at('/portal/-/metrics')

    expect(type).to.equal('text/plain')
    expect(text).to.match(/portico_request_seconds_count\{part="invoices",method="GET",status="200"\} [1-9]/)
    expect(text).to.match(/portico_request_seconds_count\{part="other",method="GET",status="404"\} 1/)
    expect(text)
      .to.match(/portico_sign_ins_total\{outcome="in"\} 1/)
      .and.match(/portico_sign_ins_total\{outcome="refused"\} 1/)
    expect(text)
      .to.match(/portico_sql_statements_total \d{2,}/)
      .and.match(/portico_pool_connections\{state="free"\} [1-9]/)
    expect(text).to.match(/portico_clock_difference_seconds -?0\.\d/)
    expect(text).to.not.match(/brightside|nadia|ttttt|who@/i)
  })

  it('metrics of the queues: what waits, for how long, and what was given up', async () => {
    const { visit, owner } = await open()
    const nobody = await visit()
    const figures = async () => (await nobody.at('/portal/-/metrics')).text
    expect(await figures()).to.include('portico_jobs_due{queue="mail-first"} 0')
    const job = { name: 'mail-first', data: {}, start_after: new Date(Date.now() - 90_000) }
    const later = { ...job, start_after: new Date(Date.now() + 90_000) }
    await owner('portal_jobs.job').insert([job, later, { ...job, state: 'failed' }])
    const created = await owner('portal_jobs.job').update({ created_on: new Date(Date.now() - 90_000) })
    expect(created).to.equal(3)
    expect(await figures())
      .to.include('portico_jobs_due{queue="mail-first"} 1')
      .and.include('portico_jobs_failed{queue="mail-first"} 1')
      .and.match(/portico_jobs_late_seconds\{queue="mail-first"\} 9\d/)
      .and.include('portico_jobs_due{queue="mail"} 0')
  })

  it('metrics also while the database does not respond', async () => {
    const { visit, name } = await open()
    const nobody = await visit()
    expect((await nobody.at('/portal/-/metrics')).status).to.equal(200)
    await postgres.raw(`alter database ${name} connection limit 0`)
    await postgres.raw(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`)
    expect(await nobody.at('/portal/-/metrics'))
      .to.include({ status: 200 })
      .and.show('portico_jobs_due')
    await postgres.raw(`alter database ${name} connection limit -1`)
  })

  it('metrics only with the token, where there is one', async () => {
    const { visit } = await open({ metricsToken: 'a-token-of-metrics' })
    const nobody = await visit()
    const asked = (token: string) => nobody.at('/portal/-/metrics').set('Authorization', token)

    for (const wrong of ['', 'Bearer x', 'Bearer a-token-of-metricsx'])
      expect((await asked(wrong)).status).to.equal(404)
    expect((await asked('Bearer a-token-of-metrics')).status).to.equal(200)
  })

  it('metrics for nobody behind a proxy on the same machine, without a token', async () => {
    const { visit, app } = await open()
    const nobody = await visit()
    expect((await nobody.at('/portal/-/metrics')).status).to.equal(200)
    for (const header of ['X-Forwarded-For', 'Forwarded', 'X-Real-IP', 'Via'])
      expect((await nobody.at('/portal/-/metrics').set(header, '203.0.113.7')).status, header).to.equal(404)
    app.set('trust proxy', true)
    expect((await nobody.at('/portal/-/metrics').set('X-Forwarded-For', '127.0.0.1')).status).to.equal(404)
  })

  it('nothing of it while the flag is off', async () => {
    const { visit } = await open({ flags: { enabledAnywhere: () => false, enabled: () => false } })
    for (const it of ['health', 'ready', 'metrics'])
      expect((await (await visit()).at(`/portal/-/${it}`)).status).to.equal(404)
  })
})

describe('two instances', () => {
  afterEach(leave)

  it('detect whether two addresses lead to one database', async () => {
    const [one, other] = await Promise.all([fresh(), fresh()])
    expect(await isSameDatabase(one.database, one.owner)).to.equal(true)
    expect(await isSameDatabase(one.database, other.database)).to.equal(false)
  })

  it('share sessions and settings, whichever answers', async () => {
    const one = await open()
    const two = await open({ on: one })
    const [here, there] = [await one.visit(), await two.visit()]
    const { email, password } = whoIs('owner')
    const answer = await here.post('/sign-in', { email, password })
    const cookie = [answer.headers['set-cookie'] ?? []]
      .flat()
      .find(it => it.startsWith('portico.sid='))!
      .split(';')[0]!

    expect(await there.get('/').set('Cookie', cookie)).to.show('Good morning, Nadia')
    await (await two.visit('admin')).postAt('/settings/client-portal/visibility', { 'was.invoices': 'on' })
    expect((await here.get('/invoices')).status).to.equal(404)
    await there.post('/sign-out').set('Cookie', cookie)
    expect((await here.get('/')).status).to.equal(303)
  })
})
