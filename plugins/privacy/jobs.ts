import type { Knex } from 'knex'
import { coreHostOf } from '../../src/auth/host.ts'
import { linkTo, sendMail } from '../../src/auth/mail-context.ts'
import { portalOffSql } from '../../src/auth/portal-switch.ts'
import type { Customer, Role } from '../../src/crm/crm.ts'
import { currentTime } from '../../src/platform/clock.ts'
import { query, readWithin, within } from '../../src/platform/database.ts'
import { dateIn, localeOf, zoneOf } from '../../src/platform/i18n.ts'
import type { Host, Job } from '../../src/plugin/plugin.ts'
import { archive } from './archive.ts'
import { endAccount, putOff } from './requests.ts'

export const daySeconds = 86_400

/**
 * A copy is made, one is deleted after its day, an account ends. Each may be done twice, or begun again after the
 * process died, and comes to the same.
 */
export const jobs: Record<`privacy.${string}`, Job> = {
  'privacy.export': { formerly: 'export', work: makeCopy },
  'privacy.wipe': {
    formerly: 'wipe',
    whileOff: true,
    async work({ workspace, data }, { database }) {
      await within(database, { workspace: workspace.id }, tx =>
        query(tx, {
          text: 'delete from portal.client_exports where workspace_id = $1 and id = $2',
          values: [workspace.id, data.id],
        }),
      )
      return undefined
    },
  },
  'privacy.end': {
    formerly: 'end',
    whileOff: true,
    async work({ workspace, data }, { database, jobs, plugins }) {
      await within(database, { workspace: workspace.id }, async tx => {
        if (await putOff(tx, workspace.id, data.id))
          return jobs.queue(tx, { job: 'privacy.end', workspace, data, seconds: daySeconds })
        await endAccount(tx, plugins, { workspace: workspace.id, id: data.id })
      })
      return undefined
    },
  },
}

async function makeCopy({ workspace: { id: workspace, slug }, data: { id } }: Parameters<Job['work']>[0], host: Host) {
  const core = coreHostOf(host)
  const { crm, database, activation, jobs, mailContext, workspaces: places } = core
  const place = await places.find(slug)
  if (!place) throw new Error(`The CRM has no workspace ${slug}.`)
  const row = await askedOf(database, workspace, id)
  if (!row || row.made) return undefined
  const customer: Customer = {
    workspace: place,
    client: { id: row.client, name: row.clientName },
    person: { id: row.person, name: row.name, email: row.email },
    role: row.role,
    today: dateIn(zoneOf(place.timeZone), currentTime(database)),
  }
  const bytes = await archive(core, customer, activation.availablePorts(crm.connect(customer)), row.sections)
  await within(database, { workspace }, async tx => {
    const [made] = await query(tx, {
      text: `update portal.client_exports set bytes = $3, completed_at = portal.now()
             where workspace_id = $1 and id = $2 and completed_at is null returning id`,
      values: [workspace, id, bytes],
    })
    if (!made) return
    const asked = { portal: { workspace: place, locale: localeOf('') } }
    // Who cannot sign in now finds it when the portal is on again.
    if (mailContext && !row.off)
      await sendMail(mailContext, asked, tx, 'copy-ready', row, { url: linkTo(mailContext, asked, '/account/data') })
    const wipe = { job: 'privacy.wipe', workspace: { id: workspace, slug }, data: { id }, seconds: daySeconds }
    await jobs.queue(tx, wipe)
  })
  mailContext?.outbox.wake()
  return undefined
}

/** For whom the copy is. Nobody, where they were suspended or have left the company. */
async function askedOf(database: Knex, workspace: string, id: string): Promise<Asked | undefined> {
  const [row] = await readWithin<Asked>(
    database,
    { workspace },
    {
      text: `select e.sections, e.completed_at is not null as made, ${portalOffSql('m')} as off, u.id as person, u.name, u.email, u.language, u.time_zone as "timeZone", m.client_id as client,
               m.client_name as "clientName", m.role
             from portal.client_exports e
               join portal.client_users u on u.workspace_id = e.workspace_id and u.id = e.person_id
               join portal.client_memberships m on m.workspace_id = e.workspace_id and m.person_id = e.person_id and m.client_id = e.client_id
             where e.workspace_id = scope.workspace and e.id = $3 and u.suspended_at is null`,
      values: [id],
    },
  )
  return row
}

interface Asked {
  sections: string[]
  made: boolean
  /** Whether the portal is switched off for their client. */
  off: boolean
  person: string
  name: string
  email: string
  client: string
  clientName: string
  role: Role
}
