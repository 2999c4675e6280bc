import { createHash, randomBytes, randomInt } from 'node:crypto'
import { type Request, type RequestHandler, Router } from 'express'
import type { Knex } from 'knex'
import { v7 as uuid } from 'uuid'
import { z } from 'zod'
import type { Activation } from '../crm/activation/activation.ts'
import { Gone } from '../http/errors.ts'
import { read } from '../http/forms.ts'
import { showAgainOnError } from '../http/respond.ts'
import { anybody } from '../http/rules.ts'
import { recordEventIn } from '../platform/activity.ts'
import { customerCodeHash, seal } from '../platform/crypto.ts'
import { query, within } from '../platform/database.ts'
import type { Flags } from '../platform/flags.ts'
import type { Jobs } from '../platform/jobs.ts'
import { linkTo, type MailContext, sendMail, withMail } from './mail-context.ts'
import { personName } from './names.ts'
import { accountOf } from './people.ts'
import { portalOffSql } from './portal-switch.ts'

/** How long a person has to confirm their address, in days. After that the request is deleted. */
const days = 7
const queue = 'registrations'

/**
 * Requests access by a client's code. The person confirms their address first; then the request waits for staff.
 * Responses do not reveal whether the code or address is known. Mail is sent only for a right code, so strangers cannot
 * trigger any.
 */
export function registrationRoutes(mailContext: MailContext & { jobs: Jobs }): Router {
  const router = Router()

  router.get('/register', anybody, show)

  router.post(
    '/register',
    anybody,
    async (req, res) => {
      const { name, email, code } = read(Asking, req)
      await mailContext.limits.count(req, { mail: `register ${email}` })
      await withMail(mailContext, req, async tx => {
        const { workspace } = req.portal
        const client = await clientBy(tx, workspace.id, code, mailContext.secrets)
        const account = await accountOf(tx, workspace.id, email)
        const here = account?.memberships.some(it => it.client === client?.id) ?? false
        const token = await store(tx, req, { name, email, client: here ? undefined : client }, mailContext.jobs)
        const to = client && { email, language: account?.language ?? null }
        await sendMail(mailContext, req, tx, here ? 'registration-known' : 'registration', to, {
          url: linkTo(mailContext, req, here ? '/sign-in' : `/register/${token}`),
        })
      })
      res.redirect(303, req.portal.url('/register?sent'))
    },
    showAgainOnError(show),
  )

  router.get('/register/:token', anybody, async (req, res) => {
    const workspace = req.portal.workspace.id
    const [row] = await within(mailContext.database, { workspace }, tx =>
      query(tx, {
        text: `select r.email, r.client_name as client from portal.client_registrations r where ${open}`,
        values: [workspace, hash(String(req.params.token))],
      }),
    )
    if (!row) throw new Gone({ path: '/register', label: 'Ask for access' })
    req.portal.frame = 'bare'
    res.respond('auth/register-confirm', row)
  })

  router.post('/register/:token', anybody, async (req, res) => {
    const workspace = req.portal.workspace.id
    await within(mailContext.database, { workspace }, async tx => {
      const [row] = await query(tx, {
        text: `update portal.client_registrations r set confirmed_at = portal.now() where ${open} returning id::text, name, email, client_name`,
        values: [workspace, hash(String(req.params.token))],
      })
      if (!row) throw new Gone({ path: '/register', label: 'Ask for access' })
      await recordEventIn(tx, req, {
        event: 'people.registered',
        subject: { id: row.id, email: row.email, client: row.client_name },
        actor: { kind: 'nobody', name: row.name },
      })
    })
    res.redirect(303, req.portal.url('/register?confirmed'))
  })

  return router
}

/** Deletes requests that were not confirmed in time: one job for each request, which also deletes older ones. */
export function registrationCleanup({
  database,
  activation,
  flags,
  jobs,
}: {
  database: Knex
  activation: Activation
  flags: Flags
  jobs: Jobs
}) {
  jobs.work<{ workspace: string; slug: string }>(
    queue,
    async ({ data: { workspace, slug } }) => {
      if (!flags.enabled(slug) || !(await activation.isAccepted()))
        throw new Error(`The portal of ${slug} is switched off.`)
      await within(database, { workspace }, tx => forget(tx, workspace))
    },
    { every: 60 },
  )
}

const forget = (tx: Knex, workspace: string) =>
  query(tx, {
    text: `delete from portal.client_registrations
           where workspace_id = $1 and confirmed_at is null and created_at <= portal.now() - interval '${days} days'`,
    values: [workspace],
  })

const open = `r.workspace_id = $1 and r.token_hash = $2 and r.client_id is not null and r.confirmed_at is null
  and r.created_at > portal.now() - interval '${days} days'`

const Asking = z.object({
  name: personName('Enter your name.'),
  email: z.string().trim().toLowerCase().max(320).pipe(z.email('Enter an e-mail address, like jo@example.com.')),
  code: z
    .string('Enter the customer code.')
    .trim()
    .min(1, 'Enter the customer code.')
    .max(100, 'Enter the customer code.'),
})

const show: RequestHandler = (req, res) => {
  const said = req.portal.problem ? '' : (['sent', 'confirmed'].find(it => req.query[it] === '') ?? '')
  req.portal.frame = 'bare'
  res.respond('auth/register', { said })
}

interface Asked {
  name: string
  email: string
  client: { id: string; name: string } | undefined
}

async function store(tx: Knex, req: Request<any>, { name, email, client }: Asked, jobs: Jobs): Promise<string> {
  const { workspace, locale } = req.portal
  const token = randomBytes(32).toString('base64url')
  await forget(tx, workspace.id)
  await query(tx, {
    text: `with earlier as (
             delete from portal.client_registrations
             where workspace_id = $1 and email = $3 and client_id is not distinct from $6 and confirmed_at is null)
           insert into portal.client_registrations (workspace_id, id, email, name, language, client_id, client_name, token_hash)
           values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    values: [workspace.id, uuid(), email, name, locale, client?.id ?? null, client?.name ?? null, hash(token)],
  })
  await jobs.send(tx, queue, { workspace: workspace.id, slug: workspace.slug }, days * 86_400 + 60)
  return token
}

/**
 * Excludes characters that are easily confused. 49 bits: guessing is not feasible at the rate that the limits allow.
 */
const codeAlphabet = 'ABCDEFGHJKMNPQRSTVWXYZ23456789'

/** Creates a new code for this client, which replaces the former one. */
export async function renewCode(tx: Knex, req: Request<any>, client: { id: string; name: string }, secrets: string[]) {
  const code = Array.from({ length: 10 }, () => codeAlphabet[randomInt(codeAlphabet.length)]).join('')
  await query(tx, {
    text: `insert into portal.client_registration_codes (workspace_id, client_id, client_name, code_hash, sealed, changed_by)
           values ($1, $2, $3, $4, $5, $6)
           on conflict (workspace_id, client_id) do update set client_name = excluded.client_name,
             code_hash = excluded.code_hash, sealed = excluded.sealed, changed_at = portal.now(), changed_by = excluded.changed_by`,
    values: [
      ...[
        req.portal.workspace.id,
        client.id,
        client.name,
        customerCodeHash(code, secrets[0] ?? ''),
        seal(code, secrets, 'customer code'),
      ],
      req.portal.staff?.name,
    ],
  })
  await recordEventIn(tx, req, { event: 'people.code_made', subject: { id: client.id, client: client.name } })
}

async function clientBy(tx: Knex, workspace: string, typed: string, secrets: string[]) {
  const code = typed.toUpperCase().replace(/[^A-Z0-9]/g, '')
  const [row] = await query<{ id: string; name: string }>(tx, {
    text: `select c.client_id as id, c.client_name as name from portal.client_registration_codes c
           where c.workspace_id = $1 and c.code_hash = any($2) and not ${portalOffSql('c')}`,
    values: [workspace, secrets.map(it => customerCodeHash(code, it))],
  })
  return row
}

const hash = (token: string) => createHash('sha256').update(token).digest('base64url')
