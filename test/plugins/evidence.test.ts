import { expect } from 'chai'
import { extractText } from 'unpdf'
import { adapter } from '../../demo/adapter/adapter.ts'
import { role } from '../../demo/portal-database.ts'
import { faults } from '../../src/evidence/chain.ts'
import { check } from '../../src/evidence/check.ts'
import { type Crm, migrate } from '../../src/index.ts'
import type { Plugin } from '../../src/sdk.ts'
import { type Copy, fresh } from '../database.ts'
import { until } from '../until.ts'
import { leave, open, type Scene, type Visitor } from '../visit.ts'
import proofs from './proofs/plugin.ts'

describe('evidence of a subject that is no offer', () => {
  afterEach(leave)

  it('is signed, chained, sealed as a PDF and verified by anybody', async () => {
    const { scene, owner, approve, sealed } = await withProofs()
    expect((await approve(owner)).headers.location).to.equal('/portal/brightside/proofs/1')
    expect(await scene.owner('portal.client_proofs').first()).to.include({
      state: 'accepted',
      approved_by: 'Nadia El-Khoury',
    })
    expect(await owner.get('/activity')).to.show('approved the proof PR-1')

    const pdf = await sealed(owner)
    const { text } = await extractText(new Uint8Array(pdf), { mergePages: true })
    for (const it of ['Certificate of approval', 'Nadia El-Khoury approved proof PR-1', 'Artwork: Poster, A2'])
      expect(text).to.include(it)
    const bundle = JSON.parse((await owner.get('/proofs/1/approval/bundle')).text)
    expect(JSON.parse(bundle.evidence).document).to.deep.include({
      section: 'proofs',
      content: { artwork: 'Poster, A2', number: 'PR-1', version: 1 },
    })
    expect(bundle.state).to.equal('confirmed')
    expect(check(bundle).filter(it => !it.good)).to.deep.equal([])
    expect(await faults(scene.database, '1')).to.deep.equal([])

    const anybody = await scene.visit()
    const verify = (file: Buffer) => anybody.agent.post('/portal/brightside/verify').attach('file', file, 'proof.pdf')
    expect(await verify(pdf)).to.show('This is exactly the document that was signed.', 'PR-1')
    const altered = Buffer.from(pdf)
    altered[1_000]! ^= 1
    expect(await verify(altered)).to.not.show('This is exactly the document that was signed')
  })

  it('is nobody else’s: another client finds neither the proof nor what was signed', async () => {
    const { scene, owner, approve, sealed } = await withProofs()
    await approve(owner)
    await sealed(owner)
    for (const who of ['neighbour', 'stranger'] as const) {
      const other = await scene.visit(who)
      for (const path of ['/proofs/1', '/proofs/1/approval/pdf', '/proofs/1/approval/bundle'])
        expect((await other.get(path)).status, `${who} ${path}`).to.equal(404)
      expect((await approve(other)).status, who).to.equal(404)
    }
    expect((await approve(await scene.visit('viewer'))).status).to.equal(403)
  })

  it('is signed by nobody who came by a public link and has not shown who they are', async () => {
    const linked = {
      ...proofs,
      toggles: { ...proofs.toggles, 'proofs.links': { label: 'Links to proofs', about: 'Links.', default: true } },
      subject: {
        label: 'Proof',
        page: 'proofs/show' as const,
        find: async ({ proofs: port }: any, id: string) => ({ ...(await port.find(id)), title: 'A proof' }),
        link: {
          toggle: 'proofs.links',
          opens: ['/:id', '/:id/approval'],
          ...{ may: ['proofs.see', 'proofs.approve'], without: [], withoutCode: [] },
        },
      },
    }
    const { scene } = await withProofs(linked as Plugin)
    const admin = await scene.visit('admin')
    const asked = { section: 'proofs', client: 'Acme Bakery', id: '1', days: '7' }
    const made = await admin.postAt('/settings/client-portal/links', asked)
    const [, path = ''] = /https:\/\/crm\.example(\/portal\/brightside\/link\/[\w-]+)/.exec(made.text) ?? []
    const nobody = await scene.visit()
    const { headers } = await nobody.at(path)
    const page = await nobody.at(headers.location ?? '')
    expect(page.status).to.equal(200)
    const [, seen = ''] = /name="seen" value="([^"]+)"/.exec(page.text) ?? []
    const form = { seen, agree: 'on', how: 'typed', typed: 'Anybody', confirmed: 'Anybody' }
    const refused = await nobody.postAt(`${headers.location}/approval`, form)
    expect(refused.status).to.equal(403)
    expect(await scene.owner('portal.client_signatures')).to.be.empty
    expect((await scene.owner('portal.client_proofs').first()).state).to.equal('open')
  })

  it('is of what was shown, once', async () => {
    const { scene, owner, approve } = await withProofs()
    const { seen } = await shownTo(owner)
    await scene.owner('portal.client_proofs').update({ artwork: 'Poster, A3' })
    expect((await approve(owner, seen)).status).to.equal(409)
    expect((await Promise.all([approve(owner), approve(owner)])).map(it => it.status).sort()).to.deep.equal([303, 409])
    expect(await scene.owner('portal.client_signatures').where({ section: 'proofs' })).to.have.length(1)
  })

  it('is stored before an external system is called, then confirmed or rejected with the reason', async () => {
    const told: string[] = []
    const outside: Plugin = {
      ...proofs,
      evidence: {
        ...proofs.evidence!,
        submission: port => ({
          transactional: false,
          async submit(id, response) {
            told.push(response.key)
            if (told.length === 1) throw new Error('The printer does not answer.')
            await port.respond(id, response)
          },
        }),
      },
    }
    const { scene, owner, approve, states } = await withProofs(outside)
    await approve(owner)
    expect(['saved', 'submitting']).to.include((await states())[0])
    const admin = await scene.visit('admin')
    await until(async () => (await admin.at(answers)).text.includes('The printer does not answer.'), 20)
    const row = await scene.owner('portal.client_signatures').first()
    await admin.postAt(`${answers}/${row.id}/retry`, {})
    await until(async () => (await states())[0] === 'confirmed', 20)
    expect(new Set(told)).to.deep.equal(new Set([row.id]))

    await addProof(scene, 'PR-2')
    const { seen } = await shownTo(owner, '2')
    await scene.owner('portal.client_proofs').where({ id: 2 }).update({ state: 'declined' })
    await owner.post('/proofs/2/approval', { seen, how: 'typed', typed: 'Nadia El-Khoury' })
    await until(async () => (await states())[1] === 'refused', 20)
    expect(await admin.at(answers)).to.show('PR-2', 'Rejected by the CRM')
  })

  it('is written with the plugin’s own rows in one transaction, wherever the CRM is', async () => {
    const elsewhere = (copy: Copy) => ({ ...adapter(copy.owner), database: copy.owner })
    const { scene, owner, approve, states } = await withProofs(proofs, elsewhere)
    await scene.owner.raw('revoke insert on portal.client_signatures from ??', [role])
    expect((await approve(owner)).status).to.equal(503)
    expect(await scene.owner('portal.client_proofs').first()).to.include({ state: 'open' })
    await scene.owner.raw('grant insert on portal.client_signatures to ??', [role])
    await approve(owner)
    expect(await states()).to.deep.equal(['confirmed'])
  })

  it('stands in the company’s settings, is countersigned, and says when the proof was changed since', async () => {
    const { scene, owner, approve, sealed } = await withProofs()
    await approve(owner)
    await sealed(owner)
    const admin = await scene.visit('admin')
    expect(await admin.at(answers))
      .to.show('PR-1', 'In the CRM')
      .and.not.show('Changed since it was signed')
    const row = await scene.owner('portal.client_signatures').first()
    expect((await admin.postAt(`${answers}/${row.id}/countersignature`, {})).status).to.equal(303)
    await scene.owner('portal.client_proofs').update({ artwork: 'Poster, A3' })
    expect(await admin.at(answers)).to.show('Countersigned', 'Changed since it was signed')
  })

  it('needs the words of its events, or the portal does not start', async () => {
    const { 'proofs.declined': _, ...activity } = proofs.activity
    const error = await open({ plugins: [{ ...proofs, activity }] }).catch(it => it.message)
    expect(error).to.equal(
      'createPortal: plugin proofs: activity must have proofs.declined, since clients sign its records.',
    )
  })
})

const answers = '/settings/client-portal/responses'

async function withProofs(plugin: Plugin = proofs, crm?: (copy: Copy) => Crm) {
  const copy = await fresh()
  await migrate(copy.owner, { role, plugins: [plugin] })
  const scene = await open({ on: copy, plugins: [plugin], ...(crm && { crm: crm(copy) }) })
  await addProof(scene, 'PR-1')
  const owner = await scene.visit('owner')
  return {
    scene,
    owner,
    async approve(who: Visitor, seen?: string) {
      const form = { seen: seen ?? (await shownTo(who)).seen, how: 'typed', typed: who.person!.name }
      return who.post('/proofs/1/approval', form)
    },
    sealed: (who: Visitor): Promise<Buffer> =>
      until(async () => {
        const { status, body } = await who.get('/proofs/1/approval/pdf')
        return status === 200 ? body : undefined
      }, 20),
    states: async (): Promise<string[]> =>
      (await scene.owner('portal.client_signatures').where({ section: 'proofs' }).orderBy('sequence')).map(
        it => it.state,
      ),
  }
}

async function addProof({ owner }: Scene, number: string) {
  const { id } = await owner('clients').where({ company_name: 'Acme Bakery' }).first('id')
  const row = { workspace_id: '1', client_id: String(id), number, artwork: 'Poster, A2' }
  await owner('portal.client_proofs').insert(row)
}

/** What the page shows; nothing where it is not there. */
async function shownTo(who: Visitor, id = '1') {
  const { text } = await who.get(`/proofs/${id}`)
  return { seen: /name="seen" value="([^"]*)"/.exec(text)?.[1] ?? '' }
}
