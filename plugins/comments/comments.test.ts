import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { leave, open, type Role, type Scene, type Visitor, whoIs } from '../../test/visit.ts'

const settings = '/settings/client-portal'

describe('questions on an offer', () => {
  afterEach(leave)

  it('are limited for each person, who keeps what was typed', async () => {
    const scene = await open()
    const [owner, approver] = [await scene.visit('owner'), await scene.visit('approver')]
    const [{ id }] = (await owner.api('/proposals?search=P-2026-031')).body.items
    const ask = (who: Visitor, text: string) => who.post(`/proposals/${id}/comments`, { text })
    for (let at = 0; at < 10; at++) expect((await ask(owner, `Question ${at}`)).status).to.equal(303)
    const late = await ask(owner, 'And "this"?')
    expect(late.status).to.equal(429)
    expect(late).to.show('Send this one in a minute.', 'And &#34;this&#34;?')
    expect((await ask(approver, 'One from me')).status).to.equal(303)
    await scene.pass(1.1)
    expect((await ask(owner, 'And this?')).status).to.equal(303)
    const row = await scene.owner('portal.client_comments').where({ text: 'And this?' }).first()
    const many = Array.from({ length: 190 }, () => ({ ...row, id: randomUUID() }))
    await scene.owner('portal.client_comments').insert(many)
    await scene.pass(2)
    expect(await ask(owner, 'One more'))
      .to.include({ status: 429 })
      .and.show('Send this one tomorrow.')
  })

  it('on an invoice or a line of it may be marked as disputed, which staff see and are mailed', async () => {
    const scene = await open({ mail: 'kept' })
    const [billing, admin] = [await scene.visit('billing'), await scene.visit('admin')]
    const [{ id }] = (await billing.api('/invoices?search=2026-0112')).body.items
    const page = await billing.get(`/invoices/${id}`)
    expect(page).to.show('I dispute this')
    const [, line] = /<option translate="no" value="([^"]+)"/.exec(page.text) ?? []
    const refused = await billing.post(`/invoices/${id}/comments`, { text: ' ', disputed: 'on' })
    expect(refused.status).to.equal(422)
    expect(refused.text).to.match(/name="disputed" value="on"[^>]* checked/)
    const typed = { text: 'We returned these.', disputed: 'on', ...(line && { line }) }
    expect((await billing.post(`/invoices/${id}/comments`, typed)).status).to.equal(303)
    expect((await billing.post(`/invoices/${id}/comments`, { text: 'Who do I call?' })).status).to.equal(303)
    const rows = await scene.owner('portal.client_comments').orderBy('id')
    expect(rows.map(it => it.disputed)).to.deep.equal([true, false])
    const shown = await billing.get(`/invoices/${id}`)
    expect(shown.text.match(/Disputed<\/span>/g)).to.have.length(1)
    expect(await admin.at(`${settings}/questions`)).to.show('Disputed', 'We returned these.')
    expect(await admin.at(`${settings}/activity`)).to.show('disputed the invoice 2026-0112', 'asked about the invoice')
    await scene.mailTo('marta@brightside.example', 'Pieter van der Meulen-Oosterhuis disputes 2026-0112')
    const { body } = await billing.api(`/invoices/${id}`)
    expect(body.comments.map((it: { disputed: boolean }) => it.disputed)).to.deep.equal([true, false])
    // A proposal is declined, not disputed.
    const owner = await scene.visit('owner')
    const [offer] = (await owner.api('/proposals?search=P-2026-031')).body.items
    expect(await owner.get(`/proposals/${offer.id}`)).to.not.show('I dispute this')
    await owner.post(`/proposals/${offer.id}/comments`, { text: 'Why?', disputed: 'on' })
    expect((await scene.owner('portal.client_comments').where({ text: 'Why?' }).first()).disputed).to.equal(false)
  })

  it('are shown to staff by document, fifty at a time, each once, the latest first', async () => {
    const { visit, owner: database } = await open()
    const admin = await visit('admin')
    const tx = await database.transaction()
    await tx.raw('alter table portal.client_comments no force row level security')
    await tx.raw(
      `insert into portal.client_comments (workspace_id, id, client_id, client_name, section, document_id, number, author_kind,
         author_id, author_name, text)
       select '1', ('0199a000-0000-7000-8000-' || lpad(i::text, 12, '0'))::uuid, '1', 'Acme Bakery', 'proposals', (i / 2)::text,
         'N-' || i / 2, case when i % 20 = 1 then 'staff' else 'client' end, 'x', 'Somebody', 'Question ' || i
       from generate_series(0, 239) i`,
    )
    await tx.raw('alter table portal.client_comments force row level security')
    await tx.commit()
    const numbers = async (show: string) => {
      const found: string[] = []
      let path: string | undefined = `/questions?show=${show}`
      while (path) {
        const { text } = await admin.at(settings + path)
        found.push(...[...text.matchAll(/<h2 id="q-[^"]+"><bdi>N-(\d+)/g)].map(it => it[1]!))
        path = /rel="next" href="[^"]*(\/questions[^"]+)"/.exec(text)?.[1]?.replaceAll('&amp;', '&')
      }
      return found.map(Number)
    }
    const all = Array.from({ length: 120 }, (_, at) => 119 - at)
    expect(await numbers('all')).to.deep.equal(all)
    expect(await numbers('waiting')).to.deep.equal(all.filter(it => it % 10 !== 0))
    expect(await admin.at(`${settings}/`)).to.show('<b>99+<')
    expect((await admin.at(`${settings}/questions?before=nonsense`)).status).to.equal(200)
  })

  it('are asked on a line, answered by staff in the settings, and told by mail', async () => {
    const { visit, mailTo, owner: database } = await open({ mail: 'kept' })
    const [member, viewer, admin] = await Promise.all([visit('member'), visit('viewer'), visit('admin')])
    const id = await idOf(member)
    const asked = await member.post(`/proposals/${id}/comments`, {
      text: 'Is the <b>budget</b> in it?',
      line: 'Advertising set-up',
    })
    expect(asked.headers.location).to.equal(`/portal/brightside/proposals/${id}#talk`)
    expect(await viewer.get(`/proposals/${id}`))
      .to.show('Is the &lt;b&gt;budget&lt;/b&gt; in it?', 'on “Advertising set-up”', 'Youssef')
      .and.not.show('name="text"')

    const page = await admin.at(`${settings}/questions`)
    expect(page).to.show('P-2026-031', 'Acme Bakery', 'Waiting for you')
    expect(await admin.at(`${settings}/people`)).to.show(
      '<span>Questions</span><span class="count push" data-count="questions"><b>1</b><',
    )
    const [, question] = /questions\/([\w-]+)\/reply/.exec(page.text) ?? []
    const empty = await admin.postAt(`${settings}/questions/${question}/reply`, { text: ' ' })
    expect(empty.status).to.equal(422)
    expect(empty).to.show('Write an answer.')
    expect(
      (await admin.postAt(`${settings}/questions/${question}/reply`, { text: 'Only the set-up.' })).status,
    ).to.equal(303)

    expect(await admin.at(`${settings}/questions`))
      .to.show('No questions here')
      .and.not.show('data-count="questions"><b>')
    expect(await member.get(`/proposals/${id}`)).to.show('Only the set-up.', 'Marta Lindqvist')
    const mail = await mailTo('youssef@acmebakery.example')
    expect(mail.subject).to.equal('Marta Lindqvist answered your question on P-2026-031')
    expect(mail.text).to.include('Only the set-up.').and.include(`/proposals/${id}?client=1#talk`)
    expect(await member.get('/activity')).to.show('asked about proposal P-2026-031')
    expect(await database('portal.client_activity_logs').where({ event: 'proposals.replied' })).to.have.length(1)
    const told = (await member.api(`/proposals/${id}`)).body.comments
    expect(told.map((it: any) => [it.by, it.line])).to.deep.equal([
      ['client', 'Advertising set-up'],
      ['staff', null],
    ])
  })

  it('tell lines of the same title apart, to who asks and to staff', async () => {
    const { visit, owner: database } = await open()
    const [member, admin] = [await visit('member'), await visit('admin')]
    const id = await idOf(member)
    const lines = await database('proposal_lines').where({ proposal_id: id, is_optional: false }).orderBy('position')
    const [first, second, third, fourth] = lines
    for (const it of [first, second]) await database('proposal_lines').where({ id: it.id }).update({ title: 'Travel' })
    const same = { title: 'Photo', qty: '1', unit: null, unit_price: '10', line_total: '10' }
    for (const it of [third, fourth]) await database('proposal_lines').where({ id: it.id }).update(same)

    const page = await member.get(`/proposals/${id}`)
    const [, list = ''] = /<select[^>]*name="line">(.*?)<\/select>/s.exec(page.text) ?? []
    const names = [...list.matchAll(/value="([^"]+)"/g)].map(it => it[1] as string)
    expect(new Set(names).size).to.equal(names.length)
    const travel = names.filter(it => it.startsWith('Travel'))
    expect(travel).to.have.length(2)
    expect(travel[1]).to.match(/^Travel \(.*€[\d,.]+\)$/)
    expect(names.filter(it => it.startsWith('Photo ('))).to.deep.equal([
      'Photo (1, €10.00), no. 1',
      'Photo (1, €10.00), no. 2',
    ])

    const ask = (line: string) => member.post(`/proposals/${id}/comments`, { text: 'Where to?', line })
    const vague = await ask('Travel')
    expect(vague.status).to.equal(422)
    expect(vague).to.show('Several lines have this name. Choose one from the list.', 'Where to?')
    expect((await ask(travel[1] as string)).status).to.equal(303)
    for (const shown of [await admin.at(`${settings}/questions`), await member.get(`/proposals/${id}`)])
      expect(shown).to.show(`on “${travel[1]}”`)
  })

  it('are limited to people who may comment, on their own documents, where the toggle is on', async () => {
    const { visit, owner: database } = await open()
    const [member, viewer, neighbour] = await Promise.all([visit('member'), visit('viewer'), visit('neighbour')])
    const id = await idOf(member)
    const ask = (who: Visitor, form: object = { text: 'Why?' }) => who.post(`/proposals/${id}/comments`, form)

    expect((await ask(viewer)).status).to.equal(403)
    expect((await ask(neighbour)).status).to.equal(404)
    for (const [form, sentence] of [
      [{}, 'Write your question.'],
      [{ text: '  ' }, 'Write your question.'],
      [{ text: 'x'.repeat(4_001) }, 'This is too long.'],
      [{ text: 'Why that?', line: 'Of another offer' }, 'The line you asked about'],
    ] as const) {
      const answer = await ask(member, form)
      expect(answer.status).to.equal(422)
      expect(answer).to.show(sentence)
    }
    await ask(member)
    expect(await neighbour.get('/activity')).to.not.show('P-2026-031')
    await database('portal.client_portal_settings').insert({
      ...{ workspace_id: '1', name: 'proposals.questions', value: 'false', changed_by: 'a test' },
    })
    expect((await ask(member)).status).to.equal(404)
    expect(await member.get(`/proposals/${id}`)).to.not.show('id="talk"')
  })

  it('leave the options that are chosen as they are, and who is asked sees the same', async () => {
    const { visit, mailTo, owner: database } = await open({ mail: 'kept' })
    const [member, approver] = await Promise.all([visit('member'), visit('approver')])
    const id = await idOf(member)
    const lines = await database('proposal_lines').where({ proposal_id: id, is_optional: true })
    const chosen = { options: '1', option: String(lines.find(it => !it.is_chosen).id) }
    const choice = `${new URLSearchParams(chosen)}`
    const here = `/portal/brightside/proposals/${id}`
    const page = await member.get(`/proposals/${id}?${choice}`)
    expect(page).to.show('€18,648.52')
    for (const form of ['action="[^"]*/comments"', 'id="ask"']) expect(hiddenIn(page.text, form), form).to.equal(choice)

    const asked = await member.post(`/proposals/${id}/comments`, { ...chosen, text: 'Why' })
    expect(asked.headers.location).to.equal(`${here}?${choice}#talk`)
    const refused = await member.post(`/proposals/${id}/comments`, { ...chosen, text: '' })
    expect(refused).to.include({ status: 422 }).and.show('€18,648.52')
    const request = await member.post(`/proposals/${id}/request`, chosen)
    expect(request.headers.location).to.equal(`${here}?asked&${choice}`)
    const { text } = await mailTo('sanne@acmebakery.example', 'Youssef Amrani asks you to review P-2026-031')
    const [, path] = /\/brightside(\/proposals\S+)/.exec(text)!
    expect(path).to.equal(`/proposals/${id}?client=1&${choice}`)
    const seen = () =>
      database('portal.client_activity_logs').where({ event: 'proposals.viewed', actor_name: 'Sanne de Boer' })
    expect(await approver.get(path!)).to.show('€18,648.52')
    expect(await seen()).to.have.length(1)
    expect(await approver.get(`/proposals/${id}/acceptance?${choice}`)).to.show(
      `${id}?${choice.replace('&', '&amp;')}"`,
    )
  })

  it('a member asks those who may accept, once a day however often it is pressed', async () => {
    const { visit, mails, mailTo, owner: database } = await open({ mail: 'kept' })
    const [member, viewer] = await Promise.all([visit('member'), visit('viewer')])
    const id = await idOf(member)
    expect(await member.get(`/proposals/${id}`))
      .to.show('Ask an approver')
      .and.not.show('/acceptance')
    expect((await viewer.post(`/proposals/${id}/request`)).status).to.equal(403)

    const answers = await Promise.all([1, 2, 3].map(() => member.post(`/proposals/${id}/request`)))
    expect(answers.map(it => it.status).sort()).to.deep.equal([303, 409, 409])
    expect(answers.find(it => it.status === 409)).to.show('An approver was already asked')
    expect(await member.get(`/proposals/${id}?asked`)).to.show('We e-mailed the colleagues')
    const mail = await mailTo('sanne@acmebakery.example')
    expect(mail.subject).to.equal('Youssef Amrani asks you to review P-2026-031')
    await mailTo('nadia@acmebakery.example')
    expect(mails.filter(it => it.subject.includes('asks you'))).to.have.length(2)
    expect(await database('portal.client_activity_logs').where({ event: 'proposals.asked' })).to.have.length(1)
  })
})

describe('mails about an offer', () => {
  afterEach(leave)

  const off = async (scene: Scene, who: Role, name: string) => {
    const { id } = await scene
      .owner('portal.client_users')
      .where({ email: whoIs(who).email })
      .first('id')
    const row = { workspace_id: '1', client_id: '1', person_id: id, name, value: 'false', changed_by: 'a test' }
    await scene.owner('portal.client_portal_settings').insert(row)
  }
  const gone = (scene: Scene, who: Role) =>
    scene
      .owner('contacts')
      .where({ email: whoIs(who).email })
      .update({ left_on: '2026-11-01' })
  const mailed = (scene: Scene, kind: string) =>
    scene.owner('portal.client_outbox').where({ kind }).orderBy('recipient').pluck('recipient')

  it('tell an answer to those who asked and still see it', async () => {
    const scene = await open({ mail: 'kept' })
    const [member, approver, owner, admin] = await Promise.all(
      (['member', 'approver', 'owner', 'admin'] as const).map(it => scene.visit(it)),
    )
    const id = await idOf(member!)
    for (const it of [member!, approver!, owner!]) await it.post(`/proposals/${id}/comments`, { text: 'Why?' })
    await gone(scene, 'member')
    await off(scene, 'approver', 'proposals')
    const [, question] = /questions\/([\w-]+)\/reply/.exec((await admin!.at(`${settings}/questions`)).text) ?? []
    await admin!.postAt(`${settings}/questions/${question}/reply`, { text: 'The price of bread.' })
    expect(await mailed(scene, 'comments.replied')).to.deep.equal([whoIs('owner').email])
  })

  it('ask those who may accept and still see it, and nobody where there are none', async () => {
    const scene = await open({ mail: 'kept' })
    const member = await scene.visit('member')
    const id = await idOf(member)
    await gone(scene, 'approver')
    await off(scene, 'owner', 'proposals')
    const nobody = await member.post(`/proposals/${id}/request`)
    expect(nobody).to.include({ status: 409 }).and.show('Nobody at your company can accept this here.')
    expect(await mailed(scene, 'approval-asked')).to.be.empty
    await scene
      .owner('contacts')
      .where({ email: whoIs('approver').email })
      .update({ left_on: null })
    expect((await member.post(`/proposals/${id}/request`)).status).to.equal(303)
    expect(await mailed(scene, 'approval-asked')).to.deep.equal([whoIs('approver').email])
  })
})

const idOf = async (visitor: Visitor): Promise<string> =>
  (await visitor.api('/proposals?search=P-2026-031')).body.items[0].id

/** What a form carries unseen, as an address would. */
function hiddenIn(html: string, form: string): string {
  const [, inner = ''] = new RegExp(`<form[^>]*${form}[^>]*>(.*?)</form>`, 's').exec(html) ?? []
  const fields = [...inner.matchAll(/<input type="hidden" name="((?!kept\.)[^"]+)"\s+value="([^"]*)">/g)]
  return fields.map(([, name, value]) => `${name}=${value}`).join('&')
}
