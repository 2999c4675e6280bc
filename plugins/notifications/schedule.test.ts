import { expect } from 'chai'
import { quietUntil, summaryMoment } from './schedule.ts'

const at = (text: string) => new Date(text)
const newYork = 'America/New_York'

describe('quiet hours', () => {
  const night = { from: 19, until: 8, weekend: false }

  it('end at their hour, across midnight', () => {
    expect(quietUntil(night, 'Europe/Amsterdam', at('2026-11-24T18:00:00Z'))).to.deep.equal(at('2026-11-25T07:00:00Z'))
    expect(quietUntil(night, 'Europe/Amsterdam', at('2026-11-25T06:59:59Z'))).to.deep.equal(at('2026-11-25T07:00:00Z'))
    expect(quietUntil(night, 'Europe/Amsterdam', at('2026-11-25T07:00:00Z'))).to.equal(undefined)
    expect(quietUntil(null, 'Europe/Amsterdam', at('2026-11-24T18:00:00Z'))).to.equal(undefined)
  })

  it('last over the weekend, where that is chosen', () => {
    const also = { ...night, weekend: true }
    expect(quietUntil(also, 'UTC', at('2026-11-27T20:00:00Z'))).to.deep.equal(at('2026-11-30T08:00:00Z'))
    expect(quietUntil({ from: 8, until: 8, weekend: true }, 'UTC', at('2026-11-28T12:00:00Z'))).to.deep.equal(
      at('2026-11-30T00:00:00Z'),
    )
    expect(quietUntil({ from: 8, until: 8, weekend: false }, 'UTC', at('2026-11-28T12:00:00Z'))).to.equal(undefined)
  })

  it('end outside of them whatever clocks do: an hour that a day skips or repeats, half hours', () => {
    const early = { from: 0, until: 2, weekend: false }
    // At two the clock goes to three.
    expect(quietUntil(early, newYork, at('2027-03-14T06:30:00Z'))).to.deep.equal(at('2027-03-14T07:00:00Z'))
    // The hour from one to two comes twice.
    expect(quietUntil(early, newYork, at('2027-11-07T05:30:00Z'))).to.deep.equal(at('2027-11-07T07:00:00Z'))
    for (const zone of ['Australia/Lord_Howe', 'Asia/Kathmandu', 'Pacific/Kiritimati', newYork])
      for (let hour = 0; hour < 24 * 370; hour += 5) {
        const now = new Date(Date.UTC(2027, 0, 1, hour, 17))
        const until = quietUntil(night, zone, now)
        if (until) expect(quietUntil(night, zone, until), `${zone} ${now.toISOString()}`).to.equal(undefined)
      }
  })
})

describe('the summary', () => {
  const daily = { hour: 8, weekday: null }

  it('was last due today or yesterday, or on its day of the week', () => {
    expect(summaryMoment(daily, 'UTC', at('2026-11-24T08:00:00Z'))).to.deep.equal({
      ...{ day: '2026-11-24', at: at('2026-11-24T08:00:00Z') },
    })
    expect(summaryMoment(daily, 'UTC', at('2026-11-24T07:59:59Z')).day).to.equal('2026-11-23')
    // A Tuesday.
    expect(summaryMoment({ hour: 8, weekday: 1 }, 'UTC', at('2026-11-24T12:00:00Z')).day).to.equal('2026-11-23')
    expect(summaryMoment({ hour: 8, weekday: 3 }, 'UTC', at('2026-11-24T12:00:00Z')).day).to.equal('2026-11-18')
  })

  it('comes once on a day that skips its hour, and once on one that has it twice', () => {
    const two = { hour: 2, weekday: null }
    expect(summaryMoment(two, newYork, at('2027-03-14T07:30:00Z'))).to.deep.equal({
      ...{ day: '2027-03-14', at: at('2027-03-14T07:00:00Z') },
    })
    const one = { hour: 1, weekday: null }
    for (const now of ['2027-11-07T05:00:00Z', '2027-11-07T06:30:00Z'])
      expect(summaryMoment(one, newYork, at(now))).to.deep.equal({ day: '2027-11-07', at: at('2027-11-07T05:00:00Z') })
    // 29 February, and a day that an island skipped.
    expect(summaryMoment(daily, 'UTC', at('2028-02-29T23:59:00Z')).day).to.equal('2028-02-29')
    expect(summaryMoment(daily, 'Pacific/Apia', at('2011-12-30T12:00:00Z')).at <= at('2011-12-30T12:00:00Z')).to.equal(
      true,
    )
  })
})
