import type { Request, RequestHandler } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import type { Activation } from '../crm/activation/activation.ts'
import type { Crm } from '../crm/crm.ts'
import { pageInCrm } from '../crm/pages.ts'
import type { Evidence, Signature } from '../evidence/evidence.ts'
import { queue } from '../evidence/signing.ts'
import { standingInCrm } from '../evidence/standing.ts'
import { pathOf } from '../evidence/strokes.ts'
import type { RequestContext } from '../http/context.ts'
import { NotFound } from '../http/errors.ts'
import { sendPdf } from '../pdf/print.ts'
import { recordEvent, recordEventIn } from '../platform/activity.ts'
import { query, readWithin, within } from '../platform/database.ts'
import { dateIn, zoneOf } from '../platform/i18n.ts'
import type { Jobs } from '../platform/jobs.ts'
import type { Section } from '../plugin/plugin.ts'

/** Responses per page. */
const size = 25

/** What can be shown alone, as a condition over the signatures `s`: each has an index. */
const filters = {
  all: 'true',
  accepted: `s.act = 'accepted'`,
  declined: `s.act = 'declined'`,
  countersigned: `s.act = 'countersigned'`,
  waiting: `s.state in ('saved', 'submitting')`,
  refused: `s.state = 'refused'`,
}

const Shown = z.object({
  show: z.enum(Object.keys(filters) as (keyof typeof filters)[]).catch('all'),
  /** The sequence of a link in the chain. */
  before: z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER).catch(Number.MAX_SAFE_INTEGER),
})

interface Row {
  id: string
  at: Date
  act: Evidence['act']
  section: string
  clientId: string
  document: string
  number: string
  version: number
  signer: string
  evidence: string | null
  state: string
  countersigned: boolean
  attempts: number
  failure_reason: string | null
  sealed_at: Date | null
  sequence: number
}

/** A page of responses; one more than a page where there are others. */
export const responsesPage = (show: keyof typeof filters) => ({
  name: `portal.responses-${show}`,
  text: `select s.id, s.at, s.act, s.section, s.client_id as "clientId", s.document_id as document, s.number, s.version, s.signer, s.evidence,
           s.state, exists (select from portal.client_signatures c where c.workspace_id = s.workspace_id
             and c.act = 'countersigned' and c.section = s.section and c.document_id = s.document_id
             and c.version = s.version) as countersigned,
           s.attempts, s.failure_reason, s.sealed_at, s.sequence::int
         from portal.client_signatures s
         where s.workspace_id = scope.workspace and ${filters[show]} and s.sequence < $3
         order by s.sequence desc limit ${size + 1}`,
})

/** Lists the clients' responses, newest first, each with what was signed, by whom, and its submission status. */
export const showResponses =
  ({ database, ...parts }: Parts): RequestHandler<any> =>
  async (req, res) => {
    const { show, before } = Shown.parse(req.query)
    const scope = { workspace: req.portal.workspace.id }
    const rows = await readWithin<Row>(database, scope, { ...responsesPage(show), values: [before] })
    const page = rows.slice(0, size)
    const [stands, links] = await Promise.all([
      comparisons(page, req.portal, parts),
      Promise.all(page.map(it => linkPageOf(it, req.portal))),
    ])
    res.respond('settings/responses', {
      rows: page.map((it, at) => ({
        ...shownOf(it, req.portal, parts),
        stand: stands.get(it.id),
        linkPage: links[at],
      })),
      next: rows.length > size ? page.at(-1)!.sequence : null,
      show,
      retried: req.query.retried === '',
      signed: req.query.countersigned === '',
    })
  }

interface Parts {
  crm: Crm
  database: Knex
  activation: Activation
  sections: Section[]
}

/** A response as the page shows it; without what was signed where that was erased. */
function shownOf({ evidence, ...row }: Row, context: RequestContext, { crm, sections }: Omit<Parts, 'database'>) {
  const { workspace } = context
  const page = pageInCrm(crm, { kind: row.section, id: row.document, workspace })
  const kept: Evidence | undefined = evidence ? JSON.parse(evidence) : undefined
  if (!kept) return { ...row, page, kept: false }
  const { document, order, reason, signature, signer } = kept
  const summary = sections.find(it => it.name === row.section)?.evidence?.summary?.(document.content, context)
  return {
    ...{ ...row, page, kept: true, client: signer.client.name, email: signer.email, reason },
    ...{ title: summary?.title, total: summary?.total, order: order.number, requestedOn: order.requestedOn },
    signature: signature && drawn(signature),
  }
}

/** Where staff make a public link to the document; undefined where none can be made. */
async function linkPageOf({ section: kind, document: id, clientId: client }: Row, context: RequestContext) {
  return context.capability('links')?.page({ workspace: context.workspace.id, client, kind, id })
}

/** A drawing as the path of an SVG. */
const drawn = (it: Signature) => (it.method === 'drawn' ? { method: it.method, path: pathOf(it.strokes) } : it)

/** How long the CRM may take to return its documents, in milliseconds; after that the page is shown without them. */
const patience = 2_000

/** How the documents in the CRM compare with what was accepted, by the response's id. */
async function comparisons(rows: Row[], context: RequestContext, parts: Omit<Parts, 'database'>) {
  const { workspace, now } = context
  const asking = { ...parts, workspace, today: dateIn(zoneOf(workspace.timeZone), now) }
  const stands = new Map<string, Awaited<ReturnType<typeof standingInCrm>>>()
  const waiting = rows.filter(it => it.act === 'accepted' && it.state === 'confirmed' && it.evidence)
  const until = performance.now() + patience
  const ask = async () => {
    for (let it = waiting.shift(); it?.evidence && performance.now() < until; it = waiting.shift())
      stands.set(it.id, await standingInCrm(it.evidence, asking, context))
  }
  const patient = AbortSignal.timeout(patience)
  const over = new Promise<void>(resolve => patient.addEventListener('abort', () => resolve(), { once: true }))
  await Promise.race([Promise.all([ask(), ask(), ask()]), over])
  return stands
}

/** The sealed PDF of an acceptance, for the company's own files. */
export const sendSignedPdf =
  (database: Knex): RequestHandler<any> =>
  async (req, res) => {
    const [row] = await readWithin<{ number: string; sealed: Buffer | null }>(
      database,
      { workspace: req.portal.workspace.id },
      {
        text: `select s.number, s.sealed from portal.client_signatures s
               where s.workspace_id = scope.workspace and s.id = $3`,
        values: [idIn(req)],
      },
    )
    if (!row?.sealed) throw new NotFound()
    await recordEvent(req, { event: 'evidence.downloaded', subject: { id: req.params.id, number: row.number } })
    sendPdf(req, res, { name: row.number, bytes: row.sealed })
  }

/** Null for what is no id. */
const idIn = (req: Request<any>): string | null => z.uuid().safeParse(req.params.id).data ?? null

/** Retries now what has not been submitted yet. */
export const saveRetry =
  (database: Knex, jobs: Jobs): RequestHandler<any> =>
  async (req, res) => {
    const { workspace } = req.portal
    const id = idIn(req)
    await within(database, { workspace: workspace.id }, async tx => {
      const [row] = await query(tx, {
        text: `select number from portal.client_signatures
               where workspace_id = $1 and id = $2
                 and (state in ('saved', 'submitting') or state = 'confirmed' and sealed is null)`,
        values: [workspace.id, id],
      })
      if (!row) throw new NotFound()
      await jobs.send(tx, queue, { workspace: workspace.id, slug: workspace.slug, id })
      await recordEventIn(tx, req, {
        event: 'evidence.resubmitted',
        subject: { id: req.params.id, number: row.number },
      })
    })
    jobs.wake()
    res.redirect(303, req.portal.url('/responses?retried'))
  }

/** Countersigns an acceptance for the company, as a link of its own in the chain. */
export const saveCountersignature: RequestHandler<any> = async (req, res) => {
  const { t, signing, workspace, url } = req.portal
  const id = idIn(req)
  if (!id) throw new NotFound()
  await signing.countersign(req, id, t('I countersign this for {workspace}.', { workspace: workspace.name }))
  res.redirect(303, url('/responses?countersigned'))
}
