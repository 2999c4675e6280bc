import type { Customer } from '../../src/crm/crm.ts'
import { findChangesBy } from '../../src/crm/mapping/changes.ts'
import { type DocumentRelation, dates, documentRelation } from '../../src/crm/mapping/document-relation.ts'
import { amount, lines, totals } from '../../src/crm/mapping/documents.ts'
import { downPaymentColumns } from '../../src/crm/mapping/down-payment.ts'
import { attachmentsOf, fileOf } from '../../src/crm/mapping/file.ts'
import { holdersOf } from '../../src/crm/mapping/holders.ts'
import { countsOf, listed, type Part, searching, upToThousand } from '../../src/crm/mapping/listing.ts'
import type { CrmMap, OffersMap } from '../../src/crm/mapping/map.ts'
import { checked, customerValues } from '../../src/crm/mapping/owned.ts'
import { dateOf, keyOfType, type Reader, text } from '../../src/crm/mapping/reader.ts'
import { respondTo, responsesOf } from '../../src/crm/mapping/responses.ts'
import { type Ask, type MappedSection, mapped } from '../../src/crm/mapping/section.ts'
import { param } from '../../src/crm/mapping/sql.ts'
import { accountOf } from '../../src/crm/mapping/workspaces.ts'
import { NotFound } from '../../src/http/errors.ts'
import type { Offer, Offers, Summary } from './port.ts'
import { questions } from './questions.ts'

/** How a map reads proposals or quotations. */
export const mappedOffers = (name: 'proposals' | 'quotations'): MappedSection<Offers> =>
  mapped({
    name,
    compile: (reader, map) => (map[name] ? offers(reader, map, map[name]) : undefined),
    holders: (reader, map) => (map[name] ? holdersOf(reader, map, map[name]) : undefined),
    changes: (reader, map) => findChangesBy(reader, map, map[name]),
    questions,
  })

const today = `${param('today')}::date`

const statuses = {
  open: `d.open and (d.valid_until is null or d.valid_until >= ${today})`,
  accepted: 'd.accepted',
  declined: 'd.declined',
  expired: `(d.expired or d.open and d.valid_until < ${today})`,
  withdrawn: 'd.withdrawn',
}

const { withdrawn: _, ...some } = statuses
/** Those that the list offers as filters. */
const counted = { all: 'true', ...some }

const status = `case ${Object.entries(statuses)
  .map(([word, so]) => `when ${so} then '${word}'`)
  .join(' ')} else 'other' end`

const summary = `
  d.id::text, d.number, d.title, d.total::text as total, d.currency, ${status} as status, d.state as word,
  d.sent::text as "sentOn", d.valid_until::text as "validUntil", d.answered_on::text as "respondedOn", d.owner`

const downPayment = `, d.down_percent::text as "downPercent", d.down_amount::text as "downAmount"`

/** Parts of SQL that the port's questions share, put together once. */
type Compiled = ReturnType<typeof compileOffers>

function offers(reader: Reader, map: CrmMap, it: OffersMap) {
  const compiled = compileOffers(reader, map, it)
  const { attachments, file, responses } = compiled

  return (ask: Ask, customer: Customer): Offers => {
    const scope = customerValues(customer)
    const find = (id: string) => findOffer(ask, compiled, scope, id)
    return {
      ...file?.(ask, customer),
      ...attachments?.reading(ask, customer),
      list: filter => listOffers(ask, compiled, scope, filter),
      overview: () => overview(ask, compiled, scope),
      counts: search => countsOf(ask, { relation: compiled.relation, statuses: counted, ...found(search, scope) }),
      find,
      ...(it.downPayment ? { downPayments: asked => listDownPayments(ask, compiled, scope, asked) } : {}),
      ...(responses ? respondTo(responses, ask, scope, find) : {}),
    }
  }
}

function compileOffers(reader: Reader, map: CrmMap, it: OffersMap) {
  const document = documentRelation(reader, map, it, reader.section)
  const { key, sent } = document
  const until = dateOf(document.place, it.validUntil)
  const relation = relationOf(document, it, until)
  const account = it.downPayment && accountOf(reader, map, 'd.number')
  const whole = document.whole()
  return {
    key,
    relation,
    whole: account ? `${whole}, ${account} as account` : whole,
    summary: it.downPayment ? summary + downPayment : summary,
    responses: responsesOf(reader, it, {
      place: document.place,
      key,
      mine: document.mine,
      open: stillOpen(document, it, until),
    }),
    file: fileOf(reader, it.file, document),
    attachments: it.attachments && attachmentsOf(reader, it.attachments, document),
    sentType: sent.type,
  }
}

/** All offers of a customer, as `d`. */
function relationOf(document: DocumentRelation, it: OffersMap, until: string): string {
  const { place, means } = document
  return document.relation({
    ...document.details(),
    ...Object.fromEntries(Object.keys(statuses).map(word => [word, means(word)])),
    ...dates(place, { answered_on: it.respondedOn }),
    valid_until: until,
    owner: text(place, it.owner),
    version: it.version ? `${place.column(it.version)}::int` : '1',
    intro: text(place, it.intro),
    terms: text(place, it.terms),
    answered_by: text(place, it.respondedBy),
    answer_note: text(place, it.responseNote),
    ...(it.downPayment ? downPaymentColumns(document, it.downPayment) : {}),
  })
}

/** Whether an offer can still be answered, in the version that was shown. */
function stillOpen({ place, means, mine }: DocumentRelation, it: OffersMap, until: string): string {
  return [
    mine,
    means('open'),
    it.version ? `${place.column(it.version)} = ${param('version')}` : 'true',
    it.validUntil ? `(${until} is null or ${until} >= ${today})` : 'true',
  ].join(' and ')
}

function partsOf(sentType: string, sort: Filter['sort'], status: Filter['status']): Part[] {
  const newest = { by: 'd.sent_at', type: sentType, down: true }
  const byValidity = { by: `coalesce(d.valid_until, '9999-12-31')`, type: 'date', down: false }
  const of = status ? statuses[status] : 'true'
  if (sort === 'amount') return [{ of, by: 'd.total', type: 'numeric', down: true }]
  if (sort === 'newest') return [{ of, ...newest }]
  if (status) return [{ of, ...(status === 'open' ? byValidity : newest) }]
  return [
    { of: statuses.open, ...byValidity },
    { of: `not (${statuses.open})`, ...newest },
  ]
}

type Filter = Parameters<Offers['list']>[0]

type Asked = Parameters<NonNullable<Offers['downPayments']>>[0]

type Scope = ReturnType<typeof customerValues>

/** What a search finds of this customer's. */
function found(search: string | undefined, scope: Scope) {
  const { where, values } = searching(search, ['d.number', 'd.title'], 'd.total')
  return { where, values: { ...scope, ...values } }
}

async function listOffers(ask: Ask, compiled: Compiled, scope: Scope, filter: Filter) {
  const { relation, key, sentType, summary } = compiled
  const { status: wanted, search, sort, after, size } = filter
  const { items, next } = await listed(ask, {
    relation,
    columns: summary,
    key,
    parts: partsOf(sentType, sort, wanted),
    after,
    size,
    ...found(search, scope),
  })
  return { items: items.map(offer), next }
}

async function listDownPayments(ask: Ask, compiled: Compiled, scope: Scope, { size, after }: Asked) {
  const { relation, key, sentType, summary } = compiled
  const { items, next } = await listed(ask, {
    relation,
    columns: summary,
    key,
    parts: [
      {
        of: `${statuses.accepted} and (d.down_percent is not null or d.down_amount is not null)`,
        ...{ by: 'd.sent_at', type: sentType, down: true },
      },
    ],
    after,
    size,
    ...found(undefined, scope),
  })
  return { items: items.map(offer), next }
}

async function overview(ask: Ask, { relation }: Compiled, scope: Scope) {
  const [row] = await ask(
    `with open as (select d.currency, d.total from ${relation} where ${statuses.open})
     select jsonb_build_object('all', ${upToThousand(relation, 'true')}, 'open', (select count(*) from open),
              'accepted', ${upToThousand(relation, statuses.accepted)},
              'declined', ${upToThousand(relation, statuses.declined)},
              'expired', ${upToThousand(relation, statuses.expired)}) as counts,
            (select coalesce(jsonb_agg(jsonb_build_object('amount', amount::text, 'currency', currency)
                                       order by amount desc), '[]')
             from (select currency, sum(total) as amount from open group by 1) sums) as waiting`,
    scope,
  )
  return row
}

async function findOffer(ask: Ask, compiled: Compiled, scope: Scope, id: string): Promise<Offer> {
  const { attachments, key, relation, responses, summary, whole } = compiled
  const [row] = await ask(
    `select ${summary}, d.version, d.intro, d.terms, d.answered_by, d.answer_note, d.net::text as net,
         trim_scale(d.discount)::text as discount, ${whole}${attachments ? `, ${attachments.list}` : ''}
       from ${relation} where d.id = ${checked('id', keyOfType(key).cast)}`,
    { ...scope, id },
  )
  if (!row) throw new NotFound()
  return {
    ...offer(row),
    version: row.version ?? 1,
    to: row.addressee ?? [],
    intro: row.intro,
    terms: row.terms,
    lines: lines(row.lines, row.currency, responses?.selection),
    sums: totals(row),
    ...(attachments ? { attachments: row.attachments } : {}),
    respondedBy: row.answered_by,
    responseNote: row.answer_note,
    ...(row.account === undefined ? {} : { account: row.account }),
  }
}

const offer = (row: any): Summary => ({
  id: row.id,
  number: row.number,
  title: row.title,
  total: amount(row.total, row.currency),
  status: row.status,
  ...(row.status === 'other' ? { word: row.word } : {}),
  sentOn: row.sentOn,
  validUntil: row.validUntil,
  respondedOn: row.respondedOn,
  owner: row.owner,
  ...downPaymentOf(row),
})

function downPaymentOf({ downPercent, downAmount, currency }: any): Pick<Summary, 'downPayment'> {
  if (downPercent) return { downPayment: { percent: downPercent } }
  return downAmount ? { downPayment: { amount: amount(downAmount, currency) } } : {}
}
