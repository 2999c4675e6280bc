import express, { type NextFunction, type Request, type Response, type Router } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { type Desk, deskOf, idOf, like, log, pageOf, pageSize } from '../desk.ts'

const text = (most: number) =>
  z
    .string()
    .trim()
    .max(most)
    .default('')
    .transform(value => value || null)

const clientForm = z.object({
  company_name: z.string().trim().min(1, 'The name is missing').max(200),
  legal_name: text(200),
  address_line1: text(160),
  address_line2: text(160),
  postcode: text(20),
  city: text(80),
  country: z.union([
    z.literal('').transform(() => null),
    z.string().trim().toUpperCase().length(2, 'Country is a code of two letters'),
  ]),
  currency: z
    .string()
    .trim()
    .toUpperCase()
    .regex(/^[A-Z]{3}$/, 'Currency is a code of three letters'),
  vat_no: text(40),
  phone: text(40),
  payment_days: z.coerce.number().int().min(0).max(180, 'At most 180 days'),
  notes: text(5000),
  archived: z
    .unknown()
    .optional()
    .transform(value => value !== undefined),
})

const contactForm = z.object({
  first_name: z.string().trim().min(1).max(80),
  last_name: z.string().trim().min(1).max(120),
  email: z.email().max(254),
  phone: text(40),
  job_title: text(120),
})

export function clientPages(): Router {
  const pages = express.Router()

  pages.get('/', async (request, response) => {
    const filter = pageOf(request.query)
    const { clients, count } = await listClients(deskOf(request), filter)
    response.render('clients/list', { clients, count, filter, pages: Math.ceil(count / pageSize) })
  })

  pages.get('/new', (request, response) => {
    const { currency } = deskOf(request).staff.workspace
    response.render('clients/form', { client: null, values: { currency, payment_days: 30 }, problems: [] })
  })

  pages.post('/', async (request, response) => {
    const desk = deskOf(request)
    const parsed = clientForm.safeParse(request.body)
    if (!parsed.success) return refuse(request, response, null, parsed.error)
    const id = await desk.database.transaction(transaction => createClient(transaction, desk, parsed.data))
    response.redirect(303, `/clients/${id}`)
  })

  pages.get('/:id', async (request, response, next) => {
    const client = await findClient(deskOf(request), idOf(request.params.id))
    if (!client) return next()
    await showClient(request, response, client)
  })

  pages.get('/:id/edit', async (request, response, next) => {
    const client = await findClient(deskOf(request), idOf(request.params.id))
    if (!client) return next()
    response.render('clients/form', { client, values: client, problems: [] })
  })

  pages.post('/:id', async (request, response, next) => {
    const desk = deskOf(request)
    const client = await findClient(desk, idOf(request.params.id))
    if (!client) return next()
    const parsed = clientForm.safeParse(request.body)
    if (!parsed.success) return refuse(request, response, client, parsed.error)
    await desk.database('clients').where('id', client.id).update(parsed.data)
    response.redirect(303, `/clients/${client.id}`)
  })

  pages.post('/:id/contacts', addContact)
  pages.post('/:id/contacts/:contact/left', markContactAsLeft)

  return pages
}

async function addContact(request: Request<{ id: string }>, response: Response, next: NextFunction) {
  const desk = deskOf(request)
  const client = await findClient(desk, idOf(request.params.id))
  if (!client) return next()
  const parsed = contactForm.safeParse(request.body)
  if (!parsed.success) return showClient(request, response, client, 'A contact needs both names and an e-mail address.')
  await desk.database('contacts').insert({ ...parsed.data, client_id: client.id })
  response.redirect(303, `/clients/${client.id}`)
}

async function markContactAsLeft(
  request: Request<{ id: string; contact: string }>,
  response: Response,
  next: NextFunction,
) {
  const desk = deskOf(request)
  const client = await findClient(desk, idOf(request.params.id))
  if (!client) return next()
  const changed = await desk
    .database('contacts')
    .where({ client_id: client.id, id: idOf(request.params.contact) })
    .update({ left_on: desk.today, is_primary: false })
  if (!changed) return next()
  response.redirect(303, `/clients/${client.id}`)
}

type ClientRow = { id: number; company_name: string } & Record<string, unknown>

async function listClients(
  { database, workspaceId }: Desk,
  { q, state, page }: { q: string; state: string; page: number },
) {
  const matching = database('clients as k')
    .where({ 'k.workspace_id': workspaceId, 'k.archived': state === 'archived' })
    .modify(query => {
      if (q)
        query.where(either =>
          either.whereILike('k.company_name', like(q)).orWhereILike('k.city', like(q)).orWhere('k.client_no', q),
        )
    })
  const [clients, [counted]] = await Promise.all([
    matching
      .clone()
      .leftJoin('staff as s', 's.id', 'k.account_manager')
      .orderByRaw('lower(k.company_name), k.id')
      .limit(pageSize)
      .offset((page - 1) * pageSize)
      .select('k.id', 'k.client_no', 'k.company_name', 'k.city', 'k.country', 's.full_name'),
    matching.clone().count({ count: '*' }),
  ])
  return { clients, count: Number(counted!.count) }
}

async function findClient({ database, workspaceId }: Desk, id: number): Promise<ClientRow | undefined> {
  return database('clients as k')
    .leftJoin('staff as s', 's.id', 'k.account_manager')
    .where({ 'k.workspace_id': workspaceId, 'k.id': id })
    .first(
      'k.id',
      'k.client_no',
      'k.company_name',
      'k.legal_name',
      'k.address_line1',
      'k.address_line2',
      'k.postcode',
      'k.city',
      'k.country',
      'k.currency',
      'k.vat_no',
      'k.phone',
      'k.website',
      'k.payment_days',
      'k.notes',
      'k.archived',
      's.full_name',
    )
}

async function createClient(transaction: Knex, desk: Desk, form: z.infer<typeof clientForm>): Promise<number> {
  await transaction('workspaces').where('id', desk.workspaceId).forUpdate().first('id')
  const last = await transaction('clients')
    .where('workspace_id', desk.workspaceId)
    .first(transaction.raw('max(client_no::integer) as number'))
  const [row] = await transaction('clients')
    .insert({
      ...form,
      workspace_id: desk.workspaceId,
      client_no: String((last?.number ?? 10_000) + 1),
      account_manager: desk.staff.id,
    })
    .returning('id')
  await log(transaction, desk, row.id, `Added client ${form.company_name}`)
  return row.id
}

async function showClient(request: Request, response: Response, client: ClientRow, problem = ''): Promise<void> {
  const { database } = deskOf(request)
  const papers = (table: string, columns: object) =>
    database(table)
      .where('client_id', client.id)
      .whereNull('deleted_at')
      .orderBy('id', 'desc')
      .limit(6)
      .select({ id: 'id', ref: 'ref_no', gross: 'grand_total', currency: 'currency_code', ...columns })
  const [contacts, balances, invoices, proposals, quotations, activity] = await Promise.all([
    database('contacts')
      .where('client_id', client.id)
      .orderByRaw('left_on is not null, is_primary desc, first_name')
      .select('id', 'first_name', 'last_name', 'email', 'phone', 'job_title', 'is_primary', {
        left: database.raw('left_on::text'),
      }),
    database('client_balances').where('client_id', client.id).select('currency_code', 'open_invoices', 'open_amount'),
    papers('invoices', { title: 'subject', state: 'state' }),
    papers('proposals', { title: 'title', state: 'state' }),
    papers('quotations', { title: 'subject', state: 'status' }),
    database('activity').where('client_id', client.id).orderBy('created', 'desc').limit(8).select('what', 'created'),
  ])
  response.status(problem ? 422 : 200).render('clients/show', {
    client,
    contacts,
    balances,
    papers: { invoices, proposals, quotations },
    activity,
    problem,
  })
}

function refuse(request: Request, response: Response, client: ClientRow | null, error: z.ZodError): void {
  const problems = [...new Set(error.issues.map(issue => issue.message))]
  response.status(422).render('clients/form', { client, values: request.body ?? {}, problems })
}
