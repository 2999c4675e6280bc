import Big from 'big.js'
import type { Request } from 'express'
import { v7 as uuid } from 'uuid'
import { z } from 'zod'
import { coreHostOf } from '../../src/auth/host.ts'
import { Conflict, Invalid } from '../../src/http/errors.ts'
import { read } from '../../src/http/forms.ts'
import { query, within } from '../../src/platform/database.ts'
import { above, decimalsOf, type Money } from '../../src/platform/money.ts'
import { runAction } from '../../src/plugin/action.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { type Due, findDues, isDownPayment, most } from './payable.ts'
import {
  addPayment,
  findPayment,
  type KeptPayment,
  type NewPayment,
  paymentColumns,
  paymentOf,
  type Share,
} from './payments.ts'
import { type Access, type PaymentProvider, Refused, type StartRequest, Unavailable } from './provider.ts'
import { accessTo, type PaySettings, settingsWithAccess } from './settings-of.ts'
import { cancelUnknown, syncPayment } from './settling.ts'

const text = z.string().max(200)

/** The form: documents, `part.<document>` for a part of one, and `open.<document>`, what the page said is left. */
const Form = z
  .object({
    document: z.union([text.transform(it => [it]), z.array(text)]).default([]),
    method: text.optional(),
    anyway: text.optional(),
    receipt: z.string().trim().max(254).optional(),
  })
  .transform(it => ({ ...it, document: [...new Set(it.document)] }))

/** What is asked for before it is anybody's. */
interface Wanted {
  dues: Due[]
  shares: Share[]
  amount: Money
}

/**
 * Begins a payment of what the form chose and gives it with the address where it is paid; a transfer has none. Throws
 * Invalid, and Conflict where a document changed or somebody else is paying it.
 */
export async function startPayment(req: Request<any>, host: Host): Promise<{ id: string; address?: string }> {
  const { workspace } = req.portal
  const form = read(Form, req)
  const { settings, online } = await settingsWithAccess(host, workspace.id)
  const method = methodOf(form.method, settings, online !== undefined)
  const wanted = await wantedOf(req, host, form, settings)
  if (!method) throw new Invalid({ method: ['Choose how you want to pay.'] }, req.portal.body)
  if (method === 'transfer') return startTransfer(req, wanted)
  const receipt = receiptOf(req, form.receipt)
  return startOnline(req, host, { wanted, settings, ...online!, anyway: form.anyway === 'on', receipt })
}

/** Where a visitor by a public link wants the receipt. Whoever has an account is mailed there. Throws Invalid. */
function receiptOf({ portal }: Request<any>, typed: string | undefined): NewPayment['receipt'] {
  if (!portal.guest || !portal.mailContext || !typed) return undefined
  const email = z.email().safeParse(typed).data
  if (!email) throw new Invalid({ receipt: ['Enter an e-mail address, such as jo@example.com.'] }, portal.body)
  return { email, language: portal.locale }
}

/** What can be chosen. The only way there is needs no choice. */
function methodOf(typed: string | undefined, { transfer, online }: PaySettings, there: boolean): string | undefined {
  const ways = [...(there && online ? [online.provider] : []), ...(transfer ? ['transfer'] : [])]
  return typed ? ways.find(it => it === typed) : ways.length === 1 ? ways[0] : undefined
}

/** What the form asks for, held against what is open now. */
async function wantedOf(
  req: Request<any>,
  host: Host,
  form: z.infer<typeof Form>,
  settings: PaySettings,
): Promise<Wanted> {
  const typed = req.portal.body
  const no = (field: string, sentence: string): never => {
    throw new Invalid({ [field]: [sentence] }, typed)
  }
  if (!form.document.length) no('document', 'Choose what you want to pay.')
  if (form.document.length > most) no('document', 'Choose 100 documents at most.')
  const found = await findDues(req, host, form.document)
  // A CRM may know a document by several spellings of its id.
  const dues = [...new Map(found.map(it => [it.key, it])).values()]
  const currency = dues[0]!.left.currency
  if (dues.some(it => it.left.currency !== currency)) no('document', 'Pay one currency at a time.')
  if (new Set(dues.map(it => it.downPayment)).size > 1) no('document', 'Pay down payments apart from invoices.')
  const shares = dues.map(due => {
    const shown = Object(typed)[`open.${due.key}`]
    if (typeof shown === 'string' && !sameAmount(shown, due.left.amount)) throw new AmountChanged()
    if (!above(due.left, { ...due.left, amount: '0' })) throw new AmountChanged()
    const { section, id, number, title } = due
    const amount = partOf(req, due, settings, no)
    return { section, id, number, title, amount }
  })
  const sum = shares.reduce((all, it) => all.plus(it.amount.amount), Big(0))
  const usual = sum.toFixed(decimalsOf(currency))
  return { dues, shares, amount: { amount: sum.eq(usual) ? usual : sum.toFixed(), currency } }
}

/** The typed part of what is left, or all of it. */
function partOf(
  { portal }: Request<any>,
  { key, left }: Due,
  { parts, minimum }: PaySettings,
  no: (field: string, sentence: string) => never,
): Money {
  const typed: unknown = Object(portal.body)[`part.${key}`]
  if (typeof typed !== 'string' || !typed.trim()) return left
  // Staff switched parts off while the page was open: nobody pays more than they typed.
  if (!parts) throw new AmountChanged()
  const amount = amountIn(typed, portal.locale)
  const places = decimalsOf(left.currency)
  if (amount === undefined || Big(amount).lte(0)) return no(`part.${key}`, 'Enter an amount, such as 250.00.')
  if (Big(amount).round(places).toString() !== Big(amount).toString())
    return no(`part.${key}`, 'This currency has fewer decimals.')
  if (Big(amount).gt(left.amount)) return no(`part.${key}`, 'This is more than what is open.')
  if (Big(amount).lt(minimum) && !Big(amount).eq(left.amount))
    return no(`part.${key}`, 'This is less than the smallest part.')
  return { ...left, amount: Big(amount).toFixed(places) }
}

/**
 * An amount as people write it, in their own way or in the other: `1,178.00`, `1.178,00`, `1178`. A single sign before
 * three digits is what it is where the reader is. Undefined for anything else.
 */
export function amountIn(typed: string, locale: string): string | undefined {
  const plain = typed.replace(/[\s\u00a0\u202f’'€$£]/g, '')
  if (!/^\d[\d.,]*$/.test(plain) || plain.length > 18) return undefined
  const own = new Intl.NumberFormat(locale).formatToParts(1.5).find(it => it.type === 'decimal')?.value ?? '.'
  const last = Math.max(plain.lastIndexOf('.'), plain.lastIndexOf(','))
  const sign = plain[last]
  const alone = sign !== undefined && plain.split(sign).length === 2 && !/[.,]/.test(plain.replace(sign, ''))
  const grouped = sign !== undefined && sign !== own && alone && plain.length - last === 4
  const decimal = last >= 0 && !grouped && (alone || plain.split(sign!).length === 2)
  const before = decimal ? plain.slice(0, last) : plain
  if (/[.,]/.test(before) && !/^\d{1,3}([.,’]\d{2,3})+$/.test(before)) return undefined
  const whole = before.replace(/[.,]/g, '')
  const rest = decimal ? plain.slice(last + 1) : ''
  return /^\d+$/.test(whole) && /^\d*$/.test(rest) ? `${whole}${rest && `.${rest}`}` : undefined
}

const sameAmount = (a: string, b: string) => /^\d{1,15}(\.\d{1,20})?$/.test(a) && Big(a).eq(b)

/** A document is open by another amount than the page said. */
class AmountChanged extends Conflict {
  code = 'amount-changed'
  message = 'The amount has changed.'
  advice = 'Nothing was paid yet. This is what is open now.'
}

/** Somebody else is about to pay the same. */
class PaidBySomebody extends Conflict {
  code = 'being-paid'
  message = 'Somebody at your company is paying this right now.'
  advice = 'Nothing was paid yet. Ask them first, or tick the box below to pay anyway.'
}

/** What was begun before may still be paid, because the provider does not answer. */
class NotEnded extends Conflict {
  status = 503
  code = 'provider-unavailable'
  message = 'Online payment is unavailable'
  advice = 'Nothing was taken. Pay by transfer, or try again in a few minutes.'
}

/** A transfer is announced: the company knows that money is coming. */
async function startTransfer(req: Request<any>, { shares, amount }: Wanted) {
  const it = newPayment(req, { provider: 'transfer', shares, amount, fee: { ...amount, amount: '0' } })
  await keepStart(req, it, true)
  return { id: it.id }
}

interface Online {
  wanted: Wanted
  settings: PaySettings
  provider: PaymentProvider
  access: Access
  anyway: boolean
  receipt: NewPayment['receipt']
}

async function startOnline(req: Request<any>, host: Host, begun: Online) {
  const { wanted, settings, provider, access, anyway, receipt } = begun
  const { shares, amount } = wanted
  const places = decimalsOf(amount.currency)
  const fee = { ...amount, amount: Big(amount.amount).times(settings.fee).div(100).toFixed(places) }
  await endOwn(req, host, shares)
  const it = newPayment(req, { provider: provider.name, shares, amount, fee, receipt })
  await keepStart(req, it, anyway)
  try {
    await endOwn(req, host, shares, it.id)
    const started = await provider.start(access, await requestOf(req, host, it, settings))
    if (await keepSession(req, host, it.id, started)) return { id: it.id, address: started.address }
    // The same person began again meanwhile, as with a double click: only the last one can be paid.
    await provider.cancel(access, started.session)
    return { id: it.id }
  } catch (error) {
    const refused = error instanceof Unavailable || error instanceof Refused
    if (!refused && !(error instanceof Conflict)) throw error
    await giveUp(req, host, it.id, error instanceof Refused ? 'refused' : 'unavailable')
    if (error instanceof Refused) await forgetCustomer(req, host, it.provider)
    if (!refused) throw error
    host.log.error({ err: error, payment: it.id, request: req.portal.id }, 'a payment could not be started')
    return { id: it.id }
  }
}

/** The provider may not know the customer any more, as after a change of accounts: the next try is without. */
const forgetCustomer = ({ portal: { workspace, customer } }: Request<any>, { database }: Host, provider: string) =>
  within(database, { workspace: workspace.id, client: customer.client.id }, tx =>
    query(tx, {
      text: `delete from portal.client_payment_customers
             where workspace_id = $1 and client_id = $2 and person_id = $3 and provider = $4`,
      values: [workspace.id, customer.client.id, customer.person.id, provider],
    }),
  )

/** False where the payment was ended meanwhile. */
async function keepSession(
  req: Request<any>,
  host: Host,
  id: string,
  { session, address }: { session: string; address: string },
): Promise<boolean> {
  const rows = await within(host.database, { workspace: req.portal.workspace.id }, tx =>
    query(tx, {
      text: `update portal.client_payments set session = $3, address = $4
             where workspace_id = $1 and id = $2 and state = 'started' returning id`,
      values: [req.portal.workspace.id, id, session, address],
    }),
  )
  return rows.length > 0
}

const newPayment = (req: Request<any>, it: Omit<NewPayment, 'id' | 'at' | 'reference'>): NewPayment => ({
  ...it,
  id: uuid(),
  at: new Date(Math.floor(req.portal.now.getTime() / 1000) * 1000),
  reference: referenceOf(it.shares),
})

/** What a bank carries: the numbers of what is paid, as far as 140 characters go (EPC, unstructured remittance). */
function referenceOf(shares: Share[]): string {
  const all = shares.map(it => it.number).join(' ')
  return all.length <= 140 ? all : `${all.slice(0, 130).replace(/\S*$/, '')}+${shares.length}`
}

/** Keeps it before anybody can pay it; one person after the other, for each client. */
const keepStart = (req: Request<any>, it: NewPayment, anyway: boolean) =>
  runAction(
    req,
    async ({ tx }) => {
      const { workspace, customer } = req.portal
      await query(tx, {
        text: 'select pg_advisory_xact_lock(hashtextextended($1, 0))',
        values: [`portico pay ${workspace.id} ${customer.client.id}`],
      })
      if (!anyway && (await isBeingPaid(tx, req, it.shares))) throw new PaidBySomebody()
      if (it.provider !== 'transfer') await endUnsent(tx, req, it.shares)
      await addPayment(tx, { workspace: workspace.id, client: customer.client.id, person: customer.person }, it)
    },
    () => ({
      event: it.provider === 'transfer' ? 'pay.announced' : 'pay.started',
      subject: { id: it.id, number: it.shares.map(one => one.number).join(', '), total: it.amount },
    }),
  )

/** Whether a colleague is at a provider's page for one of these. */
async function isBeingPaid(tx: Parameters<typeof query>[0], req: Request<any>, shares: Share[]): Promise<boolean> {
  const { workspace, customer } = req.portal
  const rows = await query(tx, {
    text: `select from portal.client_payments p join portal.client_payment_shares s
             on s.workspace_id = p.workspace_id and s.payment_id = p.id
           where p.workspace_id = $1 and p.client_id = $2 and p.person_id <> $3 and p.state = 'started'
             and p.provider <> 'transfer' and p.started_at > portal.now() - interval '1 hour'
             and s.section || '/' || s.document_id = any($4) limit 1`,
    values: [workspace.id, customer.client.id, customer.person.id, shares.map(it => `${it.section}/${it.id}`)],
  })
  return rows.length > 0
}

/** Ends what the same person began at this moment, and was not sent to pay yet. */
const endUnsent = (
  tx: Parameters<typeof query>[0],
  { portal: { workspace, customer } }: Request<any>,
  shares: Share[],
) =>
  query(tx, {
    text: `update portal.client_payments p set state = 'cancelled', changed_at = portal.now()
           where p.workspace_id = $1 and p.client_id = $2 and p.person_id = $3 and p.state = 'started'
             and p.provider <> 'transfer' and p.session is null and ${paysOneOf}`,
    values: [workspace.id, customer.client.id, customer.person.id, shares.map(it => `${it.section}/${it.id}`)],
  })

/** SQL: `p` pays something of the documents `$4`. */
const paysOneOf = `exists (
  select from portal.client_payment_shares s where s.workspace_id = p.workspace_id
    and s.payment_id = p.id and s.section || '/' || s.document_id = any($4))`

/**
 * Ends what the same person began for one of these and did not finish, in another tab or an hour ago, so that it is not
 * paid twice. What was paid meanwhile is kept, and stops this one.
 */
async function endOwn(req: Request<any>, host: Host, shares: Share[], but: string | null = null) {
  const { workspace, customer } = req.portal
  const rows = await within(host.database, { workspace: workspace.id, client: customer.client.id }, tx =>
    query(tx, {
      text: `select ${paymentColumns} from portal.client_payments p
             where p.workspace_id = $1 and p.client_id = $2 and p.person_id = $3 and p.state = 'started'
               and p.session is not null and p.id is distinct from $5::uuid and ${paysOneOf}`,
      values: [workspace.id, customer.client.id, customer.person.id, shares.map(it => `${it.section}/${it.id}`), but],
    }),
  )
  for (const it of rows.map(paymentOf)) {
    const ended = await endPayment(host, workspace, it)
    if (ended?.state === 'started') throw new NotEnded()
    if (ended && ended.state !== 'cancelled') throw new AmountChanged()
  }
}

/** Ends one at its provider, and gives it as it stands then: it may have been paid. */
export async function endPayment(
  host: Host,
  place: { id: string; slug: string },
  it: KeptPayment,
): Promise<KeptPayment | undefined> {
  const online = await accessTo(host, place.id, it.provider)
  if (!online || !it.session) return it
  try {
    await online.provider.cancel(online.access, it.session)
    return await syncPayment(host, place, it.id)
  } catch (error) {
    if (error instanceof Unavailable) return it
    if (!(error instanceof Refused)) throw error
    // It was begun at another account.
    await cancelUnknown(host, place, it.id)
    return findPayment(host.database, { workspace: place.id }, it.id)
  }
}

/** Nobody was sent to pay it, so that nothing can arrive for it. */
const giveUp = (req: Request<any>, host: Host, id: string, failure: 'refused' | 'unavailable') =>
  within(host.database, { workspace: req.portal.workspace.id }, tx =>
    query(tx, {
      text: `update portal.client_payments set state = 'failed', failure = $3, changed_at = portal.now()
             where workspace_id = $1 and id = $2 and state = 'started' and session is null`,
      values: [req.portal.workspace.id, id, failure],
    }),
  )

async function requestOf(req: Request<any>, host: Host, it: NewPayment, settings: PaySettings): Promise<StartRequest> {
  const { workspace, customer, guest, t, language, url } = req.portal
  const { address } = coreHostOf(host)
  const base = address ? `${address}/${workspace.slug}` : `${req.protocol}://${req.get('host')}${url('')}`
  const back = base + url(`/pay/${it.id}`).slice(url('').length)
  const keepMethod = settings.keepMethod && !guest
  const customerId = keepMethod ? await customerOf(req, host, it.provider) : undefined
  return {
    id: it.id,
    workspace: workspace.slug,
    at: it.at,
    currency: it.amount.currency,
    shares: it.shares.map(({ section, number, title, amount }) => ({
      name: isDownPayment(host, section)
        ? t('Down payment for {number}', { number })
        : t('Invoice {number}', { number }),
      description: title,
      amount: amount.amount,
    })),
    fee: { name: t('Fee'), amount: Big(it.fee.amount).eq(0) ? '0' : it.fee.amount },
    reference: `${workspace.name} ${it.reference}`.slice(0, 200),
    payer: { email: customer.person.email || undefined, customer: customerId },
    keepMethod,
    language,
    returnTo: `${back}?returned`,
    cancelTo: `${back}?stopped`,
  }
}

async function customerOf({ portal }: Request<any>, { database }: Host, provider: string): Promise<string | undefined> {
  const { workspace, customer } = portal
  const [row] = await within(database, { workspace: workspace.id, client: customer.client.id }, tx =>
    query<{ customer: string }>(tx, {
      text: `select customer from portal.client_payment_customers
             where workspace_id = $1 and client_id = $2 and person_id = $3 and provider = $4`,
      values: [workspace.id, customer.client.id, customer.person.id, provider],
    }),
  )
  return row?.customer
}
