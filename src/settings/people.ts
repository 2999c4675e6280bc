import type { Request, RequestHandler } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { accountsOfSameHuman, contactAt } from '../auth/identity.ts'
import { requireRest, sendInvitation } from '../auth/invitation-sender.ts'
import { invite, inviteAgain, revoke, voidInvitations } from '../auth/invitations.ts'
import { type MailContext, withMail } from '../auth/mail-context.ts'
import { nameProblem } from '../auth/names.ts'
import { rolesAllowedTo } from '../auth/roles.ts'
import { signInMethodsOf } from '../auth/sign-in-methods.ts'
import { type Client, type Crm, roles } from '../crm/crm.ts'
import { Invalid, NotFound } from '../http/errors.ts'
import { words } from '../http/filter.ts'
import { read } from '../http/forms.ts'
import { recordEventIn } from '../platform/activity.ts'
import { query, readWithin, within } from '../platform/database.ts'
import type { Section } from '../plugin/plugin.ts'
import { codeOf, registrationsOf } from './registrations.ts'

interface Parts {
  crm: Crm
  database: Knex
  mailContext: MailContext | undefined
  sections: Section[]
}

const shown = 100

/** Lists who may sign in, who has an open invitation, and which of the CRM's clients can be invited. */
export const showPeople =
  ({ crm, database }: Parts): RequestHandler<any> =>
  async (req, res) => {
    const search = words.catch('').parse(req.query.search)
    const { workspace } = req.portal
    const [people, waiting, clients, asking] = await Promise.all([
      peopleLike(database, workspace.id, search),
      invitationsLike(database, workspace.id, search),
      search ? (crm.directory.clients?.(workspace, search) ?? []) : [],
      registrationsOf(database, workspace.id),
    ])
    const more = people.length > shown || waiting.length > shown
    const lists = { people: people.slice(0, shown), waiting: waiting.slice(0, shown) }
    res.respond('settings/people', {
      search,
      clients: bestFirst(clients, search),
      more,
      asking: asking.filter(it => [it.name, it.email, it.clientName].some(one => contains(one, search))),
      roles,
      ...lists,
      done: String(req.query.done ?? ''),
    })
  }

/** Finds the client whose people are to be invited. */
export const showClients =
  ({ crm }: Parts): RequestHandler =>
  async (req, res) => {
    const search = words.catch('').parse(req.query.search)
    const { workspace } = req.portal
    const clients = search ? ((await crm.directory.clients?.(workspace, search)) ?? []) : []
    res.respond('settings/invite-whom', { search, clients: bestFirst(clients, search) })
  }

/** Those that are called so first, then those whose name begins so. */
const bestFirst = (clients: Client[], search: string) => {
  const rank = ({ name }: Client) =>
    name.toLowerCase() === search.toLowerCase() ? 0 : name.toLowerCase().startsWith(search.toLowerCase()) ? 1 : 2
  return clients.toSorted((a, b) => rank(a) - rank(b))
}

/** Shows the people of one client in the CRM to choose from, and a field for somebody else. */
export const showInvite =
  ({ crm, database, mailContext, sections }: Parts): RequestHandler<any> =>
  async (req, res) => {
    const client = await clientOf(crm, req)
    const { workspace, problem } = req.portal
    const [contacts, known, methods, code] = await Promise.all([
      crm.directory.contacts(workspace, client.id),
      knownOf(database, workspace.id, client.id),
      signInMethodsOf(database, workspace.id, mailContext !== undefined),
      mailContext && codeOf(database, workspace.id, client.id, mailContext.secrets),
    ])
    const typed = (problem instanceof Invalid ? problem.typed : {}) as Record<string, unknown>
    res.respond('settings/invite', {
      client,
      contacts,
      known: new Map(known.map(it => [it.email, it.state])),
      roles,
      allowed: Object.fromEntries(roles.map(it => [it, rolesAllowedTo(sections, req.portal.rights, it)])),
      typed,
      registers: methods.registration,
      code,
    })
  }

export const saveInvite =
  ({ crm, database, mailContext }: Parts): RequestHandler<any> =>
  async (req, res) => {
    const client = await clientOf(crm, req)
    const { workspace, staff } = req.portal
    const { chosen, role, name, email } = read(Inviting, req)
    const contacts = (await crm.directory.contacts(workspace, client.id)).filter(it => chosen.includes(it.id))
    const known = email ? await contactAt(crm.directory, workspace, client.id, email) : undefined
    const others = email ? [{ id: known?.id ?? null, email, name, language: known?.language }] : []
    const invitedBy = staff?.name ?? workspace.name
    const work = async (tx: Knex) => {
      const links: { email: string; link: string; client: string }[] = []
      for (const it of [...contacts, ...others]) {
        const invitation = { email: it.email, name: it.name, client, contact: it.id, role, invitedBy }
        const token = await invite(tx, workspace.id, invitation, req)
        links.push({ email: it.email, link: `/invitation/${token}`, client: client.name })
        if (mailContext)
          await sendInvitation(mailContext, req, tx, {
            ...it,
            client: client.name,
            invitedBy,
            token,
          })
      }
      return links
    }
    if (mailContext) {
      await withMail(mailContext, req, work)
      return res.redirect(303, req.portal.url('/people?done=invited'))
    }
    const links = await within(database, { workspace: workspace.id }, work)
    res.respond('settings/invited', { links })
  }

export const saveInviteAgain =
  ({ database, mailContext }: Parts): RequestHandler<any> =>
  async (req, res) => {
    const { workspace } = req.portal
    const work = async (tx: Knex) => {
      const it = await inviteAgain(tx, req, req.params.id)
      if (mailContext && !it.asked) await requireRest(tx, req, it.email)
      if (mailContext) await sendInvitation(mailContext, req, tx, it)
      return it
    }
    if (mailContext) {
      await withMail(mailContext, req, work)
      return res.redirect(303, req.portal.url('/people?done=invited'))
    }
    const { email, token, client } = await within(database, { workspace: workspace.id }, work)
    res.respond('settings/invited', { links: [{ email, link: `/invitation/${token}`, client }] })
  }

export const saveRevocation =
  ({ database }: Parts): RequestHandler<any> =>
  async (req, res) => {
    await within(database, { workspace: req.portal.workspace.id }, tx => revoke(tx, req, req.params.id))
    res.redirect(303, req.portal.url('/people?done=revoked'))
  }

/** Suspends a person. It takes effect with their next request, in every browser and for each of their accounts. */
export const saveSuspension =
  ({ database }: Parts): RequestHandler<any> =>
  async (req, res) => {
    const { suspended } = z.object({ suspended: z.string() }).catch({ suspended: '' }).parse(req.portal.body)
    const on = suspended === 'on'
    await within(database, { workspace: req.portal.workspace.id }, async tx => {
      const { person } = req.params
      const all = await accountsOfSameHuman(tx, req.portal.workspace.id, person)
      const rows = await query<{ id: string; name: string }>(tx, {
        text: `update portal.client_users set suspended_at = ${on ? 'coalesce(suspended_at, portal.now())' : 'null'}
               where workspace_id = $1 and id::text = any($2) and $3 in ('on', 'off') returning id::text, name`,
        values: [req.portal.workspace.id, all, suspended],
      })
      const row = rows.find(it => it.id === person)
      if (!row) throw new NotFound()
      if (on) await voidInvitations(tx, req.portal.workspace.id, all)
      await recordEventIn(tx, req, {
        event: on ? 'people.suspended' : 'people.admitted',
        subject: { id: person, name: row.name },
      })
    })
    res.redirect(303, req.portal.url(`/people?done=${on ? 'suspended' : 'admitted'}`))
  }

const Inviting = z
  .object({
    chosen: z.union([z.string().transform(it => [it]), z.array(z.string())]).default([]),
    role: z.enum(roles, 'Choose one of the roles.'),
    name: z.string().trim().max(200, 'Use at most 200 characters.').default(''),
    email: z
      .union(
        [z.literal(''), z.email('Enter an e-mail address, like jo@example.com.')],
        'Enter an e-mail address, like jo@example.com.',
      )
      .default(''),
  })
  .refine(it => it.chosen.length || it.email, {
    path: ['email'],
    message: 'Choose a person, or enter an e-mail address.',
  })
  .refine(it => !it.email || it.name, { path: ['name'], message: 'Enter this person’s name.' })
  .superRefine(({ email, name }, { addIssue }) => {
    const problem = email && name && nameProblem(name)
    if (problem) addIssue({ code: 'custom', path: ['name'], message: problem })
  })

async function clientOf(crm: Crm, req: Request<any>) {
  const client = await crm.directory.client(req.portal.workspace, String(req.params.client))
  if (!client) throw new NotFound()
  return client
}

const contains = (text: string, part: string) => text.toLowerCase().includes(part.toLowerCase())

const peopleLike = (database: Knex, workspace: string, search: string) =>
  readWithin(
    database,
    { workspace },
    {
      name: 'portal.people',
      text: `select u.id::text, u.name, u.email, u.photo_version as photo, u.suspended_at is not null as suspended,
               exists (select from portal.client_contact_changes k
                       where k.workspace_id = u.workspace_id and k.person_id = u.id) as differs,
               exists (select from portal.client_factors f where f.workspace_id = u.workspace_id and f.person_id = u.id
                       and f.confirmed_at is not null) as factor, u.factors_end_at as "factorsEnd",
               jsonb_agg(jsonb_build_object('client', m.client_name, 'id', m.client_id, 'role', m.role) order by m.client_name) as memberships,
               (select v.last_at from portal.client_visits v
                where v.workspace_id = u.workspace_id and v.person_id = u.id) as seen
             from portal.client_users u join portal.client_memberships m
               on m.workspace_id = u.workspace_id and m.person_id = u.id
             where u.workspace_id = scope.workspace
               and ($3 = '%%' or u.name ilike $3 or u.email ilike $3 or m.client_name ilike $3)
             group by u.workspace_id, u.id
             order by lower($4) in (lower(u.name), lower(u.email)) desc, u.name ilike $4 || '%' desc, lower(u.name), u.id limit ${shown + 1}`,
      values: [like(search), search],
    },
  )

const invitationsLike = (database: Knex, workspace: string, search: string) =>
  readWithin(
    database,
    { workspace },
    {
      name: 'portal.invitations',
      text: `select i.id::text, i.name, i.email, i.client_name as client, i.role, i.invited_by as by, i.created_at as at,
               i.expires_at < portal.now() or i.revoked_at is not null as over, i.renewal_requested_at as asked
             from portal.client_invitations i
             where i.workspace_id = scope.workspace and i.used_at is null and (i.revoked_at is null or i.renewal_requested_at is not null)
               and ($3 = '%%' or i.name ilike $3 or i.email ilike $3 or i.client_name ilike $3)
             order by i.renewal_requested_at desc nulls last, i.created_at desc, i.id limit ${shown + 1}`,
      values: [like(search)],
    },
  )

/** Returns who of a client is a member already, or was invited. */
const knownOf = (database: Knex, workspace: string, client: string): Promise<{ email: string; state: string }[]> =>
  readWithin(
    database,
    { workspace },
    {
      name: 'portal.known',
      text: `select u.email, 'here' as state from portal.client_memberships m join portal.client_users u
               on u.workspace_id = m.workspace_id and u.id = m.person_id
             where m.workspace_id = scope.workspace and m.client_id = $3
             union select i.email, 'invited' from portal.client_invitations i
             where i.workspace_id = scope.workspace and i.client_id = $3 and i.used_at is null and i.revoked_at is null
               and i.expires_at > portal.now() and not exists (
                 select from portal.client_memberships m join portal.client_users u
                   on u.workspace_id = m.workspace_id and u.id = m.person_id
                 where m.workspace_id = i.workspace_id and m.client_id = i.client_id and u.email = i.email)`,
      values: [client],
    },
  )

const like = (search: string) => `%${search.replace(/[\\%_]/g, '\\$&')}%`
