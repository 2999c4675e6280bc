import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import type { Knex } from 'knex'
import { adapter } from '../demo/adapter/adapter.ts'
import { role } from '../demo/portal-database.ts'
import type { Crm } from '../src/index.ts'
import { fresh, postgres } from './database.ts'
import { routesOf } from './routes.ts'
import { until } from './until.ts'
import { leave, open, type Role, type Visitor, whoIs } from './visit.ts'

describe('bad input', () => {
  afterEach(leave)

  it('of an address gives a usable page or a 404, and never an error', async () => {
    const { visit, log } = await open()
    const owner = await visit('owner')
    for (const path of [
      '/invoices?status=bogus',
      '/invoices?sort=bogus',
      '/invoices?after=bogus',
      '/invoices?after=WyJ4IiwieCJd',
      '/invoices?size=0',
      '/invoices?size=9999',
      '/invoices?size=1e9',
      '/invoices?search=%00',
      '/invoices?search=%25_%5C',
      "/invoices?search='; drop table x;--",
      `/invoices?search=${'x'.repeat(5000)}`,
      '/invoices?status=open&status=paid',
      '/invoices?status[]=open',
      '/invoices?search[a]=b',
      '/invoices?after=WzAsIi05OTk5OTk5OTkiLDk5OTk5OTk5OTldMQ',
      '/proposals?after=WyItNSIsMl0&sort=amount',
      '/proposals?search=%F0%9F%92%A9',
      `/invoices?after=${Buffer.from('[0,"99999999999",1]').toString('base64url')}`,
      `/invoices?after=${Buffer.from('[1,"-99999",1]').toString('base64url')}`,
      `/invoices?after=${Buffer.from('[0,"99999999",1]').toString('base64url')}&sort=newest`,
    ]) {
      const answer = await owner.get(path)
      expect(answer.status, path).to.equal(200)
    }
    for (const path of [
      '/invoices/x',
      '/invoices/1.5',
      '/invoices/0x10',
      '/invoices/1%00',
      '/%00',
      '/invoices/-0',
      '/invoices/%20',
      '/nothing',
      '/invoices/1/nothing',
      '/tickets',
    ]) {
      expect((await owner.get(path)).status, path).to.equal(404)
    }
    for (const path of ['/invoices/%E0%A4%A', '/%E0%A4%A'])
      expect((await owner.get(path)).status, path).to.be.oneOf([400, 404])
    expect(log.filter(it => it.level === 'error')).to.deep.equal([])
  })

  it('of an address outside of any workspace is the CRM’s 404', async () => {
    const { visit } = await open()
    const nobody = await visit()
    for (const path of [
      '/portal',
      '/portal/nowhere',
      '/portal/nowhere/sign-in',
      '/portal/-/nothing',
      '/portal/%E0%A4%A',
      '/portal/__proto__/sign-in',
    ]) {
      expect(await nobody.at(path), path)
        .to.include({ status: 404 })
        .and.show('Tandem')
    }
  })

  it('of a body is said, with the right status', async () => {
    const { visit } = await open()
    const nobody = await visit()

    expect((await nobody.agent.post('/portal/brightside/sign-in').type('json').send('{')).status).to.be.oneOf([
      400, 500,
    ])
    for (const size of [200_000, 10_000_000]) {
      const large = await nobody.post('/sign-in', { email: 'x'.repeat(size) })
      expect(large.status).to.equal(413)
      expect(large).to.show('This is too long.', 'Brightside Agency')
    }
    for (const form of [
      {},
      { email: ['a', 'b'] },
      { email: { a: 1 } },
      { password: 'x' },
      { email: 'x', password: '' },
    ]) {
      expect(await nobody.post('/sign-in', form))
        .to.include({ status: 422 })
        .and.show('aria-invalid')
    }
  })
})

describe('an odd request', () => {
  afterEach(leave)

  it('for a part of a page that has no parts gets the page’s content', async () => {
    const scene = await open({ mail: 'kept' })
    const nobody = await scene.visit()
    const open_ = routesOf(scene.portal.clients).filter(it => it.method === 'get' && it.rule === 'anybody')
    const pages = open_.filter(it => it.path.startsWith('/:workspace/'))
    expect(pages.length).to.be.above(15)
    for (const { path } of pages) {
      const address = path
        .slice('/:workspace'.length)
        .replace(/\{[^}]*\}/g, '')
        .replace(/:\w+/g, 'x')
      const { status } = await nobody.fragment(address)
      expect(status, address).to.be.below(500)
    }
    for (const address of ['/verify', '/sign-in/code', '/forgot-password', '/sign-in'])
      expect(await nobody.fragment(address), address)
        .to.include({ status: 200 })
        .and.not.show('<!doctype')
  })

  it('for a file that the CRM’s row says is elsewhere gives nothing of it', async () => {
    const { visit, owner: database } = await open()
    const owner = await visit('owner')
    const { id } = await database('proposals').where({ ref_no: 'P-2026-031' }).first('id')
    const { attachments } = (await owner.api(`/proposals/${id}`)).body.proposal
    await database('documents').where({ id: attachments[0].id }).update({ storage_key: '../../../package.json' })
    const answer = await owner.get(`/proposals/${id}/attachments/${attachments[0].id}`)
    expect(answer.status).to.be.at.least(400)
    expect(answer).to.not.show('devDependencies')
  })

  it('of JSON nested very deeply is unreadable', async () => {
    const { visit, log } = await open()
    const owner = await visit('owner')
    for (const depth of [100, 40_000]) {
      const nested = '['.repeat(depth) + ']'.repeat(depth)
      const answer = await owner.agent.post('/portal/brightside/api/v1/tokens').type('json').send(nested)
      expect(answer.status, String(depth)).to.equal(400)
      expect(answer.body.title, String(depth)).to.equal('This request could not be read.')
    }
    expect(log.filter(it => it.level === 'error')).to.deep.equal([])
  })

  it('with a NUL in a text is read with the replacement character, and loses nothing', async () => {
    const { visit, owner: database } = await open()
    const owner = await visit('owner')
    const { id } = await database('proposals').where({ ref_no: 'P-2026-031' }).first('id')
    for (const send of ['form', 'json'])
      expect(
        (
          await owner.agent
            .post(`/portal/brightside/proposals/${id}/comments`)
            .type(send)
            .send({ text: `Is the \0 printing in ${send} included?` })
        ).status,
      ).to.equal(303)
    const page = await owner.get(`/proposals/${id}`)
    expect(page).to.show('Is the \ufffd printing in form included?', 'Is the \ufffd printing in json included?')
  })

  it('from the same host by another scheme is refused, unless it is the configured address', async () => {
    const { visit } = await open()
    const nobody = await visit()
    const from = (origin: string, host: string) =>
      nobody.post('/sign-in', { email: 'x@y.example', password: 'x' }).set({ Origin: origin, Host: host })
    expect((await from('http://crm.lan', 'crm.lan')).status).to.equal(422)
    expect((await from('https://crm.lan', 'crm.lan')).status).to.equal(403)
    expect((await from('https://crm.example', 'crm.example')).status).to.equal(422)
    expect((await from('null', 'crm.example')).status).to.equal(403)
  })
})

describe('an error', () => {
  afterEach(leave)

  it('of a database that only reads is a 503, as readiness says too', async () => {
    const { name, visit } = await open()
    const owner = await visit('owner')
    const readOnly = async (is: 'on' | 'off') => {
      await postgres.raw(`alter database ${name} set default_transaction_read_only = ${is}`)
      await postgres.raw(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`)
    }
    await readOnly('on')
    const answer = await owner.post('/account/preferences', { language: 'es', timeZone: '', theme: '' })
    expect(answer.status).to.equal(503)
    expect(answer.headers['retry-after']).to.equal('30')
    // A connection of before may be the first that it asks.
    await until(async () => (await owner.at('/portal/-/ready')).text.includes('only reads'))
    expect(await owner.at('/portal/-/ready')).to.include({ status: 503 })
    await readOnly('off')
    await until(async () => (await owner.at('/portal/-/ready')).status === 200)
    await until(async () => (await owner.get('/account')).status === 200)
  })

  it('is logged with the id of its request, and shows nothing of itself', async () => {
    const on = await fresh()
    const plain = adapter(on.database)
    const broken = () => on.database.raw('select 1 / count(*) from public.invoices where id < 0') as Promise<any>
    const crm: Crm = { ...plain, connect: it => ({ invoices: { ...plain.connect(it).invoices!, list: broken } }) }
    const { visit, log } = await open({ on, crm })
    const owner = await visit('owner')

    for (const answer of [
      await owner.get('/invoices'),
      await owner.fragment('/invoices'),
      await owner.api('/invoices'),
    ]) {
      const id = answer.headers['x-request-id']
      expect(answer)
        .to.include({ status: 500 })
        .and.show(String(id))
        .and.not.show('division by zero', '.ts:', 'public.')
      expect(log.find(it => it.level === 'error' && it.facts.request === id)?.facts.err.message).to.include(
        'division by zero',
      )
    }
    expect((await owner.api('/invoices')).type).to.equal('application/problem+json')
  })

  it('of the database while many pages are asked for signs nobody out, and cuts no connection', async () => {
    const { name, visit, owner: database, app } = await open()
    const visitors = await Promise.all((['owner', 'approver', 'viewer', 'member'] as const).map(it => visit(it)))
    const sessions = () => database('portal.client_sessions').whereNotNull('person_id').pluck('sid')
    const before = await sessions()
    const server = app.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const ask = async ({ cookie }: Visitor, path: string) => {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { cookie }, redirect: 'manual' })
      await answer.text()
      return answer.status
    }
    const statuses: number[] = []
    // The cut may come before or after the statements of a round, so there are more rounds until it met one.
    for (let round = 0; round < 5 || (round < 50 && !statuses.includes(503)); round++) {
      const asked = Array.from({ length: 60 }, (_, at) => {
        const visitor = visitors[at % visitors.length]!
        return ask(visitor, `/portal/brightside${['/', '/invoices', '/proposals', '/account'][at % 4]}`)
      })
      await sleep(round * 5)
      await postgres.raw(`select pg_terminate_backend(pid) from pg_stat_activity
                          where datname = '${name}' and usename = '${role}'`)
      statuses.push(...(await Promise.all(asked)))
    }
    server.close()
    expect(statuses.filter(it => it !== 200 && it !== 503)).to.deep.equal([])
    expect(statuses).to.include(503)
    expect((await sessions()).sort()).to.deep.equal(before.sort())
    for (const it of visitors) await until(async () => (await it.get('/account')).status === 200)
  })

  it('of a connection that ends in the middle of an action is a 503, and nothing of it is stored', async () => {
    const on = await fresh()
    const plain = adapter(on.database)
    const ended = async (tx: Knex) => {
      const { rows } = await tx.raw('select pg_backend_pid() as pid')
      await postgres.raw('select pg_terminate_backend(?)', [rows[0].pid])
      await until(async () => /not queryable/.test(await tx.raw('select 1').then(String, it => it.message)))
    }
    const connect: Crm['connect'] = (customer, tx) => {
      const ports = plain.connect(customer, tx)
      const answer = tx && (async () => ended(tx))
      return { ...ports, proposals: { ...ports.proposals!, ...(answer && { respond: answer }) } }
    }
    const { visit } = await open({ on, crm: { ...plain, connect } })
    const owner = await visit('owner')
    const { id } = await on.owner('proposals').where({ ref_no: 'P-2026-031', workspace_id: 1 }).first('id')
    const { seen } = (await owner.api(`/proposals/${id}/acceptance`)).body
    const form = { seen, agree: 'on', how: 'typed', typed: 'N. El-Khoury' }
    const answer = await owner.post(`/proposals/${id}/acceptance`, form)
    expect(answer.status).to.equal(503)
    expect(answer.headers['retry-after']).to.equal('30')
    expect(await on.owner('portal.client_signatures')).to.deep.equal([])
  })

  it('of one section leaves the others on the first page', async () => {
    const { visit, owner: database } = await open()
    const owner = await visit('owner')
    await database.raw(`revoke select (id) on public.invoices from ${role}`)

    expect(await owner.get('/'))
      .to.include({ status: 200 })
      .and.show('Invoices', 'could not be loaded', 'Winter campaign')
  })

  it('of a database that is down is a 503 with the id of the request, and over when it is back', async () => {
    const { name, visit } = await open()
    const owner = await visit('owner')
    const down = async (is: boolean) => {
      await postgres.raw(`alter database ${name} connection limit ${is ? 0 : -1}`)
      if (is) await postgres.raw(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`)
    }

    await down(true)
    for (const answer of [
      await owner.get('/invoices'),
      await owner.fragment('/invoices'),
      await owner.get('/'),
      await owner.api('/invoices'),
    ]) {
      expect(answer)
        .to.include({ status: 503 })
        .and.show(String(answer.headers['x-request-id']))
        .and.not.show('terminating', 'ECONN')
      expect(answer.headers['retry-after']).to.equal('30')
    }
    await down(false)
    expect(await owner.get('/invoices'))
      .to.include({ status: 200 })
      .and.show('2026-0107')
  })

  it('of an expired session leads to sign-in and back to where one was', async () => {
    const { visit, owner: database } = await open()
    const owner = await visit('owner')
    await database('portal.client_sessions').update({ expire: new Date(0) })
    const where = '/portal/brightside/invoices?status=open&sort=amount'

    const page = await owner.get('/invoices?status=open&sort=amount')
    expect(page.headers.location).to.equal(`/portal/brightside/sign-in?${new URLSearchParams({ next: where })}`)
    const click = await owner.fragment('/invoices?status=paid').set('HX-Current-URL', `http://127.0.0.1${where}`)
    expect(click.headers['hx-redirect']).to.equal(page.headers.location)

    const form = await owner.at(page.headers.location!)
    expect(form).to.show(`name="next" value="${where.replace('&', '&amp;')}"`)
    const { email, password } = whoIs('owner')
    expect((await owner.post('/sign-in', { email, password, next: where })).headers.location).to.equal(where)
  })

  it('of a session that ended under a form keeps what was typed for its person alone, without passwords', async () => {
    const { visit, owner: database, pass } = await open()
    const [owner, approver] = [await visit('owner'), await visit('approver')]
    const [{ id }] = (await owner.api('/proposals?search=P-2026-031')).body.items
    const page = `/portal/brightside/proposals/${id}/rejection`
    const person = (await owner.get(`/proposals/${id}/rejection`)).text.match(/name="kept.by" value="([^"]+)"/)?.[1]
    const kept = { 'kept.as': 'form', 'kept.by': person, 'kept.page': page }
    const end = () => database('portal.client_sessions').update({ expire: new Date(0) })
    const signIn = (role: Role, visitor = owner) => {
      const { email, password } = whoIs(role)
      return visitor.post('/sign-in', { email, password, next: page })
    }

    await end()
    const sent = await owner.post(`/proposals/${id}/rejection`, {
      ...kept,
      reason: 'Too dear',
      password: 'secret word',
    })
    expect(sent.headers.location).to.equal(`/portal/brightside/sign-in?${new URLSearchParams({ next: page })}`)
    expect(sent.headers['set-cookie']?.toString()).to.match(/portico\.kept=.*HttpOnly/i)
    expect(sent.headers['set-cookie']?.toString()).not.to.include('dear')
    expect(await owner.at(sent.headers.location!)).to.show('Not sent yet', 'We kept what you typed.')

    expect((await signIn('approver')).headers.location).to.equal(page)
    expect(await owner.at(page)).not.to.show('Too dear')
    await end()
    expect((await signIn('owner')).headers.location).to.equal(page)
    expect(await owner.at(page)).to.show('Too dear')
    expect(await owner.at(page)).not.to.show('Too dear')

    await end()
    await owner.post(`/proposals/${id}/rejection`, { ...kept, reason: 'Too late' })
    await pass(61)
    await signIn('owner')
    expect(await owner.at(page)).not.to.show('Too late')

    const elsewhere = { ...kept, 'kept.page': 'https://evil.example/portal/brightside/x' }
    await end()
    const odd = await owner.post(`/proposals/${id}/rejection`, { ...elsewhere, reason: 'x' })
    expect(odd.headers['set-cookie']?.toString() ?? '').not.to.include('portico.kept')
    expect((await approver.post(`/proposals/${id}/rejection`, { reason: 'x'.repeat(2_001), ...kept })).status).to.equal(
      303,
    )
  })
})
