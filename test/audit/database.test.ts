import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import knex, { type Knex } from 'knex'
import type { Ask } from '../../audit/collectors/database/ask.ts'
import {
  checkIn,
  checksOf,
  readCatalogue as readMysqlCatalogue,
  serverOf,
} from '../../audit/collectors/database/mysql-catalogue.ts'
import { readDatabase } from '../../audit/collectors/database.ts'
import { audit } from '../../audit/index.ts'
import { noFacts } from '../../audit/model.ts'
import { type Copy, close, fresh, postgres, serverLog, urlOf } from '../database.ts'

describe('audit of a database', () => {
  let crm: Copy
  before(async () => {
    crm = await fresh('crm')
  })
  after(() => close(crm))

  const withDatabase = async (sql: string, check: (url: string, owner: Knex) => Promise<void>) => {
    const name = `odd_${Math.random().toString(36).slice(2)}`
    await postgres.raw(`create database ${name}`)
    const owner = knex({ client: 'pg', connection: urlOf(name), pool: { min: 0, max: 2 } })
    try {
      await owner.raw(sql)
      await check(urlOf(name), owner)
    } finally {
      await owner.destroy()
      await postgres.raw(`drop database ${name} with (force)`)
    }
  }

  it('reads tables, views, keys, allowed values and unique columns', async () => {
    const { tables } = await readDatabase(urlOf(crm.name))
    const invoices = tables.find(it => it.name === 'invoices')!
    expect(invoices.columns.find(it => it.name === 'client_id')).to.include({ references: 'clients' })
    expect(invoices.columns.find(it => it.name === 'state')!.values).to.deep.equal([
      'draft',
      'sent',
      'partial',
      'paid',
      'void',
    ])
    expect(invoices.unique).to.deep.include(['workspace_id', 'ref_no'])
    expect(tables.find(it => it.name === 'client_balances')).to.include({ view: true })
    expect(tables.find(it => it.name === 'contacts')!.columns.find(it => it.name === 'email')).to.include({
      format: 'email',
    })
  })

  it('sends only reading statements, in one read-only transaction', async () => {
    await crm.owner.raw(`alter database ${crm.name} set log_statement = 'all'`)
    const before = readFileSync(serverLog, 'utf8').length
    await readDatabase(urlOf(crm.name))
    const said = readFileSync(serverLog, 'utf8').slice(before)
    const statements = [...said.matchAll(/(?:statement|execute [^:]*):\s+(\S[^\n]*)/g)].map(it => it[1]!.toLowerCase())

    expect(statements.length).to.be.greaterThan(20)
    expect(statements[0]).to.equal('begin transaction isolation level repeatable read read only')
    expect(statements.at(-1)).to.equal('rollback')
    const others = statements
      .slice(1, -1)
      .filter(it => !/^(select|savepoint one|release savepoint one|set local (statement|lock)_timeout)/.test(it))
    expect(others).to.deep.equal([])
    await crm.owner.raw(`alter database ${crm.name} reset log_statement`)
  })

  it('guesses undeclared keys from names and values, and marks them as guessed', () =>
    withDatabase(
      `create table customer (id int primary key, name text); create table invoice (id int, customer_id int, other_id int);
       create table other (id int primary key);
       insert into customer select n, 'c' from generate_series(1, 9) n; insert into invoice select n, n, n + 100 from generate_series(1, 9) n;
       insert into other select 1`,
      async url => {
        const { tables } = await readDatabase(url)
        const [, customer, other] = tables.find(it => it.name === 'invoice')!.columns
        expect(customer).to.include({ references: 'customer', guessed: true })
        expect(other).not.to.have.property('references')
      },
    ))

  it('reads unusual names, 300 columns, circular keys, views and enums', () =>
    withDatabase(
      `create schema "Odd One";
       create table "Odd One"."My Clients" ("Client Id" int primary key, "E-mail" text, "state of it" text);
       create table wide (${Array.from({ length: 300 }, (_, n) => `c${n} text`).join(', ')});
       create table a (id int primary key, b_id int); create table b (id int primary key, a_id int references a);
       alter table a add foreign key (b_id) references b;
       create type mood as enum ('good', 'bad'); create table moods (id int, status mood);
       create view v as select * from a; create materialized view m as select * from b;`,
      async url => {
        const { json, report, notes } = await audit({ database: url })
        expect(json.answers.A1.status).to.equal('not-examined')
        expect(report).to.include('Odd One.My Clients')
        expect(notes).to.include('wide has 300 columns.')
        const { tables } = await readDatabase(url)
        expect(tables.find(it => it.name === 'moods')!.columns[1]!.values).to.deep.equal(['good', 'bad'])
      },
    ))

  it('names the schemas that its role may not read', () =>
    withDatabase(
      'create schema secret; create table secret.salaries (id int); create table open_one (id int)',
      async (url, owner) => {
        const role = `reader_${Math.random().toString(36).slice(2)}`
        await owner.raw(
          `create role ${role} login password 'x'; revoke all on schema secret from public; revoke all on open_one from public`,
        )
        const { tables, notes } = await readDatabase(
          Object.assign(new URL(url), { username: role, password: 'x' }).href,
        )
        expect(tables.map(it => it.name)).to.deep.equal(['open_one'])
        expect(notes.join('\n')).to.include('schema secret may not be read').and.include('1 table may not be read')
        await owner.raw(`drop role ${role}`)
      },
    ))

  it('says of a database that is empty, or of which its role may read nothing, that there is nothing to see', async () => {
    await withDatabase('select 1', async url => {
      const { notes, report, whole } = await audit({ database: url })
      expect(notes).to.deep.equal(['The database has no table that this role can see.'])
      expect({ whole, says: report.includes('Not decided') }).to.deep.equal({ whole: true, says: true })
    })
    await withDatabase(
      'create table clients (id int, status text); create table invoices (id int, client_id int)',
      async (url, owner) => {
        const role = `blind_${Math.random().toString(36).slice(2)}`
        await owner.raw(`create role ${role} login password 'x'`)
        const as = (password: string) => Object.assign(new URL(url), { username: role, password }).href
        const { notes, whole } = await audit({ database: as('x') })
        expect(notes).to.deep.equal([
          '2 tables may not be read with this role: their columns were looked at, their rows were not.',
        ])
        expect(whole).to.equal(true)
        await owner.raw(`revoke all on schema public from public`)
        expect((await audit({ database: as('x') })).notes.join('\n')).to.include('schema public may not be read')
        await owner.raw(`drop role ${role}`)
      },
    )
  })

  it('skips a locked table and says so', () =>
    withDatabase('create table clients (id int, status text)', async (url, owner) => {
      const lock = await owner.transaction()
      await lock.raw('lock table clients in access exclusive mode')
      const { tables, notes } = await readDatabase(url)
      await lock.rollback()
      expect(tables.map(it => it.name)).to.deep.equal(['clients'])
      expect(notes.join('\n')).to.include('Some samples of the database were left out')
    }))

  it('keeps what it has read when the connection is lost', () =>
    withDatabase('create table clients (id int, status text)', async (url, owner) => {
      const looking = readDatabase(url, step => {
        if (step !== 'database: statuses') return
        owner
          .raw("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'portico audit'")
          .catch(() => {})
      })
      const lock = await owner.transaction()
      await lock.raw('lock table clients in access exclusive mode')
      const { tables, notes } = await looking
      await lock.rollback()
      expect(tables.map(it => it.name)).to.deep.equal(['clients'])
      expect(notes.join('\n')).to.match(/went away|left out/)
    }))

  it('reports a database that does not answer or does not exist, without its password', async () => {
    const refused = await audit({ database: 'postgresql://nobody:hunter2@127.0.0.1:9/nothing' })
    expect(refused).to.include({ whole: false })
    expect(refused.report)
      .to.include('The database could not be looked at: it does not answer.')
      .and.not.include('hunter2')
    const misnamed = await audit({ database: urlOf('there_is_none') })
    expect(misnamed.notes.join()).to.include('there is no database of that name')
    expect((await audit({ database: 'oracle://x/y' })).notes.join()).to.include('PostgreSQL, MySQL or MariaDB')
    const mysql = await audit({ database: 'mysql://nobody:hunter2@127.0.0.1:9/nothing' })
    expect(mysql.notes).to.deep.equal(['The database could not be looked at: it does not answer.'])
    const nowhere = await audit({ database: 'postgresql://nobody@no-such-host.invalid/x' })
    expect(nowhere.notes.join()).to.include('there is no host of that name')
  })

  it('knows MySQL and MariaDB by their versions, and which of them keep checks', () => {
    const kinds = ['10.11.6-MariaDB-0+deb12u1', '5.5.5-10.1.48-MariaDB', '8.0.36', '5.7.44-0ubuntu0.18.04.1-log'].map(
      serverOf,
    )
    expect(kinds.map(it => `${it.kind} ${it.version}`)).to.deep.equal([
      'MariaDB 10.11',
      'MariaDB 10.1',
      'MySQL 8.0',
      'MySQL 5.7',
    ])
    expect(kinds.map(it => checksOf(it) !== undefined)).to.deep.equal([true, false, true, false])
    const ofMysql8 = "(`status` in (_utf8mb4\\'draft\\',_utf8mb4\\'sent\\'))"
    expect(checkIn(ofMysql8)).to.deep.equal({ column: 'status', values: ['draft', 'sent'], json: false })
    expect(checkIn('json_valid(`meta`)')).to.deep.equal({ column: 'meta', values: [], json: true })
    expect(checkIn('`a` > `b`')).to.equal(undefined)
  })

  it('reads MySQL 5.7 without asking for checks, which it does not have', async () => {
    const asked: string[] = []
    const ask: Ask = async <Row>(sql: string) => {
      asked.push(sql)
      const row = { table: 'clients', kind: 'BASE TABLE', rows: '7', column: 'state', type: "enum('on','off')" }
      return (asked.length === 1 ? [row] : []) as Row[]
    }
    const facts = noFacts()
    await readMysqlCatalogue(ask, facts, serverOf('5.7.44-log'))
    expect(facts.tables[0]!.columns).to.deep.include({
      ...{ name: 'state', type: 'enum', at: 'clients.state', values: ['on', 'off'] },
    })
    expect(asked.join()).not.to.include('check_constraints')
  })

  it('leaves questions about code open when it has only the database', async () => {
    const { json } = await audit({ database: urlOf(crm.name) })
    const statuses = new Set(Object.values(json.answers).map(it => it.status))
    expect([...statuses].sort()).to.deep.equal(['implemented', 'not-examined'])
    expect(json.answers.D3.status).to.equal('implemented')
  })
})
