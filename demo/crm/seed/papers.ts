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

type Response = { day: string; by: string; note: string | null }

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
  /** On acceptance: in per cent for a proposal, an amount for a quotation. */
  deposit?: string
  response?: Response
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
  const { client, response } = offer
  const number = numbers.take(offer.kind === 'proposal' ? 'P' : 'Q', year(offer.created), offer.number)
  const id = offer.kind === 'proposal' ? addProposal(rows, offer, number) : addQuotation(rows, offer, number)
  if (offer.issued) addActivity(rows, client, `Sent ${offer.kind} ${number}`, at(offer.issued, '10:05'))
  if (response) addActivity(rows, client, `${response.by} ${offer.state} ${offer.kind} ${number}`, timeOf(response))
  return id
}

const timeOf = (response: Response) => at(response.day, '13:25')

function addProposal(rows: Rows, offer: Offer, number: string): number {
  const { client, response } = offer
  const id = rows.add('proposals', {
    ...offerColumns(offer, number),
    owner_id: client.staffId,
    title: offer.title,
    intro: offer.intro,
    terms: offer.terms,
    state: offer.state,
    issued_on: offer.issued,
    answered_on: response ? timeOf(response) : null,
    answered_by: response?.by ?? null,
    answer_note: response?.note ?? null,
    deposit_percent: offer.deposit ?? null,
  })
  for (const [index, line] of offer.lines.entries())
    rows.add('proposal_lines', {
      ...offerLineColumns(line),
      proposal_id: id,
      position: index + 1,
      group_title: line.group ?? null,
      title: line.title,
      qty: line.quantity ?? '1',
      unit_price: line.price,
      is_optional: line.optional ?? false,
      is_chosen: line.chosen ?? true,
    })
  return id
}

function addQuotation(rows: Rows, offer: Offer, number: string): number {
  const { client, response } = offer
  const id = rows.add('quotations', {
    ...offerColumns(offer, number),
    prepared_by: client.staffId,
    subject: offer.title,
    opening: offer.intro,
    conditions: offer.terms,
    status: offer.state,
    quoted_on: offer.issued,
    decided_on: response ? timeOf(response) : null,
    decided_by: response?.by ?? null,
    decision_note: response?.note ?? null,
    deposit_amount: offer.deposit ?? null,
  })
  for (const [index, line] of offer.lines.entries())
    rows.add('quotation_lines', {
      ...offerLineColumns(line),
      quotation_id: id,
      sort: (index + 1) * 10,
      section: line.group ?? null,
      name: line.title,
      quantity: line.quantity ?? '1',
      price: line.price,
      optional: line.optional ?? false,
      chosen: line.chosen ?? true,
    })
  return id
}

/** The columns that proposals and quotations have in common. */
function offerColumns(offer: Offer, number: string) {
  const { client } = offer
  const sum = totals(offer.lines.map(priced), offer.discount ?? null)
  return {
    workspace_id: client.workspaceId,
    client_id: client.id,
    contact_id: client.contacts[0]!.id,
    ref_no: number,
    valid_until: offer.validUntil,
    version: offer.version ?? 1,
    currency_code: offer.currency ?? client.currency,
    discount_pct: offer.discount ?? null,
    net_total: sum.net,
    tax_total: sum.tax,
    grand_total: sum.gross,
    deleted_at: offer.deleted ? at(offer.deleted, '16:40') : null,
    created: at(offer.created, '08:55'),
    modified: at(offer.response?.day ?? offer.issued ?? offer.created, '14:10'),
  }
}

const offerLineColumns = (line: Line) => ({
  details: line.details ?? null,
  unit: line.unit ?? null,
  discount_pct: line.discount ?? '0',
  tax_pct: line.tax,
  line_total: lineTotal(priced(line)),
})

export function writeInvoice(rows: Rows, numbers: Numbers, invoice: Invoice): number {
  const { client, issued } = invoice
  const sums = sumsOf(invoice)
  const number = numbers.take('', year(issued ?? invoice.created), invoice.number)
  const id = rows.add('invoices', invoiceColumns(invoice, number, sums))
  addInvoiceLines(rows, id, invoice.lines)
  for (const payment of sums.payments) addPayment(rows, { client, invoiceId: id, number }, payment)
  addCreditNote(rows, numbers, id, invoice)
  if (issued) addActivity(rows, client, `Sent invoice ${number}`, at(issued, '09:15'))
  for (const { day, cents } of sums.payments) {
    const received = `Received ${currencyOf(invoice)} ${format(cents)} for ${number}`
    addActivity(rows, client, received, at(day, '11:20'))
  }
  return id
}

const currencyOf = (invoice: Invoice) => invoice.currency ?? invoice.client.currency

function sumsOf(invoice: Invoice) {
  const sum = totals(invoice.lines.map(priced), invoice.discount ?? null)
  const gross = cents(sum.gross)
  const credit = invoice.credit?.state === 'issued' ? creditTotals(invoice) : undefined
  const credited = credit ? cents(credit.gross) : 0n
  const payments = amountsOf(invoice.payments, gross - credited)
  const paid = payments.reduce((total, payment) => total + payment.cents, 0n)
  const balance = invoice.state === 'void' ? 0n : gross - credited - paid
  return { sum, credited, payments, paid, balance }
}

function invoiceColumns(invoice: Invoice, number: string, sums: ReturnType<typeof sumsOf>) {
  const { client, issued } = invoice
  const { sum, credited, payments, paid, balance } = sums
  return {
    workspace_id: client.workspaceId,
    client_id: client.id,
    contact_id: invoice.contactId ?? client.contacts[0]!.id,
    owner_id: client.staffId,
    ref_no: number,
    subject: invoice.subject,
    po_number: invoice.order ?? null,
    remarks: invoice.remarks ?? null,
    state: invoice.state === 'issued' ? paymentState(balance, paid) : invoice.state,
    issued_on: issued,
    due_on: invoice.due,
    currency_code: currencyOf(invoice),
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
    modified: at(payments.at(-1)?.day ?? issued ?? invoice.created, '15:45'),
  }
}

function addInvoiceLines(rows: Rows, invoiceId: number, lines: Line[]): void {
  for (const [index, line] of lines.entries())
    rows.add('invoice_lines', {
      invoice_id: invoiceId,
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
}

type PaidInvoice = { client: Client; invoiceId: number; number: string }

function addPayment(rows: Rows, { client, invoiceId, number }: PaidInvoice, payment: PaymentInCents): void {
  rows.add('payments', {
    client_id: client.id,
    invoice_id: invoiceId,
    paid_on: payment.day,
    amount: format(payment.cents),
    method: payment.method,
    reference: number,
    payer: payment.payer,
    created: at(payment.day, '11:20'),
  })
}

function addCreditNote(rows: Rows, numbers: Numbers, invoiceId: number, invoice: Invoice): void {
  const { client, credit } = invoice
  const sum = creditTotals(invoice)
  if (!credit || !sum) return
  rows.add('credit_notes', {
    workspace_id: client.workspaceId,
    client_id: client.id,
    invoice_id: invoiceId,
    ref_no: numbers.take('C', year(credit.day), credit.number),
    issued_on: credit.state === 'issued' ? credit.day : null,
    reason: credit.reason,
    currency_code: currencyOf(invoice),
    net_total: sum.net,
    tax_total: sum.tax,
    grand_total: sum.gross,
    state: credit.state,
    created: at(credit.day, '10:50'),
  })
}

/** What a credit note gives back: one line of the invoice, whole or at another price. */
function creditTotals({ credit, lines }: Invoice) {
  if (!credit) return undefined
  const line = lines[credit.line]!
  const credited = credit.price ? { ...line, price: credit.price, quantity: '1' } : line
  return totals([priced(credited)], null)
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

type PaymentInCents = Payment & { cents: bigint }

function amountsOf(payments: Payment[], owed: bigint): PaymentInCents[] {
  let rest = owed
  return payments.map(payment => {
    const amount = amountOf(payment, owed, rest)
    rest -= amount
    return { ...payment, cents: amount }
  })
}

function amountOf({ amount }: Payment, owed: bigint, rest: bigint): bigint {
  if ('rest' in amount) return rest
  if ('exactly' in amount) return cents(amount.exactly)
  return ((owed * amount.percent) / 10_000n) * 100n
}

function paymentState(balance: bigint, paid: bigint): string {
  if (balance === 0n) return 'paid'
  return paid > 0n ? 'partial' : 'sent'
}

function addActivity(rows: Rows, client: Client, what: string, created: string): void {
  rows.add('activity', {
    workspace_id: client.workspaceId,
    client_id: client.id,
    staff_id: client.staffId,
    what,
    created,
  })
}
