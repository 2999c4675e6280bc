import { createHash, X509Certificate } from 'node:crypto'
import { pdflibAddPlaceholder } from '@signpdf/placeholder-pdf-lib'
import { SignPdf } from '@signpdf/signpdf'
import { Signer, SUBFILTER_ETSI_CADES_DETACHED } from '@signpdf/utils'
import { fromBER, ObjectIdentifier, OctetString, Sequence } from 'asn1js'
import { PDFDocument, PDFName, PDFString } from 'pdf-lib'
import * as pkijs from 'pkijs'
import type { Key } from './keys.ts'
import { infoOf, timestamp } from './timestamp.ts'

const ids = {
  data: '1.2.840.113549.1.7.1',
  signedData: '1.2.840.113549.1.7.2',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingCertificateV2: '1.2.840.113549.1.9.16.2.47',
  timeStampToken: '1.2.840.113549.1.9.16.2.14',
}

/** Room for the signature in the file, in hexadecimal digits; a time stamp brings certificates of its own. */
const room = { plain: 12_000, stamped: 40_000 }

interface Sealing {
  key: Key
  at: Date
  /** What the seal stands for, as PDF readers show it. */
  reason: string
  /** Id of the evidence. It is part of the seal and of its reason. */
  evidence: string
  name: string
  /** Address of a time-stamp authority (RFC 3161). */
  timestamps: string | undefined
}

/**
 * A PDF with a seal over every byte of it: PAdES baseline B-B (ETSI EN 319 142-1), CMS detached, or B-T with a time stamp.
 * Its tags stay.
 */
export async function seal(pdf: Uint8Array, { key, at, reason, evidence, name, timestamps }: Sealing): Promise<Buffer> {
  const document = await PDFDocument.load(pdf, { updateMetadata: false })
  pdflibAddPlaceholder({
    pdfDoc: document,
    reason: `${plain(reason)} (evidence ${evidence})`,
    name: literal(name),
    contactInfo: '',
    location: '',
    signingTime: at,
    signatureLength: timestamps ? room.stamped : room.plain,
    subFilter: SUBFILTER_ETSI_CADES_DETACHED,
    appName: 'Portico',
  })
  const prepared = await document.save({
    useObjectStreams: false,
    addDefaultPage: false,
    updateFieldAppearances: false,
  })
  return new SignPdf().sign(Buffer.from(prepared), new Cms(key, timestamps))
}

/** For a literal string of PDF (ISO 32000-2, 7.3.4.2 and 7.9.2.2): whatever is in it, it ends where it should. */
const literal = (text: string) =>
  (/^[\x20-\x7e]*$/.test(text) ? text : Buffer.from(`\ufeff${text}`, 'utf16le').swap16().toString('latin1'))
    .replace(/[()\\]/g, '\\$&')
    .replace(/\r/g, '\\r')

/** Printable ASCII without the characters that end a string. */
const plain = (text: string) => text.replace(/[^\x20-\x7e]|[()\\]/g, '?')

/** A paper with the pages of another one behind its own. Throws where it is encrypted or no PDF. */
export async function appendPages(paper: Uint8Array, more: Uint8Array): Promise<Uint8Array> {
  const document = await PDFDocument.load(paper, { updateMetadata: false })
  const other = await PDFDocument.load(more)
  for (const page of await document.copyPages(other, other.getPageIndices())) {
    // What it says of its tags is in the other file.
    page.node.delete(PDFName.of('StructParents'))
    document.addPage(page)
  }
  return document.save({ useObjectStreams: false, addDefaultPage: false, updateFieldAppearances: false })
}

class Cms extends Signer {
  override sign: (bytes: Buffer) => Promise<Buffer>
  constructor(key: Key, timestamps: string | undefined) {
    super()
    this.sign = bytes => detached(bytes, key, timestamps)
  }
}

/** CMS SignedData without its content (RFC 5652), which names its certificate in what is signed (RFC 5035). */
export async function detached(bytes: Buffer, key: Key, timestamps?: string): Promise<Buffer> {
  const raw = new X509Certificate(key.certificate).raw
  const certificate = pkijs.Certificate.fromBER(new Uint8Array(raw))
  const attribute = (type: string, value: unknown) => new pkijs.Attribute({ type, values: [value] })
  const octets = (it: Buffer) => new OctetString({ valueHex: new Uint8Array(it).buffer })
  const digest = createHash('sha256').update(bytes).digest()
  const named = new Sequence({ value: [octets(createHash('sha256').update(raw).digest())] })
  const cms = new pkijs.SignedData({
    version: 1,
    encapContentInfo: new pkijs.EncapsulatedContentInfo({ eContentType: ids.data }),
    certificates: [certificate],
    signerInfos: [
      new pkijs.SignerInfo({
        version: 1,
        sid: new pkijs.IssuerAndSerialNumber({
          issuer: certificate.issuer,
          serialNumber: certificate.serialNumber,
        }),
        signedAttrs: new pkijs.SignedAndUnsignedAttributes({
          type: 0,
          attributes: [
            attribute(ids.contentType, new ObjectIdentifier({ value: ids.data })),
            attribute(ids.messageDigest, octets(digest)),
            attribute(ids.signingCertificateV2, new Sequence({ value: [new Sequence({ value: [named] })] })),
          ],
        }),
      }),
    ],
  })
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
  await cms.sign(
    key.private.toCryptoKey(algorithm, false, ['sign']) as never,
    0,
    'SHA-256',
    new Uint8Array(bytes).buffer,
  )
  const [signer] = cms.signerInfos
  if (timestamps && signer) {
    const token = await timestamp(signer.signature.valueBlock.valueHexView, timestamps)
    signer.unsignedAttrs = new pkijs.SignedAndUnsignedAttributes({
      type: 1,
      attributes: [attribute(ids.timeStampToken, token.toSchema())],
    })
  }
  const content = new pkijs.ContentInfo({ contentType: ids.signedData, content: cms.toSchema(true) })
  return Buffer.from(content.toSchema().toBER(false))
}

export interface Seal {
  /** Whether what the seal covers is as it was. */
  intact: boolean
  /** Whether it covers every byte of the file: what was appended later is not covered. */
  whole: boolean
  /** SHA-256 fingerprint of the certificate, in hexadecimal digits. */
  by: string
  /** What a time-stamp authority says of it. */
  stamped: Date | undefined
  /** Id of the evidence that the PDF belongs to, as the seal says; undefined in what older releases sealed. */
  evidence: string | undefined
  /** Whether reason and time (to the second) match. Seals of older releases have no more. */
  says(reason: string, at: Date): boolean
}

/** The last seal in a file, by any signer; undefined if there is no readable one. */
export async function sealOf(pdf: Buffer): Promise<Seal | undefined> {
  const text = pdf.toString('latin1')
  const [, ...ranges] = [...text.matchAll(/\/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*\]/g)].at(-1) ?? []
  const [start = 0, first = 0, second = 0, rest = 0] = ranges.map(Number)
  if (!ranges.length || start !== 0 || second <= first || second + rest > pdf.length) return undefined
  const contents = text.slice(first, second)
  if (!/^<[0-9a-f]+>$/i.test(contents)) return undefined
  try {
    const { result, offset } = fromBER(new Uint8Array(Buffer.from(contents.slice(1, -1), 'hex')))
    // Room that the signature left: nothing may be written there afterwards.
    const tidy = /^0*>$/.test(contents.slice(1 + offset * 2))
    const cms = new pkijs.SignedData({ schema: new pkijs.ContentInfo({ schema: result }).content })
    // With several certificates, the signature could be attributed to the wrong one.
    const [certificate, ...others] = cms.certificates ?? []
    if (!(certificate instanceof pkijs.Certificate) || others.length || cms.signerInfos.length !== 1) return undefined
    const covered = Buffer.concat([pdf.subarray(0, first), pdf.subarray(second, second + rest)])
    const intact = await cms
      .verify({ signer: 0, data: new Uint8Array(covered).buffer, checkChain: false })
      .catch(() => false)
    const by = createHash('sha256').update(new Uint8Array(certificate.toSchema().toBER())).digest('hex')
    const behind = text.slice(second, second + 2_000)
    return {
      intact: intact && tidy,
      whole: second + rest === pdf.length,
      by,
      stamped: stampIn(cms),
      evidence: evidenceIn(behind),
      says: (reason, at) => behind.trimStart().startsWith(`/Reason (${bytesOf(reason)})\n/M ${PDFString.fromDate(at)}`),
    }
  } catch {
    return undefined
  }
}

/** The reason stands behind the signature's own bytes, in the same dictionary. */
const evidenceIn = (behind: string) =>
  /^\s*\/Reason \([^()]*\(evidence ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\)\)/.exec(behind)?.[1]

/** As older releases wrote it: of each character one byte. */
const bytesOf = (text: string) => Buffer.from(text, 'latin1').toString('latin1')

function stampIn(cms: pkijs.SignedData): Date | undefined {
  const stamp = cms.signerInfos[0]?.unsignedAttrs?.attributes.find(it => it.type === ids.timeStampToken)
  return stamp && infoOf(new pkijs.ContentInfo({ schema: stamp.values[0] })).genTime
}

/** As `Seal.by` has it. */
export const fingerprint = (certificate: string) =>
  createHash('sha256').update(new X509Certificate(certificate).raw).digest('hex')
