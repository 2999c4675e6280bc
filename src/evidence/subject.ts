import { z } from 'zod'
import { type Customer, type Ports, roles, type Workspace } from '../crm/crm.ts'
import type { PrintedDocument } from '../pdf/pdf.ts'
import type { DocumentReader } from '../plugin/parts.ts'
import type { Section } from '../plugin/plugin.ts'
import type { PluginHost } from '../plugin/registry.ts'
import type { Evidence } from './evidence.ts'

declare global {
  namespace Portico {
    interface Plugin {
      /**
       * Its records that clients sign. `activity` then has `<name>.accepted`, `<name>.declined` and
       * `<name>.countersigned`.
       */
      evidence?: SignedSubject
    }
  }
}

/**
 * Declares what clients sign of a plugin's records: they accept a proposal, approve a proof. The portal stores the
 * content with each response, chains and seals it, submits the response through the plugin's port and verifies it
 * later. It knows nothing else of the content. `Port` is the plugin's port; `Content` is JSON without fractional
 * numbers.
 */
export interface SignedSubject<Port = any, Content extends object = any> {
  /** Reads a record. Its content is what is signed, as canonical JSON (RFC 8785). Throws NotFound. */
  read(port: Port, id: string): Promise<SignedRecord<Content>>
  /** The signed content on paper; the certificate and the seal are added to it. */
  print(content: Content, reader: DocumentReader): PrintedDocument
  /** How this port takes responses; undefined if it takes none. Without it, only the evidence is stored. */
  submission?(port: Port): Submission<Content> | undefined
  /** The title and total that mails name it by; its number, if not given. */
  summary?(content: Content, reader: DocumentReader): { title: string; total?: string }
  /** Words of the certificate page; those of an acceptance, if not given. */
  certificate?(signed: SignedFacts, reader: DocumentReader): { heading: string; intro: string }
  /** Whether a reader would see a difference between what was signed and what is there now; any, if not given. */
  differs?(signed: Content, now: Content, reader: DocumentReader): boolean
  /** The part of the content that a selection does not change; all of it by default. */
  fixed?(content: Content): object
}

/** A record that can be signed, as it is now. */
export interface SignedRecord<Content extends object = any> {
  content: Content
  /** Whether it still waits for a response. */
  open: boolean
}

/** How a port takes responses. */
export interface Submission<Content extends object = any> {
  /**
   * Whether a response is written in the transaction that the port is bound to, together with its evidence. Otherwise it is
   * submitted afterwards, and again until it arrives.
   */
  transactional: boolean
  /**
   * Takes a response if the record is still open and of this version. The same `key` a second time changes nothing.
   * Throws Conflict or NotFound if it is too late: the response is then rejected and its signer is told.
   */
  submit(id: string, response: SignedResponse<Content>): Promise<void>
}

/** What somebody signed, for the plugin that submits it. */
export interface SignedResponse<Content extends object = any> {
  /** Of this response alone. */
  key: string
  act: 'accepted' | 'declined'
  version: number
  /** As it was signed, with what was chosen. */
  content: Content
  /** Whether the signer chose otherwise than it was offered. */
  selection: 'as offered' | 'own'
  at: Date
  /** The plain date it is at the workspace. */
  on: string
  by: { name: string; email: string; contact: string | null }
  /** Why it was declined. */
  reason: string | null
  /** As the client counts its orders, and a plain date. */
  order: { number: string | null; requestedOn: string | null }
}

/** Who signed which document, as text. */
export interface SignedFacts {
  name: string
  client: string
  number: string
  version: number
}

const fn = z.custom<object>(it => typeof it === 'function', 'must be a function')

/** Registers the signed subjects of plugins. */
export const evidenceHost: PluginHost = {
  shape: { evidence: z.object({ read: fn, print: fn, submission: fn.optional() }).optional() },
  add({ name, evidence, activity }) {
    const told: Record<string, unknown> = activity
    for (const act of evidence ? ['accepted', 'declined', 'countersigned'] : [])
      if (!told[`${name}.${act}`])
        throw new TypeError(
          `createPortal: plugin ${name}: activity must have ${name}.${act}, since clients sign its records.`,
        )
  },
}

/** How the records of this section are signed. Throws a TypeError where clients sign none of them. */
export function subjectIn(sections: Section[], section: string): SignedSubject {
  const subject = sections.find(it => it.name === section)?.evidence
  if (!subject) throw new TypeError(`The plugin ${section} has no evidence: nothing of it can be signed.`)
  return subject
}

/** The port that a section's records are read by; undefined where it is switched off. */
export const portIn = (crm: Partial<Ports>, section: string): object | undefined => crm[section as keyof Ports]

/** How a port takes responses; undefined if it takes none, `nobody` if nothing is submitted. */
export const submissionOf = (subject: SignedSubject, port: object): Submission | typeof nobody | undefined =>
  subject.submission ? subject.submission(port) : nobody

export const nobody = 'nobody'

/** The signer as customer, for submitting later. */
export const customerOf = ({ signer }: Evidence, workspace: Workspace, today: string): Customer => ({
  workspace,
  client: signer.client,
  person: { id: signer.id, name: signer.name, email: signer.email },
  role: roles.find(it => it === signer.role) ?? 'viewer',
  today,
})

/** The response that this is the evidence of; `on` is the plain date at the workspace. */
export const responseOf = (evidence: Omit<Evidence, 'at'>, at: Date, on: string): SignedResponse => {
  const { id, act, document, signer, selection, reason, order } = evidence
  return {
    ...{ key: id, act: act === 'declined' ? act : 'accepted', version: document.version },
    ...{ content: document.content, selection, at, on, reason, order },
    by: { name: signer.name, email: signer.email, contact: signer.contact },
  }
}
