import { expect } from 'chai'
import { adapter } from '../demo/adapter/adapter.ts'
import { role } from '../demo/portal-database.ts'
import type { Crm } from '../src/index.ts'
import { fresh, postgres } from './database.ts'
import { leave, open, whoIs } from './visit.ts'

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
    expect((await nobody.post('/sign-in', { email: 'x'.repeat(200_000) })).status).to.equal(413)
    expect((await nobody.post('/sign-in', { email: 'a\0b@c.example', password: 'x' })).status).to.equal(400)
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

describe('an error', () => {
  afterEach(leave)

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
})
