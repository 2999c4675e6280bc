import Big from 'big.js'
import type { Request, RequestHandler } from 'express'
import { v7 as uuid } from 'uuid'
import { z } from 'zod'
import { Conflict, Invalid, NotFound } from '../../src/http/errors.ts'
import { words as searchWords } from '../../src/http/filter.ts'
import { read } from '../../src/http/forms.ts'
import type { Page } from '../../src/http/paging.ts'
import { recordEvent, recordEventIn } from '../../src/platform/activity.ts'
import { sendCsv } from '../../src/platform/csv.ts'
import { query } from '../../src/platform/database.ts'
import { decimalsOf } from '../../src/platform/money.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { runStaffAction } from '../../src/settings/plugin-actions.ts'
import { isDownPayment } from './payable.ts'
import { findPayment, type KeptPayment, ledger, lockPayment, refundToBook } from './payments.ts'
import { Refused, Unavailable } from './provider.ts'
import { accessTo, settingsOf } from './settings-of.ts'
import { factsOf, syncPayment } from './settling.ts'
import { amountIn } from './starting.ts'
import { badgeOf, methodOf, refusalOf } from './words.ts'

const shows = ['book', 'unfinished', 'paid', 'problems'] as const
const Asked = z.object({
  show: z.enum(shows).optional().catch(undefined),
  search: searchWords.catch(''),
  after: z.string().optional().catch(undefined),
})
const pageSize = 50
const csvPage = 1_000
/** Milliseconds after which staff are told that the CRM does not take a payment. */
const bookedWithin = 15 * 60_000

/** All payments of the workspace. */
export const showLedger =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { workspace } = req.portal
    const asked = Asked.parse(req.query)
    const [page, settings, counts] = await Promise.all([
      ledger(host.database, workspace.id, { ...asked, size: pageSize }),
      settingsOf(host, workspace.id),
      countsOf(req),
    ])
    res.respond('pay/ledger', {
      ...page,
      ...{ asked, settings, counts },
      badge: (it: KeptPayment) => badgeOf(it, req.portal),
      way: (it: KeptPayment) => methodOf(it, req.portal),
    })
  }

/** How many wait to be booked, are unfinished, or have a problem; up to a thousand each. */
const countsOf = async (req: Request<any>) => {
  const [row] = await req.portal.inWorkspace(tx =>
    query(tx, {
      text: `select (select count(*) from (
                 select from portal.client_payments where workspace_id = $1 limit 1) it)::int as total,
               (select count(*) from (select from portal.client_payments
                 p where workspace_id = $1 and (booking in ('waiting', 'manual') or ${refundToBook}) limit 1000) it)::int as book,
               (select coalesce(jsonb_agg(it), '[]') from (
                 select currency, sum(amount)::text as amount, count(*)::int as count from portal.client_payments
                 where workspace_id = $1 and state = 'paid' and paid_at > portal.now() - interval '30 days'
                 group by currency order by sum(amount) desc) it) as month,
               (select round(extract(epoch from percentile_cont(0.5) within group (order by paid_at - started_at)))::int
                from portal.client_payments where workspace_id = $1 and state = 'paid'
                  and paid_at > portal.now() - interval '90 days') as seconds`,
      values: [req.portal.workspace.id],
    }),
  )
  return row
}

/** One payment, for staff. */
export const showOne =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const payment = await found(req, host)
    const refunds = await req.portal.inWorkspace(tx =>
      query(tx, {
        text: `select id::text, amount::text, by, at, failure from portal.client_payment_refunds
               where workspace_id = $1 and payment_id = $2 order by at`,
        values: [req.portal.workspace.id, payment.id],
      }),
    )
    res.respond('pay/one', {
      payment,
      refunds,
      badge: badgeOf(payment, req.portal),
      downPayment: payment.shares.every(it => isDownPayment(host, it.section)),
      refusal: refusalOf(payment, req.portal),
      way: methodOf(payment, req.portal),
      left: { ...payment.total, amount: leftToRefund(payment) },
      // Only what was not answered is asked for again by its key: it may have been done.
      refundKey: req.portal.problem instanceof Unanswered ? req.portal.problem.key : uuid(),
      late: (payment.paidAt ?? req.portal.now) < new Date(req.portal.now.getTime() - bookedWithin),
      typed: req.portal.problem ? Object(req.portal.body) : {},
      mails: req.portal.mailContext !== undefined,
    })
  }

const leftToRefund = ({ total, refunded }: KeptPayment) =>
  Big(total.amount).minus(refunded.amount).toFixed(decimalsOf(total.currency))

async function found(req: Request<any>, { database }: Host): Promise<KeptPayment> {
  const payment = await findPayment(database, { workspace: req.portal.workspace.id }, String(req.params.id))
  if (!payment) throw new NotFound()
  return payment
}

/** `refunded` is what the page said went back: what is more was not entered. */
const Booked = z.object({
  refunded: z
    .string()
    .regex(/^\d{1,15}(\.\d{1,10})?$/)
    .catch('0'),
})

/** Staff have entered it in the CRM themselves; or a transfer that was announced has arrived. */
export const markBooked =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { id: workspace } = req.portal.workspace
    const { id } = await found(req, host)
    const { refunded } = read(Booked, req)
    await runStaffAction(
      req,
      async tx => {
        const payment = await lockPayment(tx, workspace, id)
        const arrived = payment?.state === 'started' && payment.provider === 'transfer'
        if (!payment || !(arrived || (payment.state === 'paid' && payment.booking !== 'booked'))) throw new Conflict()
        await query(tx, {
          text: `update portal.client_payments set booking = 'booked', booked_at = portal.now(), booked_by = $3,
                   refund_booked = least(refunded, $4::numeric), booking_failure = null, state = 'paid', paid_at = coalesce(paid_at, portal.now()), changed_at = portal.now()
                 where workspace_id = $1 and id = $2`,
          values: [workspace, id, req.portal.staff?.name ?? '', refunded],
        })
        return payment
      },
      payment => ({ event: 'pay.marked-booked', subject: factsOf(payment), client: payment.client }),
    )
    res.redirect(303, req.portal.url(`/payments/${id}`))
  }

const RefundBooked = z.object({ amount: z.string().max(40) })

/** Staff have entered in the CRM what went back. What went back since the page was shown waits for another time. */
export const markRefundBooked =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { id: workspace } = req.portal.workspace
    const { id } = await found(req, host)
    const { amount } = read(RefundBooked, req)
    await runStaffAction(
      req,
      async tx => {
        const payment = await lockPayment(tx, workspace, id)
        const { refundToBook: left } = payment ?? {}
        if (!payment || !left || left.amount !== amount || Number(amount) <= 0) throw new Conflict()
        await query(tx, {
          text: `update portal.client_payments set refund_booked = refunded, changed_at = portal.now()
                 where workspace_id = $1 and id = $2`,
          values: [workspace, id],
        })
        return { payment, refund: left }
      },
      ({ payment, refund }) => ({
        event: 'pay.refund-booked',
        subject: { ...factsOf(payment), refund },
        client: payment.client,
      }),
    )
    res.redirect(303, req.portal.url(`/payments/${id}`))
  }

/** Tries again to book it in the CRM. */
export const bookAgain =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { id: workspace, slug } = req.portal.workspace
    const { id } = await found(req, host)
    await req.portal.inWorkspace(async tx => {
      const payment = await lockPayment(tx, workspace, id)
      if (payment?.state !== 'paid' || payment.booking !== 'manual') throw new Conflict()
      await query(tx, {
        text: `update portal.client_payments set booking = 'waiting', booking_failure = null where workspace_id = $1 and id = $2`,
        values: [workspace, id],
      })
      await host.jobs.queue(tx, { job: 'pay.book', workspace: { id: workspace, slug }, data: { id } })
      await recordEventIn(tx, req, { event: 'pay.booked-again', subject: factsOf(payment) })
    })
    host.jobs.wake()
    res.redirect(303, req.portal.url(`/payments/${id}`))
  }

const Refund = z.object({
  amount: z.string().max(40).default(''),
  key: z.uuid('Open the page again.'),
  /** What the page said is left. */
  left: z.string().max(40).optional(),
})

/** The provider gave no answer, so that it may have been done all the same. */
class Unanswered extends Invalid {
  key: string

  constructor(key: string, typed: unknown) {
    super({ amount: ['The payment provider doesn’t answer. Try again in a minute.'] }, typed)
    this.key = key
  }
}

/**
 * Pays back all or a part, once for each form, however often it is sent. The provider is asked before what went back
 * until now: an earlier refund may have been done without an answer.
 */
export const refundPayment =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { workspace, url, body } = req.portal
    const { id } = await found(req, host)
    const form = read(Refund, req)
    try {
      const payment = await syncPayment(host, workspace, id)
      if (!payment || (form.left !== undefined && form.left !== leftToRefund(payment))) throw new Conflict()
      await refund(req, host, payment, { key: form.key, amount: refundIn(req, form.amount, payment) })
    } catch (error) {
      if (error instanceof Refused) throw new Invalid({ amount: [error.message] }, body)
      throw error instanceof Unavailable ? new Unanswered(form.key, body) : error
    }
    // It is done. Where the provider does not answer now, it is asked again later.
    await syncPayment(host, workspace, id).catch(error => {
      if (!(error instanceof Unavailable)) throw error
    })
    res.redirect(303, url(`/payments/${id}`))
  }

interface AskedRefund {
  key: string
  amount: string
}

/** Throws Refused and Unavailable. */
async function refund(req: Request<any>, host: Host, payment: KeptPayment, { key, amount }: AskedRefund) {
  const online = await accessTo(host, req.portal.workspace.id, payment.provider)
  const { charge } = payment
  if (!online || !charge) throw new Conflict()
  await keepRefund(req, payment, key, amount)
  try {
    const done = await online.provider.refund(online.access, { key, charge, amount: { ...payment.total, amount } })
    await endRefund(req, payment, { key, amount }, done.id)
  } catch (error) {
    if (error instanceof Refused) await failRefund(req, key, error.message)
    if (error instanceof Unavailable) await failRefund(req, key, 'The provider didn’t say whether this went back.')
    throw error
  }
}

function refundIn({ portal }: Request<any>, typed: string, payment: KeptPayment): string {
  const no = (sentence: string) => new Invalid({ amount: [sentence] }, portal.body)
  const left = leftToRefund(payment)
  if (payment.state !== 'paid' || Big(left).lte(0)) throw new Conflict()
  const amount = amountIn(typed, portal.locale)
  if (amount === undefined || Big(amount).lte(0)) throw no('Enter an amount, such as 250.00.')
  if (Big(amount).gt(left)) throw no('This is more than what is left of the payment.')
  if (!Big(amount).round(decimalsOf(payment.total.currency)).eq(amount)) throw no('This currency has fewer decimals.')
  return Big(amount).toFixed(decimalsOf(payment.total.currency))
}

/** Kept before the provider is asked, so that no refund is unknown here. The same form again is the same refund. */
const keepRefund = (req: Request<any>, { id, client }: KeptPayment, key: string, amount: string) =>
  req.portal.inWorkspace(async tx => {
    const { workspace, staff } = req.portal
    const payment = await lockPayment(tx, workspace.id, id)
    // Others that are being asked for at this moment; what was done or failed is in `refunded`.
    const [row] = await query(tx, {
      text: `select coalesce(sum(amount), 0)::text as asked from portal.client_payment_refunds
             where workspace_id = $1 and payment_id = $2 and id <> $3 and provider_id is null and failure is null
               and at > portal.now() - interval '5 minutes'`,
      values: [workspace.id, id, key],
    })
    if (!payment || Big(row.asked).plus(amount).gt(leftToRefund(payment))) throw new Conflict()
    const [kept] = await query(tx, {
      text: `insert into portal.client_payment_refunds as r (workspace_id, id, client_id, payment_id, amount, by)
             values ($1, $2, $3, $4, $5, $6)
             on conflict (workspace_id, id) do update set failure = null where r.payment_id = excluded.payment_id
               and r.amount = excluded.amount returning id`,
      values: [workspace.id, key, client, id, amount, staff?.name ?? ''],
    })
    // The same key is of one amount alone.
    if (!kept) throw new Conflict()
  })

const endRefund = (req: Request<any>, payment: KeptPayment, { key, amount }: AskedRefund, provider: string) =>
  runStaffAction(
    req,
    tx =>
      query(tx, {
        text: `update portal.client_payment_refunds set provider_id = $3, failure = null
               where workspace_id = $1 and id = $2`,
        values: [req.portal.workspace.id, key, provider],
      }),
    () => ({
      event: 'pay.refund-asked',
      subject: { ...factsOf(payment), refund: { ...payment.total, amount } },
      client: payment.client,
    }),
  )

const failRefund = (req: Request<any>, key: string, failure: string) =>
  req.portal.inWorkspace(tx =>
    query(tx, {
      text: 'update portal.client_payment_refunds set failure = $3 where workspace_id = $1 and id = $2',
      values: [req.portal.workspace.id, key, failure],
    }),
  )

const csvHeading = [
  ...['at', 'state', 'booking', 'client', 'payer', 'section', 'number', 'amount', 'currency', 'fee', 'refunded'],
  ...['refund_to_book'],
  ...['method', 'provider', 'provider_id', 'reference', 'payment'],
]

const csvRowsOf = (it: KeptPayment) =>
  it.shares.map(share => [
    ...[it.paidAt ?? it.startedAt, it.state, it.booking, it.client, it.payer, share.section, share.number],
    ...[share.amount.amount, it.amount.currency, it.fee.amount, it.refunded.amount],
    ...[it.refundToBook.amount],
    ...[it.method ?? '', it.provider, it.charge ?? '', it.reference, it.id],
  ])

/** What the list shows, all of it, as CSV: a line for each document, sent as it is read. */
export const exportLedger =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const asked = Asked.parse(req.query)
    const { workspace } = req.portal
    const read = (after?: string) => ledger(host.database, workspace.id, { ...asked, after, size: csvPage })
    const first = await read()
    await recordEvent(req, { event: 'pay.ledger-downloaded' })
    res.type('text/csv').attachment(`${workspace.slug}-payments.csv`).set('Cache-Control', 'private, no-store')
    await sendCsv(res, csvHeading, rowsOf(first, read))
  }

async function* rowsOf(first: Page<KeptPayment>, read: (after: string) => Promise<Page<KeptPayment>>) {
  let page = first
  while (page.items.length) {
    yield page.items.flatMap(csvRowsOf)
    if (!page.next) return
    page = await read(page.next)
  }
}
