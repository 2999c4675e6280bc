import type { Request, RequestHandler } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { note } from '../activity.ts'
import type { RequestContext } from '../context.ts'
import type { Crm } from '../crm.ts'
import { query, readWithin, within } from '../database.ts'
import { Conflict, NotFound } from '../errors.ts'
import { queue } from '../evidence/signing.ts'
import { read } from '../form.ts'
import type { Gate } from '../gate/gate.ts'
import type { Jobs } from '../jobs.ts'
import { dateIn, zoneOf } from '../language.ts'
import { gaps, Policy, policyName, ways } from '../offer/signing.ts'
import { standOf } from '../offer/since-signed.ts'

/** What the form of signing asks; each way that is ticked is sent. */
const Form = z.object({
  ways: z
    .union([z.enum(ways).transform(it => [it]), z.array(z.enum(ways))], 'Leave at least one way to sign.')
    .default([]),
  'was.signing': z.string().optional(),
  consent: z
    .string()
    .trim()
    .max(2_000, 'This is too long.')
    .refine(it => [...it.matchAll(/\{(\w*)\}/g)].every(([, name]) => gaps.some(gap => gap === name)), {
      message: 'Only document, version, total and client can stand in braces.',
    })
    .default(''),
  next: z.string().trim().max(2_000, 'This is too long.').default(''),
  copies: z.union([z.literal(''), z.email('This is no e-mail address.')], 'This is no e-mail address.').default(''),
})

export const showSigning =
  (database: Knex): RequestHandler<any> =>
  async (req, res) => {
    const policy = await policyIn(database, req.portal.workspace.id)
    const typed = req.portal.problem ? Object(req.portal.body) : {}
    res.answer('settings/signing', {
      policy: { ...policy, ...typed, ways: [typed.ways ?? policy.ways].flat() },
      was: JSON.stringify(policy),
      all: ways,
      saved: req.query.saved === '',
    })
  }

export const saveSigning =
  (database: Knex): RequestHandler<any> =>
  async (req, res) => {
    const form = read(Form, req)
    // An empty body is no form of ours: nothing is meant by it.
    if (form['was.signing'] === undefined) return res.redirect(303, req.portal.url('/signing'))
    const { 'was.signing': was, ...after } = { ...form, ways: form.ways.length ? form.ways : undefined }
    await change(database, req, was ?? '', Policy.parse(after))
    res.redirect(303, req.portal.url('/signing?saved'))
  }

async function change(database: Knex, req: Request<any>, was: string, after: Policy) {
  const { workspace, staff } = req.portal
  await within(database, { workspace: workspace.id }, async tx => {
    const before = await policyIn(tx, workspace.id)
    if (JSON.stringify(before) !== was) throw new Conflict()
    if (JSON.stringify(before) === JSON.stringify(after)) return
    await query(tx, {
      text: `insert into portal.client_portal_settings (workspace_id, name, value, changed_by) values ($1, $2, $3, $4)
             on conflict (workspace_id, client_id, person_id, name)
               do update set value = excluded.value, changed_at = portal.now(), changed_by = excluded.changed_by`,
      values: [workspace.id, policyName, JSON.stringify(after), staff?.name],
    })
    await note(tx, req, {
      event: 'settings.signing',
      subject: { id: policyName, before: JSON.stringify(before), after: JSON.stringify(after) },
    })
  })
}

async function policyIn(database: Knex, workspace: string): Promise<Policy> {
  const [row] = await readWithin<{ value: unknown }>(
    database,
    { workspace },
    {
      text: `select t.value from portal.client_portal_settings t
           where t.workspace_id = scope.workspace and t.client_id = '' and t.person_id = '' and t.name = $3`,
      values: [policyName],
    },
  )
  return Policy.parse(row?.value ?? {})
}

/** Answers on a page. */
const size = 100

const Shown = z.object({
  show: z.enum(['all', 'waiting', 'refused']).catch('all'),
  /** Number of a link of the chain. */
  before: z.coerce.number().int().positive().catch(Number.MAX_SAFE_INTEGER),
})

/** Answers of clients, the latest first, each with how far it has come. */
export const showAnswers =
  ({ database, ...parts }: Parts): RequestHandler<any> =>
  async (req, res) => {
    const { show, before } = Shown.parse(req.query)
    const rows = await readWithin(
      database,
      { workspace: req.portal.workspace.id },
      {
        name: 'portal.answers',
        text: `select s.id, s.at, s.act, s.section, s.number, s.version, s.signer, s.evidence, s.evidence::jsonb #>> '{signer,client,name}' as client,
               s.state, exists (select from portal.client_signatures c where c.workspace_id = s.workspace_id and c.act = 'countersigned'
                 and c.section = s.section and c.document_id = s.document_id and c.version = s.version) as countersigned, s.tries, s.tried_at, s.settled_at, s.why, s.sealed_at, s.link::int
             from portal.client_signatures s
             where s.workspace_id = scope.workspace
               and ($3 = 'all' or ($3 = 'waiting' and s.state in ('saved', 'passing')) or s.state = $3)
               and s.link < $4 order by s.link desc limit ${size + 1}`,
        values: [show, before],
      },
    )
    res.answer('settings/answers', {
      rows: await compared(rows.slice(0, size), req.portal, parts),
      next: rows.length > size ? rows[size - 1].link : null,
      show,
      retried: req.query.retried === '',
      signed: req.query.countersigned === '',
    })
  }

interface Parts {
  crm: Crm
  database: Knex
  door: Gate
}

/** Milliseconds that the CRM may take to say how its documents are now; the rest of the page is there without it. */
const patience = 2_000

/** Each answer without its evidence, and accepted ones with how the document stands in the CRM by now. */
async function compared(rows: any[], visit: RequestContext, { crm, door }: Omit<Parts, 'database'>) {
  const { workspace, now } = visit
  const asking = { crm, door, workspace, today: dateIn(zoneOf(workspace.timeZone), now) }
  const stands = new Map<string, Awaited<ReturnType<typeof standOf>>>()
  const waiting = rows.filter(it => it.act === 'accepted' && it.state === 'confirmed' && it.evidence)
  const until = performance.now() + patience
  const ask = async () => {
    for (let it = waiting.shift(); it && performance.now() < until; it = waiting.shift())
      stands.set(it.id, await standOf(it.evidence, asking, visit))
  }
  const patient = AbortSignal.timeout(patience)
  const over = new Promise<void>(resolve => patient.addEventListener('abort', () => resolve(), { once: true }))
  await Promise.race([Promise.all([ask(), ask(), ask()]), over])
  return rows.map(({ evidence, ...it }) => ({ ...it, stand: stands.get(it.id) }))
}

/** Tries once more, now, what has not arrived yet. */
export const saveRetry =
  (database: Knex, jobs: Jobs): RequestHandler<any> =>
  async (req, res) => {
    const { workspace } = req.portal
    const id = z.uuid().safeParse(req.params.id).data
    await within(database, { workspace: workspace.id }, async tx => {
      const [row] = await query(tx, {
        text: `select number from portal.client_signatures
               where workspace_id = $1 and id = $2 and (state in ('saved', 'passing') or state = 'confirmed' and sealed is null)`,
        values: [workspace.id, id ?? null],
      })
      if (!row) throw new NotFound()
      await jobs.send(tx, queue, { workspace: workspace.id, slug: workspace.slug, id })
      await note(tx, req, { event: 'answers.retried', subject: { id, number: row.number } })
    })
    jobs.wake()
    res.redirect(303, req.portal.url('/answers?retried'))
  }

/** The company's own yes to what a client accepted: a link of its own in the chain. */
export const saveCountersignature: RequestHandler<any> = async (req, res) => {
  const { t, signing, workspace, url } = req.portal
  const id = z.uuid().safeParse(req.params.id).data
  if (!id) throw new NotFound()
  await signing.countersign(req, id, t('I countersign this for {workspace}.', { workspace: workspace.name }))
  res.redirect(303, url('/answers?countersigned'))
}
