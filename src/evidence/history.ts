import type { Request } from 'express'
import type { Knex } from 'knex'
import { readWithin } from '../platform/database.ts'
import type { Section } from '../plugin/plugin.ts'
import type { ViewedVersion } from './viewed-versions.ts'

declare global {
  namespace Portico {
    interface RequestContext {
      documentHistory: FindDocumentHistory
    }
  }
}

/** An answer to it, without its evidence. */
export interface PastResponse {
  id: string
  act: 'accepted' | 'declined'
  version: number
  state: 'saved' | 'submitting' | 'confirmed' | 'refused' | 'superseded'
  person: string | null
  signer: string
  /** Whether its evidence is still kept. */
  kept: boolean
}

interface DocumentHistory {
  /** The newest first. */
  responses: PastResponse[]
  /** What plugins keep of it, by their names. */
  attached: Record<string, unknown>
  /** Its wordings that this client has looked at while it was open, the newest first. */
  seen: ViewedVersion[]
  /** Who countersigned for the workspace, if anybody has. */
  countersigned: { signer: string; at: string; version: number } | null
  /** The last acceptance that the CRM has confirmed, with its evidence. */
  signed?: { id: string; evidence: string } | null
}

export type FindDocumentHistory = (req: Request<any>, section: string, document: string) => Promise<DocumentHistory>

/** All that the portal itself knows of a document of this client, with what plugins attach to it, in one round trip. */
export function documentHistories({ database, plugins }: { database: Knex; plugins: Section[] }): FindDocumentHistory {
  const attached = plugins.flatMap(it => (it.attached ? [`'${it.name}', ${it.attached.select}`] : []))
  return async (req, section, document) => {
    const { workspace, customer } = req.portal
    const [row] = await readWithin<DocumentHistory>(
      database,
      { workspace: workspace.id, client: customer.client.id },
      {
        name: 'portal.story',
        text: `select
                 (select coalesce(jsonb_agg(jsonb_build_object('id', s.id, 'act', s.act, 'version', s.version, 'state', s.state,
                    'person', s.person_id, 'signer', s.signer, 'kept', s.evidence is not null) order by s.sequence desc), '[]')
                  from portal.client_signatures s
                  where s.workspace_id = scope.workspace and s.client_id = scope.client and s.section = $3
                    and s.document_id = $4 and s.act <> 'countersigned') as responses,
                 (select jsonb_build_object('signer', s.signer, 'at', s.at, 'version', s.version) from portal.client_signatures s
                  where s.workspace_id = scope.workspace and s.client_id = scope.client and s.section = $3
                    and s.document_id = $4 and s.act = 'countersigned' order by s.sequence desc limit 1) as countersigned,
                 (select jsonb_build_object('id', s.id, 'evidence', s.evidence) from portal.client_signatures s
                  where s.workspace_id = scope.workspace and s.client_id = scope.client and s.section = $3
                    and s.document_id = $4 and s.act = 'accepted' and s.state = 'confirmed' and s.evidence is not null
                  order by s.sequence desc limit 1) as signed,
                 (select coalesce(jsonb_agg(jsonb_build_object('sha256', v.sha256, 'version', v.version, 'at', v.at) order by v.at desc), '[]')
                  from (select * from portal.client_viewed_versions v
                        where v.workspace_id = scope.workspace and v.client_id = scope.client and v.section = $3
                          and v.document_id = $4 order by v.at desc limit 20) v) as seen,
                 jsonb_build_object(${attached.join(', ')}) as attached`,
        values: [section, document],
      },
    )
    return row ?? { responses: [], attached: {}, seen: [], countersigned: null }
  }
}
