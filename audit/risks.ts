import { shown } from './judgement/answer.ts'
import type { Judgement } from './judgement/judge.ts'
import type { Evidence, Table } from './model.ts'

export interface Risk {
  title: string
  /** What it means for the portal, in a sentence. */
  consequence: string
  evidence: Evidence[]
}

/** What an owner should know of the CRM before clients look at it through a portal. */
export function risksOf({ data, of: { facts, surface } }: Judgement): Risk[] {
  const table = (name: string | null) => facts.tables.find(it => it.name === name)
  const documents = [data.invoices, data.quotations, data.proposals].filter(it => it.table !== null)
  const risks: Risk[] = []
  const add = (title: string, consequence: string, evidence: Evidence[]) => {
    if (evidence.length) risks.push({ title, consequence, evidence: [...new Set(evidence)].slice(0, 5) })
  }

  const unkeyed = documents.filter(it => {
    const column = table(it.table)?.columns.find(one => one.name === it.client)
    return !column?.references || column.guessed
  })
  add(
    'No enforced key from documents to clients',
    'A document may name a client that is not there; the portal shows it to nobody.',
    unkeyed.map(it => `${it.table}.${it.client ?? '(no column)'}`),
  )
  add(
    'Amounts are kept as floating-point numbers',
    'Sums may be off by a cent; the portal rounds each amount before it adds.',
    documents.concat(data.invoice_lines, data.quotation_lines, data.payments).flatMap(it => floats(table(it.table))),
  )
  if (facts.looked.database)
    add(
      'Nothing keeps a document number from being used twice',
      'A number does not prove which document was meant; the portal refers to ids.',
      documents.flatMap(it =>
        it.number && !table(it.table)?.unique?.some(names => names.includes(it.number!))
          ? [`${it.table}.${it.number}`]
          : [],
      ),
    )
  add(
    'Secrets in addresses',
    'Whoever sees the address, in a log or a mail, has the document. Portico exchanges such links for a cookie.',
    shown(
      surface.filter(it => it.actor === 'holder' && it.documents.size && !it.route.page),
      5,
    ),
  )
  add(
    'Tokens are stored readable and never expire',
    'A copy of the database opens every document.',
    documents.flatMap(it =>
      it.token &&
      !/hash/i.test(it.token) &&
      !table(it.table)?.columns.some(one => /(token|link|key|share)\w*expir|expir\w*(token|link)/i.test(one.name))
        ? [`${it.table}.${it.token}`]
        : [],
    ),
  )
  add(
    'A GET request that changes something',
    'A mail scanner or a preview may accept or delete. The portal changes nothing by GET.',
    shown(
      surface.filter(
        it =>
          it.route.method === 'GET' &&
          it.writes &&
          it.actor !== 'staff' &&
          !it.route.page &&
          it.documents.size &&
          /(approve|accept|reject|decline|sign|delete|cancel|pay)/i.test(it.words),
      ),
      5,
    ),
  )
  add(
    'Other code writes the status that a client answers',
    'Portico compares before it sets; an answer may meet a status that has just changed.',
    shown(
      surface.filter(
        it =>
          it.actor === 'staff' &&
          it.writes &&
          (it.documents.has('quotations') || it.documents.has('proposals')) &&
          /(status|state|accept|approv|convert|send)/i.test(it.words),
      ),
      5,
    ),
  )
  return risks
}

const floats = (table: Table | undefined) =>
  table?.columns
    .filter(
      it =>
        /^(float|double|real|binary_double|number$)/i.test(it.type) &&
        /(amount|total|price|balance|tax|sum|paid|montant|importe|betrag)/i.test(it.name),
    )
    .map(it => `${table.name}.${it.name} ${it.type}`) ?? []
