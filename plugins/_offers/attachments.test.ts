import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { adapter } from '../../demo/adapter/adapter.ts'
import { sha256 } from '../../src/evidence/canonical.ts'
import { NotFound } from '../../src/http/errors.ts'
import { root } from '../../src/platform/root.ts'
import { fresh } from '../../test/database.ts'
import { leave, open, type Scene } from '../../test/visit.ts'

const plan = readFileSync(join(root, 'demo/crm/storage/1/1/winter-1'))

describe('what is attached to an offer', () => {
  afterEach(leave)

  const idOf = async ({ owner }: Scene) =>
    (await owner('proposals').where({ ref_no: 'P-2026-031', workspace_id: 1 }).first('id')).id as number

  it('shows name and size and downloads, only shared files of the client’s own documents', async () => {
    const scene = await open()
    const owner = await scene.visit('owner')
    const neighbour = await scene.visit('neighbour')
    const billing = await scene.visit('billing')
    const id = await idOf(scene)
    expect(await owner.get(`/proposals/${id}`))
      .to.show('Attached', 'Planning, winter.pdf', '48 kB', 'Mood board.jpg')
      .and.not.show('Our own costs')

    const { attachments } = (await owner.api(`/proposals/${id}`)).body.proposal
    const file = await owner.get(`/proposals/${id}/attachments/${attachments[0].id}`).buffer(true)
    expect(file.status).to.equal(200)
    expect(Buffer.compare(file.body, plan)).to.equal(0)
    expect(file.headers['content-disposition']).to.equal('attachment; filename="Planning, winter.pdf"')
    expect(file.headers).to.include({
      'content-type': 'application/pdf',
      'content-security-policy': "default-src 'none'; sandbox",
      'x-content-type-options': 'nosniff',
    })
    expect(await owner.get('/activity')).to.show('downloaded “Planning, winter.pdf” of proposal P-2026-031')

    const [unshared] = await scene.owner('documents').where({ file_name: 'Our own costs.xlsx' })
    const [foreign] = await scene.owner('documents').whereNull('about_id').where({ shared: true })
    for (const which of [unshared.id, foreign.id, 'nonsense', '..%2f..%2fpackage.json', '0'])
      expect((await owner.get(`/proposals/${id}/attachments/${which}`)).status, which).to.equal(404)
    expect((await neighbour.get(`/proposals/${id}/attachments/${attachments[0].id}`)).status).to.equal(404)
    expect((await billing.get(`/proposals/${id}/attachments/${attachments[0].id}`)).status).to.equal(403)
    const [other] = (await owner.api('/proposals?status=accepted')).body.items
    expect((await owner.get(`/proposals/${other.id}/attachments/${attachments[0].id}`)).status).to.equal(404)
  })

  it('is never opened as what it says it is', async () => {
    const scene = await open()
    const owner = await scene.visit('owner')
    const id = await idOf(scene)
    for (const [mime, name, type, said] of [
      ['text/html', 'a<b>.html', 'text/html; charset=utf-8', /^attachment; filename="?a-b-.html"?$/],
      ['x"\r\nSet-Cookie: a=b', '../../up.svg', 'application/octet-stream', /^attachment; filename="?[-.]*up.svg"?$/],
    ] as const) {
      await scene.owner('documents').where({ file_name: 'Mood board.jpg' }).update({ mime, file_name: name })
      const { attachments } = (await owner.api(`/proposals/${id}`)).body.proposal
      const file = await owner.get(`/proposals/${id}/attachments/${attachments[1].id}`)
      expect(file.headers['content-type']).to.equal(type)
      expect(file.headers['content-disposition']).to.match(said)
      expect(file.headers).to.not.have.property('set-cookie')
      await scene.owner('documents').where({ file_name: name }).update({ file_name: 'Mood board.jpg' })
    }
  })

  it('is part of what is signed, by its fingerprint, and on the signed paper', async () => {
    const scene = await open({ mail: 'kept' })
    const owner = await scene.visit('owner')
    const id = await idOf(scene)
    const page = await owner.get(`/proposals/${id}/acceptance`)
    expect(page).to.show('Attached', 'Planning, winter.pdf')
    const seen = /name="seen" value="([^"]+)"/.exec(page.text)?.[1]
    const sign = () =>
      owner.post(`/proposals/${id}/acceptance`, { seen, agree: 'on', how: 'typed', typed: 'N. El-Khoury' })

    const shown = { file_name: 'Planning, winter.pdf' }
    await scene.owner('documents').where(shown).update({ storage_key: '1/1/gone' })
    expect((await sign()).status).to.equal(503)
    await scene.owner('documents').where(shown).update({ storage_key: '1/1/winter-1', shared: false })
    expect((await sign()).status).to.equal(409)
    await scene.owner('documents').where(shown).update({ shared: true })
    expect((await sign()).status).to.equal(303)

    const { evidence } = await scene.owner('portal.client_signatures').first('evidence')
    expect(JSON.parse(evidence).document.attachments[0]).to.include({
      name: 'Planning, winter.pdf',
      bytes: plan.length,
      sha256: sha256(plan),
    })
    expect(await owner.get(`/proposals/${id}/evidence`)).to.show(sha256(plan))
  })

  it('is signed as it was shown: a file swapped since is a conflict that names it, and keeps what was typed', async () => {
    const scene = await open()
    const owner = await scene.visit('owner')
    const id = await idOf(scene)
    const shown = { file_name: 'Planning, winter.pdf' }
    const { storage_key: before } = await scene.owner('documents').where(shown).first('storage_key')
    const { storage_key: other } = await scene.owner('documents').where({ file_name: 'Mood board.jpg' }).first()
    const swap = (to: string) => scene.owner('documents').where(shown).update({ storage_key: to })
    const page = await owner.get(`/proposals/${id}/acceptance`)
    expect(page).to.show(sha256(plan))
    const typed = { agree: 'on', how: 'typed', typed: 'Nadia El-Khoury', order: 'AB 7' }
    const sign = (seen: string | undefined) => owner.post(`/proposals/${id}/acceptance`, { seen, ...typed })
    const seenIn = (it: { text: string }) => /name="seen" value="([^"]+)"/.exec(it.text)?.[1]

    await swap(other)
    const refused = await sign(seenIn(page))
    expect(refused.status).to.equal(409)
    expect(refused).to.show('What has changed: Planning, winter.pdf.', 'value="AB 7"', 'Check it once more')
    expect(refused.text).to.not.match(/id="agree"[^>]* checked/)
    expect(await scene.owner('portal.client_signatures')).to.be.empty

    // By the API too, where `seen` stands for all of it.
    const address = `/portal/brightside/api/v1/proposals/${id}/acceptance`
    const { body } = await owner.agent.get(address)
    expect(body.files.map((it: any) => it.sha256)).to.not.include(sha256(plan))
    await swap(before)
    const stale = await owner.agent.post(address).send({ seen: body.seen, ...typed })
    expect([stale.status, stale.body.code, stale.body.changed]).to.deep.equal([
      409,
      'conflict',
      ['Planning, winter.pdf'],
    ])
    expect((await owner.agent.post(address).send({ seen: stale.body.seen, ...typed })).status).to.equal(303)
    const { evidence } = await scene.owner('portal.client_signatures').first('evidence')
    expect(JSON.parse(evidence).document.attachments[0].sha256).to.equal(sha256(plan))
  })

  it('is bound together with the CRM’s own PDF', async () => {
    const copy = await fresh()
    const crm = adapter(copy.database)
    let paper = '%PDF-1.7 as it was shown'
    const connect: typeof crm.connect = (customer, tx) => {
      const ports = crm.connect(customer, tx)
      const pdf = async () => ({ name: 'own', bytes: Buffer.from(paper) })
      return { ...ports, proposals: { ...ports.proposals!, pdf } }
    }
    const scene = await open({ on: copy, crm: { ...crm, connect } })
    const owner = await scene.visit('owner')
    const id = await idOf(scene)
    const page = await owner.get(`/proposals/${id}/acceptance`)
    expect(page).to.show(sha256(paper))
    const seen = /name="seen" value="([^"]+)"/.exec(page.text)?.[1]
    paper = '%PDF-1.7 swapped'
    const form = { seen, agree: 'on', how: 'typed', typed: 'Nadia El-Khoury' }
    const refused = await owner.post(`/proposals/${id}/acceptance`, form)
    expect(refused.status).to.equal(409)
    expect(refused).to.show('What has changed: the PDF.')
    expect(await scene.owner('portal.client_signatures')).to.be.empty
    paper = '%PDF-1.7 as it was shown'
    expect((await owner.post(`/proposals/${id}/acceptance`, form)).status).to.equal(303)
  })

  it('is limited to the client’s own documents by the adapter alone', async () => {
    const scene = await open()
    const id = String(await idOf(scene))
    const portsOf = (client: string) =>
      adapter(scene.database).connect({
        workspace: { id: '1', slug: 'brightside', name: '', letterhead: [], timeZone: 'Europe/Amsterdam' },
        client: { id: client, name: '' },
        person: { id: '', name: '', email: '' },
        role: 'admin',
        today: '2026-11-21',
      })
    const { attachments = [] } = await portsOf('1').proposals!.find(id)
    expect(Buffer.from(await portsOf('1').proposals!.attachment!(id, attachments[0]!.id))).to.deep.equal(plan)
    const refused = await portsOf('2').proposals!.attachment!(id, attachments[0]!.id).catch(error => error)
    expect(refused).to.be.instanceOf(NotFound)
  })
})
