import express, { type Router } from 'express'
import { z } from 'zod'
import { deskOf, idOf } from '../desk.ts'
import { kinds } from '../papers/kinds.ts'
import { methods, recordPayment, voidInvoice } from '../papers/payments.ts'
import { findPaper } from '../papers/read.ts'
import { showPaper } from './papers.ts'

const paymentForm = z.object({
  paidOn: z.iso.date(),
  amount: z
    .string()
    .trim()
    .transform(value => value.replace(',', '.'))
    .pipe(z.string().regex(/^\d{1,12}(\.\d{1,2})?$/))
    .refine(value => Number(value) > 0),
  method: z.enum(methods),
  reference: z.string().trim().max(80).default(''),
  payer: z.string().trim().max(160).default(''),
})

export function invoicePages(): Router {
  const pages = express.Router()

  pages.post('/:id/payments', async (request, response, next) => {
    const desk = deskOf(request)
    const invoice = await findPaper(desk, kinds.invoices, idOf(request.params.id))
    if (!invoice) return next()
    const payment = paymentForm.safeParse(request.body)
    const recorded = payment.success && (await recordPayment(desk, invoice, payment.data))
    if (recorded) return response.redirect(303, `/invoices/${invoice.id}`)
    await showPaper(
      response,
      desk,
      kinds.invoices,
      invoice,
      'A payment needs a date and an amount no higher than what is open.',
    )
  })

  pages.post('/:id/void', async (request, response, next) => {
    const desk = deskOf(request)
    const invoice = await findPaper(desk, kinds.invoices, idOf(request.params.id))
    if (!invoice) return next()
    if (await voidInvoice(desk, invoice)) return response.redirect(303, `/invoices/${invoice.id}`)
    await showPaper(
      response,
      desk,
      kinds.invoices,
      invoice,
      'Only an invoice that was sent and never paid can be voided.',
    )
  })

  return pages
}
