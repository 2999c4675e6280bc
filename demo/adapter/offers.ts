import { join } from 'node:path'
import type { Knex } from 'knex'
import { z } from 'zod'
import { Conflict, type Customer, fileUnder, keyOf, NotFound, page, query } from '../../src/index.ts'
import type { Offers, Summary } from '../../src/offer/port.ts'
import { addressee, amountLike, containing, idOf, line, lineColumns, money, sums, taxes } from './sql.ts'

/** The same things, as this CRM's two tables call them. */
const tables = {
  proposals: {
    ...{ table: 'proposals', title: 'title', state: 'state', sentOn: 'issued_on', owner: 'owner_id' },
    ...{ intro: 'intro', terms: 'terms', answeredOn: 'answered_on', answeredBy: 'answered_by', note: 'answer_note' },
    ...{
      about: 'proposal',
      lines: 'proposal_lines',
      of: 'proposal_id',
      position: 'position',
      optional: 'is_optional',
      chosen: 'is_chosen',
    },
    line: { group: 'group_title', title: 'title', quantity: 'qty', price: 'unit_price' },
  },
  quotations: {
    ...{ table: 'quotations', title: 'subject', state: 'status', sentOn: 'quoted_on', owner: 'prepared_by' },
    ...{
      intro: 'opening',
      terms: 'conditions',
      answeredOn: 'decided_on',
      answeredBy: 'decided_by',
      note: 'decision_note',
    },
    about: 'quotation',
    ...{ lines: 'quotation_lines', of: 'quotation_id', position: 'sort', optional: 'optional', chosen: 'chosen' },
    line: { group: 'section', title: 'name', quantity: 'quantity', price: 'price' },
  },
}
type Table = (typeof tables)[keyof typeof tables]

/** What is said of every one, to this client: no draft and nothing deleted. `$3` is today, `$4` the workspace's time zone. */
const mineOf = (it: Table) => `
  select p.id, p.ref_no, p.${it.title} as title, p.grand_total, p.currency_code, p.${it.sentOn} as issued_on, p.valid_until,
         (p.${it.answeredOn} at time zone $4)::date as answered_on, p.${it.owner} as owner_id,
         case p.${it.state} when 'accepted' then 'accepted' when 'rejected' then 'declined' when 'withdrawn' then 'withdrawn'
           else case when p.valid_until < $3::date then 'expired' else 'open' end end as status
  from public.${it.table} p
  where p.workspace_id::text = $1 and p.client_id = $2 and p.${it.state} <> 'draft' and p.deleted_at is null`

const summary = `
  d.id::text, d.ref_no as number, d.title, d.grand_total::text as total, d.currency_code as currency, d.status,
  d.issued_on::text as "sentOn", d.valid_until::text as "validUntil", d.answered_on::text as "answeredOn",
  (select s.full_name from public.staff s where s.id = d.owner_id) as owner`

/** Ascending by rank, then id, whatever the order means. */
const ranks = {
  urgent: `case d.status when 'open' then coalesce(d.valid_until, '2999-12-31') - date '2000-01-01'
           else 1000000 - (d.issued_on - date '2000-01-01') end`,
  newest: `- (d.issued_on - date '2000-01-01')`,
  amount: '- d.grand_total',
}

const After = z.tuple([z.string().regex(/^-?\d{1,14}(\.\d+)?$/), z.int32()])

export function offers(db: Knex, { workspace, client, today }: Customer, kind: keyof typeof tables): Offers {
  const it = tables[kind]
  const mine = mineOf(it)
  const shared = `public.documents f where f.about_type = '${it.about}' and f.about_id = p.id and f.client_id = p.client_id and f.shared`
  const counted = `public.${it.lines} l where l.${it.of} = p.id and (not l.${it.optional} or l.${it.chosen})`
  const scope = [workspace.id, client.id, today, workspace.timeZone]

  return {
    parts: true,

    async list({ status = null, search, sort, after, size }) {
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
    },

    async overview() {
      const [row] = await query(db, {
        name: `crm.${kind}.overview`,
        text: `with d as (select * from (${mine}) d limit 1001)
               select jsonb_build_object('all', count(*), 'open', count(*) filter (where status = 'open'),
                        'accepted', count(*) filter (where status = 'accepted'),
                        'declined', count(*) filter (where status = 'declined'),
                        'expired', count(*) filter (where status = 'expired')) as counts,
                      (select coalesce(jsonb_agg(jsonb_build_object('amount', amount::text, 'currency', currency) order by amount desc), '[]')
                       from (select currency_code as currency, sum(grand_total) as amount
                             from (${mine}) o where o.status = 'open' group by 1) sums) as waiting
               from d`,
        values: scope,
      })
      return row
    },

    async find(id) {
      const [row] = await query(db, {
        name: `crm.${kind}.one`,
        text: `select ${summary}, p.version, p.${it.intro} as intro, p.${it.terms} as terms,
                 p.${it.answeredBy} as answered_by, p.${it.note} as answer_note,
                 trim_scale(p.discount_pct)::text as discount, p.net_total::text as net,
                 (select coalesce(sum(line_total), 0) - p.net_total from ${counted})::text as taken_off,
                 ${addressee},
                 (select coalesce(jsonb_agg(jsonb_build_object(${lineColumns(it.line)}, 'id', l.id::text,
                                            'tax', trim_scale(l.tax_pct)::text, 'optional', l.${it.optional},
                                            'chosen', l.${it.chosen}) order by l.${it.position}), '[]')
                  from public.${it.lines} l where l.${it.of} = p.id) as lines,
                 (select coalesce(jsonb_agg(jsonb_build_object('id', f.id::text, 'name', f.file_name, 'type', f.mime,
                                            'size', f.size_bytes) order by f.id), '[]') from ${shared}) as attachments,
                 ${taxes(counted)}
               from (${mine}) d join public.${it.table} p on p.id = d.id join public.clients c on c.id = p.client_id
               where d.id = $5`,
        values: [...scope, idOf(id)],
      })
      if (!row) throw new NotFound()
      return {
        ...offer(row),
        version: row.version,
        to: row.to,
        intro: row.intro,
        terms: row.terms,
        lines: row.lines.map((it: any) => line(it, row.currency)),
        sums: sums(row),
        attachments: row.attachments,
        answeredBy: row.answered_by,
        answerNote: row.answer_note,
      }
    },

    async attachment(id, attachment) {
      const [row] = await query(db, {
        name: `crm.${kind}.attachment`,
        text: `select f.storage_key as key from (${mine}) d join public.${it.table} p on p.id = d.id, ${shared} and d.id = $5 and f.id = $6`,
        values: [...scope, idOf(id), idOf(attachment)],
      })
      if (!row) throw new NotFound()
      const bytes = await fileUnder(join(import.meta.dirname, '../crm/storage'), row.key)
      if (!bytes) throw new NotFound()
      return bytes
    },

    async answer(id, { act, version, at, by, reason, orderNumber, wishedOn, choice }) {
      const note = [reason, orderNumber && `Order ${orderNumber}`, wishedOn && `Wished by ${wishedOn}`]
      const [row] = await query(db, {
        name: `crm.${kind}.answer`,
        text: `update public.${it.table} p
               set ${it.state} = $6, ${it.answeredOn} = $7, ${it.answeredBy} = $8, ${it.note} = $9,
                   net_total = coalesce($10, net_total), tax_total = coalesce($11::numeric - $10::numeric, tax_total),
                   grand_total = coalesce($11, grand_total)
               where p.id = $5 and p.version = $12 and p.id in (select d.id from (${mine}) d where d.status = 'open')
                 and p.${it.state} = 'sent' returning p.id`,
        values: [
          ...scope,
          ...[idOf(id), act === 'accepted' ? 'accepted' : 'rejected', at, by.name.slice(0, 160)],
          ...[note.filter(Boolean).join('. ') || null, choice?.sums.net.amount, choice?.sums.total.amount, version],
        ],
      })
      if (!row) throw new Conflict()
      if (choice?.lines.length)
        await query(db, {
          name: `crm.${kind}.choose`,
          text: `update public.${it.lines} l
                 set ${it.optional} = true, ${it.chosen} = c.chosen, ${it.line.quantity} = c.quantity::numeric, line_total = c.total::numeric
                 from jsonb_to_recordset($2::jsonb) as c(id integer, chosen boolean, quantity text, total text)
                 where l.${it.of} = $1 and l.id = c.id`,
          values: [idOf(id), JSON.stringify(choice.lines.map(one => ({ ...one, total: one.total.amount })))],
        })
    },
  }
}

const offer = (row: any): Summary => ({
  id: row.id,
  number: row.number,
  title: row.title,
  total: money(row.total, row.currency),
  status: row.status,
  sentOn: row.sentOn,
  validUntil: row.validUntil,
  answeredOn: row.answeredOn,
  owner: row.owner,
})
