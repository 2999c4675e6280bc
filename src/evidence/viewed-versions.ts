import type { Request } from 'express'
import type { Knex } from 'knex'
import { query, readWithin } from '../platform/database.ts'
import { canonical, sha256 } from './canonical.ts'

declare global {
  namespace Portico {
    interface RequestContext {
      viewedVersions: ViewedVersions
    }
  }
}

/** One wording of a document, when this client looked at it first. */
export interface ViewedVersion {
  sha256: string
  version: number
  at: string
}

interface Shown {
  section: string
  id: string
  version: number
  content: object
}

export type ViewedVersions = (
  req: Request<any>,
  shown: Shown,
  seen: ViewedVersion[],
) => Promise<(ViewedVersion & { content: unknown }) | undefined>

/**
 * Stores what a client is shown, once for each wording of a document. Returns the wording that was viewed before this
 * one, if any. `seen` is what is stored already, the newest first.
 */
export const viewedVersions =
  (database: Knex): ViewedVersions =>
  async (req, { section, id, version, content }, seen) => {
    const { workspace, customer } = req.portal
    const scope = { workspace: workspace.id, client: customer.client.id }
    const text = canonical(content)
    const fingerprint = sha256(text)
    if (!seen.some(it => it.sha256 === fingerprint))
      await query(database, {
        name: 'portal.keep',
        text: `with scope as materialized (
                 select set_config('portal.workspace_id', $1, true) as workspace, set_config('portal.client_id', $2, true) as client
               )
               insert into portal.client_viewed_versions (workspace_id, client_id, section, document_id, sha256, version, content)
               select scope.workspace, scope.client, $3, $4, $5, $6, $7 from scope on conflict do nothing`,
        values: [scope.workspace, scope.client, section, id, fingerprint, version, text],
      })
    const before = seen.find(it => it.sha256 !== fingerprint)
    if (!before) return undefined
    const [row] = await readWithin(database, scope, {
      name: 'portal.earlier',
      text: `select v.content from portal.client_viewed_versions v
             where v.workspace_id = scope.workspace and v.client_id = scope.client and v.section = $3 and v.document_id = $4
               and v.sha256 = $5`,
      values: [section, id, before.sha256],
    })
    return row && { ...before, content: row.content }
  }
