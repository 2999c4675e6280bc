/** What is kept of an answer; its canonical text (RFC 8785) is what the chain holds on to. Times are ISO 8601, UTC. */
export interface Evidence {
  format: 'portico-evidence/1'
  id: string
  act: 'accepted' | 'declined' | 'countersigned'
  at: string
  workspace: { id: string; name: string }
  document: {
    section: string
    id: string
    version: number
    number: string
    /** As it was shown, with what was chosen. */
    content: object
    /** Of the content's canonical text. */
    sha256: string
    /** The PDF that was frozen with it, and whether the CRM or Portico made it. */
    pdf: { sha256: string; bytes: number; by: 'portal' | 'crm' } | null
    /** What was attached, where something was; the files stay with the CRM. */
    attachments?: { id: string; name: string; bytes: number; sha256: string }[]
  }
  signer: {
    id: string
    name: string
    email: string
    /** Null for staff; `contact` for a signer without an account, by a public link. */
    role: string | null
    client: { id: string; name: string }
    /** The CRM's contact; null for people who exist only in the portal. */
    contact: string | null
  }
  /** The words that were agreed to, as they were shown. */
  consent: { text: string; language: string; sha256: string } | null
  signature: Signature | null
  /** Whether the signer chose otherwise than it was offered. */
  selection: 'as offered' | 'own'
  reason: string | null
  order: { number: string | null; requestedOn: string | null }
  /** How the signer was verified. The first entry is the sign-in. */
  authentication: { by: string; at: string }[]
  from: { address: string | null; agent: string | null }
  /** How often the document was opened by people of the client before; machines leave no such rows. */
  seen: Seen
  /** Where it came by a public link: which, by whom it was made, and how often it was looked at by that. */
  publicLink?: { id: string; madeBy: string; madeAt: string; seen: Seen }
}

interface Seen {
  times: number
  first: string | null
  last: string | null
}

/** Strokes are points of a field 1,000 wide and 300 high. */
export type Signature =
  | { method: 'drawn'; strokes: [x: number, y: number][][] }
  /** Whether it is the name of the account, or confirmed as another one; not there in what older releases kept. */
  | { method: 'typed'; text: string; name?: 'account' | 'confirmed' }
  | { method: 'ticked' }

/** One link of a workspace's chain: it holds no personal data, which can be erased without breaking it. */
export interface Link {
  workspace: string
  /** Counts from 1. */
  link: number
  id: string
  at: string
  /** Of the salt and the evidence. */
  digest: string
  /** Hash of the link before; empty for the first. */
  previous: string
}

/** What the chain holds of a sealed PDF: its canonical text is what the digest of its link is of. No personal data. */
export interface Sealing {
  format: 'portico-seal/1'
  id: string
  /** When it was sealed; ISO 8601, UTC. */
  at: string
  workspace: string
  /** Id of the evidence that the PDF belongs to. */
  evidence: string
  /** Of the sealed PDF. */
  sha256: string
}

/** A sealed PDF's own link of the chain, with what proves it. */
export interface SealLink {
  sealing: Sealing
  /** Its digest is of the sealing's canonical text, without salt. */
  link: Link
  hash: string
  headSignature: string
  certificate: string
}

/** A file that says all that is known of one answer, and is verified without us: see docs/signatures.md. */
export interface Bundle {
  format: 'portico-evidence-bundle/1'
  evidence: string
  /** Hexadecimal digits. */
  salt: string
  link: Link
  /** Of the link's canonical text. */
  hash: string
  /** Of the hash, base64: RSA with SHA-256. */
  headSignature: string
  /** X.509, PEM. */
  certificate: string
  /** How far it had come into the CRM when this file was made: no signature holds it. Not there in the first files. */
  state?: string
  /** The frozen paper, and the same with certificate page and seal; base64. */
  document: string | null
  sealed: string | null
  /** The link of what is sealed: null where it is not, or was before seals were links; not there in older files. */
  seal?: SealLink | null
}
