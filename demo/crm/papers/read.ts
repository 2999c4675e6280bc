import type { Knex } from 'knex'
import { type Desk, like, pageSize } from '../desk.ts'
import type { Kind } from './kinds.ts'

export type Paper = {
  id: number
  clientId: number
  client: string
  contactId: number | null
  contact: string | null
  owner: string | null
  ref: string
  title: string
  state: string
  issued: string | null
  end: string | null
  intro: string | null
  terms: string | null
  currency: string
  discount: string | null
  net: string
  tax: string
  gross: string
  version: number | null
  paid: string | null
  credited: string | null
  balance: string | null
  answeredBy: string | null
  answerNote: string | null
}

export type PaperLine = {
  group: string | null
  title: string
  details: string | null
  quantity: string
  unit: string | null
  price: string
  discount: string
  tax: string
  optional: boolean
  chosen: boolean
  total: string
}

export async function listPapers(desk: Desk, kind: Kind, filter: { q: string; state: string; page: number }) {
  const matching = papersOf(desk, kind).modify(query => narrow(query, kind, filter))
  const [rows, [counted]] = await Promise.all([
    matching
      .clone()
      .select(paperColumns(desk.database, kind))
      .orderByRaw(`d.${kind.columns.issued} desc nulls first, d.id desc`)
      .limit(pageSize)
      .offset((filter.page - 1) * pageSize),
    matching.clone().count({ count: '*' }),
  ])
  return { papers: rows as Paper[], count: Number(counted!.count) }
}

export async function findPaper(desk: Desk, kind: Kind, id: number): Promise<Paper | undefined> {
  return papersOf(desk, kind).where('d.id', id).first(paperColumns(desk.database, kind))
}

export async function linesOf(database: Knex, kind: Kind, id: number): Promise<PaperLine[]> {
  const { table, parent, position, group, title, quantity, price, optional, chosen } = kind.lines
  return database(table)
    .where(parent, id)
    .orderBy(position)
    .select({ group, title, quantity, price, total: 'line_total', discount: 'discount_pct', tax: 'tax_pct' })
    .select('details', 'unit')
    .select({
      optional: optional ?? database.raw('false'),
      chosen: chosen ?? database.raw('true'),
    })
}

function papersOf({ database, workspaceId }: Desk, kind: Kind) {
  return database({ d: kind.path })
    .join('clients as k', 'k.id', 'd.client_id')
    .leftJoin('contacts as c', 'c.id', 'd.contact_id')
    .leftJoin('staff as s', 's.id', `d.${kind.columns.owner}`)
    .where('d.workspace_id', workspaceId)
    .whereNull('d.deleted_at')
}

function narrow(query: Knex.QueryBuilder, kind: Kind, { q, state }: { q: string; state: string }): void {
  if (kind.states.includes(state)) query.where(`d.${kind.columns.state}`, state)
  if (q) {
    query.where(either =>
      either
        .whereILike('d.ref_no', like(q))
        .orWhereILike(`d.${kind.columns.title}`, like(q))
        .orWhereILike('k.company_name', like(q)),
    )
  }
}

function paperColumns(database: Knex, kind: Kind) {
  const { title, state, issued, end, intro, terms } = kind.columns
  const nothing = database.raw('null')
  return {
    id: 'd.id',
    clientId: 'd.client_id',
    client: 'k.company_name',
    contactId: 'd.contact_id',
    contact: database.raw(`c.first_name || ' ' || c.last_name`),
    owner: 's.full_name',
    ref: 'd.ref_no',
    title: `d.${title}`,
    state: `d.${state}`,
    issued: database.raw(`d.${issued}::text`),
    end: database.raw(`d.${end}::text`),
    intro: `d.${intro}`,
    terms: `d.${terms}`,
    currency: 'd.currency_code',
    discount: 'd.discount_pct',
    net: 'd.net_total',
    tax: 'd.tax_total',
    gross: 'd.grand_total',
    version: kind.offer ? 'd.version' : nothing,
    paid: kind.offer ? nothing : 'd.amount_paid',
    credited: kind.offer ? nothing : 'd.amount_credited',
    balance: kind.offer ? nothing : 'd.balance',
    answeredBy: kind.path === 'proposals' ? 'd.answered_by' : kind.offer ? 'd.decided_by' : nothing,
    answerNote: kind.path === 'proposals' ? 'd.answer_note' : kind.offer ? 'd.decision_note' : nothing,
  }
}
