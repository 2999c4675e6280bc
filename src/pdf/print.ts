import type { Request, Response } from 'express'
import { grouped, type Line, type Pdf, type Totals } from '../crm/document.ts'
import { type Event, recordEvent } from '../platform/activity.ts'
import type { DocumentReader } from '../plugin/parts.ts'
import type { PrintedDocument } from './pdf.ts'
import type { Turn } from './pool.ts'

/** The parts that all printed documents share: language, sender, letterhead. */
export const printedDocument = ({ locale, direction, workspace, t }: DocumentReader) => ({
  language: locale,
  direction,
  sender: workspace.name,
  letterhead: workspace.letterhead,
  colour: workspace.colour,
  columns: [t('Description'), t('Quantity'), t('Amount')] as [string, string, string],
  footer: [...new Set([workspace.letterhead[0] ?? workspace.name, workspace.letterhead.at(-1)])]
    .filter(Boolean)
    .join(' · '),
})

/** Lines under their headings, as on the page. */
export const printedLines = (lines: Line[], { t, number, price, money }: DocumentReader): PrintedDocument['groups'] =>
  grouped(lines).map(({ heading, optional, lines: those }) => ({
    heading: heading ?? (optional ? t('Optional') : null),
    lines: those.map(it => ({
      title: it.title,
      details: [
        it.details,
        it.discount && t('{percent}% off', { percent: number(it.discount) }),
        it.optional && (it.chosen ? t('Chosen, counts in the total') : t('Not chosen, counts in no total')),
      ].filter(text => typeof text === 'string' && text !== '') as string[],
      quantity:
        it.quantity === '1' && !it.unit
          ? t('fixed price')
          : `${[number(it.quantity), it.unit].filter(Boolean).join(' ')} × ${price(it.price)}`,
      amount: money(it.total),
      optional: it.optional,
      chosen: it.chosen,
    })),
  }))

/** What leads to the total. */
export const printedTotals = (
  { discount, previous, net, taxes }: Totals,
  { t, number, money }: DocumentReader,
): PrintedDocument['totals'] => [
  ...(discount
    ? [row(t('Discount {percent}%', { percent: number(discount.percent) }), money(minus(discount.amount)))]
    : []),
  ...(previous ? [row(t('Invoiced before'), money(minus(previous)))] : []),
  row(t('Net'), money(net)),
  ...taxes.map(({ percent, amount }) =>
    row(percent === null ? t('Tax') : t('Tax {percent}%', { percent: number(percent) }), money(amount)),
  ),
]

const row = (label: string, value: string): PrintedDocument['totals'][number] => [label, value, false]

export const minus = <T extends { amount: string }>(it: T): T => ({
  ...it,
  amount: it.amount.startsWith('-') ? it.amount.slice(1) : `-${it.amount}`,
})

export const paragraphs = (text: string | null) => (text ?? '').split(/\n{2,}/).filter(it => it.trim())

/** The print queue entry of the person who asks. */
export const printTurnOf = ({ portal: { workspace, customer } }: Request<any>): Turn => ({
  by: `${workspace.id} ${customer.person.id}`,
})

/** Records a download. The print preview on a page records its own view. */
export const recordDownload = async (req: Request<any>, event: Event) => {
  if (req.get('Sec-Fetch-Dest') !== 'iframe') await recordEvent(req, event)
}

/**
 * Sends a PDF to be shown in the browser, or saved with `?download`. It may be framed by our pages only and cannot
 * run anything. File names as in RFC 6266 and RFC 8187.
 */
export function sendPdf(req: Request<any>, res: Response, { name, bytes }: Pdf) {
  res.attachment(`${fileName(name)}.pdf`)
  if (req.query.download === undefined)
    res.set('Content-Disposition', String(res.get('Content-Disposition')).replace(/^attachment/, 'inline'))
  res
    .set({ 'Cache-Control': 'private, no-store', 'Content-Security-Policy': policy })
    .type('application/pdf')
    .send(bytes)
}

/** The viewers of browsers are pages of their own, with styles and a plug-in. */
const policy = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"

/**
 * A file of the CRM's, of whatever type: it is kept and never opened here, so that nothing in it can act for the
 * reader.
 */
export function sendFile(res: Response, { name, type }: { name: string; type: string | null }, bytes: Uint8Array) {
  res
    .attachment(fileName(name))
    .type(/^[\w.+-]{1,60}\/[\w.+-]{1,100}$/.test(type ?? '') ? type! : 'application/octet-stream')
    .set({ 'Cache-Control': 'private, no-store', 'Content-Security-Policy': "default-src 'none'; sandbox" })
    .send(Buffer.from(bytes))
}

/** Without what some system forbids in a name. */
const fileName = (name: string) =>
  name
    .toWellFormed()
    .replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, '')
    .replace(/[/\\:*?"<>|]+/g, '-')
    .replace(/^[.\s]+|[.\s]+$/g, '')
    .slice(0, 120) || 'document'
