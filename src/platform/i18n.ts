import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { IntlMessageFormat } from 'intl-messageformat'
import Negotiator from 'negotiator'
import type { Money } from './money.ts'
import { once } from './once.ts'
import { isPseudo, pseudoSentence } from './pseudo.ts'
import { root } from './root.ts'

export const languages = ['en', 'es'] as const

/** What fills the gaps of a sentence. An amount stands there as people write it. */
type Facts = Record<string, string | number | Money>

/**
 * How one reader is spoken to. `locale` is a language with or without a region ("es-MX"), `zone` an IANA time zone.
 * Made once for each pair.
 */
export const speak = once((key: string) => {
  const [locale = '', timeZone = 'UTC'] = key.split('|')
  const language = languages.find(it => locale.split('-')[0] === it) ?? 'en'
  const numbers = numbersOf(locale)
  const { t, sentence } = sentencesOf(locale, language, numbers.money)
  return {
    language,
    locale,
    direction: /^(ar|fa|he|ur)\b/.test(locale) ? ('rtl' as const) : ('ltr' as const),
    /** IANA name of the reader's time zone. */
    zone: timeZone,
    /** A sentence in ICU MessageFormat, which is its own key. */
    t,
    sentence,
    ...numbers,
    ...datesOf(locale),
    ...timesOf(locale, timeZone),
    relativeTime: relativeTimeOf(t, locale, timeZone),
  }
})

function sentencesOf(locale: string, language: string, money: (it: Money) => string) {
  const words = dictionary(language)
  const formats = once(sentence =>
    isPseudo(locale)
      ? new IntlMessageFormat(pseudoSentence(sentence, locale), locale)
      : new IntlMessageFormat(words[sentence] ?? sentence, locale, {}, { ignoreTag: true }),
  )
  const written = (it: Facts[string]) => (isMoney(it) ? money(it) : it)
  const withAmounts = (facts: Facts) =>
    Object.values(facts).some(isMoney)
      ? Object.fromEntries(Object.entries(facts).map(([name, it]) => [name, written(it)]))
      : (facts as Record<string, string | number>)
  return {
    t: (sentence: string, facts?: Facts): string =>
      facts || sentence.includes('{') || isPseudo(locale)
        ? String(formats(sentence).format(facts && withAmounts(facts)))
        : (words[sentence] ?? sentence),
    /** The sentence of something stored, maybe by an older version: a value that it lacks is shown as `…`. */
    sentence: (text: string, facts: Facts): string => String(formats(text).format(withEllipses(withAmounts(facts)))),
  }
}

const withEllipses = <Value>(facts: Record<string, Value>) =>
  new Proxy<Record<string, Value | string>>(facts, { has: () => true, get: (its, name) => its[String(name)] ?? '…' })

const isMoney = (it: unknown): it is Money => typeof it === 'object' && it !== null && 'currency' in it

function numbersOf(locale: string) {
  const format = (options: Intl.NumberFormatOptions) => new Intl.NumberFormat(locale, options)
  const amounts = once(currency => format({ style: 'currency', currency, useGrouping }))
  const prices = once(currency => format({ style: 'currency', currency, maximumFractionDigits: 4, useGrouping }))
  const rounds = once(currency => format({ style: 'currency', currency, ...rounded }))
  const plain = format({ maximumFractionDigits: 6 })
  const kilobytes = format({ style: 'unit', unit: 'kilobyte', maximumFractionDigits: 0 })
  const gigabytes = format({ style: 'unit', unit: 'gigabyte', maximumFractionDigits: 1 })
  const megabytes = format({ style: 'unit', unit: 'megabyte', maximumFractionDigits: 1 })
  return {
    money: once2((amount: string, currency: string) => amounts(currency).format(amount as `${number}`)),
    /** Of one piece, which may cost a part of a cent. */
    price: ({ amount, currency }: Money) => prices(currency).format(amount as `${number}`),
    /** "12.500" is "12.5": a quantity or a percentage without the zeros that a column adds. */
    number: (decimal: string) => plain.format(decimal as `${number}`),
    /** About how much, for the scale of a chart. */
    round: (amount: number, currency: string) => rounds(currency).format(amount),
    /** Of a file, in bytes. */
    size: (bytes: number) => {
      if (bytes < 1e6) return kilobytes.format(Math.ceil(bytes / 1e3))
      return bytes < 1e9 ? megabytes.format(bytes / 1e6) : gigabytes.format(bytes / 1e9)
    },
  }
}

/** Also four digits, as on every Spanish invoice: "5.050,00 €" above "16.736,72 €". */
const useGrouping = 'always'

const rounded = { notation: 'compact', maximumFractionDigits: 1, minimumFractionDigits: 0 } as const

/** Plain dates, which have no time zone, and months like "2026-11". */
function datesOf(locale: string) {
  const format = (options: Intl.DateTimeFormatOptions) => {
    const dates = new Intl.DateTimeFormat(locale, { ...options, timeZone: 'UTC' })
    return once((date: string) => dates.format(new Date(date)))
  }
  return {
    day: format({ dateStyle: 'medium' }),
    shortDay: format({ day: 'numeric', month: 'short' }),
    /** "Wed 25 Nov": for days that are near. */
    nearDay: format({ weekday: 'short', day: 'numeric', month: 'short' }),
    longDay: format({ weekday: 'long', day: 'numeric', month: 'long' }),
    month: format({ month: 'short' }),
    longMonth: format({ month: 'long', year: 'numeric' }),
  }
}

function timesOf(locale: string, timeZone: string) {
  const times = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short', timeZone })
  const hours = new Intl.DateTimeFormat('en', { hour: 'numeric', hourCycle: 'h23', timeZone })
  return {
    /** An instant, in the reader's time zone. */
    time: (instant: Date | string) => times.format(new Date(instant)),
    hour: (instant: Date) => Number(hours.format(instant)),
  }
}

/**
 * Says when something was as people do, in the reader's time zone: "Today, 10:42", "Yesterday, 9:12", "Friday, 16:12"
 * within a week, then "12 November", with the year of another one. `inside` a sentence it is "today, 10:42".
 */
function relativeTimeOf(t: (sentence: string, facts?: Facts) => string, locale: string, timeZone: string) {
  const format = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(locale, { ...options, timeZone })
  const clock = format({ timeStyle: 'short' })
  const weekday = format({ weekday: 'long' })
  const date = format({ day: 'numeric', month: 'long' })
  const whole = format({ day: 'numeric', month: 'long', year: 'numeric' })
  const said = (at: Date, now: Date): string => {
    const [then, today] = [dateIn(timeZone, at), dateIn(timeZone, now)]
    const ago = Math.round((Date.parse(today) - Date.parse(then)) / 86_400_000)
    const time = clock.format(at)
    if (ago === 0) return t('today, {time}', { time })
    if (ago === 1) return t('yesterday, {time}', { time })
    if (ago > 1 && ago < 7) return t('{day}, {time}', { day: weekday.format(at), time })
    return (then.slice(0, 4) === today.slice(0, 4) ? date : whole).format(at)
  }
  return (instant: Date | string, now: Date, inside = false): string => {
    const words = said(new Date(instant), now)
    return inside ? words : capital(words, locale)
  }
}

export const capital = (text: string, locale: string) => text.charAt(0).toLocaleUpperCase(locale) + text.slice(1)

/** What a language is called in itself, as a choice: "Español". */
export const languageName = (language: string): string =>
  capital(new Intl.DisplayNames(language, { type: 'language' }).of(language) ?? language, language)

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
  for (const tag of new Negotiator({ headers: { 'accept-language': header } }).languages()) {
    const [, language, region] = /^([a-z]{2})(?:-([A-Z]{2}))?$/.exec(tag) ?? []
    if (isPseudo(tag)) return tag
    if (language && (languages as readonly string[]).includes(language))
      return region ? `${language}-${region}` : home(language)
  }
  return home('en')
})

const home = (language: string) => (language === 'en' ? 'en-GB' : language)

/** A sentence is its own key. Without a translation it is shown in English. */
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

function once2<T>(make: (amount: string, currency: string) => T): (money: Money) => T {
  const made = once(key => make(key.slice(4), key.slice(0, 3)))
  return ({ amount, currency }) => made(`${currency} ${amount}`)
}
