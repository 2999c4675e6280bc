import { expect } from 'chai'
import { rollback } from '../../src/index.ts'
import { fingerprint } from '../fingerprint.ts'
import { type Difference, fields } from './compare.ts'
import { type Copy, copyOf } from './database.ts'
import { type Visits, visitPages } from './pages.ts'
import { type Reading, readAll } from './reading.ts'
import { openSite } from './site.ts'
import { folder, type Snapshot, snapshots } from './snapshots.ts'
import { isWhole, type Result, resultOf, writeTable } from './table.ts'

const results: Result[] = []

describe('Real CRMs by their kept maps', function () {
  this.timeout(300_000)

  if (!snapshots.length) it(`are not here: ${folder} has no snapshots`, () => undefined)
  for (const it of snapshots) describe(it.title, () => compareWithTruth(it))

  describe('docs/crms/README.md', () => {
    it('tells what was found', () => {
      if (!isWhole(results)) return
      const { before, after } = writeTable(results)
      expect(before, 'its table was out of date, and has been written again').to.equal(after)
    })
  })
})

function compareWithTruth(snapshot: Snapshot) {
  const truth = snapshot.truth()
  let copy: Copy
  let fingerprintBefore: string[]
  let reading: Reading

  before(async () => {
    copy = await copyOf(snapshot)
    fingerprintBefore = await fingerprint(copy.owner)
    reading = await readAll(snapshot, copy, truth)
    results.push(resultOf(snapshot, truth, reading))
  })
  after(() => copy?.close())

  for (const field of fields)
    it(`${field}: as the CRM says it of its documents`, () => expectNamed(snapshot, reading.documents, field))

  it('totals: as the CRM says them of its clients', () => expectNamed(snapshot, reading.clients, 'totals'))

  it('statement: ends with what is due', () => expectNamed(snapshot, reading.clients, 'statement'))

  it('shows nobody what is somebody else’s', () => {
    expect(reading.asked).to.be.above(1_000)
    expect(told(reading.leaks)).to.equal('')
  })

  describe('to clients who are signed in', () => showSignedIn(snapshot, () => copy))

  describe('in the end', () => {
    it('leaves the CRM’s schema and rows as they were', async () => {
      await rollback(copy.owner, { role: copy.role })
      expect(await fingerprint(copy.owner)).to.deep.equal(fingerprintBefore)
    })
  })
}

function showSignedIn(snapshot: Snapshot, copy: () => Copy) {
  const truth = snapshot.truth()
  let visits: Visits

  before(async () => {
    const site = await openSite(snapshot, copy(), truth.asOf)
    visits = await visitPages(site, truth, 40).finally(site.close)
  })

  it('says the same as JSON', () => {
    expect(visits.read).to.be.at.least(40)
    const unnamed = visits.json.filter(it => !snapshot.named.some(one => names(one, it)))
    expect(told(unnamed.map(it => it.sentence))).to.equal('')
  })

  it('says the same on its pages and in its lists', () => expect(told(visits.pages)).to.equal(''))

  it('answers 404 for what is somebody else’s, as page and as JSON', () => {
    expect(visits.foreign).to.be.above(100)
    expect(told(visits.leaks)).to.equal('')
  })
}

/** Every difference in this field is named beside the map, and none is named that is not there any more. */
function expectNamed({ named }: Snapshot, differences: Difference<string>[], field: string) {
  const its = differences.filter(it => it.field === field)
  const unnamed = its.filter(it => !named.some(one => names(one, it))).map(it => it.sentence)
  const gone = named
    .filter(one => one.field === field)
    .flatMap(one => one.of.filter(of => !its.some(it => it.of === of)))
    .map(of => `${of} is named in differences.json, and is right`)
  expect(told([...unnamed, ...gone])).to.equal('')
}

const names = (one: Snapshot['named'][number], it: Difference<string>) =>
  one.field === it.field && one.of.includes(it.of)

/** A list for a message: the first forty. */
const told = (its: string[]) =>
  [...its.slice(0, 40), ...(its.length > 40 ? [`… and ${its.length - 40} more`] : [])].join('\n')
