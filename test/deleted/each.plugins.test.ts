import { execFile } from 'node:child_process'
import { cpSync, existsSync, globSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { root } from '../../src/platform/root.ts'
import { type Copy, close, copyOf, fresh, today, urlOf } from '../database.ts'
import { open } from '../visit.ts'

const run = promisify(execFile)
const plugins = globSync('plugins/*/plugin.ts', { cwd: root }).map(it => it.split('/')[1] ?? '')
const offers = ['proposals', 'quotations']

/** Each plugin, both kinds of offers, and all of them at once; or some plugins, of which `PORTICO_DELETED` is a list, and all. */
function deletions(): string[][] {
  const { PORTICO_DELETED: asked = 'each' } = process.env
  if (asked === 'each') return [...plugins.map(it => [it]), offers, plugins]
  const changed = plugins.filter(it => asked.split(',').includes(it))
  return [...changed.map(it => [it]), ...(changed.some(it => offers.includes(it)) ? [offers] : []), plugins]
}
const copied = [
  ...['src', 'plugins', 'audit', 'views', 'migrations', 'assets', 'demo', 'test'],
  ...['knexfile.ts', 'package.json'],
]

/** A copy of the tree, in which what is tried is deleted and put back. */
function copyTree(): string {
  const tree = mkdtempSync(join(tmpdir(), 'portico-deleted-'))
  for (const it of copied)
    cpSync(join(root, it), join(tree, it), { recursive: true, filter: it => !basename(it).startsWith('walked-') })
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'))
  // Tests of one plugin may use the pages of another.
  const include = ['src', 'plugins', 'audit', 'migrations', 'demo/*.ts', 'demo/adapter', 'demo/crm', 'knexfile.ts']
  const config = { extends: join(root, 'tsconfig.json'), include, exclude: ['node_modules', '**/*.test.ts'] }
  writeFileSync(join(tree, 'tsconfig.json'), JSON.stringify(config))
  return tree
}

/** What these plugins consist of: their folders, and what bears their names in the demo. */
function placesOf(names: string[]): string[] {
  const shared = offers.every(it => names.includes(it)) ? ['_offers'] : []
  const places = [...names, ...shared].flatMap(it => [join('plugins', it), join('demo', 'adapter', `${it}.ts`)])
  return places.filter(it => existsSync(join(root, it)))
}

/** What TypeScript finds wrong with what is left. It remembers what it read of the other files. */
async function typeErrors(tree: string): Promise<string> {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const args = [tsc, '-p', '.', '--incremental', '--tsBuildInfoFile', '.tsbuildinfo']
  return run(process.execPath, args, { cwd: tree }).then(
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
  const env = { ...process.env, NODE_COMPILE_CACHE: join(tree, '.cache') }
  const { stdout } = await run(process.execPath, args, { cwd: tree, env })
  return JSON.parse(stdout)
}

describe('with a plugin deleted, the portal', () => {
  let tree: string
  let filled: string
  before(async function () {
    this.timeout(60_000)
    tree = copyTree()
    filled = await fill()
  })
  after(() => rmSync(tree, { recursive: true }))

  for (const names of deletions()) {
    const title = names.length === plugins.length ? 'all of them' : names.join(' and ')
    it(`type-checks, migrates and works without ${title}, on an empty and on a filled database`, async function () {
      this.timeout(120_000)
      for (const it of placesOf(names)) rmSync(join(tree, it), { recursive: true })
      try {
        const [wrong] = await Promise.all([
          typeErrors(tree),
          worksOn(await fresh('crm'), 'empty', names),
          worksOn(await copyOf(filled), 'filled', names),
        ])
        expect(wrong).to.equal('')
      } finally {
        for (const it of placesOf(names)) cpSync(join(root, it), join(tree, it), { recursive: true })
      }
    })
  }

  async function worksOn(copy: Copy, state: 'empty' | 'filled', names: string[]) {
    const { client, admin, errors } = await smoke(tree, copy.name, state)
    await close(copy)
    expect(errors, state).to.deep.equal([])
    const refused = Object.entries({ ...client, ...admin }).filter(([, status]) => status >= 400)
    expect(refused, state).to.deep.equal([])
    expect(Object.keys(client).length, Object.keys(client).join(' ')).to.be.above(5)
    expect(Object.keys(admin).length, Object.keys(admin).join(' ')).to.be.above(10)
    for (const it of names) expect(Object.keys(client)).to.not.include(`/portal/brightside/${it}`)
  }

  /** With something of every plugin in it: a comment and its reply, a public link, an acceptance, a token, a copy. */
  async function fill(): Promise<string> {
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
    await scene.portal.close()
    await Promise.all([scene.owner.destroy(), scene.database.destroy()])
    return scene.name
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
