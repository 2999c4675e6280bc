import type { Column } from '../../model.ts'
import { either } from '../../patterns.ts'
import { closing, dashes, lineAt, literals, masked, spans, uncommented } from '../text.ts'
import type { SourceFile } from '../tree.ts'
import type { Change } from './changes.ts'

/** The schema that SQL makes, in any dialect. `offset` is where in the file the SQL begins. */
export function sqlChanges({ path, text }: SourceFile, source = text, offset = 0): Change[] {
  if (path.endsWith('.down.sql')) return []
  const written = withoutWayBack(source)
  const comments = dashes(written)
  const mask = masked(written, comments, plainName)
  const sql = uncommented(written, comments)
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

/** Without the part of a migration that takes it back, as goose, sql-migrate and dbmate write it. */
const withoutWayBack = (text: string) =>
  text.replace(
    /^--[ \t]*(?:\+(?:migrate|goose)|migrate:)[ \t]*down\b[\s\S]*?(?=^--[ \t]*(?:\+(?:migrate|goose)|migrate:)[ \t]*up\b|(?![\s\S]))/gim,
    it => it.replace(/[^\n]/g, ' '),
  )

/** A name in quotes that no bracket, comma or quote makes look like something else. */
const plainName = /^["`][^'(),;]*["`]$/

const tableKind =
  /(?:(?:global\s+|local\s+)?temp(?:orary)?\s+|unlogged\s+|foreign\s+|materialized\s+|virtual\s+)?(?:table|view)/
const createStatement = `create\\s+(?:or\\s+replace\\s+)?${tableKind.source}(?:\\s+if\\s+not\\s+exists)?`
const alterStatement = /alter\s+table(?:\s+if\s+exists)?(?:\s+only)?/
const dropStatement = /drop\s+table(?:\s+if\s+exists)?/
const renameStatement = /rename\s+table/
const statement = new RegExp(
  `\\b(${either(new RegExp(createStatement), alterStatement, dropStatement, renameStatement).source})\\s+`,
  'gi',
)

const quotedName = /"[^"]+"|`[^`]+`|\[[^\]]+\]/
const simpleName = `(?:${quotedName.source}|[\\w$]+)`
/** `table`, `schema.table`, with or without quotes. */
const qualifiedName = new RegExp(`^\\s*(${simpleName}(?:\\.${simpleName})*)`)

function identifier(sql: string, from: number) {
  const match = qualifiedName.exec(sql.slice(from, from + 300))
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
    } else if (!notColumn.test(source)) {
      const column = columnOf(source, at(start + lead))
      if (column) columns.push(column)
    }
  }
  return columns
}

const uniqueKey = /unique\b(\s+(key|index)\b|\s*\(|\s+[`"\w]+\s*\()/
const indexOrCheck = /key\s+[`"\w]+\s*\(|index\b|constraint\b|check\s*\(|exclude\b/
const tableOption = /fulltext\b|spatial\b|period\b|like\s/
/** A part of `create table (…)` that is no column. */
const notColumn = new RegExp(`^\\s*(${either(/primary\s+key/, uniqueKey, indexOrCheck, tableOption).source})`, 'i')

const columnName = `${quotedName.source}|[\\w$]+`
const columnType = /[\w "]+?(?:\([^)]*\))?(?:\s*\[\])?/
const columnOptions = either(
  'not null default primary references unique check auto_increment generated collate character comment constraint on',
)
const columnDefinition = new RegExp(
  `^\\s*(${columnName})\\s*(${columnType.source})?(?=\\s*$|\\s+(?:${columnOptions.source})\\b|[\\s,(])`,
  'i',
)

function columnOf(source: string, at: string): Column | undefined {
  const match = source.match(columnDefinition)
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

const notAddedColumn = /constraint\b|primary\b|unique\b|index\b|key\b|foreign\b|fulltext\b|check\b/
const addColumn = new RegExp(`^add\\s+(?:column\\s+)?(?:if\\s+not\\s+exists\\s+)?(?!${notAddedColumn.source})`, 'i')

function alterations(sql: string, mask: string, table: string, at: string): Change[] {
  const found: Change[] = []
  for (const [start, end] of spans(`(${mask})`, 0)) {
    const source = sql.slice(start - 1, end - 1).trim()
    const rest = (pattern: RegExp) => (pattern.test(source) ? source.replace(pattern, '') : undefined)
    const renamed = source.match(/^rename\s+(?:column\s+)?([\w"`]+)\s+to\s+([\w"`]+)/i)
    const wholly = source.match(/^rename\s+(?:to\s+|as\s+)([\w"`.]+)/i)
    const changed = source.match(/^change\s+(?:column\s+)?([\w"`]+)\s+([\w"`]+)/i)
    const foreign = source.match(/foreign\s+key[^(]*\(\s*([\w"`]+)\s*\)\s*references\s+([\w"`.]+)/i)
    const added = rest(addColumn)
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
