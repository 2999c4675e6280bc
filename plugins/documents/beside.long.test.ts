import { expect } from 'chai'
import { adapter } from '../../demo/adapter/adapter.ts'
import { actors } from '../../test/actors.ts'
import { leave, open, type Visitor } from '../../test/visit.ts'
import { documentsContract } from './contract.ts'

type Scene = Awaited<ReturnType<typeof open>>

const day = 86_400_000

/** Documents of the CRM for its first client, one a day, the first the newest. */
async function shareInCrm({ owner, now }: Scene, names: string[], folder = 'Brand') {
  await owner('public.documents').where({ client_id: 1, about_type: null }).del()
  for (const [at, file_name] of names.entries())
    await owner('public.documents').insert({
      ...{ client_id: 1, uploaded_by: 1, folder, file_name, mime: 'application/pdf', size_bytes: 1_000 - at },
      ...{ storage_key: 'samples/planning', shared: true, created: new Date(now().getTime() - (at + 1) * day) },
    })
}

const send = (who: Visitor, name: string) =>
  who.agent.post('/portal/brightside/documents').attach('files', Buffer.from('text'), { filename: name })

const names = async (who: Visitor, query = '') => {
  const found: string[] = []
  let after = ''
  do {
    const { items, next } = (
      await who.api(`/documents?size=3${query}${after && `&after=${encodeURIComponent(after)}`}`)
    ).body
    found.push(...items.map((it: { name: string }) => it.name))
    after = next ?? ''
  } while (after)
  return found
}

describe('documents of the demo CRM', () => {
  afterEach(leave)
  documentsContract(() => actors(adapter))
})

describe('documents of a CRM', () => {
  afterEach(leave)

  it('stand in one list with what clients send, page by page, in every order', async () => {
    const it = await open()
    const owner = await it.visit('owner')
    const theirs = Array.from({ length: 8 }, (_, at) => `${String.fromCharCode(104 - at)}.pdf`)
    await shareInCrm(it, theirs)
    for (const name of ['z.txt', 'b2.txt', 'a0.txt', 'f1.txt']) expect((await send(owner, name)).status).to.equal(303)

    const byName = [...theirs, 'z.txt', 'b2.txt', 'a0.txt', 'f1.txt'].sort()
    expect(await names(owner, '&sort=name')).to.deep.equal(byName)
    expect(await names(owner)).to.deep.equal(['f1.txt', 'a0.txt', 'b2.txt', 'z.txt', ...theirs])
    expect(await names(owner, '&sort=largest')).to.deep.equal([...theirs, 'f1.txt', 'a0.txt', 'b2.txt', 'z.txt'])
    expect(await names(owner, '&status=sent')).to.have.length(4)
    expect(await names(owner, '&search=b')).to.include.members(['b.pdf', 'b2.txt'])
    const { overview } = (await owner.api('/documents')).body
    expect(overview.counts).to.include({ all: 12, sent: 4, new: 8 })
    expect(await owner.get('/documents?search=b')).to.show('9 results for “b”')
  })

  it('are found in their folder, which is one with a folder of the same name here', async () => {
    const it = await open()
    const [owner, admin] = await Promise.all([it.visit('owner'), it.visit('admin')])
    await shareInCrm(it, ['plan.pdf'], 'Brand & logo')
    const settings = '/settings/client-portal/documents/clients/1'
    await admin.postAt(`${settings}/folders`, { name: 'brand & Logo' })
    expect(await admin.at(settings)).to.show('This client also sees what your CRM shares with them.')
    const [, id] = /<option value="([^"]+)">brand/.exec((await admin.at(settings)).text)!
    await admin.agent.post(settings).field('folder', id!).attach('files', Buffer.from('x'), { filename: 'ours.txt' })

    const { overview } = (await owner.api('/documents')).body
    expect(overview.folders).to.deep.equal([{ id, name: 'brand & Logo', files: 2, restricted: false }])
    expect(await names(owner, `&folder=${id}`)).to.have.members(['plan.pdf', 'ours.txt'])
    await it.owner('public.documents').where({ file_name: 'plan.pdf' }).update({ folder: 'Only there' })
    const page = await owner.get('/documents')
    const [, address] = /href="[^"]*(\/documents\?folder=crm-[^"]+)"/.exec(page.text)!
    expect(await owner.get(address!)).to.show('Only there', 'plan.pdf')
    expect((await owner.get('/documents/upload')).text).to.not.include('Only there')
    for (const folder of ['crm-Nothing', 'nonsense', "crm-'"])
      expect((await owner.get(`/documents?folder=${folder}`)).status, folder).to.equal(404)
  })

  it('are new until each person has opened them, and again when they are replaced', async () => {
    const it = await open()
    const [owner, viewer] = await Promise.all([it.visit('owner'), it.visit('viewer')])
    await shareInCrm(it, ['plan.pdf', 'guide.pdf'])
    const fresh = async (who: Visitor) => [
      await names(who, '&status=new'),
      (await who.api('/documents')).body.overview.counts.new,
    ]
    expect(await fresh(owner)).to.deep.equal([['plan.pdf', 'guide.pdf'], 2])
    expect(await owner.get('/')).to.show('2 new documents')

    const [{ id }] = (await owner.api('/documents?search=plan')).body.items
    expect(await owner.get(`/documents/${id}`)).to.show('plan.pdf', 'Marta Lindqvist')
    const file = await owner.get(`/documents/${id}/content`).buffer()
    expect(file.headers['content-disposition']).to.equal('attachment; filename=plan.pdf')
    expect(file.headers['content-security-policy']).to.equal("default-src 'none'; sandbox")
    expect((await owner.get(`/documents/${id}/content`).set('Range', 'bytes=0-3')).status).to.equal(206)
    expect((await owner.get(`/documents/${id}/preview`)).headers['content-type']).to.equal('image/webp')
    expect(await fresh(owner)).to.deep.equal([['guide.pdf'], 1])
    expect(await fresh(viewer)).to.deep.equal([['plan.pdf', 'guide.pdf'], 2])

    await it.pass(60)
    await it.owner('public.documents').where({ file_name: 'plan.pdf' }).update({ created: it.now() })
    await it.pass(1)
    expect(await fresh(owner)).to.deep.equal([['plan.pdf', 'guide.pdf'], 2])
  })

  it('are nobody else’s, and cannot be changed here', async () => {
    const it = await open()
    const [owner, neighbour] = await Promise.all([it.visit('owner'), it.visit('neighbour')])
    await shareInCrm(it, ['plan.pdf', 'inner.pdf'])
    await it.owner('public.documents').where({ file_name: 'inner.pdf' }).update({ shared: false })
    const [{ id }] = (await owner.api('/documents')).body.items
    const inner = await it.owner('public.documents').where({ file_name: 'inner.pdf' }).first('id')
    for (const [who, which] of [
      [neighbour, id],
      [owner, `crm-${inner.id}`],
      [owner, id.slice(4)],
      [owner, 'crm-'],
      [owner, `crm-${'9'.repeat(40)}`],
    ] as const)
      for (const path of ['', '/content', '/preview'])
        expect((await who.get(`/documents/${which}${path}`)).status, `${which}${path}`).to.equal(404)
    expect((await owner.post(`/documents/${id}/removal`, {})).status).to.equal(404)
    expect(await it.owner('public.documents').where({ file_name: 'plan.pdf' })).to.have.length(1)
  })

  it('are there without a file store too; a file that is gone or lies elsewhere is not given out', async () => {
    const it = await open({ files: undefined })
    const owner = await it.visit('owner')
    await shareInCrm(it, ['plan.pdf', 'gone.pdf', 'strange.pdf'])
    await it.owner('public.documents').where({ file_name: 'gone.pdf' }).update({ storage_key: 'samples/nothing' })
    await it.owner('public.documents').where({ file_name: 'strange.pdf' }).update({ storage_key: '../app.ts' })
    const page = await owner.get('/documents')
    expect(page).to.show('plan.pdf')
    expect(page).to.not.show('/documents/upload')
    expect((await owner.get('/documents/upload')).status).to.equal(404)
    const [plan, gone, strange] = (await owner.api('/documents')).body.items
    expect((await owner.get(`/documents/${plan.id}/content`)).status).to.equal(200)
    expect((await owner.get(`/documents/${gone.id}/content`)).status).to.equal(404)
    expect((await owner.get(`/documents/${strange.id}/content`)).status).to.equal(500)
    expect(it.log.some(({ facts }) => /no path under/.test(String((facts as { err?: Error }).err)))).to.equal(true)
    expect((await owner.get(`/documents/${plan.id}/preview`)).status).to.equal(404)
  })

  it('are asked about, taken as a zip, and their readers forgotten with the person', async () => {
    const it = await open()
    const owner = await it.visit('owner')
    await shareInCrm(it, ['plan.pdf'])
    const [{ id }] = (await owner.api('/documents')).body.items
    expect((await owner.post(`/documents/${id}/comments`, { text: 'Is this the newest?' })).status).to.equal(303)
    expect(await owner.get(`/documents/${id}`)).to.show('Is this the newest?')
    const zip = await owner
      .get('/documents/zip')
      .buffer()
      .parse((res, done) => {
        const parts: Buffer[] = []
        res.on('data', part => parts.push(part)).on('end', () => done(null, Buffer.concat(parts)))
      })
    expect(zip.body.subarray(0, 2).toString()).to.equal('PK')
    expect(await it.owner('portal.client_crm_document_reads')).to.have.length(1)
  })
})
