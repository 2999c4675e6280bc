import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { bundleIn, check, type Finding } from '../evidence/check.ts'
import type { Bundle, Evidence } from '../evidence/evidence.ts'
import { fingerprint, sealOf } from '../evidence/seal.ts'
import { CommandError, UsageError } from './errors.ts'

/** Verifies an evidence bundle, without database or network. */
export async function verifyFile(file: string | undefined, expected?: string): Promise<string> {
  if (!file) throw new UsageError('verify needs a file: portico verify evidence.json')
  const bundle = read(file)
  const by = [bundle.certificate, ...(bundle.seal ? [bundle.seal.certificate] : [])].flatMap(known)
  const evidence: Evidence = JSON.parse(bundle.evidence)
  const whole = [...check(bundle), ...(await sealed(bundle, evidence))]
  const key = owned(by, expected)
  const { act, at, signer, document } = evidence
  const lines = [
    `${signer.name} <${signer.email}> ${act} ${document.number}, version ${document.version}, for ${signer.client.name}, at ${at}.`,
    ...[...whole, ...key].map(it => `${it.good ? '✓' : '✗'} ${it.what}`),
    ...(bundle.sealed && !bundle.seal ? ['It was sealed before seals were links of the chain, or says so.'] : []),
    ...(bundle.state ? [`Into the CRM, when this file was made: ${bundle.state}.`] : []),
    ...(expected ? [] : fingerprints(by)),
  ].join('\n')
  if (whole.some(it => !it.good)) throw new CommandError(`${lines}\n\nThis evidence was tampered with.`)
  if (key.some(it => !it.good)) throw new CommandError(`${lines}\n\n${anotherKey(by)}`)
  return lines
}

interface Known {
  name: string
  fingerprint: string
}

/** Returns the name and fingerprint of a certificate; empty if it is invalid. */
function known(certificate: string): Known[] {
  try {
    const { subject } = new X509Certificate(certificate)
    return [{ name: subject.replaceAll('\n', ', '), fingerprint: fingerprint(certificate) }]
  } catch {
    return []
  }
}

/** Checks the sealed PDF, if there is one: the seal is intact, made with the link's key, and of this evidence. */
async function sealed({ sealed: pdf, seal, certificate }: Bundle, evidence: Evidence): Promise<Finding[]> {
  if (!pdf) return []
  const it = await sealOf(Buffer.from(pdf, 'base64'))
  const [by] = known(seal?.certificate ?? certificate)
  const unbroken = it?.intact === true && it.whole && it.by === by?.fingerprint
  const { id, act, at, document } = evidence
  const named = it?.evidence === undefined ? it?.says(`${act} ${document.number}`, new Date(at)) : it.evidence === id
  return [
    { what: 'the sealed paper bears an unbroken seal of the same certificate', good: unbroken },
    { what: 'the seal names this evidence', good: named === true },
  ]
}

const owned = (by: Known[], expected: string | undefined): Finding[] => {
  const wanted = expected?.toLowerCase().replaceAll(':', '')
  const good = by.length > 0 && by.every(it => it.fingerprint === wanted)
  return expected ? [{ what: 'the certificate is the one that was expected', good }] : []
}

const anotherKey = (by: Known[]) =>
  `This certificate did not sign this file: it was signed with another key, SHA-256 ${[...new Set(by.map(it => it.fingerprint))].join(' and ')}. \
Nothing in the file was changed since. Ask the company for the fingerprint of its key.`

const fingerprints = (by: Known[]) => [
  ...new Set(by.map(it => `Signed with the key of ${it.name}, SHA-256 ${it.fingerprint}.`)),
  'Anybody can make a key of any name: compare it with the one that the company tells you, or say --certificate SHA-256.',
]

function read(file: string): Bundle {
  try {
    return bundleIn(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new CommandError(`${file}: ${(error as Error).message}`)
  }
}
