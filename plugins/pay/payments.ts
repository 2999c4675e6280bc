import Big from 'big.js'
import type { Knex } from 'knex'
import { z } from 'zod'
import type { Customer } from '../../src/crm/crm.ts'
import { NotFound } from '../../src/http/errors.ts'
import { keyOf, type Page, page } from '../../src/http/paging.ts'
import { query, readWithin, type Scope } from '../../src/platform/database.ts'
import { decimals, decimalsOf, Money } from '../../src/platform/money.ts'

const states = ['started', 'processing', 'paid', 'failed', 'cancelled'] as const

/** What a payment pays of one document. */
export const Share = z.object({
  section: z.string(),
  id: z.string(),
  number: z.string(),
  title: z.string(),
  amount: Money,
})
export type Share = z.infer<typeof Share>

/** A payment that somebody began here. */
export const Payment = z.object({
  id: z.string(),
  /** Name of the person who began it. */
  payer: z.string(),
  provider: z.string(),
  method: z.string().nullable(),
  /** What stands on the account of who pays. */
  reference: z.string(),
  /** What the shares come to. */
  amount: Money,
  fee: Money,
  /** Both. */
  total: Money,
  shares: z.array(Share),
  state: z.enum(states),
  failure: z.string().nullable(),
  refunded: Money,
  dispute: z.enum(['open', 'won', 'lost']).nullable(),
  /** Whether it is in the books of the CRM: not to be, soon, by hand, or it is. */
  booking: z.enum(['none', 'waiting', 'manual', 'booked']),
  startedAt: z.coerce.date(),
  paidAt: z.coerce.date().nullable(),
  bookedAt: z.coerce.date().nullable(),
})
export type Payment = z.infer<typeof Payment>

/** With what only the portal itself and staff may know. */
export interface KeptPayment extends Payment {
  client: string
  person: string
  session: string | null
  address: string | null
  charge: string | null
  bookingFailure: string | null
  bookedBy: string | null
  /** What went back and is not in the CRM's books, of a payment that is. */
  refundToBook: Money
  /** Another one after each change. */
  version: string
}

/** SQL: something of `p` went back that the CRM's books do not have. */
export const refundToBook = `(p.booking = 'booked' and p.refunded > p.refund_booked)`

export const paymentColumns = `
  p.id::text, p.client_id as client, p.person_id as person, p.payer, p.provider, p.method, p.reference, p.currency,
  p.amount::text, p.fee::text, p.state, p.session, p.address, p.charge, p.failure, p.refunded::text, p.dispute, p.booking,
  case when ${refundToBook} then p.refunded - p.refund_booked else 0 end::text as "refundToBook",
  p.booking_failure as "bookingFailure", p.booked_by as "bookedBy", p.booked_at as "bookedAt",
  p.started_at as "startedAt", p.paid_at as "paidAt", p.xmin::text as version,
  (select coalesce(jsonb_agg(jsonb_build_object('section', s.section, 'id', s.document_id, 'number', s.number,
      'title', s.title, 'amount', s.amount::text) order by s.number, s.document_id), '[]')
   from portal.client_payment_shares s where s.workspace_id = p.workspace_id and s.payment_id = p.id) as shares`

/** A row of `paymentColumns` as a payment. */
export function paymentOf({ currency, amount, fee, refunded, refundToBook, shares, ...row }: any): KeptPayment {
  const inCurrency = (it: string): Money => ({ amount: it, currency })
  return {
    ...row,
    amount: inCurrency(amount),
    fee: inCurrency(fee),
    total: inCurrency(Big(amount).plus(fee).toString()),
    refunded: inCurrency(refunded),
    refundToBook: inCurrency(refundToBook),
    shares: shares.map((it: { amount: string }) => ({ ...it, amount: inCurrency(it.amount) })),
  }
}

/** One payment of this workspace, and of this client where the scope names one. */
export async function findPayment(database: Knex, scope: Scope, id: string): Promise<KeptPayment | undefined> {
  const [row] = await readWithin(database, scope, {
    text: `select ${paymentColumns} from portal.client_payments p
           where p.workspace_id = scope.workspace and (scope.client = '' or p.client_id = scope.client)
             and p.id::text = $3`,
    values: [id],
  })
  return row && paymentOf(row)
}

/** Keys of those documents of a payment that another payment of this client paid as well. */
export async function alsoPaid(
  database: Knex,
  { workspace, customer }: { workspace: { id: string }; customer: Customer },
  id: string,
): Promise<string[]> {
  const rows = await readWithin<{ key: string }>(
    database,
    { workspace: workspace.id, client: customer.client.id },
    {
      text: `select distinct s.section || '/' || s.document_id as key from portal.client_payment_shares s
               join portal.client_payment_shares o on o.workspace_id = s.workspace_id and o.client_id = s.client_id
                 and o.section = s.section and o.document_id = s.document_id and o.payment_id <> s.payment_id
               join portal.client_payments p on p.workspace_id = o.workspace_id and p.id = o.payment_id
             where s.workspace_id = scope.workspace and s.client_id = scope.client and s.payment_id::text = $3
               and p.state = 'paid'`,
      values: [id],
    },
  )
  return rows.map(it => it.key)
}

/** The same within a transaction that has entered the workspace: nobody else changes it until that ends. */
export async function lockPayment(tx: Knex, workspace: string, id: string): Promise<KeptPayment | undefined> {
  const [row] = await query(tx, {
    text: `select ${paymentColumns} from portal.client_payments p
           where p.workspace_id = $1 and p.id::text = $2 for update of p`,
    values: [workspace, id],
  })
  return row && paymentOf(row)
}

/** The id of the payment that a provider means by its session or its charge. */
export async function paymentByProvider(
  database: Knex,
  workspace: string,
  provider: string,
  { session, charge }: { session?: string; charge?: string },
): Promise<string | undefined> {
  const [row] = await readWithin<{ id: string }>(
    database,
    { workspace },
    {
      text: `select p.id::text from portal.client_payments p
             where p.workspace_id = scope.workspace and p.provider = $3 and (p.session = $4 or p.charge = $5)`,
      values: [provider, session ?? null, charge ?? null],
    },
  )
  return row?.id
}

/** What is known here of a document that is to be paid. */
export interface Pending {
  section: string
  id: string
  currency: string
  /** What arrived and is not in the CRM's books yet, and what banks are working on. */
  unbooked: string
  processing: string
  /** Who is paying it right now, and since when. */
  payer: string | null
  since: Date | null
}

/**
 * SQL of what is pending of documents. A payment that somebody began counts as under way for an hour; a transfer that
 * was announced, for five days, and never as money.
 */
export const pendingColumns = `
  s.section, s.document_id as id, p.currency,
  coalesce(sum(s.amount * (1 - p.refunded / (p.amount + p.fee)))
    filter (where p.state = 'paid' and p.booking in ('waiting', 'manual')), 0)::text as unbooked,
  coalesce(sum(s.amount) filter (where p.state = 'processing'), 0)::text as processing,
  (array_agg(p.payer order by p.started_at desc) filter (where p.state = 'started'))[1] as payer,
  max(p.started_at) filter (where p.state = 'started') as since`

/** SQL of the payments and their shares that count for that. */
export const pendingOnes = `
  portal.client_payment_shares s
    join portal.client_payments p on p.workspace_id = s.workspace_id and p.id = s.payment_id
  where s.workspace_id = scope.workspace and s.client_id = scope.client
    and (p.state = 'processing' or p.state = 'paid' and p.booking in ('waiting', 'manual')
         or p.state = 'started' and p.started_at > portal.now() - case p.provider when 'transfer' then interval '5 days' else interval '1 hour' end)`

/** Of one document, as `attached` puts it beside the page. */
export const pendingOfSubject = `
  (select to_jsonb(it) from (
     select ${pendingColumns} from ${pendingOnes} and s.section = $3 and s.document_id = $4
     group by s.section, s.document_id, p.currency order by max(p.started_at) desc limit 1) it)`

export const pendingOf = (database: Knex, scope: Required<Scope>): Promise<Pending[]> =>
  readWithin<Pending>(database, scope, {
    name: 'pay.pending',
    text: `select ${pendingColumns} from ${pendingOnes} group by s.section, s.document_id, p.currency`,
  })

interface DocumentKey {
  section: string
  id: string
}

/** What arrived here for documents and did not go back, booked or not. */
export const arrivedFor = (
  database: Knex,
  scope: Required<Scope>,
  documents: DocumentKey[],
): Promise<(DocumentKey & { currency: string; arrived: string })[]> =>
  readWithin(database, scope, {
    text: `select s.section, s.document_id as id, p.currency,
             sum(s.amount * (1 - p.refunded / (p.amount + p.fee)))::text as arrived
           from jsonb_to_recordset($3) as d (section text, id text)
             join portal.client_payment_shares s on s.workspace_id = scope.workspace and s.client_id = scope.client
               and s.section = d.section and s.document_id = d.id
             join portal.client_payments p on p.workspace_id = s.workspace_id and p.id = s.payment_id
           where p.state = 'paid' and p.dispute is distinct from 'lost'
           group by s.section, s.document_id, p.currency`,
    values: [JSON.stringify(documents.map(({ section, id }) => ({ section, id })))],
  })

/** What is left of a balance when all that is on its way has arrived. */
export function leftOf(balance: Money, pending: Pending | undefined): Money {
  const left = pending ? Big(balance.amount).minus(pending.unbooked).minus(pending.processing) : Big(balance.amount)
  // A CRM may count finer than anybody can pay; never more is paid than is open.
  const places = Math.min(decimals(balance.amount), Math.max(2, decimalsOf(balance.currency)))
  return { ...balance, amount: (left.lt(0) ? Big(0) : left).toFixed(places, Big.roundDown) }
}

export interface NewPayment {
  id: string
  at: Date
  provider: string
  reference: string
  fee: Money
  amount: Money
  shares: Share[]
  /** Where a visitor by a public link wants the receipt. */
  receipt?: { email: string; language: string }
}

interface By {
  workspace: string
  client: string
  person: { id: string; name: string }
}

/** Keeps a payment before anybody is sent to pay it. */
export async function addPayment(tx: Knex, { workspace, client, person }: By, it: NewPayment): Promise<void> {
  await query(tx, {
    text: `insert into portal.client_payments
             (workspace_id, id, client_id, person_id, payer, provider, reference, currency, amount, fee, started_at,
              receipt_to, receipt_language)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
    values: [
      ...[workspace, it.id, client, person.id, person.name, it.provider, it.reference],
      ...[it.amount.currency, it.amount.amount, it.fee.amount, it.at],
      ...[it.receipt?.email ?? null, it.receipt?.language ?? null],
    ],
  })
  await query(tx, {
    text: `insert into portal.client_payment_shares
             (workspace_id, payment_id, client_id, section, document_id, number, title, amount)
           select $1, $2, $3, section, document_id, number, title, amount
           from jsonb_to_recordset($4) as it(section text, document_id text, number text, title text, amount numeric)`,
    values: [
      ...[workspace, it.id, client],
      JSON.stringify(
        it.shares.map(({ section, id, number, title, amount }) => ({
          ...{ section, document_id: id, number, title, amount: amount.amount },
        })),
      ),
    ],
  })
}

/** What staff look for. */
export interface LedgerFilter {
  show?: 'book' | 'unfinished' | 'paid' | 'problems'
  search?: string
  after?: string
  size: number
}

const After = z.tuple([z.string(), z.uuid()])

const shown: Record<NonNullable<LedgerFilter['show']>, string> = {
  book: `(p.booking in ('waiting', 'manual') or ${refundToBook})`,
  unfinished: `p.state in ('started', 'processing')`,
  paid: `p.state = 'paid'`,
  problems: `(p.state = 'failed' or p.dispute = 'open' or p.refunded > 0)`,
}

/** All of a workspace, the newest first. */
export const ledger = (
  database: Knex,
  workspace: string,
  { show, ...asked }: LedgerFilter,
): Promise<Page<KeptPayment>> =>
  pageOfPayments(database, { workspace }, { ...asked, where: show ? shown[show] : 'true' })

interface PageAsked {
  /** SQL over `p`. */
  where: string
  search?: string
  after?: string
  size: number
}

async function pageOfPayments(database: Knex, scope: Scope, asked: PageAsked): Promise<Page<KeptPayment>> {
  const [at, id] = keyOf(asked.after, After) ?? [null, null]
  const rows = await readWithin(database, scope, {
    text: `select ${paymentColumns} from portal.client_payments p
           where p.workspace_id = scope.workspace and ${asked.where}
             and ($3::text is null or p.payer ilike $3 or p.reference ilike $3 or p.charge ilike $3
               or exists (select from portal.client_payment_shares s
                          where s.workspace_id = p.workspace_id and s.payment_id = p.id and s.number ilike $3))
             and ($4::timestamptz is null or (p.started_at, p.id) < ($4::timestamptz, $5::uuid))
           order by p.started_at desc, p.id desc limit $6`,
    values: [asked.search ? `%${asked.search.replace(/[\\%_]/g, '\\$&')}%` : null, at, id, asked.size + 1],
  })
  const { items, next } = page(rows as any[], asked.size, it => [it.startedAt.toISOString(), it.id])
  return { items: items.map(paymentOf), next }
}

/** What this client has under way, and what ended within a month, the newest first. */
export async function recentPayments(database: Knex, scope: Required<Scope>): Promise<KeptPayment[]> {
  const rows = await readWithin(database, scope, {
    name: 'pay.recent',
    text: `select ${paymentColumns} from portal.client_payments p
           where p.workspace_id = scope.workspace and p.client_id = scope.client and p.state <> 'cancelled'
             and p.started_at > portal.now() - interval '30 days'
             and not (p.state = 'started' and p.provider <> 'transfer' and p.started_at < portal.now() - interval '1 hour')
           order by p.started_at desc limit 20`,
  })
  return rows.map(paymentOf)
}

/** What one customer has paid here, or begun to. */
export interface OwnPayments {
  /** Newest first. */
  list(asked: { after?: string; size: number }): Promise<Page<Payment>>
  /** Throws NotFound, also for another client's. */
  find(id: string): Promise<Payment>
}

declare global {
  namespace Portico {
    interface Ports {
      pay: OwnPayments
    }
  }
}

export function paymentsOf({ workspace, client }: Customer, database: Knex): OwnPayments {
  const scope = { workspace: workspace.id, client: client.id }
  return {
    async list({ after, size }) {
      const { items, next } = await pageOfPayments(database, scope, {
        after,
        size,
        where: 'p.client_id = scope.client',
      })
      return { items: items.map(it => Payment.parse(it)), next }
    },
    async find(id) {
      const found = await findPayment(database, scope, id)
      if (!found) throw new NotFound()
      return Payment.parse(found)
    },
  }
}
