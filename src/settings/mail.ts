import type { RequestHandler } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { readWithin } from '../platform/database.ts'

/** Lists sent, waiting and failed mails, without their text, which is deleted once they are sent. */
export const showMail =
  (database: Knex, mails: boolean): RequestHandler =>
  async (req, res) => {
    const { show } = z.object({ show: z.enum(['all', 'waiting', 'failed']).catch('all') }).parse(req.query)
    const rows = await readWithin<{ state: string }>(
      database,
      { workspace: req.portal.workspace.id },
      {
        name: 'portal.mail',
        text: `select o.recipient, o.subject, o.created_at as at, o.sent_at as sent, o.error, o.attempts,
                 case when o.sent_at is not null then 'sent' when o.failed_at is not null then 'failed' else 'waiting' end as state
               from portal.client_outbox o
               where o.workspace_id = scope.workspace and o.recipient <> ''
                 and ($3 = 'all' or ($3 = 'failed' and o.failed_at is not null)
                      or ($3 = 'waiting' and o.sent_at is null and o.failed_at is null))
               order by o.created_at desc, o.id limit 100`,
        values: [show],
      },
    )
    res.respond('settings/mail', { rows, show, mails })
  }
