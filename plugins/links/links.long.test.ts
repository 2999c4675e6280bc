import { expect } from 'chai'
import { extractText } from 'unpdf'
import { role } from '../../demo/portal-database.ts'
import { prune } from '../../src/cli/prune.ts'
import { faults } from '../../src/evidence/chain.ts'
import { check } from '../../src/evidence/check.ts'
import { rollback } from '../../src/platform/migrations.ts'
import { testTime } from '../../test/database.ts'
import { person, type Shared, share } from '../../test/links.ts'
import { leave, open, type Visitor, whoIs } from '../../test/visit.ts'

const number = 'P-2026-031'
const signer = 'nadia@acmebakery.example'

describe('a public link to one document', () => {
  afterEach(leave)

  it('is made by staff, shown once, mailed, and opens that document for a browser without an account', async () => {
    const scene = await open({ mail: 'kept' })
    const admin = await scene.visit('admin')
    const { made, address, id, path } = await share(scene, { contact: signer })

    expect(made).to.show('it is shown only once', `We’ve also sent it to ${signer}`)
    expect(address).to.match(/^https:\/\/crm\.example\/portal\/brightside\/link\/[\w-]{43}$/)
    expect((await scene.mailTo(signer)).text).to.include(address)
    expect(await admin.at(`${settings}/links`))
      .to.show(number, 'Acme Bakery', 'made by Marta Lindqvist', 'never opened')
      .and.not.show(path)
    const [row] = await scene.owner('portal.client_links')
    expect(JSON.stringify(row)).to.not.include(path.split('/').at(-1))

    const guest = await person(scene)
    const arrived = await guest.get(path)
    expect(arrived.status).to.equal(303)
    expect(arrived.headers.location).to.equal(`/portal/brightside/link/open/${row.id}/proposals/${id}`)
    expect(String(arrived.headers['set-cookie'])).to.match(
      new RegExp(
        `^portico.link=[\\w-]+; Max-Age=86\\d{3}; Path=/portal/brightside/link/open/${row.id};.* HttpOnly; SameSite=Lax`,
      ),
    )
    const page = await guest.at(arrived.headers.location!)
    expect(page)
      .to.show(number, 'Accept and sign', 'This link works until', 'Sign in instead')
      .and.not.show('<nav', 'Your question', `href="/portal/brightside/proposals"`)
    for (const it of [arrived, page])
      expect(it.headers).to.include({
        'referrer-policy': 'no-referrer',
        'x-robots-tag': 'noindex',
        'cache-control': 'private, no-store',
      })
    expect(await scene.owner('portal.client_viewed_versions')).to.be.empty
    const pdf = await guest.at(`${arrived.headers.location}/pdf`)
    expect([pdf.type, pdf.headers['referrer-policy']]).to.deep.equal(['application/pdf', 'no-referrer'])
    expect(await admin.at(`${settings}/links`)).to.show('last opened on')
    expect(await admin.at(`${settings}/activity`)).to.show(
      'made a public link to P-2026-031, valid for 30 days, and mailed it to nadia',
      'opened a public link to P-2026-031',
      'looked at proposal P-2026-031 <span class="soft">by a link</span>',
    )
    expect(await (await scene.visit('owner')).get('/activity')).to.show('Somebody</b> looked at proposal')
    expect(await admin.at(`/proposals/${id}`)).to.show(
      'looked at proposal P-2026-031 by a link',
      `href="/settings/client-portal/links?section=proposals&amp;client=1&amp;id=${id}"`,
    )
  })

  it('is made once, however often the button is pressed', async () => {
    const scene = await open({ mail: 'kept' })
    const admin = await scene.visit('admin')
    const { id } = await share(scene)
    const client = String((await scene.owner('clients').where({ company_name: 'Acme Bakery' }).first('id')).id)
    const { text } = await admin.at(`${settings}/links?${new URLSearchParams({ section: 'proposals', client, id })}`)
    const contact = String((await scene.owner('contacts').where({ email: signer }).first('id')).id)
    const press = () => admin.postAt(`${settings}/links`, { ...fieldsOf(text), days: '30', contact })
    const answers = await Promise.all([press(), press()])
    expect(answers.map(it => it.status).sort()).to.deep.equal([200, 303])
    const late = answers.find(it => it.status === 303)!
    expect(late.headers.location).to.equal(`${settings}/links?again`)
    expect(await admin.at(late.headers.location!)).to.show('You pressed the button twice.')
    expect(await scene.owner('portal.client_links')).to.have.length(2)
    expect(await scene.owner('portal.client_outbox').where({ kind: 'links.sent' })).to.have.length(1)
    expect(await scene.owner('portal.client_activity_logs').where({ event: 'links.made' })).to.have.length(2)
  })

  it('is mailed in English, dates and all, to whom the portal has no other words for', async () => {
    const scene = await open({ mail: 'kept' })
    await scene.owner('contacts').where({ email: signer }).update({ language: 'nl' })
    await share(scene, { contact: signer })
    const english = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeZone: 'Europe/Amsterdam' })
    const until = english.format(testTime() + 30 * 86_400_000)
    expect((await scene.mailTo(signer)).text).to.include(`The link works until ${until}.`)
  })

  it('answers alike for unknown, expired, revoked and disabled links, and for clients that are gone', async () => {
    const scene = await open({ mail: 'kept' })
    const admin = await scene.visit('admin')
    const shared = await share(scene)
    const guest = await person(scene)
    const here = (await guest.get(shared.path)).headers.location!
    const [{ id: link }] = await scene.owner('portal.client_links')
    const plain = (text: string) => text.replaceAll(/nonce="[^"]+"/g, '')
    const unknown = await guest.get('/link/nonsense')
    expect(unknown.status).to.equal(404)
    expect(unknown).to.show('This link doesn’t work', 'Ask the sender')

    const refused = async (why: string) => {
      for (const it of [await guest.get(shared.path), await guest.at(here), await guest.at(`${here}/pdf`)]) {
        expect(it.status, why).to.equal(404)
        expect(plain(it.text), why).to.equal(plain(unknown.text))
      }
    }
    const during = async (why: string, table: string, where: object, change: object, back: object) => {
      expect((await guest.at(here)).status, why).to.equal(200)
      expect(await scene.owner(table).where(where).update(change), why).to.equal(1)
      await refused(why)
      await scene.owner(table).where(where).update(back)
    }
    const setting = { workspace_id: '1', name: 'proposals.links' }
    await during('switched off', 'portal.client_portal_settings', setting, { value: 'false' }, { value: 'true' })
    await during('archived', 'clients', { id: 1 }, { archived: true }, { archived: false })
    const section = { ...setting, name: 'proposals', changed_by: 'a test' }
    await scene.owner('portal.client_portal_settings').insert({ ...section, value: 'true' })
    await during(
      'no section',
      'portal.client_portal_settings',
      { name: 'proposals' },
      { value: 'false' },
      { value: 'true' },
    )
    const except = { ...setting, client_id: '1', changed_by: 'a test' }
    await scene.owner('portal.client_portal_settings').insert({ ...except, value: 'true' })
    await during(
      'not for them',
      'portal.client_portal_settings',
      { client_id: '1' },
      { value: 'false' },
      { value: 'true' },
    )
    const week = new Date(testTime() + 7 * 86_400_000)
    await during('over', 'portal.client_links', {}, { expires_at: new Date(testTime()) }, { expires_at: week })
    expect((await admin.postAt(`${settings}/links/${link}/revocation`)).headers.location).to.equal(
      `${settings}/links?revoked`,
    )
    await refused('taken back')
    expect((await admin.postAt(`${settings}/links/${link}/revocation`)).status).to.equal(404)
    expect(await admin.at(`${settings}/activity`)).to.show('revoked a public link to P-2026-031')
  })

  it('is good with its own cookie only, and for its own document only', async () => {
    const scene = await open({ mail: 'kept' })
    const [one, two] = [await share(scene), await share(scene, { number: 'P-2026-024' })]
    const offer = await share(scene, { section: 'quotations', number: await quotation(scene) })
    const [guest, other, nobody] = [await person(scene), await person(scene), await person(scene)]
    const arrive = async (who: Visitor, it: Shared) => who.get(it.path)
    const mine = await arrive(guest, one)
    const here = mine.headers.location!
    const theirs = (await arrive(other, two)).headers.location!
    await arrive(other, offer)
    const cookie = String(mine.headers['set-cookie']).split(';')[0]!
    const base = here.replace(/\/proposals\/\d+$/, '')

    expect((await nobody.at(here)).status).to.equal(404)
    expect((await nobody.at(here).set('Cookie', cookie)).status).to.equal(200)
    expect((await nobody.at(here).set('Cookie', `${cookie.slice(0, -3)}AAA`)).status).to.equal(404)
    expect((await nobody.at(theirs).set('Cookie', cookie)).status).to.equal(404)
    expect((await nobody.at(here.replace('brightside', 'ledgerline')).set('Cookie', cookie)).status).to.equal(404)
    expect((await nobody.at(one.path.replace(/^/, '/portal/ledgerline'))).status).to.equal(404)
    for (const path of [
      ...[`/proposals/${two.id}`, `/proposals/${one.id}%2F..%2F${two.id}`, `/proposals/${one.id}/../${two.id}`],
      ...[`/proposals/%2e%2e/${two.id}`, `/proposals/${two.id}/pdf`, `/proposals/${two.id}/acceptance`],
      ...[
        '/proposals',
        '/proposals/',
        `/quotations/${offer.id}`,
        '/invoices',
        '/account',
        '/team',
        '/activity',
        '/',
        '',
      ],
      ...[`/proposals/${one.id}/evidence`, `/proposals/${one.id}/evidence/bundle`, `/proposals/0${one.id}`],
    ]) {
      const answer = await guest.at(base + path)
      expect(answer.status, path).to.equal(404)
      expect(answer, path).to.not.show('P-2026-024')
    }
    for (const path of ['comments', 'request', 'acceptance', 'rejection']) {
      const answer = await guest.postAt(`${here}/${path}`, { text: 'x', agree: 'on', reason: 'x', seen: '' })
      expect(answer.status, path).to.equal(/acceptance|rejection/.test(path) ? 403 : 404)
    }
    expect((await guest.postAt(`${here}`, {})).status).to.equal(404)
    for (let at = 0; at < 20; at++) await guest.at(`${base}/proposals/${two.id}`)
    expect(await scene.owner('portal.client_alerts')).to.be.empty
    expect((await guest.get('/proposals')).status).to.equal(303)
    expect((await guest.get(`/api/v1/link/open/x`)).status).to.be.oneOf([401, 404])
    expect(await scene.owner('portal.client_signatures')).to.be.empty
    expect(await scene.owner('portal.client_comments')).to.be.empty
  })

  it('ignores an account that is signed in in the same browser', async () => {
    const scene = await open({ mail: 'kept' })
    const shared = await share(scene)
    const neighbour = await scene.visit('neighbour')
    const here = (await neighbour.get(shared.path)).headers.location!
    expect(await neighbour.at(here)).to.show(number)
    expect((await neighbour.get(`/proposals/${shared.id}`)).status).to.equal(404)
    expect((await neighbour.at(`${here}/acceptance`)).status).to.equal(403)
    expect((await neighbour.get('/account')).status).to.equal(200)
  })

  it('is signed after a code in the mail of a contact, with evidence, status and copies like any other', async () => {
    const scene = await open({ mail: 'kept' })
    const { id, path } = await share(scene)
    const guest = await person(scene)
    const here = (await guest.get(path)).headers.location!
    await guest.at(here)
    const owner = await scene.visit('owner')
    await owner.get(`/proposals/${id}`)
    const another = await person(scene)
    await another.at((await another.get((await share(scene)).path)).headers.location!)

    const asked = await guest.at(`${here}/acceptance?options=1`)
    expect(asked.status).to.equal(403)
    expect(asked).to.show('Your e-mail address').and.not.show('Nadia', 'What is included')
    const done = await proven(guest, scene, asked.text, here)
    expect(done.headers.location).to.equal(`${here}/acceptance?options=1`)
    const page = await guest.at(`${here}/acceptance`)
    expect(page).to.show('What is included', 'You sign as Nadia El-Khoury, for Acme Bakery.')
    const mood = { file_name: 'Mood board.jpg' }
    const { storage_key: shown } = await scene.owner('documents').where(mood).first('storage_key')
    await scene.owner('documents').where(mood).update({ storage_key: '1/1/winter-1' })
    const swapped = await guest.postAt(`${here}/acceptance`, sign(page.text))
    expect(swapped.status).to.equal(409)
    expect(swapped).to.show('What has changed: Mood board.jpg.')
    await scene.owner('documents').where(mood).update({ storage_key: shown })
    const answer = await guest.postAt(`${here}/acceptance`, sign(page.text))
    expect(answer.headers.location).to.equal(`${here}/evidence?done`)

    expect(await scene.owner('proposals').where({ id }).first('state', 'answered_by')).to.deep.equal({
      state: 'accepted',
      answered_by: 'Nadia El-Khoury',
    })
    const { evidence, bundle } = await bundled(guest, here)
    expect(check(bundle).filter(it => !it.good)).to.deep.equal([])
    expect(await faults(scene.database, '1')).to.deep.equal([])
    const [contact] = await scene.owner('contacts').where({ email: signer })
    expect(evidence.signer).to.include({
      name: 'Nadia El-Khoury',
      email: signer,
      role: 'contact',
      contact: String(contact.id),
    })
    expect(evidence.authentication.map((it: any) => it.by)).to.deep.equal(['code'])
    expect(evidence.seen.times).to.equal(1)
    expect(evidence.publicLink).to.deep.include({ madeBy: 'Marta Lindqvist' })
    expect(evidence.publicLink.seen.times).to.equal(1)
    expect(await guest.at(`${here}/evidence`)).to.show(
      'Opened from',
      'a public link that Marta Lindqvist made',
      'mailed code',
    )

    const [copy, second] = [await scene.mailTo(signer, 'P-2026-031: the signed copy'), await person(scene)]
    expect(copy.text).to.not.include('See the evidence')
    const pdf = Buffer.from(copy.attachments![0]!.content, 'base64')
    const checked = await second.agent.post('/portal/brightside/verify').attach('file', pdf, 'signed.pdf')
    expect(checked).to.show('with a code sent to this address', signer).and.not.show('signed in as')
    const { text } = await extractText(new Uint8Array(pdf), { mergePages: true })
    expect(text).to.include('Opened from').and.include('a public link that Marta Lindqvist made')
    expect(await owner.get('/activity')).to.show('Nadia El-Khoury</b> accepted proposal P-2026-031, version 2')
    expect(await owner.get(`/proposals/${id}/evidence`)).to.show('Accepted and signed', 'a public link that')

    const there = (await second.get(path)).headers.location!
    expect(await second.at(there))
      .to.show('Accepted')
      .and.not.show('View signed copy and evidence', 'Sign and accept')
    for (const it of ['', '/pdf', '/bundle']) expect((await second.at(`${there}/evidence${it}`)).status).to.equal(404)
  })

  it('is declined in the same way, and asks again after ten minutes, without losing what was typed', async () => {
    const scene = await open({ mail: 'kept' })
    const { id, path } = await share(scene)
    const guest = await person(scene)
    const here = (await guest.get(path)).headers.location!
    await proven(guest, scene, (await guest.at(`${here}/rejection`)).text, here)
    const { seen } = fieldsOf((await guest.at(`${here}/rejection`)).text)
    await scene.pass(11)
    const late = await guest.postAt(`${here}/rejection`, { seen, reason: 'Too "dear"' })
    expect(late.status).to.equal(403)
    expect(late).to.show('name="reason" value="Too &#34;dear&#34;"')
    scene.mails.length = 0
    const sent = await guest.postAt(`${here}/rejection`, { ...fieldsOf(late.text), 'step-up.email': signer })
    const code = await codeFor(scene)
    const answer = await guest.postAt(`${here}/rejection`, { ...fieldsOf(sent.text), 'step-up.code': code })
    expect(answer.headers.location).to.equal(`${here}/evidence?done`)
    expect(await scene.owner('proposals').where({ id }).first('state', 'answer_note')).to.deep.equal({
      state: 'rejected',
      answer_note: 'Too "dear"',
    })
    expect(await guest.at(`${here}/evidence?done`)).to.show('You declined it.')
  })

  it('mails a code only to contacts of the client, and answers alike for everybody else', async () => {
    const scene = await open({ mail: 'kept' })
    const { path } = await share(scene)
    const guest = await person(scene)
    const here = (await guest.get(path)).headers.location!
    const asked = fieldsOf((await guest.at(`${here}/acceptance`)).text)
    const plain = (text: string, email: string) =>
      text.replaceAll(/nonce="[^"]+"|step-up.id" value="[^"]+"/g, '').replaceAll(email, '…')
    const answers = []
    await scene
      .owner('portal.client_users')
      .where({ email: 'sanne@acmebakery.example' })
      .update({ suspended_at: new Date(testTime()) })
    const before = scene.mails.length
    const strangers = ['nobody@else.example', 'declan@halloran.example', 'sanne@acmebakery.example']
    for (const email of [...strangers, signer]) {
      const rows = async () => Number((await scene.owner('portal.client_outbox').count())[0]!.count)
      const had = await rows()
      const { status, text } = await guest.postAt(`${base(here)}/code`, { ...asked, 'step-up.email': email })
      answers.push([status, plain(text, email), (await rows()) - had])
    }
    await scene.mailTo(signer)
    for (const it of answers) expect(it).to.deep.equal(answers[0])
    expect(scene.mails.slice(before).map(it => it.to)).to.deep.equal([signer])
  })

  it('knows the address it was mailed to, shows it in part, and lets anybody else type theirs', async () => {
    const scene = await open({ mail: 'kept' })
    const { path } = await share(scene, { contact: signer })
    const guest = await person(scene)
    const here = (await guest.get(path)).headers.location!
    const asked = await guest.at(`${here}/acceptance`)
    expect(asked)
      .to.show('send a code to n•••@acmebakery.example, where you got this link', 'Use another address')
      .and.not.show(signer)
    scene.mails.length = 0
    const sent = await guest.postAt(`${base(here)}/code`, fieldsOf(asked.text))
    expect(sent).to.show('sent six digits to n•••@acmebakery.example').and.not.show(signer)
    const code = await codeFor(scene, signer)
    await guest.postAt(`${base(here)}/code`, { ...fieldsOf(sent.text), 'step-up.code': code })
    expect(await guest.at(`${here}/acceptance`)).to.show('You sign as Nadia El-Khoury')

    const other = await person(scene)
    await other.get(path)
    await proven(other, scene, (await other.at(`${here}/acceptance`)).text, here, whoIs('approver').email)
    expect(await other.at(`${here}/acceptance`)).to.show(`You sign as ${whoIs('approver').name}`)

    // Whoever has left, or is suspended, is not told that a code is on its way.
    await scene
      .owner('portal.client_users')
      .where({ email: signer })
      .update({ suspended_at: new Date(testTime()) })
    const late = await person(scene)
    await late.get(path)
    expect(await late.at(`${here}/acceptance`))
      .to.show('Your e-mail address')
      .and.not.show('n•••@')
  })

  it('takes a code once, five times wrong at most, in the browser and for the link where it was asked for', async () => {
    const scene = await open({ mail: 'kept' })
    const [one, two] = [await share(scene), await share(scene, { number: 'P-2026-024' })]
    const [guest, thief] = [await person(scene), await person(scene)]
    const here = (await guest.get(one.path)).headers.location!
    const [copied, other] = [
      (await thief.get(one.path)).headers.location!,
      (await guest.get(two.path)).headers.location!,
    ]
    const ask = async () => {
      scene.mails.length = 0
      const asked = fieldsOf((await guest.at(`${here}/acceptance`)).text)
      const sent = await guest.postAt(`${base(here)}/code`, { ...asked, 'step-up.email': signer })
      return { ...fieldsOf(sent.text), 'step-up.code': await codeFor(scene) }
    }
    const form = await ask()
    expect((await thief.postAt(`${base(copied)}/code`, form)).status).to.equal(422)
    expect((await guest.postAt(`${base(other)}/code`, form)).status).to.equal(422)
    expect((await guest.postAt(`${base(here)}/code`, form)).status).to.equal(303)
    const again = await person(scene)
    expect((await again.postAt(`${base((await again.get(one.path)).headers.location!)}/code`, form)).status).to.equal(
      422,
    )

    await guest.get(one.path)
    const next = await ask()
    const wrong = { ...next, 'step-up.code': next['step-up.code'] === '111111' ? '222222' : '111111' }
    for (let at = 0; at < 5; at++) expect((await guest.postAt(`${base(here)}/code`, wrong)).status).to.equal(422)
    expect((await guest.postAt(`${base(here)}/code`, next)).status).to.equal(422)

    const last = await ask()
    await scene.owner('portal.client_tokens').update({ expires_at: new Date(testTime()) })
    expect((await guest.postAt(`${base(here)}/code`, last)).status).to.equal(422)
  })

  it('asks for a code before it shows anything, where it is made so, and again of who has left', async () => {
    const scene = await open({ mail: 'kept' })
    const { id, path } = await share(scene, { coded: 'on' })
    const guest = await person(scene)
    const here = (await guest.get(path)).headers.location!
    for (const it of ['', '/pdf', '/acceptance', '/evidence']) {
      const answer = await guest.at(here + it)
      expect(answer.status, it).to.equal(403)
      expect(answer.text, it).to.not.match(/P-2026|Acme|Winter/)
    }
    await proven(guest, scene, (await guest.at(here)).text, here)
    expect(await guest.at(here)).to.show(number, 'Accept and sign')
    const page = await guest.at(`${here}/acceptance`)
    await scene.owner('contacts').where({ email: signer }).update({ left_on: '2026-11-01' })
    for (const it of ['', '/pdf', '/acceptance']) expect((await guest.at(here + it)).status, it).to.equal(403)
    expect((await guest.postAt(`${here}/acceptance`, sign(page.text))).status).to.equal(403)
    await scene.owner('contacts').where({ email: signer }).update({ left_on: null, email: 'new@acmebakery.example' })
    expect((await guest.at(here)).status).to.equal(403)
    await scene.owner('contacts').where({ email: 'new@acmebakery.example' }).update({ email: signer })
    expect((await guest.at(here)).status).to.equal(200)
    await scene
      .owner('portal.client_users')
      .where({ email: signer })
      .update({ suspended_at: new Date(testTime()) })
    expect((await guest.at(here)).status).to.equal(403)
    expect((await scene.owner('proposals').where({ id }).first('state')).state).to.equal('sent')
  })

  it('accepts once when two browsers accept at the same time', async () => {
    const scene = await open({ mail: 'kept' })
    const { path } = await share(scene)
    const who = ['owner', 'approver'] as const
    const guests = []
    for (const role of who) {
      const { email, name } = whoIs(role)
      const guest = await person(scene)
      const here = (await guest.get(path)).headers.location!
      await proven(guest, scene, (await guest.at(`${here}/acceptance`)).text, here, email)
      const fields = { ...sign((await guest.at(`${here}/acceptance`)).text), typed: name }
      guests.push({ guest, here, fields })
    }
    const answers = await Promise.all(guests.map(it => it.guest.postAt(`${it.here}/acceptance`, it.fields)))
    expect(answers.map(it => it.status).sort()).to.deep.equal([303, 409])
    const late = answers.find(it => it.status === 409)!
    expect(late).to.show('This has changed in the meantime.', 'Accepted').and.not.show('View signed copy and evidence')
    const [row, ...more] = await scene.owner('portal.client_signatures')
    expect([row.signer, more.length]).to.deep.equal([
      answers[0]!.status === 303 ? 'Nadia El-Khoury' : 'Sanne de Boer',
      0,
    ])
  })

  it('lets nobody with an account do more than that: roles and limits hold here too', async () => {
    const scene = await open({ mail: 'kept' })
    const { path } = await share(scene)
    const viewer = await person(scene)
    const here = (await viewer.get(path)).headers.location!
    const form = { seen: 'x', agree: 'on', how: 'typed', typed: 'I' }
    scene.mails.length = 0
    const asked = fieldsOf((await viewer.postAt(`${here}/acceptance`, form)).text)
    const sent = await viewer.postAt(`${here}/acceptance`, { ...asked, 'step-up.email': whoIs('viewer').email })
    const code = await codeFor(scene, whoIs('viewer').email)
    const answer = await viewer.postAt(`${here}/acceptance`, { ...fieldsOf(sent.text), 'step-up.code': code })
    expect(answer.status).to.equal(403)
    expect(answer).to.show('You don’t have permission to do this.')
    for (const it of ['acceptance', 'rejection']) expect((await viewer.at(`${here}/${it}`)).status).to.equal(403)

    const { id } = await scene
      .owner('portal.client_users')
      .where({ email: whoIs('approver').email })
      .first('id')
    const limit = { workspace_id: '1', client_id: '1', name: 'limit', changed_by: 'a test' }
    await scene.owner('portal.client_portal_settings').insert({ ...limit, person_id: id, value: '"16736.71 EUR"' })
    await scene.owner('portal.client_portal_settings').insert({ ...limit, value: '"5.00 EUR"' })
    expect(await viewer.at(here)).to.not.show('Accept and sign')
    const guest = await person(scene)
    const there = (await guest.get(path)).headers.location!
    expect(await guest.at(there))
      .to.show('Accept and sign')
      .and.not.show('You can accept up to')
    await proven(guest, scene, (await guest.at(`${there}/acceptance`)).text, there, whoIs('approver').email)
    const page = await guest.at(`${there}/acceptance`)
    expect(page).to.show('You can accept up to €16,736.71.').and.not.show('Sign and accept', 'Ask a colleague')
    expect((await guest.postAt(`${there}/acceptance`, sign(page.text))).status).to.equal(403)
    expect(await scene.owner('portal.client_signatures')).to.be.empty
  })

  it('drops the verification when the visitor wants to use another address', async () => {
    const scene = await open({ mail: 'kept' })
    const { path } = await share(scene)
    const guest = await person(scene)
    const here = (await guest.get(path)).headers.location!
    expect(await guest.at(here)).to.not.show('Use another address')
    await proven(guest, scene, (await guest.at(`${here}/acceptance`)).text, here, whoIs('viewer').email)
    const refused = await guest.at(`${here}/acceptance`)
    expect(refused.status).to.equal(403)
    const forget = `${base(here)}/another-address`
    for (const page of [refused, await guest.at(here)])
      expect(page).to.show('Use another address', whoIs('viewer').email, forget)
    expect(refused).to.show('Back to the document').and.not.show('Go to the home page')

    // Not by GET, not from another site, not for somebody else's browser.
    expect((await guest.at(forget)).status).to.equal(404)
    expect((await guest.agent.post(forget).set('Sec-Fetch-Site', 'cross-site')).status).to.equal(403)
    expect((await (await person(scene)).postAt(forget)).status).to.equal(404)
    expect((await guest.at(`${here}/acceptance`)).status).to.equal(403)

    const forgotten = await guest.postAt(forget)
    expect(forgotten.headers.location).to.equal(here)
    expect(await guest.at(here)).to.not.show('Use another address')
    const asked = await guest.at(`${here}/acceptance`)
    expect(asked).to.show('Your e-mail address').and.not.show('What is included')
    await proven(guest, scene, asked.text, here)
    const page = await guest.at(`${here}/acceptance`)
    expect(page).to.show('You sign as Nadia El-Khoury')
    expect((await guest.postAt(`${here}/acceptance`, sign(page.text))).headers.location).to.equal(
      `${here}/evidence?done`,
    )
  })

  it('lets nobody sign past a second factor, or whose access has ended', async () => {
    const scene = await open({ mail: 'kept' })
    const { id, path } = await share(scene)
    const arrive = async (email: string) => {
      const guest = await person(scene)
      const here = (await guest.get(path)).headers.location!
      await proven(guest, scene, (await guest.at(`${here}/acceptance`)).text, here, email)
      return { guest, here }
    }
    const refused = async ({ guest, here }: Awaited<ReturnType<typeof arrive>>, why: string) => {
      const page = await guest.at(here)
      expect(page).to.show(number, 'To accept or decline, sign in').and.not.show('Accept and sign')
      for (const it of ['acceptance', 'rejection']) {
        expect((await guest.at(`${here}/${it}`)).status, why).to.equal(403)
        const form = { seen: 'x', agree: 'on', how: 'typed', typed: 'I', reason: 'x' }
        expect((await guest.postAt(`${here}/${it}`, form)).status, why).to.equal(403)
      }
    }
    const [approver, viewer] = [await arrive(whoIs('approver').email), await arrive(whoIs('viewer').email)]
    const demand = { workspace_id: '1', name: 'second-factor.policy', changed_by: 'a test' }
    const signs = async (why: string) =>
      expect((await approver.guest.at(`${approver.here}/acceptance`)).status, why).to.equal(200)
    await scene.owner('portal.client_portal_settings').insert({ ...demand, value: '"2026-12-01 admin approver"' })
    await signs('not yet demanded')
    await scene.owner('portal.client_portal_settings').where(demand).update({ value: '"2026-11-01 admin approver"' })
    await refused(approver, 'demanded')
    await scene.owner('portal.client_portal_settings').where(demand).update({ value: '"2026-11-01 billing"' })
    await signs('demanded of others')
    const [{ id: who }] = await scene.owner('portal.client_users').where({ email: whoIs('approver').email })
    await scene.owner('portal.client_factors').insert({
      ...{
        workspace_id: '1',
        id: 'a passkey',
        person_id: who,
        kind: 'passkey',
        name: 'Phone',
        confirmed_at: new Date(testTime()),
      },
    })
    await refused(approver, 'has one')

    const [{ id: gone }] = await scene.owner('portal.client_users').where({ email: whoIs('viewer').email })
    expect((await (await scene.visit('owner')).post(`/team/${gone}/removal`)).status).to.equal(303)
    await refused(viewer, 'ended')
    expect((await scene.owner('proposals').where({ id }).first('state')).state).to.equal('sent')
  })

  it('with a code is not shown where no code can be mailed any more', async () => {
    const scene = await open({ mail: 'kept' })
    const { path } = await share(scene, { coded: 'on' })
    const guest = await person(await open({ on: scene }))
    expect(await guest.at((await guest.get(path)).headers.location!))
      .to.show('We can’t send a code right now.')
      .and.not.show('P-2026', 'Your e-mail address')
  })

  it('can be read, and not signed, where no mail is set up', async () => {
    const scene = await open()
    const { id, path, made } = await share(scene)
    expect(made).to.show('https://crm.example/portal/brightside/link/').and.not.show('E-mail it to')
    const guest = await person(scene)
    const here = (await guest.get(path)).headers.location!
    expect(await guest.at(here))
      .to.show(number, 'To accept or decline, sign in, or ask Brightside Agency.')
      .and.not.show('Accept and sign', 'An approver of')
    for (const it of ['acceptance', 'rejection']) {
      expect((await guest.at(`${here}/${it}`)).status).to.equal(404)
      expect((await guest.postAt(`${here}/${it}`, { seen: '', agree: 'on' })).status).to.equal(404)
    }
    const code = await (await scene.visit('admin')).postAt(`${settings}/links`, {
      ...found,
      id,
      coded: 'on',
      days: '7',
    })
    expect(code.status).to.equal(422)
  })

  it('speaks of accepting only where there is something to accept', async () => {
    const scene = await open()
    const arrive = async (more: object) => {
      const { path } = await share(scene, { ...more })
      const guest = await person(scene)
      return guest.at((await guest.get(path)).headers.location!)
    }
    const footer = 'This link works until'
    for (const more of [
      { section: 'invoices', number: '2026-0112' },
      { number: 'P-2026-024' },
      { number: 'P-2026-019' },
    ])
      expect(await arrive(more), JSON.stringify(more))
        .to.show(footer, 'Sign in instead')
        .and.not.show('To accept or decline')
    expect(await arrive({})).to.show(footer, 'To accept or decline, sign in')
    await scene.owner('portal.client_portal_settings').insert({
      ...{ workspace_id: '1', name: 'proposals.responses', value: 'false', changed_by: 'a test' },
    })
    expect(await arrive({}))
      .to.show(footer, 'Sign in instead')
      .and.not.show('To accept or decline')
  })

  it('is not signed where the workspace asks for a second factor first, which no link has', async () => {
    const scene = await open({ mail: 'kept' })
    const { path } = await share(scene)
    const guest = await person(scene)
    const here = (await guest.get(path)).headers.location!
    await proven(guest, scene, (await guest.at(`${here}/acceptance`)).text, here)
    const page = await guest.at(`${here}/acceptance`)
    await scene.owner('portal.client_portal_settings').insert({
      ...{ workspace_id: '1', name: 'step-up.proposals.accept', value: '"second"', changed_by: 'a test' },
    })
    expect(await guest.at(here))
      .to.show('To accept or decline, sign in')
      .and.not.show('Accept and sign')
    expect((await guest.postAt(`${here}/acceptance`, sign(page.text))).status).to.equal(404)
    expect(await scene.owner('portal.client_signatures')).to.be.empty
  })

  it('tells programs from people: what a scanner fetches is no look', async () => {
    const scene = await open({ mail: 'kept' })
    const { path } = await share(scene)
    const robots = [
      { 'User-Agent': 'curl/8.5' },
      { 'User-Agent': 'Mozilla/5.0 (compatible; Googlebot/2.1)' },
      { 'User-Agent': 'Mozilla/5.0 HeadlessChrome/130' },
      { 'User-Agent': 'Mozilla/5.0', 'Sec-Purpose': 'prefetch' },
      { 'User-Agent': 'Mozilla/5.0', 'Sec-Fetch-Mode': 'no-cors' },
    ]
    for (const headers of robots) {
      const robot = await scene.visit()
      const { location } = (await robot.get(path).set(headers)).headers
      expect((await robot.at(location!).set(headers)).status).to.equal(200)
    }
    const events = async () =>
      (
        await scene
          .owner('portal.client_activity_logs')
          .where('event', '~', '^links.(opened|fetched)|viewed')
          .orderBy('id')
      ).map(it => `${it.actor_kind} ${it.event}`)
    expect(new Set(await events())).to.deep.equal(new Set(['nobody links.fetched']))
    const guest = await person(scene)
    await guest.at((await guest.get(path)).headers.location!)
    expect((await events()).slice(-2)).to.deep.equal(['link links.opened', 'link proposals.viewed'])
  })

  it('is guessed by nobody: tries from one address are slowed down, and good links are not counted', async () => {
    const scene = await open({ mail: 'kept' })
    const { path } = await share(scene)
    const guest = await person(scene)
    for (let at = 0; at < 35; at++) expect((await guest.get(path)).status).to.equal(303)
    const tries = []
    for (let at = 0; at < 31; at++) tries.push((await guest.get(`/link/guess-${at}`)).status)
    expect(tries.slice(0, 30).every(it => it === 404)).to.equal(true)
    expect(tries[30]).to.equal(429)
    expect((await guest.get(path)).status).to.equal(429)
  })

  it('is forgotten 90 days after its end, and stands in the way of no rollback', async () => {
    const scene = await open({ mail: 'kept' })
    const { path } = await share(scene)
    const guest = await person(scene)
    const here = (await guest.get(path)).headers.location!
    await proven(guest, scene, (await guest.at(`${here}/acceptance`)).text, here)
    const config = { ownerUrl: scene.owner.client.config.connection, url: '' } as never
    const ended = (days: number) =>
      scene.owner('portal.client_links').update({ expires_at: new Date(testTime() - days * 86_400_000) })
    await ended(89)
    expect(await prune(config)).to.include(', 0 public links')
    await ended(91)
    expect(await prune(config)).to.include(', 1 public links')

    expect(await scene.owner('portal.client_activity_logs').where({ actor_kind: 'link' })).to.not.be.empty
    expect(await scene.owner('portal.client_tokens').where({ kind: 'link' })).to.not.be.empty
    await rollback(scene.owner, { role })
    expect(await scene.owner('pg_namespace').where({ nspname: 'portal' })).to.be.empty
  })

  it('is made for a document that staff find by number, title or client', async () => {
    const scene = await open({ mail: 'kept' })
    const admin = await scene.visit('admin')
    const search = (words: string) => admin.at(`${settings}/links?${new URLSearchParams({ search: words })}`)
    expect(await search(number)).to.show('No document found', `href="${settings}/visibility"`)
    await share(scene)
    const { id } = await scene.owner('proposals').where({ ref_no: number, client_id: 1 }).first('id')
    const address = `${settings}/links?section=proposals&amp;client=1&amp;id=${id}`
    for (const words of [number, number.toLowerCase(), 'winter campaign', 'Acme'])
      expect(await search(words), words).to.show('P-2026-031', 'Winter campaign', 'Proposals · ', `href="${address}"`)
    expect(await admin.at(address.replaceAll('&amp;', '&'))).to.show('Link to P-2026-031')
    const draft = await scene.owner('proposals').where({ client_id: 1, state: 'draft' }).first('title')
    const elsewhere = await scene.owner('proposals').whereNot({ workspace_id: 1 }).first('title')
    const there = await scene.owner('clients').whereNot({ workspace_id: 1 }).first('company_name')
    for (const words of [draft.title, elsewhere.title, there.company_name, '%', '_', "'x", '<b>'])
      expect(await search(words), words).to.show('No document found')
    expect(await search('2026-0107')).to.show('No document found')
    await share(scene, { section: 'invoices', number: '2026-0107' })
    expect(await search('2026-0107')).to.show('Invoices · ', 'Create link to 2026-0107')
    await scene
      .owner('portal.client_portal_settings')
      .insert({ workspace_id: '1', client_id: '1', name: 'portal', value: 'false', changed_by: 'a test' })
    expect(await search(number)).to.show('No document found')
    expect((await (await scene.visit('colleague')).at(`${settings}/links?search=${number}`)).status).to.equal(403)
  })

  it('is reached from the row of a response, where links are on', async () => {
    const scene = await open({ mail: 'kept' })
    const [admin, owner] = [await scene.visit('admin'), await scene.visit('owner')]
    const { id } = await scene.owner('proposals').where({ ref_no: number, client_id: 1 }).first('id')
    const { text } = await owner.get(`/proposals/${id}/rejection`)
    const [, seen] = /name="seen"\s+value="([^"]*)"/.exec(text) ?? []
    await owner.post(`/proposals/${id}/rejection`, { seen, reason: 'Later.' })
    expect(await admin.at(`${settings}/responses`)).to.not.show('Public link')
    await share(scene)
    expect(await admin.at(`${settings}/responses`)).to.show(
      `href="${settings}/links?section=proposals&amp;client=1&amp;id=${id}" aria-label="Public link to P-2026-031"`,
    )
  })

  it('is not made for what the client does not see, or while links are off, and says why', async () => {
    const scene = await open({ mail: 'kept' })
    const admin = await scene.visit('admin')
    const make = (more: object) => admin.postAt(`${settings}/links`, { ...found, days: '30', ...more })
    const [draft] = await scene.owner('proposals').where({ client_id: 1, state: 'draft' })
    const [foreign] = await scene
      .owner('proposals as p')
      .join('clients as c', 'c.id', 'p.client_id')
      .whereNot('p.client_id', 1)
      .where('c.workspace_id', 1)
      .select('p.id')
    const { id } = await scene.owner('proposals').where({ ref_no: number, client_id: 1 }).first('id')
    expect(await make({ id })).to.show('Links are switched off for this.')
    await share(scene)
    for (const [more, sentence] of [
      [{ id: draft.id }, 'This client sees no such document.'],
      [{ id: foreign.id }, 'This client sees no such document.'],
      [{ id: 'x', section: 'invoices' }, 'Links are switched off for this.'],
      [{ id: 'x', section: '__proto__' }, 'Links are switched off for this.'],
      [{ id, client: 'Nobody at all' }, 'No client has this name.'],
      [{ id, client: '99999' }, 'No client has this name.'],
      [{ id, days: '3650' }, 'Choose how long it is valid.'],
      [{ id, contact: '99999' }, 'Choose one of the people in the list.'],
    ] as const) {
      const answer = await make(more)
      expect(answer.status, sentence).to.equal(422)
      expect(answer, JSON.stringify(more)).to.show(sentence)
    }
    expect(await admin.at(`${settings}/links?section=proposals&client=bakery&document=P-2026-024`)).to.show(
      'Link to P-2026-024',
    )
    expect(await admin.at(`${settings}/links?section=proposals&client=1&document=P-0`)).to.show('sees no such document')
    await scene
      .owner('portal.client_portal_settings')
      .insert({ workspace_id: '1', client_id: '1', name: 'portal', value: 'false', changed_by: 'a test' })
    expect(await make({ id })).to.show('The portal is switched off for this client.')
    expect(await scene.owner('portal.client_links')).to.have.length(1)
    const stranger = await scene.visit('stranger')
    expect((await stranger.postAt(`${settings}/links`, { ...found, id })).text).to.not.include('it is shown only once')
  })
})

const settings = '/settings/client-portal'
const found = { section: 'proposals', client: '1' }
const base = (here: string) => here.replace(/\/\w+\/\d+$/, '')

const quotation = async ({ owner }: Awaited<ReturnType<typeof open>>) =>
  (await owner('quotations').where({ client_id: 1, status: 'sent', deleted_at: null }).first('ref_no')).ref_no

/** Hidden fields of the form in a page. */
const fieldsOf = (text: string): Record<string, string> =>
  Object.fromEntries(
    [...text.matchAll(/<input\s+type="hidden"\s+name="([^"]+)"\s+value="([^"]*)"/g)].map(
      ([, name = '', value = '']) => [name, value.replaceAll('&#34;', '"')],
    ),
  )

const sign = (text: string) => {
  const { seen } = fieldsOf(text)
  return { seen, agree: 'on', how: 'typed', typed: whoIs('owner').name }
}

const codeFor = async (scene: Awaited<ReturnType<typeof open>>, email = signer) =>
  /^(\d{6})$/m.exec((await scene.mailTo(email)).text)?.[1] ?? ''

/** From the page that asks for a code to where it leads. */
async function proven(
  guest: Visitor,
  scene: Awaited<ReturnType<typeof open>>,
  text: string,
  here: string,
  email = signer,
) {
  scene.mails.length = 0
  const sent = await guest.postAt(`${base(here)}/code`, { ...fieldsOf(text), 'step-up.email': email })
  expect(sent).to.show('sent it six digits')
  return guest.postAt(`${base(here)}/code`, { ...fieldsOf(sent.text), 'step-up.code': await codeFor(scene, email) })
}

async function bundled(guest: Visitor, here: string) {
  const bundle = (await guest.at(`${here}/evidence/bundle`)).body
  return { bundle, evidence: JSON.parse(bundle.evidence) }
}
