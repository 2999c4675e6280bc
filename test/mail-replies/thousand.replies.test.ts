import { expect } from 'chai'
import { openReplies } from '../mail-replies.ts'
import { leave } from '../visit.ts'
import { random, type Sample, samples } from './odd-mails.ts'

const count = Number(process.env.PORTICO_REPLIES ?? 1_000)
const seed = Number(process.env.PORTICO_SEED ?? 20_261_124)

describe(`${count} replies by e-mail, a third of them odd`, function () {
  this.timeout(600_000)
  after(leave)

  it(`are all exactly once where they belong (seed ${seed})`, async () => {
    const world = await openReplies()
    const records = Array.from({ length: Math.ceil(count / 15) }, (_, at) => `record-${at}`)
    const foreign = (await world.addressFor('neighbour', 'foreign'))!
    const threads = []
    for (const record of records) threads.push({ record, to: (await world.addressFor('owner', record))!, foreign })
    const all = await samples(count, threads, seed)
    const next = random(seed + 1)
    const outcomes = new Map<Sample, string[]>(all.map(it => [it, []]))
    // A tenth arrives twice, some of them at the same moment from two sides.
    const deliveries = all.flatMap(it => (next() < 0.1 ? [it, it] : [it]))
    for (let at = 0; at < deliveries.length; at += 4) {
      // As over two days: no limit on replies within an hour is in the way.
      if (at % 100 === 0) await world.pass(61)
      await Promise.all(
        deliveries.slice(at, at + 4).map(async it => outcomes.get(it)!.push(await world.outcome(it.mail))),
      )
    }

    for (const [it, its] of outcomes) {
      const first = its.filter(one => one !== 'duplicate')
      const expected = it.outcome === 'unknown' ? its.map(() => 'unknown') : [it.outcome]
      expect(first, `${it.name}: ${it.mail.toString().slice(0, 3_000)}`).to.deep.equal(expected)
    }
    const of = (outcome: string) => all.filter(it => it.outcome === outcome)
    const said = await world.said()
    const wanted = of('taken').map(it => `${it.record}: ${it.says}`)
    expect(said.map(it => `${it.id}: ${it.text}`).toSorted()).to.deep.equal(wanted.toSorted())
    expect(await world.mailsOf('taken')).to.have.length(of('taken').length)
    expect(await world.mailsOf('held')).to.have.length(of('held').length)
    expect(await world.mailsOf('ignored')).to.have.length(of('ignored').length)
    expect(of('taken').length + of('held').length + of('ignored').length + of('unknown').length).to.equal(count)
  })
})
