import type { Money } from './amounts.ts'
import type { DocumentRelation } from './document-relation.ts'
import type { CreditNotesMap, InvoicesMap, PaymentsMap } from './map.ts'
import { dateOf, followPath, hintIndex, type Place, placeOf, type Reader, same, text } from './reader.ts'
import { literal } from './sql.ts'

/** What paid a document, as a relation over the document `d`: id, its, on, amount, method, payer. */
export function paymentsOf(reader: Reader, it: PaymentsMap | undefined, invoice: Place, amounts: Money): string {
  if (!it?.invoice)
    return `(select null::text as id, null::text as its, null::date as "on", null::numeric as amount, null::text as method, null::text as payer where false)`
  const y = placeOf(reader, it, 'y')
  const d = keyOf(invoice)
  hintIndex(y, it, typeof it.invoice === 'string' ? it.invoice : it.client, [], 'payments of an invoice')
  const between = typeof it.invoice === 'object' ? placeOf(reader, it.invoice, 'a') : undefined
  const [from, amount] =
    between && typeof it.invoice === 'object'
      ? [
          `${between.from} join ${y.from} on ${same(y, y.key, between, it.invoice.payment)}
           where ${same(between, it.invoice.invoice, d, invoice.key)} and ${between.rows}`,
          amounts.of(between, it.invoice.amount, 'd.currency'),
        ]
      : [`${y.from} where ${same(y, it.invoice as string, d, invoice.key)}`, amounts.of(y, it.amount, 'd.currency')]
  return `(select ${y.column(y.key)}::text as id, ${y.column(y.key)} as its, ${dateOf(y, it.on)} as "on", ${amount} as amount,
    ${methodOf(y, it)} as method, ${text(y, it.payer)} as payer from ${from} and ${y.rows})`
}

/** The same payments as far as their sum asks for: what lies between them and the document is often enough. */
export function paidOf(reader: Reader, it: PaymentsMap | undefined, invoice: Place, amounts: Money): string {
  const payments = paymentsOf(reader, it, invoice, amounts)
  if (typeof it?.invoice !== 'object' || it.only || it.except || it.deleted) return payments
  const between = placeOf(reader, it.invoice, 'a')
  return `(select ${amounts.of(between, it.invoice.amount, 'd.currency')} as amount
    from ${between.from} where ${same(between, it.invoice.invoice, keyOf(invoice), invoice.key)} and ${between.rows})`
}

/** The CRM's word for how it was paid, in Portico's. */
export function methodOf(y: Place, { method }: PaymentsMap): string {
  if (!method) return `'other'`
  const cases = Object.entries(method.words).map(([value, word]) => `when ${literal(value)} then ${literal(word)}`)
  return cases.length ? `case ${followPath(y, method.column).sql}::text ${cases.join(' ')} else 'other' end` : `'other'`
}

/** What was credited of a document, likewise: id, number, on, reason, amount. */
export function creditsOf(reader: Reader, it: CreditNotesMap | undefined, invoice: Place, amounts: Money): string {
  if (!it)
    return `(select null::text as id, null::text as number, null::date as "on", null::text as reason, null::numeric as amount where false)`
  const n = placeOf(reader, it, 'n')
  hintIndex(n, it, it.invoice, [], 'credit notes of an invoice')
  return `(select ${n.column(n.key)} as id, coalesce(${text(n, it.number)}, '') as number, ${dateOf(n, it.on)} as "on",
    coalesce(${text(n, it.reason)}, '') as reason, ${amounts.of(n, it.total, 'd.currency')} as amount
    from ${n.from} where ${same(n, it.invoice, keyOf(invoice), invoice.key)} and ${n.rows})`
}

/** Relations over one document `d`. */
export interface Settlements {
  paid: string
  credits: string
}

/** What is left to pay of an open invoice, over its table. */
export function leftOf({ place, amounts }: DocumentRelation, it: InvoicesMap, settlements: Settlements): string {
  const total = amounts.of(place, it.total)
  if (typeof it.balance === 'object')
    return `(${[total, ...it.balance.less.map(one => `coalesce(${amounts.of(place, one)}, 0)`)].join(' - ')})`
  if (it.balance === 'payments') {
    const here = (sql: string) =>
      sql.replaceAll('d.id', place.column(place.key)).replaceAll('d.currency', amounts.currency)
    const sum = (sql: string) => `coalesce((select sum(amount) from ${here(sql)} s), 0)`
    return `(${total} - ${sum(settlements.paid)} - ${sum(settlements.credits)})`
  }
  return it.balance ? amounts.of(place, it.balance) : total
}

/** A document's key as the relation calls it. */
const keyOf = (document: Place): Place => ({ ...document, alias: 'd', column: () => 'd.id' })
