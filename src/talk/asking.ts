import type { Request } from 'express'
import { act } from '../act.ts'
import { documentAt, type Ways, write } from '../auth/way.ts'
import { query } from '../database.ts'
import { Conflict } from '../errors.ts'
import { above, type Money } from '../money.ts'
import { limitSql, moneyIn } from '../offer/limit.ts'

interface Asked {
  section: string
  id: string
  number: string
  title: string
  total: Money
  /** What was chosen of it, for its address. */
  choice: URLSearchParams
}

/** Nobody is asked twice within a day, whoever of a client asks. */
class AskedAlready extends Conflict {
  code = 'asked-already'
  message = 'An approver was asked already, less than a day ago.'
  advice = 'They have it on their first page.'

  constructor(mailed: boolean) {
    super()
    if (mailed) this.advice = 'They have it in their mail and on their first page.'
  }
}

class NobodyMay extends Conflict {
  code = 'nobody-may'
  message = 'Nobody of your company may accept this here.'
  advice = 'An admin of your company can make somebody an approver, or raise a limit.'
}

/** Mails those of the same client who may accept this much. Throws AskedAlready, and NobodyMay. */
export async function askApprovers(req: Request<any>, ways: Ways | undefined, it: Asked): Promise<void> {
  const { workspace, customer, rights } = req.portal
  const readers = await req.portal.readers(
    { workspace, client: customer.client.id, rights },
    { section: it.section, may: ['see', 'answer'], on: ['answers'] },
  )
  return act(
    req,
    async ({ tx }) => {
      // Two at once wait for each other.
      await query(tx, {
        text: `select pg_advisory_xact_lock(hashtextextended($1, 0))`,
        values: [`ask ${workspace.id} ${it.section} ${it.id}`],
      })
      const [before] = await query(tx, {
        text: `select 1 from portal.client_activity_logs l
               where l.workspace_id = $1 and l.client_id = $2 and l.subject_id = $3 and l.event = $4
                 and l.at > portal.now() - interval '1 day' limit 1`,
        values: [workspace.id, customer.client.id, it.id, `${it.section}.asked`],
      })
      if (before) throw new AskedAlready(ways !== undefined)
      const limits = await query<{ id: string; limit: string | null }>(tx, {
        text: `select m.person_id as id, ${limitSql} as limit from portal.client_memberships m
               where m.workspace_id = $1 and m.client_id = $2 and m.person_id = any($3)`,
        values: [workspace.id, customer.client.id, readers.map(({ id }) => id)],
      })
      const enough = limits.filter(({ limit }) => !limit || !above(it.total, moneyIn(limit)!))
      const people = readers.filter(({ id }) => enough.some(one => one.id === id)).slice(0, 20)
      if (!people.length) throw new NobodyMay()
      for (const person of ways ? people : [])
        await write(
          ways!,
          req,
          tx,
          'approval-asked',
          { ...person, person: person.id },
          {
            facts: { name: customer.person.name, number: it.number, what: it.title },
            url: [
              documentAt(ways!, workspace.slug, { ...it, client: customer.client.id }),
              ...(it.choice.size ? [it.choice] : []),
            ].join('&'),
          },
        )
    },
    () => ({ event: `${it.section}.asked`, subject: { id: it.id, number: it.number } }),
  ).finally(() => ways?.outbox.wake())
}
