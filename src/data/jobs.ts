import type { Knex } from 'knex'
import { bySystem, insert } from '../activity.ts'
import { endFactors } from '../auth/factors.ts'
import { linkTo, type Ways, write } from '../auth/way.ts'
import type { Workspaces } from '../branding/workspaces.ts'
import { currentTime } from '../clock.ts'
import type { Crm, Customer, Role } from '../crm.ts'
import { query, readWithin, within } from '../database.ts'
import type { Flags } from '../flags.ts'
import type { Gate } from '../gate/gate.ts'
import type { Job, Jobs } from '../jobs.ts'
import { dateIn, localeOf, zoneOf } from '../language.ts'
import { archive } from './archive.ts'
import { endAccount, putOff } from './requests.ts'

export const queue = 'data'

/** What is to be done: a copy made, one thrown away after its day, an account ended, a second factor that staff have taken off. */
export interface Task {
  what: 'export' | 'wipe' | 'end' | 'factors'
  workspace: string
  slug: string
  id: string
}

interface Parts {
  crm: Crm
  database: Knex
  door: Gate
  flags: Flags
  jobs: Jobs
  /** Undefined where no mail is sent. */
  mailed: Ways | undefined
  places: Workspaces
}

/** Each may be done twice, or begun again after the process died, and comes to the same. */
export const dataJobs = (parts: Parts) =>
  parts.jobs.work<Task>(queue, async ({ data }: Job<Task>) => {
    const { what, workspace, id } = data
    if (what === 'export') return make(data, parts)
    await within(parts.database, { workspace }, async tx => {
      if (what === 'end') {
        if (await putOff(tx, workspace, id)) return parts.jobs.send(tx, queue, data, day)
        return void (await endAccount(tx, workspace, id))
      }
      if (what === 'factors') {
        if (await endFactors(tx, { workspace, person: id }))
          await insert(tx, [bySystem(workspace, { event: 'people.factor-ended', subject: { id } })])
        return
      }
      await query(tx, {
        text: 'delete from portal.client_exports where workspace_id = $1 and id = $2',
        values: [workspace, id],
      })
    })
  })

async function make({ workspace, slug, id }: Task, { crm, database, door, flags, jobs, mailed, places }: Parts) {
  if (!flags.enabled(slug) || !(await door.opened())) throw new Error(`The portal of ${slug} is switched off.`)
  const place = await places.find(slug)
  if (!place) throw new Error(`The CRM has no workspace ${slug}.`)
  const [row] = await readWithin<Asked>(
    database,
    { workspace },
    {
      text: `select e.sections, e.made_at is not null as made, u.id as person, u.name, u.email, u.language, u.time_zone as "timeZone", m.client_id as client,
               m.client_name as "clientName", m.role
             from portal.client_exports e
               join portal.client_users u on u.workspace_id = e.workspace_id and u.id = e.person_id
               join portal.client_memberships m on m.workspace_id = e.workspace_id and m.person_id = e.person_id and m.client_id = e.client_id
             where e.workspace_id = scope.workspace and e.id = $3 and u.suspended_at is null`,
      values: [id],
    },
  )
  if (!row || row.made) return
  const customer: Customer = {
    workspace: place,
    client: { id: row.client, name: row.clientName },
    person: { id: row.person, name: row.name, email: row.email },
    role: row.role,
    today: dateIn(zoneOf(place.timeZone), currentTime(database)),
  }
  const bytes = await archive(database, customer, door.passing(crm.connect(customer)), row.sections)
  await within(database, { workspace }, async tx => {
    const [made] = await query(tx, {
      text: `update portal.client_exports set bytes = $3, made_at = portal.now()
             where workspace_id = $1 and id = $2 and made_at is null returning id`,
      values: [workspace, id, bytes],
    })
    if (!made) return
    const asked = { portal: { workspace: place, locale: localeOf('') } }
    if (mailed) await write(mailed, asked, tx, 'copy-ready', row, { url: linkTo(mailed, asked, '/account/data') })
    await jobs.send(tx, queue, { what: 'wipe', workspace, slug, id } satisfies Task, day)
  })
  mailed?.outbox.wake()
}

/** In seconds. */
export const day = 86_400

interface Asked {
  sections: string[]
  made: boolean
  person: string
  name: string
  email: string
  client: string
  clientName: string
  role: Role
}
