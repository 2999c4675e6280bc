import { createHash, randomBytes, randomInt } from 'node:crypto'
import { type Request, type RequestHandler, Router } from 'express'
import type { Knex } from 'knex'
import { v7 as uuid } from 'uuid'
import { z } from 'zod'
import { note } from '../activity.ts'
import { otherwise } from '../answer.ts'
import { keyedHash, seal } from '../crypto.ts'
import { query, within } from '../database.ts'
import { Gone } from '../errors.ts'
import type { Flags } from '../flags.ts'
import { read } from '../form.ts'
import type { Gate } from '../gate/gate.ts'
import type { Jobs } from '../jobs.ts'
import { anybody } from '../section.ts'
import { personName } from './names.ts'
import { accountOf } from './people.ts'
import { linkTo, mailing, type Ways, write } from './way.ts'

/** How long somebody has to confirm their address before they are forgotten, in days. */
const days = 7
const queue = 'registrations'

/**
 * Asking for access by a client's code. The address is confirmed first, then it waits for staff. Right and wrong codes,
 * known and unknown addresses are answered alike; mail goes only where the code was right, so that strangers get none.
 */
export function register(ways: Ways & { jobs: Jobs }): Router {
  const router = Router()

  router.get('/register', anybody, show)

  router.post(
    '/register',
    anybody,
    async (req, res) => {
      const { name, email, code } = read(Asking, req)
      await ways.limits.count(req, { mail: `register ${email}` })
      await mailing(ways, req, async tx => {
        const { workspace } = req.portal
        const client = await clientBy(tx, workspace.id, code, ways.secrets)
        const account = await accountOf(tx, workspace.id, email)
        const here = account?.memberships.some(it => it.client === client?.id) ?? false
        const token = await store(tx, req, { name, email, client: here ? undefined : client }, ways.jobs)
        const to = client && { email, language: account?.language ?? null }
        await write(ways, req, tx, here ? 'registration-known' : 'registration', to, {
          url: linkTo(ways, req, here ? '/sign-in' : `/register/${token}`),
        })
      })
      res.redirect(303, req.portal.url('/register?sent'))
    },
    otherwise(show),
  )

  router.get('/register/:token', anybody, async (req, res) => {
    const workspace = req.portal.workspace.id
    const [row] = await within(ways.database, { workspace }, tx =>
      query(tx, {
        text: `select r.email, r.client_name as client from portal.client_registrations r where ${open}`,
        values: [workspace, hash(String(req.params.token))],
      }),
    )
    if (!row) throw new Gone()
    req.portal.frame = 'solo'
    res.answer('auth/register-confirm', row)
  })

  router.post('/register/:token', anybody, async (req, res) => {
    const workspace = req.portal.workspace.id
    await within(ways.database, { workspace }, async tx => {
      const [row] = await query(tx, {
        text: `update portal.client_registrations r set confirmed_at = portal.now() where ${open} returning id::text, name, email, client_name`,
        values: [workspace, hash(String(req.params.token))],
      })
      if (!row) throw new Gone()
      await note(tx, req, {
        event: 'people.registered',
        subject: { id: row.id, email: row.email, client: row.client_name },
        actor: { kind: 'nobody', name: row.name },
      })
    })
    res.redirect(303, req.portal.url('/register?confirmed'))
  })

  return router
}

/** Forgets whoever has not confirmed their address in time: a job of each registration, and in passing of earlier ones. */
export function forgetting({ database, door, flags, jobs }: { database: Knex; door: Gate; flags: Flags; jobs: Jobs }) {
  jobs.work<{ workspace: string; slug: string }>(
    queue,
    async ({ data: { workspace, slug } }) => {
      if (!flags.enabled(slug) || !(await door.opened())) throw new Error(`The portal of ${slug} is switched off.`)
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
  name: personName('Type your name.'),
  email: z.string().trim().toLowerCase().max(320).pipe(z.email('Type an e-mail address, like jo@example.com.')),
  code: z
    .string('Type the customer code.')
    .trim()
    .min(1, 'Type the customer code.')
    .max(100, 'Type the customer code.'),
})

const show: RequestHandler = (req, res) => {
  const said = req.portal.problem ? '' : (['sent', 'confirmed'].find(it => req.query[it] === '') ?? '')
  req.portal.frame = 'solo'
  res.answer('auth/register', { said })
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

/** Without what is easily mistaken for something else. 49 bits: at the limits' pace a guess takes longer than anybody has. */
const letters = 'ABCDEFGHJKMNPQRSTVWXYZ23456789'

/** A new code of this client, in place of the one before. */
export async function renewCode(tx: Knex, req: Request<any>, client: { id: string; name: string }, secrets: string[]) {
  const code = Array.from({ length: 10 }, () => letters[randomInt(letters.length)]).join('')
  await query(tx, {
    text: `insert into portal.client_codes (workspace_id, client_id, client_name, code_hash, sealed, changed_by)
           values ($1, $2, $3, $4, $5, $6)
           on conflict (workspace_id, client_id) do update set client_name = excluded.client_name,
             code_hash = excluded.code_hash, sealed = excluded.sealed, changed_at = portal.now(), changed_by = excluded.changed_by`,
    values: [
      ...[
        req.portal.workspace.id,
        client.id,
        client.name,
        codeHash(code, secrets[0] ?? ''),
        seal(code, secrets, 'customer code'),
      ],
      req.portal.staff?.name,
    ],
  })
  await note(tx, req, { event: 'people.coded', subject: { id: client.id, client: client.name } })
}

async function clientBy(tx: Knex, workspace: string, typed: string, secrets: string[]) {
  const code = typed.toUpperCase().replace(/[^A-Z0-9]/g, '')
  const [row] = await query<{ id: string; name: string }>(tx, {
    text: `select c.client_id as id, c.client_name as name from portal.client_codes c
           where c.workspace_id = $1 and c.code_hash = any($2)`,
    values: [workspace, secrets.map(it => codeHash(code, it))],
  })
  return row
}

/** By which a code is found: as its client's people type it, without the dash. */
export const codeHash = (code: string, secret: string) => keyedHash(code, secret, 'customer code')

const hash = (token: string) => createHash('sha256').update(token).digest('base64url')
