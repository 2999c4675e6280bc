import { existsSync, mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import sharp from 'sharp'
import { filesIn } from '../../src/index.ts'
import { leave, open, type Visitor, whoIs } from '../../test/visit.ts'

const settings = '/settings/client-portal/questions'
const pdf = Buffer.from('%PDF-1.7\n1 0 obj <</Type /Catalog>> endobj\ntrailer <</Root 1 0 R>>\n%%EOF\n')

type File = [name: string, content: Buffer | string]

/** A scene with a folder of its own for files. */
async function scene(options: Parameters<typeof open>[0] = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'portico-files-'))
  return Object.assign(await open({ files: filesIn(folder), ...options }), { folder })
}

function send(request: any, text: string, files: File[], fields: Record<string, string | string[]> = {}) {
  for (const [name, value] of Object.entries({ text, ...fields }))
    for (const one of [value].flat()) request.field(name, one)
  for (const [name, content] of files) request.attach('files', Buffer.from(content), { filename: name })
  return request
}

const at = (section: string, id: string) => `/portal/brightside/${section}/${id}`
const ask = (who: Visitor, id: string, text: string, files: File[], section = 'proposals') =>
  send(who.agent.post(`${at(section, id)}/comments`), text, files)

const idOf = async (who: Visitor, search = 'P-2026-031', section = 'proposals'): Promise<string> =>
  (await who.api(`/${section}?search=${search}`)).body.items[0].id

const filesOf = async (who: Visitor, id: string, section = 'proposals'): Promise<any[]> =>
  (await who.api(`/${section}/${id}`)).body.comments.flatMap((it: { files: any[] }) => it.files)

const storedIn = ({ folder }: { folder: string }) =>
  existsSync(join(folder, 'kept'))
    ? readdirSync(join(folder, 'kept'), { recursive: true, withFileTypes: true }).filter(it => it.isFile())
    : []

const picture = () =>
  sharp({ create: { width: 300, height: 200, channels: 3, background: '#c00' } })
    .png()
    .toBuffer()

describe('files of a question', () => {
  afterEach(leave)

  it('go to staff with it, are answered with files, and mails name them', async () => {
    const it = await scene({ mail: 'kept' })
    const [owner, viewer, admin] = [await it.visit('owner'), await it.visit('viewer'), await it.visit('admin')]
    const id = await idOf(owner)
    expect(await owner.get(`/proposals/${id}`)).to.show('Attach files', 'Up to 5 files, 25 MB each.')
    const asked = await ask(owner, id, 'Like this?', [
      ['sketch.png', await picture()],
      ['brief.pdf', pdf],
    ])
    expect(asked.headers.location).to.equal(`${at('proposals', id)}#talk`)
    const told = await it.mailTo('marta@brightside.example', 'Nadia El-Khoury asks about P-2026-031')
    expect(told.text).to.include('2 files attached').and.include('sketch.png, brief.pdf')

    const [sketch, brief] = await filesOf(viewer, id)
    expect(sketch).to.include({ name: 'sketch.png', type: 'image/png', state: 'ready', threat: null })
    expect(brief).to.include({ name: 'brief.pdf', type: 'application/pdf', size: pdf.length })
    expect(brief.address).to.equal(`/proposals/${id}/comments/files/${brief.id}/content`)
    const sent = await viewer.get(brief.address).buffer()
    expect(sent.body.equals(pdf)).to.equal(true)
    expect(sent.headers['content-disposition']).to.equal('attachment; filename=brief.pdf')
    expect(sent.headers['content-security-policy']).to.include('sandbox')
    expect((await viewer.get(brief.address).set('Range', 'bytes=1-3').buffer()).status).to.equal(206)
    const small = await viewer.get(sketch.address.replace('/content', '/preview'))
    expect([small.status, small.headers['content-type']]).to.deep.equal([200, 'image/webp'])
    expect(await viewer.get(`/proposals/${id}`)).to.show('sketch.png', 'brief.pdf', sketch.id)
    expect(await owner.get('/activity')).to.show('downloaded brief.pdf, attached to a question')

    const inbox = await admin.at(settings)
    expect(inbox).to.show('sketch.png', 'brief.pdf', 'Up to 5 files, 25 MB each.')
    const taken = await admin.at(`${settings}/files/${brief.id}/content`).buffer()
    expect(taken.body.equals(pdf)).to.equal(true)
    expect((await admin.at(`${settings}/files/${sketch.id}/preview`)).status).to.equal(200)
    const [, question] = /questions\/([\w-]+)\/reply/.exec(inbox.text) ?? []
    const reply = (text: string, files: File[]) => send(admin.agent.post(`${settings}/${question}/reply`), text, files)
    const refused = await reply('See the plan.', [['run.exe', 'MZ']])
    expect(refused.status).to.equal(422)
    expect(refused).to.show('See the plan.', 'run.exe', 'Programs can’t be sent here')
    expect((await reply('See the plan.', [['plan.txt', 'first this']])).status).to.equal(303)
    const mail = await it.mailTo(whoIs('owner').email, 'Marta Lindqvist answered your question on P-2026-031')
    expect(mail.text).to.include('1 file attached').and.include('plan.txt')
    const plan = (await filesOf(owner, id)).at(-1)
    expect(String((await owner.get(plan.address).buffer()).body)).to.equal('first this')
  })

  it('are refused one by one with the reason, and nothing is lost that was typed', async () => {
    const it = await scene()
    const owner = await it.visit('owner')
    const id = await idOf(owner)
    const refused = await ask(owner, id, 'Is <this> it?', [
      ['good.png', await picture()],
      ['setup.exe', 'MZ'],
      ['broken.pdf', 'no pdf at all'],
      ['empty.txt', ''],
      ['large.bin', Buffer.alloc(25_000_001, 1)],
      ['sixth.txt', 'one too many'],
    ])
    expect(refused.status).to.equal(422)
    expect(refused)
      .to.show('Is &lt;this&gt; it?', 'Nothing was sent.', 'setup.exe', 'Programs can’t be sent here')
      .and.show('The content doesn’t match the name', 'This file is empty.', 'larger than the 25 MB allowed')
      .and.show('sixth.txt', 'There are too many files.')
    const json = await send(owner.agent.post(`/portal/brightside/api/v1/proposals/${id}/comments`), 'Why?', [
      ['setup.exe', 'MZ'],
    ])
    expect(json.status).to.equal(422)
    expect(json.body.errors.files).to.deep.equal([
      'setup.exe: Programs can’t be sent here. Put it in a zip file, or send a link.',
    ])
    const wordless = await ask(owner, id, ' ', [['good.txt', 'x']])
    expect(wordless.status).to.equal(422)
    expect(wordless).to.show('Write your question.', 'If you chose files, choose them again.')
    expect(await it.owner('portal.client_files')).to.be.empty
    expect(storedIn(it)).to.be.empty
    expect(await filesOf(owner, id)).to.be.empty
  })

  it('take the space of the client, and no more than there is', async () => {
    const it = await scene()
    const owner = await it.visit('owner')
    const id = await idOf(owner)
    await ask(owner, id, 'This?', [['small.txt', 'x']])
    await it.owner('portal.client_files').update({ size: 20e9 - 10 })
    const full = await ask(owner, id, 'And this one?', [['large.txt', 'x'.repeat(100)]])
    expect(full.status).to.equal(422)
    expect(full).to.show('And this one?', 'There isn’t enough space left for these files.')
    expect(storedIn(it)).to.have.length(1)
    // A question that fails leaves nothing behind either.
    await it.owner.raw('revoke insert on portal.client_comment_files from portico_app')
    expect((await ask(owner, id, 'Lost', [['a.txt', 'x']])).status).to.be.above(499)
    expect(await it.owner('portal.client_files')).to.have.length(1)
    expect((await owner.api(`/proposals/${id}`)).body.comments).to.have.length(1)
  })

  it('are of the kinds that clients can send; staff send any', async () => {
    const it = await scene()
    const [owner, admin] = [await it.visit('owner'), await it.visit('admin')]
    const id = await idOf(owner)
    const documents = '/settings/client-portal/documents'
    const [, before] = /name="was.limits" value="([^"]+)"/.exec((await admin.at(documents)).text)!
    const form = { size: '2000', total: '20', 'kind.pictures': 'on', 'was.limits': before!.replaceAll('&#34;', '"') }
    expect((await admin.postAt(`${documents}/limits`, form)).status).to.equal(303)

    const refused = await ask(owner, id, 'And this?', [['brief.pdf', pdf]])
    expect(refused.status).to.equal(422)
    expect(refused).to.show('brief.pdf', 'Files of this kind are not accepted here.', 'And this?')
    expect((await ask(owner, id, 'Like this?', [['sketch.png', await picture()]])).status).to.equal(303)
    const [, reply] = /action="([^"]*\/questions\/[^"]*\/reply)"/.exec((await admin.at(settings)).text)!
    expect((await send(admin.agent.post(reply!), 'So.', [['brief.pdf', pdf]])).status).to.equal(303)
    expect(await filesOf(owner, id)).to.have.length(2)
  })

  it('are nobody else’s, and of no other thread', async () => {
    const it = await scene()
    const [owner, neighbour, stranger, admin, colleague] = await Promise.all(
      (['owner', 'neighbour', 'stranger', 'admin', 'colleague'] as const).map(role => it.visit(role)),
    )
    const id = await idOf(owner!)
    const other = await idOf(owner!, 'P-2026-024')
    await ask(owner!, id, 'Secret', [['secret.pdf', pdf]])
    const [{ id: file }] = await filesOf(owner!, id)
    const path = (document: string, section = 'proposals') => `/${section}/${document}/comments/files/${file}`
    for (const word of ['content', 'preview']) {
      for (const who of [neighbour!, stranger!])
        expect((await who.get(`${path(id)}/${word}`)).status, who.person!.name).to.equal(404)
      expect((await owner!.get(`${path(other)}/${word}`)).status).to.equal(404)
      expect((await owner!.get(`${path(id, 'invoices')}/${word}`)).status).to.equal(404)
      expect((await owner!.get(`/proposals/${id}/comments/files/nonsense/${word}`)).status).to.equal(404)
      expect((await colleague!.at(`${settings}/files/${file}/${word}`)).status).to.be.oneOf([403, 404])
    }
    const theirs = await idOf(neighbour!, '', 'proposals')
    expect((await neighbour!.get(`${path(theirs)}/content`)).status).to.equal(404)
    expect((await ask(neighbour!, id, 'Mine?', [['x.txt', 'x']])).status).to.equal(404)
    expect((await ask(await it.visit('viewer'), id, 'May I?', [['x.txt', 'x']])).status).to.equal(403)
    expect(storedIn(it)).to.have.length(1)
    // Where questions are switched off, their files are too.
    await admin!.postAt('/settings/client-portal/visibility', { 'was.proposals.questions': 'on' })
    expect((await owner!.get(`${path(id)}/content`)).status).to.equal(404)
  })

  it('are not there for a visitor by a public link', async () => {
    const it = await scene()
    const [owner, admin, guest] = [await it.visit('owner'), await it.visit('admin'), await it.visit()]
    const id = await idOf(owner)
    await ask(owner, id, 'Between us', [['secret.pdf', pdf]])
    const [{ id: file }] = await filesOf(owner, id)
    await admin.postAt('/settings/client-portal/visibility', { 'was.proposals.links': 'off', 'proposals.links': 'on' })
    const made = await admin.postAt('/settings/client-portal/links', {
      ...{ section: 'proposals', client: 'Acme Bakery', id, days: '7' },
    })
    const [, path] = /(\/portal\/brightside\/link\/[\w-]+)/.exec(made.text)!
    const home = (await guest.at(path!)).headers.location ?? path!
    const page = await guest.at(home)
    const [, opened] = /(\/portal\/brightside\/link\/open\/[\w-]+)/.exec(home + page.text)!
    expect((await guest.at(`${opened}/proposals/${id}`)).status).to.equal(200)
    for (const word of ['content', 'preview'])
      expect((await guest.at(`${opened}/proposals/${id}/comments/files/${file}/${word}`)).status).to.equal(404)
  })

  it('come with questions on invoices, quotations and documents too, and keep the chosen options', async () => {
    const it = await scene()
    const owner = await it.visit('owner')
    const invoice = await idOf(owner, '2026-0112', 'invoices')
    await send(owner.agent.post('/portal/brightside/documents'), '', [['shared.txt', 'x']])
    const [document] = (await owner.api('/documents')).body.items
    const [quotation] = (await owner.api('/quotations')).body.items
    for (const [section, id] of [
      ['invoices', invoice],
      ['quotations', quotation.id],
      ['documents', document.id],
    ] as const) {
      expect((await ask(owner, id, 'See this', [['a.txt', 'x']], section)).status, section).to.equal(303)
      const [file] = await filesOf(owner, id, section)
      expect((await owner.get(file.address)).status, section).to.equal(200)
      expect(await owner.get(`/${section}/${id}`)).to.show('a.txt')
    }
    const proposal = await idOf(owner)
    const lines = await it.owner('proposal_lines').where({ proposal_id: proposal, is_optional: true })
    const chosen = { options: '1', option: lines.map(one => String(one.id)) }
    const asked = await send(owner.agent.post(`${at('proposals', proposal)}/comments`), 'Both?', [], chosen)
    const { searchParams } = new URL(asked.headers.location, 'http://x')
    expect(searchParams.getAll('option')).to.have.members(chosen.option)
  })

  it('are not offered where there is no place for files', async () => {
    const it = await open({ files: undefined })
    const [owner, admin] = [await it.visit('owner'), await it.visit('admin')]
    const id = await idOf(owner)
    expect(await owner.get(`/proposals/${id}`))
      .to.show('id="say"')
      .and.not.show('Attach files')
    expect((await owner.post(`/proposals/${id}/comments`, { text: 'Without' })).status).to.equal(303)
    expect(await admin.at(settings)).to.not.show('Attach files')
    const stale = await ask(owner, id, 'Typed already', [['a.txt', 'x']])
    expect(stale.status).to.equal(422)
    expect(stale).to.show('Typed already')
  })

  it('wait for the virus scanner, and an infected one is shown as deleted to both sides', async () => {
    // Nobody answers there: a file waits.
    const it = await scene({ scanner: 'tcp://127.0.0.1:1' })
    const [owner, admin] = [await it.visit('owner'), await it.visit('admin')]
    const id = await idOf(owner)
    await ask(owner, id, 'Safe?', [['macro.txt', 'x']])
    const [file] = await filesOf(owner, id)
    expect(file.state).to.equal('checking')
    expect((await owner.get(file.address)).status).to.equal(409)
    expect((await admin.at(`${settings}/files/${file.id}/content`)).status).to.equal(409)
    for (const page of [await owner.get(`/proposals/${id}`), await admin.at(settings)])
      expect(page).to.show('macro.txt', 'being checked for viruses')
    await it.owner('portal.client_files').update({ state: 'infected', threat: 'Win.Test.EICAR' })
    for (const page of [await owner.get(`/proposals/${id}`), await admin.at(settings)])
      expect(page).to.show('A virus was found (Win.Test.EICAR). The file was deleted.')
    expect((await owner.get(file.address)).status).to.equal(404)
  })

  it('come without the text that was typed being lost when the session has ended', async () => {
    const it = await scene()
    const owner = await it.visit('owner')
    const id = await idOf(owner)
    const page = await owner.get(`/proposals/${id}`)
    const kept = Object.fromEntries(
      [...page.text.matchAll(/name="(kept\.\w+)" value="([^"]*)"/g)].map(([, name, value]) => [name!, value!]),
    )
    await it.owner('portal.client_sessions').delete()
    const ended = await send(owner.agent.post(`${at('proposals', id)}/comments`), 'Still here?', [['a.txt', 'x']], kept)
    expect(ended.status).to.equal(303)
    expect(String(ended.headers['set-cookie'])).to.include('portico.kept')
  })
})
