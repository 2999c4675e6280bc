import { z } from 'zod'
import { record } from '../../src/activity.ts'
import { otherwise } from '../../src/answer.ts'
import { daysBetween, grouped } from '../../src/document.ts'
import { filterOf } from '../../src/filter.ts'
import { pageOf } from '../../src/page.ts'
import { pdfOf } from '../../src/pdf/pdf.ts'
import { sendPdf, taken, turnOf } from '../../src/pdf/print.ts'
import { may, section } from '../../src/section.ts'
import { chartOf, monthsBefore } from './chart.ts'
import { Invoice, Overview, Statement, Summary, sorts, statuses } from './port.ts'
import { printed } from './print.ts'
import { kinds, Period, periodOf, printedStatement, statementCsv } from './statement.ts'
import { words } from './words.ts'

const Filter = filterOf({ statuses, sorts })

export default section({
  name: 'invoices',
  title: 'Invoices',
  icon: 'file-invoice',
  order: 20,

  permissions: {
    'invoices.see': { label: 'See invoices and payments', roles: ['admin', 'approver', 'billing', 'member', 'viewer'] },
  },

  toggles: {
    invoices: {
      label: 'Invoices',
      about: 'Clients see their invoices, what is paid and what is still open.',
      default: true,
    },
  },

  answers: {
    'invoices/list': pageOf(Summary).extend({ overview: Overview }),
    'invoices/statement': z.object({ statements: z.array(Statement) }),
    'invoices/show': z.object({ invoice: Invoice }),
  },

  asks: { 'invoices/list': Filter, 'invoices/statement': Period },

  activity: {
    'invoices.stated': { kind: 'download', says: 'took away the statement of account from {from} until {until}' },
    'invoices.viewed': { kind: 'view', says: 'looked at invoice {number}' },
    'invoices.downloaded': { kind: 'download', says: 'downloaded invoice {number}' },
  },

  async home(visit) {
    const { crm, t, day, money } = visit
    const { today } = visit.customer
    const { counts, due, overdue, oldestDueOn, periods, months } = await crm.invoices.overview({
      since: [`${today.slice(0, 4)}-01-01`, `${today.slice(0, 7)}-01`],
      monthsFrom: monthsBefore(today, 11),
    })
    const [year, month] = periods
    const late = oldestDueOn ? daysBetween(oldestDueOn, today) : 0
    const open = counts.open - counts.overdue
    return {
      chart: chartOf(months, visit),
      actions: [
        { icon: 'file-invoice', title: t('See what is to pay'), path: '/invoices?status=open', count: counts.open },
        { icon: 'report-money', title: t('Get a statement of account'), path: '/invoices/statement' },
      ],
      needs: [
        ...(counts.overdue
          ? [
              {
                tone: 'bad' as const,
                icon: 'alert-triangle',
                title: t('{count, plural, one {An invoice is overdue} other {# invoices are overdue}}', {
                  count: counts.overdue,
                }),
                about: t('{count, plural, one {Since one day} other {The oldest by # days}}', { count: late }),
                amount: overdue,
                path: '/invoices?status=overdue',
                action: 'See them',
                by: oldestDueOn ?? today,
              },
            ]
          : []),
        ...(open && !counts.overdue
          ? [
              {
                tone: '' as const,
                icon: 'file-invoice',
                title: t('{count, plural, one {An invoice is to be paid} other {# invoices are to be paid}}', {
                  count: open,
                }),
                about: oldestDueOn ? t('The first is due on {day}', { day: day(oldestDueOn) }) : '',
                amount: due,
                path: '/invoices?status=open',
                action: 'See them',
                by: oldestDueOn ?? today,
              },
            ]
          : []),
      ],
      figures: [
        {
          label: 'To pay',
          value: due,
          note: t('{count, plural, =0 {nothing open} one {# invoice} other {# invoices}}', { count: counts.open }),
        },
        {
          label: 'Of that overdue',
          value: overdue,
          late: counts.overdue > 0,
          note: t('{count, plural, =0 {nothing is late} one {# invoice} other {# invoices}}', {
            count: counts.overdue,
          }),
        },
        { label: 'Invoiced this year', value: year?.invoiced ?? [] },
        {
          label: 'Paid this year',
          value: year?.paid ?? [],
          note: month?.paid.length
            ? t('{amounts} this month', { amounts: month.paid.map(money).join(', ') })
            : undefined,
        },
      ],
    }
  },

  routes(router) {
    router.get('/', may('invoices.see'), async (req, res) => {
      const filter = Filter.parse(req.query)
      const { invoices } = req.portal.crm
      const [page, overview] = await Promise.all([invoices.list(filter), invoices.overview()])
      res.answer('invoices/list', { filter, overview, ...page, ...words(req.portal) })
    })

    router.get(
      '/statement',
      may('invoices.see'),
      async (req, res) => {
        const period = periodOf(req)
        const statements = await req.portal.crm.invoices.statement(period.from, period.until)
        res.answer('invoices/statement', { period, statements, kinds: kinds(req.portal) })
      },
      otherwise((req, res) => res.answer('invoices/statement', { period: periodOf(req), statements: [], kinds: {} })),
    )

    router.get('/statement.pdf', may('invoices.see'), async (req, res) => {
      const period = periodOf(req)
      const statements = await req.portal.crm.invoices.statement(period.from, period.until)
      const bytes = await pdfOf(printedStatement(period, statements, req.portal), await req.portal.logo(), turnOf(req))
      await taken(req, { event: 'invoices.stated', subject: period })
      sendPdf(req, res, { name: `${req.portal.t('Statement of account')} ${period.from} ${period.until}`, bytes })
    })

    router.get('/statement.csv', may('invoices.see'), async (req, res) => {
      const { from, until } = periodOf(req)
      const statements = await req.portal.crm.invoices.statement(from, until)
      await record(req, { event: 'invoices.stated', subject: { from, until } })
      res.type('text/csv').attachment(`statement-${from}-${until}.csv`)
      res.set('Cache-Control', 'private, no-store').send(statementCsv(statements))
    })

    router.get('/:id', may('invoices.see'), async (req, res) => {
      const invoice = await req.portal.crm.invoices.find(String(req.params.id))
      await record(req, { event: 'invoices.viewed', subject: invoice })
      res.answer('invoices/show', { invoice, groups: grouped(invoice.lines), ...words(req.portal) })
    })

    router.get('/:id/pdf', may('invoices.see'), async (req, res) => {
      const { crm, t } = req.portal
      const invoice = await crm.invoices.find(String(req.params.id))
      const own = await crm.invoices.pdf?.(invoice.id)
      const name = t('Invoice {number}', { number: invoice.number })
      const pdf = own ?? {
        name,
        bytes: await pdfOf(printed(invoice, req.portal), await req.portal.logo(), turnOf(req)),
      }
      await taken(req, { event: 'invoices.downloaded', subject: invoice })
      sendPdf(req, res, pdf)
    })
  },
})
