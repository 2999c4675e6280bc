import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import express from 'express'
import knex, { type Knex } from 'knex'
import request from 'supertest'
import { adapter } from '../demo/adapter/adapter.ts'
import { hashPassword } from '../src/auth/passwords.ts'
import { join as joined } from '../src/auth/people.ts'
import { Audited, acceptAudit, adapterOf, createPortal, grantsOf, migrate, query } from '../src/index.ts'
import { within } from '../src/platform/database.ts'
import { root } from '../src/platform/root.ts'
import { fresh, postgres, secret, setClock, today, urlOf } from './database.ts'
import { fingerprint } from './fingerprint.ts'
import kite from './kite/crm.map.ts'
import { until } from './until.ts'
import { whoIs } from './visit.ts'

const role = 'portal_apart'

describe('two CRMs in one process, one of them in another database than the portal’s tables', () => {
  const opened: Knex[] = []
  const connect = (name: string, user?: string) => {
    const url = new URL(urlOf(name))
    if (user) Object.assign(url, { username: user, password: 'only-in-tests' })
    const database = knex({ client: 'pg', connection: url.href, pool: { min: 0, max: 4 } })
    opened.push(database)
    return database
  }

  after(() => Promise.all(opened.map(it => it.destroy())))

  it('each shows its own clients their own, by its own sign-in, and drifts by itself', async () => {
    await postgres.raw('create database apart_crm')
    await postgres.raw('create database apart_portal')
    await postgres.raw(`create role ${role} login password 'only-in-tests'`)
    const [crmOwner, portalOwner] = [connect('apart_crm'), connect('apart_portal')]
    await crmOwner.raw(readFileSync(join(root, 'test/kite/crm.sql'), 'utf8'))
    for (const text of grantsOf(adapterOf(kite, crmOwner), role)) await query(crmOwner, { text })
    await migrate(portalOwner, { role })
    const before = await fingerprint(crmOwner)
    const [crmDatabase, portalDatabase] = [connect('apart_crm', role), connect('apart_portal', role)]
    const crm = adapterOf(kite, crmDatabase)
    await setClock(portalOwner, `${today}T08:00:00Z`)
    const audit = Audited.parse({ answers: {}, data: {}, fingerprint: 'f' })
    await acceptAudit(portalOwner, { ...crm, database: crmOwner }, { audit, by: 'a test' })
    const email = 'jo@bicycles.example'
    const her = { workspace: 'kite', email, name: 'Jo', client: { id: '1', name: 'Jo’s Bicycles' }, contact: null }
    await within(portalDatabase, { workspace: 'kite' }, tx => joined(tx, { ...her, role: 'admin', passwordHash: null }))

    const flags = { enabledAnywhere: () => true, enabled: () => true }
    const log = { info() {}, warn() {}, error() {} }
    const common = {
      flags,
      log,
      staff: () => undefined,
      secrets: [secret],
      checkEvery: 0.1,
    }
    const demo = await fresh()
    const one = await createPortal({ database: portalDatabase, crm, ...common })
    const other = await createPortal({ database: demo.database, crm: adapter(demo.database), ...common })
    const app = express().use('/one', one.clients).use('/other', other.clients)

    const [jo, nadia] = [request.agent(app), request.agent(app)]
    const signIn = (who: typeof jo, at: string, form: object) => who.post(`${at}/sign-in`).type('form').send(form)
    expect((await signIn(jo, '/one/kite', { email, password: await hashPassword('x') })).status).to.equal(422)
    expect((await signIn(jo, '/one/kite', { email, password: 'a kite needs wind' })).status).to.equal(303)
    const { password } = whoIs('owner')
    expect((await signIn(nadia, '/other/brightside', { email: whoIs('owner').email, password })).status).to.equal(303)

    expect((await jo.get('/one/kite/invoices')).text)
      .to.include('K-101')
      .and.not.include('2026-0107')
    expect((await nadia.get('/other/brightside/invoices')).text)
      .to.include('2026-0107')
      .and.not.include('K-101')
    expect((await nadia.get('/one/kite/invoices')).status).to.equal(303)
    expect((await jo.get('/one/kite/payments')).status).to.equal(200)

    await crmOwner.raw('alter table billing_payment rename column how to manner')
    await until(async () => (await jo.get('/one/kite/payments')).status === 404)
    expect((await nadia.get('/other/brightside/payments')).status).to.equal(200)
    await crmOwner.raw('alter table billing_payment rename column manner to how')
    await until(async () => (await jo.get('/one/kite/payments')).status === 200)

    await Promise.all([one.close(), other.close()])
    expect(await fingerprint(crmOwner)).to.deep.equal(before)
  })
})
