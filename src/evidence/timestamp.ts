import { createHash, randomBytes } from 'node:crypto'
import { Integer, OctetString } from 'asn1js'
import * as pkijs from 'pkijs'

const sha256 = '2.16.840.1.101.3.4.2.1'

/**
 * A time-stamp token of these bytes from an authority (RFC 3161, over HTTP as its section 3.4 has it), as a CMS
 * ContentInfo. Throws an Error where there is none, or one of something else.
 */
export async function timestamp(bytes: Uint8Array, authority: string): Promise<pkijs.ContentInfo> {
  const digest = createHash('sha256').update(bytes).digest()
  const nonce = randomBytes(8)
  nonce.writeUInt8((nonce.readUInt8(0) & 0x7f) | 0x40)
  const request = new pkijs.TimeStampReq({
    version: 1,
    messageImprint: new pkijs.MessageImprint({
      hashAlgorithm: new pkijs.AlgorithmIdentifier({ algorithmId: sha256 }),
      hashedMessage: new OctetString({ valueHex: new Uint8Array(digest).buffer }),
    }),
    nonce: new Integer({ valueHex: new Uint8Array(nonce).buffer }),
    certReq: true,
  })
  const answer = await fetch(authority, {
    method: 'POST',
    headers: { 'Content-Type': 'application/timestamp-query' },
    body: request.toSchema().toBER(),
    redirect: 'error',
    signal: AbortSignal.timeout(15_000),
  })
  if (!answer.ok) throw new Error(`The time-stamp authority answered ${answer.status}.`)
  const { status, timeStampToken } = pkijs.TimeStampResp.fromBER(await answer.arrayBuffer())
  // Granted, or granted with changes.
  if (status.status > 1 || !timeStampToken) throw new Error('The time-stamp authority refused.')
  const token = infoOf(timeStampToken)
  const imprint = Buffer.from(token.messageImprint.hashedMessage.valueBlock.valueHexView)
  if (!imprint.equals(digest) || Buffer.compare(Buffer.from(token.nonce?.valueBlock.valueHexView ?? []), nonce) !== 0)
    throw new Error('The time-stamp authority stamped something else.')
  return timeStampToken
}

/** What a token says: when, of what. */
export function infoOf(token: pkijs.ContentInfo): pkijs.TSTInfo {
  const signed = new pkijs.SignedData({ schema: token.content })
  const content = signed.encapContentInfo.eContent
  if (!content) throw new Error('There is no time in this token.')
  return pkijs.TSTInfo.fromBER(content.getValue())
}
