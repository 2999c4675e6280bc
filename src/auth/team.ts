import { type Request, type RequestHandler, Router } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { type Crm, type Role, roles } from '../crm/crm.ts'
import { Invalid, NotFound } from '../http/errors.ts'
import { read } from '../http/forms.ts'
import { showAgainOnError } from '../http/respond.ts'
import { recordEventIn } from '../platform/activity.ts'
import { query, within } from '../platform/database.ts'
import { anyMember, clientAdmins, stepUp } from '../plugin/permissions.ts'
import type { Section } from '../plugin/plugin.ts'
import { storedSettings } from '../plugin/stored-settings.ts'
import { limitForm, limitName, moneyIn, saveLimit } from './approval-limit.ts'
import { colleagues, lockTeam, lockTeamChange, openInvitations } from './colleagues.ts'
import { contactAt } from './identity.ts'
import { requireRest, sendInvitation } from './invitation-sender.ts'
import { invite, inviteAgain, revoke, voidInvitations } from './invitations.ts'
import { type MailContext, withMail } from './mail-context.ts'
import { personName } from './names.ts'
import { roleIncludes, roleSummary, rolesAllowedTo } from './roles.ts'

interface Parts {
  crm: Crm
  database: Knex
  mailContext: MailContext | undefined
  sections: Section[]
}

type Handler = RequestHandler<any>

/** The people of one's own client. Its admins invite, change roles and end access. At least one admin always stays. */
export function teamRoutes({ crm, database, mailContext, sections }: Parts): Router {
  const router = Object.assign(Router(), { at: '/team' })
  const show = showTeam(database, sections, mailContext !== undefined)
  const showAgain = showAgainOnError(show)
  const limit = showLimit(database)
  const change = stepUp('team.change')

  router.get('/', anyMember, show)
  if (mailContext) {
    router.post('/invitations', clientAdmins, change, inviteColleague(crm, mailContext), showAgain)
    router.post('/invitations/:invitation', clientAdmins, change, renewInvitation(mailContext), showAgain)
  }
  router.post('/invitations/:invitation/revocation', clientAdmins, change, revokeInvitation(database))
  router.post('/roles', clientAdmins, change, changeRoles(database), showAgain)
  router.get('/:person/limit', clientAdmins, limit)
  router.post('/:person/limit', clientAdmins, change, changeLimit(database), showAgainOnError(limit))
  router.post('/:person/removal', clientAdmins, change, removeColleague(database), showAgain)
  return router
}

const showTeam =
  (database: Knex, sections: Section[], mails: boolean): Handler =>
  async (req, res) => {
    const { workspace, customer, crm, on, rights } = req.portal
    const present = sections.filter(it => it.name in crm && on(it.name))
    const people = await colleagues(database, workspace.id, customer.client.id)
    res.respond('account/team', {
      people: people.map(it => ({ ...it, limit: moneyIn(it.limit) })),
      waiting: await openInvitations(database, workspace.id, customer.client.id),
      roles,
      allowed: Object.fromEntries(roles.map(it => [it, rolesAllowedTo(present, rights, it)])),
      summaries: Object.fromEntries(roles.map(it => [it, roleSummary(present, req.portal, it)])),
      accepts: roles.filter(role => present.some(it => mayRespond(it, role, rights))),
      mails,
      done: String(req.query.done ?? ''),
    })
  }

function mayRespond(section: Section, role: Role, rights: Parameters<typeof roleIncludes>[0]): boolean {
  const permission = `${section.name}.respond` as const
  return roleIncludes(rights, role, permission, section.permissions[permission])
}

const inviteColleague =
  (crm: Crm, mailContext: MailContext): Handler =>
  async (req, res) => {
    const { name, email, role } = read(Inviting, req)
    const { workspace, customer } = req.portal
    const { client, person } = customer
    await mailContext.limits.count(req, { mail: `invite ${email}`, inviter: person.id, client: client.id })
    const contact = (await contactAt(crm.directory, workspace, client.id, email))?.id ?? null
    const invitation = { email, name, client, contact, role, invitedBy: person.name }
    await withMail(mailContext, req, async tx => {
      const token = await invite(tx, workspace.id, invitation, req)
      await sendInvitation(mailContext, req, tx, { email, name, client: client.name, invitedBy: person.name, token })
    })
    res.redirect(303, req.portal.url('/team?done=invited'))
  }

const renewInvitation =
  (mailContext: MailContext): Handler =>
  async (req, res) => {
    const { client, person } = req.portal.customer
    const id = String(req.params.invitation)
    await mailContext.limits.count(req, { mail: `invitation ${id}`, inviter: person.id, client: client.id })
    await withMail(mailContext, req, async tx => {
      const invitation = await inviteAgain(tx, req, id, client.id)
      if (!invitation.asked) await requireRest(tx, req, invitation.email)
      await sendInvitation(mailContext, req, tx, invitation)
    })
    res.redirect(303, req.portal.url('/team?done=invited'))
  }

const revokeInvitation =
  (database: Knex): Handler =>
  async (req, res) => {
    const { workspace, customer } = req.portal
    const scope = { workspace: workspace.id }
    await within(database, scope, tx => revoke(tx, req, String(req.params.invitation), customer.client.id))
    res.redirect(303, req.portal.url('/team?done=revoked'))
  }

/** Saves the roles that the form changed, all or none. Somebody else's change of another person stays. */
const changeRoles =
  (database: Knex): Handler =>
  async (req, res) => {
    const changes = changesIn(Object(req.portal.body))
    await within(database, { workspace: req.portal.workspace.id }, async tx => {
      await lockTeam(tx, req)
      for (const { person, role } of changes) await changeRole(tx, req, person, role)
    })
    res.redirect(303, req.portal.url('/team?done=changed'))
  }

/** New admins come first: whoever steps down may have just named a successor. */
function changesIn(body: Record<string, unknown>): { person: string; role: Role | undefined }[] {
  const chosen = Object.entries(body).filter(([name]) => name.startsWith('role.'))
  return chosen
    .map(([name, role]) => ({ person: name.slice('role.'.length), role, was: body[name.replace('role.', 'was.')] }))
    .filter(it => it.role !== it.was)
    .map(({ person, role }) => ({ person, role: z.enum(roles).safeParse(role).data }))
    .sort((one, other) => Number(other.role === 'admin') - Number(one.role === 'admin'))
}

async function changeRole(tx: Knex, req: Request<any>, person: string, role: Role | undefined) {
  const { name, role: before, accounts } = await lockTeamChange(tx, req, person, role !== 'admin')
  if (!role) throw new Invalid({ role: ['Choose one of the roles.'] }, {})
  await saveRole(tx, req, accounts, role)
  const subject = { id: person, name, before, after: role }
  await recordEventIn(tx, req, { event: 'team.changed', subject })
}

async function saveRole(tx: Knex, req: Request<any>, accounts: string[], role: Role) {
  const { workspace, customer, capability } = req.portal
  await query(tx, {
    text: `update portal.client_memberships set role = $4
           where workspace_id = $1 and client_id = $2 and person_id::text = any($3)`,
    values: [workspace.id, customer.client.id, accounts, role],
  })
  await voidInvitations(tx, workspace.id, accounts, customer.client.id)
  // An exported copy of their data may contain records that only the former role could see.
  const copies = { workspace: workspace.id, client: customer.client.id, people: accounts }
  await capability('privacy')?.deleteCopies(tx, copies)
}

const showLimit =
  (database: Knex): Handler =>
  async (req, res) => {
    const { workspace, customer } = req.portal
    const { client } = customer
    const people = await colleagues(database, workspace.id, client.id)
    const person = people.find(it => it.id === req.params.person)
    if (!person) throw new NotFound()
    const own = await storedSettings<any>(database, workspace.id, client.id, person.id)
    const ofClient = await storedSettings<any>(database, workspace.id, client.id)
    res.respond('account/limit', {
      person,
      inherited: person.role === 'admin' ? null : moneyIn(ofClient.get(limitName)),
      limit: limitForm(req.portal, own.get(limitName)),
    })
  }

const changeLimit =
  (database: Knex): Handler =>
  async (req, res) => {
    const { workspace, customer } = req.portal
    await within(database, { workspace: workspace.id }, async tx => {
      const { person, name } = await lockTeamChange(tx, req, String(req.params.person), false)
      if (person === customer.person.id)
        throw new Invalid({ amount: ['Your own limit is set by another admin.'] }, req.portal.body)
      await saveLimit(tx, req, { client: customer.client.id, person, name })
    })
    res.redirect(303, req.portal.url('/team?done=changed'))
  }

const removeColleague =
  (database: Knex): Handler =>
  async (req, res) => {
    const { workspace, customer } = req.portal
    await within(database, { workspace: workspace.id }, async tx => {
      const { name, accounts } = await lockTeamChange(tx, req, String(req.params.person), true)
      await voidInvitations(tx, workspace.id, accounts, customer.client.id)
      await query(tx, {
        text: `delete from portal.client_memberships
               where workspace_id = $1 and client_id = $2 and person_id::text = any($3)`,
        values: [workspace.id, customer.client.id, accounts],
      })
      await recordEventIn(tx, req, { event: 'team.removed', subject: { id: req.params.person, name } })
    })
    res.redirect(303, req.portal.url('/team?done=removed'))
  }

const Inviting = z.object({
  name: personName('Enter this person’s name.'),
  email: z.string().trim().toLowerCase().pipe(z.email('Enter an e-mail address, like jo@example.com.')),
  role: z.enum(roles, 'Choose one of the roles.'),
})
