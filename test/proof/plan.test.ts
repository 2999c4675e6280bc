import { expect } from 'chai'
import { readChange } from './changed.ts'
import { suiteOf, testFiles } from './files.ts'
import { isTouched } from './imports.ts'
import { planChanged, planCi, planWhole, type Run } from './plan.ts'
import { type Again, type Done, isGreen } from './running.ts'
import { suites } from './suites.ts'

const change = (...files: string[]) => ({ commit: 'c0ffee', base: 'beef', files })
const names = (runs: Run[]) => runs.map(it => it.name)
const turns = Array.from({ length: 60 }, (_, at) => `turn ${at}`)

describe('suites of tests', () => {
  it('are told by the second part of a file’s name, and each file is in one', () => {
    expect(suiteOf('plugins/tasks/tasks.volume.test.ts')).to.equal('volume')
    expect(suiteOf('plugins/tasks/tasks.test.ts')).to.equal('test')
    const known = ['test', ...suites.map(it => it.name)]
    expect(testFiles().filter(it => !known.includes(suiteOf(it)))).to.deep.equal([])
    for (const it of planWhole()) expect(it.files, it.name).to.not.be.empty
  })

  it('run each file when everything is tried', () => {
    const tried = new Set(planWhole().flatMap(it => it.files))
    expect(testFiles().filter(it => suiteOf(it) !== 'test' && !tried.has(it))).to.deep.equal([])
  })
})

describe('a change', () => {
  it('touches the tests of its own plugin or folder, and those that import it by name', () => {
    expect(isTouched('plugins/tasks/tasks.volume.test.ts', ['plugins/tasks/store.ts'])).to.equal(true)
    expect(isTouched('plugins/tasks/tasks.volume.test.ts', ['plugins/tasks/es.json'])).to.equal(true)
    expect(isTouched('test/proxy/instances.proxy.test.ts', ['test/proxy/proxies.ts'])).to.equal(true)
    expect(isTouched('test/seal/pdfsig.seal.test.ts', ['test/seal/pdfsig.seal.test.ts'])).to.equal(true)
    expect(isTouched('plugins/tasks/tasks.volume.test.ts', ['plugins/requests/store.ts'])).to.equal(false)
    expect(isTouched('plugins/tasks/tasks.volume.test.ts', ['plugins/tasks/tasks.test.ts'])).to.equal(false)
    expect(isTouched('test/proxy/instances.proxy.test.ts', ['test/visit.ts'])).to.equal(false)
  })

  it('is tried by the suites that are about it, two others in turn, and those that always run', () => {
    const about = names(planCi(change('audit/collectors/database.ts'), 'x'))
    expect(about).to.include.members(['audit', 'denials', 'faults', 'kill', 'package', 'pages', 'plugins', 'newcomer'])
    expect(names(planCi(change('docs/mail.md'), 'x')).filter(isInTurn)).to.have.length(2)
    expect(names(planChanged(change('docs/mail.md'), 'x'))).to.deep.equal([])
    expect(names(planChanged(change('plugins/tasks/store.ts'), 'x'))).to.include.members(['test', 'volume', 'browser'])
  })

  it('without a base is tried by everything', () => {
    const all = names(planCi({ commit: '', base: undefined, files: testFiles() }, 'x'))
    expect(all.filter(isInTurn)).to.have.members(suites.filter(it => it.when === 'turn').map(it => it.name))
  })

  it('is tried alike in the same turn, and by every suite and long test in some turn', () => {
    const told = (turn: string) => planCi(change('src/portal.ts'), turn).map(it => [it.name, it.files])
    expect(told('x')).to.deep.equal(told('x'))
    const tried = new Set(turns.flatMap(it => planCi(change('src/portal.ts'), it)).flatMap(it => it.files))
    expect(testFiles().filter(it => suiteOf(it) !== 'test' && !tried.has(it))).to.deep.equal([])
  })

  it('whose base is no commit is refused', () => {
    process.env.PORTICO_BASE = 'nowhere'
    try {
      expect(readChange).to.throw('PORTICO_BASE is nowhere, which is no commit here.')
    } finally {
      delete process.env.PORTICO_BASE
    }
  })

  const isInTurn = (name: string) => suites.some(it => it.name === name && it.when === 'turn')
})

describe('a run', () => {
  const [suite] = suites
  const done = (green: boolean, failed: string[] = []): Done => ({
    run: { name: 'long', suite: suite!, files: [], env: () => ({}) },
    ...{ seconds: 1, green, log: '', passed: 1, skipped: 0, failed },
  })
  const failing = (...files: string[]) => {
    const first = done(false, files)
    return { first, again: (passed: boolean): Again[] => files.map(file => ({ first, file, done: done(passed) })) }
  }

  it('is green when all has passed, or two files that passed by themselves have not', () => {
    const { first, again } = failing('src/home/home.test.ts', 'plugins/tasks/tasks.test.ts')
    expect(isGreen([done(true)], [])).to.equal(true)
    expect(isGreen([done(true), first], again(true))).to.equal(true)
    expect(isGreen([done(true), first], again(false))).to.equal(false)
  })

  it('is red with three of them, with one about tenancy, evidence, money or faults, and where nobody knows which failed', () => {
    const three = failing('src/home/home.test.ts', 'plugins/tasks/tasks.test.ts', 'src/api/api.test.ts')
    expect(isGreen([three.first], three.again(true))).to.equal(false)
    for (const file of [
      'test/every-route.denials.test.ts',
      'test/fences.test.ts',
      'src/evidence/seal.test.ts',
      'plugins/_offers/responses.test.ts',
      'plugins/pay/pay.test.ts',
      'plugins/payments/payments.test.ts',
      'test/kill/paid.kill.test.ts',
      'test/faults/instances.faults.test.ts',
    ]) {
      const { first, again } = failing(file)
      expect(isGreen([first], again(true)), file).to.equal(false)
    }
    expect(isGreen([done(false)], [])).to.equal(false)
  })
})
