import type { Request } from 'express'
import { NotFound } from '../../src/http/errors.ts'
import type { Host, Section } from '../../src/plugin/plugin.ts'
import type { Payable, PayableDocument } from '../../src/plugin/subjects.ts'
import { leftOf, type Pending, pendingOf } from './payments.ts'

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

/** The one document of a public link, as forms name it. */
const linkedKey = ({ portal: { guest } }: Request<any>) => guest && `${guest.link.section}/${guest.link.document}`

/** What is to be paid, the first due first, and whether that is all of it. */
export async function duesOf(req: Request<any>, host: Host): Promise<{ dues: Due[]; all: boolean }> {
  const linked = linkedKey(req)
  if (linked)
    return { dues: (await findDues(req, host, [linked])).filter(it => Number(it.balance.amount) > 0), all: true }
  const [pages, pending] = await Promise.all([
    Promise.all(
      sectionsFor(req, host).map(async it => ({
        section: it.name,
        ...(await it.subject.payable.list(req.portal.crm, { size: most })),
      })),
    ),
    pendingFor(req, host),
  ])
  const dues = pages.flatMap(({ section, items }) => items.map(it => due(section, it, pending)))
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
  const [pending, sections] = [await pendingFor(req, host), sectionsFor(req, host)]
  const linked = linkedKey(req)
  return Promise.all(
    keys.map(async key => {
      const [name, id] = split(key)
      const found = sections.find(it => it.name === name)
      if (!found || !id || (linked && key !== linked)) throw new NotFound()
      return due(name, await found.subject.payable.find(req.portal.crm, id), pending)
    }),
  )
}

const split = (key: string): [name: string, id: string] => {
  const at = key.indexOf('/')
  return at < 0 ? [key, ''] : [key.slice(0, at), key.slice(at + 1)]
}

/** Visitors by a public link are not told who of the client's people is paying. */
async function pendingFor({ portal: { workspace, customer, guest } }: Request<any>, { database }: Host) {
  const all = await pendingOf(database, { workspace: workspace.id, client: customer.client.id })
  return guest ? all.map(it => ({ ...it, payer: null })) : all
}

function due(section: string, it: PayableDocument, all: Pending[]): Due {
  const pending = all.find(one => one.section === section && one.id === it.id && one.currency === it.balance.currency)
  return { ...it, section, key: `${section}/${it.id}`, left: leftOf(it.balance, pending), pending }
}

const compare = (a: string | null, b: string | null) => ((a ?? '9') < (b ?? '9') ? -1 : 1)
