import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { root } from '../platform/root.ts'
import { helps } from './help.ts'

const run = promisify(execFile)

describe('portico --help', () => {
  const portico = (...args: string[]) =>
    run(process.execPath, [join(root, 'src/cli.ts'), ...args], { cwd: import.meta.dirname }).then(
      ({ stdout, stderr }) => ({ code: 0, said: stdout + stderr }),
      error => ({ code: error.code, said: error.stdout + error.stderr }),
    )

  it('names every command that there is', async () => {
    const source = readFileSync(join(root, 'src/cli.ts'), 'utf8')
    const [, listed = ''] = source.match(/const commands: .*? = \{\n([\s\S]*?)\n\}/) ?? []
    const loaded = [...listed.matchAll(/^ {2}'?([a-z -]+)'?: async/gm)].map(it => it[1]!)
    expect(loaded).to.have.length.above(10)
    expect(Object.keys(helps).sort()).to.deep.equal([...loaded, 'audit', 'verify'].sort())
    const { code, said } = await portico('--help')
    expect(code).to.equal(0)
    for (const [name, { about }] of Object.entries(helps)) expect(said).to.include(name).and.include(about)
  })

  for (const name of Object.keys(helps))
    it(`says how to use ${name}: usage, options with defaults, an example, the exit status`, async () => {
      const { code, said } = await portico(...name.split(' '), '--help')
      expect(code).to.equal(0)
      expect(said).to.match(new RegExp(`^Usage: portico ${name}`))
      expect(said).to.include('Options, with what holds if they are left out:')
      expect(said).to.match(new RegExp(`Example:\\n\\n  .*portico ${name}`))
      expect(said).to.include('Exit status: 0 good, 1 problem found, 2 wrong usage.')
      const unusable = [...said.matchAll(/^ {2}--([a-z-]+)/gm)].map(
        it => `'?${it[1]}'?: (text|\\{ type: 'boolean' \\})`,
      )
      const source = readFileSync(join(root, 'src/cli.ts'), 'utf8')
      for (const option of unusable) expect(source).to.match(new RegExp(option))
    })

  it('needs no more than the first word, and refuses a command that is not there', async () => {
    expect((await portico('staff', '--help')).said)
      .to.include('staff add')
      .and.include('staff reset-factor')
    expect(await portico('verify', 'some.json', '-h')).to.include({ code: 0 })
    const unknown = await portico('burn', '--help')
    expect(unknown.code).to.equal(2)
    expect(unknown.said).to.include('There is no command "burn".')
  })
})
