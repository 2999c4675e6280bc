import { daysBetween } from '../../src/crm/document.ts'
import type { RequestContext } from '../../src/http/context.ts'
import { chartOf, monthsBefore } from './chart.ts'
import type { Overview } from './port.ts'

/** What the dashboard says of invoices. */
export async function home(context: RequestContext) {
  const { crm, t } = context
  const { today } = context.customer
  const overview = await crm.invoices.overview({
    since: [`${today.slice(0, 4)}-01-01`, `${today.slice(0, 7)}-01`],
    monthsFrom: monthsBefore(today, 11),
  })
  return {
    chart: chartOf(overview.months, context),
    actions: [
      {
        icon: 'file-invoice',
        title: t('View invoices to pay'),
        path: '/invoices?status=open',
        count: overview.counts.open,
      },
      { icon: 'report-money', title: t('Get a statement of account'), path: '/invoices/statement' },
    ],
    needs: needs(overview, context),
    figures: [...figuresToPay(overview, context), ...figuresOfYear(overview, context)],
  }
}

/** What is overdue, or else what is to be paid next. */
function needs({ counts, due, overdue, oldestDueOn }: Overview, { customer, t, day }: RequestContext) {
  const by = oldestDueOn ?? customer.today
  if (counts.overdue) {
    const late = oldestDueOn ? daysBetween(oldestDueOn, customer.today) : 0
    return [
      {
        tone: 'bad' as const,
        icon: 'alert-triangle',
        title: t('{count, plural, one {An invoice is overdue} other {# invoices are overdue}}', {
          count: counts.overdue,
        }),
        about:
          counts.overdue === 1
            ? t('{days, plural, one {Overdue by # day} other {Overdue by # days}}', { days: late })
            : t('{days, plural, one {The oldest by # day} other {The oldest by # days}}', { days: late }),
        amount: overdue,
        path: '/invoices?status=overdue',
        action: 'View',
        by,
      },
    ]
  }
  if (!counts.open) return []
  return [
    {
      tone: '' as const,
      icon: 'file-invoice',
      title: t('{count, plural, one {1 invoice to pay} other {# invoices to pay}}', {
        count: counts.open,
      }),
      about: oldestDueOn ? t('The first is due on {day}', { day: day(oldestDueOn) }) : '',
      amount: due,
      path: '/invoices?status=open',
      action: 'View',
      by,
    },
  ]
}

const figuresToPay = ({ counts, due, overdue }: Overview, { t }: RequestContext) => [
  {
    label: 'To pay',
    value: due.filter(it => Number(it.amount) > 0),
    note: t('{count, plural, =0 {nothing open} one {# invoice} other {# invoices}}', { count: counts.open }),
  },
  {
    label: 'Overdue',
    value: overdue,
    late: counts.overdue > 0,
    note: t('{count, plural, =0 {nothing overdue} one {# invoice} other {# invoices}}', { count: counts.overdue }),
  },
]

function figuresOfYear({ periods: [year, month] }: Overview, { t, money }: RequestContext) {
  const paidThisMonth = month?.paid.length
    ? t('{amounts} this month', { amounts: month.paid.map(money).join(', ') })
    : undefined
  return [
    { label: 'Invoiced this year', value: year?.invoiced ?? [] },
    { label: 'Paid this year', value: year?.paid ?? [], note: paidThisMonth },
  ]
}
