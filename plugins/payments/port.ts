import { z } from 'zod'
import { Addressee } from '../../src/crm/document.ts'
import type { TakesPayments } from '../../src/crm/received-payment.ts'
import type { Page } from '../../src/http/paging.ts'
import { Money } from '../../src/platform/money.ts'

export const methods = ['bank transfer', 'card', 'direct debit', 'ideal', 'cash', 'cheque', 'other'] as const

/** Of an invoice that was paid with it, wholly or in part. */
const Share = z.object({ id: z.string(), number: z.string(), title: z.string(), amount: Money })

export const Payment = z.object({
  id: z.string(),
  on: z.iso.date(),
  amount: Money,
  method: z.enum(methods),
  /** What was written on the transfer. */
  reference: z.string().nullable(),
  payer: z.string().nullable(),
  /** None, where it was paid on account. */
  invoices: z.array(Share),
})
export type Payment = z.infer<typeof Payment>

/** A payment with its payer, for the receipt. */
export const Receipt = Payment.extend({ from: Addressee })
export type Receipt = z.infer<typeof Receipt>

interface Filter {
  /** Of the day on which it was paid. */
  year?: number
  method?: Payment['method']
  /** Part of an invoice's number, of the reference or of the payer, or an amount. */
  search?: string
  /** The token of the page before, for the one after it. */
  after?: string
  size: number
}

/** What this section asks of a CRM, on behalf of one customer to whom it is already bound. */
export interface Payments extends TakesPayments {
  /** Newest first. A token that this port did not make gives the first page. */
  list(filter: Filter): Promise<Page<Payment>>
  /** Those in which anything was paid, the newest first, 20 at most. */
  years(): Promise<number[]>
  /** Throws NotFound, also for another client's records. */
  find(id: string): Promise<Receipt>
}

declare global {
  namespace Portico {
    interface Ports {
      payments: Payments
    }
  }
}
