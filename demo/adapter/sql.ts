import type { Line, Money, Totals } from '../../src/index.ts'

/** Our ids are integers: any other text is the id of nothing. */
export const idOf = (id: string) => (/^[1-9]\d{0,8}$/.test(id) ? Number(id) : 0)

/** `%` and `_` are letters here. */
export const containing = (search = '') => `%${search.replace(/[\\%_]/g, '\\$&')}%`

/** "1,200.50" and "1200,50" are meant as 1200.50: an amount is found by how it begins. */
export const amountLike = (search = '') => {
  const typed = search.replace(/[^\d.,]/g, '')
  const plain = typed.replace(/[.,](?=\d{3}(\D|$))/g, '').replace(',', '.')
  return /^\d+(\.\d*)?$/.test(plain) ? `${plain}%` : ''
}

export const money = (amount: string, currency: string): Money => ({ amount, currency })

interface LineRow {
  id?: string
  tax?: string
  group: string | null
  title: string
  details: string | null
  quantity: string
  unit: string | null
  price: string
  discount: string
  total: string
  optional?: boolean
  chosen?: boolean
}

export const line = (row: LineRow, currency: string): Line => ({
  ...(row.id ? { id: row.id, tax: row.tax } : {}),
  group: row.group,
  title: row.title,
  details: row.details,
  quantity: row.quantity,
  unit: row.unit,
  price: money(row.price, currency),
  discount: Number(row.discount) ? row.discount : null,
  total: money(row.total, currency),
  optional: row.optional ?? false,
  chosen: row.chosen ?? true,
})

interface SumsRow {
  currency: string
  discount: string | null
  taken_off: string
  net: string
  taxes: { percent: string; amount: string }[]
  total: string
}

export const totals = (row: SumsRow): Totals => ({
  discount:
    row.discount && Number(row.discount) ? { percent: row.discount, amount: money(row.taken_off, row.currency) } : null,
  net: money(row.net, row.currency),
  taxes: row.taxes.map(it => ({ percent: it.percent, amount: money(it.amount, row.currency) })),
  total: money(row.total, row.currency),
})

/**
 * Of a document `p`: the tax of each rate, on what the document's own discount leaves, with as many decimals as the total
 * has. `lines` says which count.
 */
export const taxes = (lines: string) => `
  (select coalesce(jsonb_agg(jsonb_build_object('percent', trim_scale(tax_pct)::text, 'amount', amount::text)
                             order by tax_pct desc), '[]')
   from (select l.tax_pct,
                round(round(sum(l.line_total) * (1 - coalesce(p.discount_pct, 0) / 100), scale(p.grand_total))
                      * l.tax_pct / 100, scale(p.grand_total)) as amount
         from ${lines} group by l.tax_pct) rates where tax_pct > 0) as taxes`

/** Where to pay for a document `p`: null where the workspace has no bank account. */
export const account = `
  (select jsonb_build_object('holder', w.legal_name, 'bank', w.bank_name, 'iban', w.iban, 'number', w.account_no,
     'code', w.bank_code, 'bic', w.bic, 'reference', p.ref_no)
   from public.workspaces w
   where w.id = p.workspace_id and coalesce(w.iban, w.account_no) is not null)`

/** Of a document `p` of client `c`: who it is addressed to. */
export const addressee = `
  array_remove(array[
    coalesce(c.legal_name, c.company_name),
    (select t.first_name || ' ' || t.last_name from public.contacts t where t.id = p.contact_id),
    c.address_line1, c.address_line2, c.postcode || ' ' || c.city], null) as "to"`

/** What kinds of lines have in common, for jsonb_build_object; their names differ. */
export const lineColumns = (its: { group: string; title: string; quantity: string; price: string }) => `
  'group', l.${its.group}, 'title', l.${its.title}, 'details', l.details, 'quantity', trim_scale(l.${its.quantity})::text,
  'unit', l.unit, 'price', trim_scale(l.${its.price})::text, 'discount', trim_scale(l.discount_pct)::text,
  'total', l.line_total::text`
