/** Amounts are integers in the smallest unit, as Stripe has them. */

const zero = words('bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf')
const three = words('bhd jod kwd omr tnd')
/** Have no cents any more, but Stripe keeps their amounts in hundredths. */
const wholeOnly = words('isk ugx')

/** What Stripe can charge in. */
export const currencies = words(
  'usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf ' +
    'clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl htg huf idr ils ' +
    'inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk ' +
    'mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp ' +
    'sle sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xof xpf yer zar zmw',
)

/** https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts; other currencies have none here. */
const minimum = numbers(
  'usd 50 aed 200 aud 50 bgn 100 brl 50 cad 50 chf 50 czk 1500 dkk 250 eur 50 gbp 30 hkd 400 huf 17500 inr 50 jpy 50 ' +
    'mxn 1000 myr 200 nok 300 nzd 50 pln 200 ron 200 sek 300 sgd 50 thb 1000',
)
const digits = numbers('inr 9 cop 10 huf 10 jpy 10 idr 12 lbp 12')

/** How many digits are behind the point: 0, 2 or 3. */
export function exponent(currency: string): number {
  if (zero.has(currency)) return 0
  return three.has(currency) ? 3 : 2
}

/** Amounts of these currencies must be multiples of it. */
export function step(currency: string): number {
  if (three.has(currency)) return 10
  return wholeOnly.has(currency) ? 100 : 1
}

export const smallest = (currency: string) => minimum.get(currency) ?? 1
export const largest = (currency: string) => 10 ** (digits.get(currency) ?? 8) - 1

/** '€1,234.50' */
export function formatMoney(amount: number, currency: string): string {
  const places = exponent(currency)
  const padded = String(Math.abs(amount)).padStart(places + 1, '0')
  const whole = padded.slice(0, padded.length - places)
  const decimal = places === 0 ? padded : `${whole}.${padded.slice(-places)}`
  const format = new Intl.NumberFormat('en', {
    style: 'currency',
    currency: currency.toUpperCase(),
    minimumFractionDigits: places,
    maximumFractionDigits: places,
  })
  return (amount < 0 ? '-' : '') + format.format(decimal as Intl.StringNumericLiteral)
}

/** Reads '12.50' or '12,5' exactly; undefined where it is no amount of that currency. */
export function parseMoney(text: string, currency: string): number | undefined {
  const places = exponent(currency)
  const [, whole, part = ''] = /^(\d{1,12})(?:[.,](\d+))?$/.exec(text.trim()) ?? []
  if (whole === undefined || part.length > places) return undefined
  return Number(whole + part.padEnd(places, '0'))
}

/** 12345 as '123.45', for a field of a form. */
export function decimalMoney(amount: number, currency: string): string {
  const places = exponent(currency)
  const padded = String(amount).padStart(places + 1, '0')
  return places === 0 ? padded : `${padded.slice(0, -places)}.${padded.slice(-places)}`
}

/** What the bank keeps of a charge: 1.5 % and 0.25 of a card payment, 0.35 of a debit. */
export function feeOf(amount: number, currency: string, method: 'card' | 'sepa_debit'): number {
  if (method === 'sepa_debit') return Math.min(amount, 35)
  const fixed = exponent(currency) === 3 ? 250 : 25
  return Math.min(amount, Math.round((amount * 15) / 1000) + fixed)
}

function words(text: string): Set<string> {
  return new Set(text.split(' '))
}

/** 'eur 50 usd 50' by currency. */
function numbers(text: string): Map<string, number> {
  const pairs = text.matchAll(/(\w+) (\d+)/g).map(([, name, number]) => [name!, Number(number)] as const)
  return new Map(pairs)
}
