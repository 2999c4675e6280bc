import type { Request } from 'express'
import { act } from '../act.ts'
import { includes } from '../auth/roles.ts'
import { linkTo, type Ways, write } from '../auth/way.ts'
import { type Role, roles } from '../crm.ts'
import { query } from '../database.ts'
import { Conflict } from '../errors.ts'
import type { Permission } from '../section.ts'

interface Asked {
  section: string
  id: string
  number: string
  title: string
  /** What an approver must be allowed, and its definition. */
  permission: [name: string, it: Permission]
}

/** Nobody is asked twice within a day, whoever of a client asks. */
class AskedAlready extends Conflict {
  code = 'asked-already'
  message = 'An approver was asked already, less than a day ago.'
  advice = 'They have it in their mail and on their first page.'
}

/** Mails those of the same client who may answer; gives how many there are. Throws AskedAlready. */
export async function askApprovers(req: Request<any>, ways: Ways | undefined, it: Asked): Promise<number> {
  const { workspace, customer, rights } = req.portal
  const may = roles.filter(role => includes(rights, role as Role, ...it.permission))
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
                 and l.at > now() - interval '1 day' limit 1`,
        values: [workspace.id, customer.client.id, it.id, `${it.section}.asked`],
      })
      if (before) throw new AskedAlready()
      const people = await query<{ id: string; name: string; email: string; language: string; timeZone: string }>(tx, {
        text: `select u.id, u.name, u.email, u.language, u.time_zone as "timeZone"
               from portal.client_memberships m join portal.client_users u on u.workspace_id = m.workspace_id and u.id = m.person_id
               where m.workspace_id = $1 and m.client_id = $2 and m.role = any($3) and u.suspended_at is null order by u.id limit 20`,
        values: [workspace.id, customer.client.id, may],
      })
      for (const person of ways ? people : [])
        await write(
          ways!,
          req,
          tx,
          'approval-asked',
          { ...person, person: person.id },
          {
            facts: { name: customer.person.name, number: it.number, what: it.title },
            url: linkTo(ways!, req, `/${it.section}/${encodeURIComponent(it.id)}`),
          },
        )
      return people.length
    },
    () => ({ event: `${it.section}.asked`, subject: { id: it.id, number: it.number } }),
  ).finally(() => ways?.outbox.wake())
}
