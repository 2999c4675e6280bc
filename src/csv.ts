/**
 * Rows as CSV (RFC 4180), with a byte order mark so that spreadsheets read it as UTF-8. A text that a spreadsheet would
 * run as a formula gets an apostrophe before it (OWASP CSV Injection).
 */
export const csv = (rows: unknown[][]): string => `\ufeff${rows.map(row => row.map(cell).join(',')).join('\r\n')}\r\n`

function cell(value: unknown): string {
  const text = value instanceof Date ? value.toISOString() : String(value ?? '')
  const inert = /^[=+\-@\t\r]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert
}
