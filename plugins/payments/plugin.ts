import { z } from 'zod'
import { TooMany } from '../../src/http/errors.ts'
import { filterOf } from '../../src/http/filter.ts'
import { pageOf } from '../../src/http/paging.ts'
import { pdfOf } from '../../src/pdf/pdf.ts'
import { printTurnOf, recordDownload, sendPdf } from '../../src/pdf/print.ts'
import { recordEvent } from '../../src/platform/activity.ts'
import { may } from '../../src/plugin/permissions.ts'
import { section } from '../../src/plugin/plugin.ts'
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

  responseSchemas: {
    'payments/list': pageOf(Payment).extend({ years: z.array(z.number()) }),
    'payments/show': z.object({ payment: Receipt }),
  },

  requestSchemas: { 'payments/list': Filter },

  activity: {
    'payments.list_downloaded': {
      kind: 'download',
      sentence: 'downloaded a list of {rows, plural, one {# payment} other {# payments}}',
    },
    'payments.viewed': { kind: 'view', sentence: 'looked at the receipt of {on}' },
    'payments.downloaded': { kind: 'download', sentence: 'downloaded the receipt of {on}' },
  },

  routes(router) {
    router.get('/', may('payments.see'), async (req, res) => {
      const filter = Filter.parse(req.query)
      const { payments } = req.portal.crm
      const [page, years, filled] = await Promise.all([
        payments.list(filter),
        payments.years(),
        req.portal.fillSlots(req, 'payments'),
      ])
      res.respond('payments/list', { filter, years, ...page, ...filled, ...words(req.portal) })
    })

    router.get('/list.csv', may('payments.see'), async (req, res) => {
      const filter = Filter.parse(req.query)
      const { items, next } = await req.portal.crm.payments.list({ ...filter, after: undefined, size: mostRows })
      if (next) throw new TooMany()
      await recordEvent(req, { event: 'payments.list_downloaded', subject: { rows: items.length } })
      res.type('text/csv').attachment(`payments${filter.year ? `-${filter.year}` : ''}.csv`)
      res.set('Cache-Control', 'private, no-store').send(paymentsCsv(items))
    })

    router.get('/:id', may('payments.see'), async (req, res) => {
      const payment = await req.portal.crm.payments.find(String(req.params.id))
      await recordEvent(req, { event: 'payments.viewed', subject: payment })
      res.respond('payments/show', { payment, ...words(req.portal) })
    })

    router.get('/:id/pdf', may('payments.see'), async (req, res) => {
      const payment = await req.portal.crm.payments.find(String(req.params.id))
      const bytes = await pdfOf(printed(payment, req.portal), await req.portal.logo(), printTurnOf(req))
      await recordDownload(req, { event: 'payments.downloaded', subject: payment })
      sendPdf(req, res, { name: `${req.portal.t('Receipt')} ${payment.on}`, bytes })
    })
  },
})
