import express, { type NextFunction, type Request, type Response, type Router } from 'express'
import { confirm, type Outcome, pay, removeMethod } from '../checkout.ts'
import type { Core } from '../core.ts'
import { ApiError } from '../errors.ts'
import type { Faults } from '../faults.ts'
import { find } from '../intents.ts'
import { formatMoney } from '../money.ts'
import type { Webhooks } from '../webhooks.ts'
import { checkoutPage, closedPage, closedTitle, confirmPage, returnUrl } from './checkout.ts'
import { deskRoutes } from './desk.ts'
import { readPayment, type Typed } from './fields.ts'
import { html, sendPage, showTime } from './html.ts'

export interface Pages {
  core: Core
  webhooks: Webhooks
  faults: Faults
  tick(): void
}

/** The hosted checkout for clients and the desk for whoever looks at the demo; mounted at /-/bank. */
export function createPages(pages: Pages): Router {
  const { core } = pages
  const router = express.Router()
  router.use((request, response, next) => guard(core, request, response, next))
  router.use(express.urlencoded({ extended: false, limit: '20kb' }))
  router.use((_request, _response, next) => {
    pages.tick()
    next()
  })
  router.get('/checkout/:session', (request, response) => showCheckout(core, request, response))
  router.post('/checkout/:session', (request, response) => takePayment(core, request, response))
  router.get('/checkout/:session/confirm', (request, response) => showConfirmation(core, request, response))
  router.post('/checkout/:session/confirm', (request, response) => takeConfirmation(core, request, response))
  router.get('/receipt/:charge', (request, response, next) => showReceipt(core, request, response, next))
  deskRoutes(router, pages)
  router.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
    if (!(error instanceof ApiError)) return next(error)
    sendPage(response, {
      status: error.status,
      title: 'That did not work',
      body: html`<h1>That did not work</h1><section><p>${error.message}</p></section>`,
    })
  })
  return router
}

const loopback = ['localhost', '127.0.0.1', '::1', '[::1]']

/** Nobody else's host name may lead here (DNS rebinding), and nobody else's page may send forms. */
function guard({ settings }: Core, request: Request, response: Response, next: NextFunction): void {
  const { hostname, origin } = new URL(settings.address)
  if (![...loopback, hostname].includes(request.hostname)) return void next('router')
  const site = request.get('Sec-Fetch-Site')
  const from = request.get('Origin')
  const own = [origin, `${request.protocol}://${request.get('Host')}`]
  const ours = site ? site === 'same-origin' || site === 'none' : from === undefined || own.includes(from)
  if (ours || request.method === 'GET' || request.method === 'HEAD') return void next()
  sendPage(response, {
    status: 403,
    title: 'Not sent',
    body: html`<h1>Not sent</h1><section><p>This form came from another site and was ignored.</p></section>`,
  })
}

type Params = Request<{ session: string }>

function viewOf(core: Core, id: string) {
  const session = find(core.state.sessions, id)
  const checkout = find(core.state.checkouts, id)
  if (!session || !checkout) throw new ApiError('There is no such payment page.', { status: 404 })
  return { core, session, checkout }
}

function showCheckout(core: Core, request: Params, response: Response, more: { problem?: string; typed?: Typed } = {}) {
  const view = viewOf(core, request.params.session)
  const { session, checkout } = view
  if (session.status !== 'open') {
    return sendPage(response, { title: closedTitle(session), body: closedPage(view) })
  }
  const problem = more.problem ?? checkout.problem
  sendPage(response, {
    status: more.problem === undefined ? 200 : 422,
    title: session.mode === 'setup' ? 'Save a payment method' : `Pay ${core.settings.merchant}`,
    body: checkoutPage({ ...view, ...more, problem }),
    leadsTo: [session.success_url],
  })
}

async function takePayment(core: Core, request: Params, response: Response): Promise<void> {
  const { session } = viewOf(core, request.params.session)
  const typed: Typed = request.body ?? {}
  if (typed.remove === 'yes') return takeRemoval(core, session.id, typed, response)
  const read = readPayment(typed, core.now())
  if ('problem' in read) return showCheckout(core, request, response, { problem: read.problem, typed })
  const outcome = pay(core, session.id, read.payment)
  await core.store.saved()
  response.redirect(303, after(core, session.id, outcome))
}

async function takeRemoval(core: Core, id: string, typed: Typed, response: Response): Promise<void> {
  removeMethod(core, id, typed.saved ?? '')
  await core.store.saved()
  response.redirect(303, `/-/bank/checkout/${id}`)
}

function after(core: Core, id: string, outcome: Outcome): string {
  if (outcome === 'complete') return returnUrl(core.state.sessions[id]!)
  return `/-/bank/checkout/${id}${outcome === 'confirm' ? '/confirm' : ''}`
}

function showConfirmation(core: Core, request: Params, response: Response): void {
  const view = viewOf(core, request.params.session)
  if (view.session.status !== 'open' || !view.checkout.confirming) {
    return void response.redirect(303, `/-/bank/checkout/${view.session.id}`)
  }
  sendPage(response, {
    title: 'Confirm with your bank',
    body: confirmPage(view),
    leadsTo: [view.session.success_url],
  })
}

async function takeConfirmation(core: Core, request: Params, response: Response): Promise<void> {
  const { session } = viewOf(core, request.params.session)
  const outcome = confirm(core, session.id, request.body?.answer === 'confirm')
  await core.store.saved()
  response.redirect(303, after(core, session.id, outcome))
}

function showReceipt(core: Core, request: Request<{ charge: string }>, response: Response, next: NextFunction): void {
  const charge = find(core.state.charges, request.params.charge)
  if (!charge?.paid) return void next()
  const { amount, amount_refunded, currency, description, created } = charge
  sendPage(response, {
    title: 'Receipt',
    body: html`<h1>Receipt from ${core.settings.merchant}</h1><p class="amount">${formatMoney(amount, currency)}</p>
<section><table>
<tr><td>Paid</td><td class="num">${showTime(created)}</td></tr>
${description !== null && html`<tr><td>For</td><td class="num">${description}</td></tr>`}
${amount_refunded > 0 && html`<tr><td>Refunded</td><td class="num">${formatMoney(amount_refunded, currency)}</td></tr>`}
<tr><td>Number</td><td class="num">${charge.id}</td></tr>
</table></section>`,
  })
}
