import { z } from 'zod'
import { record } from '../../src/activity.ts'
import { TooMany } from '../../src/errors.ts'
import { filterOf } from '../../src/filter.ts'
import { pageOf } from '../../src/page.ts'
import { pdfOf } from '../../src/pdf/pdf.ts'
import { sendPdf, taken, turnOf } from '../../src/pdf/print.ts'
import { may, section } from '../../src/section.ts'
import { methods, Payment, Receipt } from './port.ts'
import { paymentsCsv, printed } from './print.ts'
import { words } from './words.ts'

const Filter = filterOf({ statuses: methods, sorts: ['newest'] })
  .omit({ status: true, sort: true })
  .extend({
    year: z.coerce.number().int().min(1900).max(2999).optional().catch(undefined),
    method: z.enum(methods).optional().catch(undefined),
  })

/** Of a CSV file. */
const mostRows = 10_000

export default section({
  name: 'payments',
  title: 'Payments',
  icon: 'cash',
  order: 25,

  permissions: {
    'payments.see': { label: 'See payments', roles: ['admin', 'approver', 'billing', 'member', 'viewer'] },
  },

  toggles: {
    payments: {
      label: 'Payments',
      about: 'Clients see what they have paid, when, how and for which invoice, with a receipt for each.',
      default: true,
    },
  },

  answers: {
    'payments/list': pageOf(Payment).extend({ years: z.array(z.number()) }),
    'payments/show': z.object({ payment: Receipt }),
  },

  asks: { 'payments/list': Filter },

  activity: {
    'payments.exported': { kind: 'download', says: 'took away {rows, plural, one {# payment} other {# payments}}' },
    'payments.viewed': { kind: 'view', says: 'looked at the receipt of {on}' },
    'payments.downloaded': { kind: 'download', says: 'downloaded the receipt of {on}' },
  },

  routes(router) {
    router.get('/', may('payments.see'), async (req, res) => {
      const filter = Filter.parse(req.query)
      const { payments } = req.portal.crm
      const [page, years] = await Promise.all([payments.list(filter), payments.years()])
      res.answer('payments/list', { filter, years, ...page, ...words(req.portal) })
    })

    router.get('/list.csv', may('payments.see'), async (req, res) => {
      const filter = Filter.parse(req.query)
      const { items, next } = await req.portal.crm.payments.list({ ...filter, after: undefined, size: mostRows })
      if (next) throw new TooMany()
      await record(req, { event: 'payments.exported', subject: { rows: items.length } })
      res.type('text/csv').attachment(`payments${filter.year ? `-${filter.year}` : ''}.csv`)
      res.set('Cache-Control', 'private, no-store').send(paymentsCsv(items))
    })

    router.get('/:id', may('payments.see'), async (req, res) => {
      const payment = await req.portal.crm.payments.find(String(req.params.id))
      await record(req, { event: 'payments.viewed', subject: payment })
      res.answer('payments/show', { payment, ...words(req.portal) })
    })

    router.get('/:id/pdf', may('payments.see'), async (req, res) => {
      const payment = await req.portal.crm.payments.find(String(req.params.id))
      const bytes = await pdfOf(printed(payment, req.portal), await req.portal.logo(), turnOf(req))
      await taken(req, { event: 'payments.downloaded', subject: payment })
      sendPdf(req, res, { name: `${req.portal.t('Receipt')} ${payment.on}`, bytes })
    })
  },
})
