import { type CardBehaviour, cardBehaviour, type Decline, debitBehaviour } from './cards.ts'
import { createCharge, decline, refuse, succeed } from './charges.ts'
import { type Core, emit, plan } from './core.ts'
import { ApiError } from './errors.ts'
import { find, intentOf } from './intents.ts'
import {
  attach,
  type CardInput,
  createCustomer,
  createMandate,
  createMethod,
  type DebitInput,
  detach,
} from './methods.ts'
import { type Checkout, type Intent, idOf, type Method, type Session, type Setup } from './objects.ts'
import { completeSession, sessionOf } from './sessions.ts'

/** What the client sends on the hosted page: new details, or a method that was saved before. */
export interface Payment {
  details: CardInput | DebitInput | { type: 'saved'; method: string }
  email: string | null
  /** The client agrees that the method is kept. */
  save: boolean
}

export type Outcome = 'complete' | 'confirm' | 'declined' | 'closed'

interface Attempt {
  session: Session
  checkout: Checkout
  method: Method
  save: boolean
  confirmed?: boolean
}

/** Pays, or saves a method, in an open session. Of two at once the second finds it closed. */
export function pay(core: Core, id: string, payment: Payment): Outcome {
  const { session, checkout } = open(core, id) ?? {}
  if (!session || !checkout) return 'closed'
  delete checkout.problem
  delete checkout.confirming
  const method = methodFor(core, session, payment)
  const attempt = { session, checkout, method, save: payment.save }
  const behaviour = behaviourOf(core, method)
  if (behaviour.confirm) return askToConfirm(core, attempt)
  return behaviour.decline ? declineAttempt(core, attempt, behaviour.decline) : complete(core, attempt, behaviour)
}

/** The client has answered the 3-D Secure page. */
export function confirm(core: Core, id: string, agreed: boolean): Outcome {
  const { session, checkout } = open(core, id) ?? {}
  const method = checkout?.confirming && find(core.state.methods, checkout.confirming.method)
  if (!session || !checkout?.confirming || !method) return 'closed'
  const attempt = { session, checkout, method, save: checkout.confirming.save, confirmed: true }
  delete checkout.confirming
  core.store.changed()
  if (!agreed) return refuseConfirmation(core, attempt)
  const behaviour = behaviourOf(core, method)
  return behaviour.decline ? declineAttempt(core, attempt, behaviour.decline) : complete(core, attempt, behaviour)
}

function open(core: Core, id: string): { session: Session; checkout: Checkout } | undefined {
  const session = find(core.state.sessions, id)
  const checkout = find(core.state.checkouts, id)
  return session?.status === 'open' && checkout ? { session, checkout } : undefined
}

function methodFor(core: Core, session: Session, { details, email }: Payment): Method {
  if (details.type !== 'saved') {
    if (!session.payment_method_types.includes(details.type)) throw new ApiError('This method cannot be used here.')
    return createMethod(core, details, email)
  }
  const method = savedMethods(core, session).find(each => each.id === details.method)
  if (!method) throw new ApiError('This saved method cannot be used any more.')
  return method
}

/** The customer's methods that a checkout shows again. */
export function savedMethods(core: Core, session: Session): Method[] {
  const customer = idOf(session.customer)
  if (!customer || session.mode !== 'payment') return []
  const filters = session.saved_payment_method_options?.allow_redisplay_filters ?? ['always']
  return Object.values(core.state.methods).filter(
    ({ customer: owner, allow_redisplay, type }) =>
      idOf(owner) === customer &&
      filters.some(filter => filter === allow_redisplay) &&
      session.payment_method_types.includes(type),
  )
}

/** The client removes a saved method, where the session lets them. */
export function removeMethod(core: Core, id: string, methodId: string): void {
  const { session } = open(core, id) ?? {}
  const removable = session?.saved_payment_method_options?.payment_method_remove === 'enabled'
  const method = session && savedMethods(core, session).find(each => each.id === methodId)
  if (!removable || !method) throw new ApiError('This payment method cannot be removed here.')
  detach(core, method)
}

function behaviourOf(core: Core, method: Method): CardBehaviour {
  const number = core.state.accounts[method.id]?.behaviour ?? ''
  return method.type === 'card' ? cardBehaviour(number) : {}
}

const setupOf = (core: Core, session: Session): Setup | undefined => find(core.state.setups, session.setup_intent)

function askToConfirm(core: Core, { session, checkout, method, save }: Attempt): Outcome {
  checkout.confirming = { method: method.id, save }
  const intent = session.mode === 'setup' ? setupOf(core, session)! : intentOf(core, session, checkout)
  intent.status = 'requires_action'
  intent.payment_method = method.id
  const url = `${core.settings.address}/-/bank/checkout/${session.id}/confirm`
  intent.next_action = { type: 'redirect_to_url', redirect_to_url: { return_url: session.url, url } }
  emit(core, `${intent.object}.requires_action`, intent)
  return 'confirm'
}

function declineAttempt(core: Core, attempt: Attempt, problem: Decline): Outcome {
  const { session, checkout, method, confirmed } = attempt
  checkout.problem = problem.message
  if (session.mode === 'setup') return refuseSetup(core, attempt, problem)
  const intent = intentOf(core, session, checkout)
  const charge = createCharge(core, { intent, method, confirmed })
  decline(core, intent, charge, problem)
  return 'declined'
}

const notConfirmed: Decline = {
  code: 'payment_intent_authentication_failure',
  message: 'We are unable to authenticate your payment method. Please choose a different payment method and try again.',
}

function refuseConfirmation(core: Core, attempt: Attempt): Outcome {
  const { session, checkout, method } = attempt
  checkout.problem = notConfirmed.message
  if (session.mode === 'setup') {
    return refuseSetup(core, attempt, { ...notConfirmed, code: 'setup_intent_authentication_failure' })
  }
  const intent = intentOf(core, session, checkout)
  refuse(intent, notConfirmed, method)
  emit(core, 'payment_intent.payment_failed', intent)
  return 'declined'
}

function refuseSetup(core: Core, { session, method }: Attempt, problem: Decline): Outcome {
  const setup = setupOf(core, session)!
  setup.status = 'requires_payment_method'
  setup.payment_method = null
  setup.next_action = null
  setup.last_setup_error = { ...problem, payment_method: method, type: 'card_error' }
  emit(core, 'setup_intent.setup_failed', setup)
  return 'declined'
}

function complete(core: Core, attempt: Attempt, behaviour: CardBehaviour): Outcome {
  const { session, checkout, method } = attempt
  keepMethod(core, attempt)
  if (session.mode === 'setup') {
    completeSetup(core, attempt)
  } else {
    const intent = intentOf(core, session, checkout)
    intent.customer = idOf(session.customer) ?? null
    intent.payment_method = method.id
    intent.next_action = null
    intent.last_payment_error = null
    if (method.type === 'card') chargeCard(core, attempt, intent, behaviour)
    else startDebit(core, attempt, intent)
  }
  const { email, name } = method.billing_details
  completeSession(core, session, { email: email ?? session.customer_details?.email ?? null, name: name ?? '' })
  return 'complete'
}

/** Attaches the method to the customer, who is created where the session asks for one. */
function keepMethod(core: Core, { session, checkout, method, save }: Attempt): void {
  const always = checkout.intent.setup_future_usage !== undefined || session.mode === 'setup'
  const needed = session.mode === 'payment' && always
  const wanted = session.customer_creation === 'always' || needed
  if (!session.customer && wanted) {
    const { email, name } = method.billing_details
    session.customer = createCustomer(core, { email, name }).id
  }
  const customer = idOf(session.customer)
  if (!customer || !(save || always)) return
  attach(core, method, customer, save ? 'always' : 'limited')
}

function completeSetup(core: Core, { session, method }: Attempt): void {
  const setup = setupOf(core, session)!
  setup.status = 'succeeded'
  setup.payment_method = method.id
  setup.customer = idOf(session.customer) ?? null
  setup.next_action = null
  setup.last_setup_error = null
  if (method.type === 'sepa_debit') setup.mandate = createMandate(core, method).id
  emit(core, 'setup_intent.succeeded', setup)
}

function chargeCard(core: Core, attempt: Attempt, intent: Intent, behaviour: CardBehaviour): void {
  const { session, method, confirmed } = attempt
  const charge = createCharge(core, { intent, method, confirmed })
  succeed(core, intent, charge)
  session.payment_status = 'paid'
  if (behaviour.dispute) plan(core, 'dispute', charge.id, 0)
}

/** A debit takes days: the session is complete, the payment is not. */
function startDebit(core: Core, { method }: Attempt, intent: Intent): void {
  const charge = createCharge(core, { intent, method, mandate: createMandate(core, method) })
  intent.status = 'processing'
  emit(core, 'charge.pending', charge)
  emit(core, 'payment_intent.processing', intent)
  const { debitAfter } = core.settings
  const { fails } = debitBehaviour(core.state.accounts[method.id]?.behaviour ?? '')
  if (debitAfter !== undefined) plan(core, fails ? 'fail' : 'settle', intent.id, debitAfter)
}

const returned: Decline = {
  code: 'insufficient_funds',
  message: 'The customer account has insufficient funds to cover this payment.',
}

function processing(core: Core, id: string) {
  const intent = find(core.state.intents, id)
  const charge = find(core.state.charges, intent?.latest_charge)
  if (!intent || !charge || intent.status !== 'processing') {
    throw new ApiError(`PaymentIntent ${id} is not processing.`, { code: 'payment_intent_unexpected_state' })
  }
  return { intent, charge, session: sessionOf(core, intent.id) }
}

/** The debit has been collected. */
export function settle(core: Core, id: string): void {
  const { intent, charge, session } = processing(core, id)
  succeed(core, intent, charge)
  if (!session) return
  session.payment_status = 'paid'
  emit(core, 'checkout.session.async_payment_succeeded', session)
  const iban = core.state.accounts[charge.payment_method ?? '']?.behaviour ?? ''
  if (debitBehaviour(iban).dispute) plan(core, 'dispute', charge.id, 0)
}

/** The debit could not be collected. The session stays complete and unpaid. */
export function fail(core: Core, id: string): void {
  const { intent, charge, session } = processing(core, id)
  decline(core, intent, charge, returned)
  if (session) emit(core, 'checkout.session.async_payment_failed', session)
}
