import type { RequestHandler } from 'express'
import type { Knex } from 'knex'
import type { RequestContext } from '../context.ts'
import { readWithin } from '../database.ts'

declare global {
  namespace Portico {
    interface RequestContext {
      /** What waits, for the menu of the settings. */
      awaiting: { questions: number; answers: number } | undefined
      /** Pages that plugins add to the settings. */
      pluginPages: { name: string; title: string; icon: string }[]
    }
  }
}

/** How many questions wait for staff, and how many answers for the CRM, for the menu: a hundred at most of each. */
export const countWaiting =
  (database: Knex): RequestHandler =>
  async (req, _res, next) => {
    if (!req.portal.workspace.id) return next()
    // A menu without numbers is better than none, as long as the database does not answer.
    const [row] = await readWithin<NonNullable<RequestContext['awaiting']>>(
      database,
      { workspace: req.portal.workspace.id },
      {
        name: 'portal.waiting',
        text: `select
                 (select count(*)::int from (
                    select from portal.client_comments last
                    where last.workspace_id = scope.workspace and last.author_kind = 'client' and not exists (
                      select from portal.client_comments n
                      where n.workspace_id = last.workspace_id and n.client_id = last.client_id and n.section = last.section
                        and n.document_id = last.document_id and n.id > last.id offset 0)
                    limit 100) q) as questions,
                 (select count(*)::int from (
                    select from portal.client_signatures s
                    where s.workspace_id = scope.workspace and s.state in ('saved', 'passing') limit 100) a) as answers`,
      },
    ).catch(() => [])
    req.portal.awaiting = row
    next()
  }
