import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { encryptedFiles } from '../../src/index.ts'
import { secret } from '../../test/database.ts'
import { S3Service } from '../../test/s3.ts'
import { append, begin, send, tus } from '../../test/sending.ts'
import { leave, open, type Visitor } from '../../test/visit.ts'

/** What this person sent: the CRM has documents of its own. */
const listed = async (who: Visitor) => (await who.api('/documents?sort=name&status=sent')).body.items as any[]

describe('documents in S3', function () {
  this.timeout(120_000)
  let s3: S3Service

  before(async () => {
    s3 = await S3Service.started()
  })
  after(() => s3.end())
  afterEach(async () => {
    s3.fault = () => undefined
    await leave()
  })

  it('are sent by the form and in parts, and downloaded, also in ranges', async () => {
    const it = await open({ files: s3.store() })
    const owner = await it.visit('owner')
    const content = randomBytes(12_000_000)
    expect((await send(owner, '../../a.bin', content)).status).to.equal(303)
    const at = (await begin(owner, '<b>.bin', content.length)).headers.location!
    expect((await append(owner, at, 0, content.subarray(0, 7_000_000))).status).to.equal(204)
    expect((await owner.agent.head(at).set(tus)).headers['upload-offset']).to.equal('7000000')
    expect((await append(owner, at, 7_000_000, content.subarray(7_000_000))).status).to.equal(204)
    expect((await owner.agent.head(at).set(tus)).headers['upload-offset']).to.equal('12000000')
    const items = await listed(owner)
    expect(items).to.have.length(2)
    for (const { id, size } of items) {
      expect(size).to.equal(content.length)
      const { body } = await owner.get(`/documents/${id}/content`).buffer()
      expect(body.equals(content)).to.equal(true)
      const part = await owner.get(`/documents/${id}/content`).set('Range', 'bytes=65530-65545').buffer()
      expect(part.status).to.equal(206)
      expect(part.body.equals(content.subarray(65_530, 65_546))).to.equal(true)
    }
    // Nothing of a name, and nothing of an upload that is done.
    for (const key of await s3.keys()) expect(key).to.match(/^portico\/31\/[0-9a-f-]{36}$/)
    expect((await owner.post(`/documents/${items[0].id}/removal`)).status).to.equal(303)
    expect(await s3.keys()).to.have.length(1)
  })

  it('are encrypted where that is on, and read as they were sent', async () => {
    const it = await open({ files: encryptedFiles(s3.store({ prefix: 'encrypted' }), [secret]) })
    const owner = await it.visit('owner')
    const content = Buffer.from('Nobody reads this in the bucket. '.repeat(10_000))
    expect((await send(owner, 'form.txt', content)).status).to.equal(303)
    const at = (await begin(owner, 'parts.txt', content.length)).headers.location!
    expect((await append(owner, at, 0, content.subarray(0, 100_000))).status).to.equal(204)
    expect((await append(owner, at, 100_000, content.subarray(100_000))).status).to.equal(204)
    const items = await listed(owner)
    expect(items.map(one => [one.name, one.size, one.type])).to.deep.equal([
      ['form.txt', content.length, 'text/plain'],
      ['parts.txt', content.length, 'text/plain'],
    ])
    for (const { id } of items) {
      const { body } = await owner.get(`/documents/${id}/content`).buffer()
      expect(body.equals(content)).to.equal(true)
      const part = await owner.get(`/documents/${id}/content`).set('Range', 'bytes=-33').buffer()
      expect(String(part.body)).to.equal('Nobody reads this in the bucket. ')
    }
    for (const key of await s3.keys())
      if (key.startsWith('encrypted')) expect((await s3.bytes(key)).includes('Nobody'), key).to.equal(false)
  })

  it('that cannot be reached are no error of the client: it can try again, and an upload goes on', async () => {
    const it = await open({ files: s3.store() })
    const owner = await it.visit('owner')
    await send(owner, 'kept.txt', Buffer.from('kept'))
    const content = randomBytes(3_000_000)
    const at = (await begin(owner, 'b.bin', content.length)).headers.location!
    await append(owner, at, 0, content.subarray(0, 2_000_000))
    await s3.stop()
    const [{ id }] = await listed(owner)
    const answers = [
      await send(owner, 'c.txt', Buffer.from('c')),
      await owner.get(`/documents/${id}/content`),
      await append(owner, at, 2_000_000, content.subarray(2_000_000)),
      await owner.agent.head(at).set(tus),
    ]
    expect(answers.map(one => one.status)).to.deep.equal([503, 503, 503, 503])
    expect(answers[0]).to.show('Files are temporarily unavailable.')
    expect(await owner.get('/documents')).to.show('kept.txt')
    expect(it.log.filter(one => one.level === 'error')).to.not.be.empty
    await s3.start()
    expect((await owner.agent.head(at).set(tus)).headers['upload-offset']).to.equal('2000000')
    expect((await append(owner, at, 2_000_000, content.subarray(2_000_000))).status).to.equal(204)
    expect((await listed(owner)).map(one => one.name)).to.deep.equal(['b.bin', 'kept.txt'])
    expect(String((await owner.get(`/documents/${id}/content`).buffer()).body)).to.equal('kept')
  })

  it('that are full are answered with a sentence, and the upload is removed', async () => {
    const it = await open({ files: s3.store() })
    const owner = await it.visit('owner')
    const at = (await begin(owner, 'b.bin', 100)).headers.location!
    s3.fault = req => (req.method === 'PUT' ? 'full' : undefined)
    const refused = await append(owner, at, 0, randomBytes(50))
    expect([refused.status, refused.text]).to.deep.equal([507, 'There is no space left to store files.'])
    const sent = await send(owner, 'c.txt', Buffer.from('c'))
    expect(sent.status).to.equal(507)
    expect(sent).to.show('There is no space left to store files.')
    s3.fault = () => undefined
    expect((await owner.agent.head(at).set(tus)).status).to.equal(404)
    expect(await it.owner('portal.client_files')).to.have.length(0)
  })

  it('are fetched from the service itself where that is wanted, by an address for one file and a minute', async () => {
    const it = await open({ files: s3.store({ addresses: true, prefix: 'fetched' }) })
    const [owner, neighbour] = [await it.visit('owner'), await it.visit('neighbour')]
    await send(owner, 'año 1.svg', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'))
    const [{ id }] = await listed(owner)
    const { status, headers } = await owner.get(`/documents/${id}/content`)
    expect([status, headers['cache-control']]).to.deep.equal([302, 'private, no-store'])
    const address = new URL(headers.location!)
    expect(address.origin).to.equal(s3.endpoint)
    expect(address.searchParams.get('X-Amz-Expires')).to.equal('60')
    expect(address.searchParams.get('response-content-type')).to.equal('application/octet-stream')
    expect(address.searchParams.get('response-content-disposition')).to.include("filename*=UTF-8''a%C3%B1o%201.svg")
    const file = await fetch(address)
    expect(file.headers.get('content-type')).to.equal('application/octet-stream')
    expect(await file.text()).to.include('<svg')
    expect((await neighbour.get(`/documents/${id}/content`)).status).to.equal(404)
    // What browsers ask before, and what is unchanged, is answered here.
    const unchanged = await owner.get(`/documents/${id}/content`).set('If-None-Match', headers.etag!)
    expect(unchanged.status).to.equal(304)
    expect((await owner.get('/documents/zip?status=sent')).status).to.equal(200)
    expect(encryptedFiles(s3.store({ addresses: true }), [secret]).address).to.equal(undefined)
  })
})
