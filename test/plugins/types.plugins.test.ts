import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { root } from '../../src/platform/root.ts'
import { makeTickets } from './walked-tickets.ts'

describe('the plugin of docs/plugins.md', () => {
  it('has no error that TypeScript would find', async function () {
    this.timeout(60_000)
    const { folder } = await makeTickets()
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    const config = join(folder, 'tsconfig.json')
    writeFileSync(config, JSON.stringify({ extends: join(root, 'tsconfig.json'), include: ['.'] }))
    const { stdout } = await promisify(execFile)(process.execPath, [tsc, '-p', config]).catch(error => error)
    expect(stdout).to.equal('')
  })
})
