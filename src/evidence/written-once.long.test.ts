import { pdflibAddPlaceholder } from '@signpdf/placeholder-pdf-lib'
import { SignPdf } from '@signpdf/signpdf'
import { Signer, SUBFILTER_ETSI_CADES_DETACHED } from '@signpdf/utils'
import { expect } from 'chai'
import { PDFDocument } from 'pdf-lib'
import { v7 as uuid } from 'uuid'
import { testTime } from '../../test/database.ts'
import { pastTriggers } from '../../test/past-triggers.ts'
import { until } from '../../test/until.ts'
import { leave, open, type Scene, type Visitor } from '../../test/visit.ts'
import { query, within } from '../platform/database.ts'
import { sha256 } from './canonical.ts'
import { append, faults } from './chain.ts'
import { check } from './check.ts'
import { type Key, signingKeys } from './keys.ts'
import { detached, seal } from './seal.ts'

const secrets = ['a secret of at least thirty-two characters']
const brightside = { id: '1', slug: 'brightside', name: 'Brightside', letterhead: [], timeZone: 'UTC' }

describe('what was signed and sealed', () => {
  afterEach(leave)

  it('is written once: the portal’s own role can change nothing of it, nor switch off what forbids it', async () => {
    const { scene, id } = await signedScene()
    const asApp = (text: string, values: unknown[] = []) =>
      within(scene.database, { workspace: '1' }, tx => query(tx, { text, values })).catch(String)
    const forged = Buffer.from('%PDF-1.7 forged')
    for (const change of [
      'sealed = $2, sealed_hash = $3',
      'sealed = $2',
      'sealed_hash = $3',
      'sealed = null, sealed_hash = null, sealed_at = null',
      "sealed_at = now() + interval '1 day'",
      "state = 'saved'",
      "state = 'refused'",
      "failure_reason = 'another'",
      'attempts = 99',
      'settled_at = null',
    ])
      expect(
        await asApp(
          `update portal.client_signatures set ${change} where id = $1
           and ($2::bytea is null or true) and ($3::text is null or true)`,
          [id, forged, sha256(forged)],
        ),
        change,
      ).to.include('written once')
    for (const text of [
      'alter table portal.client_signatures disable trigger all',
      'drop trigger written_once on portal.client_signatures',
      'create or replace function portal.guard_signature() returns trigger language plpgsql as $$ begin return new; end $$',
      `update portal.client_seals set sha256 = ''`,
      'delete from portal.client_seals',
    ])
      expect(await asApp(text), text).to.match(/must be owner|permission denied/)
    expect(await faults(scene.database, '1')).to.deep.equal([])
  })

  it('is no longer open to the portal’s role before it is sealed: nothing is sealed without its link', async () => {
    const { scene, id } = await signedScene()
    await asOwner(scene, 'update portal.client_signatures set sealed = null, sealed_hash = null, sealed_at = null')
    await asOwner(scene, 'delete from portal.client_seals')
    const forged = Buffer.from('%PDF-1.7 forged')
    const write = within(scene.database, { workspace: '1' }, tx =>
      query(tx, {
        text: 'update portal.client_signatures set sealed = $2, sealed_hash = $3, sealed_at = now() where id = $1',
        values: [id, forged, sha256(forged)],
      }),
    )
    expect(await write.catch(String)).to.include('has no link in the chain')
  })

  it('is verified by seal, key and evidence, never by a stored hash', async () => {
    const { scene, id, owner } = await signedScene()
    const second = await signOne(owner, 1)
    await sealedPdf(scene, second)
    const forged = Buffer.from('%PDF-1.7 a forged document')
    const plant = (pdf: Buffer) =>
      asOwner(scene, 'update portal.client_signatures set sealed = ?, sealed_hash = ? where id = ?', [
        pdf,
        sha256(pdf),
        id,
      ])
    const nobody = await scene.visit()
    const genuine = await sealedPdf(scene, id)
    expect(await verify(nobody, genuine)).to.show('This is exactly the document that was signed', 'No. 2 of the chain')

    await plant(forged)
    expect(await verify(nobody, forged)).to.show('We don’t recognise this file.')
    expect((await faults(scene.database, '1')).join()).to.include(
      'the sealed paper is the one that the chain holds: no',
    )
    // Another document that was really sealed here, under the name of this one.
    const other = await sealedPdf(scene, second)
    await plant(other)
    await asOwner(scene, 'update portal.client_seals set sha256 = ? where signature_id = ?', [sha256(other), id])
    expect(await verify(nobody, other)).to.not.show('P-2026-031')
    expect((await faults(scene.database, '1')).join()).to.include('seal')
  })

  it('is not vouched for by a key that somebody added who does not have the secret', async () => {
    const { scene, id } = await signedScene()
    const genuine = await sealedPdf(scene, id)
    const mine = await signingKeys(scene.database, ['another secret that the portal never had!'])({
      ...brightside,
      id: '1',
    })
    const own: Key = await signingKeys(scene.database, secrets)(brightside)
    expect(own.id).to.not.equal(mine.id)
    const forged = await seal(genuine, {
      key: mine,
      at: new Date(testTime()),
      reason: 'accepted P-2026-031',
      evidence: id,
      name: 'Brightside',
      timestamps: undefined,
    })
    const verdict = await verify(await scene.visit(), forged)
    expect(verdict)
      .to.not.show('This is exactly the document that was signed')
      .and.not.show('was sealed here and is unchanged')
    expect(verdict).to.show('This file bears a seal that this portal cannot prove to be its own.')
  })

  it('has its seal as a link of the chain, in the bundle too, in which any change is found', async () => {
    const { scene, id, owner, document } = await signedScene()
    const [head] = await scene.owner('portal.client_chains').where({ workspace_id: '1' })
    const [link] = await scene.owner('portal.client_seals').where({ signature_id: id })
    expect([Number(head.last_sequence), Number(link.sequence), link.hash]).to.deep.equal([2, 2, head.hash])
    expect(link.sha256).to.equal(sha256(await sealedPdf(scene, id)))

    const { body } = await owner.get(`/proposals/${document}/evidence/bundle`)
    expect(check(body).filter(it => !it.good)).to.deep.equal([])
    expect(check(body).map(it => it.what)).to.include('the sealed paper is the one that the chain holds')
    const forged = { ...body, sealed: Buffer.from('%PDF-1.7').toString('base64') }
    expect(check(forged).filter(it => !it.good)).to.not.be.empty
    for (const change of [
      "sha256 = repeat('0', 64)",
      'sequence = 9',
      "hash = md5('')",
      "previous = md5('')",
      "digest = md5('')",
      "head_signature = 'AAAA'",
      "at = at + interval '1 ms'",
      'id = gen_random_uuid()',
      'signature_id = gen_random_uuid()',
      "client_id = '2'",
    ]) {
      const tx = await scene.owner.transaction()
      await tx.raw('alter table portal.client_seals disable trigger all, disable row level security')
      await tx.raw(`update portal.client_seals set ${change}`)
      expect(await faults(tx, '1'), change).to.not.be.empty
      await tx.rollback()
    }
    const tx = await scene.owner.transaction()
    await tx.raw('alter table portal.client_seals disable row level security')
    await tx.raw('delete from portal.client_seals')
    expect(await faults(tx, '1')).to.not.be.empty
    await tx.rollback()
  })

  it('verifies seals from before they were in the chain, and marks them', async () => {
    const { scene, id, owner, document } = await signedScene()
    const [first] = await scene.owner('portal.client_signatures').where({ id })
    const key = await signingKeys(scene.database, secrets)(brightside)
    const pdf = await sealedAsBefore(first.document, key, { reason: `accepted ${first.number}`, at: first.at })
    const another = await sealedAsBefore(first.document, key, { reason: 'accepted another', at: first.at })
    const take = (it: Buffer) =>
      asOwner(
        scene,
        'update portal.client_signatures set sealed = ?, sealed_hash = ?, sealed_outside_chain = true where id = ?',
        [it, sha256(it), id],
      )
    await asOwner(scene, 'delete from portal.client_seals')
    await asOwner(scene, 'update portal.client_chains set last_sequence = 1, hash = ?', [first.hash])
    await take(another)
    expect(await verify(await scene.visit(), another)).to.not.show('This is exactly the document that was signed')
    await take(pdf)
    expect(await faults(scene.database, '1')).to.deep.equal([])
    expect(await verify(await scene.visit(), pdf)).to.show(
      'This is exactly the document that was signed',
      'sealed before seals were links of the chain',
    )
    const { body } = await owner.get(`/proposals/${document}/evidence/bundle`)
    expect(body.seal).to.equal(null)
    expect(check(body).filter(it => !it.good)).to.deep.equal([])
    delete body.seal
    expect(check(body).filter(it => !it.good)).to.deep.equal([])
  })

  it('verifies as whole while others sign', async () => {
    const { scene } = await signedScene()
    const { evidence, document } = await scene.owner('portal.client_signatures').first('evidence', 'document')
    const key = await signingKeys(scene.database, secrets)(brightside)
    let signing = true
    const signers = Array.from({ length: 4 }, async (_, at) => {
      for (let number = 0; number < 25; number++) {
        const again = JSON.parse(evidence)
        Object.assign(again, { id: uuid() })
        again.document.id = `${at}-${number}`
        const entry = { evidence: again, document, settled: true }
        await within(scene.database, { workspace: '1' }, tx => append(tx, entry, key))
      }
    })
    const signed = Promise.all(signers).finally(() => {
      signing = false
    })
    const found = new Set<string>()
    while (signing) for (const it of await faults(scene.database, '1')) found.add(it)
    await signed
    expect([...found]).to.deep.equal([])
    const times = await scene.owner('portal.client_signatures').orderBy('sequence').pluck('at')
    expect(times).to.have.length(101)
    for (const [index, at] of times.entries())
      expect(at, `No. ${index + 1}`).to.be.at.least(times[index - 1] ?? new Date(0))
  })

  it('is never older than the link before it, also when the clock was set back', async () => {
    const { scene, owner } = await signedScene()
    await scene.pass(-30)
    await signOne(owner, 1)
    const links = [
      ...(await scene.owner('portal.client_signatures').select('sequence', 'at')),
      ...(await scene.owner('portal.client_seals').select('sequence', 'at')),
    ].sort((a, b) => a.sequence - b.sequence)
    expect(links.length).to.be.at.least(3)
    for (const [index, { at }] of links.entries()) expect(at).to.be.at.least(links[index - 1]?.at ?? new Date(0))
  })

  it('is sealed with the key that it was signed with, also when there is an older one by then', async () => {
    const { scene, id } = await signedScene()
    const { head_key: signed } = await scene.owner('portal.client_signatures').where({ id }).first('head_key')
    await pastTriggers(scene.owner, async tx => {
      await tx('portal.client_signatures').update({ sealed: null, sealed_hash: null, sealed_at: null })
      await tx('portal.client_seals').delete()
    })
    const older = await otherKey(scene)
    expect((await signingKeys(scene.database, secrets)(brightside)).id).to.equal(older)
    const later = await open({ on: scene })
    await (await later.visit('admin')).postAt(`/settings/client-portal/responses/${id}/retry`)
    const seals = () => scene.owner('portal.client_seals').pluck('head_key')
    await until(async () => (await seals()).length)
    expect(await seals()).to.deep.equal([signed])
  })

  it('can be erased by its owner alone: the links stay and the chain holds', async () => {
    const { scene, id } = await signedScene()
    const pdf = await sealedPdf(scene, id)
    const erase = `update portal.client_signatures set evidence = null, salt = null, document = null, sealed = null,
      person_id = null, signer = ''`
    const app = within(scene.database, { workspace: '1' }, tx => query(tx, { text: erase }))
    expect(await app.catch(String)).to.include('permission denied')
    await scene.owner.raw(erase)
    expect(await faults(scene.database, '1')).to.deep.equal([])
    expect(await verify(await scene.visit(), pdf)).to.show('This file was sealed here and is unchanged.')
    const back = scene.owner.raw(`update portal.client_signatures set evidence = '{}', signer = 'x'`)
    expect(await back.then(String, String)).to.include('written once')
  })
})

async function signedScene() {
  const scene = await open()
  const owner = await scene.visit('owner')
  const { items } = (await owner.api('/proposals?search=P-2026-031')).body
  const id = await signDocument(owner, items[0].id)
  await sealedPdf(scene, id)
  return { scene, owner, id, document: items[0].id as string }
}

/** Another key of the workspace, older than those that are there; its id. */
async function otherKey({ owner, database }: Scene): Promise<string> {
  const workspace = { ...brightside, id: 'elsewhere' }
  const { id } = await signingKeys(database, secrets)(workspace)
  const moved = { workspace_id: brightside.id, created_at: new Date(0) }
  await pastTriggers(owner, tx => tx('portal.client_keys').where({ id }).update(moved))
  return id
}

async function signOne(owner: Visitor, at: number): Promise<string> {
  const { items } = (await owner.api('/proposals?status=open')).body
  return signDocument(owner, items.filter((it: any) => it.number !== 'P-2026-031')[at - 1].id)
}

/** The evidence's id. */
async function signDocument(owner: Visitor, document: string): Promise<string> {
  const { body } = await owner.api(`/proposals/${document}/acceptance`)
  const form = { seen: body.seen, agree: 'on', how: 'typed', typed: 'Nadia El-Khoury' }
  const { status } = await owner.post(`/proposals/${document}/acceptance`, form)
  expect(status).to.equal(303)
  return (await owner.api(`/proposals/${document}/evidence`)).body.evidence.id
}

const sealedPdf = ({ owner }: Scene, id: string): Promise<Buffer> =>
  until(async () => (await owner('portal.client_signatures').where({ id }).first('sealed')).sealed)

/** As releases sealed that had no link for it, and no id in the seal. */
async function sealedAsBefore(paper: Buffer, key: Key, { reason, at }: { reason: string; at: Date }): Promise<Buffer> {
  const pdfDoc = await PDFDocument.load(paper, { updateMetadata: false })
  const said = { reason, name: 'Brightside', contactInfo: '', location: '', signingTime: at, appName: 'Portico' }
  pdflibAddPlaceholder({ pdfDoc, ...said, signatureLength: 12_000, subFilter: SUBFILTER_ETSI_CADES_DETACHED })
  const prepared = await pdfDoc.save({ useObjectStreams: false })
  const signer = Object.assign(new Signer(), { sign: (bytes: Buffer) => detached(bytes, key) })
  return new SignPdf().sign(Buffer.from(prepared), signer)
}

const asOwner = ({ owner }: Scene, text: string, values: any[] = []) => pastTriggers(owner, tx => tx.raw(text, values))

const verify = (who: Visitor, file: Buffer) =>
  who.agent
    .post('/portal/brightside/verify')
    .attach('file', file, { filename: 'x.pdf', contentType: 'application/pdf' })
