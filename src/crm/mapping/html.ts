import { Parser } from 'htmlparser2'

// Stand around HTML on its way from SQL to here: "shift out" and "shift in" exist in every encoding of a database.
const begin = String.fromCharCode(14)
const end = String.fromCharCode(15)

/** SQL for a text whose HTML is read as plain text once it has left the database. */
export const markedHtml = (sql: string) => `(chr(14) || ${sql} || chr(15))`

/** A value of a row, or JSON in it, with all marked HTML as plain text. */
export function withoutHtml<T>(value: T): T {
  if (typeof value === 'string') return unmarked(value) as T
  if (Array.isArray(value)) return value.map(withoutHtml) as T
  if (value === null || typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([name, it]) => [name, withoutHtml(it)])) as T
}

function unmarked(text: string): string {
  const [before = '', ...marked] = text.split(begin)
  const read = marked.map(it => {
    const [html = '', ...after] = it.split(end)
    return plainText(html) + after.join(end)
  })
  return before + read.join('')
}

/**
 * What HTML says, with a line for each paragraph, break and item. What only looks like a tag is text: `<M8>` stays.
 * Plain text stays as it is.
 */
export function plainText(html: string): string {
  if (!/[<&]/.test(html)) return html.trim()
  let text = ''
  let hidden = 0
  const source = () => html.slice(parser.startIndex, parser.endIndex + 1)
  const parser = new Parser({
    ontext(it) {
      if (!hidden) text += it
    },
    onopentag(name) {
      if (name === 'br' || name === 'hr') text += '\n'
      else if (name === 'td' || name === 'th') text += ' '
      else if (hides.has(name)) hidden++
      else if (!tags.has(name) && !blocks.has(name)) text += source()
    },
    onclosetag(name, implied) {
      if (blocks.has(name)) text += '\n'
      else if (hides.has(name)) hidden--
      else if (!implied && !tags.has(name)) text += source()
    },
  })
  parser.end(html)
  return text
    .replaceAll('\u00a0', ' ')
    .replace(/[ \t]+\n/g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
}

const hides = new Set(['script', 'style', 'head', 'title', 'template'])
const blocks = new Set(
  'p div li h1 h2 h3 h4 h5 h6 tr table ul ol dl dt dd blockquote section article header footer pre'.split(' '),
)
const tags = new Set(
  `a abbr address b bdi bdo big body br caption center cite code col colgroup del em figcaption figure font hr html i
  img ins kbd label main mark meta o:p q s samp small span strike strong sub sup tbody td tfoot th thead time tt u var wbr`.split(
    /\s+/,
  ),
)
