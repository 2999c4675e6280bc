import { createHmac } from 'node:crypto'
import { expect } from 'chai'
import { PDFDocument } from 'pdf-lib'
import request from 'supertest'
import { extractText } from 'unpdf'
import { adapter } from '../../demo/adapter/adapter.ts'
import { storedId } from '../../src/auth/sessions.ts'
import { sha256 } from '../../src/evidence/canonical.ts'
import { faults } from '../../src/evidence/chain.ts'
import { check } from '../../src/evidence/check.ts'
import { sealOf } from '../../src/evidence/seal.ts'
import { query } from '../../src/platform/database.ts'
import { testTime } from '../../test/database.ts'
import { pastTriggers } from '../../test/past-triggers.ts'
import { until } from '../../test/until.ts'
import { leave, open, type Scene, type Visitor } from '../../test/visit.ts'

/** The proposal with options that the owner has. */
const number = 'P-2026-031'

describe('answering an offer', () => {
  afterEach(leave)

  it('is choosing, reading and signing, and leaves evidence, the CRM’s status, activity and two copies', async () => {
    const scene = await open({ mail: 'kept' })
    await setting(scene, {
      copies: 'books@brightside.example',
      next: 'We call you on Monday.\nYou get the first invoice.',
    })
    const owner = await scene.visit('owner')
    const id = await idOf(owner)
    expect(await owner.get(`/proposals/${id}`)).to.show('Accept and sign', `/proposals/${id}/rejection`)

    const page = await owner.get(`/proposals/${id}/acceptance`)
    expect(page).to.show('What is included', 'for €16,736.72', 'Option you chose', 'Not included', 'Nadia El-Khoury')
    const answer = await owner.post(`/proposals/${id}/acceptance`, {
      ...fieldsOf(page.text),
      agree: 'on',
      how: 'drawn',
      strokes: JSON.stringify([
        [
          [10, 20],
          [200, 150],
          [400, 20],
          [700, 250],
        ],
      ]),
      order: 'AB-2026-477',
      wished: '2026-12-05',
    })
    expect(answer.headers.location).to.equal(`/portal/brightside/proposals/${id}/evidence?done`)

    const row = await scene.owner('proposals').where({ id }).first()
    expect(row).to.include({ state: 'accepted', answered_by: 'Nadia El-Khoury' })
    expect(row.answer_note).to.equal('Order AB-2026-477. Wished by 2026-12-05')
    expect(await owner.get('/activity')).to.show(`accepted proposal ${number}, version 2`)

    const mail = await scene.mailTo('nadia@acmebakery.example')
    const copy = await scene.mailTo('books@brightside.example')
    const pdf = Buffer.from(mail.attachments![0]!.content, 'base64')
    expect(copy.attachments![0]!.content).to.equal(mail.attachments![0]!.content)
    expect(await sealOf(pdf)).to.include({ intact: true, whole: true })
    const { text } = await extractText(new Uint8Array(pdf), { mergePages: true })
    for (const it of ['Certificate of acceptance', 'AB-2026-477', '€16,736.72', 'nadia@acmebakery.example'])
      expect(text).to.include(it)

    const done = await owner.get(`/proposals/${id}/evidence?done`)
    expect(done).to.show('Thank you, Nadia.', 'Download the signed PDF', '<path d="M10 20Q', 'We call you on Monday.')
    expect((await owner.get(`/proposals/${id}/evidence/pdf?download`)).body.equals(pdf)).to.equal(true)
    const bundle = (await owner.get(`/proposals/${id}/evidence/bundle`)).body
    expect(check(bundle).filter(it => !it.good)).to.deep.equal([])
    expect(JSON.parse(bundle.evidence)).to.deep.include({ order: { number: 'AB-2026-477', requestedOn: '2026-12-05' } })
    expect(JSON.parse(bundle.evidence).authentication[0].by).to.equal('password')
  })

  it('takes the options that are chosen, at the CRM’s prices, and writes them back', async () => {
    const scene = await open()
    const owner = await scene.visit('owner')
    const id = await idOf(owner)
    const options = await scene
      .owner('proposal_lines')
      .where({ proposal_id: id, is_optional: true })
      .orderBy('position')
    const film = options.find(it => !it.is_chosen)

    const page = await owner.get(`/proposals/${id}?options=1&option=${film.id}`)
    expect(page).to.show('€15,412.00', '€18,648.52')
    const review = await owner.get(`/proposals/${id}/acceptance?options=1&option=${film.id}`)
    const { status } = await sign(owner, id, fieldsOf(review.text))
    expect(status).to.equal(303)

    const row = await scene.owner('proposals').where({ id }).first()
    expect(row).to.include({ state: 'accepted', net_total: '15412.00', tax_total: '3236.52', grand_total: '18648.52' })
    const after = await scene.owner('proposal_lines').where({ proposal_id: id, is_optional: true }).orderBy('position')
    expect(after.map(it => it.is_chosen)).to.deep.equal(options.map(it => it.id === film.id))
    expect(await owner.get(`/proposals/${id}/evidence`)).to.not.show('Changed since it was signed')
  })

  it('takes quantities only where the workspace lets clients choose them, and only such as can be delivered', async () => {
    const scene = await open()
    const owner = await scene.visit('owner')
    const id = await idOf(owner)
    const banners = await scene
      .owner('proposal_lines')
      .where({ proposal_id: id, title: 'Printed window banners' })
      .first()
    const selection = (quantity: string) =>
      `options=1&option=${banners.id}&${encodeURIComponent(`quantity.${banners.id}`)}=${encodeURIComponent(quantity)}`

    expect(await owner.get(`/proposals/${id}?${selection('7')}`))
      .to.show('€16,736.72')
      .and.not.show('€17,133.60')
    await scene
      .owner('portal.client_portal_settings')
      .insert({ workspace_id: '1', name: 'proposals.quantities', value: 'true', changed_by: 'a test' })
    expect(await owner.get(`/proposals/${id}?${selection('7')}`)).to.show('€17,133.60')
    for (const wrong of ['-1', '0', '1.5', '1e3', '9999999', 'many'])
      expect(await owner.get(`/proposals/${id}?${selection(wrong)}`), wrong).to.show('Enter a number above zero')
    expect((await owner.get(`/proposals/${id}?options=1&option=999999`)).status).to.equal(422)
  })

  it('takes a part where the workspace lets clients leave lines out, and says in the CRM what was left out', async () => {
    const scene = await open()
    const owner = await scene.visit('owner')
    const id = await idOf(owner)
    const lines = await scene.owner('proposal_lines').where({ proposal_id: id }).orderBy('position')
    const kept = lines.filter(it => ['Concept, key visual and headline', 'Advertising set-up'].includes(it.title))
    const selection = (ids: number[]) => `options=1${ids.map(it => `&option=${it}`).join('')}`
    const wanted = selection(kept.map(it => it.id))

    expect((await owner.get(`/proposals/${id}/acceptance?${wanted}`)).status).to.equal(422)
    await scene
      .owner('portal.client_portal_settings')
      .insert({ workspace_id: '1', name: 'proposals.parts', value: 'true', changed_by: 'a test' })
    const whole = await owner.get(`/proposals/${id}`)
    expect(whole).to.show('You can leave items out', '€16,736.72')
    expect(whole.text.match(/role="switch"/g)).to.have.length(8)
    // 2,900 and 960, less 388 that nobody can leave out, and 21%.
    expect(await owner.get(`/proposals/${id}?${wanted}`)).to.show('€3,472.00', '€4,201.12')
    for (const none of [
      selection([]),
      selection([lines.find(it => Number(it.line_total) < 0).id]),
      selection([999_999]),
    ])
      expect((await owner.get(`/proposals/${id}/acceptance?${none}`)).status, none).to.equal(422)
    expect(await owner.get(`/proposals/${id}?${selection([])}`)).to.show('Choose at least one line, or decline.')
    const quantity = `&quantity.${kept[1].id}=1`
    expect(await owner.get(`/proposals/${id}?${wanted}${quantity}`)).to.show('€4,201.12')

    const review = await owner.get(`/proposals/${id}/acceptance?${wanted}`)
    expect(review).to.show('for €4,201.12', 'Not included')
    expect((await sign(owner, id, fieldsOf(review.text))).status).to.equal(303)
    expect(await scene.owner('proposals').where({ id }).first()).to.include({
      state: 'accepted',
      grand_total: '4201.12',
    })
    const after = await scene.owner('proposal_lines').where({ proposal_id: id }).orderBy('position')
    const counts = (it: any) => !it.is_optional || it.is_chosen
    expect(after.filter(counts).map(it => it.title)).to.have.members([
      'Concept, key visual and headline',
      'Advertising set-up',
      'Returning client',
    ])
    expect(after.map(it => it.line_total)).to.deep.equal(lines.map(it => it.line_total))
    expect(await owner.get(`/proposals/${id}/evidence`)).to.not.show('Changed since it was signed')
    const [{ evidence }] = await scene.owner('portal.client_signatures').select('evidence')
    expect(JSON.parse(evidence)).to.deep.include({ selection: 'own' })
    expect(await faults(scene.database, '1')).to.deep.equal([])
  })

  it('asks for a signature and the tick, and keeps what was typed', async () => {
    const { visit, owner: database } = await open()
    const owner = await visit('owner')
    const id = await idOf(owner)
    const seen = fieldsOf((await owner.get(`/proposals/${id}/acceptance`)).text)
    const typed = { ...seen, order: 'AB <7>', how: 'typed', typed: '<script>alert(1)</script>' }

    const review = await owner.get(`/proposals/${id}/acceptance`)
    expect(review).to.show('Introduction', 'Terms', ' × €', 'fixed price')
    const untick = await owner.post(`/proposals/${id}/acceptance`, typed)
    expect(untick.status).to.equal(422)
    expect(untick.text).to.not.match(/id="agree"[^>]* checked/)
    expect(untick).to.show('Tick the box to accept.', 'AB &lt;7&gt;', '&lt;script&gt;').and.not.show('<script>alert')
    for (const [more, sentence] of [
      [{ how: 'typed', typed: ' ' }, 'Enter your full name.'],
      [{ how: 'drawn', strokes: '' }, 'Draw your signature'],
      [{ how: 'drawn', strokes: '[[[1,1]]]' }, 'Draw your signature'],
      [{ how: 'drawn', strokes: '[[[1,"<svg>"],[2,2],[3,3],[4,4]]]' }, 'Draw your signature'],
      [{ how: 'ticked' }, 'Choose one of the signature methods.'],
      [{ wished: '2026-99-99' }, 'Choose a date.'],
      [{ order: 'x'.repeat(61) }, 'This is too long.'],
    ] as const) {
      const answer = await owner.post(`/proposals/${id}/acceptance`, { ...typed, agree: 'on', ...more })
      expect(answer.status, sentence).to.equal(422)
      expect(answer).to.show(sentence)
      expect(answer.text).to.match(/id="agree"[^>]* checked/)
    }
    expect((await owner.post(`/proposals/${id}/acceptance`, { strokes: 'x'.repeat(2_000_000) })).status).to.equal(413)
    expect((await database('proposals').where({ id }).first('state')).state).to.equal('sent')
    expect(await database('portal.client_signatures')).to.have.length(0)
  })

  it('takes no delivery date in the past, by the day at the workspace', async () => {
    const { visit, owner: database } = await open({ at: '2026-11-21T23:30:00Z' })
    const owner = await visit('owner')
    const id = await idOf(owner)
    const page = await owner.get(`/proposals/${id}/acceptance`)
    // It is the 22nd in Amsterdam by then.
    expect(page.text).to.match(/name="wished"[^>]*\smin="2026-11-22"/)
    const form = { ...fieldsOf(page.text), agree: 'on', how: 'typed', typed: 'Nadia El-Khoury', order: 'AB 7' }
    for (const wished of ['2026-11-21', '2025-12-31', '0001-01-01']) {
      const past = await owner.post(`/proposals/${id}/acceptance`, { ...form, wished })
      expect(past.status, wished).to.equal(422)
      expect(past).to.show('Choose today or a later day.', `value="${wished}"`, 'value="AB 7"')
    }
    const address = `/portal/brightside/api/v1/proposals/${id}/acceptance`
    const told = await owner.agent.post(address).send({ ...form, wished: '2026-11-21' })
    expect([told.status, Object.keys(told.body.errors)]).to.deep.equal([422, ['wished']])
    expect(await database('portal.client_signatures')).to.be.empty
    expect((await owner.post(`/proposals/${id}/acceptance`, { ...form, wished: '2026-11-22' })).status).to.equal(303)
  })

  it('says what to do where nothing of it was chosen, and keeps the choice', async () => {
    const scene = await open()
    const owner = await scene.visit('owner')
    const id = await idOf(owner)
    await scene
      .owner('portal.client_portal_settings')
      .insert({ workspace_id: '1', name: 'proposals.parts', value: 'true', changed_by: 'a test' })
    const lines = await scene.owner('proposal_lines').where({ proposal_id: id }).orderBy('position')
    const none = await owner.get(`/proposals/${id}/acceptance?options=1`)
    const sent = await owner.post(`/proposals/${id}/acceptance`, {
      options: '1',
      agree: 'on',
      how: 'typed',
      typed: 'N',
    })
    for (const page of [none, sent, await owner.get(`/proposals/${id}?options=1`)]) {
      expect(page.status).to.equal(422)
      expect(page).to.show(
        'Choose at least one line, or decline.',
        'id="choice-error"',
        `/proposals/${id}/rejection`,
        'Accept and sign',
      )
      expect(page.text.match(/role="switch"/g)).to.have.length(8)
      expect(page.text).to.not.match(/role="switch"[^>]* checked/)
    }
    // One that is not there any more is said, and what else was chosen stays.
    const kept = lines.find(it => it.title === 'Advertising set-up')
    const gone = await owner.get(`/proposals/${id}/acceptance?options=1&option=${kept.id}&option=999999`)
    expect(gone.status).to.equal(422)
    expect(gone).to.show('This option is no longer available.')
    expect(gone.text.match(/role="switch"[^>]* checked/g)).to.have.length(1)
    const told = await owner.api(`/proposals/${id}/acceptance?options=1`)
    expect([told.status, told.body.errors.selection]).to.deep.equal([422, ['Choose at least one line, or decline.']])
  })

  it('of a page that is out of date is refused, with the document as it is now', async () => {
    const { visit, owner: database } = await open()
    const owner = await visit('owner')
    const id = await idOf(owner)
    const seen = fieldsOf((await owner.get(`/proposals/${id}/acceptance`)).text)
    await database('proposal_lines').where({ proposal_id: id, position: 1 }).update({ title: 'Something else' })

    const answer = await sign(owner, id, seen)
    expect(answer.status).to.equal(409)
    expect(answer).to.show('Something else', 'Check it once more before you sign')
    expect(answer.text).to.not.match(/id="agree"[^>]* checked/)
    expect((await database('proposals').where({ id }).first('state')).state).to.equal('sent')
  })

  it('that the CRM changes while it is signed, is not signed', async () => {
    const { visit, owner: database } = await open()
    const owner = await visit('owner')
    const id = await idOf(owner)
    const seen = fieldsOf((await owner.get(`/proposals/${id}/acceptance`)).text)
    // The line changes with the very statement that accepts: what is read afterwards is not what was shown.
    await database.raw(`create function meddle() returns trigger language plpgsql security definer as
      $$ begin update public.proposal_lines set title = 'Dearer' where proposal_id = new.id and position = 1; return new; end $$`)
    await database.raw('create trigger meddle before update on proposals for each row execute function meddle()')

    expect((await sign(owner, id, seen)).status).to.equal(409)
    expect((await database('proposals').where({ id }).first('state')).state).to.equal('sent')
    expect(await database('portal.client_signatures')).to.have.length(0)
    expect(await database('portal.client_activity_logs').where({ event: 'proposals.accepted' })).to.have.length(0)
  })

  it('by two people at once is answered once, and the others are told', async () => {
    const { visit, owner: database } = await open()
    const visitors = await Promise.all([visit('owner'), visit('approver')])
    const id = await idOf(visitors[0]!)
    const fields = await Promise.all(
      visitors.map(async it => fieldsOf((await it.get(`/proposals/${id}/acceptance`)).text)),
    )
    const answers = await Promise.all([0, 1, 0, 1].map(at => sign(visitors[at]!, id, fields[at]!)))

    expect(await database('portal.client_signatures')).to.have.length(1)
    const [row] = await database('portal.client_signatures')
    const winner = row.signer === 'Nadia El-Khoury' ? 0 : 1
    for (const [at, it] of answers.entries()) {
      if (at % 2 === winner) expect(it.status).to.equal(303)
      else expect([it.status, it.text.includes(`Accepted`)]).to.deep.equal([409, true])
    }
  })

  it('by a hundred people at once is one acceptance and ninety-nine polite refusals', async function () {
    this.timeout(60_000)
    const { visit, owner: database, app } = await open()
    const owner = await visit('owner')
    const id = await idOf(owner)
    const cookies = await hundredApprovers(database)
    const { body } = await owner.api(`/proposals/${id}/acceptance`)
    const answers = await Promise.all(
      cookies.map((cookie, at) =>
        request(app)
          .post(`/portal/brightside/proposals/${id}/acceptance`)
          .set('Cookie', cookie)
          .type('form')
          .send({ seen: body.seen, agree: 'on', how: 'typed', typed: `Approver ${at + 1}` }),
      ),
    )
    expect(answers.filter(it => it.status === 303)).to.have.length(1)
    expect(answers.map(it => it.status).filter(it => it !== 409 && it !== 303)).to.deep.equal([])
    const others = answers.filter(it => it.status === 409)
    expect(others).to.have.length(99)
    for (const it of others) expect(it).to.show('This has changed in the meantime.', 'Accepted')
    expect(await database('portal.client_signatures')).to.have.length(1)
  })

  it('can be done twice by the same person without harm: back, forth, and a second click', async () => {
    const { visit, owner: database } = await open()
    const owner = await visit('owner')
    const id = await idOf(owner)
    const seen = fieldsOf((await owner.get(`/proposals/${id}/acceptance`)).text)
    await sign(owner, id, seen)
    const again = await sign(owner, id, seen)

    expect([again.status, again.headers.location]).to.deep.equal([303, `/portal/brightside/proposals/${id}/evidence`])
    expect((await owner.get(`/proposals/${id}/acceptance`)).status).to.equal(303)
    expect(await database('portal.client_signatures')).to.have.length(1)
  })

  it('declines with a reason, which the CRM and the activity have', async () => {
    const { visit, owner: database } = await open()
    const approver = await visit('approver')
    const id = await idOf(approver)
    const page = await approver.get(`/proposals/${id}/rejection`)
    expect(page).to.show('For your protection, we record your name')
    const seen = fieldsOf(page.text)

    const empty = await approver.post(`/proposals/${id}/rejection`, { ...seen, reason: ' ' })
    expect(empty.status).to.equal(422)
    expect(empty).to.show('Give a short reason.')
    expect((await approver.post(`/proposals/${id}/rejection`, { ...seen, reason: 'Too dear' })).status).to.equal(303)
    expect(await database('proposals').where({ id }).first('state', 'answer_note', 'answered_by')).to.deep.equal({
      state: 'rejected',
      answer_note: 'Too dear',
      answered_by: 'Sanne de Boer',
    })
    expect(await approver.get(`/proposals/${id}/evidence?done`)).to.show('You declined it.', 'Too dear')
    expect(await approver.get('/activity')).to.show('declined proposal P-2026-031, version 2: Too dear')
  })

  it('is for those whose role includes it, on what is open, where it is switched on', async () => {
    const { visit, owner: database } = await open()
    const [owner, viewer, neighbour] = await Promise.all([visit('owner'), visit('viewer'), visit('neighbour')])
    const id = await idOf(owner)
    const seen = fieldsOf((await owner.get(`/proposals/${id}/acceptance`)).text)

    expect(await viewer.get(`/proposals/${id}`)).to.not.show('/acceptance')
    for (const path of ['acceptance', 'rejection']) {
      expect((await viewer.get(`/proposals/${id}/${path}`)).status).to.equal(403)
      expect((await viewer.post(`/proposals/${id}/${path}`, seen)).status).to.equal(403)
      expect((await neighbour.post(`/proposals/${id}/${path}`, seen)).status).to.equal(404)
    }
    expect((await neighbour.get(`/proposals/${id}/evidence`)).status).to.equal(404)
    for (const [column, value, words] of [
      ['valid_until', '2026-11-20', 'This price has expired.'],
      ['state', 'withdrawn', 'has withdrawn this proposal'],
    ] as const) {
      const before = await database('proposals').where({ id }).first(column)
      await database('proposals')
        .where({ id })
        .update({ [column]: value })
      const late = await sign(owner, id, seen)
      expect(late.status).to.equal(409)
      expect(late).to.show(words).and.not.show('Sign and accept')
      await database('proposals').where({ id }).update(before)
    }
    await database('portal.client_portal_settings').insert({
      ...{ workspace_id: '1', name: 'proposals.responses', value: 'false', changed_by: 'a test' },
    })
    expect(await owner.get(`/proposals/${id}`)).to.not.show('Accept and sign')
    expect((await sign(owner, id, seen)).status).to.equal(404)
  })

  it('asks for a recent verification where the workspace wants one, loses nothing on the way, and keeps how it was proven', async () => {
    const { visit, owner: database } = await open()
    const owner = await visit('owner')
    const id = await idOf(owner)
    await database('portal.client_portal_settings').insert({
      ...{ workspace_id: '1', name: 'step-up.proposals.accept', value: '"verification"', changed_by: 'a test' },
    })
    await database.raw(`update portal.client_sessions set sess = jsonb_set(sess, '{verifications,0,at}', '1000')`)
    const fields = fieldsOf((await owner.get(`/proposals/${id}/acceptance`)).text)

    const asked = await sign(owner, id, { ...fields, order: 'AB 7' })
    expect(asked).to.show('step-up.password', 'value="AB 7"')
    expect((await database('proposals').where({ id }).first('state')).state).to.equal('sent')
    const carried = [...asked.text.matchAll(/<input type="hidden" name="([^"]+)"\s+value="([^"]*)"/g)]
    const form = new URLSearchParams(carried.map(([, name = '', value = '']): [string, string] => [name, value]))
    form.append('step-up.password', owner.person?.password ?? '')
    form.set('step-up.by', 'password')
    const { status } = await owner.agent
      .post(`/portal/brightside/proposals/${id}/acceptance`)
      .type('form')
      .send(form.toString())
    expect(status).to.equal(303)
    const [row] = await database('portal.client_signatures').select('evidence')
    const { authentication, order } = JSON.parse(row.evidence)
    expect([authentication.map((it: any) => it.by), order.number]).to.deep.equal([['password', 'password'], 'AB 7'])
  })

  it('is the same by the API', async () => {
    const { visit } = await open()
    const owner = await visit('owner')
    const id = await idOf(owner)
    const { body } = await owner.api(`/proposals/${id}/acceptance`)
    expect(body).to.include.keys('consent', 'seen', 'methods')
    const address = `/portal/brightside/api/v1/proposals/${id}/acceptance`

    const wrong = await owner.agent.post(address).send({ seen: body.seen, how: 'typed', typed: 'N. El-Khoury' })
    expect([wrong.status, wrong.body.code]).to.deep.equal([422, 'invalid'])
    const right = await owner.agent
      .post(address)
      .send({ seen: body.seen, how: 'typed', typed: 'N. El-Khoury', agree: 'on' })
    expect(right.status).to.equal(303)
    const told = (await owner.agent.get(right.headers.location!)).body
    expect(told).to.include({ delivery: 'confirmed' })
    expect(told.evidence.signature).to.deep.equal({ method: 'typed', name: 'account' })
    const late = await owner.agent
      .post(address)
      .send({ seen: body.seen, how: 'typed', typed: 'N. El-Khoury', agree: 'on' })
    expect(late.status).to.equal(303)
  })

  it('shows on both sides what the CRM changed since it was signed', async () => {
    const { visit, owner: database } = await open()
    const owner = await visit('owner')
    const id = await idOf(owner)
    await sign(owner, id, fieldsOf((await owner.get(`/proposals/${id}/acceptance`)).text))
    const admin = await visit('admin')
    const pages = () =>
      Promise.all([
        owner.get(`/proposals/${id}/evidence`),
        owner.get(`/proposals/${id}`),
        owner.fragment(`/proposals/${id}`),
        admin.at('/settings/client-portal/responses'),
        admin.at(`/proposals/${id}`),
      ])
    for (const page of await pages()) expect(page).to.not.show('hanged since it was signed')

    await database('proposals').where({ id }).update({ terms: 'All at once.' })
    for (const page of await pages()) expect(page).to.show('hanged since it was signed')
    for (const page of (await pages()).slice(0, 3)) expect(page).to.show('40% on acceptance', 'All at once.')
    expect((await owner.api(`/proposals/${id}`)).body.changed.map((it: any) => it.what)).to.deep.equal(['terms'])

    // A list knows what it lists of each: its number, title, total and last day.
    expect(await owner.get('/proposals?status=accepted')).to.not.show('Changed since it was signed')
    await database('proposals').where({ id }).update({ title: 'Quite another title' })
    expect(await owner.get('/proposals?status=accepted')).to.show('Changed since it was signed')
    const { items } = (await owner.api('/proposals?status=accepted')).body
    expect(items.filter((it: any) => it.changed).map((it: any) => it.number)).to.deep.equal([number])

    await database('proposals').where({ id }).update({ deleted_at: new Date() })
    expect(await admin.at('/settings/client-portal/responses')).to.show('No longer in the CRM')
  })

  it('leaves evidence in which any change of any field is found', async () => {
    const { visit, owner: database, database: app } = await open()
    const owner = await visit('owner')
    const [first, second] = (await owner.api('/proposals?status=open')).body.items
    for (const { id } of [first, second])
      await sign(owner, id, fieldsOf((await owner.get(`/proposals/${id}/acceptance`)).text))
    expect(await faults(app, '1')).to.deep.equal([])

    const { id } = await database('portal.client_signatures').where({ sequence: 1 }).first('id')
    const where = `where id = '${id}'`
    for (const change of [
      ...[
        "at = at + interval '1 ms'",
        "act = 'declined'",
        "section = 'quotations'",
        "document_id = '1'",
        'version = version + 1',
      ],
      ...[
        "number = 'P-1'",
        "client_id = '2'",
        'person_id = gen_random_uuid()',
        "signer = 'Somebody'",
        "digest = md5('')",
      ],
      ...[
        "evidence = replace(evidence, 'Nadia', 'Nadja')",
        "salt = md5('')",
        "hash = md5('')",
        "head_signature = 'AAAA'",
      ],
      ...["document = document || '\\x00'", 'document = null', "previous = md5('')", 'sequence = 7'],
    ]) {
      const tx = await database.transaction()
      await tx.raw('alter table portal.client_signatures disable trigger all, disable row level security')
      await tx.raw(`update portal.client_signatures set ${change} ${where}`.replaceAll('?', '\\?'))
      expect(await faults(tx, '1'), change).to.not.be.empty
      await tx.rollback()
    }
    const tx = await database.transaction()
    await tx.raw('alter table portal.client_signatures disable row level security')
    await tx.raw(`delete from portal.client_signatures ${where}`)
    expect(await faults(tx, '1')).to.not.be.empty
    await tx.rollback()
  })

  it('makes a file that anybody can verify, in which one changed or appended byte is found', async () => {
    const { visit, mailTo } = await open({ mail: 'kept' })
    const [owner, nobody] = await Promise.all([visit('owner'), visit()])
    const id = await idOf(owner)
    await sign(owner, id, fieldsOf((await owner.get(`/proposals/${id}/acceptance`)).text))
    const pdf = Buffer.from((await mailTo('nadia@acmebakery.example')).attachments![0]!.content, 'base64')
    const changed = Buffer.from(pdf)
    changed.writeUInt8(changed.readUInt8(2000) ^ 1, 2000)
    const verify = (file: Buffer, at = nobody) =>
      at.agent
        .post('/portal/brightside/verify')
        .attach('file', file, { filename: 'x.pdf', contentType: 'application/pdf' })

    expect(await nobody.get('/verify')).to.show('Verify a document')
    expect(await verify(pdf)).to.show('This is exactly the document that was signed.', number, 'Nadia El-Khoury')
    expect(await verify(changed)).to.show('This file was changed after it was sealed.')
    expect(await verify(Buffer.concat([pdf, Buffer.from(' ')]))).to.show('This file was changed after it was sealed.')
    const unsealed = (await owner.get(`/proposals/${id}/pdf`)).body
    expect(await verify(unsealed)).to.show('We don’t recognise this file.')
    const wrong = await verify(Buffer.from('<script>'))
    expect(wrong.status).to.equal(422)
    expect(wrong).to.show('Choose the PDF to verify.')
    const stranger = await visit('stranger')
    const elsewhere = stranger.agent.post('/portal/ledgerline/verify').attach('file', pdf, 'x.pdf')
    expect((await elsewhere).text).to.not.include('Nadia')
  })

  it('freezes the CRM’s own paper where it has one, and seals it with the certificate behind it', async () => {
    const scene = await open({ mail: 'kept' })
    const own = await PDFDocument.create()
    own.addPage([300, 300])
    own.setTitle('Of the CRM')
    const papers: Record<string, Buffer> = {
      good: Buffer.from(await own.save()),
      broken: Buffer.from('%PDF-1.7 that nobody can read'),
    }
    const crm = adapter(scene.database)
    const connect: typeof crm.connect = (customer, tx) => {
      const ports = crm.connect(customer, tx)
      const pdf = async (id: string) => ({ name: 'own', bytes: papers[id === first ? 'good' : 'broken']! })
      return { ...ports, proposals: { ...ports.proposals!, pdf } }
    }
    const { visit, mailTo } = await open({ mail: 'kept', crm: { ...crm, connect }, on: scene })
    const owner = await visit('owner')
    const items = (await owner.api('/proposals?status=open')).body.items
    const [first, second] = items.map((it: any) => it.id)

    for (const [id, name, pages] of [
      [first, 'good', 2],
      [second, 'broken', 2],
    ]) {
      await sign(owner, id, fieldsOf((await owner.get(`/proposals/${id}/acceptance`)).text))
      const { number } = items.find((it: any) => it.id === id)
      const sealed = Buffer.from(
        (await mailTo('nadia@acmebakery.example', `${number}: the signed copy`)).attachments![0]!.content,
        'base64',
      )
      const read = await extractText(new Uint8Array(sealed), { mergePages: false })
      expect(read.totalPages, name).to.equal(pages)
      expect(read.text.at(-1)).to.include('Certificate of acceptance')
      expect(await sealOf(sealed)).to.include({ intact: true, whole: true })
      const { evidence, document } = await scene
        .owner('portal.client_signatures')
        .where({ document_id: id })
        .first('evidence', 'document')
      expect(document, name).to.deep.equal(papers[name])
      expect(JSON.parse(evidence).document.pdf).to.include({ by: 'crm', sha256: sha256(papers[name]!) })
      if (name === 'good')
        expect((await PDFDocument.load(sealed, { updateMetadata: false })).getTitle()).to.equal('Of the CRM')
    }
    expect(await faults(scene.database, '1')).to.deep.equal([])
  })

  it('seals the paper that was frozen, also where it would be printed otherwise by then', async () => {
    const scene = await open({ mail: 'kept' })
    const owner = await scene.visit('owner')
    const id = await idOf(owner)
    await sign(owner, id, fieldsOf((await owner.get(`/proposals/${id}/acceptance`)).text))
    const texts = async () => {
      const sealed = await until(async () => (await scene.owner('portal.client_signatures').first('sealed')).sealed)
      return (await extractText(new Uint8Array(sealed), { mergePages: true })).text
    }
    expect(await texts()).to.include('Brightside Studio B.V.')
    await pastTriggers(scene.owner, async tx => {
      await tx('portal.client_signatures').update({ sealed: null, sealed_hash: null, sealed_at: null })
      await tx('portal.client_seals').delete()
    })
    await scene.owner('workspaces').where({ id: 1 }).update({ legal_name: 'Quite Another B.V.' })
    const later = await open({ on: scene, mail: 'kept' })
    const row = await scene.owner('portal.client_signatures').first('id')
    await (await later.visit('admin')).postAt(`/settings/client-portal/responses/${row.id}/retry`)
    const before = (await texts()).split('Certificate of acceptance')[0]
    expect(before).to.include('Brightside Studio B.V.').and.not.include('Quite Another')
  })

  it('accepts a second response only if the CRM offers the same version again', async () => {
    const scene = await open()
    const [owner, approver] = [await scene.visit('owner'), await scene.visit('approver')]
    const id = await idOf(owner)
    const form = await owner.get(`/proposals/${id}/rejection`)
    await owner.post(`/proposals/${id}/rejection`, { ...fieldsOf(form.text), reason: 'Too dear' })
    expect((await approver.get(`/proposals/${id}/acceptance`)).status).to.equal(409)
    const anew = { state: 'sent', answered_on: null, answered_by: null, answer_note: null }
    await scene.owner('proposals').where({ id }).update(anew)

    const pages = [await owner.get(`/proposals/${id}/acceptance`), await approver.get(`/proposals/${id}/acceptance`)]
    const answers = await Promise.all([
      sign(owner, id, fieldsOf(pages[0]!.text)),
      sign(approver, id, fieldsOf(pages[1]!.text)),
    ])
    expect(answers.map(it => it.status).sort()).to.deep.equal([303, 409])
    const rows = await scene.owner('portal.client_signatures').orderBy('sequence').select('act', 'state')
    expect(rows.map(it => [it.act, it.state])).to.deep.equal([
      ['declined', 'superseded'],
      ['accepted', 'confirmed'],
    ])
    expect((await scene.owner('proposals').where({ id }).first('state')).state).to.equal('accepted')
    expect(await (await scene.visit('admin')).at('/settings/client-portal/responses')).to.show(
      'Replaced by a later response',
    )
    expect(await faults(scene.database, '1')).to.deep.equal([])
  })

  it('cannot be altered or deleted by the portal’s own role', async () => {
    const { database } = await open()
    for (const text of [
      `update portal.client_signatures set evidence = ''`,
      `update portal.client_signatures set client_id = '1'`,
      'delete from portal.client_signatures',
      `update portal.client_keys set certificate = ''`,
    ])
      expect(await query(database, { text }).catch(String)).to.include('permission denied')
  })
})

async function idOf(visitor: Visitor): Promise<string> {
  return (await visitor.api(`/proposals?search=${number}`)).body.items[0].id
}

const setting = (scene: Scene, value: object) =>
  scene
    .owner('portal.client_portal_settings')
    .insert({ workspace_id: '1', name: 'signing', value: JSON.stringify(value), changed_by: 'a test' })

/** Hidden fields of the form in a page. */
function fieldsOf(text: string): Record<string, string | string[]> {
  const fields: Record<string, string | string[]> = {}
  for (const [, name = '', value = ''] of text.matchAll(/<input type="hidden" name="([^"]+)"\s+value="([^"]*)"/g))
    fields[name] = name === 'option' ? [fields[name] ?? [], value].flat() : value
  return fields
}

const sign = (visitor: Visitor, id: string, fields: object) =>
  visitor.post(`/proposals/${id}/acceptance`, { ...fields, agree: 'on', how: 'typed', typed: visitor.person?.name })

/** People of the owner's company with a session each: their cookies. */
async function hundredApprovers(database: Scene['owner']): Promise<string[]> {
  const { rows } = await database.raw(
    `with people as (
       insert into portal.client_users (workspace_id, id, email, name)
       select '1', gen_random_uuid(), 'approver' || n || '@acmebakery.example', 'Approver ' || n from generate_series(1, 100) n
       returning id
     ), members as (
       insert into portal.client_memberships (workspace_id, person_id, client_id, client_name, role)
       select '1', people.id, m.client_id, m.client_name, 'approver' from people, portal.client_memberships m
       join portal.client_users u on u.id = m.person_id where u.email = 'nadia@acmebakery.example'
     ) select id from people`,
  )
  const people: string[] = rows.map((it: { id: string }) => it.id)
  await database('portal.client_sessions').insert(
    people.map(person => ({
      sid: storedId(person),
      sess: JSON.stringify({ workspace: '1', person, used: testTime(), cookie: { path: '/', expires: '2100-01-01' } }),
      expire: new Date(testTime() + 3_600_000),
    })),
  )
  return people.map(
    it => `portico.sid=${encodeURIComponent(`s:${signed(it, 'a secret of at least thirty-two characters')}`)}`,
  )
}

/** As express-session signs its cookies. */
const signed = (id: string, secret: string) =>
  `${id}.${createHmac('sha256', secret).update(id).digest('base64').replace(/=+$/, '')}`
