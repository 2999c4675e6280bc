import { join } from 'node:path'
import type { Knex } from 'knex'
import { z } from 'zod'
import type { Offer, Offers, Summary } from '../../plugins/_offers/port.ts'
import { Conflict, type Customer, fileUnder, keyOf, NotFound, page, query } from '../../src/index.ts'
import { account, addressee, amountLike, containing, idOf, line, lineColumns, money, taxes, totals } from './sql.ts'

/** The same things, as this CRM's two tables call them. */
const tables = {
  proposals: {
    table: 'proposals',
    title: 'title',
    state: 'state',
    sentOn: 'issued_on',
    owner: 'owner_id',
    intro: 'intro',
    terms: 'terms',
    respondedOn: 'answered_on',
    respondedBy: 'answered_by',
    note: 'answer_note',
    about: 'proposal',
    lines: 'proposal_lines',
    of: 'proposal_id',
    position: 'position',
    optional: 'is_optional',
    chosen: 'is_chosen',
    line: { group: 'group_title', title: 'title', quantity: 'qty', price: 'unit_price' },
    deposit: `'percent', trim_scale(nullif(p.deposit_percent, 0))::text`,
  },
  quotations: {
    table: 'quotations',
    title: 'subject',
    state: 'status',
    sentOn: 'quoted_on',
    owner: 'prepared_by',
    intro: 'opening',
    terms: 'conditions',
    respondedOn: 'decided_on',
    respondedBy: 'decided_by',
    note: 'decision_note',
    about: 'quotation',
    lines: 'quotation_lines',
    of: 'quotation_id',
    position: 'sort',
    optional: 'optional',
    chosen: 'chosen',
    line: { group: 'section', title: 'name', quantity: 'quantity', price: 'price' },
    deposit: `'amount', nullif(p.deposit_amount, 0)::text`,
  },
}
type Table = (typeof tables)[keyof typeof tables]

/**
 * Its offers, as this client may see them: no draft and nothing deleted. `$3` is today, `$4` the workspace's time zone.
 */
const mineOf = (it: Table) => `
  select p.id, p.ref_no, p.${it.title} as title, p.grand_total, p.currency_code, p.${it.sentOn} as issued_on,
         p.valid_until, (p.${it.respondedOn} at time zone $4)::date as answered_on, p.${it.owner} as owner_id,
         jsonb_strip_nulls(jsonb_build_object(${it.deposit})) as deposit,
         case p.${it.state} when 'accepted' then 'accepted' when 'rejected' then 'declined'
           when 'withdrawn' then 'withdrawn'
           else case when p.valid_until < $3::date then 'expired' else 'open' end end as status
  from public.${it.table} p
  where p.workspace_id::text = $1 and p.client_id = $2 and p.${it.state} <> 'draft' and p.deleted_at is null`

const summary = `
  d.id::text, d.ref_no as number, d.title, d.grand_total::text as total, d.currency_code as currency, d.status,
  d.issued_on::text as "sentOn", d.valid_until::text as "validUntil", d.answered_on::text as "respondedOn", d.deposit,
  (select s.full_name from public.staff s where s.id = d.owner_id) as owner`

/** Ascending by rank, then id, whatever the order means. */
const ranks = {
  urgent: `case d.status when 'open' then coalesce(d.valid_until, '2999-12-31') - date '2000-01-01'
           else 1000000 - (d.issued_on - date '2000-01-01') end`,
  newest: `- (d.issued_on - date '2000-01-01')`,
  amount: '- d.grand_total',
}

const After = z.tuple([z.string().regex(/^-?\d{1,14}(\.\d+)?$/), z.int32()])

/** What the statements of one customer's proposals or quotations have in common. */
interface Relation {
  kind: Kind
  /** The columns of its tables. */
  it: Table
  /** Of this client. */
  mine: string
  /** Attachments of an offer `p`. */
  shared: string
  /** Lines of an offer `p` that are part of its total. */
  counted: string
  /** `$1` to `$4`. */
  scope: readonly string[]
}
type Kind = keyof typeof tables
type Response = Parameters<NonNullable<Offers['respond']>>[1]

/** The port of proposals or quotations, for one customer. */
export function offers(db: Knex, customer: Customer, kind: Kind): Offers {
  const relation = relationOf(customer, kind)
  return {
    parts: true,
    list: filter => listOffers(db, relation, filter),
    overview: () => overview(db, relation),
    counts: search => countFound(db, relation, search),
    downPayments: asked => listDownPayments(db, relation, asked),
    find: id => findOffer(db, relation, id),
    attachment: (id, attachment) => readAttachment(db, relation, id, attachment),
    async respond(id, response) {
      await saveResponse(db, relation, id, response)
      if (response.selection?.lines.length) await saveSelection(db, relation.it, id, response.selection.lines)
    },
  }
}

function relationOf({ workspace, client, today }: Customer, kind: Kind): Relation {
  const it = tables[kind]
  return {
    kind,
    it,
    mine: mineOf(it),
    shared: `public.documents f
             where f.about_type = '${it.about}' and f.about_id = p.id and f.client_id = p.client_id and f.shared`,
    counted: `public.${it.lines} l where l.${it.of} = p.id and (not l.${it.optional} or l.${it.chosen})`,
    scope: [workspace.id, client.id, today, workspace.timeZone],
  }
}

async function listOffers(db: Knex, { kind, mine, scope }: Relation, filter: Parameters<Offers['list']>[0]) {
  const { status = null, search, sort, after, size } = filter
  const [rank, id] = keyOf(after, After) ?? [null, null]
  const rows = await query(db, {
    name: `crm.${kind}.${sort}`,
    text: `select ${summary}, (${ranks[sort]})::text as rank
           from (${mine}) d
           where ($5::text is null or d.status = $5)
             and (d.ref_no ilike $6 or d.title ilike $6 or d.grand_total::text like $7)
             and ($8::numeric is null or (${ranks[sort]}, -d.id) > ($8::numeric, -$9::int))
           order by ${ranks[sort]}, d.id desc limit $10`,
    values: [...scope, status, containing(search), amountLike(search), rank, id, size + 1],
  })
  const { items, next } = page(rows, size, row => [row.rank, Number(row.id)])
  return { items: items.map(offer), next }
}

async function listDownPayments(
  db: Knex,
  { kind, mine, scope }: Relation,
  { size, after }: Parameters<NonNullable<Offers['downPayments']>>[0],
) {
  const [rank, id] = keyOf(after, After) ?? [null, null]
  const rows = await query(db, {
    name: `crm.${kind}.deposits`,
    text: `select ${summary}, (${ranks.newest})::text as rank
           from (${mine}) d
           where d.status = 'accepted' and d.deposit <> '{}'
             and ($5::numeric is null or (${ranks.newest}, -d.id) > ($5::numeric, -$6::int))
           order by ${ranks.newest}, d.id desc limit $7`,
    values: [...scope, rank, id, size + 1],
  })
  const { items, next } = page(rows, size, row => [row.rank, Number(row.id)])
  return { items: items.map(offer), next }
}

async function overview(db: Knex, { kind, mine, scope }: Relation) {
  const [row] = await query(db, {
    name: `crm.${kind}.overview`,
    text: `with open as (select currency_code as currency, grand_total as total from (${mine}) o where o.status = 'open')
           select jsonb_build_object('all', ${few(mine)}, 'open', (select count(*) from open),
                    'accepted', ${few(mine, 'accepted')}, 'declined', ${few(mine, 'declined')},
                    'expired', ${few(mine, 'expired')}) as counts,
                  (select coalesce(jsonb_agg(jsonb_build_object('amount', amount::text, 'currency', currency)
                                             order by amount desc), '[]')
                   from (select currency, sum(total) as amount from open group by 1) sums) as waiting`,
    values: scope,
  })
  return row
}

/** `$5` and `$6` are what is searched. */
async function countFound(db: Knex, { kind, mine, scope }: Relation, search: string) {
  const found = `select * from (${mine}) d
    where d.ref_no ilike $5 or d.title ilike $5 or d.grand_total::text like $6`
  const [row] = await query(db, {
    name: `crm.${kind}.counts`,
    text: `select jsonb_build_object('all', ${few(found)}, 'open', ${few(found, 'open')},
             'accepted', ${few(found, 'accepted')}, 'declined', ${few(found, 'declined')},
             'expired', ${few(found, 'expired')}) as counts`,
    values: [...scope, containing(search), amountLike(search)],
  })
  return row.counts
}

/** Counting ends at 1,001. */
const few = (mine: string, status?: string) =>
  `(select count(*) from (select from (${mine}) d ${status ? `where d.status = '${status}'` : ''} limit 1001) few)`

async function findOffer(db: Knex, relation: Relation, id: string): Promise<Offer> {
  const [row] = await query(db, {
    name: `crm.${relation.kind}.one`,
    text: offerSql(relation),
    values: [...relation.scope, idOf(id)],
  })
  if (!row) throw new NotFound()
  return {
    ...offer(row),
    version: row.version,
    to: row.to,
    intro: row.intro,
    terms: row.terms,
    lines: row.lines.map((it: any) => line(it, row.currency)),
    sums: totals(row),
    attachments: row.attachments,
    respondedBy: row.answered_by,
    responseNote: row.answer_note,
    account: row.account,
  }
}

/** `$5` is its id. */
const offerSql = ({ it, mine, shared, counted }: Relation) => `
  select ${summary}, p.version, p.${it.intro} as intro, p.${it.terms} as terms,
    p.${it.respondedBy} as answered_by, p.${it.note} as answer_note,
    trim_scale(p.discount_pct)::text as discount, p.net_total::text as net,
    (select coalesce(sum(line_total), 0) - p.net_total from ${counted})::text as taken_off,
    ${addressee}, ${account} as account,
    (select coalesce(jsonb_agg(jsonb_build_object(${lineColumns(it.line)}, 'id', l.id::text,
                               'tax', trim_scale(l.tax_pct)::text, 'optional', l.${it.optional},
                               'chosen', l.${it.chosen}) order by l.${it.position}), '[]')
     from public.${it.lines} l where l.${it.of} = p.id) as lines,
    (select coalesce(jsonb_agg(jsonb_build_object('id', f.id::text, 'name', f.file_name, 'type', f.mime,
                               'size', f.size_bytes) order by f.id), '[]') from ${shared}) as attachments,
    ${taxes(counted)}
  from (${mine}) d join public.${it.table} p on p.id = d.id join public.clients c on c.id = p.client_id
  where d.id = $5`

async function readAttachment(db: Knex, relation: Relation, id: string, attachment: string) {
  const { kind, it, mine, shared, scope } = relation
  const [row] = await query(db, {
    name: `crm.${kind}.attachment`,
    text: `select f.storage_key as key
           from (${mine}) d join public.${it.table} p on p.id = d.id, ${shared} and d.id = $5 and f.id = $6`,
    values: [...scope, idOf(id), idOf(attachment)],
  })
  if (!row) throw new NotFound()
  const bytes = await fileUnder(join(import.meta.dirname, '../crm/storage'), row.key)
  if (!bytes) throw new NotFound()
  return bytes
}

/** Throws Conflict where it cannot be answered any more, or is another version by now. */
async function saveResponse(db: Knex, { kind, it, mine, scope }: Relation, id: string, response: Response) {
  const { act, version, at, by, selection } = response
  const [row] = await query(db, {
    name: `crm.${kind}.respond`,
    text: `update public.${it.table} p
           set ${it.state} = $6, ${it.respondedOn} = $7, ${it.respondedBy} = $8, ${it.note} = $9,
               net_total = coalesce($10, net_total), tax_total = coalesce($11::numeric - $10::numeric, tax_total),
               grand_total = coalesce($11, grand_total)
           where p.id = $5 and p.version = $12 and p.id in (select d.id from (${mine}) d where d.status = 'open')
             and p.${it.state} = 'sent' returning p.id`,
    values: [
      ...scope,
      idOf(id),
      act === 'accepted' ? 'accepted' : 'rejected',
      at,
      by.name.slice(0, 160),
      noteOf(response),
      selection?.sums.net.amount,
      selection?.sums.total.amount,
      version,
    ],
  })
  if (!row) throw new Conflict()
}

function noteOf({ reason, orderNumber, requestedOn }: Response): string | null {
  const parts = [reason, orderNumber && `Order ${orderNumber}`, requestedOn && `Wished by ${requestedOn}`]
  return parts.filter(Boolean).join('. ') || null
}

const saveSelection = (db: Knex, it: Table, id: string, lines: NonNullable<Response['selection']>['lines']) =>
  query(db, {
    name: `crm.${it.table}.choose`,
    text: `update public.${it.lines} l
           set ${it.optional} = true, ${it.chosen} = c.chosen, ${it.line.quantity} = c.quantity::numeric,
               line_total = c.total::numeric
           from jsonb_to_recordset($2::jsonb) as c(id integer, chosen boolean, quantity text, total text)
           where l.${it.of} = $1 and l.id = c.id`,
    values: [idOf(id), JSON.stringify(lines.map(one => ({ ...one, total: one.total.amount })))],
  })

const offer = (row: any): Summary => ({
  id: row.id,
  number: row.number,
  title: row.title,
  total: money(row.total, row.currency),
  status: row.status,
  sentOn: row.sentOn,
  validUntil: row.validUntil,
  respondedOn: row.respondedOn,
  owner: row.owner,
  ...downPayment(row),
})

function downPayment({ deposit, currency }: any): Pick<Summary, 'downPayment'> {
  if (deposit.percent) return { downPayment: { percent: deposit.percent } }
  return deposit.amount ? { downPayment: { amount: money(deposit.amount, currency) } } : {}
}
