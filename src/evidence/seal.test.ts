import { X509Certificate } from 'node:crypto'
import { OctetString } from 'asn1js'
import { expect } from 'chai'
import { PDFDocument } from 'pdf-lib'
import * as pkijs from 'pkijs'
import { serving } from '../../test/serving.ts'
import { leave, open } from '../../test/visit.ts'
import { pdfOf } from '../pdf/pdf.ts'
import { type Key, signingKeys } from './keys.ts'
import { fingerprint, seal, sealOf } from './seal.ts'

describe('a seal', () => {
  let key: Key
  let paper: Buffer

  before(async () => {
    const { database } = await open()
    const workspace = { id: '1', slug: 'brightside', name: 'Brightside', letterhead: [], timeZone: 'UTC' }
    const made = await Promise.all([1, 2].map(() => signingKeys(database, ['s'.repeat(32)])(workspace)))
    // Two processes at once have one key.
    expect(made[0]?.id).to.equal(made[1]?.id)
    key = made[0]!
    paper = await pdfOf({
      ...{
        language: 'en-GB',
        direction: 'ltr',
        title: 'T',
        number: '1',
        date: '2026-11-21',
        sender: 'S',
        letterhead: [],
      },
      ...{
        addressee: { label: 'For', lines: ['x'] },
        facts: [],
        intro: ['As agreed.'],
        columns: ['a', 'b', 'c'],
        groups: [],
      },
      ...{ totals: [], terms: [], footer: '' },
    })
  })
  after(leave)

  const evidence = '0198f2a4-7d1e-7c3a-9b1f-2f6a0d3c4b5e'
  const plain = { at: new Date('2026-11-21T08:00:00Z'), reason: 'accepted 1', evidence, name: 'Brightside' }
  const sealed = (timestamps?: string) => seal(paper, { ...plain, key, timestamps })

  it('is over every byte: each that is changed is found, and none is sealed that was not', async () => {
    const file = await sealed()
    expect(await sealOf(file)).to.include({ intact: true, whole: true, stamped: undefined })
    expect(await sealOf(paper)).to.equal(undefined)
    // The signature does not cover itself: for that the file's own hash is compared.
    const [, first = '', second = ''] = /\/ByteRange \[0 (\d+) (\d+)/.exec(file.toString('latin1')) ?? []
    for (let at = 20; at < file.length; at += 997) {
      if (at > Number(first) && at < Number(second)) continue
      const changed = Buffer.from(file)
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at)
      const found = await sealOf(changed)
      expect(found?.intact && found.whole, `byte ${at}`).to.not.equal(true)
    }
    expect(file.toString('latin1')).to.include('/StructTreeRoot')
  })

  it('names its evidence, with any other text around it', async () => {
    for (const [reason, name] of [
      ['accepted 1', 'Brightside'],
      ['accepted (evidence 0198f2a4-7d1e-7c3a-9b1f-000000000000)) /M (x', 'Bright (side'],
      ['accepted \\', 'Студия ĩ丩 \\'],
    ]) {
      const file = await seal(paper, { ...plain, reason: reason!, name: name!, key, timestamps: undefined })
      expect(await sealOf(file), reason).to.include({ intact: true, whole: true, evidence })
      expect((await PDFDocument.load(file, { updateMetadata: false })).getPageCount()).to.equal(1)
    }
  })

  it('is attributed to the signing certificate only, not to another one in the file', async () => {
    const { database } = await open()
    const elsewhere = { id: '2', slug: 'ledgerline', name: 'Forger', letterhead: [], timeZone: 'UTC' }
    const mine = await signingKeys(database, ['s'.repeat(32)])(elsewhere)
    const file = await seal(paper, { ...plain, key: mine, timestamps: undefined })
    const text = file.toString('latin1')
    const [, first = '', second = ''] = /\/ByteRange \[0 (\d+) (\d+)/.exec(text) ?? []
    const [from, to] = [Number(first) + 1, Number(second) - 1]
    const whole = pkijs.ContentInfo.fromBER(new Uint8Array(Buffer.from(text.slice(from, to), 'hex')))
    const cms = new pkijs.SignedData({ schema: whole.content })
    cms.certificates?.unshift(pkijs.Certificate.fromBER(new Uint8Array(new X509Certificate(key.certificate).raw)))
    const ours = new pkijs.ContentInfo({ contentType: whole.contentType, content: cms.toSchema(true) })
    const hex = Buffer.from(ours.toSchema().toBER(false))
      .toString('hex')
      .padEnd(to - from, '0')
    const forged = Buffer.from(text.slice(0, from) + hex + text.slice(to), 'latin1')
    expect(forged.length).to.equal(file.length)
    expect((await sealOf(file))?.by).to.equal(fingerprint(mine.certificate))
    expect((await sealOf(forged))?.by).to.not.equal(fingerprint(key.certificate))
  })

  it('bears the time of an authority, where there is one, and none of something else', async () => {
    const honest = await authority(key)
    const file = await sealed(honest.url)
    expect((await sealOf(file))?.stamped?.toISOString()).to.equal('2026-11-21T09:30:00.000Z')
    const lying = await authority(key, () => new pkijs.MessageImprint({ hashedMessage: new OctetString() }))
    for (const [url, sentence] of [
      [lying.url, 'stamped something else'],
      ['http://127.0.0.1:1', 'fetch failed'],
    ] as const)
      expect(String(await sealed(url).catch(error => error))).to.include(sentence)
    await Promise.all([honest.close(), lying.close()])
  })
})

/** A time-stamp authority (RFC 3161) with our own key. */
const authority = (key: Key, imprint = (it: pkijs.MessageImprint) => it) =>
  serving(async (_request, _body, bytes) => {
    const query = pkijs.TimeStampReq.fromBER(new Uint8Array(bytes))
    const info = new pkijs.TSTInfo({
      version: 1,
      policy: '1.2.3.4.1',
      messageImprint: imprint(query.messageImprint),
      serialNumber: query.nonce!,
      genTime: new Date('2026-11-21T09:30:00Z'),
      nonce: query.nonce,
    })
    const certificate = pkijs.Certificate.fromBER(
      new Uint8Array(Buffer.from(key.certificate.replace(/-----.*-----/g, ''), 'base64')),
    )
    const signed = new pkijs.SignedData({
      version: 3,
      encapContentInfo: new pkijs.EncapsulatedContentInfo({
        eContentType: '1.2.840.113549.1.9.16.1.4',
        eContent: new OctetString({ valueHex: info.toSchema().toBER() }),
      }),
      certificates: [certificate],
      signerInfos: [
        new pkijs.SignerInfo({
          version: 1,
          sid: new pkijs.IssuerAndSerialNumber({
            issuer: certificate.issuer,
            serialNumber: certificate.serialNumber,
          }),
        }),
      ],
    })
    const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
    await signed.sign(key.private.toCryptoKey(algorithm, false, ['sign']) as never, 0, 'SHA-256')
    const answer = new pkijs.TimeStampResp({
      status: new pkijs.PKIStatusInfo({ status: 0 }),
      timeStampToken: new pkijs.ContentInfo({ contentType: '1.2.840.113549.1.7.2', content: signed.toSchema(true) }),
    })
    return Buffer.from(answer.toSchema().toBER())
  })
