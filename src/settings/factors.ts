import type { RequestHandler } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { removalNotice } from '../auth/factors.ts'
import { queueFactorsEnd } from '../auth/factors-end.ts'
import { linkTo, type MailContext, sendMail, withMail } from '../auth/mail-context.ts'
import { NotFound } from '../http/errors.ts'
import { recordEventIn } from '../platform/activity.ts'
import { query, within } from '../platform/database.ts'
import type { Speech } from '../platform/i18n.ts'
import type { Jobs } from '../platform/jobs.ts'

interface Parts {
  database: Knex
  jobs: Jobs
  mailContext: MailContext | undefined
}

/**
 * Removes the second factors of somebody who lost phone and codes, after staff have verified them by other means. The
 * person is mailed at once, and the removal happens a day later. Using the second factor cancels it, and so can staff.
 */
export const saveFactorReset =
  ({ database, jobs, mailContext }: Parts): RequestHandler<any> =>
  async (req, res) => {
    const { workspace, staff } = req.portal
    const { keep, back } = Form.parse(req.portal.body ?? {})
    const work = async (tx: Knex) => {
      const [person] = await query(tx, {
        text: `update portal.client_users u
               set factors_end_at = ${keep ? 'null' : `coalesce(u.factors_end_at, portal.now() + interval '${removalNotice} seconds')`}
               from (select workspace_id, id, factors_end_at from portal.client_users
                     where workspace_id = $1 and id::text = $2 for update) b
               where u.workspace_id = b.workspace_id and u.id = b.id and exists (
                 select from portal.client_factors f where f.workspace_id = u.workspace_id and f.person_id = u.id)
               returning u.id, u.name, u.email, u.language, u.time_zone as "timeZone", u.factors_end_at as at,
                 (b.factors_end_at is null) = $3 as changed`,
        values: [workspace.id, req.params.person, !keep],
      })
      if (!person) throw new NotFound()
      const { id, name, at, changed } = person
      if (!changed) return
      await recordEventIn(tx, req, {
        event: keep ? 'people.factor-kept' : 'people.factor-reset',
        subject: { id, name },
      })
      if (keep) return
      await queueFactorsEnd(tx, jobs, workspace, id)
      if (mailContext)
        await sendMail(
          mailContext,
          req,
          tx,
          'factor-reset',
          { ...person, person: id },
          {
            facts: speech => ({ by: staff?.name ?? workspace.name, time: speech.time(at) }),
            url: linkTo(mailContext, req, '/sign-in'),
          },
        )
    }
    await (mailContext ? withMail(mailContext, req, work) : within(database, { workspace: workspace.id }, work))
    const page = back === undefined ? '/people' : `/people/${encodeURIComponent(req.params.person)}`
    res.redirect(303, req.portal.url(`${page}?done=${keep ? 'kept' : 'reset'}`))
  }

/** `back` leads to the person's own page. */
const Form = z.object({
  keep: z.string().optional().catch(undefined),
  back: z.string().optional().catch(undefined),
})

/**
 * Removes one of several second factors, with the same notice. Using that one cancels it, and so can staff. The only one
 * that is left is removed by `saveFactorReset`.
 */
export const saveSingleReset =
  ({ database, jobs, mailContext }: Parts): RequestHandler<any> =>
  async (req, res) => {
    const { workspace, staff, t } = req.portal
    const { person: id, factor } = req.params
    const { keep } = Form.parse(req.portal.body ?? {})
    const work = async (tx: Knex) => {
      const found = await markFactor(tx, { workspace: workspace.id, person: id, factor, keep: keep !== undefined })
      if (!found.changed) return
      const { name, at } = found
      const called = found.factor || t('Authenticator app')
      const event = keep ? 'people.one-factor-kept' : 'people.one-factor-reset'
      await recordEventIn(tx, req, { event, subject: { id, name, factor: called } })
      if (keep) return
      await queueFactorsEnd(tx, jobs, workspace, id)
      if (!mailContext) return
      const facts = (speech: Speech) => ({
        by: staff?.name ?? workspace.name,
        factor: found.factor || speech.t('Authenticator app'),
        time: speech.time(at),
      })
      const url = linkTo(mailContext, req, '/sign-in')
      await sendMail(mailContext, req, tx, 'factor-reset-one', { ...found, person: id }, { facts, url })
    }
    await (mailContext ? withMail(mailContext, req, work) : within(database, { workspace: workspace.id }, work))
    res.redirect(303, req.portal.url(`/people/${encodeURIComponent(id)}?done=${keep ? 'kept' : 'reset'}`))
  }

interface Marked {
  name: string
  email: string
  language: string | null
  timeZone: string | null
  /** Empty for the app. */
  factor: string
  at: Date
  changed: boolean
}

/** Throws NotFound for the only one that is left, and where there is none like it. */
async function markFactor(
  tx: Knex,
  { workspace, person, factor, keep }: { workspace: string; person: string; factor: string; keep: boolean },
): Promise<Marked> {
  const lasting = `f.kind <> 'recovery' and f.confirmed_at is not null`
  await query(tx, {
    text: `select 1 from portal.client_factors f
           where f.workspace_id = $1 and f.person_id::text = $2 and ${lasting} order by f.id for update`,
    values: [workspace, person],
  })
  const [row] = await query<Marked>(tx, {
    text: `update portal.client_factors f
           set ends_at = ${keep ? 'null' : `coalesce(f.ends_at, portal.now() + interval '${removalNotice} seconds')`}
           from portal.client_factors b, portal.client_users u
           where f.workspace_id = $1 and f.person_id::text = $2 and f.id = $3 and ${lasting}
             and b.workspace_id = f.workspace_id and b.id = f.id
             and u.workspace_id = f.workspace_id and u.id = f.person_id
             and ($4 or exists (select from portal.client_factors o where o.workspace_id = f.workspace_id
                    and o.person_id = f.person_id and o.id <> f.id and o.kind <> 'recovery'
                    and o.confirmed_at is not null and o.ends_at is null))
           returning u.name, u.email, u.language, u.time_zone as "timeZone", coalesce(f.name, '') as factor,
             f.ends_at as at, (b.ends_at is null) <> $4 as changed`,
    values: [workspace, person, factor, keep],
  })
  if (!row) throw new NotFound()
  return row
}
