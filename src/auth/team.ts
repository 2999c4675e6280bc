import { type RequestHandler, Router } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { note } from '../activity.ts'
import { otherwise } from '../answer.ts'
import { type Crm, type Role, roles } from '../crm.ts'
import { query, readWithin, within } from '../database.ts'
import { Invalid, NotFound } from '../errors.ts'
import { read } from '../form.ts'
import { limitForm, limitName, limitSql, moneyIn, saveLimit } from '../offer/limit.ts'
import { anyMember, clientAdmins, type Section, stepUp } from '../section.ts'
import { stored } from '../settings/store.ts'
import { accountsBeside, contactAt } from './identity.ts'
import { invite, inviteAgain, revoke, voidInvitations } from './invitations.ts'
import { inviting } from './inviting.ts'
import { personName } from './names.ts'
import { allowedTo, includes } from './roles.ts'
import { linkTo, mailing, type Ways } from './way.ts'

interface Parts {
  crm: Crm
  database: Knex
  mailed: Ways | undefined
  sections: Section[]
}

interface Colleague {
  id: string
  name: string
  email: string
  role: Role
  suspended: boolean
  /** Up to which total they may accept, as `10000.00 EUR`. */
  limit: string | null
}

/** Who else of one's own company is here; its admins invite, change roles and end access. One admin always stays. */
export function team({ crm, database, mailed, sections }: Parts): Router {
  const router = Object.assign(Router(), { at: '/team' })

  const show: RequestHandler<any> = async (req, res) => {
    const { workspace, customer, crm, on, rights } = req.portal
    const there = sections.filter(it => it.name in crm && on(it.name))
    res.answer('account/team', {
      people: (await colleagues(database, workspace.id, customer.client.id)).map(it => ({
        ...it,
        limit: moneyIn(it.limit),
      })),
      waiting: await invited(database, workspace.id, customer.client.id),
      roles,
      allowed: Object.fromEntries(roles.map(it => [it, allowedTo(there, rights, it)])),
      accepts: roles.filter(role =>
        there.some(it => {
          const name = `${it.name}.answer` as const
          return includes(rights, role, name, it.permissions[name])
        }),
      ),
      mails: mailed !== undefined,
      done: String(req.query.done ?? ''),
    })
  }

  router.get('/', anyMember, show)

  if (mailed)
    router.post(
      '/invitations',
      clientAdmins,
      stepUp('team.change'),
      async (req, res) => {
        const { name, email, role } = read(Inviting, req)
        const { workspace, customer } = req.portal
        const { client, person } = customer
        await mailed.limits.count(req, { mail: `invite ${email}`, inviter: person.id, client: client.id })
        const contact = (await contactAt(crm.directory, workspace, client.id, email))?.id ?? null
        await mailing(mailed, req, async tx => {
          const it = { email, name, client, contact, role, invitedBy: person.name }
          const token = await invite(tx, workspace.id, it, req)
          await inviting(mailed, req, tx, {
            email,
            name,
            client: client.name,
            invitedBy: person.name,
            link: linkTo(mailed, req, `/invitation/${token}`),
          })
        })
        res.redirect(303, req.portal.url('/team?done=invited'))
      },
      otherwise(show),
    )

  if (mailed)
    router.post(
      '/invitations/:invitation',
      clientAdmins,
      stepUp('team.change'),
      async (req, res) => {
        const { client, person } = req.portal.customer
        const id = String(req.params.invitation)
        await mailed.limits.count(req, { mail: `invitation ${id}`, inviter: person.id, client: client.id })
        await mailing(mailed, req, async tx => {
          const it = await inviteAgain(tx, req, id, client.id)
          await inviting(mailed, req, tx, { ...it, link: linkTo(mailed, req, `/invitation/${it.token}`) })
        })
        res.redirect(303, req.portal.url('/team?done=invited'))
      },
      otherwise(show),
    )

  router.post('/invitations/:invitation/revocation', clientAdmins, stepUp('team.change'), async (req, res) => {
    const { workspace, customer } = req.portal
    const scope = { workspace: workspace.id }
    await within(database, scope, tx => revoke(tx, req, String(req.params.invitation), customer.client.id))
    res.redirect(303, req.portal.url('/team?done=revoked'))
  })

  router.post(
    '/:person/role',
    clientAdmins,
    stepUp('team.change'),
    async (req, res) => {
      const { role } = z.object({ role: z.enum(roles) }).safeParse(req.portal.body).data ?? {}
      const { workspace, customer } = req.portal
      await within(database, { workspace: workspace.id }, async tx => {
        const { name, role: before, accounts } = await held(tx, req, role !== 'admin')
        if (!role) throw new Invalid({ role: ['Choose one of the roles.'] }, {})
        await query(tx, {
          text: `update portal.client_memberships set role = $4
                 where workspace_id = $1 and client_id = $2 and person_id::text = any($3)`,
          values: [workspace.id, customer.client.id, accounts, role],
        })
        await voidInvitations(tx, workspace.id, accounts, customer.client.id)
        await forgetCopies(tx, workspace.id, accounts, customer.client.id)
        await note(tx, req, { event: 'team.changed', subject: { id: req.params.person, name, before, after: role } })
      })
      res.redirect(303, req.portal.url('/team?done=changed'))
    },
    otherwise(show),
  )

  const showLimit: RequestHandler<any> = async (req, res) => {
    const { workspace, customer } = req.portal
    const person = (await colleagues(database, workspace.id, customer.client.id)).find(
      it => it.id === req.params.person,
    )
    if (!person) throw new NotFound()
    const own = await stored<any>(database, workspace.id, customer.client.id, person.id)
    const all = await stored<any>(database, workspace.id, customer.client.id)
    res.answer('account/limit', {
      person,
      inherited: person.role === 'admin' ? null : moneyIn(all.get(limitName)),
      limit: limitForm(req.portal, own.get(limitName)),
    })
  }

  router.get('/:person/limit', clientAdmins, showLimit)

  router.post(
    '/:person/limit',
    clientAdmins,
    stepUp('team.change'),
    async (req, res) => {
      const { workspace, customer } = req.portal
      await within(database, { workspace: workspace.id }, async tx => {
        const { person, name } = await held(tx, req, false)
        if (person === customer.person.id)
          throw new Invalid({ amount: ['Your own limit is set by another admin.'] }, req.portal.body)
        await saveLimit(tx, req, { client: customer.client.id, person, name })
      })
      res.redirect(303, req.portal.url('/team?done=changed'))
    },
    otherwise(showLimit),
  )

  router.post(
    '/:person/removal',
    clientAdmins,
    stepUp('team.change'),
    async (req, res) => {
      const { workspace, customer } = req.portal
      await within(database, { workspace: workspace.id }, async tx => {
        const { name, accounts } = await held(tx, req, true)
        await voidInvitations(tx, workspace.id, accounts, customer.client.id)
        await query(tx, {
          text: `delete from portal.client_memberships
                 where workspace_id = $1 and client_id = $2 and person_id::text = any($3)`,
          values: [workspace.id, customer.client.id, accounts],
        })
        await note(tx, req, { event: 'team.removed', subject: { id: req.params.person, name } })
      })
      res.redirect(303, req.portal.url('/team?done=removed'))
    },
    otherwise(show),
  )

  return router
}

const Inviting = z.object({
  name: personName('Type the name of this person.'),
  email: z.string().trim().toLowerCase().pipe(z.email('Type an e-mail address, like jo@example.com.')),
  role: z.enum(roles, 'Choose one of the roles.'),
})

const keyOf = ({ portal, params }: Parameters<RequestHandler<any>>[0]) => [
  portal.workspace.id,
  portal.customer.client.id,
  params.person,
]

/** A copy of their data holds what the role before let them see. */
const forgetCopies = (tx: Knex, workspace: string, people: string[], client: string) =>
  query(tx, {
    text: `delete from portal.client_exports where workspace_id = $1 and person_id::text = any($2) and client_id = $3`,
    values: [workspace, people, client],
  })

/**
 * The membership that is to change, with those of the company's other admins held until the transaction ends, so that
 * of two who demote each other one is refused; and all accounts of that human, who has one role at a client. Throws
 * NotFound for who is none of theirs, Invalid for the last admin.
 */
async function held(tx: Knex, req: Parameters<RequestHandler<any>>[0], lessens: boolean) {
  const [workspace, client, person] = keyOf(req)
  const accounts = await accountsBeside(tx, workspace, person)
  const rows = await query<{ person: string; name: string; role: Role; suspended: boolean }>(tx, {
    text: `select m.person_id::text as person, u.name, m.role, u.suspended_at is not null as suspended
           from portal.client_memberships m join portal.client_users u
             on u.workspace_id = m.workspace_id and u.id = m.person_id
           where m.workspace_id = $1 and m.client_id = $2 and (m.person_id::text = $3 or m.role = 'admin')
           order by m.person_id for update of m`,
    values: [workspace, client, person],
  })
  const it = rows.find(row => row.person === person)
  if (!it) throw new NotFound()
  const others = rows.some(row => !accounts.includes(row.person) && row.role === 'admin' && !row.suspended)
  if (lessens && it.role === 'admin' && !others)
    throw new Invalid({ role: ['One admin has to stay. Make somebody else an admin first.'] }, { person })
  return { ...it, accounts }
}

const colleagues = (database: Knex, workspace: string, client: string): Promise<Colleague[]> =>
  readWithin(
    database,
    { workspace },
    {
      name: 'portal.colleagues',
      text: `select u.id::text, u.name, u.email, m.role, u.suspended_at is not null as suspended, ${limitSql} as limit
             from portal.client_memberships m join portal.client_users u
               on u.workspace_id = m.workspace_id and u.id = m.person_id
             where m.workspace_id = scope.workspace and m.client_id = $3 order by lower(u.name), u.id limit 500`,
      values: [client],
    },
  )

const invited = (database: Knex, workspace: string, client: string) =>
  readWithin(
    database,
    { workspace },
    {
      name: 'portal.invited',
      text: `select i.id::text, i.name, i.email, i.role, i.invited_by as by, i.created_at as at, i.asked_at as asked from portal.client_invitations i
             where i.workspace_id = scope.workspace and i.client_id = $3 and i.used_at is null and i.revoked_at is null
               and (i.expires_at > portal.now() or i.asked_at is not null) order by i.asked_at desc nulls last, i.created_at desc limit 100`,
      values: [client],
    },
  )
