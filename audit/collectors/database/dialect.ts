import type { Table } from '../../model.ts'

/** What differs between databases in the statements that look at rows. */
export interface Dialect {
  quote(name: string): string
  /** A table's address, quoted. */
  address(table: Table): string
  /** Whether a column's text fits a pattern, in which no class has a backslash. Case counts. */
  fits(column: string, pattern: string): string
  asText(expression: string): string
  /** Types of text, and of numbers too short for anything but a status. */
  text: RegExp
  shortNumber: RegExp
  /** A type as it is compared between a key and what it points at. */
  comparable(type: string): string
}

const doubleQuoted = (name: string) => `"${name.replaceAll('"', '""')}"`

export const postgres: Dialect = {
  quote: doubleQuoted,
  address: table =>
    `${doubleQuoted(table.schema ?? 'public')}.${doubleQuoted(table.name.replace(new RegExp(`^${table.schema}\\.`), ''))}`,
  fits: (column, pattern) => `${column} ~ '${pattern}'`,
  asText: expression => `${expression}::text`,
  text: /^(text|character)/,
  shortNumber: /^(smallint|integer)/,
  comparable: type => type,
}

const backquoted = (name: string) => `\`${name.replaceAll('`', '``')}\``

export const mysql: Dialect = {
  quote: backquoted,
  address: table => backquoted(table.name),
  // A column may have a collation in which case does not count.
  fits: (column, pattern) => `convert(${column} using utf8mb4) collate utf8mb4_bin regexp '${pattern}'`,
  asText: expression => `cast(${expression} as char)`,
  text: /^(var)?char|text/,
  shortNumber: /^(tinyint|smallint|mediumint|int)\b/,
  comparable: type => type.replace(/\(\d+\)/, ''),
}
