import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, statSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { expect } from 'chai'
import { unzipSync } from 'fflate'
import sharp from 'sharp'
import { adapter } from '../../demo/adapter/adapter.ts'
import { fileJobs } from '../../src/files/jobs.ts'
import { type Crm, filesIn } from '../../src/index.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { fresh } from '../../test/database.ts'
import { leave, open, type Visitor, whoIs } from '../../test/visit.ts'

const settings = '/settings/client-portal/documents'
const pdf = Buffer.from('%PDF-1.7\n1 0 obj <</Type /Catalog>> endobj\ntrailer <</Root 1 0 R>>\n%%EOF\n')
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

/** A scene with a folder of its own for files, where the CRM shares none. */
async function scene(options: Parameters<typeof open>[0] = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'portico-files-'))
  const it = await open({ files: filesIn(folder), ...options })
  await it.owner('public.documents').where({ about_type: null }).update({ shared: false })
  return Object.assign(it, { folder })
}

type File = [name: string, content: Buffer | string]

const upload = (who: Visitor, files: File[], fields: Record<string, string> = {}) =>
  attached(who.agent.post('/portal/brightside/documents'), files, fields)

const shareWith = (admin: Visitor, client: string, files: File[], fields: Record<string, string> = {}) =>
  attached(admin.agent.post(`${settings}/clients/${client}`), files, fields)

function attached(request: any, files: File[], fields: Record<string, string>) {
  for (const [name, value] of Object.entries(fields)) request.field(name, value)
  for (const [name, content] of files) request.attach('files', Buffer.from(content), { filename: name })
  return request
}

const listed = async (who: Visitor, query = '') => (await who.api(`/documents${query}`)).body.items as any[]
const storedIn = ({ folder }: { folder: string }) =>
  existsSync(join(folder, 'kept'))
    ? readdirSync(join(folder, 'kept'), { recursive: true, withFileTypes: true }).filter(it => it.isFile())
    : []

describe('documents', () => {
  afterEach(leave)

  it('go from staff to the client, new until they are opened, and staff see who did', async () => {
    const it = await scene({ mail: 'kept' })
    const [owner, viewer, admin] = await Promise.all([it.visit('owner'), it.visit('viewer'), it.visit('admin')])
    const shared = await shareWith(admin, '1', [['Hosting agreement 2026.pdf', pdf]], { tell: 'on' })
    expect(shared.status).to.equal(303)
    const mail = await it.mailTo('nadia@acmebakery.example')
    expect(mail.subject).to.equal('Marta Lindqvist shared Hosting agreement 2026.pdf with you')

    expect(await owner.get('/documents')).to.show('Hosting agreement 2026.pdf', 'New')
    expect(await owner.get('/')).to.show('A new document', 'Hosting agreement 2026.pdf')
    const [document] = await listed(owner)
    expect(document).to.include({
      name: 'Hosting agreement 2026.pdf',
      type: 'application/pdf',
      size: pdf.length,
      isNew: true,
    })
    const sent = await owner.get(`/documents/${document.id}/content`).buffer()
    expect(sent.status).to.equal(200)
    expect(sent.headers['content-disposition']).to.equal('attachment; filename="Hosting agreement 2026.pdf"')
    expect(sent.headers['content-security-policy']).to.include('sandbox')
    expect(sent.body.equals(pdf)).to.equal(true)
    expect((await listed(owner))[0].isNew).to.equal(false)
    expect((await listed(viewer))[0].isNew).to.equal(true)
    expect(await admin.at(`${settings}/${document.id}`)).to.show('Nadia El-Khoury', 'downloaded it')
    expect(await admin.at('/settings/client-portal/activity')).to.show('shared Hosting agreement 2026.pdf')
  })

  it('go from the client to staff, each with its type by content', async () => {
    const it = await scene()
    const [owner, admin] = await Promise.all([it.visit('owner'), it.visit('admin')])
    expect(await owner.get('/documents/upload')).to.show('Up to 2 GB each', '20 GB left')
    const answer = await upload(owner, [
      ['shop.png', png],
      ['list.csv', 'a,b\n1,2\n'],
      ['logo.svg', '<svg onload="alert(1)"/>'],
    ])
    expect(answer.status).to.equal(303)
    expect(answer.headers.location).to.equal('/portal/brightside/documents?sent=3')
    const items = await listed(owner, '?sort=name')
    expect(items.map(one => [one.name, one.type, one.own])).to.deep.equal([
      ['list.csv', 'text/plain', true],
      ['logo.svg', 'text/plain', true],
      ['shop.png', 'image/png', true],
    ])
    // What could run as a page of ours is sent as plain bytes.
    const svg = await owner.get(`/documents/${items[1].id}/content`)
    expect(svg.headers['content-type']).to.equal('application/octet-stream')
    expect(await admin.at(settings)).to.show('shop.png', 'Nadia El-Khoury', 'Files are not checked for viruses')
    const taken = await admin.at(`${settings}/${items[2].id}/content`).buffer()
    expect(taken.body.equals(png)).to.equal(true)
    expect(await owner.get('/activity')).to.show('uploaded 3 files')
  })

  it('are refused one by one, each with a sentence, and the others are kept', async () => {
    const it = await scene()
    const owner = await it.visit('owner')
    const answer = await upload(owner, [
      ['good.png', png],
      ['setup.exe', 'MZ'],
      ['hidden.jpg', Buffer.concat([Buffer.from('MZ'), Buffer.alloc(200)])],
      ['broken.pdf', 'no pdf at all'],
      ['nothing.txt', ''],
    ])
    expect(answer.status).to.equal(422)
    expect(answer).to.show(
      '1 file was sent',
      '4 were not accepted',
      'Programs can’t be sent here',
      'The content doesn’t match',
      'This file is empty.',
    )
    expect((await listed(owner)).map(one => one.name)).to.deep.equal(['good.png'])
    expect(storedIn(it)).to.have.length(1)
    const none = await upload(owner, [], { folder: '' })
    expect(none.status).to.equal(422)
    expect(none).to.show('Choose at least one file.')
    const noForm = await owner.post('/documents', { files: 'x' })
    expect(noForm.status).to.equal(400)
  })

  it('have names that can do no harm, whatever was sent', async () => {
    const it = await scene()
    const owner = await it.visit('owner')
    const names = [
      '../../etc/passwd',
      'a\u202Etxt.exe.png',
      '<img src=x>.txt',
      `${'é'.repeat(400)}.txt`,
      '.htaccess',
      'عقد.txt',
      'CON:<>.txt',
    ]
    for (const name of names)
      expect((await upload(owner, [[name, name.endsWith('png') ? png : 'text']])).status, name).to.equal(303)
    const items = await listed(owner, '?size=100')
    const found = items.map(one => one.name)
    expect(found).to.include.members(['passwd', 'atxt.exe.png', 'htaccess', 'عقد.txt'])
    for (const name of found) expect(name).to.match(/^[^/\\\p{Cc}\u202E<>]{1,204}$/u)
    const arabic = items.find(one => one.name === 'عقد.txt')
    const { headers } = await owner.get(`/documents/${arabic.id}/content`)
    expect(headers['content-disposition']).to.include(`filename*=UTF-8''${encodeURIComponent('عقد')}.txt`)
    expect(storedIn(it).map(one => one.name)).to.satisfy((keys: string[]) =>
      keys.every(key => /^[0-9a-f-]{36}$/.test(key)),
    )
  })

  it('are limited in size, each and together, also for several uploads at once', async () => {
    const it = await scene()
    const [owner, admin] = await Promise.all([it.visit('owner'), it.visit('admin')])
    const limits = async (form: object) => admin.postAt(`${settings}/limits`, form)
    const page = await admin.at(settings)
    const [, was] = /name="was.limits" value="([^"]+)"/.exec(page.text)!
    const before = was!.replaceAll('&#34;', '"')
    expect((await limits({ size: '0', total: '1', 'was.limits': before })).status).to.equal(422)
    expect((await limits({ size: '1', total: '1', 'was.limits': before, 'kind.other': 'on' })).status).to.equal(303)
    const large = await upload(owner, [
      ['large.txt', 'x'.repeat(1_000_001)],
      ['small.txt', 'x'],
    ])
    expect(large.status).to.equal(422)
    expect(large).to.show('This file is larger than the 1 MB allowed.', '1 file was sent')
    expect(storedIn(it)).to.have.length(1)
    // All but one of these fit into what is left.
    await it
      .owner('portal.client_files')
      .where({ name: 'small.txt' })
      .update({ size: 1e9 - 1_500_000 })
    const answers = await Promise.all([1, 2].map(at => upload(owner, [[`${at}.txt`, 'x'.repeat(900_000)]])))
    expect(answers.map(one => one.status).sort()).to.deep.equal([303, 409])
    expect(answers.find(one => one.status === 409)).to.show('There isn’t enough space left')
    expect(storedIn(it)).to.have.length(2)
  })

  it('are of the kinds that the workspace accepts, which the page says before and the content decides', async () => {
    const it = await scene()
    const [owner, admin] = await Promise.all([it.visit('owner'), it.visit('admin')])
    expect(await owner.get('/documents/upload')).to.not.show('Accepted:')
    const page = await admin.at(settings)
    expect(page.text.match(/name="kind\.\w+" value="on" checked/g)).to.have.length(6)
    const before = /name="was.limits" value="([^"]+)"/.exec(page.text)![1]!.replaceAll('&#34;', '"')
    const form = { size: '2000', total: '20', 'was.limits': before }
    const none = await admin.postAt(`${settings}/limits`, form)
    expect(none.status).to.equal(422)
    expect(none).to.show('Choose at least one kind of file.')
    const chosen = { ...form, 'kind.pictures': 'on', 'kind.archives': 'on' }
    expect((await admin.postAt(`${settings}/limits`, chosen)).status).to.equal(303)
    const shown = await owner.get('/documents/upload')
    expect(shown).to.show('Accepted: Pictures · Archives, such as zip', 'accept="image/*,.zip,')
    const zip = Buffer.from(`PK\x05\x06${'\0'.repeat(18)}`, 'latin1')
    const answer = await upload(owner, [
      ['a.png', png],
      ['really a picture.bin', png],
      ['b.zip', zip],
      ['c.pdf', pdf],
      ['d.png.txt', 'text'],
      ['e', pdf],
    ])
    expect(answer.status).to.equal(422)
    expect(answer).to.show('3 files were sent', '3 were not accepted', 'Files of this kind are not accepted here.')
    expect((await listed(owner)).map(one => one.name).sort()).to.deep.equal(['a.png', 'b.zip', 'really a picture.bin'])
    const tus = { 'Tus-Resumable': '1.0.0' }
    const begun = await owner.agent
      .post('/portal/brightside/documents/uploads')
      .set({ ...tus, 'Upload-Length': String(pdf.length), 'Upload-Metadata': `filename ${btoa('f.png.x')}` })
    const refused = await owner.agent
      .patch(begun.headers.location!)
      .set({ ...tus, 'Upload-Offset': '0', 'Content-Type': 'application/offset+octet-stream' })
      .send(pdf)
    expect([refused.status, refused.text]).to.deep.equal([422, 'Files of this kind are not accepted here.'])
    expect((await owner.agent.head(begun.headers.location!).set(tus)).status).to.equal(404)
    expect(storedIn(it)).to.have.length(3)
    // Staff share what they like.
    expect((await shareWith(admin, '1', [['g.pdf', pdf]])).status).to.equal(303)
  })

  it('are sent in ranges, and not again to who has them', async () => {
    const it = await scene()
    const owner = await it.visit('owner')
    await upload(owner, [['digits.txt', '0123456789']])
    const [{ id }] = await listed(owner)
    const part = (range: string, more: Record<string, string> = {}) =>
      owner
        .get(`/documents/${id}/content`)
        .set({ Range: range, ...more })
        .buffer()
    const middle = await part('bytes=2-4')
    expect([middle.status, String(middle.body), middle.headers['content-range']]).to.deep.equal([
      206,
      '234',
      'bytes 2-4/10',
    ])
    expect(String((await part('bytes=-3')).body)).to.equal('789')
    const beyond = await part('bytes=10-')
    expect([beyond.status, beyond.headers['content-range']]).to.deep.equal([416, 'bytes */10'])
    expect((await part('bytes=0-1,4-5')).status).to.equal(200)
    expect((await part('bytes=0-1', { 'If-Range': '"other"' })).status).to.equal(200)
    const { etag } = middle.headers
    expect(etag).to.equal(`"${createHash('sha256').update('0123456789').digest('hex')}"`)
    expect((await owner.get(`/documents/${id}/content`).set('If-None-Match', etag!)).status).to.equal(304)
    const head = await owner.agent.head(`/portal/brightside/documents/${id}/content`)
    expect([head.status, head.headers['content-length']]).to.deep.equal([200, '10'])
  })

  it('are nobody else’s: not of another client, another role, or after their last day', async () => {
    const it = await scene()
    const [owner, viewer, neighbour, stranger, admin] = await Promise.all(
      (['owner', 'viewer', 'neighbour', 'stranger', 'admin'] as const).map(role => it.visit(role)),
    )
    await admin!.postAt(`${settings}/clients/1/folders`, { name: 'Contracts', 'role.admin': 'on' })
    const again = await admin!.postAt(`${settings}/clients/1/folders`, { name: 'contracts' })
    expect(again.status).to.equal(422)
    const page = await admin!.at(`${settings}/clients/1`)
    const [, folder] = /<option value="([^"]+)">Contracts/.exec(page.text)!
    await shareWith(admin!, '1', [['secret.txt', 'x']], { folder: folder! })
    await shareWith(admin!, '1', [['for admins.txt', 'x']], { 'role.admin': 'on' })
    await shareWith(admin!, '1', [['until today.txt', 'x']], { expiresOn: '2026-11-21' })
    const items = await listed(owner!)
    expect(items.map(one => one.name)).to.have.members(['secret.txt', 'for admins.txt', 'until today.txt'])
    expect((await listed(viewer!)).map(one => one.name)).to.deep.equal(['until today.txt'])
    expect(await viewer!.get('/documents')).to.not.show('Contracts')
    expect((await viewer!.get(`/documents?folder=${folder}`)).status).to.equal(404)
    expect(await listed(neighbour!)).to.deep.equal([])
    for (const { id, name } of items)
      for (const path of ['', '/content', '/content?version=1']) {
        const others = [neighbour!, stranger!, ...(name === 'until today.txt' ? [] : [viewer!])]
        for (const who of others) expect((await who.get(`/documents/${id}${path}`)).status, name + path).to.equal(404)
      }
    await it.pass(24 * 60)
    const later = items.find(one => one.name === 'until today.txt')
    const tomorrow = await it.visit('owner')
    expect((await tomorrow.get(`/documents/${later.id}/content`)).status).to.equal(404)
    expect((await listed(tomorrow)).map(one => one.name)).to.not.include('until today.txt')
    // A client's upload into a folder that it cannot see, or that is of another client.
    const [reader, member] = [await it.visit('viewer'), await it.visit('member')]
    expect((await upload(reader, [['x.txt', 'x']])).status).to.equal(403)
    const refused = await upload(member, [['x.txt', 'x']], { folder: folder! })
    expect(refused.status).to.equal(422)
    expect(refused).to.show('This folder is no longer there.')
    expect(storedIn(it)).to.have.length(3)
  })

  it('can be replaced by a version, taken back by who sent them, and removed by staff', async () => {
    const it = await scene()
    const [owner, approver, admin] = await Promise.all([it.visit('owner'), it.visit('approver'), it.visit('admin')])
    await shareWith(admin, '1', [['plan.txt', 'first']])
    const [{ id }] = await listed(owner)
    await owner.get(`/documents/${id}`)
    const replaced = await attached(admin.agent.post(`${settings}/${id}/versions`), [['other name.txt', 'second']], {})
    expect(replaced.status).to.equal(303)
    expect((await listed(owner))[0]).to.include({ name: 'plan.txt', version: 2, isNew: true })
    const content = async (query: string) => String((await owner.get(`/documents/${id}/content${query}`).buffer()).body)
    expect([await content(''), await content('?version=1')]).to.deep.equal(['second', 'first'])
    expect(await owner.get(`/documents/${id}`)).to.show('Versions', 'Version 2')
    expect((await owner.post(`/documents/${id}/removal`)).status).to.equal(404)
    expect((await admin.postAt(`${settings}/${id}/removal`)).status).to.equal(303)
    expect((await owner.get(`/documents/${id}`)).status).to.equal(404)
    expect(storedIn(it)).to.have.length(0)

    await upload(owner, [['mistake.txt', 'oops']])
    const [{ id: mistake }] = await listed(owner)
    expect((await approver.post(`/documents/${mistake}/removal`)).status).to.equal(404)
    expect((await owner.post(`/documents/${mistake}/removal`)).headers.location).to.equal(
      '/portal/brightside/documents?removed',
    )
    await upload(owner, [['kept.txt', 'fine']])
    const [{ id: kept }] = await listed(owner)
    await it.pass(25 * 60)
    const later = await it.visit('owner')
    expect((await later.post(`/documents/${kept}/removal`)).status).to.equal(404)
    const staff = await it.visit('admin')
    expect(await staff.at('/settings/client-portal/activity')).to.show('removed mistake.txt, which they had uploaded')
  })

  it('are taken as one zip, with folders and names that differ', async () => {
    const it = await scene()
    const [owner, admin] = await Promise.all([it.visit('owner'), it.visit('admin')])
    await admin.postAt(`${settings}/clients/1/folders`, { name: 'Brand' })
    const [, folder] = /<option value="([^"]+)">Brand/.exec((await admin.at(`${settings}/clients/1`)).text)!
    await shareWith(admin, '1', [
      ['a.txt', 'one'],
      ['a.txt', 'two'],
    ])
    await shareWith(admin, '1', [['logo.png', png]], { folder: folder! })
    const answer = await owner.get('/documents/zip').buffer().parse(bytesOf)
    expect(answer.headers['content-disposition']).to.equal('attachment; filename=Documents.zip')
    const files = unzipSync(new Uint8Array(answer.body))
    expect(Object.keys(files).sort()).to.deep.equal(['Brand/logo.png', 'a (2).txt', 'a.txt'])
    expect(Buffer.from(files['Brand/logo.png']!).equals(png)).to.equal(true)
    const one = await owner.get(`/documents/zip?folder=${folder}`).buffer().parse(bytesOf)
    expect(Object.keys(unzipSync(new Uint8Array(one.body)))).to.deep.equal(['Brand/logo.png'])
    expect((await owner.get('/documents/zip?search=nothing-like-it')).status).to.equal(404)
  })

  it('are not offered where there is no place for files, and uploads not where they are off', async () => {
    const copy = await fresh()
    const { reads, ...plain } = adapter(copy.database)
    const connect: Crm['connect'] = (customer, tx) =>
      Object.fromEntries(Object.entries(plain.connect(customer, tx)).filter(([name]) => name !== 'documents'))
    const without = await open({ on: copy, files: undefined, crm: { ...plain, connect } })
    const nobody = await without.visit('owner')
    expect((await nobody.get('/documents')).status).to.equal(404)
    expect(await nobody.get('/')).to.not.show('/documents"')
    const it = await scene()
    const owner = await it.visit('owner')
    const off = { workspace_id: '1', name: 'documents.uploads', value: 'false', changed_by: 'a test' }
    await it.owner('portal.client_portal_settings').insert(off)
    expect(await owner.get('/documents')).to.not.show('/documents/upload')
    for (const answer of [await owner.get('/documents/upload'), await upload(owner, [['x.txt', 'x']])])
      expect(answer.status).to.equal(404)
    expect(storedIn(it)).to.have.length(0)
  })

  it('leave nothing behind when an upload breaks off or the database fails', async () => {
    const it = await scene()
    const owner = await it.visit('owner')
    await it.owner.raw('revoke insert on portal.client_documents from portico_app')
    expect((await upload(owner, [['x.txt', 'x']])).status).to.be.above(499)
    expect(await it.owner('portal.client_files')).to.have.length(0)
    await it.owner.raw('grant insert on portal.client_documents to portico_app')
    await upload(owner, [['kept.txt', 'x']])
    // What was stored for nothing is swept up after two days, and nothing else.
    const host = {
      database: it.database,
      files: filesIn(it.folder),
      log: { error: () => undefined },
    } as unknown as Host
    const sweep = () => fileJobs['files.sweep']!.work({ workspace: { id: '1', slug: 'brightside' }, data: {} }, host)
    await sweep()
    expect(storedIn(it)).to.have.length(2)
    for (const { parentPath, name } of storedIn(it)) {
      const path = join(parentPath, name)
      const longAgo = new Date(statSync(path).mtimeMs - 3 * 86_400_000)
      utimesSync(path, longAgo, longAgo)
    }
    await sweep()
    expect(storedIn(it)).to.have.length(1)
    const [kept] = await listed(owner)
    expect((await owner.get(`/documents/${kept.id}/content`)).status).to.equal(200)
    const broken = await owner.agent
      .post('/portal/brightside/documents')
      .set('Content-Type', 'multipart/form-data; boundary=x')
      .send('--x\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\nhalf of it')
    expect(broken.status).to.equal(400)
    expect(storedIn(it)).to.have.length(1)
    expect(readdirSync(it.folder).includes('arriving') ? readdirSync(join(it.folder, 'arriving')) : []).to.deep.equal(
      [],
    )
  })
})

describe('documents of a program, by a token', () => {
  afterEach(leave)

  const at = '/portal/brightside/api/v1'

  it('are uploaded, refused one by one, and downloaded, within its rights', async () => {
    const it = await scene()
    const [nobody, viewer] = [await it.visit(), await it.visit('viewer')]
    const { email, password } = whoIs('owner')
    const { body: tokens } = await nobody.agent.post(`${at}/tokens`).send({ grant: 'password', email, password })
    const as = { Authorization: `Bearer ${tokens.access_token}` }
    const send = (files: File[]) => attached(nobody.agent.post(`${at}/documents`).set(as), files, {})
    const made = await send([['plan.pdf', pdf]])
    expect(made.status).to.equal(201)
    const [{ id, name, type }] = made.body.documents
    expect([name, type]).to.deep.equal(['plan.pdf', 'application/pdf'])
    const content = await nobody.agent.get(`${at}/documents/${id}/content`).set(as).buffer()
    expect(content.body.equals(pdf)).to.equal(true)
    const some = await send([
      ['good.txt', 'x'],
      ['setup.exe', 'MZ'],
    ])
    expect(some.status).to.equal(422)
    expect(some.body.code).to.equal('refused-files')
    expect(some.body.errors.files[0]).to.match(/^setup\.exe: Programs can’t be sent here/)
    expect(some.body.documents.map((one: { name: string }) => one.name)).to.deep.equal(['good.txt'])
    expect((await send([])).status).to.equal(422)
    const refused = await attached(viewer.agent.post(`${at}/documents`), [['x.txt', 'x']], {})
    expect(refused.status).to.equal(403)
    const begun = await nobody.agent
      .post(`${at}/documents/uploads`)
      .set({ ...as, 'Tus-Resumable': '1.0.0', 'Upload-Length': '5', 'Upload-Metadata': 'filename YS50eHQ=' })
    expect(begun.status).to.equal(201)
    const sent = await nobody.agent
      .patch(begun.headers.location!)
      .set({ ...as, 'Tus-Resumable': '1.0.0', 'Upload-Offset': '0' })
      .set('Content-Type', 'application/offset+octet-stream')
      .send(Buffer.from('hello'))
    expect(sent.status).to.equal(204)
  })

  it('are described as they are', async () => {
    const it = await scene()
    const { paths } = (await (await it.visit()).api('/openapi.json')).body
    expect(Object.keys(paths['/documents'].post.requestBody.content)).to.deep.equal(['multipart/form-data'])
    expect(Object.keys(paths['/documents'].post.responses)).to.include.members(['201', '422'])
    expect(paths['/documents/{id}/content'].get.responses['200'].content).to.have.property('application/octet-stream')
    expect(paths['/documents/uploads'].post.responses['201'].headers).to.have.property('Location')
    expect(paths['/documents/uploads/{id}'].patch.requestBody.content).to.have.property(
      'application/offset+octet-stream',
    )
    const comment = paths['/proposals/{id}/comments'].post.requestBody.content
    expect(comment).to.have.keys('application/json', 'multipart/form-data')
    expect(paths).to.have.property('/proposals/{id}/comments/files/{file}/content')
  })
})

describe('an upload that may stop and go on', () => {
  afterEach(leave)

  const tus = { 'Tus-Resumable': '1.0.0' }
  const encoded = (text: string) => Buffer.from(text).toString('base64')
  const address = '/portal/brightside/documents/uploads'

  const begin = (who: Visitor, name: string, size: number, more = '') =>
    who.agent
      .post(address)
      .set({ ...tus, 'Upload-Length': String(size), 'Upload-Metadata': `filename ${encoded(name)}${more}` })
  const append = (who: Visitor, at: string, offset: number, content: Buffer | string) =>
    who.agent
      .patch(at)
      .set({ ...tus, 'Upload-Offset': String(offset), 'Content-Type': 'application/offset+octet-stream' })
      .send(Buffer.from(content))
  const offsetOf = async (who: Visitor, at: string) => {
    const { status, headers } = await who.agent.head(at).set(tus)
    return [status, headers['upload-offset']]
  }

  it('arrives in parts, is kept once, and says so afterwards', async () => {
    const it = await scene()
    const owner = await it.visit('owner')
    const { status, headers } = await begin(owner, 'plan.txt', 11)
    expect(status).to.equal(201)
    expect(headers.location).to.match(/^\/portal\/brightside\/documents\/uploads\/[0-9a-f-]{36}$/)
    expect(headers).to.not.have.property('access-control-allow-origin')
    const at = headers.location!
    expect((await append(owner, at, 0, 'hello ')).status).to.equal(204)
    expect(await offsetOf(owner, at)).to.deep.equal([200, '6'])
    // What was sent already is not taken for what comes next.
    expect((await append(owner, at, 0, 'hello ')).status).to.equal(409)
    expect(await listed(owner)).to.have.length(0)
    expect((await append(owner, at, 6, 'world')).status).to.equal(204)
    const [document] = await listed(owner)
    expect(document).to.include({ name: 'plan.txt', size: 11, own: true })
    const { body } = await owner.get(`/documents/${document.id}/content`).buffer()
    expect(String(body)).to.equal('hello world')
    expect(await offsetOf(owner, at)).to.deep.equal([200, '11'])
    expect((await append(owner, at, 6, 'world')).status).to.equal(200)
    expect(await listed(owner)).to.have.length(1)
    expect(readdirSync(join(it.folder, 'uploads'))).to.deep.equal([])
  })

  it('is kept when it is asked for again, if the process ended after its last byte', async () => {
    const it = await scene()
    const owner = await it.visit('owner')
    const at = (await begin(owner, 'late.txt', 5)).headers.location!
    await it.owner.raw('revoke insert on portal.client_documents from portico_app')
    expect((await append(owner, at, 0, 'hello')).status).to.be.above(499)
    await it.owner.raw('grant insert on portal.client_documents to portico_app')
    const answers = await Promise.all([1, 2, 3].map(() => offsetOf(owner, at)))
    expect(answers).to.deep.equal([1, 2, 3].map(() => [200, '5']))
    expect(await listed(owner)).to.have.length(1)
    expect(storedIn(it)).to.have.length(1)
  })

  it('is nobody else’s, and is refused for what no form would be', async () => {
    const it = await scene()
    const [owner, approver, neighbour, viewer] = await Promise.all(
      (['owner', 'approver', 'neighbour', 'viewer'] as const).map(role => it.visit(role)),
    )
    const at = (await begin(owner!, 'mine.txt', 10)).headers.location!
    for (const who of [approver!, neighbour!]) {
      expect(await offsetOf(who, at)).to.deep.equal([404, undefined])
      expect((await append(who, at, 0, 'stolen')).status).to.equal(404)
      expect((await who.agent.delete(at).set(tus)).status).to.equal(404)
    }
    expect((await begin(viewer!, 'x.txt', 1)).status).to.equal(403)
    expect((await owner!.agent.head(`${address}/${encodeURIComponent('../../secret')}`).set(tus)).status).to.equal(404)
    const refusals: [string, number, number, string][] = [
      ['setup.exe', 5, 422, 'Programs can’t be sent here'],
      ['empty.txt', 0, 422, 'This file is empty.'],
      ['large.txt', 2_000_000_001, 413, ''],
    ]
    for (const [name, size, status, sentence] of refusals) {
      const answer = await begin(owner!, name, size)
      expect(answer.status, name).to.equal(status)
      expect(answer.text).to.include(sentence)
    }
    const folder = ` ,folder ${encoded('018f0000-0000-7000-8000-000000000001')}`.replace(' ,', ',')
    expect((await begin(owner!, 'x.txt', 1, folder)).status).to.equal(422)
    const fake = (await begin(owner!, 'fake.pdf', 6)).headers.location!
    const refused = await append(owner!, fake, 0, 'no pdf')
    expect(refused.status).to.equal(422)
    expect(refused.text).to.equal('The content doesn’t match the name. The file may be damaged.')
    expect(await offsetOf(owner!, fake)).to.deep.equal([404, undefined])
    expect((await owner!.agent.delete(at).set(tus)).status).to.equal(204)
    expect(await listed(owner!)).to.have.length(0)
    expect(await it.owner('portal.client_files')).to.have.length(0)
    expect(readdirSync(join(it.folder, 'uploads'))).to.deep.equal([])
  })
})

describe('the space of a client', () => {
  afterEach(leave)

  it('is reserved when an upload begins, and given back when it is cancelled or stands still for a day', async () => {
    const it = await scene()
    const owner = await it.visit('owner')
    const begin = (name: string) =>
      owner.agent
        .post('/portal/brightside/documents/uploads')
        .set({ 'Tus-Resumable': '1.0.0', 'Upload-Length': '2000000000' })
        .set('Upload-Metadata', `filename ${Buffer.from(name).toString('base64')}`)
    const answers = await Promise.all(Array.from({ length: 12 }, (_, at) => begin(`${at}.txt`)))
    expect(answers.filter(one => one.status === 201)).to.have.length(10)
    expect(answers.filter(one => one.status === 409)).to.have.length(2)
    expect(await owner.get('/documents/upload')).to.show('0 kB left')
    const began = answers.find(one => one.status === 201)!
    await owner.agent.delete(began.headers.location!).set('Tus-Resumable', '1.0.0')
    expect(await owner.get('/documents/upload')).to.show('2 GB left')
    await it.pass(25 * 60)
    const host = {
      database: it.database,
      files: filesIn(it.folder),
      log: { error: () => undefined },
    } as unknown as Host
    await fileJobs['files.sweep']!.work({ workspace: { id: '1', slug: 'brightside' }, data: {} }, host)
    expect(await (await it.visit('owner')).get('/documents/upload')).to.show('20 GB left')
  })
})

/** Each page is less high than the one before. */
function pdfWith(count: number): Buffer {
  const pages = Array.from({ length: count }, (_, at) => at + 3)
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Kids [${pages.map(it => `${it} 0 R`).join(' ')}] /Count ${count} >>`,
    ...pages.map(it => `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 ${300 - it * 20}] >>`),
  ]
  const body = objects.map((it, at) => `${at + 1} 0 obj ${it} endobj\n`).join('')
  return Buffer.from(`%PDF-1.7\n${body}trailer << /Size ${objects.length + 1} /Root 1 0 R >>\n%%EOF\n`)
}

describe('a preview of a document', () => {
  afterEach(leave)

  const preview = (who: Visitor, id: string, size = 'small') =>
    who.get(`/documents/${id}/preview?size=${size}`).buffer().parse(bytesOf)

  it('is a picture of an image or of a PDF’s first page, without what else was in the file', async () => {
    const it = await scene()
    const [owner, neighbour, admin] = [await it.visit('owner'), await it.visit('neighbour'), await it.visit('admin')]
    const place = { IFD0: { Copyright: 'hidden-words' }, IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '52/1 22/1 0/1' } }
    const blank = { create: { width: 300, height: 200, channels: 3 as const, background: '#c00' } }
    const photo = await sharp(blank).withExif(place).jpeg().toBuffer()
    expect(photo.includes('hidden-words')).to.equal(true)
    await upload(owner, [
      ['photo.jpg', photo],
      ['plan.pdf', pdfWith(1)],
    ])
    const items = await listed(owner, '?sort=name')
    for (const { id, name } of items) {
      const small = await preview(owner, id)
      expect([small.status, small.headers['content-type']], name).to.deep.equal([200, 'image/webp'])
      expect(small.headers['content-security-policy']).to.include('sandbox')
      const { width, height, exif } = await sharp(small.body).metadata()
      expect(Math.max(width, height)).to.be.within(100, 176)
      expect(exif).to.equal(undefined)
      expect(small.body.includes('hidden-words')).to.equal(false)
      expect((await preview(owner, id, 'large')).body.length).to.be.above(100)
      expect((await preview(neighbour, id)).status).to.equal(404)
      expect((await admin.at(`${settings}/${id}/preview`)).status).to.equal(200)
    }
    // What is sent is the file itself, as it came.
    const sent = await owner.get(`/documents/${items[0].id}/content`).buffer().parse(bytesOf)
    expect(sent.body.equals(photo)).to.equal(true)
    expect(storedIn(it)).to.have.length(8)
    await owner.post(`/documents/${items[0].id}/removal`)
    expect(storedIn(it)).to.have.length(4)
  })

  it('is there of every page of a PDF', async () => {
    const it = await scene()
    const [owner, neighbour] = [await it.visit('owner'), await it.visit('neighbour')]
    await upload(owner, [['plan.pdf', pdfWith(3)]])
    const [{ id }] = await listed(owner)
    expect(await owner.get(`/documents/${id}`)).to.show(`/documents/${id}/pages"`)
    expect(await owner.get(`/documents/${id}/pages`)).to.show('3 pages', 'Page 3 of plan.pdf', 'preview?page=3')
    const [first, third] = await Promise.all(
      [1, 3].map(at => owner.get(`/documents/${id}/preview?page=${at}`).buffer().parse(bytesOf)),
    )
    expect([first!, third!].map(it => it.headers['content-type'])).to.deep.equal(['image/webp', 'image/webp'])
    const heights = await Promise.all([first!, third!].map(async it => (await sharp(it.body).metadata()).height))
    expect(heights[1]).to.be.below(heights[0]!)
    for (const page of [4, 31, 999])
      expect((await owner.get(`/documents/${id}/preview?page=${page}`)).status).to.equal(404)
    for (const path of ['/pages', '/preview?page=3'])
      expect((await neighbour.get(`/documents/${id}${path}`)).status).to.equal(404)
    await owner.post(`/documents/${id}/removal`)
    expect(storedIn(it)).to.have.length(0)

    await upload(owner, [['one.pdf', pdfWith(1)]])
    const [one] = await listed(owner)
    expect((await owner.get(`/documents/${one.id}/preview`)).status).to.equal(200)
    expect(await owner.get(`/documents/${one.id}`)).to.not.show(`/documents/${one.id}/pages"`)
  })

  it('is not there for what cannot or must not be shown, and the portal goes on', async () => {
    const it = await scene()
    const owner = await it.visit('owner')
    const bomb = Buffer.from(png)
    bomb.writeUInt32BE(100_000, 16)
    bomb.writeUInt32BE(100_000, 20)
    bomb.writeUInt32BE(crc32(bomb.subarray(12, 29)), 29)
    await upload(owner, [
      ['bomb.png', bomb],
      ['drawing.svg', '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'],
      ['broken.pdf', `%PDF-1.7\n${'garbage '.repeat(100)}`],
      ['notes.txt', 'text'],
      ['good.png', png],
    ])
    const items = await listed(owner)
    for (const { id, name } of items.filter(one => one.name !== 'good.png')) {
      expect((await preview(owner, id)).status, name).to.equal(404)
      expect((await preview(owner, id)).status, name).to.equal(404)
    }
    const good = items.find(one => one.name === 'good.png')
    expect((await preview(owner, good.id)).status).to.equal(200)
  })
})

const bytesOf = (res: any, done: (error: Error | null, body: Buffer) => void) => {
  const parts: Buffer[] = []
  res.on('data', (part: Buffer) => parts.push(part))
  res.on('end', () => done(null, Buffer.concat(parts)))
}
