import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'

const root = join(import.meta.dirname, '..', '..')
const crm = join(import.meta.dirname, 'crms', 'express-knex')

describe('portico audit', () => {
  let here: string
  before(() => {
    here = mkdtempSync(join(tmpdir(), 'portico-audit-'))
  })
  after(() => rmSync(here, { recursive: true, force: true }))

  const run = (...args: string[]) =>
    spawnSync(process.execPath, [join(root, 'src', 'cli.ts'), 'audit', ...args], { cwd: here, encoding: 'utf8' })

  it('writes the report and audit.json to the given paths, and prints nothing with --quiet', () => {
    const { status, stdout, stderr } = run('--source', crm, '--out', 'report.md', '--json', 'found.json', '--quiet')
    expect({ status, stdout, stderr }).to.deep.equal({ status: 0, stdout: '', stderr: '' })
    expect(readFileSync(join(here, 'report.md'), 'utf8'))
      .to.include('# Audit of the CRM')
      .and.include('## Final summary')
    const json = JSON.parse(readFileSync(join(here, 'found.json'), 'utf8'))
    expect(json).to.have.all.keys('answers', 'coverage', 'data', 'tables', 'columns', 'fingerprint')
    expect(json.answers.A1).to.have.all.keys('status', 'confidence', 'evidence', 'reason', 'decision', 'consequence')
  })

  it('exits with 1 and still writes the report when an input cannot be read', () => {
    const { status, stderr } = run('--source', crm, '--database', 'postgresql://127.0.0.1:9/x')
    expect(status).to.equal(1)
    expect(stderr).to.include('it does not answer').and.include('Written all the same: AUDIT_REPORT.md')
    expect(readFileSync(join(here, 'AUDIT_REPORT.md'), 'utf8')).to.include('The database could not be looked at')
  })

  it('exits with 2 when it is given no input', () => {
    const { status, stderr } = run()
    expect(status).to.equal(2)
    expect(stderr).to.include('audit needs --database, --source or --url')
  })
})
