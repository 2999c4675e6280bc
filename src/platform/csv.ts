import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { CsvError, parse } from 'csv-parse/sync'

/**
 * Rows as CSV (RFC 4180), with a byte order mark so that spreadsheets read it as UTF-8. What a spreadsheet would run as a
 * formula gets an apostrophe before it (OWASP CSV Injection), also after a semicolon, a tab or a line break: spreadsheets
 * that separate by those see a new cell there.
 */
export const csv = (rows: unknown[][]): string => `\ufeff${csvLines(rows)}`

/** The same without the mark. */
const csvLines = (rows: unknown[][]): string => rows.map(row => `${row.map(cell).join(',')}\r\n`).join('')

/** Sends rows as they are read. Whoever closes the page in the middle of a download wants no more of it. */
export async function sendCsv(to: Writable, heading: string[], pages: AsyncIterable<unknown[][]>): Promise<void> {
  await pipeline(linesOf(heading, pages), to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error
  })
}

async function* linesOf(heading: string[], pages: AsyncIterable<unknown[][]>) {
  yield csv([heading])
  for await (const rows of pages) yield csvLines(rows)
}

function cell(value: unknown): string {
  const text = value instanceof Date ? value.toISOString() : String(value ?? '')
  const inert = plainNumber.test(text) ? text : text.replace(cellBegins, "$1'$2")
  return /[",;\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert
}

const plainNumber = /^-?\d+(\.\d+)?$/
/** Where a cell may begin, and a sign with which a formula does; full-width ones count as well. */
const cellBegins = /(^|[;\t\r\n])(\s*[=+\-@＝＋－＠]|^[\t\r])/g

export interface CsvRow {
  /** Where it begins in the file, from 1. */
  line: number
  cells: string[]
}

/**
 * What a spreadsheet saves: commas, semicolons or tabs, as the first line has most of; quotes, and line breaks in them
 * (RFC 4180). Empty lines are left out, cells are trimmed.
 */
export function csvRows(text: string): CsvRow[] {
  const rows: CsvRow[] = []
  let line = 1
  for (const record of records(text.replaceAll('\r\n', '\n').replaceAll('\r', '\n'))) {
    const cells = record.map(it => it.trim())
    if (cells.some(Boolean)) rows.push({ line, cells })
    line += record.join('').split('\n').length
  }
  return rows
}

/** A quote that is never closed ends with the file. */
function records(text: string): string[][] {
  const [head = ''] = text.split('\n', 1)
  const [delimiter = ','] = [',', ';', '\t'].toSorted((a, b) => head.split(b).length - head.split(a).length)
  const options = { delimiter, bom: true, record_delimiter: '\n', relax_column_count: true, relax_quotes: true }
  try {
    return parse(text, options)
  } catch (error) {
    if (!(error instanceof CsvError) || error.code !== 'CSV_QUOTE_NOT_CLOSED') throw error
    return parse(`${text}"`, options)
  }
}

/** As text, however the spreadsheet saved it: UTF-8, UTF-16 with its mark, else Windows-1252. */
export function csvText(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes)
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return new TextDecoder('windows-1252').decode(bytes)
  }
}
