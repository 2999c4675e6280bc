import { type RequestHandler, Router } from 'express'
import type { Knex } from 'knex'
import { otherwise } from '../answer.ts'
import { readWithin } from '../database.ts'
import { Invalid } from '../errors.ts'
import { withFile } from '../form.ts'
import { anybody } from '../section.ts'
import { sha256 } from './canonical.ts'
import { bundleOf, columns, type Stored, tables } from './chain.ts'
import { check } from './check.ts'
import type { Evidence } from './evidence.ts'
import { fingerprint, sealOf } from './seal.ts'

type Verdict =
  /** To the byte what was sealed here. */
  | { kind: 'ours'; evidence: Evidence; link: { number: number; hash: string }; sound: boolean }
  /** Sealed here, but nothing else of it is kept any more. */
  | { kind: 'sealed' }
  /** Sealed here, and changed since. */
  | { kind: 'altered' }
  /** Of nothing that is known here. */
  | { kind: 'unknown' }

/** For anybody who holds a signed PDF: what it proves. It is looked at and forgotten. */
export function verify(database: Knex): Router {
  const router = Router()
  const show =
    (verdict?: Verdict): RequestHandler<any> =>
    (req, res) => {
      req.portal.frame = 'solo'
      res.answer('verify', { verdict })
    }

  router.get('/verify', anybody, show())

  router.post(
    '/verify',
    anybody,
    withFile('file'),
    async (req, res, next) => {
      const { file } = Object(req.portal.body)
      const bytes = file instanceof File ? Buffer.from(await file.arrayBuffer()) : Buffer.alloc(0)
      if (!bytes.subarray(0, 1024).includes('%PDF-'))
        throw new Invalid({ file: ['Choose the PDF that you want to check.'] }, {})
      show(await verdictOn(database, req.portal.workspace.id, bytes))(req, res, next)
    },
    otherwise(show()),
  )

  return router
}

async function verdictOn(database: Knex, workspace: string, pdf: Buffer): Promise<Verdict> {
  const scope = { workspace }
  const [row] = await readWithin<Stored>(database, scope, {
    text: `select ${columns} from ${tables} where s.workspace_id = scope.workspace and s.sealed_hash = $3`,
    values: [sha256(pdf)],
  })
  const bundle = row && bundleOf(row)
  if (bundle)
    return {
      kind: 'ours',
      evidence: JSON.parse(bundle.evidence),
      link: { number: row.link, hash: row.hash },
      sound: check(bundle).every(it => it.good),
    }
  const seal = await sealOf(pdf)
  if (!seal) return { kind: 'unknown' }
  const keys = await readWithin<{ certificate: string }>(database, scope, {
    text: 'select certificate from portal.client_keys k where k.workspace_id = scope.workspace',
  })
  if (!keys.some(it => fingerprint(it.certificate) === seal.by)) return { kind: 'unknown' }
  return { kind: seal.intact && seal.whole ? 'sealed' : 'altered' }
}
