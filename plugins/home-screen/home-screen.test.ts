import { expect } from 'chai'
import sharp from 'sharp'
import { person, share } from '../../test/links.ts'
import { leave, open, type Scene, type Visitor, whoIs } from '../../test/visit.ts'

import { draw } from './draw.ts'
import { initialIcon } from './icons.ts'

interface Manifest {
  id: string
  name: string
  short_name: string
  start_url: string
  scope: string
  display: string
  theme_color: string
  background_color: string
  lang: string
  dir: string
  icons: { src: string; sizes: string; type: string; purpose: string }[]
}

const branding = '/settings/client-portal/branding'

/** Sends the branding form as a browser does. */
async function brand(admin: Visitor, typed: Record<string, string>, logo?: Buffer) {
  const { text } = await admin.at(branding)
  const value = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(text)?.[1] ?? ''
  const values = { revision: value('revision'), name: value('name'), colour: value('colour'), welcome: '', ...typed }
  const form = admin.agent.post(branding)
  for (const [name, it] of Object.entries(values)) form.field(name, it)
  const { status } = await form.attach('logo', logo ?? Buffer.alloc(0), logo ? 'logo' : '')
  expect(status).to.equal(303)
}

/** Red, green and blue of its pixels. */
async function pixelsOf(bytes: Buffer) {
  const { data, info } = await sharp(bytes).removeAlpha().raw().toBuffer({ resolveWithObject: true })
  const at = (x: number, y: number) => [...data.subarray((y * info.width + x) * 3, (y * info.width + x) * 3 + 3)]
  return { corner: at(0, 0), at, width: info.width, height: info.height }
}

const svg = (inner: string) => Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10">${inner}</svg>`)
const square = '<path d="M0 0h10v10H0z" fill="#0000ff"/>'

describe('the portal on a home screen', () => {
  let scene: Scene
  let nobody: Visitor

  beforeEach(async () => {
    scene = await open()
    nobody = await scene.visit()
  })
  afterEach(leave)

  const manifest = async (workspace = 'brightside', visitor = nobody): Promise<Manifest> => {
    const { status, headers, text } = await visitor.at(`/portal/${workspace}/home-screen/manifest.webmanifest`)
    expect(status).to.equal(200)
    expect(headers['content-type']).to.include('application/manifest+json')
    return JSON.parse(text)
  }
  const iconAt = async (address: string) => {
    const { status, headers, body } = await nobody.at(address)
    expect(status, address).to.equal(200)
    expect(headers['content-type']).to.equal('image/png')
    return { headers, body: body as Buffer }
  }
  const icon = (it: Manifest, sizes = '192x192', purpose = 'any') =>
    iconAt(it.icons.find(one => one.sizes === sizes && one.purpose === purpose)!.src)

  it('has a manifest that begins and ends with the portal of its workspace', async () => {
    const { icons, ...rest } = await manifest()
    expect(rest).to.deep.equal({
      id: '/portal/brightside/',
      name: 'Brightside Agency',
      short_name: 'Brightside',
      start_url: '/portal/brightside/',
      scope: '/portal/brightside/',
      display: 'standalone',
      theme_color: '#1f5f4a',
      background_color: '#ffffff',
      lang: 'en-GB',
      dir: 'ltr',
    })
    expect(icons.map(it => `${it.sizes} ${it.purpose} ${it.type}`)).to.deep.equal([
      '192x192 any image/png',
      '512x512 any image/png',
      '192x192 maskable image/png',
      '512x512 maskable image/png',
    ])
    const spanish = await nobody.agent
      .get('/portal/brightside/home-screen/manifest.webmanifest')
      .set('Accept-Language', 'es')
      .buffer(true)
      .parse((res, done) => {
        res.setEncoding('utf8')
        let text = ''
        res.on('data', it => {
          text += it
        })
        res.on('end', () => done(null, text))
      })
    expect(JSON.parse(spanish.body as string).lang).to.equal('es')
  })

  it('has icons that are as large as they say, and may be cached forever', async () => {
    for (const workspace of ['brightside', 'pressworks'])
      for (const { src, sizes } of (await manifest(workspace)).icons) {
        const { headers, body } = await iconAt(src)
        const { width, height, format } = await sharp(body).metadata()
        expect(`${width}x${height} ${format}`).to.equal(`${sizes} png`)
        expect(headers['cache-control']).to.equal('public, max-age=31536000, immutable')
        expect(headers['content-security-policy']).to.equal("default-src 'none'; sandbox")
        expect(headers['x-content-type-options']).to.equal('nosniff')
        expect(body.length).to.be.below(20_000)
      }
    const { headers, body } = await iconAt('/portal/brightside/home-screen/icons/current/180.png')
    expect(headers['cache-control']).to.equal('no-cache')
    expect((await sharp(body).metadata()).width).to.equal(180)
    expect((await nobody.get('/home-screen/icons/current/181.png')).status).to.equal(404)
  })

  it('shows the initial on the brand colour where there is no logo', async () => {
    const printer = await manifest('pressworks')
    expect(printer.background_color).to.equal(printer.theme_color)
    const { corner, at } = await pixelsOf((await icon(printer, '512x512')).body)
    expect(`#${Buffer.from(corner).toString('hex')}`).to.equal(printer.theme_color)
    const row = Array.from({ length: 512 }, (_, x) => at(x, 256).join())
    expect(row).to.include('255,255,255')
  })

  it('shows a letter of any script with a font, else Portico’s mark', async () => {
    const icons = await Promise.all(
      ['ärzte', 'مطبعة', 'דפוס', 'ไทย', 'हिन्दी', '***'].map(name => draw(initialIcon({ name, colour: '#1f5f4a' }))),
    )
    const [latin, arabic, hebrew, ...marks] = icons.map(it => it.get('192')!.toString('base64'))
    expect(new Set([latin, arabic, hebrew, marks[0]]).size).to.equal(4)
    expect(new Set(marks).size).to.equal(1)
  })

  it('keeps a logo inside the circle that is sure to be seen', async () => {
    await brand(await scene.visit('admin'), {}, svg(square))
    const it = await manifest()
    const { at, corner } = await pixelsOf((await icon(it, '512x512', 'maskable')).body)
    expect(corner).to.deep.equal([255, 255, 255])
    expect(at(256, 256)).to.deep.equal([0, 0, 255])
    for (let y = 0; y < 512; y++)
      for (let x = 0; x < 512; x++)
        if (Math.hypot(x - 256, y - 256) > 205 && at(x, y).join() !== '255,255,255')
          throw new Error(`${x},${y} may be cut off`)
  })

  it('follows the branding, with other addresses for its icons', async () => {
    const admin = await scene.visit('admin')
    const before = await manifest()
    await brand(admin, { name: 'Ünal & <Söhne> International', colour: '#ffcc00', removed: 'on' }, svg(square))
    const after = await manifest()
    expect(after).to.include({ theme_color: '#ffcc00', short_name: 'Ünal &' })
    expect(after.name).to.equal('Ünal & <Söhne> International')
    expect(after.icons[0]!.src).to.not.equal(before.icons[0]!.src)
    const old = await iconAt(before.icons[0]!.src)
    expect(old.headers['cache-control'], 'an old address is not cached for ever').to.equal('no-cache')
    expect(old.body.equals((await icon(after)).body)).to.equal(true)
  })

  it('draws no more of a hostile logo than it shows, and loads nothing', async () => {
    const hostile =
      '<script>alert(1)</script><image href="file:///etc/passwd" width="9" height="9"/>' +
      `<image href="http://127.0.0.1:9/x.png" width="9" height="9"/><foreignObject><body/></foreignObject>${square}`
    await brand(await scene.visit('admin'), {}, svg(hostile))
    const { body } = await icon(await manifest(), '512x512')
    expect(body.subarray(1, 4).toString()).to.equal('PNG')
    expect(body.toString('latin1')).to.not.match(/script|passwd|svg/)
    expect((await pixelsOf(body)).at(256, 256)).to.deep.equal([0, 0, 255])
  })

  it('never shows the branding of another workspace', async () => {
    const [ours, theirs] = [await manifest('brightside'), await manifest('pressworks')]
    expect(JSON.stringify(theirs)).to.not.match(/[Bb]rightside|1f5f4a/)
    const [own, other] = [await icon(ours), await icon(theirs)]
    const stolen = await iconAt(ours.icons[0]!.src.replace('brightside', 'pressworks'))
    expect(stolen.body.equals(other.body)).to.equal(true)
    expect(stolen.body.equals(own.body)).to.equal(false)
    expect(stolen.headers['cache-control']).to.equal('no-cache')
  })

  it('is named in the head of clients’ pages, in the colours of light and dark', async () => {
    const owner = await scene.visit('owner')
    const links = [
      '<link rel="manifest" href="/portal/brightside/home-screen/manifest.webmanifest">',
      '<link rel="apple-touch-icon" href="/portal/brightside/home-screen/icons/current/180.png">',
    ]
    const both = [
      '<meta name="theme-color" content="#1f5f4a" media="(prefers-color-scheme: light)">',
      '<meta name="theme-color" content="#131516" media="(prefers-color-scheme: dark)">',
    ]
    for (const page of [await nobody.get('/sign-in'), await owner.get('/'), await owner.get('/none')])
      expect(page).to.show(...links, ...both)
    await scene.owner('portal.client_users').update({ theme: 'dark' })
    expect(await owner.get('/'))
      .to.show('<meta name="theme-color" content="#131516">')
      .and.not.show('media="(prefers')
    const admin = await scene.visit('admin')
    expect(await admin.at('/settings/client-portal/')).to.not.show('rel="manifest"')
    const { id, client_id } = await scene
      .owner('portal.client_users as u')
      .join('portal.client_memberships as m', 'm.person_id', 'u.id')
      .where({ email: whoIs('owner').email })
      .first('u.id', 'm.client_id')
    const seen = await admin.postAt('/settings/client-portal/view', { client: client_id, person: id })
    expect(await admin.at(seen.headers.location!))
      .to.show('You are viewing as')
      .and.not.show('rel="manifest"')
    const guest = await person(scene)
    const { path } = await share(scene)
    const { headers } = await guest.get(path)
    expect(await guest.at(headers.location!))
      .to.show('This link works until')
      .and.not.show('rel="manifest"')
  })

  it('leads to sign-in and back to where it starts', async () => {
    const { start_url } = await manifest()
    const { status, headers } = await nobody.at(start_url)
    expect(status).to.equal(303)
    expect(headers.location).to.equal(`/portal/brightside/sign-in?${new URLSearchParams({ next: start_url })}`)
  })

  it('is the CRM’s own 404 while the portal is switched off', async () => {
    await leave()
    scene = await open({ flags: { enabledAnywhere: () => true, enabled: slug => slug !== 'brightside' } })
    nobody = await scene.visit()
    for (const path of ['manifest.webmanifest', 'icons/current/180.png']) {
      const answer = await nobody.at(`/portal/brightside/home-screen/${path}`)
      expect(answer.status).to.equal(404)
      expect(answer).to.show('Tandem CRM', 'There is nothing at')
    }
    expect((await manifest('pressworks')).name).to.include('Pressworks')
  })
})
