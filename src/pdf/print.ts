import type { Request, Response } from 'express'
import { type Event, record } from '../activity.ts'
import { grouped, type Line, type Sums } from '../document.ts'
import type { Reader } from '../section.ts'
import type { PrintedDocument } from './pdf.ts'
import type { Turn } from './pool.ts'

/** What a document's PDF has in common with that of any other: in the reader's language, on the sender's paper. */
export const paper = ({ locale, direction, workspace, t }: Reader) => ({
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
export const printedLines = (lines: Line[], { t, number, price, money }: Reader): PrintedDocument['groups'] =>
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
export const printedSums = ({ discount, net, taxes }: Sums, { t, number, money }: Reader): PrintedDocument['sums'] => [
  ...(discount
    ? [row(t('Discount {percent}%', { percent: number(discount.percent) }), money(minus(discount.amount)))]
    : []),
  row(t('Net'), money(net)),
  ...taxes.map(({ percent, amount }) =>
    row(percent === null ? t('Tax') : t('Tax {percent}%', { percent: number(percent) }), money(amount)),
  ),
]

const row = (label: string, value: string): PrintedDocument['sums'][number] => [label, value, false]

export const minus = <T extends { amount: string }>(it: T): T => ({ ...it, amount: `-${it.amount}` })

export const paragraphs = (text: string | null) => (text ?? '').split(/\n{2,}/).filter(it => it.trim())

/** A PDF of a document; the name has no ending yet. */
export interface Pdf {
  name: string
  bytes: Buffer
}

/** The turn of whoever asks for a document. */
export const turnOf = ({ portal: { workspace, customer } }: Request<any>): Turn => ({
  by: `${workspace.id} ${customer.person.id}`,
})

/** A row for who took a document away; the page that shows beside it how it prints leaves its own. */
export const taken = async (req: Request<any>, event: Event) => {
  if (req.get('Sec-Fetch-Dest') !== 'iframe') await record(req, event)
}

/**
 * Shown in the browser's own viewer, or kept with `?download`. Our pages may frame it; it can load and run nothing.
 * Its name is as RFC 6266 and RFC 8187 have it, whatever the script.
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

/** A file of the CRM's, of whatever type: it is kept and never opened here, so that nothing in it can act for the reader. */
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
