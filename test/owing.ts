import { type Copy, close, fresh } from './database.ts'
import { mailed, nine, round, set } from './reminders.ts'

/** Invoices of the Acme Bakery: €3,872.00 and €181.50. */
export const [late, next] = ['2026-0112', '2026-0119']

const copies: Copy[] = []

/** Ends the copies that `owing` made. */
export const closeOwing = async () => {
  await Promise.all(copies.splice(0).map(close))
}

/**
 * Where only the Acme Bakery has something to pay near today, one that is due in three days unless it is said otherwise, and
 * reminders are on.
 */
export async function owing(
  dues: Record<string, string> = { [next]: '2026-11-24' },
  moments = '-3 0 +7',
  on?: Copy,
): Promise<Copy> {
  const copy = on ?? (await fresh())
  if (!on) copies.push(copy)
  await copy.owner('invoices').where('balance', '>', 0).update({ issued_on: '2026-01-01', due_on: '2026-05-01' })
  for (const [ref_no, due_on] of Object.entries(dues)) await change(copy, { due_on }, ref_no)
  await set(copy, 'reminders.payments', moments)
  return copy
}

/** Changes an invoice of the first workspace. */
export const change = ({ owner }: Copy, changes: object, ref_no = next) =>
  owner('invoices').where({ ref_no, workspace_id: 1 }).update(changes)

export const paymentMails = (copy: Copy) => mailed(copy, ['reminders.due', 'reminders.overdue'])

/** Of the mails about payments those that this round adds. */
export async function toldBy(copy: Copy, at = nine, going: Parameters<typeof round>[1] = {}) {
  const known = new Set((await paymentMails(copy)).map(it => it.id))
  await round(copy, { at, ...going })
  return (await paymentMails(copy)).filter(it => !known.has(it.id))
}
