import { CrmUnavailable, NotFound } from '../../http/errors.ts'
import { above, type Money } from '../../platform/money.ts'
import { type ReceivedPayment, Refusal, refusals, type TakesPayments } from '../received-payment.ts'
import { inCents } from './amounts.ts'
import { type Known, requestOf } from './call.ts'
import { type DocumentRelation, documentRelation } from './document-relation.ts'
import type { Call, CrmMap, InvoicesMap, PaymentsMap, Text } from './map.ts'
import { checked } from './owned.ts'
import { keyOfType, pathOf, placeOf, type Reader } from './reader.ts'
import type { Ask } from './section.ts'
import { creditsOf, leftOf, paidOf } from './settlements.ts'
import { param } from './sql.ts'

/** How payments are recorded by the CRM's API; undefined where the map says nothing of it, or that it is off. */
export function recordingOf(reader: Reader, map: CrmMap, it: PaymentsMap) {
  const { record } = it
  if (!record || record.off || !map.invoices) return undefined
  const y = placeOf(reader, it, 'y')
  const calls = [record.call].flat()
  const gaps = JSON.stringify(calls)
  return {
    map: record,
    calls,
    /** Whether one payment pays several invoices. */
    whole: gaps.includes('"{shares}"'),
    // Also one that staff have cancelled since: it is not made again.
    already: `select 1 as done from ${y.from} where ${y.column(record.key)}::text = ${param('key')}::text limit 1`,
    invoice: invoiceOf(reader, map, map.invoices),
    methodId: gaps.includes('{method id}') ? keyBehind(reader, it.method?.column) : undefined,
    currencyId: gaps.includes('{currency id}') ? keyBehind(reader, it.currency) : undefined,
  }
}
type Recording = NonNullable<ReturnType<typeof recordingOf>>

/** What decides whether an invoice of this customer can be paid. */
function invoiceOf(reader: Reader, map: CrmMap, it: InvoicesMap): string {
  const document = documentRelation(reader, map, it, 'invoices')
  const { place, amounts, key, means } = document
  const left = leftOf(document, it, {
    paid: paidOf(reader, map.payments, place, amounts),
    credits: creditsOf(reader, it.creditNotes, place, amounts),
  })
  const relation = document.relation({ left_to_pay: left, status: statusOf(means, it) })
  return `select d.status, d.currency, d.left_to_pay::text as left from ${relation}
    where d.id = ${checked('id', keyOfType(key).cast)}`
}

const statusOf = (means: DocumentRelation['means'], it: InvoicesMap) =>
  `case when ${it.status ? means('cancelled') : 'false'} then 'cancelled' when ${means('paid')} then 'paid'
    when ${means('open')} then 'open' else 'closed' end`

/** The key of the row that a path of one step leads to, found by the value that it ends with. */
function keyBehind(reader: Reader, source: Text | undefined): string | undefined {
  const [step, ...more] = typeof source === 'string' ? pathOf(source).steps : []
  if (!step || more.length) return undefined
  const k = placeOf(reader, { table: step.table, id: step.key }, 'k')
  return `select ${k.column(step.key)}::text as id from ${k.from}
    where ${k.column(step.column)}::text = ${param('word')}::text order by ${k.column(step.key)} limit 1`
}

/**
 * Sends a payment that fits what is open. A call whose answer was lost may have been done: the CRM is asked for the key
 * first, and what has it is not sent again.
 */
export const recordWith =
  (it: Recording, ask: Ask, scope: object): Required<TakesPayments>['record'] =>
  async payment => {
    const parts = it.whole ? [payment] : payment.shares.map(share => partOf(payment, share))
    const entered: ReceivedPayment[] = []
    for (const part of parts) if ((await ask(it.already, { key: part.key })).length) entered.push(part)
    const missing = parts.filter(part => !entered.includes(part))
    const name = (share: Share) => (payment.shares.length > 1 ? nameAfter(entered, share) : '')
    // All of them before the first is sent.
    for (const share of missing.flatMap(part => part.shares))
      expectFits(await invoiceNow(it, ask, scope, share), share, name(share))
    for (const part of missing) {
      await send(it, part, await knownOf(it, ask, part), it.whole ? '' : name(part.shares[0]!))
      entered.push(part)
    }
  }

/** `INV-1 ✓, INV-2: `: what staff need not enter any more, and what why is about. */
const nameAfter = (entered: ReceivedPayment[], { number }: Share): string =>
  [...entered.flatMap(part => part.shares.map(it => `${it.number} ✓`)), `${number}: `].join(', ')

type Share = ReceivedPayment['shares'][number]

/** What a payment pays of one invoice, as a payment of its own. */
const partOf = (payment: ReceivedPayment, share: Share): ReceivedPayment => ({
  ...payment,
  key: `${payment.key}/${share.id}`,
  amount: share.amount,
  shares: [share],
})

interface Invoice {
  status: 'open' | 'paid' | 'cancelled' | 'closed'
  currency: string
  left: string
}

async function invoiceNow(
  it: Recording,
  ask: Ask,
  scope: object,
  { section, id }: Share,
): Promise<Invoice | undefined> {
  if (section !== 'invoices') throw new Refusal(refusals.section)
  const [found] = await ask(it.invoice, { ...scope, id })
  return found
}

/** Throws a Refusal where an invoice cannot be paid so, NotFound where there is none. `name` stands before why. */
function expectFits(invoice: Invoice | undefined, { amount }: Share, name: string) {
  if (!invoice) throw Object.assign(new NotFound(), { message: name + refusals.missing })
  const why = obstacle(invoice, amount)
  if (why) throw new Refusal(name + refusals[why])
}

function obstacle({ status, currency, left }: Invoice, amount: Money): keyof typeof refusals | undefined {
  if (status !== 'open') return status
  if (amount.currency !== currency) return 'currency'
  if (Number(left) <= 0) return 'paid'
  return above(amount, { amount: left, currency }) ? 'amount' : undefined
}

/** What the gaps of a call may name. */
async function knownOf(it: Recording, ask: Ask, payment: ReceivedPayment): Promise<Known> {
  const { key, on, amount, payer, reference, shares } = payment
  const method = it.map.methods?.[payment.method] ?? payment.method
  const idOf = async (sql: string | undefined, word: string) => {
    const [found] = sql ? await ask(sql, { word }) : []
    if (sql && !found) throw new Refusal(refusals.method)
    return found?.id
  }
  return {
    ...{ key, on, payer, reference, method, ...ofAmount(amount) },
    ...(it.whole ? {} : ofShare(shares[0]!)),
    method_id: await idOf(it.methodId, method),
    currency_id: await idOf(it.currencyId, amount.currency),
  }
}

const ofAmount = (it: Money) => ({ amount: it.amount, currency: it.currency, cents: inCents(it) })
const ofShare = ({ id, number, amount }: Share) => ({ id, number, ...ofAmount(amount) })

async function send({ map, calls }: Recording, { key, shares }: ReceivedPayment, known: Known, name: string) {
  const entries = map.share && together(shares.map(it => map.share!(it)))
  let answer: string | undefined
  for (const call of calls) answer = await answerTo(call, key, { ...known, shares: entries, answer }, name)
}

/** Entries of objects as one object, of lists as one list. */
const together = (entries: (Record<string, unknown> | unknown[])[]) =>
  Array.isArray(entries[0]) ? entries.flat() : Object.assign({}, ...entries)

/** Statuses of a payment that does not fit. 404 is none: the invoice was there a moment ago, so the address is wrong. */
const refusing = [400, 409, 410, 412, 422]

/** Makes one call; gives the id in its answer. Throws a Refusal where the CRM says no, and CrmUnavailable where nothing is known. */
async function answerTo(call: Call, key: string, known: Known, name: string): Promise<string | undefined> {
  const { ok, status, text } = await answered(call, key, known)
  if (ok) return idIn(text)
  const code = `The CRM answered ${status}.`
  if ((call.conflicts ?? refusing).includes(status)) throw new Refusal(name + (reasonIn(text) ?? code))
  throw new CrmUnavailable('', { cause: new Error(code) })
}

async function answered(call: Call, key: string, known: Known) {
  try {
    const response = await requestOf(call, key, known)
    return { ok: response.ok, status: response.status, text: await response.text() }
  } catch (cause) {
    throw new CrmUnavailable('', { cause })
  }
}

const parsed = (text: string): any => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** `7`, `[7]` and `{"id": 7}`. */
function idIn(text: string): string | undefined {
  const answer = parsed(text)
  const [first] = [answer].flat()
  const id = first?.id ?? first
  return typeof id === 'number' || typeof id === 'string' ? String(id) : undefined
}

/** What an error says, where APIs commonly say it. */
function reasonIn(text: string): string | undefined {
  const answer = parsed(text)
  const said = [answer?.error?.message, answer?.message, answer?.error, answer?.detail].find(
    it => typeof it === 'string' && it.trim(),
  )
  return said?.replace(/\s+/g, ' ').trim().slice(0, 300)
}
