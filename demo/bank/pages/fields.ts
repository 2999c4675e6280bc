import { isCardNumber, isIban } from '../cards.ts'
import type { Payment } from '../checkout.ts'

/** What a form of the hosted page sends. */
export type Typed = Record<string, string>

/** Reads what was typed, or says for the client what is wrong with it. */
export function readPayment(typed: Typed, now: number): { payment: Payment } | { problem: string } {
  const email = typed.email?.trim() || null
  const save = typed.save === 'yes'
  if (email && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email)) return { problem: 'Enter a valid email address.' }
  if (typed.method === 'saved') {
    return { payment: { details: { type: 'saved', method: typed.saved ?? '' }, email, save: false } }
  }
  const name = typed.name?.trim() ?? ''
  if (!name) return { problem: 'Enter the name of the account holder.' }
  const details = typed.method === 'sepa_debit' ? readDebit(typed, name) : readCard(typed, name, now)
  return typeof details === 'string' ? { problem: details } : { payment: { details, email, save } }
}

function readDebit({ iban: text = '' }: Typed, name: string) {
  const iban = text.replaceAll(/\s/g, '').toUpperCase()
  return isIban(iban) ? ({ type: 'sepa_debit', iban, name } as const) : 'The IBAN you entered is invalid.'
}

function readCard(typed: Typed, name: string, now: number) {
  const number = (typed.number ?? '').replaceAll(/[\s-]/g, '')
  if (!isCardNumber(number)) return 'Your card number is invalid.'
  const [, month, year] = /^\s*(\d{1,2})\s*\/\s*(?:20)?(\d{2})\s*$/.exec(typed.expiry ?? '') ?? []
  if (!month || !year || Number(month) < 1 || Number(month) > 12) return 'Enter the expiry date as month/year: 12/34.'
  const expiry = { month: Number(month), year: 2000 + Number(year) }
  if (Date.UTC(expiry.year, expiry.month) <= now) return "Your card's expiration year is in the past."
  const digits = /^3[47]/.test(number) ? 4 : 3
  if (!new RegExp(`^\\d{${digits}}$`).test(typed.cvc?.trim() ?? '')) return "Your card's security code is invalid."
  return { type: 'card', number, name, ...expiry } as const
}
