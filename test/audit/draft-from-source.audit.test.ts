import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { postgresType } from '../../src/crm/mapping/draft/written-types.ts'
import { shapeProblems } from '../../src/crm/mapping/shape.ts'
import { root } from '../../src/platform/root.ts'

const crms = join(import.meta.dirname, 'crms')

describe('a map drafted from the source alone', () => {
  let here: string
  before(() => {
    here = mkdtempSync(join(tmpdir(), 'portico-drafts-'))
  })
  after(() => rmSync(here, { recursive: true, force: true }))

  async function draftOf(...args: string[]) {
    const file = join(here, `crm-${++made}.map.ts`)
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(root, 'src/cli.ts'), 'audit', ...args, '--map', file],
      { cwd: here, encoding: 'utf8' },
    )
    const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
    writeFileSync(file, text.replace(`'portico'`, `'${root}/src/index.ts'`))
    return { status, said: stdout + stderr, text, map: text ? (await import(file)).default : undefined }
  }
  let made = 0

  it('says first what it could not know, and leaves that as a todo that is refused', async () => {
    const { status, text, map, said } = await draftOf('--source', join(crms, 'express-knex'))
    expect(status).to.equal(0)
    expect(said).to.match(/a draft; \d+ of its lines are to be looked at first/)
    expect(text.split('\n')[2]).to.match(/^\/\/ Drafted from the source alone: \d+ tables/)
    expect(text).to.include('// No row was read.')
    expect(shapeProblems(map).join('\n')).to.include('quotations.currency: still a todo: no column of')
  })

  it('takes values that the source says', () => {
    const sql = `create table clients (id serial primary key, name text, email text);
      create table invoices (id serial primary key, client_id int references clients(id), number text, total numeric(12,2),
        status text check (status in ('draft', 'sent', 'paid', 'odd')), type text, due_date date, created_at timestamptz);`
    writeFileSync(join(here, 'schema.sql'), sql)
    return draftOf('--source', here).then(({ text }) => {
      expect(text).to.include(`words: { sent: 'open', paid: 'paid' }, // not understood: odd`)
      expect(text).to.include(`total: 'total', // 95 %`)
      expect(text).to.include('type is not known: which are for clients?')
      expect(text).to.include('currency: todo(')
      expect(text).not.to.include('30 %')
    })
  })

  it('understands what a status is called in other languages', async () => {
    const tree = mkdtempSync(join(here, 'elsewhere-'))
    writeFileSync(
      join(tree, 'schema.sql'),
      `create table clientes (id int primary key, nome text);
       create table propostas (id int primary key, cliente_id int references clientes(id), numero text, total numeric(9,2),
         status text check (status in ('rascunho', 'enviada', 'aprovada', 'rejeitada', 'expirada')), created_at timestamptz);`,
    )
    const { text } = await draftOf('--source', tree)
    expect(text).to.include(
      `words: { enviada: 'open', aprovada: 'accepted', rejeitada: 'declined', expirada: 'expired' }, // 85 %`,
    )
    expect(text).to.include(`draft: ['rascunho'], // 95 %`)
  })

  it('needs a table, and says so', async () => {
    const empty = mkdtempSync(join(here, 'empty-'))
    const nothing = await draftOf('--source', empty)
    expect(nothing).to.include({ status: 1, text: '' })
    expect(nothing.said).to.include('is not drafted: no table was found')
    const url = await draftOf('--url', 'http://127.0.0.1:9')
    expect(url).to.include({ status: 2 })
    expect(url.said).to.include('--map needs --database or --source.')
  })

  it('knows the types of several frameworks', () => {
    const types = Object.entries({
      'DECIMAL(12, 2)': 'numeric(12,2)',
      'tinyint(1)': 'boolean',
      'int(11)': 'integer',
      'bigint(20) unsigned': 'bigint',
      CharField: 'text',
      DateTimeField: 'timestamp without time zone',
      'Types::DATE_MUTABLE': 'date',
      '\\Doctrine\\DBAL\\Types\\Types::STRING': 'text',
      PositiveIntegerField: 'integer',
      unsignedBigInteger: 'bigint',
      "enum('a','b')": 'text',
      'text[]': 'text[]',
    })
    expect(types.map(([written]) => postgresType(written, 'x').type)).to.deep.equal(types.map(([, type]) => type))
    expect(postgresType('', 'due_date')).to.deep.equal({ type: 'date', guessed: true })
  })
})
