import { cents, format, lineTotal, totals } from '../money.ts'
import type { Client } from './clients.ts'
import { at, year } from './dates.ts'
import type { Numbers } from './numbers.ts'
import type { Rows } from './rows.ts'

export type Line = {
  group?: string
  title: string
  details?: string | null
  quantity?: string
  unit?: string
  price: string
  discount?: string
  tax: string
  optional?: boolean
  chosen?: boolean
}

export type Offer = {
  client: Client
  kind: 'proposal' | 'quotation'
  number?: number
  created: string
  issued: string | null
  validUntil: string | null
  title: string
  intro: string
  terms: string
  state: 'draft' | 'sent' | 'accepted' | 'rejected' | 'withdrawn'
  version?: number
  currency?: string
  discount?: string | null
  answer?: { day: string; by: string; note: string | null }
  deleted?: string
  lines: Line[]
}

export type Invoice = {
  client: Client
  number?: number
  created: string
  issued: string | null
  due: string | null
  subject: string
  order?: string | null
  remarks?: string | null
  state: 'draft' | 'issued' | 'void'
  currency?: string
  discount?: string | null
  reminded?: string
  deleted?: string
  contactId?: number
  lines: Line[]
  payments: Payment[]
  credit?: { number?: number; day: string; reason: string; line: number; price?: string; state: 'draft' | 'issued' }
}

export type Payment = {
  day: string
  amount: { rest: true } | { exactly: string } | { percent: bigint }
  method: string
  payer: string
}

export function writeOffer(rows: Rows, numbers: Numbers, offer: Offer): number {
  const { client, lines } = offer
  const sum = totals(lines.map(priced), offer.discount ?? null)
  const ref = numbers.take(offer.kind === 'proposal' ? 'P' : 'Q', year(offer.created), offer.number)
  const shared = {
    workspace_id: client.workspaceId,
    client_id: client.id,
    contact_id: client.contacts[0]!.id,
    ref_no: ref,
    valid_until: offer.validUntil,
    version: offer.version ?? 1,
    currency_code: offer.currency ?? client.currency,
    discount_pct: offer.discount ?? null,
    net_total: sum.net,
    tax_total: sum.tax,
    grand_total: sum.gross,
    deleted_at: offer.deleted ? at(offer.deleted, '16:40') : null,
    created: at(offer.created, '08:55'),
    modified: at(offer.answer?.day ?? offer.issued ?? offer.created, '14:10'),
  }
  const answer = offer.answer
  const answered = answer ? at(answer.day, '13:25') : null
  const id =
    offer.kind === 'proposal'
      ? rows.add('proposals', {
          ...shared,
          owner_id: client.staffId,
          title: offer.title,
          intro: offer.intro,
          terms: offer.terms,
          state: offer.state,
          issued_on: offer.issued,
          answered_on: answered,
          answered_by: answer?.by ?? null,
          answer_note: answer?.note ?? null,
        })
      : rows.add('quotations', {
          ...shared,
          prepared_by: client.staffId,
          subject: offer.title,
          opening: offer.intro,
          conditions: offer.terms,
          status: offer.state,
          quoted_on: offer.issued,
          decided_on: answered,
          decided_by: answer?.by ?? null,
          decision_note: answer?.note ?? null,
        })
  lines.forEach((line, index) => {
    const common = {
      details: line.details ?? null,
      unit: line.unit ?? null,
      discount_pct: line.discount ?? '0',
      tax_pct: line.tax,
      line_total: lineTotal(priced(line)),
    }
    if (offer.kind === 'proposal') {
      rows.add('proposal_lines', {
        ...common,
        proposal_id: id,
        position: index + 1,
        group_title: line.group ?? null,
        title: line.title,
        qty: line.quantity ?? '1',
        unit_price: line.price,
        is_optional: line.optional ?? false,
        is_chosen: line.chosen ?? true,
      })
    } else {
      rows.add('quotation_lines', {
        ...common,
        quotation_id: id,
        sort: (index + 1) * 10,
        section: line.group ?? null,
        name: line.title,
        quantity: line.quantity ?? '1',
        price: line.price,
        optional: line.optional ?? false,
        chosen: line.chosen ?? true,
      })
    }
  })
  if (offer.issued) note(rows, client, `Sent ${offer.kind} ${ref}`, at(offer.issued, '10:05'))
  if (answer) note(rows, client, `${answer.by} ${offer.state} ${offer.kind} ${ref}`, answered!)
  return id
}

export function writeInvoice(rows: Rows, numbers: Numbers, invoice: Invoice): number {
  const { client, lines } = invoice
  const currency = invoice.currency ?? client.currency
  const sum = totals(lines.map(priced), invoice.discount ?? null)
  const gross = cents(sum.gross)
  const credit = invoice.credit && creditOf(lines[invoice.credit.line]!, invoice.credit.price)
  const credited = credit && invoice.credit?.state === 'issued' ? cents(credit.gross) : 0n
  const payments = shares(invoice.payments, gross - credited)
  const paid = payments.reduce((sum, payment) => sum + payment.cents, 0n)
  const balance = invoice.state === 'void' ? 0n : gross - credited - paid
  const ref = numbers.take('', year(invoice.issued ?? invoice.created), invoice.number)
  const id = rows.add('invoices', {
    workspace_id: client.workspaceId,
    client_id: client.id,
    contact_id: invoice.contactId ?? client.contacts[0]!.id,
    owner_id: client.staffId,
    ref_no: ref,
    subject: invoice.subject,
    po_number: invoice.order ?? null,
    remarks: invoice.remarks ?? null,
    state: invoice.state === 'issued' ? stateFor(balance, paid) : invoice.state,
    issued_on: invoice.issued,
    due_on: invoice.due,
    currency_code: currency,
    discount_pct: invoice.discount ?? null,
    net_total: sum.net,
    tax_total: sum.tax,
    grand_total: sum.gross,
    amount_paid: format(paid),
    amount_credited: format(credited),
    balance: format(balance),
    reminded_on: invoice.reminded ?? null,
    deleted_at: invoice.deleted ? at(invoice.deleted, '16:20') : null,
    created: at(invoice.created, '08:30'),
    modified: at(payments.at(-1)?.day ?? invoice.issued ?? invoice.created, '15:45'),
  })
  lines.forEach((line, index) => {
    rows.add('invoice_lines', {
      invoice_id: id,
      position: index + 1,
      group_title: line.group ?? null,
      title: line.title,
      details: line.details ?? null,
      qty: line.quantity ?? '1',
      unit: line.unit ?? null,
      unit_price: line.price,
      discount_pct: line.discount ?? '0',
      tax_pct: line.tax,
      line_total: lineTotal(priced(line)),
    })
  })
  for (const payment of payments) {
    rows.add('payments', {
      client_id: client.id,
      invoice_id: id,
      paid_on: payment.day,
      amount: format(payment.cents),
      method: payment.method,
      reference: ref,
      payer: payment.payer,
      created: at(payment.day, '11:20'),
    })
  }
  if (credit && invoice.credit) {
    rows.add('credit_notes', {
      workspace_id: client.workspaceId,
      client_id: client.id,
      invoice_id: id,
      ref_no: numbers.take('C', year(invoice.credit.day), invoice.credit.number),
      issued_on: invoice.credit.state === 'issued' ? invoice.credit.day : null,
      reason: invoice.credit.reason,
      currency_code: currency,
      net_total: credit.net,
      tax_total: credit.tax,
      grand_total: credit.gross,
      state: invoice.credit.state,
      created: at(invoice.credit.day, '10:50'),
    })
  }
  if (invoice.issued) note(rows, client, `Sent invoice ${ref}`, at(invoice.issued, '09:15'))
  for (const payment of payments) {
    note(rows, client, `Received ${currency} ${format(payment.cents)} for ${ref}`, at(payment.day, '11:20'))
  }
  return id
}

function priced(line: Line) {
  return {
    quantity: line.quantity ?? '1',
    unitPrice: line.price,
    discount: line.discount ?? '0',
    tax: line.tax,
    counts: !line.optional || line.chosen !== false,
  }
}

function creditOf(line: Line, price?: string) {
  return totals([priced(price ? { ...line, price, quantity: '1' } : line)], null)
}

function shares(payments: Payment[], owed: bigint): (Payment & { cents: bigint })[] {
  let left = owed
  return payments.map(payment => {
    const { amount } = payment
    const share =
      'rest' in amount ? left : 'exactly' in amount ? cents(amount.exactly) : ((owed * amount.percent) / 10_000n) * 100n
    left -= share
    return { ...payment, cents: share }
  })
}

function stateFor(balance: bigint, paid: bigint): string {
  if (balance === 0n) return 'paid'
  return paid > 0n ? 'partial' : 'sent'
}

function note(rows: Rows, client: Client, what: string, created: string): void {
  rows.add('activity', {
    workspace_id: client.workspaceId,
    client_id: client.id,
    staff_id: client.staffId,
    what,
    created,
  })
}
