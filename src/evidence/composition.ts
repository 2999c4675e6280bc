import type { Request } from 'express'
import type { Knex } from 'knex'
import { readWithin } from '../platform/database.ts'
import { canonical, sha256 } from './canonical.ts'
import type { Evidence, Signature } from './evidence.ts'

/** The CRM's own where it has one, else ours. */
export interface DocumentBytes {
  bytes: Buffer
  by: 'portal' | 'crm'
}

type Attached = NonNullable<Evidence['document']['attachments']>[number]

/** What is signed and how. The rest of the evidence comes from the request. */
export interface SignedResponseFacts {
  /** Name of the plugin, whose `evidence` says how the record is read again, printed and submitted. */
  section: string
  act: 'accepted' | 'declined'
  document: {
    id: string
    version: number
    number: string
    /** As it was shown, with what was chosen. */
    content: object
    /** Frozen with it. */
    pdf?: DocumentBytes | null
    attachments?: Attached[]
  }
  consent?: string | null
  signature?: Signature | null
  /** Why it is declined. */
  reason?: string | null
  order?: Evidence['order']
  /** Whether the signer chose otherwise than it was offered; as offered, if not given. */
  selection?: Evidence['selection']
  /**
   * Responses to the same version that the CRM has had, before it offered it once more: they are superseded by this
   * one.
   */
  before?: string[]
}

/** All that is kept of a response, but the time, which it has when its turn in the chain has come. */
export async function composeEvidence(
  database: Knex,
  req: Request<any>,
  what: SignedResponseFacts,
  id: string,
): Promise<Omit<Evidence, 'at'>> {
  const { workspace, guest, locale, sessionRequest } = req.portal
  const { section, act, document, consent = null, signature = null, reason = null } = what
  return {
    format: 'portico-evidence/1',
    id,
    act,
    workspace: { id: workspace.id, name: workspace.name },
    document: documentOf(what),
    signer: signerOf(req),
    consent: consent === null ? null : { text: consent, language: locale, sha256: sha256(consent) },
    signature,
    selection: what.selection ?? 'as offered',
    reason,
    order: what.order ?? { number: null, requestedOn: null },
    authentication: (sessionRequest.session.verifications ?? []).map(it => ({
      by: it.by,
      at: new Date(it.at).toISOString(),
    })),
    from: fromOf(req),
    seen: await seen(database, req, section, document.id),
    ...(guest && {
      publicLink: {
        ...{ id: guest.link.id, madeBy: guest.link.madeBy, madeAt: guest.link.madeAt.toISOString() },
        seen: await seen(database, req, section, document.id, guest.link.id),
      },
    }),
  }
}

function documentOf({ section, document }: SignedResponseFacts): Evidence['document'] {
  const { id, version, number, content, pdf, attachments } = document
  return {
    ...{ section, id, version, number, content, sha256: sha256(canonical(content)) },
    pdf: pdf ? { sha256: sha256(pdf.bytes), bytes: pdf.bytes.length, by: pdf.by } : null,
    ...(attachments?.length ? { attachments } : {}),
  }
}

function signerOf({ portal: { customer, guest, user } }: Request<any>): Evidence['signer'] {
  const { person, role, client } = customer
  return {
    ...{ id: person.id, name: person.name, email: person.email, role: guest ? 'contact' : role },
    client,
    contact: user?.memberships.find(it => it.client === client.id)?.contact ?? null,
  }
}

/** By which address and browser a request came. */
export const fromOf = (req: Request<any>): Evidence['from'] => ({
  address: req.ip ?? null,
  agent: req.get('User-Agent')?.slice(0, 500) ?? null,
})

/** Views by the client's people or through a public link. */
async function seen(
  database: Knex,
  req: Request<any>,
  section: string,
  document: string,
  link = '',
): Promise<Evidence['seen']> {
  const { workspace, customer } = req.portal
  const [row] = await readWithin(
    database,
    { workspace: workspace.id, client: customer.client.id },
    {
      name: 'portal.seen',
      text: `select count(*)::int as times, min(at) as first, max(at) as last from portal.client_activity_logs l
             where l.workspace_id = scope.workspace and l.client_id = scope.client and l.subject_id = $3 and l.event = $4
               and case when $5 = '' then l.actor_kind = 'client' else l.actor_kind = 'link' and l.actor_id = $5 end`,
      values: [document, `${section}.viewed`, link],
    },
  )
  return { times: row.times, first: row.first?.toISOString() ?? null, last: row.last?.toISOString() ?? null }
}
