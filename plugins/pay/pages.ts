import type { Request, RequestHandler, Response } from 'express'
import { payeeNote, payeeOf, transferDetails, transferScan } from '../../src/crm/payee.ts'
import { Conflict, NotFound, Problem } from '../../src/http/errors.ts'
import { pdfOf } from '../../src/pdf/pdf.ts'
import { printTurnOf, recordDownload, sendPdf } from '../../src/pdf/print.ts'
import { giroCode } from '../../src/platform/girocode.ts'
import { qrSquares } from '../../src/platform/qr.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { type Due, duesOf, findDues, isDownPayment, most } from './payable.ts'
import { alsoPaid, findPayment, type KeptPayment } from './payments.ts'
import { printedReceipt } from './print.ts'
import { Refused, Unavailable } from './provider.ts'
import { type PaySettings, providers, settingsWithAccess } from './settings-of.ts'
import { syncPayment } from './settling.ts'
import { endPayment, startPayment } from './starting.ts'
import { methodOf, standingOf } from './words.ts'

/** What is to be paid and how, with what was chosen before. */
export const showChoice =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { workspace, problem, body, keptFields } = req.portal
    const typed = Object(problem ? body : (keptFields ?? req.query))
    const asked = [typed.document ?? []].flat().map(String)
    const [{ dues, all }, { settings, online }] = await Promise.all([
      duesOf(req, host, asked),
      settingsWithAccess(host, workspace.id),
    ])
    dues.unshift(...(await missingOf(req, host, asked, dues)))
    const currency = dues.find(it => asked.includes(it.key))?.balance.currency ?? String(typed.currency ?? '')
    const currencies = [...new Set(dues.map(it => it.balance.currency))]
    const shown = currencies.includes(currency) ? currency : currencies[0]
    const items = dues.filter(it => it.balance.currency === shown)
    if (!req.portal.guest) req.portal.frame = 'page'
    res.respond('pay/list', {
      items,
      all,
      others: currencies
        .filter(it => it !== shown)
        .map(it => ({ currency: it, count: dues.filter(due => due.balance.currency === it).length })),
      chosen: chosenOf(items, asked, Boolean(problem)),
      ways: waysOf(settings, online !== undefined),
      settings: { parts: settings.parts, minimum: settings.minimum, fee: settings.fee },
      typed,
    })
  }

/** What was asked for and is not among the first: a client may have thousands to pay. */
async function missingOf(req: Request<any>, host: Host, asked: string[], dues: Due[]): Promise<Due[]> {
  const known = new Set(dues.map(it => it.key))
  const keys = [...new Set(asked)].filter(it => !known.has(it) && !it.includes('\0')).slice(0, most)
  const found = await Promise.all(keys.map(it => findDues(req, host, [it]).catch(notFound)))
  return found.flat().filter(it => Number(it.balance.amount) > 0)
}

function notFound(error: unknown): Due[] {
  if (!(error instanceof NotFound)) throw error
  return []
}

/** What was asked for, or else what is overdue, or else the first. */
function chosenOf(items: Due[], asked: string[], refused: boolean): string[] {
  const payable = items.filter(it => Number(it.left.amount) > 0)
  const wanted = payable.filter(it => asked.includes(it.key))
  if (asked.length || refused) return wanted.map(it => it.key)
  const late = payable.filter(it => it.overdue)
  return (late.length ? late : payable.slice(0, 1)).map(it => it.key)
}

const waysOf = ({ transfer, online }: PaySettings, there: boolean) => [
  ...(online && there ? [{ name: online.provider, title: titleOf(online.provider), online: true }] : []),
  ...(transfer ? [{ name: 'transfer', title: '', online: false }] : []),
]

const titleOf = (provider: string) => providers.find(it => it.name === provider)?.title ?? provider

/** Begins a payment and leads there. */
export const savePayment =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { id, address } = await startPayment(req, host)
    if (address) return leave(req, res, id, address)
    res.redirect(303, req.portal.url(`/pay/${id}`))
  }

/**
 * Leaves by a page instead of a redirect: our own form must not follow a redirect to another origin (`form-action`).
 */
async function leave(req: Request<any>, res: Response, id: string, address: string) {
  const { href, protocol } = new URL(address)
  if (!/^https?:$/.test(protocol)) throw new Error(`a payment provider leads to ${protocol}`)
  req.portal.frame = 'bare'
  if (req.portal.wants === 'page') res.set('Refresh', `0;url=${href}`)
  res.respond('pay/leaving', { id, address: href })
}

/** One payment, as it stands. */
export const showPayment =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { query: asked, portal } = req
    const { payment, unknown } = await current(req, host, await ownPayment(req, host))
    const standing = standingOf(payment, asked.stopped !== undefined)
    const transfer = standing === 'announced' ? await transferOf(req, host, payment) : undefined
    // The provider tells us within seconds: the page looks again, a few times.
    const back = asked.returned !== undefined
    const tries = /^[0-9]$/.test(String(asked.returned)) ? Number(asked.returned) : asked.returned === '' ? 5 : 0
    if (tries > 0 && standing === 'open' && portal.wants === 'page')
      res.set('Refresh', `2;url=${portal.url(`/pay/${payment.id}?returned=${tries - 1}`)}`)
    res.respond('pay/show', {
      payment,
      // Who comes back from the provider may have paid: nobody says otherwise before the provider has.
      standing: standing === 'open' && (tries > 0 || (unknown && back)) ? 'checking' : standing,
      transfer,
      others: standing === 'paid' ? await paidTwice(req, host, payment) : [],
      way: methodOf(payment, portal),
      provider: titleOf(payment.provider),
      downPayment: payment.shares.every(it => isDownPayment(host, it.section)),
      mails: portal.mailContext !== undefined,
    })
  }

/** What the provider says now, where it is not settled. Looking as a client asks nobody. */
async function current(
  req: Request<any>,
  host: Host,
  payment: KeptPayment,
): Promise<{ payment: KeptPayment; unknown?: boolean }> {
  if (payment.state !== 'started' || !payment.session) return { payment }
  if (req.portal.viewing) return { payment, unknown: true }
  try {
    return { payment: (await syncPayment(host, req.portal.workspace, payment.id)) ?? payment }
  } catch (error) {
    if (!(error instanceof Unavailable || error instanceof Refused)) throw error
    return { payment, unknown: true }
  }
}

/** Whoever began a payment may always see how it stands, and has its receipt. */
export const ifOwn =
  ({ database }: Host): RequestHandler<any> =>
  async (req, _res, next) => {
    const { workspace, customer } = req.portal
    const scope = { workspace: workspace.id, client: customer.client.id }
    const found = await findPayment(database, scope, String(req.params.id))
    next(found?.person === customer.person.id ? undefined : 'router')
  }

/** Of this client; for a visitor by a public link, begun there. Throws NotFound. */
async function ownPayment(req: Request<any>, { database }: Host): Promise<KeptPayment> {
  const { workspace, customer, guest } = req.portal
  const found = await findPayment(
    database,
    { workspace: workspace.id, client: customer.client.id },
    String(req.params.id),
  )
  if (!found || (guest && ![guest.link.id, customer.person.id].includes(found.person))) throw new NotFound()
  return found
}

/** Where to transfer what was announced. */
async function transferOf(req: Request<any>, host: Host, payment: KeptPayment) {
  const keys = payment.shares.map(it => `${it.section}/${it.id}`).slice(0, 1)
  const [[due], payee] = await Promise.all([
    findDues(req, host, keys).catch(() => []),
    host.capability('bankDetails')?.current(req.portal.workspace.id),
  ])
  const named = payeeOf(payee, due?.account ?? null, payment.reference)
  if (!named) return undefined
  const account = { ...named, reference: payment.reference }
  const scanned = giroCode({ balance: payment.total, account })
  return {
    says: payee && payeeNote(req.portal, payee.since),
    details: transferDetails(req.portal, payment.total, account),
    code: scanned ? { ...qrSquares(scanned), label: transferScan(req.portal, payment.total, account) } : undefined,
  }
}

/** Documents of this payment that are paid more than once, by all that arrived. */
async function paidTwice(req: Request<any>, host: Host, payment: KeptPayment): Promise<Due[]> {
  if (payment.booking === 'booked' && !payment.shares.some(it => isDownPayment(host, it.section))) return []
  const keys = await alsoPaid(host.database, req.portal, payment.id)
  const dues = await findDues(req, host, keys).catch(() => [])
  return dues.filter(it => Number(it.pending?.unbooked ?? 0) > Math.max(Number(it.balance.amount), 0))
}

/** Ends a payment that was begun and is not wanted any more. */
export const cancelPayment =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const payment = await ownPayment(req, host)
    if (payment.state !== 'started') throw new Conflict()
    const ended = await (payment.provider === 'transfer' ? endTransfer(req, payment) : endOnline(req, host, payment))
    if (ended === 'paid') return res.redirect(303, req.portal.url(`/pay/${payment.id}`))
    const chosen = new URLSearchParams(
      payment.shares.map((it): [string, string] => ['document', `${it.section}/${it.id}`]),
    )
    res.redirect(303, req.portal.url(`/pay?${chosen}`))
  }

async function endOnline(req: Request<any>, host: Host, payment: KeptPayment): Promise<string> {
  const ended = await endPayment(host, req.portal.workspace, payment)
  if (ended?.state === 'started') throw new StillOpen()
  return ended?.state === 'cancelled' ? 'cancelled' : 'paid'
}

const endTransfer = (req: Request<any>, payment: KeptPayment) =>
  req.portal.runAction(
    req,
    async ({ tx }) => {
      const changed = await tx('portal.client_payments')
        .where({ workspace_id: req.portal.workspace.id, id: payment.id, state: 'started' })
        .update({ state: 'cancelled' })
      if (!changed) throw new Conflict()
      return 'cancelled'
    },
    () => ({ event: 'pay.cancelled', subject: { id: payment.id, number: payment.reference, total: payment.total } }),
  )

/** The provider did not say whether it was paid. */
class StillOpen extends Problem {
  status = 503
  code = 'provider-unavailable'
  message = 'This could not be cancelled right now.'
  advice = 'Try again in a minute. Without your confirmation nothing is taken.'
}

/** The receipt of what arrived. */
export const sendReceipt =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const payment = await ownPayment(req, host)
    if (payment.state !== 'paid') throw new NotFound()
    const { workspace, customer, t } = req.portal
    const bytes = await pdfOf(
      printedReceipt(payment, customer.client.name, req.portal),
      await req.portal.logo(),
      printTurnOf(req),
    )
    await recordDownload(req, { event: 'pay.downloaded', subject: { id: payment.id, number: payment.reference } })
    sendPdf(req, res, { name: `${t('Receipt')} ${workspace.name} ${payment.reference}`.slice(0, 100), bytes })
  }
