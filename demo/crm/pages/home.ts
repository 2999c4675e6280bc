import type { Request, Response } from 'express'
import { type Desk, deskOf } from '../desk.ts'

export async function homePages(request: Request, response: Response): Promise<void> {
  const desk = deskOf(request)
  const [open, offers, drafts, recent] = await Promise.all([
    openInvoices(desk),
    waitingOffers(desk),
    draftCount(desk),
    lately(desk),
  ])
  response.render('home', { open, offers, drafts, recent })
}

async function openInvoices({ database, workspaceId, today }: Desk) {
  return database('invoices')
    .where({ workspace_id: workspaceId })
    .whereIn('state', ['sent', 'partial'])
    .whereNull('deleted_at')
    .groupBy('currency_code')
    .orderBy('currency_code')
    .select('currency_code', {
      count: database.raw('count(*)::integer'),
      amount: database.raw('sum(balance)'),
      overdue: database.raw('coalesce(sum(balance) filter (where due_on < ?), 0)', [today]),
    })
}

async function waitingOffers({ database, workspaceId, today }: Desk) {
  return database('proposals')
    .where({ workspace_id: workspaceId, state: 'sent' })
    .where('valid_until', '>=', today)
    .whereNull('deleted_at')
    .orderBy('valid_until')
    .limit(8)
    .select('id', 'ref_no', 'title', 'grand_total', 'currency_code', { until: database.raw('valid_until::text') })
}

async function draftCount({ database, workspaceId }: Desk): Promise<number> {
  const row = await database('invoices')
    .where({ workspace_id: workspaceId, state: 'draft' })
    .whereNull('deleted_at')
    .count({ count: '*' })
    .first()
  return Number(row!.count)
}

async function lately({ database, workspaceId }: Desk) {
  return database('activity as a')
    .leftJoin('clients as k', 'k.id', 'a.client_id')
    .leftJoin('staff as s', 's.id', 'a.staff_id')
    .where('a.workspace_id', workspaceId)
    .orderBy([
      { column: 'a.created', order: 'desc' },
      { column: 'a.id', order: 'desc' },
    ])
    .limit(15)
    .select('a.what', 'a.created', 'a.client_id', 'k.company_name', 's.full_name')
}
