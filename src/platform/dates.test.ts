import { expect } from 'chai'
import { dayBegins, daysLater } from './dates.ts'

describe('a day', () => {
  it('begins when its time zone says so', () => {
    const begins = (date: string, zone: string) => dayBegins(date, zone).toISOString()

    expect(begins('2026-11-21', 'UTC')).to.equal('2026-11-21T00:00:00.000Z')
    expect(begins('2026-11-21', 'Europe/Amsterdam')).to.equal('2026-11-20T23:00:00.000Z')
    expect(begins('2026-07-01', 'America/New_York')).to.equal('2026-07-01T04:00:00.000Z')
    expect(begins('2026-11-21', 'Pacific/Kiritimati')).to.equal('2026-11-20T10:00:00.000Z')
    expect(begins('2026-11-21', 'Asia/Kathmandu')).to.equal('2026-11-20T18:15:00.000Z')
    expect(begins('2026-03-29', 'Europe/Amsterdam')).to.equal('2026-03-28T23:00:00.000Z')
    expect(begins('2026-03-30', 'Europe/Amsterdam')).to.equal('2026-03-29T22:00:00.000Z')
  })

  it('begins at the first moment that there is, where clocks skip midnight', () => {
    expect(dayBegins('2026-03-08', 'America/Havana').toISOString()).to.equal('2026-03-08T05:00:00.000Z')
    expect(dayBegins('2026-04-24', 'Africa/Cairo').toISOString()).to.equal('2026-04-23T22:00:00.000Z')
    expect(dayBegins('2026-11-01', 'America/Havana').toISOString()).to.equal('2026-11-01T04:00:00.000Z')
    // A whole day that never was: Samoa went over the date line.
    expect(dayBegins('2011-12-30', 'Pacific/Apia').toISOString()).to.equal('2011-12-30T10:00:00.000Z')
  })

  it('is counted on over months and years', () => {
    expect(daysLater('2026-12-31', 1)).to.equal('2027-01-01')
    expect(daysLater('2024-03-01', -1)).to.equal('2024-02-29')
  })
})
