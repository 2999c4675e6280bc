import type { Knex } from 'knex'
import { type Desk, log } from '../desk.ts'
import { cents } from '../money.ts'
import type { Paper } from './read.ts'

export type NewPayment = { paidOn: string; amount: string; method: string; reference: string; payer: string }

export const methods = ['bank transfer', 'card', 'direct debit', 'ideal', 'cash', 'cheque']

export async function paymentsOf(database: Knex, invoiceId: number) {
  return database('payments')
    .where('invoice_id', invoiceId)
    .orderBy([{ column: 'paid_on' }, { column: 'id' }])
    .select('amount', 'method', 'reference', 'payer', { day: database.raw('paid_on::text') })
}

export async function creditNotesOf(database: Knex, invoiceId: number) {
  return database('credit_notes')
    .where('invoice_id', invoiceId)
    .orderBy('id')
    .select('ref_no', 'reason', 'state', 'grand_total', { day: database.raw('issued_on::text') })
}

export async function recordPayment(desk: Desk, invoice: Paper, payment: NewPayment): Promise<boolean> {
  return desk.database.transaction(async transaction => {
    const open = await transaction('invoices')
      .where('id', invoice.id)
      .whereIn('state', ['sent', 'partial'])
      .forUpdate()
      .first('balance')
    if (!open || cents(payment.amount) > cents(open.balance)) return false
    await transaction('payments').insert({
      client_id: invoice.clientId,
      invoice_id: invoice.id,
      paid_on: payment.paidOn,
      amount: payment.amount,
      method: payment.method,
      reference: payment.reference || null,
      payer: payment.payer || null,
    })
    await settle(transaction, invoice.id)
    await log(transaction, desk, invoice.clientId, `Received ${invoice.currency} ${payment.amount} for ${invoice.ref}`)
    return true
  })
}

export async function voidInvoice(desk: Desk, invoice: Paper): Promise<boolean> {
  const changed = await desk
    .database('invoices')
    .where({ id: invoice.id, state: 'sent', amount_credited: 0 })
    .update({ state: 'void', balance: 0 })
  if (changed) await log(desk.database, desk, invoice.clientId, `Voided invoice ${invoice.ref}`)
  return changed > 0
}

async function settle(transaction: Knex, invoiceId: number): Promise<void> {
  await transaction.raw(
    `update invoices i
     set amount_paid = p.paid, amount_credited = c.credited, balance = i.grand_total - p.paid - c.credited,
         state = case when i.grand_total = p.paid + c.credited then 'paid' when p.paid > 0 then 'partial' else 'sent' end
     from (select coalesce(sum(amount), 0) as paid from payments where invoice_id = :id) p,
          (select coalesce(sum(grand_total), 0) as credited from credit_notes
           where invoice_id = :id and state = 'issued') c
     where i.id = :id`,
    { id: invoiceId },
  )
}
