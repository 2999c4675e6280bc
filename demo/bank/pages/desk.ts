import type { Request, Response, Router } from 'express'
import { fail, settle } from '../checkout.ts'
import type { Core } from '../core.ts'
import { closeDispute, openDispute } from '../disputes.ts'
import { ApiError } from '../errors.ts'
import type { Faults } from '../faults.ts'
import { find } from '../intents.ts'
import { methodName } from '../methods.ts'
import { decimalMoney, formatMoney, parseMoney } from '../money.ts'
import type { BankEvent, Charge, Dispute, Intent, Refund, Session } from '../objects.ts'
import { createRefund, failRefund, settleRefund } from '../refunds.ts'
import { expireSession } from '../sessions.ts'
import type { Webhooks } from '../webhooks.ts'
import { type Html, html, sendPage, showTime } from './html.ts'

interface Desk {
  core: Core
  webhooks: Webhooks
  faults: Faults
}

/** The page on which a reader of the demo plays the bank. */
export function deskRoutes(router: Router, desk: Desk): void {
  const { core, webhooks, faults } = desk
  router.get('/', (_request, response) => showDesk(desk, response))
  router.post('/payments/:session', async (request, response) => {
    const { session } = request.params
    act(core, session, request.body ?? {})
    await core.store.saved()
    response.redirect(303, `/-/bank#${session}`)
  })
  router.post('/events/:event', async (request: Request<{ event: string }>, response) => {
    if (!find(core.state.events, request.params.event)) throw new ApiError('There is no such event.', { status: 404 })
    await webhooks.send(request.params.event)
    response.redirect(303, `/-/bank#${request.body?.session ?? ''}`)
  })
  router.post('/webhooks', async (request, response) => {
    if (request.body?.action === 'hold') webhooks.hold()
    else await webhooks.release()
    await core.store.saved()
    response.redirect(303, '/-/bank')
  })
  router.post('/api', (request, response) => {
    if (request.body?.action === 'off') faults.down('error')
    else faults.up()
    response.redirect(303, '/-/bank')
  })
}

/** A payment with all that belongs to it. */
interface Payment {
  session: Session
  intent?: Intent
  charge?: Charge
  refunds: Refund[]
  dispute?: Dispute
}

function paymentOf({ state }: Core, session: Session): Payment {
  const intent = find(state.intents, session.payment_intent)
  const charge = find(state.charges, intent?.latest_charge)
  const refunds = Object.values(state.refunds).filter(each => charge && each.charge === charge.id)
  const dispute = Object.values(state.disputes).find(each => charge && each.charge === charge.id)
  return { session, intent, charge, refunds, dispute }
}

type Action = (core: Core, payment: Payment, typed: Record<string, string>) => unknown

const actions: Record<string, Action> = {
  settle: (core, { session }) => settle(core, String(session.payment_intent)),
  fail: (core, { session }) => fail(core, String(session.payment_intent)),
  expire: (core, { session }) => expireSession(core, session.id),
  refund: (core, payment, typed) => refund(core, charged(payment), typed.amount),
  'settle-refund': (core, _payment, typed) => settleRefund(core, String(typed.refund)),
  'fail-refund': (core, _payment, typed) => failRefund(core, String(typed.refund)),
  dispute: (core, payment) => openDispute(core, charged(payment)),
  win: (core, { dispute }) => closeDispute(core, dispute?.id ?? '', 'won'),
  lose: (core, { dispute }) => closeDispute(core, dispute?.id ?? '', 'lost'),
}

function act(core: Core, id: string, typed: Record<string, string>): void {
  const session = find(core.state.sessions, id)
  const action = find(actions, typed.action)
  if (!session || !action) throw new ApiError('There is no such payment.', { status: 404 })
  action(core, paymentOf(core, session), typed)
}

function charged({ charge }: Payment): Charge {
  if (!charge) throw new ApiError('Nothing has been charged yet.')
  return charge
}

function refund(core: Core, charge: Charge, typed: string | undefined): void {
  const amount = typed ? parseMoney(typed, charge.currency) : charge.amount - charge.amount_refunded
  if (!amount) throw new ApiError(`Enter an amount like ${decimalMoney(1_250, charge.currency)}.`)
  createRefund(core, charge, { amount, reason: 'requested_by_customer' })
}

const shown = 30

function showDesk({ core, webhooks, faults }: Desk, response: Response): void {
  const sessions = Object.values(core.state.sessions).slice(-shown).reverse()
  const payments = sessions.map(session => paymentOf(core, session))
  const events = Map.groupBy(Object.values(core.state.events), event => ownerOf(event, payments)?.session.id)
  const articles = payments.map(payment => paymentView(core, payment, events.get(payment.session.id) ?? [], webhooks))
  const none = html`<section><p>No payments yet. Pay an invoice in the portal, and it appears here.</p></section>`
  sendPage(response, {
    title: 'Payments',
    wide: true,
    body: html`<h1>Payments to ${core.settings.merchant}</h1>
<p class="soft">Here you are the bank: decide what becomes of each payment, and see what the portal makes of it.</p>
${holdView(core)}
${faultView(faults)}
${articles.length ? articles : none}`,
  })
}

function ownerOf({ data }: BankEvent, payments: Payment[]): Payment | undefined {
  const { id } = data.object as { id?: string }
  return payments.find(
    ({ session, intent, charge, refunds, dispute }) =>
      [session.id, intent?.id, charge?.id, dispute?.id, session.setup_intent].includes(id) ||
      refunds.some(each => each.id === id),
  )
}

function holdView({ state }: Core): Html {
  const waiting = state.deliveries.length
  if (!state.held) {
    return html`<section><h2>Notifications are sent</h2>
<p>Hold them to see what happens when the portal hears nothing from the bank.</p>
<form method="post" action="/-/bank/webhooks"><button name="action" value="hold">Hold notifications</button></form></section>`
  }
  return html`<section role="status"><h2>Notifications are held</h2><p>${waiting} waiting.</p>
<form method="post" action="/-/bank/webhooks"><button class="first" name="action" value="release">Send them now</button></form></section>`
}

function faultView(faults: Faults): Html {
  if (!faults.current()) {
    return html`<section><h2>The bank is available</h2>
<p>Switch it off to see what clients read when a payment cannot be started.</p>
<form method="post" action="/-/bank/api"><button name="action" value="off">Switch the bank off</button></form></section>`
  }
  return html`<section role="status"><h2>The bank is switched off</h2><p>It answers every request with an error.</p>
<form method="post" action="/-/bank/api"><button class="first" name="action" value="on">Switch it on</button></form></section>`
}

function paymentView(core: Core, payment: Payment, events: BankEvent[], webhooks: Webhooks): Html {
  const { session, intent, charge } = payment
  const method = find(core.state.methods, charge?.payment_method ?? intent?.payment_method)
  const setup = session.mode === 'setup'
  const money = setup ? 'Save a payment method' : formatMoney(session.amount_total ?? 0, session.currency ?? 'eur')
  const lines = core.state.checkouts[session.id]?.items.map(each => each.description).join(', ')
  const facts = [
    lines,
    method && methodName(method),
    session.customer_details?.email,
    showTime(session.created),
    charge?.amount_refunded && `${formatMoney(charge.amount_refunded, charge.currency)} refunded`,
  ]
  return html`<article id="${session.id}"><h2>${money} <span class="state">${stateOf(payment)}</span></h2>
<p>${facts.filter(Boolean).join(' · ')}</p>
<div class="row">${buttons(payment)}</div>
${eventsView(session, events, webhooks)}
</article>`
}

function stateOf({ session, intent, charge, dispute }: Payment): string {
  if (session.status === 'open') return intent?.last_payment_error ? 'Open, last try failed' : 'Open'
  if (session.status === 'expired') return 'Expired'
  if (session.mode === 'setup') return 'Saved'
  if (dispute) return disputeState(dispute)
  if (charge?.refunded) return 'Refunded'
  if (charge?.amount_refunded) return 'Partly refunded'
  if (intent?.status === 'processing') return 'Debit under way'
  return intent?.status === 'succeeded' ? 'Paid' : 'Failed'
}

function disputeState({ status }: Dispute): string {
  if (status === 'won') return 'Dispute won'
  return status === 'lost' ? 'Dispute lost' : 'Disputed'
}

function buttons({ session, intent, charge, refunds, dispute }: Payment): Html[] {
  const views: Html[] = []
  if (session.status === 'open') views.push(button(session, 'expire', 'Expire the page'))
  if (intent?.status === 'processing') {
    views.push(button(session, 'settle', 'Settle the debit'), button(session, 'fail', 'Let the debit fail'))
  }
  const refundable = charge?.status === 'succeeded' && !charge.refunded && (!dispute || dispute.status === 'won')
  if (refundable) views.push(refundForm(session, charge))
  if (refundable && !dispute) views.push(button(session, 'dispute', 'Dispute'))
  if (dispute && !['won', 'lost'].includes(dispute.status)) {
    views.push(button(session, 'win', 'Win the dispute'), button(session, 'lose', 'Lose the dispute'))
  }
  for (const each of refunds) {
    if (each.status === 'pending') views.push(button(session, 'settle-refund', 'Settle the refund', each.id))
    if (each.status !== 'failed') views.push(button(session, 'fail-refund', 'Let the refund fail', each.id))
  }
  return views
}

const button = ({ id }: Session, action: string, label: string, refund?: string) =>
  html`<form method="post" action="/-/bank/payments/${id}">
${refund !== undefined && html`<input type="hidden" name="refund" value="${refund}">`}
<button name="action" value="${action}">${label}</button></form>`

function refundForm({ id }: Session, charge: Charge): Html {
  const left = decimalMoney(charge.amount - charge.amount_refunded, charge.currency)
  return html`<form class="row" method="post" action="/-/bank/payments/${id}">
<label>Amount <input name="amount" inputmode="decimal" value="${left}"></label>
<button name="action" value="refund">Refund</button></form>`
}

function eventsView({ id }: Session, events: BankEvent[], webhooks: Webhooks): Html | undefined {
  if (!events.length) return undefined
  const tries = Map.groupBy(webhooks.tries(), ({ event }) => event)
  const rows = events.toReversed().map(event => {
    const last = tries.get(event.id)?.at(-1)
    const result = last ? (last.status ?? 'no answer') : event.pending_webhooks ? 'waiting' : ''
    return html`<tr><td><code>${event.type}</code> <span class="soft">${result}</span></td>
<td class="num"><form method="post" action="/-/bank/events/${event.id}">
<input type="hidden" name="session" value="${id}"><button class="small">Send again</button></form></td></tr>`
  })
  return html`<details><summary>Notifications (${events.length})</summary><table>${rows}</table></details>`
}
