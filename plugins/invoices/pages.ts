import type { RequestHandler } from 'express'
import { grouped } from '../../src/crm/document.ts'
import { lineNames } from '../../src/crm/line-names.ts'
import { type PayeeDetails, payeeNote, payeeOf } from '../../src/crm/payee.ts'
import { filterOf } from '../../src/http/filter.ts'
import { pdfOf } from '../../src/pdf/pdf.ts'
import { printTurnOf, recordDownload, sendPdf } from '../../src/pdf/print.ts'
import { recordEvent } from '../../src/platform/activity.ts'
import { attachedTo } from '../../src/settings/plugin-actions.ts'
import { sorts, statuses } from './port.ts'
import { printed } from './print.ts'
import { kinds, periodOf, printedStatement, statementCsv } from './statement.ts'
import { statementPageOf, usualPeriods } from './statement-page.ts'
import { words } from './words.ts'

export const Filter = filterOf({ statuses, sorts })

export const showList: RequestHandler = async (req, res) => {
  const filter = Filter.parse(req.query)
  const { invoices } = req.portal.crm
  const [page, overview, found] = await Promise.all([
    invoices.list(filter),
    invoices.overview(),
    filter.search ? invoices.counts?.(filter.search) : undefined,
  ])
  res.respond('invoices/list', { filter, overview, found, ...page, ...words(req.portal) })
}

export const showStatement: RequestHandler = async (req, res) => {
  const period = periodOf(req)
  const statements = await req.portal.crm.invoices.statement(period.from, period.until)
  const shown = statementPageOf(req, statements)
  const periods = usualPeriods(req.portal)
  res.respond('invoices/statement', { period, periods, statements, shown, kinds: kinds(req.portal) })
}

/** Where there is too much to state. */
export const showNoStatement: RequestHandler = (req, res) =>
  res.respond('invoices/statement', {
    ...{ period: periodOf(req), periods: usualPeriods(req.portal) },
    ...{ statements: [], shown: undefined, kinds: {} },
  })

export const sendStatementPdf: RequestHandler = async (req, res) => {
  const period = periodOf(req)
  const statements = await req.portal.crm.invoices.statement(period.from, period.until)
  const content = printedStatement(period, statements, req.portal)
  const bytes = await pdfOf(content, await req.portal.logo(), printTurnOf(req))
  await recordDownload(req, { event: 'invoices.statement_downloaded', subject: period })
  sendPdf(req, res, { name: `${req.portal.t('Statement of account')} ${period.from} ${period.until}`, bytes })
}

export const sendStatementCsv: RequestHandler = async (req, res) => {
  const { from, until } = periodOf(req)
  const statements = await req.portal.crm.invoices.statement(from, until)
  await recordEvent(req, { event: 'invoices.statement_downloaded', subject: { from, until } })
  res.type('text/csv').attachment(`statement-${from}-${until}.csv`)
  res.set('Cache-Control', 'private, no-store').send(statementCsv(statements))
}

export const showInvoice: RequestHandler<any> = async (req, res) => {
  const id = String(req.params.id)
  const [found, attached] = await Promise.all([req.portal.crm.invoices.find(id), attachedTo(req, 'invoices', id)])
  const payee = attached.payee as (PayeeDetails & { since: string }) | null | undefined
  const invoice = { ...found, account: payeeOf(payee, found.account, found.number) }
  if (!req.portal.problem) await recordEvent(req, { event: 'invoices.viewed', subject: invoice })
  res.respond('invoices/show', {
    ...{ invoice, ...attached, groups: grouped(invoice.lines) },
    payeeSays: payee && payeeNote(req.portal, payee.since),
    lineNames: lineNames(invoice.lines, req.portal),
    ...words(req.portal),
  })
}

/** The CRM's own PDF, where it has one. */
export const sendInvoicePdf: RequestHandler = async (req, res) => {
  const { crm, t, capability, workspace } = req.portal
  const [found, payee] = await Promise.all([
    crm.invoices.find(String(req.params.id)),
    capability('bankDetails')?.current(workspace.id),
  ])
  const invoice = { ...found, account: payeeOf(payee, found.account, found.number) }
  const own = await crm.invoices.pdf?.(invoice.id)
  const pdf = own ?? {
    name: t('Invoice {number}', { number: invoice.number }),
    bytes: await pdfOf(printed(invoice, req.portal), await req.portal.logo(), printTurnOf(req)),
  }
  await recordDownload(req, { event: 'invoices.downloaded', subject: invoice })
  sendPdf(req, res, pdf)
}
