import { type Core, seconds } from '../core.ts'
import { ApiError, invalid, missing, unknownParam } from '../errors.ts'
import { dated, newestFirst, page, paging } from '../lists.ts'
import type { Session } from '../objects.ts'
import {
  boolean,
  email,
  hash,
  integer,
  list,
  mergeMetadata,
  metadata,
  needed,
  oneOf,
  text,
  url,
  type Values,
} from '../params.ts'
import { createSession, expireSession, type NewSession } from '../sessions.ts'
import { createItems, lineItem } from './line-items.ts'
import { get, route } from './route.ts'

const locales =
  'auto bg cs da de el en en-GB es es-419 et fi fil fr fr-CA hr hu id it ja ko lt lv ms mt nb nl pl pt pt-BR ro ru ' +
  'sk sl sv th tr vi zh zh-HK zh-TW'

const suffix = text(22)

const creation = {
  mode: needed(oneOf('payment', 'setup', 'subscription')),
  success_url: needed(url),
  cancel_url: url,
  line_items: list(lineItem),
  currency: text(3),
  customer: text(),
  customer_email: email,
  customer_creation: oneOf('always', 'if_required'),
  client_reference_id: text(200),
  expires_at: integer(),
  locale: oneOf(...locales.split(' ')),
  metadata,
  payment_intent_data: hash({
    capture_method: oneOf('automatic', 'automatic_async', 'manual'),
    description: text(1_000),
    metadata,
    receipt_email: email,
    setup_future_usage: oneOf('off_session', 'on_session'),
    statement_descriptor: text(22),
    statement_descriptor_suffix: suffix,
  }),
  allowed_payment_method_types: list(text()),
  /** Only in versions of the API before `dynamicOnly`. */
  payment_method_types: list(text()),
  saved_payment_method_options: hash({
    allow_redisplay_filters: list(oneOf('always', 'limited', 'unspecified')),
    payment_method_remove: oneOf('disabled', 'enabled'),
    payment_method_save: oneOf('disabled', 'enabled'),
  }),
  setup_intent_data: hash({ description: text(1_000), metadata }),
  submit_type: oneOf('auto', 'book', 'donate', 'pay'),
  ui_mode: oneOf('hosted_page', 'embedded_page', 'elements'),
  allow_promotion_codes: boolean,
}
type Creation = Values<typeof creation>

/** Since this version Stripe chooses the methods, and a session can only filter them. */
const dynamicOnly = '2026-09-30'

const filters = {
  ...dated,
  payment_intent: text(),
  customer: text(),
  status: oneOf('complete', 'expired', 'open'),
}

export const sessionRoutes = [
  route('post', '/checkout/sessions', creation, ({ core, params, version }) => {
    if (params.payment_method_types && version >= dynamicOnly) throw unknownParam('payment_method_types')
    return createSession(core, newSession(core, params))
  }),
  route('get', '/checkout/sessions', filters, ({ core, params }) => {
    const { created, payment_intent, customer, status } = params
    const some = newestFirst(core.state.sessions, created).filter(
      each =>
        (payment_intent === undefined || each.payment_intent === payment_intent) &&
        (customer === undefined || each.customer === customer) &&
        (status === undefined || each.status === status),
    )
    return page(some, params, '/v1/checkout/sessions', 'checkout.session')
  }),
  route('get', '/checkout/sessions/:id', {}, ({ core, id }) => session(core, id)),
  route('post', '/checkout/sessions/:id', { metadata }, ({ core, id, params }) => {
    const found = session(core, id)
    found.metadata = mergeMetadata(found.metadata ?? {}, params.metadata)
    core.store.changed()
    return found
  }),
  route('get', '/checkout/sessions/:id/line_items', paging, ({ core, id, params }) => {
    const { items } = core.state.checkouts[session(core, id).id]!
    return page(items, params, `/v1/checkout/sessions/${id}/line_items`, 'item')
  }),
  route('post', '/checkout/sessions/:id/expire', {}, ({ core, id }) => expireSession(core, id)),
]

const session = (core: Core, id: string): Session => get(core.state.sessions, id, 'checkout.session', 'session')

function newSession(core: Core, params: Creation): NewSession {
  const mode = supported(params)
  refuseForeign(mode, params)
  if (params.customer !== undefined) get(core.state.customers, params.customer, 'customer', 'customer', 400)
  const items = mode === 'payment' ? createItems(core, params.line_items ?? []) : []
  const currency = items[0]?.currency ?? params.currency?.toLowerCase() ?? null
  return {
    mode,
    currency,
    items,
    types: methodTypes(params, currency),
    customer: params.customer ?? null,
    customer_email: params.customer_email ?? null,
    customer_creation: params.customer_creation ?? null,
    client_reference_id: params.client_reference_id ?? null,
    metadata: mergeMetadata({}, params.metadata),
    intent: intentData(params),
    setup: params.setup_intent_data ?? {},
    saved: savedOptions(params),
    locale: params.locale ?? null,
    submit_type: params.submit_type ?? null,
    expires_at: expiry(core, params.expires_at),
    success_url: params.success_url,
    cancel_url: params.cancel_url ?? null,
  }
}

function supported({ mode, ui_mode, allow_promotion_codes, payment_intent_data }: Creation): 'payment' | 'setup' {
  if (mode === 'subscription') throw new ApiError('The demo bank has no subscriptions.', { param: 'mode' })
  if (ui_mode && ui_mode !== 'hosted_page') {
    throw new ApiError('The demo bank has hosted pages only.', { param: 'ui_mode' })
  }
  if (allow_promotion_codes)
    throw new ApiError('The demo bank has no promotion codes.', { param: 'allow_promotion_codes' })
  if (payment_intent_data?.capture_method === 'manual') {
    throw new ApiError('The demo bank captures on its own.', { param: 'payment_intent_data[capture_method]' })
  }
  return mode
}

/** Parameters that the mode does not know, and those that exclude each other. */
function refuseForeign(mode: 'payment' | 'setup', params: Creation): void {
  const foreign = mode === 'setup' ? onlyPayment : onlySetup
  const found = foreign.find(name => params[name] !== undefined)
  if (found) throw new ApiError(`You can not pass \`${found}\` in \`${mode}\` mode.`, { param: found })
  if (mode === 'payment' && !params.line_items?.length) throw missing('line_items')
  if (mode === 'setup' && !params.currency && !params.payment_method_types && !params.allowed_payment_method_types)
    throw missing('currency')
  if (params.customer && params.customer_email) {
    throw new ApiError('You may only specify one of these parameters: customer, customer_email.', {
      param: 'customer_email',
    })
  }
  if (params.customer && params.customer_creation) {
    throw new ApiError('You may only specify one of these parameters: customer, customer_creation.', {
      param: 'customer_creation',
    })
  }
}
const onlyPayment = ['line_items', 'payment_intent_data', 'submit_type', 'saved_payment_method_options'] as const
const onlySetup = ['setup_intent_data'] as const

function methodTypes(params: Creation, currency: string | null): string[] {
  const asked = params.payment_method_types
  for (const [index, type] of asked?.entries() ?? []) checkType(type, `payment_method_types[${index}]`, currency)
  const offered = asked?.length ? [...new Set(asked)] : eligible(currency)
  const allowed = params.allowed_payment_method_types
  const types = allowed ? offered.filter(type => allowed.includes(type)) : offered
  if (types.length) return types
  throw new ApiError('No valid payment method types for this Checkout Session.', {
    param: 'allowed_payment_method_types',
  })
}

/** The methods that the account has, for this currency. */
const eligible = (currency: string | null) => (currency === 'eur' ? ['card', 'sepa_debit'] : ['card'])

function checkType(type: string, param: string, currency: string | null): void {
  if (type === 'card') return
  if (type !== 'sepa_debit') {
    throw new ApiError(
      `The payment method type provided: ${type} is invalid. Please ensure the provided type is activated in your ` +
        'dashboard (https://dashboard.stripe.com/account/payments/settings) and your account is enabled for any ' +
        'preview features that you are trying to use.',
      { param: 'payment_method_types' },
    )
  }
  if (currency === null || currency === 'eur') return
  throw new ApiError(
    `The currency provided (${currency}) is invalid for the payment method type sepa_debit. It supports eur only.`,
    { param },
  )
}

function intentData({ payment_intent_data: data = {} }: Creation): NewSession['intent'] {
  const { capture_method, metadata: given, ...rest } = data
  checkSuffix(data.statement_descriptor_suffix)
  return {
    ...rest,
    metadata: mergeMetadata({}, given),
    ...(capture_method && capture_method !== 'manual' && { capture_method }),
  }
}

/** Banks print it on statements: no such signs, and at least one letter. */
function checkSuffix(suffix: string | undefined): void {
  if (suffix === undefined) return
  const param = 'payment_intent_data[statement_descriptor_suffix]'
  if (/[<>\\'"*]/.test(suffix)) {
    throw invalid(`The statement descriptor suffix cannot contain <, >, \\, ', " or *.`, param)
  }
  if (!/[a-z]/i.test(suffix)) throw invalid('The statement descriptor suffix must contain at least one letter.', param)
}

function savedOptions({
  customer,
  saved_payment_method_options: given,
}: Creation): Session['saved_payment_method_options'] {
  if (!given && !customer) return null
  return {
    allow_redisplay_filters: given?.allow_redisplay_filters ?? ['always'],
    payment_method_remove: given?.payment_method_remove ?? 'disabled',
    payment_method_save: given?.payment_method_save ?? null,
  }
}

const minute = 60
const day = 24 * 60 * minute

function expiry(core: Core, asked: number | undefined): number {
  const now = seconds(core)
  if (asked === undefined) return now + day
  if (asked < now + 30 * minute) throw wrongExpiry('at least 30 minutes')
  if (asked > now + day) throw wrongExpiry('less than 24 hours')
  return asked
}

const wrongExpiry = (rule: string) =>
  new ApiError(`The \`expires_at\` timestamp must be ${rule} from Checkout Session creation.`, { param: 'expires_at' })
