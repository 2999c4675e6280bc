import type { IncomingMessage } from 'node:http'
import Big from 'big.js'
import type { Knex } from 'knex'
import type { Answer } from '../serving.ts'

interface Body {
  arrayofamounts: Record<string, { amount: string; multicurrency_amount: string }>
  datepaye: string
  paymentid: number
  accountid: number
  closepaidinvoices: 'yes' | 'no'
  num_payment: string
  ref_ext: string
}

export const dolibarrKey = 'a key of Dolibarr'

/**
 * Answers as Dolibarr's `Invoices::addPaymentDistributed` and `Paiement::create` do, and does to the rows what they do.
 * `fail` says how it fails from now on: before it does anything (a status), or after it (`lost`: nobody hears of it).
 */
export function dolibarrApi(owner: () => Knex) {
  const heard: Body[] = []
  let failing: number | 'lost' | undefined
  const answer = async (request: IncomingMessage, body: Body): Promise<Answer> => {
    if (request.headers.dolapikey !== dolibarrKey) return refusal(401, 'Unauthorized: Access denied')
    if (request.url !== '/api/index.php/invoices/paymentsdistributed') return refusal(404, 'Not Found')
    if (typeof failing === 'number') return failing
    heard.push(body)
    const id = await owner().transaction(tx => created(tx, body))
    if (failing === 'lost') return 0
    return typeof id === 'string' ? refusal(400, `Bad Request: ${id}`) : { status: 200, json: id }
  }
  return {
    heard,
    answer,
    fail(how: number | 'lost' | undefined) {
      failing = how
    },
  }
}

const refusal = (code: number, message: string) => ({ status: code, json: { error: { code, message } } })

/** The payment's id, or why there is none. It looks at what is left, and not at the status. */
async function created(tx: Knex, body: Body): Promise<number | string> {
  const shares = Object.entries(body.arrayofamounts)
  for (const [invoice, { amount, multicurrency_amount: foreign }] of shares) {
    if (amount && foreign) return `Payment in both currency ${invoice}`
    const left = await leftOf(tx, invoice)
    if (Big(amount || foreign).gt(left))
      return `Payment amount on invoice ID ${invoice} (${amount || foreign}) is higher than remain to pay (${left})`
  }
  if (!body.accountid) return 'Account ID is mandatory'
  const [payment] = await tx('llx_paiement')
    .insert({
      ...{ datep: body.datepaye, fk_paiement: body.paymentid, num_paiement: body.num_payment, ref_ext: body.ref_ext },
    })
    .returning('rowid')
  for (const [invoice, its] of shares)
    await shareOut(tx, payment.rowid, invoice, its.amount || its.multicurrency_amount)
  return payment.rowid
}

async function shareOut(tx: Knex, payment: number, invoice: string, amount: string) {
  await tx('llx_paiement_facture').insert({
    ...{ fk_paiement: payment, fk_facture: Number(invoice), multicurrency_amount: amount },
  })
  if (Big(await leftOf(tx, invoice)).eq(0)) await tx('llx_facture').where({ rowid: invoice }).update({ fk_statut: 2 })
}

async function leftOf(tx: Knex, invoice: string): Promise<string> {
  const { total } = await tx('llx_facture').where({ rowid: invoice }).first('multicurrency_total_ttc as total')
  const paid = await tx('llx_paiement_facture')
    .where({ fk_facture: invoice })
    .sum('multicurrency_amount as sum')
    .first()
  const credited = await tx('llx_societe_remise_except')
    .where({ fk_facture: invoice })
    .sum('multicurrency_amount_ttc as sum')
    .first()
  return Big(total)
    .minus(paid?.sum ?? 0)
    .minus(credited?.sum ?? 0)
    .toFixed(2)
}

/** With payments recorded by the API at this address; the returned function takes it back. */
export function pointDolibarrTo(url: string, key = dolibarrKey): () => void {
  const names = { DOLIBARR_URL: url, DOLIBARR_API_KEY: key, DOLIBARR_BANK_ACCOUNT: '3' }
  Object.assign(process.env, names)
  return () => {
    for (const name of Object.keys(names)) delete process.env[name]
  }
}
