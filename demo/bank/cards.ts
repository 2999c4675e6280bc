/** Stripe's documented test numbers (https://docs.stripe.com/testing) and what each does. */

export interface CardBehaviour {
  /** Asks the client to confirm by 3-D Secure. */
  confirm?: boolean
  decline?: Decline
  /** Disputed after the payment, for this reason. */
  dispute?: string
  refund?: 'refund' | 'refund-fail'
}

export interface Decline {
  code: string
  decline_code?: string
  message: string
}

const declined = (decline_code: string, message = 'Your card was declined.'): Decline => ({
  code: 'card_declined',
  decline_code,
  message,
})

const insufficient = declined('insufficient_funds', 'Your card has insufficient funds.')

const behaviours: Record<string, CardBehaviour> = {
  '4000002500003155': { confirm: true },
  '4000002760003184': { confirm: true },
  '4000000000003220': { confirm: true },
  '4000008260003178': { confirm: true, decline: insufficient },
  '4000000000000002': { decline: declined('generic_decline') },
  '4000000000009995': { decline: insufficient },
  '4000000000009987': { decline: declined('lost_card') },
  '4000000000009979': { decline: declined('stolen_card') },
  '4000000000000069': { decline: { code: 'expired_card', message: 'Your card has expired.' } },
  '4000000000000127': { decline: { code: 'incorrect_cvc', message: "Your card's security code is incorrect." } },
  '4000000000000119': {
    decline: { code: 'processing_error', message: 'An error occurred while processing your card. Try again later.' },
  },
  '4000000000000259': { dispute: 'fraudulent' },
  '4000000000002685': { dispute: 'product_not_received' },
  '4000000000007726': { refund: 'refund' },
  '4000000000005126': { refund: 'refund-fail' },
}

const ordinary = new Set([
  '4242424242424242',
  '4000056655665556',
  '5555555555554444',
  '2223003122003222',
  '5200828282828210',
  '378282246310005',
  '6011111111111117',
  '3566002020360505',
])

const live = declined(
  'test_mode_live_card',
  'Your card was declined. Your request was in test mode, but used a non test (live) card. For a list of valid test ' +
    'cards, visit: https://stripe.com/docs/testing.',
)

/** A number that is no test card is declined, as in Stripe's test mode. */
export function cardBehaviour(number: string): CardBehaviour {
  return behaviours[number] ?? (ordinary.has(number) ? {} : { decline: live })
}

/** Has the check digit of a card number (Luhn). */
export function isCardNumber(number: string): boolean {
  if (!/^\d{12,19}$/.test(number)) return false
  const digits = [...number].reverse().map(Number)
  const sum = digits.reduce((total, digit, index) => total + (index % 2 ? doubled(digit) : digit), 0)
  return sum % 10 === 0
}

const doubled = (digit: number) => (digit > 4 ? digit * 2 - 9 : digit * 2)

export function brandOf(number: string): string {
  if (/^3[47]/.test(number)) return 'amex'
  if (/^35/.test(number)) return 'jcb'
  if (number.startsWith('6')) return 'discover'
  return number.startsWith('4') ? 'visa' : 'mastercard'
}

/** The check digits of an IBAN (ISO 7064). */
export function isIban(iban: string): boolean {
  if (!/^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/.test(iban)) return false
  const moved = iban.slice(4) + iban.slice(0, 4)
  const digits = moved.replaceAll(/[A-Z]/g, letter => String(letter.charCodeAt(0) - 55))
  return BigInt(digits) % 97n === 1n
}

/** What a debit from this account comes to, by the end of its number. */
export function debitBehaviour(iban: string): { fails: boolean; dispute: boolean } {
  return { fails: /300[14]$/.test(iban), dispute: iban.endsWith('3002') }
}
