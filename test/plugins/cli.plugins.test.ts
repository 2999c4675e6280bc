import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { portalUrl } from '../../demo/portal-database.ts'
import { root } from '../../src/platform/root.ts'
import { fresh, password, urlOf } from '../database.ts'

const run = promisify(execFile)

describe('the command line with a plugin', () => {
  const folder = mkdtempSync(join(root, 'test', 'plugins', 'walked-'))
  const config = join(folder, 'portico.config.ts')
  const portico = (...args: string[]) =>
    run(process.execPath, [join(root, 'src/cli.ts'), ...args], { cwd: folder }).then(
      ({ stdout }) => ({ code: 0, said: stdout }),
      error => ({ code: error.code, said: error.stdout + error.stderr }),
    )

  before(async () => {
    const { name } = await fresh()
    const url = urlOf(name)
    writeFileSync(
      config,
      `import { adapter } from '${root}/demo/adapter/adapter.ts'
       import { plugin, query } from '${root}/src/sdk.ts'

       const board = plugin({
         name: 'board', title: 'Board', icon: 'message', order: 70,
         checks: async () => [
           { label: 'the board hangs', problems: [] },
           { label: 'the board is clean', problems: ['wipe it'] },
         ],
         commands: {
           count: {
             about: 'count the clients of a workspace',
             async run([workspace], { owner }) {
               if (!workspace) throw new Error('Name a workspace.')
               const [row] = await query(owner, { text: 'select count(*)::int as n from clients where workspace_id = $1', values: [workspace] })
               return \`\${row.n} clients\`
             },
           },
         },
       })

       export default {
         ownerUrl: '${url}',
         url: '${portalUrl(url, password)}',
         crm: adapter,
         address: 'https://crm.example/portal',
         plugins: [board],
       }`,
    )
  })
  after(() => rmSync(folder, { recursive: true }))

  it('runs its commands, names them in the help, and says what is wrong', async () => {
    const counted = await portico('board', 'count', '1')
    expect(counted.said).to.match(/^\d+ clients\n$/)
    expect(await portico('--config', config, 'board', 'count')).to.deep.equal({ code: 1, said: 'Name a workspace.\n' })
    const unknown = await portico('board', 'burn')
    expect(unknown.code).to.equal(2)
    expect(unknown.said).to.include('There is no command "board burn".')
    expect(await portico('board', 'count', '--help')).to.deep.equal({
      code: 0,
      said: `Usage: portico [--config FILE] board count ...

Count the clients of a workspace.

Exit status: 0 good, 1 problem found, 2 wrong usage.
`,
    })
    expect((await portico('--help')).said).to.match(/board count +count the clients of a workspace/)
  })

  it('checks what the plugin needs with everything else', async () => {
    const { code, said } = await portico('doctor')
    expect(code).to.equal(1)
    expect(said).to.include('✓ board: the board hangs').and.include('✗ board: the board is clean\n    wipe it')
  })
})
