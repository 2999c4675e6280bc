import { comment, type FoundPlace, type Guess, guess, key, line, quoted } from '../guess.ts'
import { type Around, base, cents, currencyOf, dates, invoiceOf, numbers, owner } from './rows.ts'

export async function payments(
  it: FoundPlace | undefined,
  invoices: FoundPlace | undefined,
  around: Around,
): Promise<string[] | undefined> {
  if (!it) return undefined
  const invoice = invoiceOf(it, invoices)
  const currency = guess(it, 'currency', [/^currency(_code)?$/], ['text'])
  const theirs = invoices && guess(invoices, 'currency', [/^currency/], ['text'])
  const amount = guess(it, 'amount', [/^(amount|cents|total)$/], numbers)
  const itsInvoices =
    invoice && invoices && theirs
      ? [`currency: ${quoted(pathTo(invoice.column, invoices, theirs.column))}, // 80 %: its invoice’s`]
      : currencyOf(it, around, [], `currency: { value: 'EUR' }, // 30 %`)
  return [
    ...base(it),
    ...payer(it, invoice, invoices),
    ...(currency ? line('currency', currency) : itsInvoices),
    ...(await cents(it, amount, around)),
    ...line('on', guess(it, undefined, [/^(paid|received|payment)_?(on|at|date)$/, /^date/, /^created/], dates), true),
    ...line('amount', amount, true),
    ...line('reference', guess(it, undefined, [/^(reference|memo|num_paiement)$/], ['text'])),
    ...(await method(it, around)),
    ...line('payer', guess(it, undefined, [/^payer(_name)?$/], ['text'])),
    ...line('invoice', invoice),
    '// What clients pay in the portal is entered by staff, until `record` names the CRM’s own API for it.',
  ]
}

/** Whose a payment is: as it says itself, or as its invoice says. */
function payer(it: FoundPlace, invoice: Guess | undefined, invoices: FoundPlace | undefined): string[] {
  const theirs = invoices && owner(invoices).join('').includes('todo(') ? undefined : invoices
  if (it.place.client || it.place.clientColumns || !invoice || !theirs) return owner(it)
  return [`client: ${quoted(pathTo(invoice.column, theirs, String(theirs.place.client)))}, // 70 %: along the invoice`]
}

const pathTo = (from: string, { place }: FoundPlace, column: string) => {
  const key = place.id && place.id !== 'id' ? `(${place.id})` : ''
  return `${from} > ${place.table}${key}.${column}`
}

/** A CRM's words for how something was paid. */
const methods = {
  'bank transfer': /(transfer|wire|bank|sepa|virement|ueberweisung|überweisung|transferencia|bacs|ach)/i,
  card: /(card|carte|karte|tarjeta|visa|stripe)/i,
  'direct debit': /(debit|lastschrift|prelevement|domiciliacion)/i,
  ideal: /^ideal$/i,
  cash: /(cash|^bar(zahlung|geld)?$|especes|efectivo)/i,
  cheque: /(cheque|check|scheck)/i,
} as const

async function method(it: FoundPlace, { valuesOf }: Around): Promise<string[]> {
  const found = guess(it, undefined, [/^(payment_)?method$/, /^(how|payment_type|mode|means)$/], ['text'])
  const values = found ? await valuesOf(String(it.place.table), found.column) : []
  // The debit comes before the bank: `direct debit` is none of its transfers.
  const wordOf = (value: string) =>
    (['direct debit', 'card', 'ideal', 'cash', 'cheque', 'bank transfer'] as const).find(one =>
      methods[one].test(value),
    )
  // A CRM that has one word of ours may have all of them, although no row has them yet.
  const same = values.some(value => value in methods) ? Object.keys(methods) : []
  const words = [...new Set([...values, ...same])].flatMap(value =>
    wordOf(value) ? [`${key(value)}: ${quoted(wordOf(value)!)}`] : [],
  )
  return found && words.length
    ? [
        'method: {',
        `  column: ${quoted(found.column)},${comment(found)}`,
        `  words: { ${words.join(', ')} }, // 80 %`,
        '},',
      ]
    : []
}
