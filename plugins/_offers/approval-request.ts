import type { Request } from 'express'
import { limitSql, moneyIn } from '../../src/auth/approval-limit.ts'
import { documentAt, type MailContext, sendMail } from '../../src/auth/mail-context.ts'
import { Conflict } from '../../src/http/errors.ts'
import { query } from '../../src/platform/database.ts'
import { above, type Money } from '../../src/platform/money.ts'
import { runAction } from '../../src/plugin/action.ts'

interface Asked {
  section: string
  id: string
  number: string
  title: string
  total: Money
  /** The last plain date that the price holds, if there is one. */
  validUntil: string | null
  /** What was chosen of it, for its address. */
  selection: URLSearchParams
}

/** Approvers of a client are asked at most once a day. */
class AskedAlready extends Conflict {
  code = 'asked-already'
  message = 'An approver was already asked in the last 24 hours.'
  advice = 'It’s on their home page.'

  constructor(mailContext: boolean) {
    super()
    if (mailContext) this.advice = 'It’s in their e-mail and on their home page.'
  }
}

class NobodyMay extends Conflict {
  code = 'nobody-may'
  message = 'Nobody at your company can accept this here.'
  advice = 'An admin at your company can make someone an approver or raise a limit.'
}

/** Mails the people of this client who may accept this amount. Throws AskedAlready or NobodyMay. */
export async function askApprovers(req: Request<any>, mailContext: MailContext | undefined, it: Asked): Promise<void> {
  const { workspace, customer, rights } = req.portal
  const recipients = await req.portal.recipients(
    { workspace, client: customer.client.id, rights },
    { section: it.section, may: ['see', 'respond'], on: ['responses'] },
  )
  return runAction(
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
      if (before) throw new AskedAlready(mailContext !== undefined)
      const limits = await query<{ id: string; limit: string | null }>(tx, {
        text: `select m.person_id as id, ${limitSql} as limit from portal.client_memberships m
               where m.workspace_id = $1 and m.client_id = $2 and m.person_id = any($3)`,
        values: [workspace.id, customer.client.id, recipients.map(({ id }) => id)],
      })
      const enough = limits.filter(({ limit }) => !limit || !above(it.total, moneyIn(limit)!))
      const people = recipients.filter(({ id }) => enough.some(one => one.id === id)).slice(0, 20)
      if (!people.length) throw new NobodyMay()
      for (const person of mailContext ? people : [])
        await sendMail(
          mailContext!,
          req,
          tx,
          'approval-asked',
          { ...person, person: person.id },
          {
            facts: ({ longDay, money }) => ({
              ...{ name: customer.person.name, number: it.number, what: it.title, total: money(it.total) },
              day: it.validUntil ? longDay(it.validUntil) : '',
            }),
            url: [
              documentAt(mailContext!, workspace.slug, { ...it, client: customer.client.id }),
              ...(it.selection.size ? [it.selection] : []),
            ].join('&'),
          },
        )
    },
    () => ({ event: `${it.section}.asked`, subject: { id: it.id, number: it.number } }),
  ).finally(() => mailContext?.outbox.wake())
}
