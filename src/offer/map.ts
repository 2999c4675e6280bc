import { answering, answersOf } from '../crm/map/answers.ts'
import { amount, lines, sums } from '../crm/map/documents.ts'
import { attachmentsOf, fileOf } from '../crm/map/file.ts'
import { listed, type Part, searching } from '../crm/map/listing.ts'
import type { CrmMap, OffersMap } from '../crm/map/map.ts'
import { checked, known } from '../crm/map/owned.ts'
import { dates, paper } from '../crm/map/paper.ts'
import { day, keyOfType, type Reader, text } from '../crm/map/reader.ts'
import { type Ask, type MappedSection, mapped } from '../crm/map/section.ts'
import { param } from '../crm/map/sql.ts'
import type { Customer } from '../crm.ts'
import { NotFound } from '../errors.ts'
import type { Offers, Summary } from './port.ts'

/** How a map reads proposals or quotations. */
export const mappedOffers = (name: 'proposals' | 'quotations'): MappedSection<Offers> =>
  mapped({ name, compile: (reader, map) => (map[name] ? offers(reader, map, map[name]) : undefined) })

const today = `${param('today')}::date`

const statuses = {
  open: `d.open and (d.valid_until is null or d.valid_until >= ${today})`,
  accepted: 'd.accepted',
  declined: 'd.declined',
  expired: `(d.expired or d.open and d.valid_until < ${today})`,
  withdrawn: 'd.withdrawn',
}

const status = `case ${Object.entries(statuses)
  .map(([word, so]) => `when ${so} then '${word}'`)
  .join(' ')} else 'other' end`

const summary = `d.id::text, d.number, d.title, d.total::text as total, d.currency, ${status} as status, d.state as word,
  d.sent::text as "sentOn", d.valid_until::text as "validUntil", d.answered_on::text as "answeredOn", d.owner`

function offers(reader: Reader, map: CrmMap, it: OffersMap) {
  const document = paper(reader, map, it, reader.section)
  const { place, means, key, sent } = document
  const until = it.validUntil ? day(place, it.validUntil).date : 'null::date'
  const relation = document.relation({
    ...document.details(),
    ...Object.fromEntries(Object.keys(statuses).map(word => [word, means(word)])),
    ...dates(place, { answered_on: it.answeredOn }),
    valid_until: until,
    owner: text(place, it.owner),
    version: it.version ? `${place.column(it.version)}::int` : '1',
    intro: text(place, it.intro),
    terms: text(place, it.terms),
    answered_by: text(place, it.answeredBy),
    answer_note: text(place, it.answerNote),
  })
  const whole = document.whole()
  const answers = answersOf(reader, it, {
    place,
    key,
    mine: document.mine,
    open: [
      document.mine,
      means('open'),
      it.version ? `${place.column(it.version)} = ${param('version')}` : 'true',
      it.validUntil ? `(${until} is null or ${until} >= ${today})` : 'true',
    ].join(' and '),
  })
  const file = fileOf(reader, it.file, document)
  const attachments = it.attachments && attachmentsOf(reader, it.attachments, document)
  const newest: Part = { of: 'true', by: 'd.sent_at', type: sent.type, down: true }
  const sorts: Record<string, Part[]> = {
    urgent: [
      { of: statuses.open, by: `coalesce(d.valid_until, '9999-12-31')`, type: 'date', down: false },
      { ...newest, of: `not (${statuses.open})` },
    ],
    newest: [newest],
    amount: [{ of: 'true', by: 'd.total', type: 'numeric', down: true }],
  }

  return (ask: Ask, customer: Customer): Offers => {
    const scope = known(customer)
    return {
      ...file?.(ask, customer),
      ...attachments?.reading(ask, customer),

      async list({ status: wanted, search, sort, after, size }) {
        const found = searching(search, ['d.number', 'd.title'], 'd.total')
        const { items, next } = await listed(ask, {
          ...{ relation, columns: summary, key, parts: sorts[sort]!, after, size },
          where: [...(wanted ? [statuses[wanted]] : []), ...found.where],
          values: { ...scope, ...found.values },
        })
        return { items: items.map(offer), next }
      },

      async overview() {
        const [row] = await ask(
          `with few as (select ${status} as status from ${relation} limit 1001)
           select jsonb_build_object('all', count(*), 'open', count(*) filter (where status = 'open'),
                    'accepted', count(*) filter (where status = 'accepted'),
                    'declined', count(*) filter (where status = 'declined'),
                    'expired', count(*) filter (where status = 'expired')) as counts,
                  (select coalesce(jsonb_agg(jsonb_build_object('amount', amount::text, 'currency', currency) order by amount desc), '[]')
                   from (select d.currency, sum(d.total) as amount from ${relation} where ${statuses.open} group by 1) sums) as waiting
           from few`,
          scope,
        )
        return row
      },

      find,
      ...(answers ? answering(answers, ask, scope, find) : {}),
    }

    async function find(id: string) {
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
        lines: lines(row.lines, row.currency, answers?.choice),
        sums: sums(row),
        ...(attachments ? { attachments: row.attachments } : {}),
        answeredBy: row.answered_by,
        answerNote: row.answer_note,
      }
    }
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
  answeredOn: row.answeredOn,
  owner: row.owner,
})
