import { z } from 'zod'
import { pageOf } from '../../src/http/paging.ts'
import { showAgainOnError } from '../../src/http/respond.ts'
import { may } from '../../src/plugin/permissions.ts'
import { section } from '../../src/plugin/plugin.ts'
import { home } from './home.ts'
import {
  Filter,
  sendInvoicePdf,
  sendStatementCsv,
  sendStatementPdf,
  showInvoice,
  showList,
  showNoStatement,
  showStatement,
} from './pages.ts'
import { Invoice, Overview, Statement, Summary } from './port.ts'
import { Period } from './statement.ts'
import { recordOf, subject } from './subject.ts'

const billed = { number: '2026-0118', total: { amount: '1200.00', currency: 'EUR' }, day: { day: '2026-12-15' } }

export default section({
  name: 'invoices',
  title: 'Invoices',
  icon: 'file-invoice',
  order: 20,

  notifications: {
    'invoices.sent': {
      label: 'New invoices',
      group: 'money',
      sentence: 'New invoice {number} for {total}',
      about: 'Due on {day}',
      example: billed,
    },
    'invoices.paid': {
      label: 'Invoices that were paid or cancelled',
      group: 'money',
      sentence: 'Invoice {number} is paid',
      about: '{total}',
      example: billed,
      icon: 'check',
      channels: { mail: false, summary: true },
    },
    'invoices.cancelled': {
      label: 'Invoices that were paid or cancelled',
      group: 'money',
      sentence: 'Invoice {number} was cancelled',
      about: '{total}',
      example: billed,
      icon: 'x',
      channels: { mail: false, summary: true },
      chosenWith: 'invoices.paid',
    },
  },

  permissions: {
    'invoices.see': { label: 'See invoices and payments', roles: ['admin', 'approver', 'billing', 'member', 'viewer'] },
    'invoices.comment': { label: 'Ask about invoices', roles: ['admin', 'approver', 'billing', 'member'] },
  },

  toggles: {
    invoices: {
      label: 'Invoices',
      about: 'Clients see their invoices, what is paid and what is still open.',
      default: true,
    },
  },

  responseSchemas: {
    'invoices/list': pageOf(Summary).extend({ overview: Overview, found: Overview.shape.counts.optional() }),
    'invoices/statement': z.object({ statements: z.array(Statement) }),
    'invoices/show': z.object({ invoice: Invoice }),
  },

  requestSchemas: { 'invoices/list': Filter, 'invoices/statement': Period },

  activity: {
    'invoices.statement_downloaded': {
      kind: 'download',
      sentence: 'downloaded the statement of account from {from} to {until}',
    },
    'invoices.viewed': { kind: 'view', sentence: 'looked at invoice {number}' },
    'invoices.downloaded': { kind: 'download', sentence: 'downloaded invoice {number}' },
  },

  audit: [
    { question: 'B3', adds: 'the section Invoices', of: ['invoices'] },
    { question: 'C3', adds: 'public links to one invoice', of: ['invoices'] },
    { question: 'E4', adds: 'a public page for one invoice', of: ['invoices'] },
    { question: 'B5', adds: 'bank details and a QR code for transfers on each invoice', of: ['invoices'] },
  ],

  subject,
  with: {
    links: {
      toggles: {
        'invoices.links': {
          label: 'Public links to invoices',
          about: 'You can make links that open one invoice without an account.',
          default: false,
        },
      },
    },
    comments: {
      toggles: {
        'invoices.questions': {
          label: 'Questions on invoices',
          about: 'Clients ask about an invoice, and you answer them there.',
          default: true,
        },
      },
      activity: {
        'invoices.commented': 'asked about the invoice {number}',
        'invoices.disputed': 'disputed the invoice {number}',
        'invoices.replied': 'answered a question about the invoice {number}',
      },
    },
    reminders: {
      toggles: {
        'invoices.reminders': {
          label: 'Reminders of invoices',
          about: 'People who can pay get an e-mail before and after an invoice is due, as set under Reminders.',
          withoutMail: 'E-mail isn’t set up, so nobody is reminded.',
          default: true,
        },
      },
      activity: {
        'invoices.reminded':
          'reminded {count, plural, one {# person} other {# people}} of the {state, select, overdue {overdue } other {}}invoice {number}',
      },
    },
  },

  home,
  waiting: async ({ crm }) => (await crm.invoices.overview()).counts.open,

  routes(router, { capability }) {
    router.get('/', may('invoices.see'), showList)
    router.get('/statement', may('invoices.see'), showStatement, showAgainOnError(showNoStatement))
    router.get('/statement.pdf', may('invoices.see'), sendStatementPdf)
    router.get('/statement.csv', may('invoices.see'), sendStatementCsv)
    router.get('/:id', may('invoices.see'), showInvoice)
    router.get('/:id/pdf', may('invoices.see'), sendInvoicePdf)
    capability('comments')?.routes(router, {
      kind: 'invoices',
      disputable: true,
      subject: async ({ params, portal }) => recordOf(await portal.crm.invoices.find(params.id), portal),
      show: showInvoice,
      back: ({ params, portal }) => portal.url(`/invoices/${encodeURIComponent(params.id)}`),
    })
  },
})
