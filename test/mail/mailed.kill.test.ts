import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { SMTPServer } from 'smtp-server'
import { portalUrl } from '../../demo/portal-database.ts'
import { password, urlOf } from '../database.ts'
import { until } from '../until.ts'
import { leave, open, type Scene, whoIs } from '../visit.ts'

const steps = [
  'connected',
  'named the sender',
  'named the recipient',
  'half of the text',
  'taken, before it is said',
] as const
type Step = (typeof steps)[number]

const secret = 'a secret of at least thirty-two characters'
const { email } = whoIs('owner')

/** A real SMTP server. At `step`, once, it does what it is given before it goes on; what it has taken is in `taken`. */
async function server(step: Step, act: () => Promise<void>) {
  const taken: string[] = []
  let done = false
  const at = async (reached: Step) => {
    if (done || reached !== step) return
    done = true
    await act()
  }
  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onConnect: (_session, next) => void at('connected').then(() => next()),
    onMailFrom: (_address, _session, next) => void at('named the sender').then(() => next()),
    onRcptTo: (_address, _session, next) => void at('named the recipient').then(() => next()),
    onData(stream, _session, next) {
      let text = ''
      // A small mail may have come as a whole before its sender is gone: this server had read only half of it.
      const half = !done && step === 'half of the text'
      stream.once('data', () => void at('half of the text'))
      stream.on('data', it => {
        text += it
      })
      stream.on('end', async () => {
        if (half || !text.includes('Content-Type') || !/\r\n--.*--\r\n$/s.test(text)) return next(new Error('cut off'))
        taken.push(/^Message-ID: (.*)$/im.exec(text)?.[1] ?? '')
        await at('taken, before it is said')
        next()
      })
    },
  })
  smtp.on('error', () => undefined)
  smtp.listen(0, '127.0.0.1')
  await once(smtp.server, 'listening')
  const { port } = smtp.server.address() as AddressInfo
  return { taken, url: `smtp://127.0.0.1:${port}`, end: () => new Promise<void>(end => smtp.close(() => end())) }
}

describe('a mail whose process is killed', function () {
  this.timeout(60_000)
  let child: ChildProcess | undefined

  afterEach(async () => {
    child?.kill('SIGKILL')
    await leave()
  })

  const start = async (scene: Scene, url: string) => {
    const connection = portalUrl(urlOf(scene.name), password)
    child = fork(join(import.meta.dirname, 'worker.ts'), {
      env: { ...process.env, DATABASE_URL: connection, SMTP_URL: url, SECRET: secret },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    await once(child, 'message')
  }

  const kill = async () => {
    child?.kill('SIGKILL')
    if (child && child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  }

  /** As if the two minutes were over after which a job counts as lost. */
  const lose = ({ owner }: Scene) =>
    owner('portal_jobs.job')
      .where({ name: 'mail-first', state: 'active' })
      .update({ state: 'retry', start_after: new Date(0) })

  /** A mail that nobody has taken up yet. */
  const queued = async () => {
    const scene = await open({
      mail: { from: 'portal@brightside.example', send: () => Promise.reject(new Error('not yet')) },
    })
    await (await scene.visit()).post('/forgot-password', { email })
    await until(async () => (await row(scene)).error)
    await scene.portal.close()
    await scene
      .owner('portal_jobs.job')
      .where({ name: 'mail-first' })
      .update({ state: 'created', start_after: new Date(0), started_on: null, retry_count: 0 })
    await scene.owner('portal.client_outbox').update({ attempts: 0, error: null })
    return scene
  }
  const row = (scene: Scene) => scene.owner('portal.client_outbox').first('*')

  for (const step of steps)
    it(`when the server has: ${step}, arrives ${step === steps.at(-1) ? 'twice under one Message-ID' : 'once'}`, async () => {
      const scene = await queued()
      let killed = false
      const smtp = await server(step, async () => {
        await kill()
        killed = true
      })
      await start(scene, smtp.url)
      await until(() => killed)
      expect(await row(scene)).to.include({ sent_at: null, attempts: 1 })
      const before = smtp.taken.length

      await lose(scene)
      await start(scene, smtp.url)
      await until(async () => (await row(scene)).sent_at)
      expect(before).to.equal(step === steps.at(-1) ? 1 : 0)
      expect(smtp.taken).to.have.length(before + 1)
      expect(new Set(smtp.taken)).to.deep.equal(new Set([`<${(await row(scene)).id}@brightside.example>`]))
      expect(await row(scene)).to.include({ sealed: null, error: null, attempts: 2 })
      await kill()
      await smtp.end()
    })

  it('before it took the job, or after it has noted that the mail has left, arrives once', async () => {
    const scene = await queued()
    const smtp = await server('connected', async () => undefined)
    await start(scene, smtp.url)
    await kill()
    await scene
      .owner('portal_jobs.job')
      .where({ name: 'mail-first', state: 'active' })
      .update({ state: 'retry', start_after: new Date(0) })
    await start(scene, smtp.url)
    await until(async () => (await row(scene)).sent_at)
    await kill()
    await scene
      .owner('portal_jobs.job')
      .where({ name: 'mail-first' })
      .update({ state: 'retry', start_after: new Date(0), completed_on: null })
    await start(scene, smtp.url)
    await until(
      async () =>
        (await scene.owner('portal_jobs.job').where({ name: 'mail-first' }).first('state')).state === 'completed',
    )
    expect(smtp.taken).to.have.length(1)
    await kill()
    await smtp.end()
  })
})
