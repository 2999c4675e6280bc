import { randomBytes } from 'node:crypto'
import type { Knex } from 'knex'
import { v7 as uuid } from 'uuid'
import { query, readWithin } from '../platform/database.ts'
import { canonical, sha256 } from './canonical.ts'
import { bundleIn, check } from './check.ts'
import type { Bundle, Evidence, Link, Sealing, SealLink } from './evidence.ts'
import { type Key, signed } from './keys.ts'

/** A row of `client_signatures` as it is inserted. */
export interface Entry {
  /** Without its time: that is when its turn in the chain has come, by the database's clock. */
  evidence: Omit<Evidence, 'at'>
  document: Buffer | null
  /** Where the CRM has taken it in the same transaction, or needs not know. */
  settled: boolean
}

/** Writes the next link of the workspace's chain; others wait for it until this transaction ends. */
export async function append(tx: Knex, { evidence, document, settled }: Entry, key: Key): Promise<void> {
  const { id, workspace, act, signer } = evidence
  const { section, id: documentId, version, number } = evidence.document
  const head = await lockChain(tx, workspace.id)
  const at = head.now.toISOString()
  const text = canonical({ ...evidence, at } satisfies Evidence)
  const salt = randomBytes(16)
  const { link, hash } = nextLink(head, { workspace: workspace.id, id, at, digest: sha256(salt, text) })
  await query(tx, {
    name: 'portal.sign',
    text: `with head as (update portal.client_chains set last_sequence = $2, hash = $3, at = $5 where workspace_id = $1)
           insert into portal.client_signatures (workspace_id, sequence, hash, id, at, act, section, document_id, version, number,
             client_id, person_id, signer, evidence, salt, digest, previous, head_key, head_signature, document, state, settled_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
             case when $21 = 'confirmed' then portal.now() end)`,
    values: [
      ...[workspace.id, link.link, hash, id, at, act, section, documentId, version, number],
      ...[
        signer.client.id,
        signer.role === null ? null : signer.id,
        signer.name,
        text,
        salt.toString('hex'),
        link.digest,
      ],
      ...[link.previous, key.id, signed(hash, key), document, settled ? 'confirmed' : 'saved'],
    ],
  })
}

/** Which answer a PDF belongs to that is sealed. */
interface Sealed {
  workspace: string
  client: string
  evidence: string
  pdf: Buffer
}

/** Stores a sealed PDF as a link of the chain. Returns false if another process has sealed it already. */
export async function appendSeal(tx: Knex, { workspace, client, evidence, pdf }: Sealed, key: Key): Promise<boolean> {
  const [open] = await query(tx, {
    text: `select 1 from portal.client_signatures
           where workspace_id = $1 and id = $2 and sealed_hash is null for update`,
    values: [workspace, evidence],
  })
  if (!open) return false
  const head = await lockChain(tx, workspace)
  const sealing: Sealing = {
    format: 'portico-seal/1',
    id: uuid(),
    at: head.now.toISOString(),
    workspace,
    evidence,
    sha256: sha256(pdf),
  }
  const { id, at } = sealing
  const { link, hash } = nextLink(head, { workspace, id, at, digest: sha256(canonical(sealing)) })
  await query(tx, {
    text: `with head as (update portal.client_chains set last_sequence = $2, hash = $3, at = $5 where workspace_id = $1)
           insert into portal.client_seals (workspace_id, sequence, hash, id, at, signature_id, client_id, sha256, digest, previous,
             head_key, head_signature)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    values: [
      ...[workspace, link.link, hash, id, at, evidence, client, sealing.sha256, link.digest, link.previous],
      ...[key.id, signed(hash, key)],
    ],
  })
  await query(tx, {
    text: `update portal.client_signatures set sealed = $3, sealed_hash = $4, sealed_at = $5
           where workspace_id = $1 and id = $2`,
    values: [workspace, evidence, pdf, sealing.sha256, at],
  })
  return true
}

interface Head {
  /** The sequence number of the last link; 0 for an empty chain. */
  sequence: number
  hash: string
  /** When it was this transaction's turn: no link is older than the one before it. */
  now: Date
}

/** Where the workspace's chain ends. Nobody else adds to it until this transaction ends. */
async function lockChain(tx: Knex, workspace: string): Promise<Head> {
  const [head] = await query<Head>(tx, {
    name: 'portal.chain',
    text: `insert into portal.client_chains as it (workspace_id, last_sequence, hash) values ($1, 0, '')
           on conflict (workspace_id) do update set last_sequence = it.last_sequence
           returning last_sequence::int as sequence, hash, greatest(portal.now() + (clock_timestamp() - pg_catalog.now()), at) as now`,
    values: [workspace],
  })
  return head!
}

/** The link that comes next, and its hash. */
function nextLink({ sequence, hash: previous }: Head, it: Pick<Link, 'workspace' | 'id' | 'at' | 'digest'>) {
  const link: Link = { ...it, link: sequence + 1, previous }
  return { link, hash: sha256(canonical(link)) }
}

export interface Stored {
  workspace_id: string
  id: string
  sequence: number
  at: Date
  act: Evidence['act']
  section: string
  document_id: string
  version: number
  number: string
  client_id: string
  person_id: string | null
  signer: string
  /** Null where it was erased; its digest stays. */
  evidence: string | null
  salt: string | null
  digest: string
  previous: string
  hash: string
  head_key: string
  head_signature: string
  certificate: string
  document: Buffer | null
  state: 'saved' | 'submitting' | 'confirmed' | 'refused' | 'superseded'
  attempts: number
  settled_at: Date | null
  failure_reason: string | null
  sealed: Buffer | null
  sealed_hash: string | null
  /** Sealed by a release in which a seal was no link of the chain. */
  sealed_outside_chain: boolean
  /** The link of its seal, where there is one. */
  seal: StoredSeal | null
}

/** A row of `client_seals`, as PostgreSQL writes it in JSON. */
interface StoredSeal {
  workspace_id: string
  id: string
  sequence: number
  at: string
  signature_id: string
  client_id: string
  sha256: string
  digest: string
  previous: string
  hash: string
  head_signature: string
  certificate: string
}

export const columns = `s.workspace_id, s.id, s.sequence::int, s.at, s.act, s.section, s.document_id, s.version, s.number,
  s.client_id, s.person_id, s.signer, s.evidence, s.salt, s.digest, s.previous, s.hash, s.head_key,
  s.head_signature, k.certificate, s.document,
  s.state, s.attempts, s.settled_at, s.failure_reason, s.sealed, s.sealed_hash, s.sealed_outside_chain,
  (select to_jsonb(l) || jsonb_build_object('certificate', lk.certificate) from portal.client_seals l
   join portal.client_keys lk on lk.workspace_id = l.workspace_id and lk.id = l.head_key
   where l.workspace_id = s.workspace_id and l.signature_id = s.id) as seal`
export const tables = `portal.client_signatures s
  join portal.client_keys k on k.workspace_id = s.workspace_id and k.id = s.head_key`

/** The bundle of a link; undefined if its evidence was erased. */
export function bundleOf(it: Stored): Bundle | undefined {
  if (it.evidence === null || it.salt === null) return undefined
  return {
    format: 'portico-evidence-bundle/1',
    evidence: it.evidence,
    salt: it.salt,
    link: linkOf(it),
    hash: it.hash,
    headSignature: it.head_signature,
    certificate: it.certificate,
    state: it.state,
    document: it.document?.toString('base64') ?? null,
    sealed: it.sealed?.toString('base64') ?? null,
    seal: it.seal && sealLinkOf(it.seal),
  }
}

function sealLinkOf(it: StoredSeal): SealLink {
  const { id, workspace_id: workspace, signature_id: evidence } = it
  const link = linkOf(it)
  return {
    sealing: { format: 'portico-seal/1', id, at: link.at, workspace, evidence, sha256: it.sha256 },
    link,
    hash: it.hash,
    headSignature: it.head_signature,
    certificate: it.certificate,
  }
}

type Linked = Pick<Stored, 'workspace_id' | 'sequence' | 'id' | 'digest' | 'previous'> & { at: Date | string }

const linkOf = ({ workspace_id, sequence, id, at, digest, previous }: Linked): Link => ({
  workspace: workspace_id,
  link: sequence,
  id,
  at: new Date(at).toISOString(),
  digest,
  previous,
})

/**
 * Verifies the chain of a workspace, all of it or the last links. Returns the faults; an empty list if nothing was
 * altered. Links that are added meanwhile are not included.
 */
export async function faults(database: Knex, workspace: string, most = Number.MAX_SAFE_INTEGER): Promise<string[]> {
  const found: string[] = []
  const end = await endOf(database, workspace)
  let before = await linkBefore(database, workspace, end.sequence, most)
  for (;;) {
    const { links, last } = await linksAfter(database, workspace, before.sequence, end.sequence)
    for (const it of links) {
      const broken = it.sequence === before.sequence + 1 && it.previous === before.hash ? [] : [chainBroken]
      found.push(
        ...[...broken, ...('act' in it ? faultsOf(it) : faultsOfSeal(it))].map(one => `No. ${it.sequence}: ${one}`),
      )
      before = it
    }
    if (last) break
  }
  if (end.beyond || end.sequence !== before.sequence || end.hash !== before.hash)
    found.push('the chain does not end where it should')
  return found
}

/** Where the chain says that it ends, and whether there are links beyond that, at one moment. */
async function endOf(database: Knex, workspace: string) {
  const [end] = await readWithin<{ sequence: number; hash: string; beyond: boolean }>(
    database,
    { workspace },
    {
      text: `select coalesce(c.last_sequence, 0)::int as sequence, coalesce(c.hash, '') as hash,
               exists (select from portal.client_signatures s
                       where s.workspace_id = scope.workspace and s.sequence > coalesce(c.last_sequence, 0))
               or exists (select from portal.client_seals l
                          where l.workspace_id = scope.workspace and l.sequence > coalesce(c.last_sequence, 0)) as beyond
             from (select) it left join portal.client_chains c on c.workspace_id = scope.workspace`,
    },
  )
  return end!
}

const chainBroken = 'the link before it is another, or is missing'

/** Signatures and seals in the order of the chain, some at a time; `last` where there are no more up to the end. */
async function linksAfter(database: Knex, workspace: string, after: number, end: number) {
  const signatures = await readWithin<Stored>(
    database,
    { workspace },
    {
      text: `select ${columns} from ${tables}
             where s.workspace_id = scope.workspace and s.sequence > $3 and s.sequence <= $4 order by s.sequence limit 50`,
      values: [after, end],
    },
  )
  const last = signatures.length < 50
  const until = last ? end : signatures[49]!.sequence
  const seals = await readWithin<SealRow>(
    database,
    { workspace },
    {
      text: `select l.workspace_id, l.sequence::int, l.id, l.at, l.digest, l.previous, l.hash,
               s.id is null as orphaned from portal.client_seals l
             left join portal.client_signatures s on s.workspace_id = l.workspace_id and s.id = l.signature_id
             where l.workspace_id = scope.workspace and l.sequence > $3 and l.sequence <= $4`,
      values: [after, until],
    },
  )
  const links = [...signatures, ...seals].sort((a, b) => a.sequence - b.sequence)
  return { links, last }
}

interface SealRow extends Linked {
  hash: string
  at: Date
  /** Whether what it seals is not there. */
  orphaned: boolean
}

/** The link before the last `most` links; the beginning, if there are fewer. */
async function linkBefore(database: Knex, workspace: string, end: number, most: number) {
  const [row] = await readWithin<{ sequence: number; hash: string }>(
    database,
    { workspace },
    {
      text: `select * from (
               select s.sequence::int, s.hash from portal.client_signatures s
               where s.workspace_id = scope.workspace and s.sequence <= $4
               union all select l.sequence::int, l.hash from portal.client_seals l
               where l.workspace_id = scope.workspace and l.sequence <= $4
               order by sequence desc offset $3 limit 1) it`,
      values: [most, end],
    },
  )
  return row ?? { sequence: 0, hash: '' }
}

/** Of one answer, apart from where it is in the chain. */
function faultsOf(it: Stored): string[] {
  const bundle = bundleOf(it)
  if (!bundle) return sha256(canonical(linkOf(it))) === it.hash ? [] : ['the link of the chain is whole: no']
  const checked = check(bundleIn(JSON.stringify(bundle)))
    .filter(one => !one.good)
    .map(one => `${one.what}: no`)
  return [...checked, ...(tells(it) ? [] : ['what is listed is not what the evidence says']), ...faultsOfSealing(it)]
}

/** Whether an answer, its sealed PDF and the link of that belong together. */
function faultsOfSealing({
  sealed,
  sealed_hash: hash,
  sealed_outside_chain: older,
  seal,
  client_id,
}: Stored): string[] {
  const found = sealed && sha256(sealed) !== hash ? ['the sealed paper is another'] : []
  if (seal && (seal.sha256 !== hash || seal.client_id !== client_id)) found.push('the seal is of another paper')
  if (hash === null ? seal : !sealed) found.push('the sealed paper is missing')
  if (hash !== null && !seal && !older) found.push('the seal has no link in the chain')
  return found
}

/** The rest of a seal is looked at with the answer that it belongs to. */
const faultsOfSeal = (it: SealRow): string[] => [
  ...(sha256(canonical(linkOf(it))) === it.hash ? [] : ['the link of the seal is whole: no']),
  ...(it.orphaned ? ['what it seals is missing'] : []),
]

/** The columns that lists are made of say what the evidence says. */
function tells(it: Stored): boolean {
  const { document, signer, act }: Evidence = JSON.parse(it.evidence!)
  const listed = [it.act, it.section, it.document_id, it.version, it.number, it.client_id, it.person_id, it.signer]
  const said = [
    ...[act, document.section, document.id, document.version, document.number, signer.client.id],
    ...[signer.role === null ? null : signer.id, signer.name],
  ]
  return JSON.stringify(listed) === JSON.stringify(said)
}
