/** Reading source without a parser: strings, comments and brackets. */

/** The text with comments and the content of strings replaced by spaces, so that positions stay the same. */
export const masked = (text: string, comments: Comments = slashes, kept = nothing): string =>
  text.replace(comments, whole => {
    if (kept.test(whole)) return whole
    if (!/^["'`]/.test(whole)) return blank(whole)
    const quotes = /^("""|''')/.test(whole) ? 3 : 1
    if (whole.length <= 2 * quotes) return whole
    return whole.slice(0, quotes) + blank(whole.slice(quotes, -quotes)) + whole.slice(-quotes)
  })

/** The text with comments replaced by spaces; strings stay. */
export const uncommented = (text: string, comments: Comments): string =>
  text.replace(comments, whole => (/^["'`]/.test(whole) ? whole : blank(whole)))

const nothing = /(?!)/
const blank = (text: string) => text.replace(/[^\n]/g, ' ')

export type Comments = RegExp
const strings = `"(?:[^"\\\\]|\\\\[\\s\\S])*"|'(?:[^'\\\\]|\\\\[\\s\\S])*'`
const slashes: Comments = new RegExp(
  `/\\*[\\s\\S]*?\\*/|//[^\\n]*|(?<![$&\\w])#(?!\\[)[^\\n]*|${strings}|\`(?:[^\`\\\\]|\\\\[\\s\\S])*\``,
  'g',
)
export const hashes: Comments = /"""[\s\S]*?"""|'''[\s\S]*?'''|#[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g

const blockComment = /\/\*[\s\S]*?\*\//
/** MySQL's; not an operator such as `#>`, and not the `#` of a temporary table. */
const hashComment = /(?:(?<=^[ \t]*|,[ \t]*)#|(?<=[ \t])#(?=[ \t]))[^\n]*/
/** MySQL's, in which a backslash escapes a quote; and that of every other dialect, in which it is a letter. */
const escapedString = /'(?:[^'\\]|''|\\[\s\S])*'/
const plainString = /(?<=\b[eE])'(?:[^'\\]|''|\\[\s\S])*'|'(?:[^']|'')*'/
/** A name, and in MySQL a string. It is read whole, so that a dash or an apostrophe in it starts nothing. */
const sqlName = /"[^"\n]*"|`[^`\n]*`/
const sqlComments = (string: RegExp): Comments =>
  new RegExp([blockComment, /--[^\n]*/, hashComment, string, sqlName].map(it => it.source).join('|'), 'gm')

const ofMysql = sqlComments(escapedString)
const ofOthers = sqlComments(plainString)

/** Comments, strings and names of SQL, in the dialect that the text shows: backticks and engines are MySQL's. */
export const dashes = (sql: string): Comments => (mysql.test(sql) ? ofMysql : ofOthers)

const mysql = /`\w+`|\bengine\s*=\s*\w|\bauto_increment\b|\bdefault\s+charset\b/i

const pairs: Record<string, string> = { '(': ')', '[': ']', '{': '}' }

/** Where the bracket at `open` closes; the end of the text where it never does. */
export function closing(mask: string, open: number): number {
  const up = mask[open]!
  const down = pairs[up]!
  let depth = 0
  for (let at = open; at < mask.length; at++) {
    if (mask[at] === up) depth++
    else if (mask[at] === down && --depth === 0) return at
  }
  return mask.length
}

/** What stands between the brackets at `open`, split at the commas of that level. */
export function parts(text: string, mask: string, open: number, separator = ','): string[] {
  return spans(mask, open, separator)
    .map(([start, end]) => text.slice(start, end).trim())
    .filter(it => it !== '')
}

export function spans(mask: string, open: number, separator = ','): [start: number, end: number][] {
  const end = closing(mask, open)
  const found: [number, number][] = []
  let depth = 0
  let start = open + 1
  for (let at = open + 1; at < end; at++) {
    const letter = mask[at]!
    if ('([{'.includes(letter)) depth++
    else if (')]}'.includes(letter)) depth--
    else if (letter === separator && depth === 0) {
      found.push([start, at])
      start = at + 1
    }
  }
  found.push([start, end])
  return found
}

/** Which line a position is on, counted from 1. */
export function lineAt(text: string, index: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at !== -1 && at < index; at = text.indexOf('\n', at + 1)) line++
  return line
}

/** The value of a source that is a single string literal. */
export function literal(source: string | undefined): string | undefined {
  return source?.trim().match(/^[rRbBuUfF]?(["'`])([\s\S]*)\1$/)?.[2]
}

/** Every string literal in a piece of source. */
export const literals = (source: string): string[] =>
  [...source.matchAll(/"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|`([^`]*)`/g)].map(it => it[1] ?? it[2] ?? it[3] ?? '')

/** The indented block under a line that ends in a colon (Python). */
export function indented(text: string, start: number): string {
  const lineStart = text.lastIndexOf('\n', start - 1) + 1
  const depth = text.slice(lineStart).match(/^[ \t]*/)![0].length
  const after = /\n(?=[^\s#)])|\n(?=[ \t]+\S)/g
  after.lastIndex = start
  for (let match = after.exec(text); match; match = after.exec(text)) {
    const line = text.slice(match.index + 1).match(/^[ \t]*/)![0].length
    if (line <= depth && !/^[ \t]*[)\]}]/.test(text.slice(match.index + 1, match.index + 200)))
      return text.slice(start, match.index)
  }
  return text.slice(start)
}
