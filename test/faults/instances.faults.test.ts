import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { compare, compareMails, type Differences } from './compare.ts'
import { type Fault, faults } from './faults.ts'
import type { Instance } from './instance.ts'
import { type Answer, type Kind, Tally } from './journal.ts'
import { drained, openWorld, type World } from './world.ts'

/** A short run unless it is said how long each fault lasts, and for how many clients. */
const size = {
  seconds: Number(process.env.PORTICO_FAULTS_SECONDS ?? 4),
  clients: Number(process.env.PORTICO_FAULTS_CLIENTS ?? 40),
}

/** Milliseconds until pages come again; what is measured is printed, and is far below it. */
const longestRecovery = 10_000
/** Milliseconds in which nginx may still send a request to a process that has just been killed. */
const inFlight = 1_000

interface Line {
  fault: string
  tally: Tally
  /** How long all of it took. */
  seconds: number
  /** Milliseconds. */
  recovery: number
  differences: Differences
  twice: number
}

describe('two instances behind nginx and PgBouncer', function () {
  this.timeout(240_000 + size.seconds * 30_000)
  let world: World
  let failed = false
  const lines: Line[] = []

  before(async () => {
    world = await openWorld(size)
  })

  afterEach(function () {
    failed ||= this.currentTest?.state === 'failed'
  })

  after(async () => {
    if (lines.length) console.log(table(lines))
    if (failed) console.log(keep(world))
    await world?.close()
  })

  for (const fault of faults)
    it(`lose nothing and cut nobody off when ${fault.name}`, async function () {
      const reason = fault.skip?.(world)
      if (reason) {
        console.log(`      ${reason}`)
        return this.skip()
      }
      const line = await tried(world, fault)
      lines.push(line)
      expect(line.differences).to.deep.equal({ lost: [], doubled: [], broken: [] })
      expect(line.tally.wrong).to.deep.equal([])
      expect(line.tally.signedOut, 'signed out').to.equal(0)
      expect(unexplained(line, world).map(told).join('\n')).to.equal('')
      expect(line.recovery).to.be.below(longestRecovery)
      expect(line.tally.acknowledged).to.be.above(0)
    })

  it('have sent every mail in the end, once or once more under the same Message-ID', async () => {
    world.journal.tally = new Tally()
    await drained(world)
    const { twice, ...differences } = await compareMails(world.post, world.owner)
    const { lost, doubled, broken } = await compare(world.journal, world.owner, world.portal)
    lines.push({ fault: 'in the end', tally: world.journal.tally, recovery: 0, seconds: 0, differences, twice })
    expect(differences).to.deep.equal({ lost: [], doubled: [], broken: [] })
    expect({ lost, doubled, broken }).to.deep.equal({ lost: [], doubled: [], broken: [] })
  })

  it('detects planted losses and duplicates of changes and mails', async () => {
    const { journal, owner, portal, post } = world
    const done = (kind: Kind) => journal.entries.filter(it => it.kind === kind && it.acknowledged).map(it => it.key)
    const [kept, lost] = done('comment')
    const [accepted] = done('accepted')
    const [mail] = post.times.keys()
    await owner
      .transaction(async tx => {
        await tx('portal.client_comments').where({ text: lost }).update({ text: kept })
        await tx('proposals').where({ id: accepted }).update({ state: 'sent' })
        await tx('portal.client_portal_settings').where({ name: 'home' }).delete()
        const found = await compare(journal, tx, portal)
        expect(found.lost).to.include(lost).and.to.have.length.above(1)
        expect(found.doubled).to.deep.equal([kept])
        expect(found.broken.join()).to.include(`proposal ${accepted} is sent`)
        await tx.rollback()
      })
      .catch(ended)
    post.times.set(mail!, 3)
    post.times.delete([...post.times.keys()].at(-1)!)
    const mails = await compareMails(post, owner)
    expect(mails.doubled).to.have.length(1)
    expect(mails.lost).to.have.length(1)
  })
})

/** A transaction that was rolled back on purpose. */
function ended(error: Error) {
  if (!/rejected with non-error/.test(error.message)) throw error
}

async function tried(world: World, fault: Fault): Promise<Line> {
  const { crowd, journal, owner, portal } = world
  await world.refill()
  const tally = new Tally()
  journal.tally = tally
  const before = doubledMails(world)
  const began = performance.now()
  crowd.go()
  const recovery = await fault.act(world).finally(() => crowd.rest())
  const still = await Promise.all([...world.clients, world.colleague].map(it => it.everywhere()))
  tally.signedOut += still.filter(it => !it).length
  const differences = await compare(journal, owner, portal)
  const seconds = (performance.now() - began) / 1_000
  return { fault: fault.name, seconds, tally, recovery, differences, twice: doubledMails(world) - before }
}

const doubledMails = ({ post }: World) => [...post.times.values()].filter(it => it > 1).length

/**
 * A form, which is not sent twice, that went to a process while it was killed; or while it stopped, where the machine has
 * so much to do that a connection was refused which had just been made: one of a hundred at most.
 */
const duringEnd = (answer: Answer, instances: Instance[], how: 'killed' | 'stopped') =>
  answer.status === 502 &&
  answer.method === 'POST' &&
  instances.some(
    it =>
      answer.headers['x-upstream']?.endsWith(`:${it.port}`) &&
      it[how].some(({ at, gone }) => answer.began < gone + inFlight && answer.ended > at),
  )

function unexplained({ tally }: Line, { instances }: World) {
  const others = tally.broken.filter(it => !duringEnd(it, instances, 'killed'))
  const stopping = others.filter(it => duringEnd(it, instances, 'stopped'))
  const few = stopping.length <= Math.ceil((tally.acknowledged + tally.reads) / 100)
  return few ? others.filter(it => !stopping.includes(it)) : others
}

const told = ({ status, method, path, began, ended, headers }: Answer) =>
  `${status} ${method} ${path} from ${headers['x-upstream']}, ${Math.round(began)} to ${Math.round(ended)}`

const heads = ['fault', 'writes', 'reads', '502', '503', '504', 'lost', 'doubled', 'mails twice', 'signed out']

function table(lines: Line[]) {
  const rows = lines.map(({ fault, tally, recovery, seconds, differences, twice }) => [
    ...[fault, tally.acknowledged, tally.reads, tally.of(502), tally.of(503), tally.of(504)],
    ...[differences.lost.length, differences.doubled.length, twice, tally.signedOut],
    ...[`${seconds.toFixed(0)} s`, `${(recovery / 1_000).toFixed(2)} s`, `${(tally.slowestCode / 1_000).toFixed(1)} s`],
  ])
  const all = [[...heads, 'time', 'recovery', 'slowest code'], ...rows].map(it => `| ${it.join(' | ')} |`)
  return [all[0], `|${'---|'.repeat(heads.length + 3)}`, ...all.slice(1)].join('\n')
}

/** For who looks into it: what was done, and what the instances said. */
function keep(world: World | undefined) {
  if (!world) return 'The portal could not be opened.'
  const file = join(tmpdir(), `faults-${process.pid}.log`)
  writeFileSync(file, `${world.logged()}\n${world.journal.entries.map(it => JSON.stringify(it)).join('\n')}`)
  return `What the instances logged, and the journal: ${file}`
}
