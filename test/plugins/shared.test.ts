import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { may, plugin } from '../../src/sdk.ts'
import { leave, open } from '../visit.ts'

/** What two plugins have in common: a page with its fragment, and how it is said in Spanish. */
const common = {
  'list.ejs': `<% page.title = called -%>\n<h1><%= called %></h1>\n<%- include('./_list') %>`,
  '_list.ejs': `<p><%= t('As all of them have it') %></p>`,
  'es.json': JSON.stringify({ 'As all of them have it': 'Como lo tienen todos' }),
}

describe('a folder that plugins share', () => {
  const root = mkdtempSync(join(tmpdir(), 'shared-'))
  const folder = (name: string, files: Record<string, string>) => {
    mkdirSync(join(root, name))
    for (const [file, text] of Object.entries(files)) writeFileSync(join(root, name, file), text)
    return join(root, name)
  }
  const shared = [folder('_common', common)]
  const listOf = (name: string, files: Record<string, string>) =>
    plugin({
      ...{ name, title: name, icon: 'file-text', order: 80, folder: folder(name, files), shared },
      permissions: { [`${name}.see` as `${string}.see`]: { label: 'View', roles: ['admin', 'viewer'] as const } },
      toggles: { [name]: { label: name, about: name, default: true } },
      store: () => ({}),
      routes: router =>
        void router.get('/', may(`${name}.see`), (_req, res) => res.respond(`${name}/list`, { called: `All ${name}` })),
    })
  const plugins = [listOf('estimates', {}), listOf('bids', { '_list.ejs': '<p>Bids have their own</p>' })]

  after(() => rmSync(root, { recursive: true }))
  afterEach(leave)

  it('has the views of those that have none of that name, and each may replace one of them', async () => {
    const owner = await (await open({ plugins })).visit('owner')
    expect(await owner.get('/estimates')).to.show('All estimates', 'As all of them have it')
    expect(await owner.get('/bids'))
      .to.show('All bids', 'Bids have their own')
      .and.not.show('As all of them have it')
    expect(await owner.fragment('/bids'))
      .to.show('Bids have their own')
      .and.not.show('All bids')
  })

  it('has their translations too', async () => {
    const owner = await (await open({ plugins })).visit('owner')
    await owner.post('/account/preferences', { language: 'es', timeZone: '', theme: '' })
    expect(await owner.get('/estimates')).to.show('Como lo tienen todos')
  })

  it('must be there, or the portal does not start', async () => {
    const error = await open({ plugins: [{ ...plugins[0]!, shared: ['/nowhere'] }] }).catch(it => it.message)
    expect(error).to.equal('createPortal: plugin estimates: shared.0 must be a folder that is there.')
  })
})
