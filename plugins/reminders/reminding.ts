import { portalOffSql } from '../../src/auth/portal-switch.ts'
import { recipientsAt } from '../../src/auth/recipients.ts'
import { rightsOf } from '../../src/auth/roles.ts'
import type { BrandedWorkspace } from '../../src/crm/workspaces.ts'
import { CrmUnavailable } from '../../src/http/errors.ts'
import { currentTime } from '../../src/platform/clock.ts'
import { drifted, readWithin, unreachable } from '../../src/platform/database.ts'
import { dateIn, speak, zoneOf } from '../../src/platform/i18n.ts'
import { storedSettings } from '../../src/plugin/stored-settings.ts'
import { momentsIn, momentsName, paymentMomentsIn, paymentMomentsName, workMomentsName } from './moments.ts'
import { answeringRoles, remindOfOffers } from './offers.ts'
import { wantedSql } from './own.ts'
import { payingRoles, remindOfPayments } from './payments.ts'
import type { Mailing, Round } from './round.ts'
import { remindOfWork, workingRoles } from './work.ts'

/** How many clients one job handles before it queues the next. */
const most = 100
/** From this hour of the workspace on, and before that one. */
const [morning, evening] = [8, 18]

/** A round of a workspace, from the client after this one on. */
interface Asked {
  workspace: string
  slug: string
  after?: string
}

/** Returns the last client of this batch if there are more. If the CRM is unreachable, the next round tries again. */
export async function sendReminders(
  { workspace: id, slug, after = '' }: Asked,
  parts: Mailing,
): Promise<string | undefined> {
  const { activation, flags, log, workspaces } = parts
  if (!flags.enabled(slug) || !(await activation.isAccepted()) || !activation.isComplete()) return
  try {
    const workspace = await workspaces.find(slug)
    if (workspace?.id !== id) return
    const round = await roundOf(workspace, parts)
    if (!round) return
    const clients = await clientsOf(round, after)
    for (const client of clients) await remind(client, round)
    return clients.length === most ? clients.at(-1) : undefined
  } catch (error) {
    if (!down(error)) throw error
    log.warn({ err: error, workspace: slug }, 'the CRM does not answer; nobody is reminded before the next hour')
    return
  }
}

const down = (error: unknown) => unreachable(error) || drifted(error) || error instanceof CrmUnavailable

/** Undefined where nobody is to be reminded, or not at this hour. */
async function roundOf(workspace: BrandedWorkspace, parts: Mailing): Promise<Round | undefined> {
  const { database } = parts
  const now = currentTime(database)
  const zone = zoneOf(workspace.timeZone)
  const hour = speak(`en|${zone}`).hour(now)
  if (hour < morning || hour >= evening) return undefined
  const settings = await storedSettings<unknown>(database, workspace.id)
  const offers = momentsIn(settings.get(momentsName))
  const payments = paymentMomentsIn(settings.get(paymentMomentsName))
  const work = paymentMomentsIn(settings.get(workMomentsName))
  if (!offers.length && !payments.length && !work.length) return undefined
  const rights = await rightsOf(database, workspace.id)
  return { ...parts, workspace, today: dateIn(zone, now), rights, offers, payments, work, choosing: new Set() }
}

/** Clients with at least one person who may answer, pay or do something. */
async function clientsOf(round: Round, after: string): Promise<string[]> {
  const { database, workspace } = round
  const rows = await readWithin<{ id: string }>(
    database,
    { workspace: workspace.id },
    {
      text: `select distinct m.client_id as id from portal.client_memberships m
               join portal.client_users u on u.workspace_id = m.workspace_id and u.id = m.person_id
             where m.workspace_id = scope.workspace and m.client_id > $3 and m.role = any($4)
               and u.suspended_at is null ${wantedSql(round)} and not ${portalOffSql('m')} order by 1 limit ${most}`,
      values: [after, [...new Set([...answeringRoles(round), ...payingRoles(round), ...workingRoles(round)])]],
    },
  )
  return rows.map(it => it.id)
}

/** What is wrong with one client, or with its offers, keeps nobody else from being reminded. */
async function remind(client: string, round: Round) {
  const { log, plugins, rights, workspace } = round
  const failed = (error: unknown) => {
    if (down(error)) throw error
    log.error({ err: error, workspace: workspace.slug, client }, 'the people of a client could not be reminded')
  }
  const people = await recipientsAt({ ...round, sections: plugins }, { workspace, client, rights }).catch(failed)
  if (!people) return
  const audience = { client, ...people }
  const notifications = plugins.find(it => it.name === 'notifications')
  const choosing = notifications ? people.of({ section: notifications, may: ['see'], on: [] }) : []
  const its = { ...round, choosing: new Set(choosing.map(it => it.id)) }
  await remindOfOffers(audience, its).catch(failed)
  await remindOfPayments(audience, its).catch(failed)
  await remindOfWork(audience, its).catch(failed)
}
