import { execFile } from 'node:child_process'
import { cpSync, existsSync, globSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { root } from '../../src/platform/root.ts'
import { fresh, today, urlOf } from '../database.ts'
import { leave, open } from '../visit.ts'

const run = promisify(execFile)
const plugins = globSync('plugins/*/plugin.ts', { cwd: root }).map(it => it.split('/')[1] ?? '')
const offers = ['proposals', 'quotations']

/** A tree without these plugins, and what bears their names in the demo. */
function treeWithout(names: string[]): string {
  const tree = mkdtempSync(join(tmpdir(), 'portico-deleted-'))
  for (const it of [
    'src',
    'plugins',
    'audit',
    'views',
    'migrations',
    'assets',
    'demo',
    'test',
    'knexfile.ts',
    'package.json',
  ])
    cpSync(join(root, it), join(tree, it), { recursive: true, filter: it => !basename(it).startsWith('walked-') })
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'))
  const shared = offers.every(it => names.includes(it)) ? ['_offers'] : []
  for (const it of [...names, ...shared]) {
    rmSync(join(tree, 'plugins', it), { recursive: true })
    rmSync(join(tree, 'demo', 'adapter', `${it}.ts`), { force: true })
  }
  return tree
}

/** What TypeScript finds wrong with what is left. Tests of one plugin may use the pages of another. */
async function typeErrors(tree: string): Promise<string> {
  const include = ['src', 'plugins', 'audit', 'migrations', 'demo/*.ts', 'demo/adapter', 'demo/crm', 'knexfile.ts']
  const config = { extends: join(root, 'tsconfig.json'), include, exclude: ['node_modules', '**/*.test.ts'] }
  writeFileSync(join(tree, 'tsconfig.json'), JSON.stringify(config))
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  return run(process.execPath, [tsc, '-p', '.'], { cwd: tree }).then(
    () => '',
    error => error.stdout,
  )
}

interface Seen {
  client: Record<string, number>
  admin: Record<string, number>
  errors: string[]
}

async function smoke(tree: string, database: string, state: 'empty' | 'filled'): Promise<Seen> {
  const args = [join(tree, 'test', 'deleted', 'smoke.ts'), urlOf(database), state, today]
  const { stdout } = await run(process.execPath, args, { cwd: tree })
  return JSON.parse(stdout)
}

describe('with a plugin deleted, the portal', () => {
  afterEach(leave)

  for (const names of [...plugins.map(it => [it]), offers, plugins]) {
    const title = names.length === plugins.length ? 'all of them' : names.join(' and ')
    it(`type-checks, migrates and works without ${title}, on an empty and on a filled database`, async function () {
      this.timeout(120_000)
      const tree = treeWithout(names)
      try {
        expect(await typeErrors(tree)).to.equal('')
        for (const state of ['empty', 'filled'] as const) {
          const { name } = state === 'empty' ? await fresh('crm') : await filled()
          const { client, admin, errors } = await smoke(tree, name, state)
          expect(errors, state).to.deep.equal([])
          const all = { ...client, ...admin }
          expect(
            Object.entries(all).filter(([, status]) => status >= 400),
            state,
          ).to.deep.equal([])
          expect(Object.keys(client).length, Object.keys(client).join(' ')).to.be.above(5)
          expect(Object.keys(admin).length, Object.keys(admin).join(' ')).to.be.above(10)
          for (const it of names) expect(Object.keys(client)).to.not.include(`/portal/brightside/${it}`)
        }
      } finally {
        rmSync(tree, { recursive: true })
      }
    })
  }

  /** With something of every plugin in it: a comment and its reply, a public link, an acceptance, a token, a copy. */
  async function filled() {
    const scene = await open({ mail: 'kept' })
    const [owner, admin] = [await scene.visit('owner'), await scene.visit('admin')]
    const { items } = (await owner.api('/proposals?status=open')).body
    const { id } = items[0]
    await owner.post(`/proposals/${id}/comments`, { text: 'Is the film included?' })
    const [, question] =
      /questions\/([\w-]+)\/reply/.exec((await admin.at('/settings/client-portal/questions')).text) ?? []
    await admin.postAt(`/settings/client-portal/questions/${question}/reply`, { text: 'It is.' })
    await admin.postAt('/settings/client-portal/visibility', { 'was.proposals.links': 'off', 'proposals.links': 'on' })
    await admin.postAt('/settings/client-portal/links', { section: 'proposals', client: 'Acme Bakery', id, days: '7' })
    const { seen } = (await owner.api(`/proposals/${id}/acceptance`)).body
    await owner.post(`/proposals/${id}/acceptance`, { seen, agree: 'on', how: 'typed', typed: 'N. El-Khoury' })
    await owner.post('/account/tokens', { name: 'At night', days: '30', scopes: 'invoices.see' })
    await owner.post('/account/data/copy')
    const tables = ['comments', 'links', 'signatures', 'api_tokens', 'exports']
    for (const table of tables.map(it => `client_${it}`))
      expect(await scene.owner(`portal.${table}`), table).to.not.be.empty
    return scene
  }

  it('is tried without each that there is', () => {
    expect(plugins).to.include.members([
      'api-tokens',
      'comments',
      'invoices',
      'links',
      'payments',
      'privacy',
      'proposals',
      'quotations',
      'reminders',
    ])
    expect(plugins.every(it => existsSync(join(root, 'plugins', it, 'plugin.ts')))).to.equal(true)
  })
})
