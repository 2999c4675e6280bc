import { expect } from 'chai'
import { localeOf, speak } from './i18n.ts'

describe('the language of a browser', () => {
  for (const [header, locale] of [
    ['es-MX,es;q=0.9,en;q=0.8', 'es-MX'],
    ['en;q=0.5, es;q=0.9', 'es'],
    ['fr-CH, fr;q=0.9, es;q=0.8, *;q=0.5', 'es'],
    ['en-US,en', 'en-US'],
    ['en', 'en-GB'],
    ['es-419,es;q=0.9', 'es'],
    ['es;q=0', 'en-GB'],
    ['*', 'en-GB'],
    ['', 'en-GB'],
    [';;q=1,,\u00ff', 'en-GB'],
  ])
    it(`“${header}” is answered in ${locale}`, () => {
      expect(localeOf(header!)).to.equal(locale)
    })
})

describe('when something was', () => {
  const now = new Date('2026-11-23T09:00:00Z')
  const cases = [
    ['2026-11-23T08:59:00Z', 'Today, 09:59', 'Hoy, 9:59'],
    ['2026-11-22T23:30:00Z', 'Today, 00:30', 'Hoy, 0:30'],
    ['2026-11-22T22:30:00Z', 'Yesterday, 23:30', 'Ayer, 23:30'],
    ['2026-11-20T15:12:00Z', 'Friday, 16:12', 'Viernes, 16:12'],
    ['2026-11-17T12:00:00Z', 'Tuesday, 13:00', 'Martes, 13:00'],
    ['2026-11-16T12:00:00Z', '16 November', '16 de noviembre'],
    ['2025-12-31T23:30:00Z', '1 January', '1 de enero'],
    ['2025-12-31T12:00:00Z', '31 December 2025', '31 de diciembre de 2025'],
    ['2026-11-24T12:00:00Z', '24 November', '24 de noviembre'],
  ] as const
  for (const [at, english, spanish] of cases)
    it(`at ${at} is “${english}” in Amsterdam`, () => {
      expect(speak('en-GB|Europe/Amsterdam').relativeTime(at, now)).to.equal(english)
      expect(speak('es|Europe/Amsterdam').relativeTime(new Date(at), now)).to.equal(spanish)
    })
})

describe('when something was, inside a sentence', () => {
  it('begins with a small letter where the language does', () => {
    const now = new Date('2026-11-23T09:00:00Z')
    const said = (locale: string, at: string) => speak(`${locale}|UTC`).relativeTime(at, now, true)
    expect(['en-GB', 'es'].map(it => said(it, '2026-11-23T08:59:00Z'))).to.deep.equal(['today, 08:59', 'hoy, 8:59'])
    expect(['en-GB', 'es'].map(it => said(it, '2026-11-20T08:59:00Z'))).to.deep.equal([
      'Friday, 08:59',
      'viernes, 8:59',
    ])
  })
})
