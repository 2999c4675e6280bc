import { expect } from 'chai'
import { adapterOf, type Ports } from '../../src/index.ts'
import { type Copy, copyOf, customerOf, mostInvoices, workspacesOf } from './database.ts'
import { listening, rowsReadBy } from './rows-read.ts'
import { type Snapshot, snapshots } from './snapshots.ts'

interface Question {
  ask(ports: Partial<Ports>): Promise<unknown>
  /** The most rows that may be read for the client with 5,000 invoices, by snapshot, on the CRM's own indexes. */
  most: Record<string, number>
}

const { invoices, payments } = {
  invoices: (ask: (port: Ports['invoices']) => Promise<unknown>) => (ports: Partial<Ports>) => ask(ports.invoices!),
  payments: (ask: (port: Ports['payments']) => Promise<unknown>) => (ports: Partial<Ports>) => ask(ports.payments!),
}

/** What lists, counts, the first page and a statement ask. */
const questions: Record<string, Question> = {
  'invoices, those to pay first': {
    ask: invoices(it => it.list({ sort: 'urgent', size: 20 })),
    most: { dolibarr: 18_000, odoo: 12_000, 'alga-psa': 8_000 },
  },
  'invoices, newest first': {
    ask: invoices(it => it.list({ sort: 'newest', size: 20 })),
    most: { dolibarr: 2_300, odoo: 400, 'alga-psa': 7_900 },
  },
  'invoices, by amount': {
    ask: invoices(it => it.list({ sort: 'amount', size: 20 })),
    most: { dolibarr: 7_700, odoo: 12_000, 'alga-psa': 7_900 },
  },
  'invoices, open': {
    ask: invoices(it => it.list({ sort: 'urgent', status: 'open', size: 20 })),
    most: { dolibarr: 18_000, odoo: 12_000, 'alga-psa': 8_000 },
  },
  'invoices, overdue': {
    ask: invoices(it => it.list({ sort: 'urgent', status: 'overdue', size: 20 })),
    most: { dolibarr: 18_000, odoo: 12_000, 'alga-psa': 8_000 },
  },
  'invoices, paid': {
    ask: invoices(it => it.list({ sort: 'newest', status: 'paid', size: 20 })),
    most: { dolibarr: 1_000, odoo: 400, 'alga-psa': 8_000 },
  },
  'invoices, counts and totals': {
    ask: invoices(it => it.overview()),
    most: { dolibarr: 27_000, odoo: 22_000, 'alga-psa': 12_000 },
  },
  'invoices, for the first page': {
    ask: invoices(it => it.overview({ since: ['2026-01-01', '2026-11-01'], monthsFrom: '2025-12-01' })),
    most: { dolibarr: 95_000, odoo: 160_000, 'alga-psa': 82_000 },
  },
  'invoices, statement of a month': {
    ask: invoices(it => it.statement('2026-11-01', '2026-11-30')),
    most: { dolibarr: 160_000, odoo: 53_000, 'alga-psa': 23_000 },
  },
  'payments, newest first': {
    ask: payments(it => it.list({ size: 20 })),
    most: { dolibarr: 43_000, odoo: 15_000, 'alga-psa': 22_000 },
  },
  'payments, years': {
    ask: payments(it => it.years()),
    most: { dolibarr: 140_000, odoo: 15_000, 'alga-psa': 220_000 },
  },
}

describe('Rows that are read for the client with the most invoices', function () {
  this.timeout(120_000)

  if (!snapshots.length) it('are not counted: there are no snapshots', () => undefined)
  for (const snapshot of snapshots) describe(snapshot.title, () => staysBelow(snapshot))
})

function staysBelow(snapshot: Snapshot) {
  let copy: Copy
  let rowsFor: (question: Question) => Promise<number>

  before(async () => {
    copy = await copyOf(snapshot)
    rowsFor = await counting(snapshot, copy)
  })
  after(() => copy?.close())

  for (const [name, question] of Object.entries(questions))
    it(name, async () => {
      const rows = await rowsFor(question)
      if (process.env.ROWS) console.log(`${snapshot.name} ${name}: ${rows}`)
      expect(rows).to.be.at.most(question.most[snapshot.name] ?? 0)
    })
}

/** Asks as the client with the most invoices, and counts what PostgreSQL reads for each statement of it. */
async function counting(snapshot: Snapshot, copy: Copy) {
  const { database, heard } = listening(copy.url)
  const ports = adapterOf(snapshot.map, database).connect(await busiest(snapshot, copy))
  // What is asked once about the schema is not counted.
  await ports.invoices!.list({ sort: 'newest', size: 1 })
  heard()
  return async ({ ask }: Question) => {
    await ask(ports)
    let rows = 0
    for (const it of heard()) rows += await rowsReadBy(copy.owner, it)
    return rows
  }
}

/** The client with the most invoices, in the workspace where it has them. */
async function busiest({ map, truth }: Snapshot, { owner }: Copy) {
  const { client, workspace } = await mostInvoices(map, owner)
  return customerOf((await workspacesOf(map, owner)).get(workspace)!, client, truth().asOf)
}
