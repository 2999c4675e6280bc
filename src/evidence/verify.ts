import { type RequestHandler, Router } from 'express'
import type { Knex } from 'knex'
import { Invalid } from '../http/errors.ts'
import { withFile } from '../http/forms.ts'
import { showAgainOnError } from '../http/respond.ts'
import { anybody } from '../http/rules.ts'
import { readWithin } from '../platform/database.ts'
import { sha256 } from './canonical.ts'
import { bundleOf, columns, type Stored, tables } from './chain.ts'
import { check } from './check.ts'
import type { Evidence } from './evidence.ts'
import { type Certified, certificatesOf } from './keys.ts'
import { fingerprint, type Seal, sealOf } from './seal.ts'

type Verdict =
  /** To the byte what was sealed here: by its seal, its key and the evidence that the seal names. */
  | {
      kind: 'ours'
      evidence: Evidence
      link: { number: number; hash: string }
      /** Number of the seal's own link; null where it was sealed before seals were links. */
      seal: number | null
      sound: boolean
    }
  /** Sealed here, but its evidence was erased. */
  | { kind: 'sealed' }
  /** Unbroken, by a key that stands with the workspace's, and that no secret of the portal's opens. */
  | { kind: 'unproven'; fingerprint: string }
  /** Sealed here, and changed since. */
  | { kind: 'altered' }
  /** Of nothing that is known here. */
  | { kind: 'unknown' }

/** Verifies a signed PDF for anybody who has one. The file is not stored. */
export function verify(database: Knex, secrets: string[]): Router {
  const router = Router()
  const show =
    (verdict?: Verdict): RequestHandler<any> =>
    (req, res) => {
      req.portal.frame = 'bare'
      res.respond('verify', { verdict })
    }

  router.get('/verify', anybody, show())

  router.post(
    '/verify',
    anybody,
    withFile('file'),
    async (req, res, next) => {
      const { file } = Object(req.portal.body)
      const bytes = file instanceof File ? Buffer.from(await file.arrayBuffer()) : Buffer.alloc(0)
      if (!bytes.subarray(0, 1024).includes('%PDF-')) throw new Invalid({ file: ['Choose the PDF to verify.'] }, {})
      const { id } = req.portal.workspace
      show(await verdictOn(database, { workspace: id, keys: await certificatesOf(database, id, secrets) }, bytes))(
        req,
        res,
        next,
      )
    },
    showAgainOnError(show()),
  )

  return router
}

interface Own {
  workspace: string
  keys: Certified[]
}

/** What is stored beside a file proves nothing of it: its seal does, by a key that is ours. */
async function verdictOn(database: Knex, { workspace, keys }: Own, pdf: Buffer): Promise<Verdict> {
  const seal = await sealOf(pdf)
  const key = seal && keys.find(it => fingerprint(it.certificate) === seal.by)
  if (!seal || !key) return { kind: 'unknown' }
  if (!seal.intact || !seal.whole) return { kind: 'altered' }
  if (!key.proven) return { kind: 'unproven', fingerprint: seal.by }
  const [row] = await readWithin<Stored>(
    database,
    { workspace },
    {
      text: `select ${columns} from ${tables} where s.workspace_id = scope.workspace and s.sealed_hash = $3 and s.sealed is not null`,
      values: [sha256(pdf)],
    },
  )
  const bundle = row && belongs(row, seal, keys) ? bundleOf(row) : undefined
  if (!bundle || !row) return { kind: 'sealed' }
  return {
    kind: 'ours',
    evidence: JSON.parse(bundle.evidence),
    link: { number: row.sequence, hash: row.hash },
    seal: row.seal?.sequence ?? null,
    sound: check(bundle).every(it => it.good),
  }
}

/** Whether the seal names this answer: by its evidence, or as releases did that had no link for it. */
function belongs({ id, at, act, number, seal: link, ...row }: Stored, seal: Seal, keys: Certified[]): boolean {
  const own = (certificate: string) => keys.some(it => it.proven && it.certificate === certificate)
  if (!own(row.certificate)) return false
  if (link) return seal.evidence === id && own(link.certificate)
  return row.sealed_outside_chain && seal.evidence === undefined && seal.says(`${act} ${number}`, at)
}
