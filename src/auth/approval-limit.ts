import type { Request } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import type { Role } from '../crm/crm.ts'
import type { RequestContext } from '../http/context.ts'
import { Conflict, Invalid } from '../http/errors.ts'
import { read } from '../http/forms.ts'
import { recordEventIn } from '../platform/activity.ts'
import { above, decimals, decimalsOf, Money } from '../platform/money.ts'
import { replaceSetting } from '../plugin/stored-settings.ts'
import type { SettingRow } from '../plugin/toggles.ts'

/**
 * The highest total that a person may accept, as `10000.00 EUR`: a settings row of a client or of one of its people.
 * The most specific row applies. A client's admins have a limit only if they were given their own.
 */
export const limitName = 'limit'

/** Parses a stored amount; null if there is none. */
export const moneyIn = (text: string | null | undefined): Money | null => {
  const [amount, currency] = text?.split(' ') ?? []
  return text ? Money.parse({ amount, currency }) : null
}

export function limitIn(rows: SettingRow[], client: string, person: string, role: Role): Money | null {
  const at = (whose: string) => rows.find(([c, p, name]) => c === client && p === whose && name === limitName)?.[3]
  return moneyIn((at(person) ?? (role === 'admin' ? null : at(''))) as string | null)
}

/** Whether this total is above the limit of the signed-in user. */
export function isAboveLimit(
  { total }: { total: Money },
  { user, customer }: Pick<RequestContext, 'user' | 'customer'>,
) {
  const limit = limitIn(user?.settings ?? [], customer.client.id, customer.person.id, customer.role)
  return limit && above(total, limit) ? limit : null
}

/** The limit of a membership `m`, in SQL. */
export const limitSql = `coalesce(${limitOfSql('m.person_id::text')}, case when m.role <> 'admin' then ${limitOfSql(`''`)} end)`

function limitOfSql(person: string) {
  return `(select t.value #>> '{}' from portal.client_portal_settings t where t.workspace_id = m.workspace_id
           and t.client_id = m.client_id and t.person_id = ${person} and t.name = '${limitName}')`
}

export class AboveLimit extends Conflict {
  status = 403
  code = 'above-limit'
  message = 'This is above your limit.'
  advice = 'A colleague with a higher limit can accept it.'
}

const currencies = Intl.supportedValuesOf('currency')

/** The form of views/limit.ejs; an empty amount removes the limit. */
const Form = z
  .object({
    amount: z.string('Enter an amount in digits, like 10000 or 10000.50.').trim().default(''),
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
    if (!whole) return wrong('amount', 'Enter an amount in digits, like 10000 or 10000.50.')
    if (whole.length > 12) return wrong('amount', 'Enter a smaller amount: at most 12 digits before the decimals.')
    if (!currencies.includes(currency)) return wrong('currency', 'Choose the currency.')
    const workspaces = decimalsOf(currency)
    const exact = fraction ? `${whole}.${fraction}` : whole
    if (decimals(exact) > workspaces) return wrong('amount', 'This currency doesn’t have that many decimals.')
    return { was, after: `${whole}${workspaces ? `.${(fraction ?? '').padEnd(workspaces, '0')}` : ''} ${currency}` }
  })

interface LimitOwner {
  client: string
  person: string
  /** The name shown in the activity log. */
  name: string
}

/** Saves the limit from a form and logs it. Throws Invalid, and Conflict if somebody else changed it meanwhile. */
export async function saveLimit(tx: Knex, req: Request<any>, { client, person, name }: LimitOwner) {
  const { was, after } = read(Form, req)
  // A request without the `was` field is not our form and changes nothing.
  if (was === undefined || was === after) return
  const { workspace, staff, customer } = req.portal
  const by = staff?.name ?? customer.person.name
  const key = { workspace: workspace.id, client, person, name: limitName }
  await replaceSetting(tx, key, was || undefined, after || undefined, by)
  await recordEventIn(tx, req, {
    event: 'team.limited',
    subject: { id: person, name, before: moneyIn(was) ?? 'none', after: moneyIn(after) ?? 'none' },
    ...(staff && { actor: { kind: 'staff', id: staff.id, name: staff.name, client } }),
  })
}

/** The variables of views/limit.ejs for a stored value. */
export const limitForm = (context: Pick<RequestContext, 'problem' | 'body' | 'locale'>, was = '') => {
  const typed = context.problem instanceof Invalid ? Object(context.body) : {}
  const names = new Intl.DisplayNames(context.locale, { type: 'currency' })
  const [amount = '', currency = ''] = was.split(' ')
  return {
    was,
    amount: String(typed.amount ?? amount),
    currency: String(typed.currency ?? currency),
    currencies: currencies.map(it => [it, names.of(it)] as const),
  }
}
