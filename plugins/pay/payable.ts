import type { Request } from 'express'
import type { RequestContext } from '../../src/http/context.ts'
import { NotFound } from '../../src/http/errors.ts'
import type { Money } from '../../src/platform/money.ts'
import type { Host, Section } from '../../src/plugin/plugin.ts'
import type { Payable, PayableDocument } from '../../src/plugin/subjects.ts'
import { arrivedFor, leftOf, type Pending, pendingOf } from './payments.ts'

/** So many documents are offered on one page, and can be paid at once. */
export const most = 100

/** A document with something left to pay, beside what is on its way. */
export interface Due extends PayableDocument {
  section: string
  /** `invoices/12`, as forms and addresses name it. */
  key: string
  /** What is left of the balance when all that is on its way has arrived. */
  left: PayableDocument['balance']
  pending: Pending | undefined
  /** Whether it is a down payment. `unbooked` is then all that arrived, since the CRM counts none of it. */
  downPayment: boolean
}

interface PayableSection extends Section {
  subject: NonNullable<Section['subject']> & { payable: Payable }
}

/** Sections with something to pay, as far as this person may see them. */
function sectionsFor(req: Request<any>, host: Host): PayableSection[] {
  const { crm, may, on } = req.portal
  return host.plugins.filter(
    (it): it is PayableSection =>
      it.subject?.payable !== undefined &&
      it.name in crm &&
      on(it.name) &&
      it.subject.payable.may.every(one => may(`${it.name}.${one}`)),
  )
}

/** Whether what is paid of a section are down payments. */
export const isDownPayment = ({ plugins }: Host, section: string): boolean =>
  plugins.find(it => it.name === section)?.subject?.payable?.downPayments === true

/** The one document of a public link, as forms name it. */
const linkedKey = ({ portal: { guest } }: Request<any>) => guest && `${guest.link.section}/${guest.link.document}`

interface Dues {
  dues: Due[]
  /** Whether that is all. */
  all: boolean
}

/** What is to be paid: these down payments, or else what is invoiced, or else any down payments. The first due first. */
export async function duesOf(req: Request<any>, host: Host, asked: string[] = []): Promise<Dues> {
  if (asked.some(it => isDownPayment(host, split(it)[0]))) return duesOfKind(req, host, true)
  const invoiced = await duesOfKind(req, host, false)
  return invoiced.dues.length ? invoiced : duesOfKind(req, host, true)
}

async function duesOfKind(req: Request<any>, host: Host, downPayments: boolean): Promise<Dues> {
  const linked = linkedKey(req)
  if (linked)
    return { dues: (await findDues(req, host, [linked])).filter(it => Number(it.balance.amount) > 0), all: true }
  const [pages, underWay] = await Promise.all([
    Promise.all(
      sectionsFor(req, host)
        .filter(it => isDownPayment(host, it.name) === downPayments)
        .map(async it => ({
          section: it,
          ...(await it.subject.payable.list(req.portal.crm, { size: most })),
        })),
    ),
    pendingFor(req.portal, host),
  ])
  const found = pages.flatMap(({ section, items }) => items.map(it => ({ section, it })))
  const dues = await withArrived(req.portal, host, found, underWay)
  return {
    dues: dues.filter(it => Number(it.balance.amount) > 0).toSorted((a, b) => compare(a.dueOn, b.dueOn)),
    all: pages.every(it => it.next === null || it.next === undefined),
  }
}

/**
 * These documents as they are now. Throws NotFound for one that is not there, not this client's, not to be seen, or not
 * the one of the visitor's public link.
 */
export async function findDues(req: Request<any>, host: Host, keys: string[]): Promise<Due[]> {
  const [underWay, sections] = [await pendingFor(req.portal, host), sectionsFor(req, host)]
  const linked = linkedKey(req)
  const documents = await Promise.all(
    keys.map(async key => {
      const [name, id] = split(key)
      const section = sections.find(it => it.name === name)
      if (!section || !id || (linked && key !== linked)) throw new NotFound()
      return { section, it: await section.subject.payable.find(req.portal.crm, id) }
    }),
  )
  return withArrived(req.portal, host, documents, underWay)
}

const split = (key: string): [name: string, id: string] => {
  const at = key.indexOf('/')
  return at < 0 ? [key, ''] : [key.slice(0, at), key.slice(at + 1)]
}

/** Visitors by a public link are not told who of the client's people is paying. */
export async function pendingFor({ workspace, customer, guest }: RequestContext, { database }: Host) {
  const all = await pendingOf(database, { workspace: workspace.id, client: customer.client.id })
  return guest ? all.map(it => ({ ...it, payer: null })) : all
}

interface Found {
  section: PayableSection
  it: PayableDocument
}

/** With what is left of each, and what is on its way. */
async function withArrived(context: RequestContext, host: Host, found: Found[], underWay: Pending[]): Promise<Due[]> {
  const documents = found.map(({ section, it }) => ({
    ...{ section: section.name, id: it.id, balance: it.balance },
    downPayment: section.subject.payable.downPayments === true,
  }))
  const pending = await pendingOfEach(context, host, documents, underWay)
  return found.map(({ section: { name }, it }, at) => ({
    ...it,
    ...{ section: name, key: `${name}/${it.id}`, pending: pending[at], left: leftOf(it.balance, pending[at]) },
    downPayment: documents[at]!.downPayment,
  }))
}

interface Counted {
  section: string
  id: string
  balance: Money
  downPayment: boolean
}

/** What is on its way of each; of down payments, also all that arrived. */
export async function pendingOfEach(
  { workspace, customer }: RequestContext,
  { database }: Host,
  documents: Counted[],
  underWay: Pending[],
): Promise<(Pending | undefined)[]> {
  const apart = documents.filter(it => it.downPayment)
  const scope = { workspace: workspace.id, client: customer.client.id }
  const arrived = apart.length ? await arrivedFor(database, scope, apart) : []
  return documents.map(({ section, id, balance: { currency }, downPayment }) => {
    const same = (it: { section: string; id: string; currency: string }) =>
      it.section === section && it.id === id && it.currency === currency
    const pending = underWay.find(same)
    if (!downPayment) return pending
    const unbooked = arrived.find(same)?.arrived ?? '0'
    return { section, id, currency, processing: '0', payer: null, since: null, ...pending, unbooked }
  })
}

const compare = (a: string | null, b: string | null) => ((a ?? '9') < (b ?? '9') ? -1 : 1)
