import { savedMethods } from '../checkout.ts'
import type { Core } from '../core.ts'
import { find } from '../intents.ts'
import { methodName } from '../methods.ts'
import { formatMoney } from '../money.ts'
import type { Checkout, Session } from '../objects.ts'
import type { Typed } from './fields.ts'
import { type Html, html } from './html.ts'

interface View {
  core: Core
  session: Session
  checkout: Checkout
  typed?: Typed
  problem?: string
}

const total = ({ amount_total, currency }: Session) => formatMoney(amount_total ?? 0, currency ?? 'eur')

/** The page on which the client pays. */
export function checkoutPage(view: View): Html {
  const { core, session, problem } = view
  return html`${head(view)}
${problem !== undefined && html`<section role="alert"><p class="problem">${problem}</p></section>`}
${savedForms(core, session)}
${session.payment_method_types.includes('card') && cardForm(view)}
${session.payment_method_types.includes('sepa_debit') && debitForm(view)}
${session.cancel_url !== null && html`<div class="tall"><a class="button" href="${session.cancel_url}">Go back to ${core.settings.merchant}</a></div>`}
${testNumbers}`
}

function head({ core, session, checkout }: View): Html {
  if (session.mode === 'setup') {
    return html`<h1>Save a payment method</h1>
<p>${core.settings.merchant} will keep it for later payments. Nothing is charged now.</p>`
  }
  const lines = checkout.items.map(
    ({ description, quantity, amount_total, currency }) =>
      html`<tr><td>${description ?? ''}${(quantity ?? 1) > 1 && html` <span class="soft">× ${quantity ?? 1}</span>`}</td>
<td class="num">${formatMoney(amount_total, currency)}</td></tr>`,
  )
  return html`<h1>Pay ${core.settings.merchant}</h1>
<p class="amount">${total(session)}</p>
<section><h2>What you pay for</h2><table>${lines}</table></section>`
}

function savedForms(core: Core, session: Session): Html | undefined {
  const methods = savedMethods(core, session)
  if (!methods.length) return undefined
  const removable = session.saved_payment_method_options?.payment_method_remove === 'enabled'
  const buttons = methods.map(
    method => html`<form method="post" action="/-/bank/checkout/${session.id}">
<input type="hidden" name="method" value="saved"><input type="hidden" name="saved" value="${method.id}">
<button>Pay ${total(session)} with ${methodName(method)}</button>
${removable && html`<button class="plain" name="remove" value="yes">Remove ${methodName(method)}</button>`}</form>`,
  )
  return html`<section class="tall"><h2>Saved payment methods</h2>${buttons}</section>`
}

function cardForm(view: View): Html {
  const { typed: sent, session } = view
  const typed = sent?.method === 'card' ? sent : {}
  return html`<section class="tall"><h2>Card</h2>
<form method="post" action="/-/bank/checkout/${session.id}">
<input type="hidden" name="method" value="card">
${emailField(view, typed)}
<label>Card number <input name="number" inputmode="numeric" autocomplete="off" required
 value="${typed.number ?? '4242 4242 4242 4242'}"></label>
<div class="pair">
<label>Expiry date <input name="expiry" inputmode="numeric" autocomplete="off" required value="${typed.expiry ?? '12 / 34'}"></label>
<label>Security code <input name="cvc" inputmode="numeric" autocomplete="off" required value="${typed.cvc ?? '123'}"></label>
</div>
<label>Name on the card <input name="name" autocomplete="off" required value="${typed.name ?? payerName(view)}"></label>
${consent(view)}
<button class="first">${session.mode === 'setup' ? 'Save card' : html`Pay ${total(session)}`}</button>
</form></section>`
}

function debitForm(view: View): Html {
  const { core, typed: sent, session } = view
  const typed = sent?.method === 'sepa_debit' ? sent : {}
  return html`<section class="tall"><h2>SEPA direct debit</h2>
<form method="post" action="/-/bank/checkout/${session.id}">
<input type="hidden" name="method" value="sepa_debit">
${emailField(view, typed)}
<label>IBAN <input name="iban" autocomplete="off" required value="${typed.iban ?? 'DE89 3704 0044 0532 0130 00'}"></label>
<label>Account holder <input name="name" autocomplete="off" required value="${typed.name ?? payerName(view)}"></label>
${consent(view)}
<p class="soft">You allow ${core.settings.merchant} to collect this payment from your account. Your bank refunds it
within eight weeks if you ask for it. The payment takes some days.</p>
<button>${session.mode === 'setup' ? 'Save account' : html`Pay ${total(session)} by debit`}</button>
</form></section>`
}

const payerName = ({ core, session }: View) =>
  find(core.state.customers, session.customer as string)?.name ?? 'Jenny Rosen'

function emailField({ session }: View, typed: Typed): Html {
  const known = session.customer_details?.email
  if (known) return html`<p class="soft">Paid by ${known}</p>`
  return html`<label>Email <input type="email" name="email" autocomplete="email" value="${typed.email ?? ''}"></label>`
}

/** A method is kept only if the client agrees, or is told so where the merchant needs it. */
function consent({ core, session, checkout }: View): Html | undefined {
  if (session.mode === 'setup') return undefined
  const { merchant } = core.settings
  if (checkout.intent.setup_future_usage) {
    return html`<p class="soft">${merchant} keeps this payment method and may charge it later.</p>`
  }
  if (!session.customer || session.saved_payment_method_options?.payment_method_save !== 'enabled') return undefined
  return html`<label class="check"><input type="checkbox" name="save" value="yes">
<span>Save this payment method for my next payments to ${merchant}</span></label>`
}

const testNumbers = html`<details><summary>Numbers to try</summary>
<table>
<tr><td>Succeeds</td><td class="num">4242 4242 4242 4242</td></tr>
<tr><td>Asks for a confirmation (3-D Secure)</td><td class="num">4000 0025 0000 3155</td></tr>
<tr><td>Declined</td><td class="num">4000 0000 0000 0002</td></tr>
<tr><td>Insufficient funds</td><td class="num">4000 0000 0000 9995</td></tr>
<tr><td>Disputed after the payment</td><td class="num">4000 0000 0000 0259</td></tr>
<tr><td>Debit that succeeds</td><td class="num">DE89 3704 0044 0532 0130 00</td></tr>
<tr><td>Debit that fails</td><td class="num">DE62 3704 0044 0532 0130 01</td></tr>
</table></details>`

/** The page of the client's bank: 3-D Secure. */
export function confirmPage({ core, session }: View): Html {
  const what = session.mode === 'setup' ? 'saving this card' : `the payment of ${total(session)}`
  return html`<h1>Confirm with your bank</h1>
<section class="tall"><p>Your bank asks you to confirm ${what} for ${core.settings.merchant}.</p>
<form method="post" action="/-/bank/checkout/${session.id}/confirm">
<button class="first" name="answer" value="confirm">Confirm</button>
<button name="answer" value="refuse">Do not confirm</button>
</form></section>`
}

/** What a session says that cannot be paid any more. */
export function closedPage({ core, session }: View): Html {
  const { merchant } = core.settings
  const expired = session.status === 'expired'
  const back = expired ? session.cancel_url : returnUrl(session)
  return html`<h1>${closedTitle(session)}</h1>
<section><p>${expired ? `This page can no longer be used. Go back to ${merchant} and start again.` : closedText(session)}</p></section>
${back !== null && html`<div class="tall"><a class="button first" href="${back}">Go back to ${merchant}</a></div>`}`
}

export function closedTitle({ status, payment_status, mode }: Session): string {
  if (status === 'expired') return 'This payment page has expired'
  if (mode === 'setup') return 'Your payment method is saved'
  return payment_status === 'paid' ? 'This payment is complete' : 'This payment is being processed'
}

function closedText(session: Session): string {
  if (session.mode === 'setup') return 'You can close this page.'
  return session.payment_status === 'paid'
    ? `${total(session)} has been paid. You are not charged again.`
    : `The debit of ${total(session)} is on its way. It takes some days.`
}

/** Where the client goes after paying. */
export const returnUrl = (session: Session): string =>
  (session.success_url ?? '').replaceAll('{CHECKOUT_SESSION_ID}', session.id)
