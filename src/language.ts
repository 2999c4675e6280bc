import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { IntlMessageFormat } from 'intl-messageformat'
import type { Money } from './money.ts'
import { isPseudo, pseudoSentence } from './pseudo.ts'
import { root } from './root.ts'

export const languages = ['en', 'es'] as const

/** What fills the gaps of a sentence. */
type Facts = Record<string, string | number>

/**
 * How one reader is spoken to. `locale` is a language with or without a region ("es-MX"), `zone` an IANA time zone.
 * Made once for each pair.
 */
export const speak = once((key: string) => {
  const [locale = '', timeZone = 'UTC'] = key.split('|')
  const language = languages.find(it => locale.split('-')[0] === it) ?? 'en'
  const words = dictionary(language)
  const sentences = once(sentence =>
    isPseudo(locale)
      ? new IntlMessageFormat(pseudoSentence(sentence, locale), locale)
      : new IntlMessageFormat(words[sentence] ?? sentence, locale, {}, { ignoreTag: true }),
  )
  const amounts = once(currency => new Intl.NumberFormat(locale, { style: 'currency', currency }))
  const prices = once(
    currency => new Intl.NumberFormat(locale, { style: 'currency', currency, maximumFractionDigits: 4 }),
  )
  const plain = new Intl.NumberFormat(locale, { maximumFractionDigits: 6 })
  const days = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone: 'UTC' })
  const longDays = new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long', timeZone: 'UTC' })
  const shortDays = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', timeZone: 'UTC' })
  const months = new Intl.DateTimeFormat(locale, { month: 'short', timeZone: 'UTC' })
  const longMonths = new Intl.DateTimeFormat(locale, { month: 'long', year: 'numeric', timeZone: 'UTC' })
  const rounds = once(
    currency =>
      new Intl.NumberFormat(locale, {
        style: 'currency',
        currency,
        notation: 'compact',
        maximumFractionDigits: 1,
        minimumFractionDigits: 0,
      }),
  )
  const times = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short', timeZone })
  const sizes = new Intl.NumberFormat(locale, { style: 'unit', unit: 'kilobyte', maximumFractionDigits: 0 })
  const bigSizes = new Intl.NumberFormat(locale, { style: 'unit', unit: 'megabyte', maximumFractionDigits: 1 })
  const hours = new Intl.DateTimeFormat('en', { hour: 'numeric', hourCycle: 'h23', timeZone })

  return {
    language,
    locale,
    direction: /^(ar|fa|he|ur)\b/.test(locale) ? ('rtl' as const) : ('ltr' as const),
    /** IANA name of the reader's time zone. */
    zone: timeZone,
    /** A sentence in ICU MessageFormat, which is its own key. */
    t: (sentence: string, facts?: Facts): string =>
      facts || sentence.includes('{') || isPseudo(locale)
        ? String(sentences(sentence).format(facts))
        : (words[sentence] ?? sentence),
    money: once2((amount: string, currency: string) => amounts(currency).format(amount as `${number}`)),
    /** Of one piece, which may cost a part of a cent. */
    price: ({ amount, currency }: Money) => prices(currency).format(amount as `${number}`),
    /** "12.500" is "12.5": a quantity or a percentage without the zeros that a column adds. */
    number: (decimal: string) => plain.format(decimal as `${number}`),
    /** A plain date, which has no time zone. */
    day: once((date: string) => days.format(new Date(date))),
    shortDay: once((date: string) => shortDays.format(new Date(date))),
    /** Of "2026-11". */
    month: once((month: string) => months.format(new Date(month))),
    longMonth: once((month: string) => longMonths.format(new Date(month))),
    /** About how much, for the scale of a chart. */
    round: (amount: number, currency: string) => rounds(currency).format(amount),
    longDay: once((date: string) => longDays.format(new Date(date))),
    /** An instant, in the reader's time zone. */
    time: (instant: Date | string) => times.format(new Date(instant)),
    /** Of a file, in bytes. */
    size: (bytes: number) => (bytes < 1e6 ? sizes.format(Math.ceil(bytes / 1e3)) : bigSizes.format(bytes / 1e6)),
    hour: (instant: Date) => Number(hours.format(instant)),
  }
})

export type Speech = ReturnType<typeof speak>

/** Whether a time zone exists: a CRM may hold anything. */
export const zoneOf = once((zone: string) => {
  try {
    return Intl.DateTimeFormat('en', { timeZone: zone || 'UTC' }).resolvedOptions().timeZone
  } catch {
    return 'UTC'
  }
})

/** The plain date that an instant falls on in a time zone. */
export const dateIn = (zone: string, instant: Date): string => datesIn(zone).format(instant)
const datesIn = once((zone: string) => new Intl.DateTimeFormat('en-CA', { dateStyle: 'short', timeZone: zone }))

/** The first language of a browser's list that we speak, with its region where it names one (RFC 9110, 12.5.4). */
export const localeOf = once((header: string): string => {
  const wanted = header
    .split(',')
    .map(part => {
      const [tag = '', weight = 'q=1'] = part.trim().split(/\s*;\s*/)
      return { tag, weight: Number(weight.slice(2)) || 0 }
    })
    .sort((a, b) => b.weight - a.weight)
  for (const { tag } of wanted) {
    const [, language, region] = /^([a-z]{2})(?:-([A-Z]{2}))?$/.exec(tag) ?? []
    if (isPseudo(tag)) return tag
    if (language && (languages as readonly string[]).includes(language))
      return region ? `${language}-${region}` : home(language)
  }
  return home('en')
})

const home = (language: string) => (language === 'en' ? 'en-GB' : language)

/** A sentence is its own key: what has no translation is said in English. */
const dictionary = once((language: string): Record<string, string> => sentencesIn(join(root, 'views'), language))

/** Adds what a plugin says: `<language>.json` in its folder. A sentence that is known already keeps its translation. */
export function addSentences(folder: string) {
  for (const language of languages) {
    const known = dictionary(language)
    for (const [sentence, said] of Object.entries(sentencesIn(folder, language))) known[sentence] ??= said
  }
}

function sentencesIn(folder: string, language: string): Record<string, string> {
  const file = join(folder, `${language}.json`)
  return language !== 'en' && existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
}

/** Remembers what it made, up to a bound: keys may come from a browser. */
function once<T>(make: (key: string) => T): (key: string) => T {
  const made = new Map<string, T>()
  return key => {
    const known = made.get(key)
    if (known !== undefined) return known
    if (made.size >= 1_000) made.clear()
    const fresh = make(key)
    made.set(key, fresh)
    return fresh
  }
}

function once2<T>(make: (amount: string, currency: string) => T): (money: Money) => T {
  const made = once(key => make(key.slice(4), key.slice(0, 3)))
  return ({ amount, currency }) => made(`${currency} ${amount}`)
}
