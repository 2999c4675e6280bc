import { randomBytes } from 'node:crypto'
import type { Knex } from 'knex'
import { v7 as uuid } from 'uuid'
import { query, readWithin } from '../database.ts'
import { canonical, sha256 } from './canonical.ts'
import { bundleIn, check } from './check.ts'
import type { Bundle, Evidence, Link, Sealing, SealLink } from './evidence.ts'
import { type Key, signed } from './keys.ts'

/** A row of `client_signatures` as it is first written. */
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
    text: `with head as (update portal.client_chains set links = $2, hash = $3, at = $5 where workspace_id = $1)
           insert into portal.client_signatures (workspace_id, link, hash, id, at, act, section, document_id, version, number,
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

/** Keeps a sealed PDF with a link of its own; says whether it did, or somebody else had sealed the same answer already. */
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
    text: `with head as (update portal.client_chains set links = $2, hash = $3, at = $5 where workspace_id = $1)
           insert into portal.client_seals (workspace_id, link, hash, id, at, signature_id, client_id, sha256, digest, previous,
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
  links: number
  hash: string
  /** When it was this transaction's turn: no link is older than the one before it. */
  now: Date
}

/** Where the workspace's chain ends. Nobody else adds to it until this transaction ends. */
async function lockChain(tx: Knex, workspace: string): Promise<Head> {
  const [head] = await query<Head>(tx, {
    name: 'portal.chain',
    text: `insert into portal.client_chains as it (workspace_id, links, hash) values ($1, 0, '')
           on conflict (workspace_id) do update set links = it.links
           returning links::int, hash, greatest(portal.now() + (clock_timestamp() - pg_catalog.now()), at) as now`,
    values: [workspace],
  })
  return head!
}

/** The link that comes next, and its hash. */
function nextLink({ links, hash: previous }: Head, it: Pick<Link, 'workspace' | 'id' | 'at' | 'digest'>) {
  const link: Link = { ...it, link: links + 1, previous }
  return { link, hash: sha256(canonical(link)) }
}

export interface Stored {
  workspace_id: string
  id: string
  link: number
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
  state: 'saved' | 'passing' | 'confirmed' | 'refused' | 'superseded'
  tries: number
  settled_at: Date | null
  why: string | null
  sealed: Buffer | null
  sealed_hash: string | null
  /** Sealed by a release in which a seal was no link of the chain. */
  sealed_before_links: boolean
  /** The link of its seal, where there is one. */
  seal: StoredSeal | null
}

/** A row of `client_seals`, as PostgreSQL writes it in JSON. */
interface StoredSeal {
  workspace_id: string
  id: string
  link: number
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

export const columns = `s.workspace_id, s.id, s.link::int, s.at, s.act, s.section, s.document_id, s.version, s.number,
  s.client_id, s.person_id, s.signer, s.evidence, s.salt, s.digest, s.previous, s.hash, s.head_key,
  s.head_signature, k.certificate, s.document,
  s.state, s.tries, s.settled_at, s.why, s.sealed, s.sealed_hash, s.sealed_before_links,
  (select to_jsonb(l) || jsonb_build_object('certificate', lk.certificate) from portal.client_seals l
   join portal.client_keys lk on lk.workspace_id = l.workspace_id and lk.id = l.head_key
   where l.workspace_id = s.workspace_id and l.signature_id = s.id) as seal`
export const tables = `portal.client_signatures s
  join portal.client_keys k on k.workspace_id = s.workspace_id and k.id = s.head_key`

/** For who keeps it; undefined where the evidence was erased. */
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

type Linked = Pick<Stored, 'workspace_id' | 'link' | 'id' | 'digest' | 'previous'> & { at: Date | string }

const linkOf = ({ workspace_id, link, id, at, digest, previous }: Linked): Link => ({
  workspace: workspace_id,
  link,
  id,
  at: new Date(at).toISOString(),
  digest,
  previous,
})

/**
 * What is wrong with the workspace's signatures, of all or the last ones: nothing, where nobody has altered any. Links
 * that are added meanwhile are left to the next time: the chain is read up to where it ended at the beginning.
 */
export async function faults(database: Knex, workspace: string, most = Number.MAX_SAFE_INTEGER): Promise<string[]> {
  const found: string[] = []
  const end = await endOf(database, workspace)
  let before = await linkBefore(database, workspace, end.link, most)
  for (;;) {
    const { links, last } = await linksAfter(database, workspace, before.link, end.link)
    for (const it of links) {
      const broken = it.link === before.link + 1 && it.previous === before.hash ? [] : [broke]
      found.push(
        ...[...broken, ...('act' in it ? faultsOf(it) : faultsOfSeal(it))].map(one => `No. ${it.link}: ${one}`),
      )
      before = it
    }
    if (last) break
  }
  if (end.beyond || end.link !== before.link || end.hash !== before.hash)
    found.push('the chain does not end where it should')
  return found
}

/** Where the chain says that it ends, and whether there are links beyond that, at one moment. */
async function endOf(database: Knex, workspace: string) {
  const [end] = await readWithin<{ link: number; hash: string; beyond: boolean }>(
    database,
    { workspace },
    {
      text: `select coalesce(c.links, 0)::int as link, coalesce(c.hash, '') as hash,
               exists (select from portal.client_signatures s
                       where s.workspace_id = scope.workspace and s.link > coalesce(c.links, 0))
               or exists (select from portal.client_seals l
                          where l.workspace_id = scope.workspace and l.link > coalesce(c.links, 0)) as beyond
             from (select) it left join portal.client_chains c on c.workspace_id = scope.workspace`,
    },
  )
  return end!
}

const broke = 'the link before it is another, or is missing'

/** Signatures and seals in the order of the chain, some at a time; `last` where there are no more up to the end. */
async function linksAfter(database: Knex, workspace: string, after: number, end: number) {
  const signatures = await readWithin<Stored>(
    database,
    { workspace },
    {
      text: `select ${columns} from ${tables}
             where s.workspace_id = scope.workspace and s.link > $3 and s.link <= $4 order by s.link limit 50`,
      values: [after, end],
    },
  )
  const last = signatures.length < 50
  const until = last ? end : signatures[49]!.link
  const seals = await readWithin<SealRow>(
    database,
    { workspace },
    {
      text: `select l.workspace_id, l.link::int, l.id, l.at, l.digest, l.previous, l.hash,
               s.id is null as orphaned from portal.client_seals l
             left join portal.client_signatures s on s.workspace_id = l.workspace_id and s.id = l.signature_id
             where l.workspace_id = scope.workspace and l.link > $3 and l.link <= $4`,
      values: [after, until],
    },
  )
  const links = [...signatures, ...seals].sort((a, b) => a.link - b.link)
  return { links, last }
}

interface SealRow extends Linked {
  hash: string
  at: Date
  /** Whether what it seals is not there. */
  orphaned: boolean
}

/** Where the last ones before the end go on from; the beginning, if there are no more. */
async function linkBefore(database: Knex, workspace: string, end: number, most: number) {
  const [row] = await readWithin<{ link: number; hash: string }>(
    database,
    { workspace },
    {
      text: `select * from (
               select s.link::int, s.hash from portal.client_signatures s
               where s.workspace_id = scope.workspace and s.link <= $4
               union all select l.link::int, l.hash from portal.client_seals l
               where l.workspace_id = scope.workspace and l.link <= $4
               order by link desc offset $3 limit 1) it`,
      values: [most, end],
    },
  )
  return row ?? { link: 0, hash: '' }
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
function faultsOfSealing({ sealed, sealed_hash: hash, sealed_before_links: older, seal, client_id }: Stored): string[] {
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
