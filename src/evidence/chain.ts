import { randomBytes } from 'node:crypto'
import type { Knex } from 'knex'
import { query, readWithin } from '../database.ts'
import { canonical, sha256 } from './canonical.ts'
import { bundleIn, check } from './check.ts'
import type { Bundle, Evidence, Link } from './evidence.ts'
import { type Key, signed } from './keys.ts'

/** A row of `client_signatures` as it is first written. */
export interface Entry {
  evidence: Evidence
  document: Buffer | null
  /** Where the CRM has taken it in the same transaction, or needs not know. */
  settled: boolean
}

/** Writes the next link of the workspace's chain; others wait for it until this transaction ends. */
export async function append(tx: Knex, { evidence, document, settled }: Entry, key: Key): Promise<void> {
  const { id, at, workspace, act, signer } = evidence
  const { section, id: documentId, version, number } = evidence.document
  const [{ links, hash: previous }] = await query(tx, {
    name: 'portal.chain',
    text: `insert into portal.client_chains as it (workspace_id, links, hash) values ($1, 0, '')
           on conflict (workspace_id) do update set links = it.links returning links::int, hash`,
    values: [workspace.id],
  })
  const text = canonical(evidence)
  const salt = randomBytes(16)
  const link: Link = { workspace: workspace.id, link: links + 1, id, at, digest: sha256(salt, text), previous }
  const hash = sha256(canonical(link))
  await query(tx, {
    name: 'portal.sign',
    text: `with head as (update portal.client_chains set links = $2, hash = $3 where workspace_id = $1)
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
      ...[previous, key.id, signed(hash, key), document, settled ? 'confirmed' : 'saved'],
    ],
  })
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
  head_signature: string
  certificate: string
  document: Buffer | null
  state: 'saved' | 'passing' | 'confirmed' | 'refused' | 'superseded'
  tries: number
  settled_at: Date | null
  why: string | null
  sealed: Buffer | null
  sealed_hash: string | null
}

export const columns = `s.workspace_id, s.id, s.link::int, s.at, s.act, s.section, s.document_id, s.version, s.number,
  s.client_id, s.person_id, s.signer, s.evidence, s.salt, s.digest, s.previous, s.hash, s.head_signature, k.certificate, s.document,
  s.state, s.tries, s.settled_at, s.why, s.sealed, s.sealed_hash`
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
  }
}

const linkOf = ({ workspace_id, link, id, at, digest, previous }: Stored): Link => ({
  workspace: workspace_id,
  link,
  id,
  at: at.toISOString(),
  digest,
  previous,
})

/** What is wrong with the workspace's signatures, of all or the last ones: nothing, where nobody has altered any. */
export async function faults(database: Knex, workspace: string, most = Number.MAX_SAFE_INTEGER): Promise<string[]> {
  const found: string[] = []
  let before = await linkBefore(database, workspace, most)
  for (;;) {
    const rows = await readWithin<Stored>(
      database,
      { workspace },
      {
        text: `select ${columns} from ${tables} where s.workspace_id = scope.workspace and s.link > $3 order by s.link limit 50`,
        values: [before.link],
      },
    )
    for (const row of rows) {
      found.push(...faultsOf(row, before).map(it => `No. ${row.link}: ${it}`))
      before = row
    }
    if (rows.length < 50) break
  }
  const [head] = await readWithin(
    database,
    { workspace },
    {
      text: 'select links::int, hash from portal.client_chains c where c.workspace_id = scope.workspace',
    },
  )
  if ((head?.links ?? 0) !== before.link || (head?.hash ?? '') !== before.hash)
    found.push('the chain does not end where it should')
  return found
}

/** Where the last ones go on from; the beginning, if there are no more. */
async function linkBefore(database: Knex, workspace: string, most: number): Promise<{ link: number; hash: string }> {
  const [row] = await readWithin(
    database,
    { workspace },
    {
      text: `select * from (select s.link::int, s.hash from portal.client_signatures s
             where s.workspace_id = scope.workspace order by s.link desc offset $3 limit 1) it`,
      values: [most],
    },
  )
  return row ?? { link: 0, hash: '' }
}

/** Of one row, whose chain goes on from `before`. */
function faultsOf(it: Stored, before: { link: number; hash: string }): string[] {
  const bundle = bundleOf(it)
  const links =
    it.link === before.link + 1 && it.previous === before.hash ? [] : ['the link before it is another, or is missing']
  if (!bundle)
    return sha256(canonical(linkOf(it))) === it.hash ? links : [...links, 'the link of the chain is whole: no']
  const checked = check(bundleIn(JSON.stringify(bundle)))
    .filter(one => !one.good)
    .map(one => `${one.what}: no`)
  const sealed = it.sealed && sha256(it.sealed) !== it.sealed_hash ? ['the sealed paper is another'] : []
  return [...links, ...checked, ...(tells(it) ? [] : ['what is listed is not what the evidence says']), ...sealed]
}

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
