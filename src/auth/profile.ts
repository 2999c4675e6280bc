import { type Request, type RequestHandler, Router } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import type { ContactChange } from '../crm/crm.ts'
import { Invalid, NotFound } from '../http/errors.ts'
import { read, withFile } from '../http/forms.ts'
import { showAgainOnError } from '../http/respond.ts'
import { recordEventIn } from '../platform/activity.ts'
import { query, within } from '../platform/database.ts'
import { photoFrom } from '../platform/photo.ts'
import { anyMember } from '../plugin/permissions.ts'
import { type ContactParts, keepContactChange, submitContactChanges } from './contact-changes.ts'
import { personName } from './names.ts'
import { photoOf, removePhoto, savePhoto, sendPhoto } from './photos.ts'

interface Parts extends ContactParts {
  /** Whether mail is sent, without which no address can be confirmed. */
  mails: boolean
}

/** The page of one's own name, phone and photo; and the photos of colleagues. */
export function profileRoutes(parts: Parts): Router {
  const { database } = parts
  const router = Router()
  const show = showProfile(parts)
  router.get('/account/profile', anyMember, show)
  router.post('/account/profile', anyMember, saveProfile(parts), showAgainOnError(show))
  router.post('/account/profile/photo', anyMember, withFile('photo'), replacePhoto(database), showAgainOnError(show))
  router.post('/account/profile/photo/removal', anyMember, removeOwnPhoto(database))
  router.get('/photo/:person/:version', anyMember, showPhoto(database))
  return router
}

const showProfile =
  ({ crm, log, mails }: Parts): RequestHandler =>
  async (req, res) => {
    const { customer, user, workspace } = req.portal
    const { name, phone } = customer.person
    const contact = user?.memberships.find(it => it.client === customer.client.id)?.contact
    const contacts = contact && phone == null ? crm.directory.contacts(workspace, customer.client.id) : []
    const known = await Promise.resolve(contacts).catch(err => {
      log.warn({ err }, 'the CRM does not say the phone number of a contact')
      return []
    })
    const theirs = known.find(it => it.id === contact)?.phone ?? ''
    res.respond('account/profile', { values: { name, phone: phone ?? theirs }, mails, saved: req.query.saved })
  }

const saveProfile =
  (parts: Parts): RequestHandler =>
  async (req, res) => {
    const form = read(Profile, req)
    const { workspace, customer } = req.portal
    const whose = { workspace: workspace.id, person: customer.person.id }
    const change = await within(parts.database, { workspace: workspace.id }, tx => changeProfile(tx, req, whose, form))
    if (Object.keys(change).length) await submitContactChanges(parts, workspace, whose.person)
    res.redirect(303, req.portal.url('/account/profile?saved'))
  }

/**
 * Changes what differs from what the form was shown with, so that a form in another tab does not take back what was
 * changed meanwhile. Returns what was changed.
 */
async function changeProfile(
  tx: Knex,
  req: Request,
  whose: { workspace: string; person: string },
  form: z.infer<typeof Profile>,
): Promise<ContactChange> {
  const [before] = await query<{ name: string; phone: string | null }>(tx, {
    text: 'select name, phone from portal.client_users where workspace_id = $1 and id = $2 for update',
    values: [whose.workspace, whose.person],
  })
  if (!before) throw new NotFound()
  const edited = (name: 'name' | 'phone') => form[name] !== form[`was.${name}`] && form[name] !== before[name]
  const change: ContactChange = {
    ...(edited('name') && { name: form.name }),
    ...(edited('phone') && { phone: form.phone }),
  }
  if (!Object.keys(change).length) return change
  await query(tx, {
    text: `update portal.client_users set name = coalesce($3, name), phone = coalesce($4, phone)
           where workspace_id = $1 and id = $2`,
    values: [whose.workspace, whose.person, change.name ?? null, change.phone ?? null],
  })
  await keepContactChange(tx, whose, change)
  await recordEventIn(tx, req, {
    event: 'account.profile-changed',
    subject: { fields: Object.keys(change).join(' and ') },
  })
  return change
}

const replacePhoto =
  (database: Knex): RequestHandler =>
  async (req, res) => {
    const { photo: file } = read(Upload, req)
    const photo = file?.size ? photoFrom(new Uint8Array(await file.arrayBuffer())) : undefined
    if (!photo)
      throw new Invalid({ photo: ['Choose a JPEG, PNG or WebP of at most 1 MB and 2,000 pixels each way.'] }, {})
    const { workspace, customer } = req.portal
    const whose = { workspace: workspace.id, person: customer.person.id }
    await within(database, { workspace: workspace.id }, async tx => {
      await savePhoto(tx, whose, photo)
      await recordEventIn(tx, req, { event: 'account.photo-changed' })
    })
    res.redirect(303, req.portal.url('/account/profile?saved=photo'))
  }

const removeOwnPhoto =
  (database: Knex): RequestHandler =>
  async (req, res) => {
    const { workspace, customer } = req.portal
    await within(database, { workspace: workspace.id }, async tx => {
      const removed = await removePhoto(tx, { workspace: workspace.id, person: customer.person.id })
      if (removed) await recordEventIn(tx, req, { event: 'account.photo-removed' })
    })
    res.redirect(303, req.portal.url('/account/profile?saved=removed'))
  }

/** Of colleagues at the same company, and one's own. */
const showPhoto =
  (database: Knex): RequestHandler<any> =>
  async (req, res) => {
    const { workspace, customer } = req.portal
    const { person, version } = req.params
    const scope = { workspace: workspace.id, colleagueOf: customer.client.id }
    const found = await within(database, { workspace: workspace.id }, tx => photoOf(tx, scope, person))
    sendPhoto(res, found, version)
  }

const phone = /^[+(]?\d[\d ().\-/]{3,30}\d( ?(ext\.?|x|#) ?\d{1,8})?$/i

const Profile = z.object({
  name: personName('Enter your name.'),
  phone: z
    .string()
    .trim()
    .transform(it => it.replace(/\s+/g, ' '))
    .refine(it => it === '' || phone.test(it), 'Enter a phone number, like +31 20 555 0100.')
    .default(''),
  'was.name': z.string().optional(),
  'was.phone': z.string().optional(),
})

const Upload = z.object({ photo: z.instanceof(File).optional().catch(undefined) })
