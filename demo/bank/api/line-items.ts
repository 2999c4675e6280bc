import { type Core, newId, seconds } from '../core.ts'
import { ApiError, invalid, missing, noSuch } from '../errors.ts'
import { currencies, exponent, formatMoney, largest, smallest, step } from '../money.ts'
import type { Item } from '../objects.ts'
import { hash, integer, list, mergeMetadata, metadata, needed, text, url, type Values } from '../params.ts'

const line = {
  price: text(),
  price_data: hash({
    currency: needed(text(3)),
    product: text(),
    product_data: hash({
      name: needed(text(1_500)),
      description: text(40_000),
      images: list(url, 8),
      metadata,
    }),
    unit_amount: integer(),
  }),
  quantity: integer({ min: 1, max: 999_999 }),
  metadata,
}
type Line = Values<typeof line>

export const lineItem = hash(line)

/** The lines of a session with their amounts; one currency, and a total that can be charged. */
export function createItems(core: Core, lines: Line[]): Item[] {
  const items = lines.map((each, index) => createItem(core, each, `line_items[${index}]`))
  const currency = items[0]!.currency
  if (items.some(item => item.currency !== currency)) {
    throw new ApiError('All line items in a Checkout Session must have the same currency.', { param: 'line_items' })
  }
  checkTotal(
    items.reduce((sum, item) => sum + item.amount_total, 0),
    currency,
  )
  return items
}

function createItem(core: Core, { price, price_data: data, quantity = 1, metadata: given }: Line, name: string): Item {
  if (price !== undefined) throw noSuch('price', price, `${name}[price]`, 400)
  if (!data) throw missing(`${name}[price_data]`)
  if (data.product !== undefined) throw noSuch('product', data.product, `${name}[price_data][product]`, 400)
  if (!data.product_data) throw missing(`${name}[price_data][product_data]`)
  if (data.unit_amount === undefined) throw missing(`${name}[price_data][unit_amount]`)
  const currency = data.currency.toLowerCase()
  checkAmount(data.unit_amount, currency, `${name}[price_data]`)
  const amount = data.unit_amount * quantity
  return {
    id: newId('li', 24),
    object: 'item',
    adjustable_quantity: null,
    amount_discount: 0,
    amount_subtotal: amount,
    amount_tax: 0,
    amount_total: amount,
    currency,
    description: data.product_data.name,
    metadata: mergeMetadata({}, given),
    price: priceOf(core, currency, data.unit_amount),
    quantity,
  }
}

function priceOf(core: Core, currency: string, unit_amount: number): Item['price'] {
  return {
    id: newId('price'),
    object: 'price',
    active: false,
    billing_scheme: 'per_unit',
    created: seconds(core),
    currency,
    custom_unit_amount: null,
    livemode: false,
    lookup_key: null,
    metadata: {},
    nickname: null,
    product: newId('prod', 14),
    recurring: null,
    tax_behavior: 'unspecified',
    tiers_mode: null,
    transform_quantity: null,
    type: 'one_time',
    unit_amount,
    unit_amount_decimal: String(unit_amount),
  }
}

function checkAmount(amount: number, currency: string, name: string): void {
  if (!currencies.has(currency)) {
    const known = [...currencies].join(', ')
    throw invalid(
      `Invalid currency: ${currency}. Stripe currently supports these currencies: ${known}`,
      `${name}[currency]`,
    )
  }
  if (amount % step(currency) === 0) return
  const why =
    exponent(currency) === 3
      ? `Amounts in ${currency} must end with 0: round to the nearest ten.`
      : `Amounts in ${currency} must be whole: a multiple of 100.`
  throw invalid(why, `${name}[unit_amount]`, 'parameter_invalid_integer')
}

function checkTotal(total: number, currency: string): void {
  const least = smallest(currency)
  if (total < least) {
    throw new ApiError(
      `The Checkout Session's total amount due must add up to at least ${formatMoney(least, currency)} ${currency}`,
      { code: 'amount_too_small' },
    )
  }
  const most = largest(currency)
  if (total <= most) return
  const message = `The Checkout Session's total amount must be no more than ${formatMoney(most, currency)} ${currency}`
  throw new ApiError(message, { code: 'amount_too_large' })
}
