import Big from 'big.js'
import type { Offer } from '../../plugins/_offers/port.ts'
import type { Invoice, Overview } from '../../plugins/invoices/port.ts'
import type { Line } from '../../src/crm/document.ts'
import type { Money } from '../../src/platform/money.ts'
import type { ByCurrency, TrueClient, TrueDocument, TrueLine } from './truth.ts'

/** What of a document is compared, in the order of the table. */
export const fields = [
  ...(['visibility', 'number', 'status', 'dates', 'currency', 'net', 'tax', 'total', 'due'] as const),
  ...(['lines', 'unit prices', 'payments', 'credit notes'] as const),
]
type Field = (typeof fields)[number]

/** Whether the CRM says this of a document that is shown. */
export function isJudged(field: Field, it: TrueDocument): boolean {
  if (field === 'visibility') return true
  return it.shown !== 'no' && judged[field](it) !== undefined
}

const judged: Record<Exclude<Field, 'visibility'>, (it: TrueDocument) => unknown> = {
  number: it => it.number,
  status: it => it.status,
  dates: it => it.sentOn ?? it.dueOn ?? it.validUntil,
  currency: it => it.currency,
  net: it => it.net,
  tax: it => it.tax,
  total: it => it.total,
  due: it => it.due,
  lines: it => it.lines,
  'unit prices': it => it.lines?.find(line => line.price !== undefined),
  payments: it => it.payments,
  'credit notes': it => it.credited,
}

export interface Difference<Name extends string = Field> {
  /** As in a URL: `invoices/12`, `clients/7`. */
  of: string
  field: Name
  sentence: string
}

export type Shown = Invoice | Offer

/** What the portal shows of a document other than its CRM does; null where it shows none. */
export function differencesOf(truth: TrueDocument, shown: Shown | null, timeZone: string): Difference[] {
  const of = `${truth.section}/${truth.id}`
  if (!shown || truth.shown === 'no') {
    const wrong = truth.shown === 'yes' ? 'is not shown' : shown ? 'is shown' : undefined
    return wrong ? [{ of, field: 'visibility', sentence: `${of} (${truth.crmStatus}) ${wrong}` }] : []
  }
  return fields.flatMap(field => {
    const sentence = comparisons[field](truth, shown, timeZone)
    return sentence ? [{ of, field, sentence: `${of} (${truth.crmStatus}): ${sentence}` }] : []
  })
}

type Comparison = (truth: TrueDocument, shown: Shown, timeZone: string) => string | undefined

const comparisons: Record<Field, Comparison> = {
  visibility: () => undefined,
  number: (truth, shown) => differs(truth.number && [truth.number], shown.number),
  status: (truth, shown) => differs(truth.status, shown.status),
  dates: (truth, shown, timeZone) => differingDates(truth, shown, timeZone),
  currency: (truth, shown) => differs(truth.currency && [truth.currency], shown.total.currency),
  net: (truth, { sums }) => differs(amounts(truth.net), sums.net.amount, sameAmount),
  tax: (truth, { sums }) => differs(amounts(truth.tax), total(sums.taxes.map(it => it.amount)), sameAmount),
  total: (truth, { sums }) => differs(amounts(truth.total), sums.total.amount, sameAmount),
  due: (truth, shown) => ('balance' in shown ? differs(truth.due, shown.balance.amount, sameAmount) : undefined),
  lines: (truth, { lines }) => truth.lines && differingLines(truth.lines, lines),
  'unit prices': (truth, { lines }) => truth.lines && differingPrices(truth.lines, lines),
  payments: (truth, shown) =>
    truth.payments && 'payments' in shown
      ? differs([listed(truth.payments)], listed(shown.payments.map(it => ({ on: it.on, amount: it.amount.amount }))))
      : undefined,
  'credit notes': (truth, shown) =>
    truth.credited && 'creditNotes' in shown
      ? differs([sorted(truth.credited)], sorted(shown.creditNotes.map(it => it.amount.amount)))
      : undefined,
}

const sameAmount = (one: string, other: string) => Big(one).eq(other)

const amounts = (it: string | undefined) => (it === undefined ? undefined : [it])

const total = (its: Money[]) => its.reduce((sum, it) => sum.plus(it.amount), Big(0)).toString()

const sorted = (its: string[]) =>
  its
    .map(it => Big(it).toFixed(2))
    .sort()
    .join(', ')

const listed = (its: { on: string; amount: string }[]) =>
  its
    .map(it => `${it.on} ${Big(it.amount).toFixed(2)}`)
    .sort()
    .join(', ')

/** A sentence where none of the right values is shown. */
function differs(
  right: string[] | '' | undefined,
  shown: string,
  same: (one: string, other: string) => boolean = (one, other) => plain(one) === plain(other),
): string | undefined {
  if (!right || right.some(it => same(it, shown))) return undefined
  return `${JSON.stringify(shown)} instead of ${right.map(it => JSON.stringify(it)).join(' or ')}`
}

const plain = (text: string) =>
  text
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()

function differingDates(truth: TrueDocument, shown: Shown, timeZone: string): string | undefined {
  const offer = 'validUntil' in shown ? shown : undefined
  const pairs: [string, string | null | undefined, string | null | undefined][] = [
    ['sent', truth.sentOn, shown.sentOn],
    ['due', truth.dueOn, 'dueOn' in shown ? shown.dueOn : undefined],
    ['valid until', truth.validUntil, offer?.validUntil],
    ['answered', truth.respondedOn, offer?.respondedOn],
  ]
  const wrong = pairs
    .map(([name, right, its]) => [name, right?.includes('T') ? dateIn(right, timeZone) : right, its] as const)
    .filter(([, right, its]) => right !== undefined && its !== undefined && right !== its)
  return wrong.map(([name, right, its]) => `${name} ${its} instead of ${right}`).join(', ') || undefined
}

/** The date that it is at an instant in a time zone. */
const dateIn = (instant: string, timeZone: string) =>
  new Intl.DateTimeFormat('sv', { timeZone, dateStyle: 'short' }).format(new Date(instant))

/** Each true line with the line that is shown for it, by title, quantity and total. */
function paired(truth: TrueLine[], shown: Line[]) {
  const left = [...shown]
  const pairs = truth.map(it => {
    const at = left.findIndex(one => isShownAs(it, one))
    return { it, shown: at < 0 ? undefined : left.splice(at, 1)[0] }
  })
  return { pairs, left }
}

function isShownAs(it: TrueLine, { title, details, quantity, total }: Line): boolean {
  const titles = [plain(title), plain(`${title} ${details ?? ''}`)]
  return (
    it.titles.some(one => titles.includes(plain(one))) &&
    sameAmount(it.quantity, quantity) &&
    sameAmount(it.total, total.amount)
  )
}

function differingLines(truth: TrueLine[], shown: Line[]): string | undefined {
  const { pairs, left } = paired(truth, shown)
  const named = (title: string, quantity: string, amount: string) =>
    `${JSON.stringify(plain(title).slice(0, 40))} ${quantity} → ${amount}`
  const missing = pairs
    .filter(one => !one.shown && !one.it.mayLack)
    .map(({ it }) => named(it.titles[0] ?? '', it.quantity, it.total))
  const more = left.map(it => named(it.title, it.quantity, it.total.amount))
  if (!missing.length && !more.length) return undefined
  return `lines not shown: ${missing.join('; ') || 'none'}; lines too many: ${more.join('; ') || 'none'}`
}

function differingPrices(truth: TrueLine[], shown: Line[]): string | undefined {
  const wrong = paired(truth, shown).pairs.flatMap(({ it, shown: line }) =>
    line && it.price !== undefined && !Big(it.price).round(6).eq(Big(line.price.amount).round(6))
      ? [`${JSON.stringify(plain(line.title).slice(0, 40))} ${line.price.amount} instead of ${it.price}`]
      : [],
  )
  return wrong.join(', ') || undefined
}

/** What of a client's totals is shown other than it is. */
export function differingTotals(truth: TrueClient, { counts, due, overdue }: Overview): string | undefined {
  const wrong = [
    truth.open !== undefined && truth.open <= 1000 && truth.open !== counts.open
      ? `${counts.open} open instead of ${truth.open}`
      : '',
    truth.due && differingSums('due', [truth.due], due),
    truth.overdue && differingSums('overdue', truth.overdue, overdue),
  ]
  return wrong.filter(Boolean).join('; ') || undefined
}

export function differingSums(name: string, right: ByCurrency[], shown: Money[]): string | undefined {
  const its = sumsOf(Object.fromEntries(shown.map(it => [it.currency, it.amount])))
  if (right.some(it => sumsOf(it) === its)) return undefined
  return `${name} ${its || 'nothing'} instead of ${right.map(it => sumsOf(it) || 'nothing').join(' or ')}`
}

const sumsOf = (its: ByCurrency): string =>
  Object.entries(its)
    .filter(([, amount]) => !Big(amount).eq(0))
    .map(([currency, amount]) => `${currency} ${Big(amount).toFixed(2)}`)
    .sort()
    .join(', ')
