import type { Request, RequestHandler } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { note } from '../activity.ts'
import { accountsBeside, contactAt } from '../auth/identity.ts'
import { invite, inviteAgain, revoke, voidInvitations } from '../auth/invitations.ts'
import { inviting } from '../auth/inviting.ts'
import { nameProblem } from '../auth/names.ts'
import { offered } from '../auth/offered.ts'
import { allowedTo } from '../auth/roles.ts'
import { linkTo, mailing, type Ways } from '../auth/way.ts'
import { type Crm, roles } from '../crm.ts'
import { query, readWithin, within } from '../database.ts'
import { Invalid, NotFound } from '../errors.ts'
import { words } from '../filter.ts'
import { read } from '../form.ts'
import type { Section } from '../section.ts'
import { codeOf, registrationsOf } from './registrations.ts'

interface Parts {
  crm: Crm
  database: Knex
  mailed: Ways | undefined
  sections: Section[]
}

const shown = 100

/** Who may sign in, who was invited and has not come, and whom of the CRM's clients one could invite. */
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
    res.answer('settings/people', {
      search,
      clients,
      more,
      asking,
      roles,
      ...lists,
      done: String(req.query.done ?? ''),
    })
  }

/** The people of one client as the CRM knows them, to be chosen from, and room for one more. */
export const showInvite =
  ({ crm, database, mailed, sections }: Parts): RequestHandler<any> =>
  async (req, res) => {
    const client = await clientOf(crm, req)
    const { workspace, problem } = req.portal
    const [contacts, known, ways, code] = await Promise.all([
      crm.directory.contacts(workspace, client.id),
      knownOf(database, workspace.id, client.id),
      offered(database, workspace.id, mailed !== undefined),
      mailed && codeOf(database, workspace.id, client.id, mailed.secrets),
    ])
    const typed = (problem instanceof Invalid ? problem.typed : {}) as Record<string, unknown>
    res.answer('settings/invite', {
      client,
      contacts,
      known: new Map(known.map(it => [it.email, it.state])),
      roles,
      allowed: Object.fromEntries(roles.map(it => [it, allowedTo(sections, req.portal.rights, it)])),
      typed,
      registers: ways.registration,
      code,
    })
  }

export const saveInvite =
  ({ crm, database, mailed }: Parts): RequestHandler<any> =>
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
        if (mailed)
          await inviting(mailed, req, tx, {
            ...it,
            client: client.name,
            invitedBy,
            link: linkTo(mailed, req, `/invitation/${token}`),
          })
      }
      return links
    }
    if (mailed) {
      await mailing(mailed, req, work)
      return res.redirect(303, req.portal.url('/people?done=invited'))
    }
    const links = await within(database, { workspace: workspace.id }, work)
    res.answer('settings/invited', { links })
  }

export const saveInviteAgain =
  ({ database, mailed }: Parts): RequestHandler<any> =>
  async (req, res) => {
    const { workspace } = req.portal
    const work = async (tx: Knex) => {
      const it = await inviteAgain(tx, req, req.params.id)
      if (mailed) await inviting(mailed, req, tx, { ...it, link: linkTo(mailed, req, `/invitation/${it.token}`) })
      return it
    }
    if (mailed) {
      await mailing(mailed, req, work)
      return res.redirect(303, req.portal.url('/people?done=invited'))
    }
    const { email, token, client } = await within(database, { workspace: workspace.id }, work)
    res.answer('settings/invited', { links: [{ email, link: `/invitation/${token}`, client }] })
  }

export const saveRevocation =
  ({ database }: Parts): RequestHandler<any> =>
  async (req, res) => {
    await within(database, { workspace: req.portal.workspace.id }, tx => revoke(tx, req, req.params.id))
    res.redirect(303, req.portal.url('/people?done=revoked'))
  }

/** Holds from that person's next request on, in every browser, and for every account of theirs. */
export const saveSuspension =
  ({ database }: Parts): RequestHandler<any> =>
  async (req, res) => {
    const { suspended } = z.object({ suspended: z.string() }).catch({ suspended: '' }).parse(req.portal.body)
    const on = suspended === 'on'
    await within(database, { workspace: req.portal.workspace.id }, async tx => {
      const { person } = req.params
      const all = await accountsBeside(tx, req.portal.workspace.id, person)
      const rows = await query<{ id: string; name: string }>(tx, {
        text: `update portal.client_users set suspended_at = ${on ? 'coalesce(suspended_at, portal.now())' : 'null'}
               where workspace_id = $1 and id::text = any($2) and $3 in ('on', 'off') returning id::text, name`,
        values: [req.portal.workspace.id, all, suspended],
      })
      const row = rows.find(it => it.id === person)
      if (!row) throw new NotFound()
      if (on) await voidInvitations(tx, req.portal.workspace.id, all)
      await note(tx, req, {
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
        [z.literal(''), z.email('Type an e-mail address, like jo@example.com.')],
        'Type an e-mail address, like jo@example.com.',
      )
      .default(''),
  })
  .refine(it => it.chosen.length || it.email, {
    path: ['email'],
    message: 'Choose somebody, or type an e-mail address.',
  })
  .refine(it => !it.email || it.name, { path: ['name'], message: 'Type the name of this person.' })
  .superRefine(({ email, name }, { addIssue }) => {
    const problem = email && name && nameProblem(name)
    if (problem) addIssue({ code: 'custom', path: ['name'], message: problem })
  })

async function clientOf(crm: Crm, req: Request<any>) {
  const client = await crm.directory.client(req.portal.workspace, String(req.params.client))
  if (!client) throw new NotFound()
  return client
}

const peopleLike = (database: Knex, workspace: string, search: string) =>
  readWithin(
    database,
    { workspace },
    {
      name: 'portal.people',
      text: `select u.id::text, u.name, u.email, u.suspended_at is not null as suspended,
               exists (select from portal.client_factors f where f.workspace_id = u.workspace_id and f.person_id = u.id
                       and f.confirmed_at is not null) as factor, u.factors_end_at as "factorsEnd",
               jsonb_agg(jsonb_build_object('client', m.client_name, 'role', m.role) order by m.client_name) as memberships,
               (select max(s.expire) - interval '24 hours' from portal.client_sessions s
                where s.workspace_id = u.workspace_id and s.person_id = u.id and s.sid not like 'api.%') as seen
             from portal.client_users u join portal.client_memberships m
               on m.workspace_id = u.workspace_id and m.person_id = u.id
             where u.workspace_id = scope.workspace
               and ($3 = '%%' or u.name ilike $3 or u.email ilike $3 or m.client_name ilike $3)
             group by u.workspace_id, u.id order by lower(u.name), u.id limit ${shown + 1}`,
      values: [like(search)],
    },
  )

const invitationsLike = (database: Knex, workspace: string, search: string) =>
  readWithin(
    database,
    { workspace },
    {
      name: 'portal.invitations',
      text: `select i.id::text, i.name, i.email, i.client_name as client, i.role, i.invited_by as by, i.created_at as at,
               i.expires_at < portal.now() or i.revoked_at is not null as over, i.asked_at as asked
             from portal.client_invitations i
             where i.workspace_id = scope.workspace and i.used_at is null and (i.revoked_at is null or i.asked_at is not null)
               and ($3 = '%%' or i.name ilike $3 or i.email ilike $3 or i.client_name ilike $3)
             order by i.asked_at desc nulls last, i.created_at desc, i.id limit ${shown + 1}`,
      values: [like(search)],
    },
  )

/** Who of a client is in already, or was asked. */
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
