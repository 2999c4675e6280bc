import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { get } from 'node:http'
import { expect } from 'chai'
import { postgres } from '../database.ts'
import { jo, Kite, mia } from '../kite/kite.ts'
import type { Instance } from '../portico.ts'
import { until } from '../until.ts'
import { caddy, type Front, host, nginx } from './proxies.ts'
import { address, Visitor } from './visitor.ts'

const token = 'a-token-for-the-metrics'

/** The examples of docs/operations.md, as they stand there, before two instances of `portico serve`. */
for (const [name, start] of Object.entries({ nginx, caddy }))
  describe(`two instances behind ${name}, set up as the guide says`, function () {
    this.timeout(90_000)
    let kite: Kite
    let proxy: Front
    let instances: Instance[]
    let visitor: Visitor

    before(async () => {
      kite = await Kite.prepared(`behind_${name}`)
      instances = [await serve(), await serve()]
      proxy = await start(instances.map(it => it.port))
      visitor = new Visitor(proxy)
      await until(async () => (await visitor.get('/portal/-/health')).status === 200)
    })
    after(async () => {
      visitor.end()
      await proxy.end()
      await kite.end()
    })

    const serve = (port?: string) =>
      kite.serve({
        ...(port && { PORT: port }),
        LOG_LEVEL: 'info',
        METRICS_TOKEN: token,
        PORTAL_ADDRESS: `https://${host}/portal`,
        STOP_NOTICE: '3',
        TRUST_PROXY: 'loopback',
      })

    it('lets a client sign in and read, and leads from plain HTTP to HTTPS', async () => {
      const { status, headers } = await visitor.post('/portal/kite/sign-in', jo)
      expect(status).to.equal(303)
      expect(headers['set-cookie']?.join()).to.match(/portico\.sid=[^;]*;[^;]*;[^;]*; HttpOnly; Secure/)
      const page = await visitor.get('/portal/kite/invoices')
      expect(page).to.include({ status: 200 })
      expect(page.text).to.include('K-101')
      expect(page.headers['strict-transport-security']).to.equal('max-age=31536000')
      const [plain] = await once(
        get({ host: '127.0.0.1', port: proxy.plain, path: '/portal/kite/', headers: { Host: host } }),
        'response',
      )
      expect(plain.statusCode).to.be.oneOf([301, 308])
      expect(plain.headers.location).to.match(/^https:\/\/portal\.kite\.example.*\/portal\/kite\/$/)
    })

    it('keeps the visitor’s real address, not a claimed one', async () => {
      const forged = { 'X-Forwarded-For': '203.0.113.9', 'X-Forwarded-Proto': 'http', 'X-Real-IP': '203.0.113.9' }
      const { status, headers } = await new Visitor(proxy).post('/portal/kite/sign-in', jo, forged)
      expect(status).to.equal(303)
      expect(headers['set-cookie']?.join()).to.include('; Secure')
      const logged = await kite.owner('portal.client_activity_logs').where({ event: 'account.signed-in' })
      expect(new Set(logged.map(it => it.address))).to.deep.equal(new Set([address]))
    })

    it('refuses a form of another site, also one that names another host', async () => {
      const forgeries = [{}, { 'X-Forwarded-Host': 'evil.example' }, { Forwarded: 'host=evil.example' }]
      for (const forged of forgeries as Record<string, string>[]) {
        const headers = { Origin: 'https://evil.example', ...forged }
        expect((await visitor.post('/portal/kite/sign-in', jo, headers)).status).to.equal(403)
      }
    })

    it('passes files on, and what is too large is said by the portal', async () => {
      expect(await sendFile(4_900_000)).to.include({ status: 200 })
      const large = await sendFile(11_000_000)
      expect(large.status).to.equal(422)
      expect(large.text).to.include('This file is far too large.')
    })

    async function sendFile(size: number) {
      const form = new FormData()
      form.set('file', new File(['%PDF-1.7\n', new Uint8Array(size)], 'signed.pdf', { type: 'application/pdf' }))
      return visitor.post('/portal/kite/verify', form)
    }

    it('shows the figures to nobody outside', async () => {
      const bearer = { Authorization: `Bearer ${token}` }
      for (const path of ['/portal/-/metrics', '/portal/-/metrics/', '/portal/-/%6detrics', '/portal//-/metrics'])
        expect((await visitor.get(path, bearer)).status, path).to.equal(404)
      const inside = await fetch(`http://127.0.0.1:${instances[0]!.port}/portal/-/metrics`, { headers: bearer })
      expect(await inside.text()).to.include('portico_request_seconds')
    })

    it('compresses once', async () => {
      const page = await visitor.get('/portal/kite/invoices', { 'Accept-Encoding': 'gzip' })
      expect(page.headers['content-encoding']).to.equal('gzip')
      expect(page.text).to.include('<!doctype html>').and.include('K-101')
      expect((await visitor.get('/portal/kite/invoices')).headers['content-encoding']).to.equal(undefined)
    })

    it('tells an open page at one instance at once what is written at the other', async () => {
      type Both = (typeof people)[number]
      // Each leads to one of them.
      const fronts: Front[] = []
      for (const { port } of instances) fronts.push(await start([port, port]))
      const people = fronts.map(it => ({ jo: new Visitor(it), mia: new Visitor(it) }))
      for (const { jo: client, mia: staff } of people) {
        expect(await client.post('/portal/kite/sign-in', jo)).to.include({ status: 303 })
        expect(await staff.post('/staff/kite/sign-in', mia)).to.include({ status: 303 })
      }
      const took: string[] = []
      for (const [reader, writer] of [people, people.toReversed()] as [Both, Both][]) {
        const begun = { id: randomUUID(), title: 'Kite no. 1', text: 'Does it fly?' }
        const { headers } = await reader.jo.post('/portal/kite/messages', begun)
        const [id = ''] = /[0-9a-f-]{36}/.exec(headers.location ?? '') ?? []
        const page = await reader.jo.hear(`/portal/kite/live?of=messages/${id}`)
        const desk = await reader.mia.hear(`/settings/client-portal/live?of=messages/${id}`)
        expect([page.status, desk.status]).to.deep.equal([200, 200])
        const inbox = `/settings/client-portal/inbox/${id}`
        const steps = [
          [page, 'typing', () => writer.mia.post(`${inbox}/typing`, {})],
          [page, `data: messages/${id}`, () => writer.mia.post(`${inbox}/messages`, written('It does.'))],
          [desk, 'typing', () => writer.jo.post(`/portal/kite/messages/${id}/typing`, {})],
          [desk, `data: messages/${id}`, () => writer.jo.post(`/portal/kite/messages/${id}/messages`, written('Ah.'))],
        ] as const
        for (const [open, words, write] of steps) {
          const [before, began] = [open.said().length, performance.now()]
          const sending = write()
          await until(() => open.said().slice(before).includes(words), 5)
          took.push((performance.now() - began).toFixed(0))
          expect((await sending).status).to.be.oneOf([204, 303])
        }
        page.close()
        desk.close()
      }
      console.log(`      ${took.join(', ')} ms from sending to the other instance’s page`)
      for (const it of people.flatMap(({ jo: client, mia: staff }) => [client, staff])) it.end()
      for (const it of fronts) await it.end()
    })

    const written = (text: string) => ({ id: randomUUID(), text })

    it('loses no request while both instances are replaced, one after the other', async () => {
      const load = new Load(visitor)
      for (const [at, { child, port, said }] of instances.entries()) {
        await load.goes()
        const before = answered(said())
        child.kill('SIGTERM')
        expect(await once(child, 'exit')).to.deep.equal([0, null])
        expect(answered(said())).to.be.above(before)
        await load.goes()
        instances[at] = await serve(port)
        await until(() => answered(instances[at]!.said()) > 0)
      }
      const { pages, forms } = await load.end()
      expect(pages.filter(it => it !== 200)).to.deep.equal([])
      expect(forms.filter(it => it !== 303)).to.deep.equal([])
    })

    if (name === 'caddy')
      it('sends nothing new to an instance that says it is stopping', async () => {
        const load = new Load(visitor)
        const [{ child, port, said }] = instances as [Instance]
        await load.goes()
        child.kill('SIGTERM')
        const noticed = await until(async () => {
          const before = answered(said())
          await load.goes()
          return answered(said()) === before && before
        })
        expect(child.exitCode, 'noticed before it ends').to.equal(null)
        await load.goes()
        await once(child, 'exit')
        expect(answered(said())).to.equal(noticed)
        await load.end()
        instances[0] = await serve(port)
        await until(async () => answered(instances[0]!.said()) > 0 || void (await visitor.get('/portal/kite/')))
      })

    it('answers 503 while the database is away, and recovers', async () => {
      const connections = (limit: number) => postgres.raw(`alter database behind_${name} connection limit ${limit}`)
      await connections(0)
      await postgres.raw(`select pg_terminate_backend(pid) from pg_stat_activity where usename = '${kite.role}'`)
      const { text, headers } = await until(async () => {
        const page = await visitor.get('/portal/kite/invoices')
        return page.status === 503 && (name === 'nginx' || !page.text) && page
      })
      if (name === 'nginx') {
        expect(headers['retry-after']).to.match(/^\d+$/)
        expect(text).to.include('<!doctype html>')
      }
      await connections(-1)
      await until(async () => (await visitor.get('/portal/kite/invoices')).status === 200)
    })

    it('passes over an instance that is killed, and comes back to it', async () => {
      const load = new Load(visitor)
      const [{ child, port }] = instances as [Instance]
      await load.goes()
      child.kill('SIGKILL')
      await once(child, 'exit')
      await load.goes(200)
      instances[0] = await serve(port)
      await until(() => answered(instances[0]!.said()) > 0)
      const { pages } = await load.end()
      expect(pages.filter(it => it !== 200)).to.deep.equal([])
    })
  })

/** Requests in the log. */
const answered = (log: string) => log.split('"msg":"answered"').length - 1

/** Pages by three and forms by two, without a pause, until it is ended. */
class Load {
  readonly #pages: number[] = []
  readonly #forms: number[] = []
  readonly #going: Promise<unknown>
  #over = false

  constructor(visitor: Visitor) {
    const preferences = { language: '', timeZone: '', theme: 'dark' }
    const page = async () => this.#pages.push((await visitor.get('/portal/kite/invoices')).status)
    const form = async () =>
      this.#forms.push((await visitor.post('/portal/kite/account/preferences', preferences)).status)
    this.#going = Promise.all([page, page, page, form, form].map(it => this.#repeat(it)))
  }

  /** Resolves when so many more requests have been answered. */
  async goes(more = 50) {
    const wanted = this.#pages.length + this.#forms.length + more
    await until(() => this.#pages.length + this.#forms.length >= wanted)
  }

  async end() {
    this.#over = true
    await this.#going
    return { pages: this.#pages, forms: this.#forms }
  }

  async #repeat(ask: () => Promise<unknown>) {
    while (!this.#over) await ask()
  }
}
