import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { unzipSync } from 'fflate'
import { filesIn } from '../../src/index.ts'
import { until } from '../../test/until.ts'
import { leave, open, type Role, type Visitor } from '../../test/visit.ts'

describe('files that a person sent', () => {
  afterEach(leave)

  async function sent(role: Role = 'owner') {
    const scene = await open({ files: filesIn(mkdtempSync(join(tmpdir(), 'portico-files-'))) })
    const owner = await scene.visit(role)
    const [{ id }] = (await owner.api('/proposals?search=P-2026-031')).body.items
    await owner.agent
      .post('/portal/brightside/documents')
      .attach('files', Buffer.from('one'), { filename: 'a.txt' })
      .attach('files', Buffer.from('two'), { filename: 'a.txt' })
    await owner.agent
      .post(`/portal/brightside/proposals/${id}/comments`)
      .field('text', 'Like this?')
      .attach('files', Buffer.from('three'), { filename: 'sketch.txt' })
    await scene.owner('portal.client_files').where({ name: 'sketch.txt' }).update({ at: '2026-01-01' })
    return { ...scene, client: owner, proposal: id }
  }

  const unzipped = async (who: Visitor, path: string) => {
    const { status, body } = await who
      .get(path)
      .buffer()
      .parse((res, done) => {
        const parts: Buffer[] = []
        res.on('data', (part: Buffer) => parts.push(part)).on('end', () => done(null, Buffer.concat(parts)))
      })
    expect(status, path).to.equal(200)
    const files = Object.entries(unzipSync(new Uint8Array(body)))
    return Object.fromEntries(files.map(([name, it]) => [name, Buffer.from(it).toString()]))
  }

  const copyOf = async (who: Visitor) => {
    await who.post('/account/data/copy')
    const path = await until(
      async () => /\/account\/data\/copy\/[0-9a-f-]{36}/.exec((await who.get('/account/data')).text)?.[0],
    )
    return unzipped(who, path)
  }

  it('are in the copy of their data with hash and address, and can be downloaded one by one or all', async () => {
    const it = await sent()
    const copy = await copyOf(it.client)
    const listed = JSON.parse(copy['files.json']!)
    expect(listed.map((one: any) => [one.name, one.size])).to.have.deep.members([
      ['a.txt', 3],
      ['a.txt', 3],
      ['sketch.txt', 5],
    ])
    const sketch = listed.find((one: any) => one.name === 'sketch.txt')
    expect(sketch.sha256).to.match(/^[0-9a-f]{64}$/)
    expect(sketch.address).to.equal(`https://crm.example/portal/brightside/account/data/files/${sketch.id}`)
    expect([copy['files/a.txt'], copy['files/a (2).txt']]).to.have.members(['one', 'two'])
    expect(copy['files/sketch.txt']).to.equal('three')
    const path = `/account/data/files/${sketch.id}`
    expect(String((await it.client.get(path).buffer()).body)).to.equal('three')
    expect(await it.client.get('/account/data')).to.show('You sent 3 files here', 'Download your files')
    const all = await unzipped(it.client, '/account/data/files')
    expect(Object.keys(all)).to.have.members(['a.txt', 'a (2).txt', 'sketch.txt'])
    for (const role of ['approver', 'neighbour', 'stranger'] as const) {
      const other = await it.visit(role)
      expect((await other.get(path)).status, role).to.equal(404)
      expect((await other.get('/account/data/files')).status, role).to.equal(404)
    }
  })

  it('that are too large for the copy are listed in it, and nothing of them is read', async () => {
    const it = await sent()
    await it
      .owner('portal.client_files')
      .where({ name: 'sketch.txt' })
      .update({ size: 60 * 1024 * 1024 })
    const copy = await copyOf(it.client)
    expect(copy).to.not.have.property('files/sketch.txt')
    expect(JSON.parse(copy['about.json']!).leftOut).to.include(
      'files/sketch.txt: too large for this copy, see files.json',
    )
  })

  it('stay when the account ends, without the name of who sent them', async () => {
    const it = await sent('approver')
    expect((await it.client.post('/account/data/deletion')).status).to.equal(303)
    await it.pass(15 * 24 * 60)
    await it
      .owner('portal_jobs.job')
      .where({ name: 'plugins', state: 'created' })
      .update({ start_after: new Date(0) })
    const names = (table: string) => it.owner(`portal.${table}`).distinct().pluck('by_name')
    await until(async () => (await names('client_files')).every(name => name === '–'), 30)
    expect(await names('client_documents')).to.deep.equal(['–'])
    expect(await names('client_document_versions')).to.deep.equal(['–'])
    const owner = await it.visit('owner')
    const [document] = (await owner.api('/documents')).body.items
    expect((await owner.get(`/documents/${document.id}/content`)).status).to.equal(200)
  })
})
