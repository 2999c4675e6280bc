import express, { type Request, type Response, type Router } from 'express'
import { type Desk, deskOf, idOf, pageOf, pageSize } from '../desk.ts'
import { type PaperForm, readForm } from '../papers/form.ts'
import type { Kind } from '../papers/kinds.ts'
import { creditNotesOf, methods, paymentsOf } from '../papers/payments.ts'
import { findPaper, linesOf, listPapers, type Paper } from '../papers/read.ts'
import { createPaper, deletePaper, sendPaper, updatePaper, withdrawPaper } from '../papers/write.ts'

export function paperPages(kind: Kind): Router {
  const pages = express.Router()

  pages.get('/', async (request, response) => {
    const filter = pageOf(request.query)
    const { papers, count } = await listPapers(deskOf(request), kind, filter)
    response.render('papers/list', { kind, papers, count, filter, pages: Math.ceil(count / pageSize) })
  })

  pages.get('/new', async (request, response) => {
    const client = idOf(request.query.client)
    await showForm(request, response, kind, { paper: null, values: await blank(deskOf(request), client) })
  })

  pages.post('/', async (request, response) => {
    const desk = deskOf(request)
    const read = await checked(desk, kind, request.body)
    if ('problems' in read) return refuse(request, response, kind, null, read.problems)
    response.redirect(303, `/${kind.path}/${await createPaper(desk, kind, read.form)}`)
  })

  pages.get('/:id', async (request, response, next) => {
    const desk = deskOf(request)
    const paper = await findPaper(desk, kind, idOf(request.params.id))
    if (!paper) return next()
    await showPaper(response, desk, kind, paper)
  })

  pages.get('/:id/edit', async (request, response, next) => {
    const desk = deskOf(request)
    const paper = await findInState(desk, kind, request.params.id, kind.editable)
    if (!paper) return next()
    await showForm(request, response, kind, { paper, values: await valuesOf(desk, kind, paper) })
  })

  pages.post('/:id', async (request, response, next) => {
    const desk = deskOf(request)
    const paper = await findInState(desk, kind, request.params.id, kind.editable)
    if (!paper) return next()
    const read = await checked(desk, kind, request.body)
    if ('problems' in read) return refuse(request, response, kind, paper, read.problems)
    await updatePaper(desk, kind, paper, read.form)
    response.redirect(303, `/${kind.path}/${paper.id}`)
  })

  const addChange = (path: string, change: Change, states: string[], nextPage?: string) =>
    pages.post(`/:id/${path}`, async (request, response, next) => {
      const desk = deskOf(request)
      const paper = await findInState(desk, kind, request.params.id, states)
      if (!paper) return next()
      await change(desk, kind, paper)
      response.redirect(303, nextPage ?? `/${kind.path}/${paper.id}`)
    })
  addChange('send', sendPaper, ['draft'])
  addChange('delete', deletePaper, ['draft'], `/${kind.path}`)
  if (kind.offer) addChange('withdraw', withdrawPaper, ['sent'])

  return pages
}

type Change = (desk: Desk, kind: Kind, paper: Paper) => Promise<void>

async function findInState(desk: Desk, kind: Kind, id: string, states: readonly string[]): Promise<Paper | undefined> {
  const paper = await findPaper(desk, kind, idOf(id))
  return paper && states.includes(paper.state) ? paper : undefined
}

export async function showPaper(response: Response, desk: Desk, kind: Kind, paper: Paper, problem = ''): Promise<void> {
  const { database, today } = desk
  const [lines, payments, credits] = await Promise.all([
    linesOf(database, kind, paper.id),
    kind.offer ? [] : paymentsOf(database, paper.id),
    kind.offer ? [] : creditNotesOf(database, paper.id),
  ])
  const { slug } = desk.staff.workspace
  const which = { workspaceId: desk.workspaceId, slug, clientId: paper.clientId, kind: kind.path, id: paper.id }
  const beside = (await response.app.locals.beside?.(which)) ?? ''
  response.status(problem ? 422 : 200).render('papers/show', {
    beside,
    kind,
    paper,
    lines,
    payments,
    credits,
    methods,
    today,
    problem,
    groups: grouped(lines),
  })
}

type Values = Partial<Record<keyof PaperForm, unknown>> & { lines: unknown[] }

async function showForm(
  request: Request,
  response: Response,
  kind: Kind,
  { paper, values, problems = [] }: { paper: Paper | null; values: Values; problems?: string[] },
): Promise<void> {
  const { database, workspaceId } = deskOf(request)
  const clients = await database('clients')
    .where({ workspace_id: workspaceId, archived: false })
    .orderBy('company_name')
    .select('id', 'company_name')
  const contacts = await database('contacts as c')
    .join('clients as k', 'k.id', 'c.client_id')
    .where({ 'k.workspace_id': workspaceId, 'k.archived': false })
    .whereNull('c.left_on')
    .orderBy(['k.company_name', 'c.first_name'])
    .select('c.id', 'c.first_name', 'c.last_name', 'k.company_name')
  const lines = [...values.lines, {}, {}, {}]
  response
    .status(problems.length ? 422 : 200)
    .render('papers/form', { kind, paper, values: { ...values, lines }, problems, clients, contacts })
}

async function refuse(
  request: Request,
  response: Response,
  kind: Kind,
  paper: Paper | null,
  problems: string[],
): Promise<void> {
  const body = request.body ?? {}
  const lines = body.lines && typeof body.lines === 'object' ? Object.values(body.lines) : []
  await showForm(request, response, kind, { paper, values: { ...body, lines }, problems })
}

async function valuesOf({ database }: Desk, kind: Kind, paper: Paper): Promise<Values> {
  const lines = await linesOf(database, kind, paper.id)
  return { ...paper, client: paper.clientId, contact: paper.contactId, lines }
}

async function blank({ database, workspaceId, staff }: Desk, clientId: number): Promise<Values> {
  const client = await database('clients').where({ workspace_id: workspaceId, id: clientId }).first('id', 'currency')
  return { client: client?.id, currency: client?.currency ?? staff.workspace.currency, lines: [] }
}

async function checked({ database, workspaceId }: Desk, kind: Kind, body: unknown) {
  const read = readForm(kind, body)
  if ('problems' in read) return read
  const { client, contact } = read.form
  const ours = await database('clients').where({ workspace_id: workspaceId, id: client }).first('id')
  if (!ours) return { problems: ['Choose a client'] }
  const belongs = contact === null || (await database('contacts').where({ client_id: client, id: contact }).first('id'))
  return belongs ? read : { problems: ['The contact does not belong to this client'] }
}

function grouped<T extends { group: string | null; optional: boolean }>(lines: T[]): { title: string; lines: T[] }[] {
  const groups: { title: string; lines: T[] }[] = []
  for (const line of lines) {
    const title = line.group ?? ''
    if (groups.at(-1)?.title !== title || groups.length === 0) groups.push({ title, lines: [] })
    groups.at(-1)!.lines.push(line)
  }
  return groups
}
