import Big from 'big.js'
import { decimals, type Money } from '../../../platform/money.ts'
import type { Customer } from '../../crm.ts'
import type { Line, Totals } from '../../document.ts'
import type { Exceptions } from '../../mapping/map.ts'
import type { Check } from '../checks.ts'
import type { Listing } from './questions.ts'
import { many, ownedSections, type RealRows } from './rows.ts'
import type { Sample } from './sample.ts'

/** What the checks read of a proposal, quotation or invoice. */
interface Document {
  number: string
  status: string
  sentOn: string
  dueOn?: string
  validUntil?: string | null
  respondedOn?: string | null
  total: Money
  balance?: Money
  lines: Line[]
  sums: Totals
  payments?: { amount: Money }[]
  adjustment?: Money | null
}

/** What must hold of each document; `entries` are those of the map that decide it. */
interface Rule {
  name: keyof Exceptions
  entries: string
  /** Whether a document says anything of it. */
  isAbout(document: Document): boolean
  /** What is wrong, with the numbers; undefined where it holds. */
  wrong(document: Document): string | undefined
}

/** A rule is broken by a map, and not by a few documents, where it fails for this share of those in a status or currency. */
const share = 0.25
const fewest = 2

/** Documents of each section that are read, and of each client in each order. */
const most = { documents: 400, ofClient: 20 }

/** Tax beyond this part of the net amount is none (the highest in use is 27 %, in Hungary). */
const highestTax = 0.5

/**
 * Whether documents add up as the map reads them: lines, net, tax and total, payments and what is due, dates. A map
 * that takes the wrong column shows it here in numbers.
 */
export async function checkSums(rows: RealRows, { customers }: Sample): Promise<Check> {
  const problems: string[] = []
  const notes: string[] = []
  const read: string[] = []
  for (const [section, entry] of ownedSections(rows.map)) {
    const documents = await documentsOf(rows, section, customers)
    if (!documents.length) continue
    read.push(many(documents.length, section.replace(/s$/, ''), section))
    const { exceptions = {} } = entry as { exceptions?: Exceptions }
    for (const rule of rules) {
      const broken = brokenIn(documents, rule)
      const reason = exceptions[rule.name]
      if (broken && !reason) problems.push(`${section}: ${broken}. ${adviceOn(rule)}`)
      else if (broken) notes.push(`${section}: ${broken}. The map says why: ${reason}`)
      else if (reason && !documents.some(it => rule.isAbout(it) && rule.wrong(it)))
        problems.push(`${section}.exceptions.${rule.name}: no exception was found: take it out of the map`)
    }
  }
  if (rows.isOver()) notes.push('there was no time for all of them: the database answers slowly')
  const label = `documents add up${read.length ? `: ${read.join(', ')}` : ''}`
  return { label, problems, notes }
}

async function documentsOf({ compiled, ask, isOver }: RealRows, section: string, customers: Customer[]) {
  const portOf = compiled.ports.get(section)
  const documents: Document[] = []
  for (const customer of portOf ? customers : []) {
    const port = portOf!(ask, customer) as Listing & { find?(id: string): Promise<Document> }
    if (!port.find) return []
    for (const id of await idsOf(port)) {
      if (isOver() || documents.length >= most.documents) return documents
      // One that cannot be read is told by the check of all questions.
      const document = await port.find(id).catch(() => undefined)
      if (document?.sums) documents.push(document)
    }
  }
  return documents
}

/** The newest and the largest of a client's documents. */
async function idsOf(port: Listing): Promise<Set<string>> {
  const lists = await Promise.all(
    ['newest', 'amount'].map(sort => port.list?.({ sort, size: most.ofClient }).catch(() => undefined)),
  )
  return new Set(lists.flatMap(it => it?.items ?? []).map(it => it.id))
}

/** Where a rule is broken, as a sentence: in all documents, or in those of one status or currency. */
function brokenIn(documents: Document[], rule: Rule): string | undefined {
  const about = documents.filter(it => rule.isAbout(it))
  const groups = [
    { which: '', its: about },
    ...[...Map.groupBy(about, it => it.total.currency)].map(([it, its]) => ({ which: ` in ${it}`, its })),
    ...[...Map.groupBy(about, it => it.status)].map(([it, its]) => ({ which: ` that are ${it}`, its })),
  ]
  for (const { which, its } of groups) {
    const wrong = its.flatMap(it => rule.wrong(it) ?? [])
    if (wrong.length >= fewest && wrong.length >= its.length * share)
      return `${wrong.length} of ${its.length}${which}: ${wrong.slice(0, 2).join('; ')}`
  }
  return undefined
}

const adviceOn = ({ name, entries }: Rule) =>
  `Correct ${entries} in the map; if the CRM means it, say so there: exceptions: { ${name}: 'why' }`

const sum = (amounts: Money[]) => amounts.reduce((total, { amount }) => total.plus(amount), Big(0))
const counted = ({ lines }: Document) => lines.filter(it => !it.optional || it.chosen)
const linesOf = (document: Document) => sum(counted(document).map(it => it.total))
const taxOf = ({ sums }: Document) => Big(sums.total.amount).minus(sums.net.amount)

/** Each line may be rounded by itself. */
const rounding = ({ lines, total }: Document) =>
  Big(10)
    .pow(-decimals(total.amount))
    .times(lines.length + 1)

const rules: Rule[] = [
  {
    name: 'lines',
    entries: '`net`, `discount` or `lines.total`',
    isAbout: ({ lines, sums }) => lines.length > 0 && sums.previous === undefined && !Number(sums.discount?.percent),
    wrong(document) {
      const { number, sums, total } = document
      const [lines, net] = [linesOf(document), Big(sums.net.amount)]
      if (lines.minus(net).abs().lte(rounding(document))) return undefined
      const gross = lines.minus(total.amount).abs().lte(rounding(document)) ? ' (lines with tax included?)' : ''
      return `lines of ${number} come to ${lines}, its net is ${net}${gross}`
    },
  },
  {
    name: 'tax',
    entries: '`net` or `total`',
    isAbout: ({ sums, total }) => Big(total.amount).gt(0) || Big(sums.net.amount).gt(0),
    wrong(document) {
      const { number, sums } = document
      const tax = taxOf(document)
      if (tax.lt(0)) return `tax of ${number} is ${tax}: net ${sums.net.amount}, total ${sums.total.amount}`
      return tax.gt(Big(sums.net.amount).abs().times(highestTax))
        ? `tax of ${number} is ${tax} on ${sums.net.amount}`
        : undefined
    },
  },
  {
    name: 'total',
    entries: '`total`',
    isAbout: document => document.lines.length > 0 && !linesOf(document).eq(0),
    wrong: document =>
      Big(document.total.amount).eq(0)
        ? `total of ${document.number} is 0, its lines come to ${linesOf(document)}`
        : undefined,
  },
  {
    name: 'payments',
    entries: '`total`, `balance`, `status` or the entry `payments`',
    isAbout: ({ status, payments, balance }) =>
      balance !== undefined && (status === 'paid' ? payments !== undefined : Boolean(payments?.length)),
    wrong: ({ number, total, adjustment }) =>
      adjustment && !Big(adjustment.amount).eq(0)
        ? `payments of ${number} and what is due differ from its total of ${total.amount} by ${adjustment.amount}`
        : undefined,
  },
  {
    name: 'due',
    entries: '`balance`',
    isAbout: ({ balance, total }) => balance !== undefined && Big(total.amount).gte(0),
    wrong: ({ number, balance, total }) =>
      Big(balance!.amount).gt(total.amount) || Big(balance!.amount).lt(0)
        ? `${balance!.amount} of ${number} is still to pay, and its total is ${total.amount}`
        : undefined,
  },
  {
    name: 'dates',
    entries: '`sentOn`, `dueOn`, `validUntil` or `respondedOn`',
    isAbout: () => true,
    wrong({ number, sentOn, dueOn, validUntil, respondedOn }) {
      const earlier = [dueOn, validUntil, respondedOn].find(it => it && it < sentOn)
      return earlier ? `${number} was sent on ${sentOn}, and has ${earlier} for what comes later` : undefined
    },
  },
]
