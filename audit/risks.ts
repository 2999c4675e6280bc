import { amountName, wholeAmounts } from './amounts.ts'
import { shown } from './judgement/answer.ts'
import type { Judgement } from './judgement/judge.ts'
import type { Place } from './judgement/places.ts'
import type { ClassifiedRoute } from './judgement/surface.ts'
import type { Evidence, Facts, Table } from './model.ts'

export interface Risk {
  title: string
  /** What it means for the portal, in a sentence. */
  consequence: string
  evidence: Evidence[]
}

/** What an owner should know of the CRM before clients look at it through a portal. */
export function risksOf({ data, of: findings }: Judgement): Risk[] {
  const documents = [data.invoices, data.quotations, data.proposals].filter(it => it.table !== null)
  const amounts = [...documents, data.invoice_lines, data.quotation_lines, data.payments]
  const { facts, surface } = findings
  const found: Risk[] = [
    unenforcedKeys(documents, facts),
    floatingPointAmounts(amounts, facts),
    wholeNumberAmounts(amounts, facts),
    ...(facts.looked.database ? [repeatableNumbers(documents, facts)] : []),
    secretsInAddresses(surface),
    readableTokens(documents, facts),
    writingGetRequests(surface),
    otherStatusWriters(surface),
  ]
  return found.filter(it => it.evidence.length).map(it => ({ ...it, evidence: [...new Set(it.evidence)].slice(0, 5) }))
}

const findTable = ({ tables }: Facts, place: Place) => tables.find(it => it.name === place.table)

function unenforcedKeys(documents: Place[], facts: Facts): Risk {
  const unenforced = documents.filter(it => {
    const column = findTable(facts, it)?.columns.find(one => one.name === it.client)
    return !column?.references || column.guessed
  })
  return {
    title: 'No enforced key from documents to clients',
    consequence: 'A document may name a client that is not there; the portal shows it to nobody.',
    evidence: unenforced.map(it => (it.client ? `${it.table}.${it.client}` : `${it.table} (no column)`)),
  }
}

const floatingPointAmounts = (places: Place[], facts: Facts): Risk => ({
  title: 'Amounts are kept as floating-point numbers',
  consequence: 'Sums may be off by a cent; the portal rounds each amount before it adds.',
  evidence: places.flatMap(it => floatColumns(findTable(facts, it))),
})

const floatColumns = (table: Table | undefined): Evidence[] =>
  table?.columns
    .filter(it => floatType.test(it.type) && amountName.test(it.name))
    .map(it => `${table.name}.${it.name} ${it.type}`) ?? []

const floatType = /^(float|double|real|binary_double|number$)/i

const wholeNumberAmounts = (places: Place[], facts: Facts): Risk => ({
  title: 'Amounts are whole numbers',
  consequence: 'They may be cents. Say so in the map, or clients see a hundred times what they owe.',
  evidence: places.flatMap(it => wholeAmounts(it, facts)),
})

function repeatableNumbers(documents: Place[], facts: Facts): Risk {
  const isUnique = (it: Place) => findTable(facts, it)?.unique?.some(names => names.includes(it.number!))
  return {
    title: 'Nothing keeps a document number from being used twice',
    consequence: 'A number does not prove which document was meant; the portal refers to ids.',
    evidence: documents.filter(it => it.number && !isUnique(it)).map(it => `${it.table}.${it.number}`),
  }
}

function secretsInAddresses(surface: ClassifiedRoute[]): Risk {
  const opened = surface.filter(
    it => it.actor === 'holder' && it.documents.size && !it.route.page && secretInPath.test(it.route.path),
  )
  return {
    title: 'Secrets in addresses',
    consequence:
      'Whoever sees the address, in a log or a mail, has the document. Portico exchanges such links for a cookie.',
    evidence: shown(opened, 5),
  }
}

const secretInPath = /:\w*(token|key|hash|code|secret|uuid|guid|share|link|signature)/i

function readableTokens(documents: Place[], facts: Facts): Risk {
  const expires = (it: Place) => findTable(facts, it)?.columns.some(column => expiry.test(column.name))
  return {
    title: 'Tokens are stored readable and never expire',
    consequence: 'A copy of the database opens every document.',
    evidence: documents
      .filter(it => it.token && !/hash/i.test(it.token) && !expires(it))
      .map(it => `${it.table}.${it.token}`),
  }
}

const expiry = /(token|link|key|share)\w*expir|expir\w*(token|link)/i

function writingGetRequests(surface: ClassifiedRoute[]): Risk {
  const writing = surface
    .filter(it => it.route.method === 'GET' && it.writes && it.actor !== 'staff' && !it.route.page)
    .filter(it => it.documents.size && changingWord.test(it.words) && !fileAtEnd.test(it.route.path))
  return {
    title: 'A GET request that changes something',
    consequence: 'A mail scanner or a preview may accept or delete. The portal changes nothing by GET.',
    evidence: shown(writing, 5),
  }
}

const changingWord = /\b(approve|accept|reject|decline|sign|delete|cancel|pay)\b/i
/** What only makes a file may note that it did. */
const fileAtEnd = /(pdf|csv|download|preview|print|image|photo)$/i

function otherStatusWriters(surface: ClassifiedRoute[]): Risk {
  const writing = surface
    .filter(it => it.actor === 'staff' && it.writes)
    .filter(it => it.documents.has('quotations') || it.documents.has('proposals'))
    .filter(it => /(status|state|accept|approv|convert|send)/i.test(it.words))
  return {
    title: 'Other code writes the status that a client answers',
    consequence: 'Portico compares before it sets; an answer may meet a status that has just changed.',
    evidence: shown(writing, 5),
  }
}
