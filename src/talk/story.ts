import type { Request } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { readWithin } from '../database.ts'
import type { Seen } from './earlier.ts'

declare global {
  namespace Portico {
    interface RequestContext {
      story: StoryOf
    }
  }
}

/** What a client and the company have said about a document, in their order. */
export const Comment = z.object({
  id: z.uuid(),
  at: z.iso.datetime({ offset: true }),
  /** Title of the line that it is about. */
  line: z.string().nullable(),
  by: z.enum(['client', 'staff']),
  name: z.string(),
  text: z.string(),
})
export type Comment = z.infer<typeof Comment>

/** An answer to it, without its evidence. */
export interface Answered {
  id: string
  act: 'accepted' | 'declined'
  version: number
  state: 'saved' | 'passing' | 'confirmed' | 'refused' | 'superseded'
  person: string | null
  signer: string
  /** Whether its evidence is still kept. */
  kept: boolean
}

interface Story {
  /** The newest first. */
  answers: Answered[]
  comments: Comment[]
  /** Its wordings that this client has looked at while it was open, the newest first. */
  seen: Seen[]
  /** By whom of the company, where somebody has. */
  countersigned: { signer: string; at: string; version: number } | null
  /** The last acceptance that is in the CRM, with its evidence as it is kept. */
  signed?: { id: string; evidence: string } | null
}

export type StoryOf = (req: Request<any>, section: string, document: string) => Promise<Story>

/** All that the portal itself knows of a document of this client, in one round trip. */
export const stories =
  (database: Knex): StoryOf =>
  async (req, section, document) => {
    const { workspace, customer } = req.portal
    const [row] = await readWithin<Story>(
      database,
      { workspace: workspace.id, client: customer.client.id },
      {
        name: 'portal.story',
        text: `select
                 (select coalesce(jsonb_agg(jsonb_build_object('id', s.id, 'act', s.act, 'version', s.version, 'state', s.state,
                    'person', s.person_id, 'signer', s.signer, 'kept', s.evidence is not null) order by s.link desc), '[]')
                  from portal.client_signatures s
                  where s.workspace_id = scope.workspace and s.client_id = scope.client and s.section = $3
                    and s.document_id = $4 and s.act <> 'countersigned') as answers,
                 (select jsonb_build_object('signer', s.signer, 'at', s.at, 'version', s.version) from portal.client_signatures s
                  where s.workspace_id = scope.workspace and s.client_id = scope.client and s.section = $3
                    and s.document_id = $4 and s.act = 'countersigned' order by s.link desc limit 1) as countersigned,
                 (select jsonb_build_object('id', s.id, 'evidence', s.evidence) from portal.client_signatures s
                  where s.workspace_id = scope.workspace and s.client_id = scope.client and s.section = $3
                    and s.document_id = $4 and s.act = 'accepted' and s.state = 'confirmed' and s.evidence is not null
                  order by s.link desc limit 1) as signed,
                 (select coalesce(jsonb_agg(jsonb_build_object('id', c.id, 'at', c.at, 'line', c.line_title, 'by', c.author_kind,
                    'name', c.author_name, 'text', c.text) order by c.id), '[]')
                  from (select * from portal.client_comments c
                        where c.workspace_id = scope.workspace and c.client_id = scope.client and c.section = $3
                          and c.document_id = $4 order by c.id desc limit 200) c) as comments,
                 (select coalesce(jsonb_agg(jsonb_build_object('sha256', v.sha256, 'version', v.version, 'at', v.at) order by v.at desc), '[]')
                  from (select * from portal.client_versions v
                        where v.workspace_id = scope.workspace and v.client_id = scope.client and v.section = $3
                          and v.document_id = $4 order by v.at desc limit 20) v) as seen`,
        values: [section, document],
      },
    )
    return row ?? { answers: [], comments: [], seen: [], countersigned: null }
  }
