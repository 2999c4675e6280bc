import { expect } from 'chai'
import { adapter, byHand } from '../../demo/adapter/adapter.ts'
import { writingMap as map } from '../../demo/adapter/map.ts'
import { actors } from '../../test/actors.ts'
import { until } from '../../test/until.ts'
import { leave, open, type Scene, type Visitor, whoIs } from '../../test/visit.ts'
import { contactsContract } from '../crm/contract.ts'
import { adapterOf, type Crm } from '../index.ts'

const { email } = whoIs('owner')
const area = '/settings/client-portal/people'

/** A picture of one point. */
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
)

const accountOf = (scene: Scene, address = email) =>
  scene.owner('portal.client_users').where({ email: address }).first()
const contactOf = async (scene: Scene) => {
  const { id } = await scene.owner('clients').where({ company_name: 'Acme Bakery' }).first('id')
  return scene.owner('contacts').where({ client_id: id, first_name: 'Nadia' }).first()
}
const keptOf = (scene: Scene) => scene.owner('portal.client_contact_changes').select('field', 'value').orderBy('field')
const eventsOf = async (scene: Scene, event: string) =>
  (await scene.owner('portal.client_activity_logs').where({ event }).orderBy('id').select('subject')).map(
    it => it.subject,
  )

/** The hidden fields that a form was shown with. */
async function shownTo(who: Visitor) {
  const { text } = await who.get('/account/profile')
  const field = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(text)?.[1] ?? ''
  return { 'was.name': field('was.name'), 'was.phone': field('was.phone') }
}
const save = async (who: Visitor, form: object) => who.post('/account/profile', { ...(await shownTo(who)), ...form })

describe('contacts of the demo’s adapter', () => {
  afterEach(leave)
  contactsContract(() => actors(byHand))
})

describe('contacts of the demo’s map', () => {
  afterEach(leave)
  contactsContract(() => actors(database => adapterOf(map, database)))
})

describe('a profile', () => {
  afterEach(leave)

  it('has the phone number of the CRM, and writes a new one there', async () => {
    const scene = await open()
    const me = await scene.visit('owner')
    const before = await contactOf(scene)
    expect((await shownTo(me))['was.phone']).to.equal(before.phone ?? '')
    const answer = await save(me, { name: 'Nadia El-Khoury', phone: ' +31 20  555 0142 ' })
    expect(answer.headers.location).to.equal('/portal/brightside/account/profile?saved')
    expect(await me.get('/account/profile?saved')).to.show('value="+31 20 555 0142"', 'Saved.')
    expect(await contactOf(scene)).to.include({ phone: '+31 20 555 0142', email: before.email })
    expect(await keptOf(scene)).to.deep.equal([])
    expect(await eventsOf(scene, 'account.profile-changed')).to.deep.equal([{ fields: 'phone' }])
    expect(await me.get('/activity')).to.show('changed their phone number')

    await save(me, { name: 'Nadia El-Khoury', phone: '' })
    expect((await contactOf(scene)).phone).to.equal(null)
    expect((await accountOf(scene)).phone).to.equal('')
    expect((await shownTo(me))['was.phone']).to.equal('')
  })

  it('keeps what the CRM does not take, and shows staff both values until they settle it', async () => {
    const scene = await open()
    const [me, admin, other] = [await scene.visit('owner'), await scene.visit('admin'), await scene.visit('admin')]
    const { id } = await accountOf(scene)
    await save(me, { name: 'Nadia Haddad', phone: '' })
    expect(await me.get('/')).to.show('Nadia Haddad')
    expect(await keptOf(scene)).to.deep.equal([{ field: 'name', value: 'Nadia Haddad' }])
    expect(await admin.at(area)).to.show('Differs from the CRM')
    const page = `${area}/${id}`
    expect(await admin.at(page)).to.show('Differs from the CRM', 'Nadia Haddad', 'Nadia El-Khoury', 'Acme Bakery')

    const { client_id: client } = await scene.owner('portal.client_contact_changes').first('client_id')
    const settle = (who: Visitor, more: object) =>
      who.postAt(`${page}/contact`, { client, field: 'name', value: 'Nadia Haddad', settled: 'taken', ...more })
    expect((await settle(admin, { field: 'colour' })).status).to.equal(422)
    expect((await settle(admin, { value: 'Nadia Old' })).status).to.equal(409)
    expect((await settle(admin, { client: '999999' })).status).to.equal(409)
    expect((await settle(admin, {})).headers.location).to.equal(`${page}?done=settled`)
    expect((await settle(other, { settled: 'left' })).status).to.equal(409)
    expect(await admin.at(page)).to.not.show('Differs from the CRM')
    expect(await eventsOf(scene, 'people.contact-taken')).to.deep.equal([{ id, name: 'Nadia Haddad', field: 'name' }])
    expect(await admin.at('/settings/client-portal/activity')).to.show(
      'took the name of Nadia Haddad over into the CRM',
    )
  })

  it('forgets a difference once the CRM has the same', async () => {
    const scene = await open()
    const [me, admin] = [await scene.visit('owner'), await scene.visit('admin')]
    await save(me, { name: 'Nadia Haddad', phone: '' })
    await scene.owner('contacts').where({ first_name: 'Nadia' }).update({ last_name: 'Haddad' })
    const { id } = await accountOf(scene)
    expect(await admin.at(`${area}/${id}`))
      .to.include({ status: 200 })
      .and.not.show('Differs from the CRM')
    expect(await keptOf(scene)).to.deep.equal([])
  })

  const withCrm = async (changeContact: Crm['directory']['changeContact']) => {
    const first = await open()
    const crm = adapter(first.database)
    const { changeContact: _, ...directory } = crm.directory
    const changed = { ...crm, directory: { ...directory, ...(changeContact && { changeContact }) } }
    return open({ crm: changed, on: first })
  }

  it('keeps everything where the CRM takes nothing or does not answer, and tries again with the next change', async () => {
    const mute = await withCrm(undefined)
    await save(await mute.visit('owner'), { name: 'Nadia El-Khoury', phone: '+31 20 555 0142' })
    expect(await keptOf(mute)).to.deep.equal([{ field: 'phone', value: '+31 20 555 0142' }])

    const asked: object[] = []
    let down = true
    const scene = await withCrm(async (_workspace, _of, change) => {
      asked.push(change)
      if (down) throw new Error('down')
      return ['name', 'phone']
    })
    const me = await scene.visit('owner')
    expect((await save(me, { name: 'Nadia El-Khoury', phone: '+31 20 555 0142' })).status).to.equal(303)
    expect(scene.log.some(it => it.sentence.includes('staff see that it differs'))).to.equal(true)
    down = false
    await save(me, { name: 'Nadia Haddad', phone: '+31 20 555 0142' })
    expect(asked).to.deep.equal([{ phone: '+31 20 555 0142' }, { name: 'Nadia Haddad', phone: '+31 20 555 0142' }])
    expect(await keptOf(scene)).to.deep.equal([])
  })

  it('is submitted again by staff, when the CRM was down and no longer is', async () => {
    let down = true
    const scene = await withCrm(async () => {
      if (down) throw new Error('down')
      return ['phone']
    })
    const [me, admin] = [await scene.visit('owner'), await scene.visit('admin')]
    await save(me, { name: 'Nadia Haddad', phone: '+31 20 555 0142' })
    const page = `${area}/${(await accountOf(scene)).id}`
    const again = async () => admin.at((await admin.postAt(`${page}/contact/submission`)).headers.location!)
    expect(await again()).to.show('The CRM did not accept all of it.', '+31 20 555 0142', 'Nadia Haddad')
    down = false
    expect(await again()).to.show('The CRM did not accept all of it.', 'Submit to the CRM again')
    expect(await keptOf(scene)).to.deep.equal([{ field: 'name', value: 'Nadia Haddad' }])
    await scene.owner('contacts').where({ first_name: 'Nadia' }).update({ last_name: 'Haddad' })
    expect(await again())
      .to.show('The CRM has it now.')
      .and.not.show('Differs from the CRM')
    expect(await eventsOf(scene, 'people.contact-submitted')).to.have.length(3)
    expect((await (await scene.visit('colleague')).postAt(`${page}/contact/submission`)).status).to.equal(403)
  })

  it('gives the CRM the newest values last, of two that are saved at once', async () => {
    const taken: string[] = []
    const numbers = ['+31 20 555 0001', '+31 20 555 0002', '+31 20 555 0003']
    let calls = 0
    const scene = await withCrm(async (_workspace, _of, { phone = '' }) => {
      calls++
      // The first is slow: the others overtake it, or wait for it.
      if (calls === 1) await until(async () => calls - 1 + (await waiting()).length === numbers.length - 1)
      taken.push(phone)
      return ['phone']
    })
    const waiting = () => scene.owner('pg_stat_activity').where({ datname: scene.name, wait_event: 'advisory' })
    const me = await scene.visit('owner')
    const shown = await shownTo(me)
    await Promise.all(numbers.map(phone => me.post('/account/profile', { ...shown, name: 'Nadia El-Khoury', phone })))
    expect(taken.at(-1)).to.equal((await accountOf(scene)).phone)
    expect(await keptOf(scene)).to.deep.equal([])
  })

  it('in another tab does not take back what was changed meanwhile', async () => {
    const scene = await open()
    const me = await scene.visit('owner')
    const shown = await shownTo(me)
    await me.post('/account/profile', { ...shown, name: 'Nadia Haddad', phone: shown['was.phone'] })
    await me.post('/account/profile', { ...shown, name: shown['was.name'], phone: '+31 20 555 0142' })
    expect(await accountOf(scene)).to.include({ name: 'Nadia Haddad', phone: '+31 20 555 0142' })
  })

  it('refuses names and numbers that are none, keeps them in the form, and saves nothing', async () => {
    const scene = await open()
    const me = await scene.visit('owner')
    const before = await accountOf(scene)
    for (const name of ['', ' ', 'x'.repeat(10_000), 'Nadia\u202e', 'Nadia\nBcc: x', 'www.evil.example', 'a@b.example'])
      expect((await save(me, { name, phone: '' })).status, name.slice(0, 20)).to.equal(422)
    for (const phone of ['call me', '123', '9'.repeat(10_000), '+31 20 <b>', '020 555\u0007 0142', 'javascript:1'])
      expect(await save(me, { name: 'Nadia El-Khoury', phone }), phone.slice(0, 20))
        .to.include({ status: 422 })
        .and.show('Enter a phone number, like +31 20 555 0100.')
    for (const phone of ['+34 910 555 010', '(020) 555-0142 ext. 12', '020 5550142', '0151/2345678'])
      expect((await save(me, { name: 'Nadia El-Khoury', phone })).status, phone).to.equal(303)
    expect(await save(me, { name: 'Nadia <b>', phone: 'call me' })).to.show(
      'value="Nadia &lt;b&gt;"',
      'value="call me"',
    )
    expect((await accountOf(scene)).name).to.equal(before.name)
  })

  it('has an address whose change reaches the CRM once it is confirmed, and is undone there too', async () => {
    const scene = await open({ mail: 'kept' })
    const me = await scene.visit('owner')
    const changed = 'nadia@new.example'
    await me.post('/account/address', { email: changed, current: whoIs('owner').password })
    expect((await contactOf(scene)).email).to.equal(email)
    const [path] = /\/address\/[\w-]+/.exec((await scene.mailTo(changed)).text)!
    await (await scene.visit()).post(path)
    expect((await contactOf(scene)).email).to.equal(changed)
    const [undo] = /\/address\/undo\/[\w-]+/.exec((await scene.mailTo(email)).text)!
    await (await scene.visit()).post(undo)
    expect((await contactOf(scene)).email).to.equal(email)
    expect(await keptOf(scene)).to.deep.equal([])
  })

  it('is told by the API, with the photo', async () => {
    const scene = await open()
    const me = await scene.visit('owner')
    await save(me, { name: 'Nadia El-Khoury', phone: '+31 20 555 0142' })
    expect((await me.api('/me')).body.person).to.deep.include({ phone: '+31 20 555 0142', photo: null })
    expect((await me.api('/me/photo')).body).to.deep.equal({ photo: null })
    await upload(me, png)
    expect((await me.api('/me')).body.person.photo).to.match(/^[\w-]{16}$/)
    const photo = { type: 'image/png', bytes: png.toString('base64') }
    expect((await me.api('/me/photo')).body).to.deep.equal({ photo })
    expect((await (await scene.visit('billing')).api('/me/photo')).body).to.deep.equal({ photo: null })
  })

  it('in Spanish has Spanish words', async () => {
    const scene = await open()
    const me = await scene.visit('owner')
    expect(await me.get('/account/profile').set('Accept-Language', 'es'))
      .to.show('Datos de contacto', 'Teléfono', 'Elija una foto')
      .and.not.show('Contact details')
  })
})

const upload = (who: Visitor, bytes: Buffer, name = 'photo.png') =>
  who.agent.post('/portal/brightside/account/profile/photo').attach('photo', bytes, name)

describe('a photo of a person', () => {
  afterEach(leave)

  it('is seen by its owner, by colleagues and by staff, and by nobody else', async () => {
    const scene = await open()
    const me = await scene.visit('owner')
    expect((await me.get('/')).text).to.not.include('/photo/')
    expect((await upload(me, png)).headers.location).to.equal('/portal/brightside/account/profile?saved=photo')
    const { id, photo_version: version } = await accountOf(scene)
    const path = `/photo/${id}/${version}`
    for (const page of ['/', '/account', '/team', '/account/profile'])
      expect((await me.get(page)).text, page).to.include(`src="/portal/brightside${path}"`)
    const colleague = await scene.visit('billing')
    expect((await colleague.get('/team')).text).to.include(`src="/portal/brightside${path}"`)
    for (const who of [me, colleague, await scene.visit('twofold')]) {
      const { status, headers, body } = await who.get(path)
      expect(status).to.equal(200)
      expect(body).to.deep.equal(png)
      expect(headers).to.include({
        'content-type': 'image/png',
        'x-content-type-options': 'nosniff',
        'content-security-policy': "default-src 'none'; sandbox",
        'cache-control': 'private, max-age=86400',
      })
    }
    for (const who of ['neighbour', 'newcomer'] as const)
      expect((await (await scene.visit(who)).get(path)).status, who).to.equal(404)
    const stranger = await scene.visit('stranger')
    expect((await stranger.get(path)).status).to.equal(404)
    expect((await stranger.at(`/portal/brightside${path}`)).status).to.equal(303)
    expect((await (await scene.visit()).get(path)).status).to.equal(303)

    const admin = await scene.visit('admin')
    const theirs = `${area}/${id}/photo/${version}`
    expect((await admin.at(area)).text).to.include(`src="${theirs}"`)
    expect((await admin.at(theirs)).body).to.deep.equal(png)
    expect((await (await scene.visit('colleague')).at(theirs)).status).to.equal(403)
    expect((await admin.at(`${area}/${'0'.repeat(8)}/photo/x`)).status).to.equal(404)
  })

  it('is beside what its owner said, and after they have left there are initials', async () => {
    const scene = await open()
    const [me, colleague] = [await scene.visit('owner'), await scene.visit('approver')]
    await upload(me, png)
    const { id: person, photo_version: version } = await accountOf(scene)
    const { items } = (await me.api('/proposals?status=open')).body
    const { id } = items.find((it: { number: string }) => it.number === 'P-2026-031')
    await me.post(`/proposals/${id}/comments`, { text: 'Is the film included?' })
    const src = `src="/portal/brightside/photo/${person}/${version}"`
    const talk = async () => (await colleague.get(`/proposals/${id}`)).text
    expect(await talk()).to.include(src)
    expect((await colleague.api(`/proposals/${id}`)).body.comments[0]).to.have.all.keys(
      'id',
      'at',
      'line',
      'by',
      'name',
      'text',
      'disputed',
      'files',
    )
    const { id: other } = await scene.owner('clients').where({ company_name: 'Halloran & Sons' }).first('id')
    await scene
      .owner('portal.client_memberships')
      .where({ person_id: person })
      .update({ client_id: String(other) })
    expect(await talk())
      .to.include('Is the film included?')
      .and.not.include(src)
  })

  it('is replaced, and removed, each with a trace', async () => {
    const scene = await open()
    const me = await scene.visit('owner')
    await upload(me, png)
    await upload(me, Buffer.from('UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==', 'base64'), 'photo.webp')
    const { id, photo_version: version } = await accountOf(scene)
    expect((await me.get(`/photo/${id}/${version}`)).headers['content-type']).to.equal('image/webp')
    expect((await me.get(`/photo/${id}/older`)).headers['cache-control']).to.equal('private, no-cache')
    for (let n = 0; n < 2; n++)
      expect((await me.post('/account/profile/photo/removal')).headers.location).to.include('saved=removed')
    expect((await me.get(`/photo/${id}/${version}`)).status).to.equal(404)
    expect((await me.get('/')).text).to.not.include('/photo/')
    expect(await eventsOf(scene, 'account.photo-changed')).to.have.length(2)
    expect(await eventsOf(scene, 'account.photo-removed')).to.have.length(1)
  })

  it('is no drawing, no page, no huge file, nothing; and what hides behind a picture is cut off', async () => {
    const scene = await open()
    const me = await scene.visit('owner')
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
    for (const bytes of [svg, Buffer.from('<html>'), Buffer.alloc(1_000_001), Buffer.alloc(6_000_000), Buffer.alloc(0)])
      expect((await upload(me, bytes)).status, `${bytes.length}`).to.equal(422)
    expect((await me.post('/account/profile/photo', { photo: 'text' })).status).to.equal(422)
    expect(await upload(me, svg)).to.show('Choose a JPEG, PNG or WebP')
    await upload(me, Buffer.concat([png, Buffer.from('<script>alert(1)</script>')]), 'x.html')
    const { id, photo_version: version } = await accountOf(scene)
    const { body, headers } = await me.get(`/photo/${id}/${version}`)
    expect(body).to.deep.equal(png)
    expect(headers['content-type']).to.equal('image/png')
  })
})
