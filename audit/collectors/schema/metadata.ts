import type { Column } from '../../model.ts'
import { lineAt } from '../text.ts'
import type { SourceFile } from '../tree.ts'
import { type Change, snake } from './changes.ts'

/** Schemas that are data: Frappe's DocTypes, entities in JSON, arrays in PHP, tables in XML. */
export function metadataChanges(file: SourceFile): Change[] {
  if (file.path.endsWith('.php')) return vardefs(file)
  if (file.path.endsWith('.xml')) return xmlTable(file)
  if (!/"(fields|doctype)"/.test(file.text)) return []
  try {
    const read = JSON.parse(file.text)
    if (read?.doctype === 'DocType' && Array.isArray(read.fields)) return docType(file, read)
    if (read?.fields && !Array.isArray(read.fields) && typeof read.fields === 'object') return entityDef(file, read)
  } catch {
    // A JSON file that is none, or has comments, is no schema.
  }
  return []
}

function docType({ path, text }: SourceFile, { name, fields, issingle, autoname }: any): Change[] {
  if (issingle) return []
  const columns: Column[] = fields
    .filter(
      (it: any) => it.fieldname && !/^(Section|Column|Tab) Break$|^(HTML|Button|Heading|Fold)$/.test(it.fieldtype),
    )
    .map((it: any) => ({
      name: it.fieldname,
      type: String(it.fieldtype).toLowerCase(),
      at: `${path}:${lineAt(text, text.indexOf(`"fieldname": "${it.fieldname}"`))}`,
      ...(it.fieldtype === 'Link' && { references: `tab${it.options}` }),
      ...(it.fieldtype === 'Select' && it.options && { values: String(it.options).split('\n').filter(Boolean) }),
    }))
  const id = { name: 'name', type: autoname ?? 'data', at: `${path}:1` }
  return [{ kind: 'table', table: `tab${name}`, columns: [id, ...columns], at: `${path}:1`, model: name }]
}

function entityDef({ path, text }: SourceFile, { fields, links }: any): Change[] {
  if (!/(entity_?defs?|entities|schema|models?)\//i.test(path)) return []
  const model = path
    .split('/')
    .at(-1)!
    .replace(/\.json$/, '')
  const columns: Column[] = Object.entries<any>(fields).flatMap(([name, it]) => {
    if (!it || typeof it !== 'object' || /^(linkMultiple|foreign|map)$/.test(it.type)) return []
    const at = `${path}:${lineAt(text, text.indexOf(`"${name}"`))}`
    const linked = it.type === 'link' || it.type === 'linkParent'
    const values = Array.isArray(it.options)
      ? it.options.filter((one: unknown) => typeof one === 'string' && one)
      : undefined
    return [
      {
        name: linked ? `${name}Id` : name,
        type: String(it.type ?? ''),
        at,
        ...(it.type === 'link' && { references: it.entity ?? links?.[name]?.entity ?? capital(name) }),
        ...(values?.length && { values }),
      },
    ]
  })
  return columns.length
    ? [
        {
          kind: 'table',
          table: snake(model),
          columns: [{ name: 'id', type: 'id', at: `${path}:1` }, ...columns],
          at: `${path}:1`,
          model,
        },
      ]
    : []
}

/** A file for each table, named after it: `<table><column><name>…</name><type>…</type></column></table>`. */
function xmlTable({ path, text }: SourceFile): Change[] {
  if (!/<table[\s>]/.test(text)) return []
  const columns = [...text.matchAll(/<column>([\s\S]*?)<\/column>/g)].flatMap(it => {
    const name = it[1]!.match(/<name>\s*([^<\s]+)/)?.[1]
    return name
      ? [{ name, type: it[1]!.match(/<type>\s*([^<]+)/)?.[1]?.trim() ?? '', at: `${path}:${lineAt(text, it.index)}` }]
      : []
  })
  const table =
    text.match(/<table\s+name=["'](\w+)/)?.[1] ??
    path
      .split('/')
      .at(-1)!
      .replace(/\.xml$/, '')
  const keys = [...text.matchAll(/FOREIGN KEY\s*\((\w+)\)\s*REFERENCES\s+(\w+)/gi)]
  for (const [, column, references] of keys) Object.assign(columns.find(it => it.name === column) ?? {}, { references })
  return columns.length ? [{ kind: 'table', table, columns, at: `${path}:1` }] : []
}

function vardefs({ path, text }: SourceFile): Change[] {
  const start = text.match(/\$dictionary\[['"](\w+)['"]\]\s*=\s*(?:array\s*\(|\[)/)
  if (!start) return []
  const table = text.match(/['"]table['"]\s*=>\s*['"](\w+)['"]/)?.[1]
  if (!table) return []
  const columns = [
    ...text.matchAll(/['"]name['"]\s*=>\s*['"](\w+)['"]\s*,([\s\S]{0,600}?)['"]type['"]\s*=>\s*['"](\w+)['"]/g),
  ]
    .filter(it => it[3] !== 'link' && !/['"]source['"]\s*=>\s*['"]non-db['"]/.test(it[2]!))
    .map(it => ({ name: it[1]!, type: it[3]!, at: `${path}:${lineAt(text, it.index)}` }))
  const id = columns.some(it => it.name === 'id') ? [] : [{ name: 'id', type: 'id', at: `${path}:1` }]
  return [
    {
      kind: 'table',
      table,
      columns: [...id, ...columns],
      at: `${path}:${lineAt(text, start.index!)}`,
      model: start[1]!,
    },
  ]
}

const capital = (name: string) => name[0]!.toUpperCase() + name.slice(1)
