import type { Request } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { note } from '../activity.ts'
import type { RequestContext } from '../context.ts'
import type { Role } from '../crm.ts'
import { Conflict, Invalid } from '../errors.ts'
import { read } from '../form.ts'
import { above, decimals, decimalsOf, Money } from '../money.ts'
import { swap } from '../settings/store.ts'
import type { Row } from '../settings/toggles.ts'

/**
 * Up to which total somebody may accept: a row of the settings, at a client or at one of its people, as `10000.00 EUR`.
 * The closest row decides; a client's admins have a limit only where one of their own was given.
 */
export const limitName = 'limit'

/** Null where there is none. */
export const moneyIn = (text: string | null | undefined): Money | null => {
  const [amount, currency] = text?.split(' ') ?? []
  return text ? Money.parse({ amount, currency }) : null
}

export function limitIn(rows: Row[], client: string, person: string, role: Role): Money | null {
  const at = (whose: string) => rows.find(([c, p, name]) => c === client && p === whose && name === limitName)?.[3]
  return moneyIn((at(person) ?? (role === 'admin' ? null : at(''))) as string | null)
}

/** Of whoever asks, where this is more than they may accept. */
export function over({ total }: { total: Money }, { visitor, customer }: Pick<RequestContext, 'visitor' | 'customer'>) {
  const limit = limitIn(visitor?.settings ?? [], customer.client.id, customer.person.id, customer.role)
  return limit && above(total, limit) ? limit : null
}

/** The same in SQL, of a membership `m`. */
export const limitSql = `coalesce(${at('m.person_id::text')}, case when m.role <> 'admin' then ${at(`''`)} end)`

function at(person: string) {
  return `(select t.value #>> '{}' from portal.client_portal_settings t where t.workspace_id = m.workspace_id
           and t.client_id = m.client_id and t.person_id = ${person} and t.name = '${limitName}')`
}

export class AboveLimit extends Conflict {
  status = 403
  code = 'above-limit'
  message = 'This is above what you may accept.'
  advice = 'Ask somebody of your company who may accept more.'
}

const currencies = Intl.supportedValuesOf('currency')

/** What views/limit.ejs asks; an empty amount means none. */
const Form = z
  .object({
    amount: z.string('Type an amount in digits, like 10000 or 10000.50.').trim().default(''),
    currency: z.string('Choose the currency.').default(''),
    'was.limit': z.string().optional(),
  })
  .transform(({ amount, currency, 'was.limit': was }, { addIssue }) => {
    const wrong = (field: string, message: string) => {
      addIssue({ code: 'custom', path: [field], message })
      return z.NEVER
    }
    if (!amount) return { was, after: '' }
    const [, whole, fraction] = /^0*(\d+)(?:[.,](\d+))?$/.exec(amount) ?? []
    if (!whole) return wrong('amount', 'Type an amount in digits, like 10000 or 10000.50.')
    if (whole.length > 12) return wrong('amount', 'Type a smaller amount: at most 12 digits before the decimals.')
    if (!currencies.includes(currency)) return wrong('currency', 'Choose the currency.')
    const places = decimalsOf(currency)
    const exact = fraction ? `${whole}.${fraction}` : whole
    if (decimals(exact) > places) return wrong('amount', 'Type no more decimals than this currency has.')
    return { was, after: `${whole}${places ? `.${(fraction ?? '').padEnd(places, '0')}` : ''} ${currency}` }
  })

interface Whose {
  client: string
  person: string
  /** As it is said in the activity. */
  name: string
}

/** As a form asks for it, with a row of activity. Throws Invalid, and Conflict where somebody else was quicker. */
export async function saveLimit(tx: Knex, req: Request<any>, { client, person, name }: Whose) {
  const { was, after } = read(Form, req)
  // A form without it is none of ours: nothing is meant by it.
  if (was === undefined || was === after) return
  const { workspace, staff, customer } = req.portal
  const by = staff?.name ?? customer.person.name
  const key = { workspace: workspace.id, client, person, name: limitName }
  await swap(tx, key, was || undefined, after || undefined, by)
  await note(tx, req, {
    event: 'team.limited',
    subject: { id: person, name, before: was || 'none', after: after || 'none' },
    ...(staff && { actor: { kind: 'staff', id: staff.id, name: staff.name, client } }),
  })
}

/** What views/limit.ejs needs, of a row's value. */
export const limitForm = (visit: Pick<RequestContext, 'problem' | 'body' | 'locale'>, was = '') => {
  const typed = visit.problem instanceof Invalid ? Object(visit.body) : {}
  const names = new Intl.DisplayNames(visit.locale, { type: 'currency' })
  const [amount = '', currency = ''] = was.split(' ')
  return {
    was,
    amount: String(typed.amount ?? amount),
    currency: String(typed.currency ?? currency),
    currencies: currencies.map(it => [it, names.of(it)] as const),
  }
}
