import type { Request, RequestHandler } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { keptChanges, submitContactChanges } from '../auth/contact-changes.ts'
import { photoOf, sendPhoto } from '../auth/photos.ts'
import { portalOffSql } from '../auth/portal-switch.ts'
import { type Contact, type ContactField, type Crm, contactFields, type Role } from '../crm/crm.ts'
import { Conflict, NotFound } from '../http/errors.ts'
import { read } from '../http/forms.ts'
import { recordEvent, recordEventIn } from '../platform/activity.ts'
import { query, within } from '../platform/database.ts'
import type { Log } from '../platform/log.ts'
import type { PlaceOf } from '../platform/places.ts'
import { securityOf } from './person-security.ts'
import { welcomesOf } from './welcomes.ts'

interface Parts {
  crm: Crm
  database: Knex
  log: Log
}

interface Shown extends Parts {
  mails: boolean
  placeOf: PlaceOf
}

interface Person {
  id: string
  name: string
  email: string
  phone: string | null
  photo: string | null
  suspended: boolean
  joinedAt: Date
  memberships: { client: string; name: string; role: Role; off: boolean }[]
}

/** Shows one person: how to reach them, where they belong, and what of it the CRM has otherwise. */
export const showPerson =
  ({ mails, placeOf, ...parts }: Shown): RequestHandler<any> =>
  async (req, res) => {
    const { workspace } = req.portal
    const scope = { workspace: workspace.id }
    const person = await within(parts.database, scope, tx => findPerson(tx, workspace.id, req.params.person))
    const [differing, welcomes, security] = await Promise.all([
      differencesOf(parts, req, person),
      welcomesOf(parts.database, workspace.id, { person: person.id }),
      securityOf({ ...parts, placeOf }, req, person.id),
    ])
    const submits = parts.crm.directory.changeContact !== undefined
    const done = String(req.query.done ?? '')
    res.respond('settings/person', { person, differing, welcomes, security, submits, mails, done })
  }

/** A field of which the CRM has another value, which is undefined where nobody can tell. */
interface Difference {
  client: string
  clientName: string
  field: ContactField
  here: string
  crm: string | undefined
  changedAt: Date
}

/** What is kept for the CRM and differs from it now. What has become the same meanwhile is forgotten. */
async function differencesOf({ crm, database, log }: Parts, req: Request<any>, person: Person): Promise<Difference[]> {
  const { workspace } = req.portal
  const scope = { workspace: workspace.id }
  const kept = await within(database, scope, tx => keptChanges(tx, workspace.id, person.id))
  const contacts = new Map<string, Contact[]>()
  for (const { client } of kept)
    if (!contacts.has(client)) contacts.set(client, await contactsOf({ crm, log }, req, client))
  const all = kept.map(({ client, contact, field, value, changedAt }) => ({
    ...{ client, field, changedAt, here: value },
    clientName: person.memberships.find(it => it.client === client)?.name ?? client,
    crm: contacts.get(client)?.find(it => it.id === contact)?.[field],
  }))
  for (const it of all.filter(isSame))
    await within(database, scope, tx => forget(tx, workspace.id, { ...it, person: person.id, value: it.here }))
  return all.filter(it => !isSame(it))
}

const isSame = ({ here, crm, field }: Difference) =>
  crm !== undefined && (field === 'email' ? here.toLowerCase() === crm.toLowerCase() : here === crm)

/** None while the CRM does not answer. */
const contactsOf = ({ crm, log }: Pick<Parts, 'crm' | 'log'>, req: Request<any>, client: string) =>
  crm.directory.contacts(req.portal.workspace, client).catch(err => {
    log.warn({ err }, 'the CRM does not say what it has of a contact')
    return []
  })

/** Settles one difference: staff took the person's value over into the CRM, or leave the CRM's as it is. */
export const settleDifference =
  (database: Knex): RequestHandler<any> =>
  async (req, res) => {
    const { workspace } = req.portal
    await within(database, { workspace: workspace.id }, async tx => {
      const person = await findPerson(tx, workspace.id, req.params.person)
      const { client, field, value, settled } = read(Settling, req)
      if (!(await forget(tx, workspace.id, { client, field, value, person: person.id }))) throw new Conflict()
      await recordEventIn(tx, req, {
        event: settled === 'taken' ? 'people.contact-taken' : 'people.contact-left',
        subject: { id: person.id, name: person.name, field },
      })
    })
    res.redirect(303, req.portal.url(`/people/${req.params.person}?done=settled`))
  }

/** Submits to the CRM once more what it did not take. */
export const submitDifferences =
  (parts: Parts): RequestHandler<any> =>
  async (req, res) => {
    const { workspace } = req.portal
    const person = await within(parts.database, { workspace: workspace.id }, tx =>
      findPerson(tx, workspace.id, req.params.person),
    )
    await submitContactChanges(parts, workspace, person.id)
    await recordEvent(req, { event: 'people.contact-submitted', subject: { id: person.id, name: person.name } })
    res.redirect(303, req.portal.url(`/people/${person.id}?done=submitted`))
  }

/** Shows the photo of anybody in the workspace. */
export const showPersonPhoto =
  (database: Knex): RequestHandler<any> =>
  async (req, res) => {
    const { id: workspace } = req.portal.workspace
    const found = await within(database, { workspace }, tx => photoOf(tx, { workspace }, req.params.person))
    sendPhoto(res, found, req.params.version)
  }

const Settling = z.object({
  client: z.string(),
  field: z.enum(contactFields),
  value: z.string(),
  settled: z.enum(['taken', 'left']),
})

/** Returns false if it is settled already, or the person has changed it again. */
async function forget(
  tx: Knex,
  workspace: string,
  it: { person: string; client: string; field: ContactField; value: string },
): Promise<boolean> {
  const rows = await query(tx, {
    text: `delete from portal.client_contact_changes
           where workspace_id = $1 and person_id::text = $2 and client_id = $3 and field = $4 and value = $5 returning field`,
    values: [workspace, it.person, it.client, it.field, it.value],
  })
  return rows.length > 0
}

async function findPerson(tx: Knex, workspace: string, id: string): Promise<Person> {
  const [row] = await query<Person>(tx, {
    text: `select u.id::text, u.name, u.email, u.phone, u.photo_version as photo, u.created_at as "joinedAt",
             u.suspended_at is not null as suspended,
             jsonb_agg(jsonb_build_object('client', m.client_id, 'name', m.client_name, 'role', m.role,
                       'off', ${portalOffSql('m')})
                       order by m.client_name) as memberships
           from portal.client_users u join portal.client_memberships m
             on m.workspace_id = u.workspace_id and m.person_id = u.id
           where u.workspace_id = $1 and u.id::text = $2 group by u.workspace_id, u.id`,
    values: [workspace, id],
  })
  if (!row) throw new NotFound()
  return row
}
