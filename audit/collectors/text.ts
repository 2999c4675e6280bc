/** For languages without a parser here: where strings and comments are, which bracket closes which. */

/** The text with comments, and what is between quotes, blanked. Positions stay. */
export function masked(text: string, comments: Comments = slashes): string {
  const out: string[] = []
  let from = 0
  const blank = (start: number, end: number) => {
    out.push(text.slice(from, start), text.slice(start, end).replace(/[^\n]/g, ' '))
    from = end
  }
  comments.lastIndex = 0
  for (let match = comments.exec(text); match; match = comments.exec(text)) {
    const whole = match[0]
    const end = match.index + whole.length
    if (/^["'`]/.test(whole)) {
      const quotes = /^("""|''')/.test(whole) ? 3 : 1
      if (whole.length > 2 * quotes) blank(match.index + quotes, end - quotes)
    } else blank(match.index, end)
  }
  out.push(text.slice(from))
  return out.join('')
}

export type Comments = RegExp
const strings = `"(?:[^"\\\\]|\\\\[\\s\\S])*"|'(?:[^'\\\\]|\\\\[\\s\\S])*'`
const slashes: Comments = new RegExp(
  `/\\*[\\s\\S]*?\\*/|//[^\\n]*|(?<![$&\\w])#(?!\\[)[^\\n]*|${strings}|\`(?:[^\`\\\\]|\\\\[\\s\\S])*\``,
  'g',
)
export const hashes: Comments = /"""[\s\S]*?"""|'''[\s\S]*?'''|#[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g
export const dashes: Comments = /\/\*[\s\S]*?\*\/|--[^\n]*|^#[^\n]*|'(?:[^'\\]|''|\\.)*'/gm

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

/** The string that a piece of source is, if it is nothing but one. */
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
