import type { Column } from '../../model.ts'
import { closing, dashes, lineAt, literals, masked, spans } from '../text.ts'
import type { SourceFile } from '../tree.ts'
import type { Change } from './changes.ts'

/** The schema that SQL makes, in any dialect. `offset` is where in the file the SQL begins. */
export function sqlChanges({ path, text }: SourceFile, sql = text, offset = 0): Change[] {
  const mask = masked(sql, dashes)
  const base = offset ? lineAt(text, offset) - 1 : 0
  const at = (index: number) => `${path}:${base + lineAt(sql, index)}`
  const found: Change[] = []
  statement.lastIndex = 0
  for (let match = statement.exec(mask); match; match = statement.exec(mask)) {
    const named = identifier(sql, match.index + match[0].length)
    const verb = match[0].toLowerCase().replace(/\s+/g, ' ')
    if (!named) continue
    const end = ending(mask, named.end)
    if (verb.startsWith('create') && verb.includes('view'))
      found.push({ kind: 'table', table: named.name, columns: [], at: at(match.index), view: true })
    else if (verb.startsWith('create')) {
      const open = mask.indexOf('(', named.end)
      if (open === -1 || open > end) continue
      found.push({ kind: 'table', table: named.name, columns: columnsOf(sql, mask, open, at), at: at(match.index) })
    } else if (verb.startsWith('drop')) {
      for (const name of sql
        .slice(named.start, end)
        .replace(/\b(cascade|restrict)\b/gi, '')
        .split(','))
        found.push({ kind: 'drop', table: unquoted(name.trim()) })
    } else if (verb.startsWith('rename')) {
      for (const [, from, to] of sql.slice(named.start, end).matchAll(/([\w`".]+)\s+to\s+([\w`".]+)/gi))
        found.push({ kind: 'rename', table: unquoted(from!), to: unquoted(to!) })
    } else
      found.push(...alterations(sql.slice(named.end, end), mask.slice(named.end, end), named.name, at(match.index)))
  }
  return found
}

const statement =
  /\b(create\s+(?:or\s+replace\s+)?(?:(?:global\s+|local\s+)?temp(?:orary)?\s+|unlogged\s+|foreign\s+|materialized\s+|virtual\s+)?(?:table|view)(?:\s+if\s+not\s+exists)?|alter\s+table(?:\s+if\s+exists)?(?:\s+only)?|drop\s+table(?:\s+if\s+exists)?|rename\s+table)\s+/gi

function identifier(sql: string, from: number) {
  const match = /^\s*((?:"[^"]+"|`[^`]+`|\[[^\]]+\]|[\w$]+)(?:\.(?:"[^"]+"|`[^`]+`|\[[^\]]+\]|[\w$]+))*)/.exec(
    sql.slice(from, from + 300),
  )
  if (!match) return undefined
  return { name: unquoted(match[1]!), start: from, end: from + match[0].length }
}

const unquoted = (name: string) =>
  name
    .replace(/["`[\]]/g, '')
    .trim()
    .split('.')
    .at(-1)!

/** A statement ends at a semicolon outside of brackets, or with the text. */
function ending(mask: string, from: number): number {
  let depth = 0
  for (let at = from; at < mask.length; at++) {
    if (mask[at] === '(') depth++
    else if (mask[at] === ')') depth--
    else if (mask[at] === ';' && depth <= 0) return at
  }
  return mask.length
}

function columnsOf(sql: string, mask: string, open: number, at: (index: number) => string): Column[] {
  const columns: Column[] = []
  for (const [start, end] of spans(mask, open)) {
    const source = sql.slice(start, end)
    const lead = source.length - source.trimStart().length
    const clean = mask.slice(start, end)
    const foreign = clean.match(
      /^\s*(?:constraint\s+\S+\s+)?foreign\s+key[^(]*\(([^)]*)\)\s*references\s+([\w"`.[\]]+)/i,
    )
    if (foreign) {
      const column = columns.find(it => it.name.toLowerCase() === unquoted(foreign[1]!).toLowerCase())
      if (column) column.references = unquoted(foreign[2]!)
    } else if (!noColumn.test(source)) {
      const column = columnOf(source, at(start + lead))
      if (column) columns.push(column)
    }
  }
  return columns
}

const noColumn =
  /^\s*(primary\s+key|unique\b(\s+(key|index)\b|\s*\(|\s+[`"\w]+\s*\()|key\s+[`"\w]+\s*\(|index\b|constraint\b|check\s*\(|exclude\b|fulltext\b|spatial\b|period\b|like\s)/i

function columnOf(source: string, at: string): Column | undefined {
  const match = source.match(
    /^\s*("[^"]+"|`[^`]+`|\[[^\]]+\]|[\w$]+)\s*([\w "]+?(?:\([^)]*\))?(?:\s*\[\])?)?(?=\s*$|\s+(?:not|null|default|primary|references|unique|check|auto_increment|generated|collate|character|comment|constraint|on)\b|[\s,(])/i,
  )
  if (!match) return undefined
  const name = unquoted(match[1]!)
  const references = source.match(/\breferences\s+([\w"`.[\]]+)/i)?.[1]
  const listed =
    source.match(/\benum\s*\(([^)]*)\)/i) ??
    source.match(/\bcheck\s*\(+\s*"?\w+"?\s*(?:\)\s*)?(?:in\s*\(|=\s*any\s*\(+array\[)([^)\]]*)/i)
  return {
    name,
    type: (match[2] ?? '').trim().toLowerCase(),
    at,
    ...(references && { references: unquoted(references) }),
    ...(listed && { values: literals(listed[1]!) }),
  }
}

function alterations(sql: string, mask: string, table: string, at: string): Change[] {
  const found: Change[] = []
  for (const [start, end] of spans(`(${mask})`, 0)) {
    const source = sql.slice(start - 1, end - 1).trim()
    const rest = (pattern: RegExp) => (pattern.test(source) ? source.replace(pattern, '') : undefined)
    const renamed = source.match(/^rename\s+(?:column\s+)?([\w"`]+)\s+to\s+([\w"`]+)/i)
    const wholly = source.match(/^rename\s+(?:to\s+|as\s+)([\w"`.]+)/i)
    const changed = source.match(/^change\s+(?:column\s+)?([\w"`]+)\s+([\w"`]+)/i)
    const foreign = source.match(/foreign\s+key[^(]*\(\s*([\w"`]+)\s*\)\s*references\s+([\w"`.]+)/i)
    const added = rest(
      /^add\s+(?:column\s+)?(?:if\s+not\s+exists\s+)?(?!constraint\b|primary\b|unique\b|index\b|key\b|foreign\b|fulltext\b|check\b)/i,
    )
    const dropped = source.match(
      /^drop\s+(?:column\s+)?(?:if\s+exists\s+)?(?!constraint\b|primary\b|index\b|key\b|foreign\b|default\b)([\w"`]+)/i,
    )
    if (foreign)
      found.push({ kind: 'reference', table, column: unquoted(foreign[1]!), references: unquoted(foreign[2]!) })
    else if (wholly) found.push({ kind: 'rename', table, to: unquoted(wholly[1]!) })
    else if (renamed)
      found.push({ kind: 'rename column', table, column: unquoted(renamed[1]!), to: unquoted(renamed[2]!) })
    else if (changed)
      found.push({ kind: 'rename column', table, column: unquoted(changed[1]!), to: unquoted(changed[2]!) })
    else if (added !== undefined) {
      const sources = /^\(/.test(added) ? added.slice(1, closing(added, 0)).split(/,(?![^(]*\))/) : [added]
      for (const it of sources) {
        const column = columnOf(it, at)
        if (column) found.push({ kind: 'column', table, column })
      }
    } else if (dropped) found.push({ kind: 'drop column', table, column: unquoted(dropped[1]!) })
  }
  return found
}
