import type { Request, RequestHandler } from 'express'
import type { CoreHost } from '../../src/auth/host.ts'
import { sendMail } from '../../src/auth/mail-context.ts'
import type { PayeeDetails } from '../../src/crm/payee.ts'
import { NotFound } from '../../src/http/errors.ts'
import { read } from '../../src/http/forms.ts'
import { recordEventIn } from '../../src/platform/activity.ts'
import { localeOf } from '../../src/platform/i18n.ts'
import { adminsOf } from '../../src/settings/admins.ts'
import {
  confirmDetails,
  coolingOff,
  DetailsForm,
  enterDetails,
  type Version,
  versions,
  withdrawDetails,
} from './details.ts'

/** What holds, what waits, and what was before. */
export const showDetails =
  ({ database }: CoreHost): RequestHandler<any> =>
  async (req, res) => {
    const { workspace, staff, problem, body } = req.portal
    const all = await versions(database, workspace.id)
    const holding = all.filter(it => it.holds).toSorted((a, b) => b.holdsFrom.getTime() - a.holdsFrom.getTime())[0]
    res.respond('payee/settings', {
      holding,
      waiting: all.find(it => !it.holds && !it.withdrawnBy),
      before: all.filter(it => it !== holding && (it.holds || it.withdrawnBy)),
      me: staff?.id,
      hours: coolingOff,
      mails: req.portal.mailContext !== undefined,
      lineOf,
      entered: problem && Object(body).holder !== undefined ? Object(body) : {},
      saved: req.query.saved === '',
    })
  }

/** Its number, as people compare it. */
const lineOf = ({ holder, iban, number, code }: PayeeDetails) =>
  [holder, iban ?? [number, code].filter(Boolean).join(' · ')].join(', ')

/** Enters new details, which hold later, and tells every admin. */
export const saveDetails =
  (host: CoreHost): RequestHandler<any> =>
  async (req, res) => {
    const details = read(DetailsForm, req)
    const { workspace, staff, time } = req.portal
    const from = new Date(req.portal.now.getTime() + coolingOff * 3_600_000)
    const facts = { staff: staff?.name ?? '', account: lineOf(details), time: time(from) }
    await req.portal.inWorkspace(async tx => {
      await enterDetails(tx, { workspace: workspace.id, details, by: { id: staff!.id, name: staff!.name } })
      await recordEventIn(tx, req, { event: 'payee.entered', subject: facts })
      await mailAdmins(tx, req, host, facts)
    })
    host.mailContext?.outbox.wake()
    res.redirect(303, req.portal.url('/bank-details?saved'))
  }

async function mailAdmins(
  tx: Parameters<typeof sendMail>[2],
  req: Request<any>,
  host: CoreHost,
  facts: Record<string, string>,
) {
  const { mailContext, settingsAddress } = host
  if (!mailContext) return
  const { workspace } = req.portal
  for (const { name, email } of await adminsOf(host, workspace))
    await sendMail(
      mailContext,
      { portal: { workspace, locale: localeOf(req.portal.locale) } },
      tx,
      'payee.changed',
      {
        ...{ name, email, timeZone: workspace.timeZone, language: req.portal.locale },
      },
      { facts, url: settingsAddress && `${settingsAddress}/bank-details` },
    )
}

export const saveConfirmation =
  ({ database }: CoreHost): RequestHandler<any> =>
  async (req, res) => {
    const { workspace, staff } = req.portal
    const version = await versionOf(req, database)
    await req.portal.inWorkspace(async tx => {
      await confirmDetails(tx, workspace.id, version.id, { id: staff!.id, name: staff!.name })
      await recordEventIn(tx, req, { event: 'payee.confirmed', subject: factsOf(version) })
    })
    res.redirect(303, req.portal.url('/bank-details?saved'))
  }

export const saveWithdrawal =
  ({ database }: CoreHost): RequestHandler<any> =>
  async (req, res) => {
    const { workspace, staff } = req.portal
    const version = await versionOf(req, database)
    await req.portal.inWorkspace(async tx => {
      await withdrawDetails(tx, workspace.id, version.id, staff!.name)
      await recordEventIn(tx, req, { event: 'payee.withdrawn', subject: factsOf(version) })
    })
    res.redirect(303, req.portal.url('/bank-details?saved'))
  }

const factsOf = ({ enteredBy, details }: Version) => ({ by: enteredBy, account: lineOf(details) })

async function versionOf(req: Request<any>, database: CoreHost['database']): Promise<Version> {
  const found = (await versions(database, req.portal.workspace.id)).find(it => it.id === req.params.id)
  if (!found) throw new NotFound()
  return found
}
