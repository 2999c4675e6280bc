import { expect } from 'chai'
import { pluginHosts } from '../src/options.ts'
import { languages } from '../src/platform/i18n.ts'
import { sections } from '../src/plugin/discover.ts'
import { registered } from '../src/plugin/registry.ts'
import {
  kinds,
  type Language,
  type Mailed,
  mails,
  notifications,
  shown,
  speechIn,
  workspace,
} from './gallery/rendered.ts'
import { writeSheets } from './gallery/sheets.ts'

registered(sections, pluginHosts)

/** What no reader is to see. */
const mistakes: [RegExp, string][] = [
  [/[{}]/, 'a placeholder'],
  [/\b(undefined|null|NaN)\b|\[object|Invalid Date/, 'a value of the program'],
  [/\d{4}-\d\d-\d\d\b(?!-)/, 'a date as programs write it'],
  [/ {2}|^\s|\s$/, 'odd spaces'],
  [/ [,.;:!?](?!\d)|[,.;:!?]{2}(?<!\.\.\.|…)|\(\)|“”|«»|""/, 'odd punctuation'],
  [/\b(\p{L}{2,}) \1\b/iu, 'a word twice'],
]
const dates2000 = /\b2000\b/

const inEnglish =
  /[€£$]\d|\b(January|February|March|April|June|July|August|September|October|November|December|\w+day \d)\b/
const inSpanish =
  /\d\s[€£$]|\b(enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre)\b/

/** What is wrong with a text for a reader of this language. */
function wrong(text: string, language: Language): string[] {
  const found = mistakes.filter(([it]) => it.test(text)).map(([, it]) => it)
  if (!text) found.push('nothing')
  if (dates2000.test(text)) found.push('a date that stands for none')
  if (!text.isWellFormed()) found.push('half a character')
  if ((language === 'es' ? inEnglish : inSpanish).test(text)) found.push('an amount or date of another language')
  return found.map(it => `${it}: ${text}`)
}

describe('the gallery of all that is sent', function () {
  this.timeout(120_000)

  it('has an example of each notification whose sentences name facts', () => {
    for (const { name, example, sentence, about = '' } of kinds())
      expect(example !== undefined || !`${sentence}${about}`.includes('{'), `${name} has no example`).to.equal(true)
  })

  for (const language of languages) {
    it(`has no mistakes in notifications, on pages, phones and in texts, in ${language}`, () => {
      for (const { kind, text, about, several, push, hidden, sms, url } of notifications(language)) {
        const said = [text, several, push.title, push.body, hidden.body, sms.text, ...(about ? [about] : [])]
        expect(
          said.flatMap(it => wrong(it.replace(` ${url}`, ''), language)),
          kind,
        ).to.deep.equal([])
        expect([text, about, push.body].join(' '), kind).to.not.match(/\d [€£$]/)
        expect(push.body, kind).to.equal(about ? `${text}\n${about}` : text)
        expect(hidden.body, kind).to.equal(speechIn(language).t('You have a new notification.'))
        expect([push.url, push.lang], kind).to.deep.equal([url, speechIn(language).locale])
        expect(Math.max(push.bytes, hidden.bytes), kind).to.be.below(3_000)
        expect(sms.messages, kind).to.be.within(1, 2)
        expect(sms.text.startsWith(`${workspace.name}: `) && sms.text.endsWith(` ${url}`), sms.text).to.equal(true)
      }
    })

    it(`has no mistakes in mails, in ${language}`, () => {
      for (const { kind, subject, text, content } of mails(language)) {
        const { paragraphs, details = [], items = [], quotes = [], action, after, why = '' } = content
        const said = [
          ...[subject, why, ...paragraphs, ...after, ...(action ? [action.label] : [])],
          ...[...details.flat(), ...quotes.map(it => it.text), ...items.map(it => it.title)],
        ]
        expect(
          said.flatMap(it => wrong(it, language)),
          kind,
        ).to.deep.equal([])
        const lines = text.split('\n').map(it => it.replace(/^> /, ''))
        expect(
          lines.filter(it => it && it !== '-- ').flatMap(it => wrong(it, language)),
          kind,
        ).to.deep.equal([])
        expect(subject.length, `${kind}: ${subject}`).to.be.within(8, 70)
        for (const it of [...paragraphs, ...after, why].filter(it => !it.includes('\n')))
          expect(it, kind).to.match(/[.:?!”»](\s|$)|https:\S+$|\d:\d\d$|^[\d.,€\s]+$/)
      }
    })
  }

  it('is translated, all of it', () => {
    const [english, spanish] = [notifications('en'), notifications('es')]
    for (const [at, { kind, facts, ...one }] of english.entries()) {
      const other = spanish[at]!
      expect(other.kind).to.equal(kind)
      for (const part of ['text', 'about', 'several'] as const)
        expect(untranslated(one[part], other[part], facts), kind).to.equal('')
      expect(untranslated(one.hidden.body, other.hidden.body, {})).to.equal('')
    }
    const letters = mails('es')
    for (const [at, { kind, content, facts }] of mails('en').entries())
      for (const [part, text] of Object.entries(partsOf(content)))
        expect(untranslated(text, partsOf(letters[at]!.content)[part] ?? '', facts), `${kind} ${part}`).to.equal('')
  })

  it('halves no character and stays short, whatever names and titles hold', () => {
    const odd = ['👩‍👩‍👧👍', 'ö', 'слово ', '漢字', 'word ', '"', '𝔘'].map(it => it.repeat(300))
    for (const kind of kinds())
      for (const text of odd) {
        const facts = Object.fromEntries(
          Object.entries(kind.example ?? {}).map(([name, it]) => [name, typeof it === 'string' ? `a${text}` : it]),
        )
        const { push, sms } = shown(kind, facts, 'es', { ...workspace, name: text })
        for (const it of [push.title, push.body, sms.text]) expect(it.isWellFormed(), kind.name).to.equal(true)
        expect(push.bytes, kind.name).to.be.below(3_000)
        expect(sms.messages, kind.name).to.be.within(1, 2)
        expect(sms.text, kind.name).to.include(push.url)
      }
  })

  const folder = process.env.PORTICO_GALLERY
  if (folder) it(`is painted into ${folder}`, () => writeSheets(folder))
})

/** What a mail says of its own, by where it stands. */
function partsOf(content: Mailed['content']): Record<string, string> {
  const { subject, why = '', action, paragraphs, after, details = [] } = content
  const labels = details.map(([label]) => label)
  return {
    subject,
    why,
    action: action?.label ?? '',
    body: paragraphs.join(' '),
    after: after.join(' '),
    labels: labels.join(' '),
  }
}

/** The words of a sentence that are the same in both languages; none where it says its facts alone. */
function untranslated(english: string, spanish: string, facts: object): string {
  if (english !== spanish) return ''
  return Object.values(facts)
    .filter((it): it is string => typeof it === 'string' && it !== '')
    .toSorted((a, b) => b.length - a.length)
    .reduce((left, it) => left.replaceAll(it, ' '), english)
    .replace(/[^\p{L}]+/gu, ' ')
    .trim()
}
