import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { adapter } from '../../demo/adapter/adapter.ts'
import { leave, open, type Scene } from '../../test/visit.ts'
import { NotFound } from '../errors.ts'
import { sha256 } from '../evidence/canonical.ts'
import { root } from '../root.ts'

const plan = readFileSync(join(root, 'demo/crm/storage/1/1/winter-1'))

describe('what is attached to an offer', () => {
  afterEach(leave)

  const idOf = async ({ owner }: Scene) =>
    (await owner('proposals').where({ ref_no: 'P-2026-031', workspace_id: 1 }).first('id')).id as number

  it('is shown with its name and size, and taken away: what is shared, and of one’s own documents alone', async () => {
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
    const sign = () => owner.post(`/proposals/${id}/acceptance`, { seen, agree: 'on', how: 'typed', typed: 'N. E.' })

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

  it('is of one’s own alone by the adapter itself', async () => {
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
