import type { Column } from '../../model.ts'
import { either } from '../../patterns.ts'
import { closing, hashes, indented, lineAt, literal, literals, masked, parts } from '../text.ts'
import type { SourceFile } from '../tree.ts'
import { type Change, snake } from './changes.ts'

interface Model {
  name: string
  parents: string[]
  columns: Column[]
  abstract: boolean
  storage: ReturnType<typeof storageOf>
  body: string
  path: string
  at: string
}

/** Models of Django, SQLAlchemy, SQLModel, Tortoise and Odoo, with what they inherit from abstract ones. */
export function pythonChanges(files: SourceFile[]): Change[] {
  const models = files
    .filter(it => it.path.endsWith('.py') && !/migrations\/\d/.test(it.path) && definesModel.test(it.text))
    .flatMap(modelsOf)
  const bases = new Map(models.filter(it => it.abstract).map(it => [it.name, it]))
  const inherited = (model: Model, depth = 0): Column[] =>
    model.parents.flatMap(it => {
      const base = depth < 5 ? bases.get(it) : undefined
      return base ? [...inherited(base, depth + 1), ...base.columns] : []
    })
  return models.filter(it => !it.abstract).flatMap(it => tableOf(it, inherited(it)))
}

const fieldCalls = /models\.\w+Field|Column\(|mapped_column\(|fields\.\w+\(|Field\(|ForeignKey/
const modelClass = /models\.Model|^class \w+\(\w*(Base|Model|Abstract)\w*\)/
/** A file that may define a model. */
const definesModel = new RegExp(`\\b(${either(fieldCalls, modelClass).source})`, 'm')

function modelsOf({ path, text }: SourceFile): Model[] {
  const mask = masked(text, hashes)
  return [...mask.matchAll(/^class\s+(\w+)\s*(?:\(([^)]*)\))?\s*:/gm)].map(match => {
    const [whole, name = '', parents = ''] = match
    const from = match.index + whole.length
    const body = indented(text, from)
    return {
      name,
      parents: parents.split(',').map(it => it.trim().split('.').at(-1)!),
      columns: fieldsOf(text, mask, from, body.length, path),
      abstract: /^\s+abstract\s*=\s*True/m.test(body),
      storage: storageOf(name, parents, body, mask.slice(from, from + body.length)),
      body,
      path,
      at: `${path}:${lineAt(text, match.index)}`,
    }
  })
}

function tableOf(model: Model, inherited: Column[]): Change[] {
  const { name, columns, storage, body, path, at } = model
  const all = [...inherited.filter(it => !columns.some(one => one.name === it.name)), ...columns]
  const stored =
    storage ?? (inherited.length ? { table: snake(name), implied: true, django: true, keyed: true } : undefined)
  if (!stored || (!all.length && stored.implied)) return []
  // Django gives a table its key itself where no field is one.
  if (stored.keyed && !all.some(it => it.name === 'id') && !/primary_key\s*=\s*True/.test(body))
    all.unshift({ name: 'id', type: '', at })
  const parts = path.split('/')
  const app = parts.at(-2) === 'models' ? parts.at(-3) : parts.at(-2)
  return [
    {
      kind: 'table',
      table: stored.django ? `${app}_${name.toLowerCase()}` : stored.table,
      columns: all,
      at,
      model: name,
    },
  ]
}

/** Which table a class is storage in; `implied` where only its name says so. */
function storageOf(model: string, parents: string, body: string, clean: string) {
  const named = body.match(/^\s+(?:db_table|__tablename__|table)\s*=\s*["']([\w.]+)["']/m)?.[1]
  if (named) return { table: named, implied: false, django: false, keyed: /models\.\w+Field|ForeignKey\(/.test(clean) }
  const odoo = body.match(/^\s+_(?:name|inherit)\s*=\s*["']([\w.]+)["']/m)?.[1]
  if (odoo && /models\.\w*Model/.test(parents))
    return { table: odoo.replaceAll('.', '_'), implied: false, django: false, keyed: true }
  if (/table\s*=\s*True/.test(parents))
    return { table: model.toLowerCase(), implied: false, django: false, keyed: false }
  const fields = /=\s*(models\.\w+|ForeignKey|\w*Field)\s*\(/.test(clean)
  if (fields && !/Serializer|Form|Filter|Schema|Config|Admin|Enum|Mixin/.test(`${parents} ${model}`))
    return { table: snake(model), implied: true, django: true, keyed: true }
  return undefined
}

function fieldsOf(text: string, mask: string, from: number, length: number, path: string): Column[] {
  const columns: Column[] = []
  const field = /\n[ \t]+(\w+)\s*(?::\s*([^\n=]+?))?\s*=\s*(?:\w+\.)*(\w+)\s*\(/g
  field.lastIndex = from
  for (let match = field.exec(mask); match && match.index < from + length; match = field.exec(mask)) {
    const [whole, name, hint, kind] = match
    if (!fieldKind.test(kind!)) continue
    const args = parts(text, mask, match.index + whole.length - 1)
    const source = text.slice(match.index, closing(mask, match.index + whole.length - 1))
    const at = `${path}:${lineAt(text, match.index + 1)}`
    const column = columnOf(name!, kind!, hint, args, source)
    if (column) columns.push({ ...column, at })
  }
  return columns
}

const ormFields = either(/\w*Field/, 'ForeignKey OneToOneField Column mapped_column Field')
const odooFields = either(
  'Char Text Html Integer Float Monetary Boolean Date Datetime Selection Many2one Binary Image Json',
)
const fieldKind = new RegExp(`^(${ormFields.source}|${odooFields.source})$`)

function columnOf(
  name: string,
  kind: string,
  hint: string | undefined,
  args: string[],
  source: string,
): Omit<Column, 'at'> | undefined {
  if (/^(ForeignKey|OneToOneField|ForeignKeyField|Many2one)$/.test(kind)) {
    const target = literal(args[0]?.replace(/^(to|comodel_name)\s*=\s*/, '')) ?? args[0]?.match(/[\w.]+/)?.[0]
    const column = kind === 'Many2one' ? name : (source.match(/db_column\s*=\s*["'](\w+)/)?.[1] ?? `${name}_id`)
    return {
      name: column,
      type: '',
      references: kind === 'Many2one' ? target?.replaceAll('.', '_') : target?.split('.').at(-1),
    }
  }
  if (/ManyToMany|GenericRelation|^GenericForeignKey$/.test(kind)) return undefined
  const references =
    source.match(/ForeignKey\(\s*["']([\w.]+)\.\w+["']/)?.[1] ??
    source.match(/foreign_key\s*=\s*["']([\w.]+)\.\w+["']/)?.[1]
  const own =
    source.match(/db_column\s*=\s*["'](\w+)/)?.[1] ??
    (/^(Column|mapped_column)$/.test(kind) ? literal(args[0]) : undefined)
  const type = typeOf(kind, hint, args)
  const values =
    /^Selection$/.test(kind) || /Enum\(/.test(source)
      ? literals(source).filter((_, index) => index % 2 === 0)
      : undefined
  return {
    name: own ?? name,
    type: type.toLowerCase().slice(0, 40),
    ...(references && { references }),
    ...(values?.length && { values }),
  }
}

function typeOf(kind: string, hint: string | undefined, args: string[]): string {
  if (/^(Column|mapped_column)$/.test(kind))
    return args.find(it => /^[A-Z]/.test(it) && !it.startsWith('ForeignKey')) ?? hint ?? ''
  return kind === 'Field' ? (hint ?? '') : kind
}
