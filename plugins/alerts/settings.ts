import type { RequestHandler } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { type AlertFacts, type AlertKind, alertThresholds } from '../../src/auth/alerts.ts'
import type { CoreHost } from '../../src/auth/host.ts'
import { read } from '../../src/http/forms.ts'
import { readWithin } from '../../src/platform/database.ts'
import { addresses } from '../../src/settings/addresses.ts'
import { ownAdmins } from '../../src/settings/admins.ts'
import { alertKinds, bounds, eachKind, rulesOf, saveRules, thresholdOf } from './rules.ts'

type Parts = Pick<CoreHost, 'crm' | 'database' | 'mailContext'>

const Asked = z.object({
  before: z
    .string()
    .regex(/^\d{1,18}$/)
    .optional()
    .catch(undefined),
  saved: z.string().optional().catch(undefined),
})

/** Alerts on a page. */
const size = 20

/** The latest alerts, and the rules. */
export const showAlerts =
  ({ crm, database, mailContext }: Parts): RequestHandler<any> =>
  async (req, res) => {
    const { workspace, problem, body } = req.portal
    const { before, saved } = Asked.parse(req.query)
    const [found, rules] = await Promise.all([
      alertsOf(database, workspace.id, before),
      rulesOf(database, workspace.id),
    ])
    const { thresholds, toAdmins, addresses } = rules
    const chosen = { ...thresholds, admins: toAdmins ? 'on' : undefined, addresses: addresses.join('\n') }
    res.respond('alerts/settings', {
      alerts: found.slice(0, size),
      next: found.length > size ? found[size - 1]!.id : undefined,
      ...{ before, alertKinds, bounds, revision: rules.revision },
      minutes: eachKind(kind => alertThresholds[kind].seconds / 60),
      chosen: problem ? Object(body) : chosen,
      mails: mailContext !== undefined,
      knowsAdmins: await knowsAdmins({ crm, database }, workspace.id),
      saved: saved === '',
    })
  }

/** Whether it is known who administers the workspace: by the adapter, or because the portal stands alone. */
const knowsAdmins = async ({ crm, database }: Pick<Parts, 'crm' | 'database'>, workspace: string) =>
  crm.directory.admins !== undefined || (await ownAdmins(database, workspace)).length > 0

interface Shown {
  id: string
  kind: AlertKind
  at: Date
  facts: AlertFacts
  /** Whether the person still has an account. */
  known: boolean
}

/** Newest first, one more than fits. */
const alertsOf = (database: Knex, workspace: string, before: string | undefined): Promise<Shown[]> =>
  readWithin<Shown>(
    database,
    { workspace },
    {
      text: `select a.id::text, a.kind, a.at, a.facts, exists (
               select from portal.client_users u
               where u.workspace_id = scope.workspace and u.id::text = a.facts->>'person') as known
             from portal.client_alerts a
             where a.workspace_id = scope.workspace and ($3::bigint is null or a.id < $3)
               and a.at > portal.now() - interval '90 days'
             order by a.id desc limit $4`,
      values: [before ?? null, size + 1],
    },
  )

const Form = z.object({
  ...eachKind(thresholdOf),
  admins: z.string().optional(),
  addresses,
  'was.revision': z.coerce.number().int(),
})

export const saveAlertRules =
  ({ crm, database }: Parts): RequestHandler<any> =>
  async (req, res) => {
    const form = read(Form, req)
    const { portal } = req
    const toAdmins = form.admins === 'on' && (await knowsAdmins({ crm, database }, portal.workspace.id))
    const thresholds = eachKind(kind => form[kind])
    const rules = { revision: form['was.revision'], thresholds, toAdmins, addresses: form.addresses }
    await portal.inWorkspace(tx => saveRules(tx, req, rules))
    res.redirect(303, portal.url('/alerts?saved'))
  }
