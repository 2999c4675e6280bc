import { createHash, verify, X509Certificate } from 'node:crypto'
import type { Bundle, Evidence, Link, SealLink } from './evidence.ts'

export interface Finding {
  what: string
  good: boolean
}

/**
 * What can be told of an evidence bundle from itself alone, with nothing but Node: no database, no network, none of
 * Portico's other code. Throws a SyntaxError for what is no bundle.
 */
export function check(bundle: Bundle): Finding[] {
  const evidence: Evidence = JSON.parse(bundle.evidence)
  const { document, consent } = evidence
  const { link, certificate, hash, headSignature, salt } = bundle
  const findings: Finding[] = [
    {
      what: 'the evidence is what the chain holds',
      good: sha256(Buffer.from(salt, 'hex'), bundle.evidence) === link.digest,
    },
    { what: 'the link of the chain is whole', good: sha256(text(link)) === hash },
    {
      what: 'the link was signed by the key of the certificate',
      good: signedBy(certificate, hash, headSignature),
    },
    { what: 'the evidence and the link are of the same answer', good: same(evidence, link) },
    { what: 'the document is what was shown', good: sha256(text(document.content)) === document.sha256 },
  ]
  if (consent)
    findings.push({
      what: 'the words of consent are those that were shown',
      good: sha256(consent.text) === consent.sha256,
    })
  if (document.pdf)
    findings.push({
      what: 'the paper is the one that was frozen',
      good: bundle.document !== null && sha256(Buffer.from(bundle.document, 'base64')) === document.pdf.sha256,
    })
  return bundle.seal ? [...findings, ...checkSeal(bundle.seal, bundle)] : findings
}

/** The sealed PDF's own link of the chain. */
function checkSeal(seal: SealLink, { link: before, sealed }: Bundle): Finding[] {
  const { sealing, link, hash, headSignature, certificate } = seal
  const paper = sealed === null ? undefined : Buffer.from(sealed, 'base64')
  return [
    { what: 'the link of the seal is what the chain holds', good: sha256(text(sealing)) === link.digest },
    { what: 'the link of the seal is whole', good: sha256(text(link)) === hash },
    {
      what: 'the link of the seal was signed by the key of its certificate',
      good: signedBy(certificate, hash, headSignature),
    },
    { what: 'the seal is of this evidence', good: sealsThis(sealing, link, before) },
    ...(paper
      ? [{ what: 'the sealed paper is the one that the chain holds', good: sha256(paper) === sealing.sha256 }]
      : []),
  ]
}

const sealsThis = (sealing: SealLink['sealing'], link: Link, before: Link) =>
  sealing.format === 'portico-seal/1' &&
  sealing.evidence === before.id &&
  sealing.id === link.id &&
  sealing.at === link.at &&
  sealing.workspace === link.workspace &&
  link.workspace === before.workspace &&
  link.link > before.link

const signedBy = (certificate: string, hash: string, signature: string) =>
  attempt(() =>
    verify('sha256', Buffer.from(hash), new X509Certificate(certificate).publicKey, Buffer.from(signature, 'base64')),
  )

/** From a file's text. */
export function bundleIn(file: string): Bundle {
  const bundle = JSON.parse(file)
  if (bundle?.format !== 'portico-evidence-bundle/1' || typeof bundle.evidence !== 'string' || !bundle.link)
    throw new SyntaxError('This is no evidence bundle of Portico.')
  return bundle
}

const same = (evidence: Evidence, link: Link) =>
  evidence.format === 'portico-evidence/1' &&
  evidence.id === link.id &&
  evidence.at === link.at &&
  evidence.workspace.id === link.workspace

/**
 * Canonical for what evidence holds, which is objects, lists, strings, whole numbers, true, false and null (RFC 8785).
 */
function text(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(text).join(',')}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, it]) => `${JSON.stringify(key)}:${text(it)}`).join(',')}}`
}

function sha256(...parts: (string | Uint8Array)[]): string {
  const it = createHash('sha256')
  for (const part of parts) it.update(part)
  return it.digest('hex')
}

function attempt(work: () => boolean): boolean {
  try {
    return work()
  } catch {
    return false
  }
}
