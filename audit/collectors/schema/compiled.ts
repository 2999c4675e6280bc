import type { Column } from '../../model.ts'
import { type AnnotatedClass, annotatedClasses, annotation } from '../annotated.ts'
import { hashes, lineAt, literal, literals, masked } from '../text.ts'
import type { SourceFile } from '../tree.ts'
import { type Change, snake } from './changes.ts'

/** The schemas of Java and Kotlin (JPA), C# (EF Core), Go (GORM and alike) and Elixir (Ecto). */
export function compiledChanges(files: SourceFile[]): Change[] {
  const go = files.filter(it => it.path.endsWith('.go'))
  return [
    ...jpaChanges(files.filter(it => /\.(java|kt)$/.test(it.path))),
    ...efChanges(files.filter(it => it.path.endsWith('.cs'))),
    ...go.flatMap(gormChanges),
    ...migrationsFirst(files.filter(it => /\.exs?$/.test(it.path))).flatMap(ectoChanges),
  ]
}

const migrationsFirst = (files: SourceFile[]) =>
  files.toSorted((a, b) => Number(b.path.includes('/migrations/')) - Number(a.path.includes('/migrations/')))

const scalar =
  /^(String|Long|long|Integer|int|Int|Short|Double|double|Float|float|BigDecimal|Boolean|boolean|Bool|bool|UUID|Guid|LocalDate\w*|Instant|Date|DateTime\w*|DateOnly|ZonedDateTime|OffsetDateTime|Timestamp|decimal|string|char|byte\[?\]?|JsonNode|JsonDocument|object)\??$/

function jpaChanges(files: SourceFile[]): Change[] {
  const mapped = files.filter(it => /@(Entity|MappedSuperclass|Embeddable|TableName)\b/.test(it.text))
  const classes = mapped.flatMap(annotatedClasses)
  const byName = new Map(classes.map(it => [it.name, it]))
  const tableOf = (it: AnnotatedClass) => {
    const table = annotation(it.head, 'Table') ?? annotation(it.head, 'TableName') ?? []
    const named = table.find(one => /^(name|value)\s*=/.test(one)) ?? table.find(one => /^"/.test(one))
    return literals(named ?? '')[0] ?? snake(it.name.replace(/Entity$/, ''))
  }
  const fields = (it: AnnotatedClass, depth = 0): Column[] => {
    const parent = it.parents.match(/\bextends\s+(\w+)|:\s*(\w+)\(/)
    const inherited = depth < 4 ? byName.get(parent?.[1] ?? parent?.[2] ?? '') : undefined
    return [
      ...(inherited ? fields(inherited, depth + 1) : []),
      ...javaFields(it, name => byName.get(name) && tableOf(byName.get(name)!)),
    ]
  }
  return classes
    .filter(it => /@(Entity|TableName)\b/.test(it.head))
    .map(it => ({
      kind: 'table',
      table: tableOf(it),
      columns: fields(it),
      at: `${it.file.path}:${it.line}`,
      model: it.name,
    }))
}

const javaField =
  /(?<=^|[;{}\n)]|@\w+)[ \t]*((?:(?:private|protected|public|final|volatile)\s+)*[\w.<>?, [\]]+?)\s+(\w+)\s*(?:=[^;]*)?;/g
const modifiers = /^\s*(?:(?:private|protected|public|final|volatile)\s+)*/
const kotlinField = /\b(?:val|var)\s+(\w+)\s*:\s*([\w.<>?]+)/g

function javaFields(
  { file, open, close, parents, mask }: AnnotatedClass,
  tableOf: (type: string) => string | undefined,
): Column[] {
  const kotlin = file.path.endsWith('.kt')
  const from = kotlin ? open - parents.length : open + 1
  const code = kotlin ? mask.slice(from, close) : shallow(mask, open, close)
  return [...code.matchAll(kotlin ? kotlinField : javaField)].flatMap(match => {
    const [name = '', type = ''] = kotlin ? [match[1], match[2]] : [match[2], match[1]]
    const head = file.text.slice(
      Math.max(from, from + code.lastIndexOf(kotlin ? ',' : ';', match.index - 1)),
      from + match.index + match[0].length,
    )
    if (
      /\b(static|transient)\b|@Transient|@(OneToMany|ManyToMany)|exist\s*=\s*false/.test(head) ||
      /^(return|package|import|throw)\b/.test(type)
    )
      return []
    const at = `${file.path}:${lineAt(file.text, from + match.index + match[0].search(/\S/))}`
    const bare = type.replace(modifiers, '').trim().replace(/\?$/, '')
    const related = tableOf(bare)
    const column = (
      annotation(head, 'JoinColumn') ??
      annotation(head, 'Column') ??
      annotation(head, 'TableField') ??
      []
    ).find(it => /^(name|value)\s*=|^"/.test(it))
    const named = literals(column ?? '')[0]
    if (related && /@(ManyToOne|OneToOne)/.test(head))
      return [{ name: named ?? `${snake(name)}_id`, type: '', at, references: related }]
    if (!scalar.test(bare) && !/@(Column|Enumerated|Id|Convert)\b/.test(head)) return []
    return [{ name: named ?? snake(name), type: bare.toLowerCase(), at }]
  })
}

/** The body of a class without that of its methods. */
function shallow(mask: string, open: number, close: number): string {
  let depth = 0
  let code = ''
  for (let at = open + 1; at < close; at++) {
    const letter = mask[at]!
    if (letter === '}') depth--
    code += depth > 0 && letter !== '\n' ? ' ' : letter
    if (letter === '{') depth++
  }
  return code
}

const dbSet = /\bDbSet<(\w+)>\s+(\w+)/g
const property = /\bpublic\s+(?:virtual\s+|required\s+|override\s+)*([\w.<>?[\]]+)\s+(\w+)\s*\{\s*get/g

/** The classes that a context keeps sets of, with their properties. */
function efChanges(files: SourceFile[]): Change[] {
  const sets = new Map(files.flatMap(it => [...it.text.matchAll(dbSet)].map(one => [one[1]!, one[2]!] as const)))
  if (!sets.size) return []
  const named = new RegExp(`\\bclass\\s+(${[...sets.keys()].join('|')})\\b`)
  const classes = files.filter(it => named.test(it.text)).flatMap(annotatedClasses)
  const byName = new Map(classes.map(it => [it.name, it]))
  const columns = (it: AnnotatedClass, depth = 0): Column[] => {
    const parent = byName.get(it.parents.match(/:\s*(\w+)/)?.[1] ?? '')
    return [...(parent && parent !== it && depth < 4 ? columns(parent, depth + 1) : []), ...sharpProperties(it, sets)]
  }
  return [...sets].flatMap(([model, set]) => {
    const found = byName.get(model)
    if (!found) return []
    const table = literal(annotation(found.head, 'Table')?.[0]) ?? set
    return [{ kind: 'table', table, columns: columns(found), at: `${found.file.path}:${found.line}`, model }]
  })
}

function sharpProperties({ file, mask, open, close }: AnnotatedClass, sets: Map<string, string>): Column[] {
  return [...mask.slice(open, close).matchAll(property)].flatMap(({ index, 1: type = '', 2: name = '' }) => {
    const bare = type.replace(/\?$/, '')
    if (/^(I?Collection|List|IList|IEnumerable|HashSet|ICollection)</.test(bare) || sets.has(bare)) return []
    const owner = name.match(/^(\w+)Id$/)?.[1]
    const references =
      owner && [...sets].find(([model, set]) => model === owner || set === owner || set === `${owner}s`)?.[1]
    return [
      {
        name,
        type: bare.toLowerCase(),
        at: `${file.path}:${lineAt(file.text, open + index)}`,
        ...(references && { references }),
      },
    ]
  })
}

const goStruct = /^type\s+(\w+)\s+struct\s*\{([\s\S]*?)^\}/gm
const goField = /^\s*(\w+)\s+([\w.*[\]]+)\s*`([^`]*)`/gm

/** Structs with `gorm:"…"` or `db:"…"`: GORM, sqlx, bun and their like. */
function gormChanges({ path, text }: SourceFile): Change[] {
  if (!/`[^`\n]*\b(gorm|db|bun|xorm):"/.test(text) && !/gorm\.Model/.test(text)) return []
  return [...text.matchAll(goStruct)].flatMap(({ index, 1: name = '', 2: body = '' }) => {
    const tagged = /`[^`\n]*\b(gorm|bun|xorm):"/.test(body) || /gorm\.Model/.test(body)
    const declared = text.match(
      new RegExp(`func\\s+\\(\\s*\\w*\\s*\\*?${name}\\)\\s+TableName\\(\\)\\s*string\\s*\\{\\s*return\\s+"(\\w+)"`),
    )?.[1]
    if (!tagged && !declared) return []
    const start = index + `type ${name} struct {`.length
    const columns = [...body.matchAll(goField)].flatMap(it =>
      goColumn(it, `${path}:${lineAt(text, start + it.index + 1)}`),
    )
    const base = /gorm\.Model/.test(body) ? [{ name: 'id', type: 'uint', at: `${path}:${lineAt(text, index)}` }] : []
    if (columns.length < 2) return []
    return [
      {
        kind: 'table',
        table: declared ?? `${snake(name)}s`.replace(/ys$/, 'ies'),
        columns: [...base, ...columns],
        at: `${path}:${lineAt(text, index)}`,
        model: name,
      },
    ]
  })
}

function goColumn([, name = '', type = '', tag = '']: RegExpMatchArray, at: string): Column[] {
  if (/(gorm|db|bun):"(-|rel:|many2many|foreignKey|m2m)/.test(tag) || /^\[\](?!byte)/.test(type)) return []
  const column =
    tag.match(/\bcolumn:(\w+)/)?.[1] ?? tag.match(/\b(?:db|bun|xorm):"(\w+)/)?.[1] ?? snake(name.replace(/ID$/, 'Id'))
  if (/^\*?[A-Z]\w*$/.test(type) && !/\b(db|column)/.test(tag)) return []
  return [{ name: column, type: type.replace('*', '').toLowerCase(), at }]
}

/** Migrations and schemas of Ecto. */
function ectoChanges(file: SourceFile): Change[] {
  const { path, text } = file
  if (!/\b(create|alter|rename|drop)\b[\s\S]*\btable\(|\bschema\s+"/.test(text)) return []
  const mask = masked(text, hashes)
  return [
    ...mask.matchAll(/^[ \t]*(?:(create|alter|drop)(?:_if_not_exists|_if_exists)?[\s(]+table\(|schema\s+(?="))/gm),
  ].flatMap(match => {
    const line = text.slice(match.index, text.indexOf('\n', match.index + 1))
    const table = line.match(/(?:table\(\s*:?"?|schema\s+")(\w+)/)?.[1]
    if (!table) return []
    if (match[1] === 'drop')
      return /def\s+down\b/.test(text.slice(0, match.index)) ? [] : [{ kind: 'drop', table } as Change]
    if (/def\s+down\b/.test(text.slice(0, match.index))) return []
    const depth = line.match(/^[ \t\n]*/)![0].replace(/\n/g, '')
    const end = text.indexOf(`\n${depth}end`, match.index)
    const block = end === -1 ? '' : text.slice(match.index, end)
    const at = (index: number) => `${path}:${lineAt(text, match.index + index)}`
    const columns = [...block.matchAll(ectoColumn)].flatMap(it => ectoColumnOf(it, at(it.index + 1)))
    if (match[1] === 'alter')
      return [...columns.map((column): Change => ({ kind: 'column', table, column })), ...removed(block, table)]
    const id = { name: 'id', type: 'id', at: at(1) }
    return [{ kind: 'table', table, columns: [id, ...columns], at: at(1), ...(!match[1] && modelOf(text)) }]
  })
}

const ectoColumn = /^[ \t]*(add|add_if_not_exists|field|belongs_to|timestamps)[ (]*:?(\w*)\)?(?:\s*,\s*([^\n]*))?/gm

function ectoColumnOf([, verb = '', name = '', rest = '']: RegExpMatchArray, at: string): Column[] {
  if (verb === 'timestamps') return ['inserted_at', 'updated_at'].map(it => ({ name: it, type: 'utc_datetime', at }))
  const references = rest.match(/references\(\s*:?"?(\w+)/)?.[1]
  if (verb === 'belongs_to') return [{ name: rest.match(/foreign_key:\s*:(\w+)/)?.[1] ?? `${name}_id`, type: '', at }]
  if (/virtual:\s*true/.test(rest)) return []
  const values = rest.match(/values:\s*(?:~w\(([^)]*)\)|\[([^\]]*)\])/)
  const listed = (values?.[1]?.split(/\s+/) ?? values?.[2]?.match(/\w+/g) ?? []).filter(Boolean)
  return [
    {
      name,
      type: rest.match(/^:?(\w+)/)?.[1] ?? '',
      at,
      ...(references && { references }),
      ...(listed.length && { values: listed }),
    },
  ]
}

const removed = (block: string, table: string): Change[] =>
  [...block.matchAll(/^[ \t]*remove(?:_if_exists)?[ (]+:(\w+)/gm)].map(it => ({
    kind: 'drop column',
    table,
    column: it[1]!,
  }))

const modelOf = (text: string) => {
  const model = text.match(/defmodule\s+[\w.]*?(\w+)\s+do/)?.[1]
  return model ? { model } : {}
}
