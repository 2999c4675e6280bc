import type { Knex } from 'knex'
import { type Desk, log } from '../desk.ts'
import { lineTotal } from '../money.ts'
import { type PaperForm, pricedLine, totalsOf } from './form.ts'
import type { Kind } from './kinds.ts'
import type { Paper } from './read.ts'

export async function createPaper(desk: Desk, kind: Kind, form: PaperForm): Promise<number> {
  return desk.database.transaction(async transaction => {
    const ref = await nextRef(transaction, desk, kind)
    const [row] = await transaction(kind.path)
      .insert({
        ...headerOf(kind, form),
        workspace_id: desk.workspaceId,
        ref_no: ref,
        [kind.columns.owner]: desk.staff.id,
      })
      .returning('id')
    await writeLines(transaction, kind, row.id, form)
    await log(transaction, desk, form.client, `Wrote ${kind.one.toLowerCase()} ${ref}`)
    return row.id
  })
}

export async function updatePaper(desk: Desk, kind: Kind, paper: Paper, form: PaperForm): Promise<void> {
  await desk.database.transaction(async transaction => {
    const revised = paper.state === 'sent' ? { version: (paper.version ?? 0) + 1 } : {}
    const changed = await transaction(kind.path)
      .where('id', paper.id)
      .whereIn(kind.columns.state, kind.editable)
      .update({ ...headerOf(kind, form), ...revised })
    if (!changed) return
    await writeLines(transaction, kind, paper.id, form)
    await log(transaction, desk, form.client, `Changed ${kind.one.toLowerCase()} ${paper.ref}`)
  })
}

export async function sendPaper(desk: Desk, kind: Kind, paper: Paper): Promise<void> {
  const { database, today } = desk
  const { state, issued, end } = kind.columns
  const days = kind.offer ? 30 : database('clients').where('id', paper.clientId).select('payment_days')
  await database(kind.path)
    .where({ id: paper.id, [state]: 'draft' })
    .update({
      [state]: kind.offer ? 'sent' : database.raw(`case when balance = 0 then 'paid' else 'sent' end`),
      [issued]: today,
      [end]: database.raw(`greatest(coalesce(??, ?::date + (?)::integer), ?::date)`, [end, today, days, today]),
    })
  await log(database, desk, paper.clientId, `Sent ${kind.one.toLowerCase()} ${paper.ref}`)
}

export async function withdrawPaper(desk: Desk, kind: Kind, paper: Paper): Promise<void> {
  const { state } = kind.columns
  await desk
    .database(kind.path)
    .where({ id: paper.id, [state]: 'sent' })
    .update({ [state]: 'withdrawn' })
  await log(desk.database, desk, paper.clientId, `Withdrew ${kind.one.toLowerCase()} ${paper.ref}`)
}

export async function deletePaper(desk: Desk, kind: Kind, paper: Paper): Promise<void> {
  const { database } = desk
  await database(kind.path).where({ id: paper.id }).update({ deleted_at: database.fn.now() })
  await log(database, desk, paper.clientId, `Deleted ${kind.one.toLowerCase()} ${paper.ref}`)
}

function headerOf(kind: Kind, form: PaperForm) {
  const sum = totalsOf(form)
  return {
    client_id: form.client,
    contact_id: form.contact,
    [kind.columns.title]: form.title,
    [kind.columns.end]: form.end,
    [kind.columns.intro]: form.intro || null,
    [kind.columns.terms]: form.terms || null,
    currency_code: form.currency,
    discount_pct: form.discount,
    net_total: sum.net,
    tax_total: sum.tax,
    grand_total: sum.gross,
    ...(kind.offer ? {} : { balance: sum.gross }),
  }
}

async function writeLines(transaction: Knex, kind: Kind, id: number, form: PaperForm): Promise<void> {
  const { table, parent, position, group, title, quantity, price, optional, chosen } = kind.lines
  await transaction(table).where(parent, id).delete()
  await transaction(table).insert(
    form.lines.map((line, index) => ({
      [parent]: id,
      [position]: index + 1,
      [group]: line.group || null,
      [title]: line.title,
      details: line.details || null,
      [quantity]: line.quantity,
      unit: line.unit || null,
      [price]: line.price,
      discount_pct: line.discount,
      tax_pct: line.tax,
      line_total: lineTotal(pricedLine(line)),
      ...(optional ? { [optional]: line.optional } : {}),
      ...(chosen ? { [chosen]: !line.optional || line.chosen } : {}),
    })),
  )
}

async function nextRef(transaction: Knex, desk: Desk, kind: Kind): Promise<string> {
  await transaction('workspaces').where('id', desk.workspaceId).forUpdate().first('id')
  const start = `${kind.prefix}${desk.today.slice(0, 4)}-`
  const row = await transaction(kind.path)
    .where('workspace_id', desk.workspaceId)
    .whereRaw(`ref_no ~ ?`, [`^${start}[0-9]+$`])
    .first(transaction.raw('max(substring(ref_no from ?)::integer) as last', [`[0-9]+$`]))
  return `${start}${String((row?.last ?? 0) + 1).padStart(kind.offer ? 3 : 4, '0')}`
}
