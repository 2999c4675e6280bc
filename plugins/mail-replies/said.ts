import { Parser } from 'htmlparser2'
import { clean, type Incoming } from './incoming.ts'

/** What the person wrote: without what they reply to, and without their signature. As plain text. */
export function saidIn({ text, html }: Pick<Incoming, 'text' | 'html'>): string {
  const plain = text.trim() ? text : textOf(html)
  return withoutQuotes(clean(plain.replace(/\r\n?/g, '\n')))
}

/** Characters of HTML that are read, in pieces, and how deep it may be nested: mails of people are within both. */
const most = { html: 2_000_000, piece: 5_000, depth: 1_000 }

/** The text of HTML without quoted mails, signatures, scripts and styles, with a line for each paragraph and break. */
export function textOf(html: string): string {
  let text = ''
  let depth = 0
  /** The depth of the element that is left out, with all in it. */
  let hidden: number | undefined
  let ended = false
  const parser = new Parser({
    onopentag(name, attributes) {
      if (!voids.has(name)) depth++
      if (hidden !== undefined || ended) return
      if (beginsQuote(attributes)) ended = true
      else if (isLeftOut(name, attributes)) hidden = depth
      else if (name === 'br' || name === 'hr') text += '\n'
      else if (name === 'li') text += '- '
      else if (name === 'td' || name === 'th') text += ' '
    },
    ontext(it) {
      if (hidden === undefined && !ended) text += it.replace(/[\s\u00a0]+/g, ' ')
    },
    onclosetag(name) {
      if (!voids.has(name)) depth--
      if (hidden !== undefined && depth < hidden) hidden = undefined
      else if (hidden === undefined && !ended && blocks.has(name)) text += '\n'
    },
  })
  for (let at = 0; at < Math.min(html.length, most.html) && depth < most.depth; at += most.piece)
    parser.write(html.slice(at, at + most.piece))
  parser.end()
  return text
    .replace(/ *\n */g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
}

const voids = new Set('area base br col embed hr img input link meta source track wbr'.split(' '))
const blocks = new Set(
  'p div li h1 h2 h3 h4 h5 h6 tr table ul ol dl dt dd blockquote section article header footer pre'.split(' '),
)
const silent = new Set('script style head title template noscript iframe object svg math select textarea'.split(' '))

/** Gmail, Yahoo, Proton and Thunderbird put what is quoted, and signatures, into elements of their own. */
const quoting =
  /\b(gmail_quote|gmail_signature|gmail_attr|yahoo_quoted|protonmail_quote|moz-cite-prefix|moz-signature)\b/

const isLeftOut = (name: string, { class: its = '', type, style = '' }: Record<string, string>) =>
  silent.has(name) ||
  quoting.test(its) ||
  (name === 'blockquote' && type === 'cite') ||
  /display\s*:\s*none/i.test(style)

/** Outlook marks where the quoted mail begins. */
const beginsQuote = ({ id = '' }: Record<string, string>) =>
  /^(x_)*(divRplyFwdMsg|appendonsend|OLK_SRC_BODY_SECTION|mail-editor-reference-message-container)$/.test(id)

/** Every rule looks at a few lines: a text of any size is read in one go. */
export function withoutQuotes(text: string): string {
  const lines = text.split('\n').map(it => it.trimEnd())
  const kept: string[] = []
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!
    if (line.startsWith('>')) continue
    if (beginsSignature(line, kept) || beginsOriginal(lines, at)) break
    const after = endOfAttribution(lines, at)
    if (after === undefined) kept.push(line)
    else if (nextLine(lines, after).startsWith('>')) at = after - 1
    else break
  }
  while (kept.length && (!kept.at(-1)!.trim() || sentFrom.test(kept.at(-1)!))) kept.pop()
  return kept
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
}

/** "-- " is what signatures begin with (RFC 3676, 4.3); one at the very beginning is none. */
const beginsSignature = (line: string, before: string[]) => line === '--' && before.some(it => it.trim())

/** What mail programs of phones add below. */
const sentFrom =
  /^(sent from (my )?|get outlook for |sent with |enviado desde (mi )?|obtener outlook para |obtén outlook para |von meinem |gesendet (von|mit) |outlook für .{1,20} beziehen|verstuurd vanaf |verzonden (vanaf|met) |outlook voor .{1,20} downloaden|envoyé (de|depuis|à partir) |télécharger outlook pour )[^.?!]{0,80}\.?$/i

const original =
  /^[-_*]{2,}\s?(original message|original appointment|forwarded message|mensaje original|mensaje reenviado|ursprüngliche nachricht|originalnachricht|weitergeleitete nachricht|oorspronkelijk bericht|doorgestuurd bericht|message d['’]origine|message original|message transféré)\s?[-_*]{2,}$/i

/** Whether a mail that is quoted with its headers begins here, as Outlook does it. */
function beginsOriginal(lines: string[], at: number): boolean {
  const line = lines[at]!
  if (line.length > 500) return false
  if (original.test(line)) return true
  if (/^_{10,}$/.test(line)) return beginsHeaders(lines, at + 1)
  return beginsHeaders(lines, at)
}

const sender = /^\*?(from|de|von|van)\s?:\*? ?\S/i
const otherHeader =
  /^\*?(sent|date|to|cc|subject|enviado( el)?|fecha|para|asunto|gesendet( am)?|datum|an|betreff|verzonden|aan|onderwerp|envoyé|à|objet|date)\s?:\*?/i

/** A sender, and two more headers in the lines right below. */
function beginsHeaders(lines: string[], from: number): boolean {
  const at = lines[from] === '' ? from + 1 : from
  if (!sender.test(lines[at]?.slice(0, 500) ?? '')) return false
  const below = lines.slice(at + 1, at + 6).filter(it => otherHeader.test(it.slice(0, 500)))
  return below.length >= 2
}

const opens = /^(on|el|am|op|le|den|em|il)\s/i
const closes = /(wrote|escribió|schrieb( [^:]{1,200})?|schreef( [^:]{1,200})?|a écrit)\s?:$/i

/** Lines that an attribution may be broken into. */
const mostBroken = 4

/** "On 24 November 2026 Nadia wrote:", in one line or several. Gives the line after it; undefined where there is none. */
function endOfAttribution(lines: string[], at: number): number | undefined {
  if (!opens.test(lines[at]!.slice(0, 10))) return undefined
  let whole = ''
  for (let next = at; next < Math.min(at + mostBroken, lines.length); next++) {
    whole = `${whole} ${lines[next]!.slice(0, 400)}`.trim()
    if (!lines[next]) return undefined
    if (!closes.test(whole)) continue
    const isDated = /\d/.test(whole)
    return isDated || nextLine(lines, next + 1).startsWith('>') ? next + 1 : undefined
  }
  return undefined
}

/** The first line from here on that is not empty, among the next few. */
const nextLine = (lines: string[], from: number) => lines.slice(from, from + 4).find(it => it.trim()) ?? ''
