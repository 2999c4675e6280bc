import type { Facts } from '../../src/mail/kinds.ts'
import type { NamedKind, NotificationFacts } from '../../src/notifications/kinds.ts'
import type { Speech } from '../../src/platform/i18n.ts'

/** Values that take a sentence through all that it may say: one and several, each choice. */
export function variantsOf({ sentence, several = '', about = '', example = {} }: NamedKind): NotificationFacts[] {
  const choices = new Map([sentence, several, about].flatMap(it => [...choicesIn(it)]))
  let variants = [example]
  for (const [name, values] of choices)
    if (name in example) variants = variants.flatMap(it => values.map(value => ({ ...it, [name]: value })))
  return variants
}

/** The names that a plural or a choice goes by, and one value for each branch. */
function choicesIn(sentence: string): Map<string, (string | number)[]> {
  const found = new Map<string, (string | number)[]>()
  for (const [, name = '', type, rest = ''] of sentence.matchAll(/\{(\w+), (plural|select), (.*)/g))
    found.set(name, type === 'plural' ? [1, 4] : [/^(\w+) \{/.exec(rest)?.[1] ?? '', '0'])
  return found
}

/** A mail's example facts as a reader of this language gets them: mails are given amounts and dates in writing. */
export const localFacts = (facts: Facts, speech: Speech): Facts =>
  Object.fromEntries(Object.entries(facts).map(([name, it]) => [name, typeof it === 'string' ? local(it, speech) : it]))

const months = 'January|February|March|April|May|June|July|August|September|October|November|December'.split('|')
const month = `(${months.map(it => `${it.slice(0, 3)}(?:${it.slice(3)})?`).join('|')})`
const amounts = /€([\d,]+\.\d\d)/g
const times = new RegExp(`(\\d{1,2}) ${month} (\\d{4}), (\\d\\d):(\\d\\d)`, 'g')
const days = new RegExp(`(\\d{1,2}) ${month} (\\d{4})`, 'g')
const longDays = new RegExp(`\\w+day (\\d{1,2}) ${month}`, 'g')

const local = (text: string, { money, time, day, longDay }: Speech): string =>
  text
    .replace(amounts, (_, amount) => money({ amount: amount.replaceAll(',', ''), currency: 'EUR' }))
    .replace(times, (_, date, name, year, hour, minute) => time(`${plain(date, name, year)}T${hour}:${minute}Z`))
    .replace(days, (_, date, name, year) => day(plain(date, name, year)))
    .replace(longDays, (_, date, name) => longDay(plain(date, name, '2026')))

const plain = (date: string, name: string, year: string) => {
  const at = months.findIndex(it => it.startsWith(name.slice(0, 3))) + 1
  return `${year}-${String(at).padStart(2, '0')}-${date.padStart(2, '0')}`
}
