import { expect } from 'chai'
import { leave, open, type Visitor } from '../../test/visit.ts'

const address = '/settings/client-portal/branding'
const drawing = (inner = '') =>
  Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><path d="M1 2h3v4z" fill="#abcdef"/>${inner}</svg>`,
  )

/** Sends the form as a browser does; omitted fields are as on the page. */
async function save(admin: Visitor, typed: Record<string, string>, logo?: Buffer) {
  const { text } = await admin.at(address)
  const value = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(text)?.[1] ?? ''
  const form = admin.agent.post(address)
  const values = { revision: value('revision'), name: value('name'), colour: value('colour'), ...typed }
  for (const [name, it] of Object.entries(values)) form.field(name, it)
  return form.attach('logo', logo ?? Buffer.alloc(0), logo ? 'Our logo.svg' : '')
}
const logoIn = (text: string) => /src="([^"]*\/logo\/[^"]+)"/.exec(text)?.[1] ?? ''

describe('the branding', () => {
  afterEach(leave)

  it('is the CRM’s own until somebody changes it', async () => {
    const { visit } = await open()
    const [admin, owner, printer] = [await visit('admin'), await visit('owner'), await visit()]

    expect(await admin.at(address)).to.show('value="Brightside Agency"', 'value="#1f5f4a"', 'Only you see this until')
    const page = await owner.get('/')
    expect(page).to.show('brand-1f5f4a.css', '<span class="visually-hidden">Brightside Agency</span>')
    const logo = await owner.at(logoIn(page.text))
    expect(logo.headers).to.include({
      'content-type': 'image/svg+xml',
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
      'x-content-type-options': 'nosniff',
    })
    expect(logo.headers['cache-control']).to.include('immutable')
    expect(logo.body.toString()).to.include('Brightside</text>').and.include('#1f5f4a')
    const dark = await owner.at(`${logoIn(page.text)}/dark`)
    expect(dark.headers['content-security-policy']).to.equal(logo.headers['content-security-policy'])
    expect(dark.body.toString()).to.include('Brightside</text>').and.not.include('#1f5f4a')
    expect((await owner.at(`${logoIn(page.text)}/sepia`)).status).to.equal(404)

    const without = await printer.at('/portal/pressworks/sign-in')
    expect(without).to.show('<span>Pressworks').and.not.show('/logo/')
    expect((await printer.at('/portal/pressworks/logo/anything')).status).to.equal(404)
  })

  it('shows everywhere once it is saved, and is kept with before and after', async () => {
    const { visit, owner: database } = await open()
    const [admin, owner, nobody] = [await visit('admin'), await visit('owner'), await visit()]
    const typed = { name: 'Bright & Side', colour: '#FFCC00', welcome: 'All of it,  in one place.' }
    const answer = await save(admin, typed, drawing('<script>alert(1)</script>'))

    expect(answer).to.include({ status: 303 })
    expect(answer.headers.location).to.equal(`${address}?saved&left=1`)
    expect(await admin.at(`${address}?saved&left=1`)).to.show(
      'Saved.',
      'One part of the logo was left out',
      'so a darker tone',
    )
    expect(await nobody.get('/sign-in')).to.show('Bright &amp; Side', 'brand-ffcc00.css', 'All of it, in one place.')
    const page = await owner.get('/invoices')
    expect(page).to.show('<span>Bright &amp; Side</span>')
    const logo = await owner.at(logoIn(page.text))
    expect(logo.body.toString()).to.include('M1 2h3v4z').and.not.include('script')

    const rows = await database('portal.client_activity_logs').where({ event: 'settings.branded' }).orderBy('id')
    expect(rows.map(it => it.subject_id)).to.deep.equal(['name', 'colour', 'welcome', 'logo'])
    expect(rows[0].subject).to.include({ before: 'Brightside Agency', after: 'Bright & Side' })
    expect(rows[1].subject).to.include({ before: '#1f5f4a', after: '#ffcc00' })
    expect(await admin.at('/settings/client-portal/activity')).to.show('changed the colour of the portal')
  })

  it('goes back to the CRM’s where a field is emptied, and follows the CRM from then on', async () => {
    const { visit, owner: database } = await open()
    const admin = await visit('admin')
    const before = logoIn((await admin.at(address)).text)
    await save(admin, { name: 'Another', colour: '#123456' }, drawing())
    expect(logoIn((await admin.at(address)).text)).to.not.equal(before)
    await save(admin, { name: '', colour: '', removed: 'on' })

    expect(await admin.at(address)).to.show('value="Brightside Agency"', 'value="#1f5f4a"', before)
    expect(await database('portal.client_branding').first('name', 'colour', 'logo')).to.deep.equal({
      name: null,
      colour: null,
      logo: null,
    })
    const events = await database('portal.client_activity_logs').where({ event: 'settings.branded' })
    expect(events).to.have.length(6)
    await save(admin, {})
    expect(await database('portal.client_activity_logs').where({ event: 'settings.branded' })).to.have.length(6)
  })

  it('keeps the logo when something else changes', async () => {
    const { visit } = await open()
    const admin = await visit('admin')
    await save(admin, {}, drawing())
    const logo = logoIn((await admin.at(address)).text)
    await save(admin, { name: 'Another' })
    expect(await admin.at(address)).to.show('value="Another"', logo)
  })

  it('is saved by the first of two admins; the second sees the current one', async () => {
    const { visit, owner: database } = await open()
    const admin = await visit('admin')
    const call = (name: string) => save(admin, { name, revision: '0' })
    const [first, second] = await Promise.all([call('First'), call('Second')])
    const [won, lost] = first.status === 303 ? [first, second] : [second, first]

    expect([won.status, lost.status]).to.deep.equal([303, 409])
    const { name } = await database('portal.client_branding').first('name')
    expect(lost).to.show('changed in the meantime', `value="${name}"`)
    expect(await save(admin, { name: 'Third', revision: '1' })).to.include({ status: 303 })
    expect(await save(admin, { name: 'Late', revision: '1' })).to.include({ status: 409 })
    expect(await save(admin, { name: 'Late', revision: '0' })).to.include({ status: 409 })
  })

  it('says what is wrong beside it, keeps what was typed, and changes nothing', async () => {
    const { visit, owner: database } = await open()
    const admin = await visit('admin')
    const typed = { name: 'Typed', welcome: 'Hello <there>' }
    for (const [wrong, logo, sentence] of [
      [{ colour: 'red' }, undefined, 'Enter a colour as # and six digits'],
      [{ colour: '#12345' }, undefined, 'Enter a colour as # and six digits'],
      [{ name: 'x'.repeat(101) }, undefined, 'Use at most 100 characters.'],
      [{ welcome: 'x'.repeat(301) }, undefined, 'Use at most 300 characters.'],
      [{}, Buffer.from('GIF89a'), 'Choose an SVG or a PNG of at most 200 KB'],
      [{}, Buffer.alloc(300_000, 'x'), 'Choose an SVG or a PNG of at most 200 KB'],
      [{}, Buffer.alloc(6_000_000, 'x'), 'This file is far too large.'],
    ] as const) {
      const answer = await save(admin, { ...typed, ...wrong }, logo)
      expect(answer, sentence).to.include({ status: 422 }).and.show(sentence)
      if ((logo?.length ?? 0) < 5e6 && !('name' in wrong)) expect(answer).to.show('value="Typed"')
      if ((logo?.length ?? 0) < 5e6 && !('welcome' in wrong)) expect(answer).to.show('Hello &lt;there&gt;')
    }
    const broken = admin.agent.post(address).set('Content-Type', 'multipart/form-data; boundary=x')
    expect(await broken.send('nothing like a form')).to.include({ status: 400 })
    expect(await database('portal.client_branding')).to.deep.equal([])
  })

  it('can be tried without a script, and is not saved by it', async () => {
    const { visit, owner: database } = await open()
    const admin = await visit('admin')
    expect(await save(admin, { colour: '#ffff00', name: 'Tried', preview: '' }))
      .to.include({ status: 200 })
      .and.show('stage-ffff00.css', 'value="Tried"', 'so a darker tone')
    expect(await database('portal.client_branding')).to.deep.equal([])
  })

  it('of one workspace is never another’s', async () => {
    const { visit } = await open()
    const [admin, stranger, nobody] = [await visit('admin'), await visit('stranger'), await visit()]
    await save(admin, { name: 'Only here' }, drawing())
    const [, version] = /\/logo\/([\w-]+)/.exec((await admin.at(address)).text)!

    expect(await stranger.get('/')).to.not.show('Only here', '/logo/')
    expect((await nobody.at(`/portal/ledgerline/logo/${version}`)).status).to.equal(404)
    const old = await nobody.at('/portal/brightside/logo/yesterday-1234-x')
    expect(old).to.include({ status: 200 })
    expect(old.headers['cache-control']).to.equal('no-cache')
  })

  it('stands without a logo where the CRM cannot give one, or gives what is none', async () => {
    const scene = await open()
    const { adapter } = await import('../../demo/adapter/adapter.ts')
    const crm = adapter(scene.database)
    for (const logo of [() => Promise.reject(new Error('down')), async () => Buffer.from('GIF89a')]) {
      const { visit } = await open({ crm: { ...crm, directory: { ...crm.directory, logo } }, on: scene })
      expect(await (await visit()).get('/sign-in'))
        .to.include({ status: 200 })
        .and.show('Brightside Agency')
        .and.not.show('/logo/')
    }
  })
})
