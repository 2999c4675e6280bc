import type { Facts, Table } from './model.ts'

/** Joins the facts of several inputs. Tables are those of the database; the source adds where they are written. */
export function combine(parts: Facts[]): Facts {
  const database = parts.find(it => it.looked.database)
  const source = parts.find(it => it.looked.source)
  const notes = parts.flatMap(it => it.notes)
  const tables =
    database && source ? joinTables(database.tables, source.tables, notes) : ((database ?? source)?.tables ?? [])
  const routes = parts.flatMap(it => it.routes)
  const seen = new Set<string>()
  return {
    tables,
    routes: routes.filter(it => {
      const key = `${it.method} ${it.path} ${it.page ?? ''}`
      const first = !seen.has(key) || it.body !== ''
      seen.add(key)
      return first
    }),
    identities: parts.flatMap(it => it.identities),
    packages: parts.flatMap(it => it.packages),
    mentions: parts.flatMap(it => it.mentions),
    looked: {
      database: parts.some(it => it.looked.database),
      source: parts.some(it => it.looked.source),
      http: parts.some(it => it.looked.http),
    },
    ...(database?.database && { database: database.database }),
    ...(source && {
      files: source.files,
      unread: source.unread,
      entrances: source.entrances,
      languages: source.languages,
      paths: source.paths,
    }),
    notes,
  }
}

function joinTables(database: Table[], source: Table[], notes: string[]): Table[] {
  if (!database.length) return source
  const key = (table: Table) => table.name.toLowerCase().replace(/^\w+\./, '')
  const written = new Map(source.map(it => [key(it), it]))
  const there = new Set(database.map(key))
  const absent = source.filter(it => !there.has(key(it)) && !it.view)
  if (absent.length) {
    const names = absent.map(it => it.name).sort()
    const listed = names.length > 8 ? `${names.slice(0, 8).join(', ')} and ${names.length - 8} more` : names.join(', ')
    notes.push(
      absent.length > source.length * 0.7
        ? 'Source and database hardly fit each other: is it the same CRM?'
        : `The source has tables that the database has not: ${listed}.`,
    )
  }
  return database.map(table => {
    const other = written.get(key(table))
    if (!other) return table
    const columns = table.columns.map(column => {
      const sourceColumn = other.columns.find(it => it.name.toLowerCase() === column.name.toLowerCase())
      return sourceColumn
        ? {
            ...column,
            at: sourceColumn.at,
            ...(!column.values && sourceColumn.values && { values: sourceColumn.values }),
            ...(!column.references && sourceColumn.references && { references: sourceColumn.references }),
          }
        : column
    })
    return { ...table, columns, at: other.at, ...(other.model && { model: other.model }) }
  })
}
