import type { Column } from '../../model.ts'
import { anyName } from '../../patterns.ts'
import { closing, lineAt, literal, literals, masked, parts } from '../text.ts'
import type { SourceFile } from '../tree.ts'
import type { Change } from './changes.ts'
import { sqlChanges } from './sql.ts'

/** Laravel migrations, Doctrine's migrations, and SQL in strings. */
export function phpChanges(file: SourceFile): Change[] {
  const { text } = file
  if (/Schema::(\w+\([^)]*\)->)?(create|table|rename|drop)/.test(text)) return laravel(file)
  if (/->addSql\(|\bCREATE\s+TABLE\b/i.test(text)) return inStrings(file)
  return []
}

function laravel({ path, text }: SourceFile): Change[] {
  const back = text.search(/function\s+down\s*\(/)
  const mask = masked(back > 0 && back > text.search(/function\s+up\s*\(/) ? text.slice(0, back) : text)
  const found: Change[] = []
  for (const match of mask.matchAll(/Schema::(?:\w+\([^)]*\)->)?(create|table|rename|dropIfExists|drop)\s*\(/g)) {
    const open = match.index + match[0].length - 1
    const [first = '', second = ''] = parts(text, mask, open)
    const table = literal(first)
    if (!table) continue
    const at = `${path}:${lineAt(text, match.index)}`
    if (match[1]!.startsWith('drop')) found.push({ kind: 'drop', table })
    else if (match[1] === 'rename') found.push({ kind: 'rename', table, to: literal(second) ?? table })
    else {
      if (match[1] === 'create') found.push({ kind: 'table', table, columns: [], at })
      found.push(...blueprint(text, mask, open, table, path))
    }
  }
  return found
}

/** Each `$table->type('name')->…;` of the closure. */
function blueprint(text: string, mask: string, open: number, table: string, path: string): Change[] {
  const end = closing(mask, open)
  const found: Change[] = []
  const calls = /\$\w+->(\w+)\s*\(/g
  calls.lastIndex = open
  for (let match = calls.exec(mask); match && match.index < end; match = calls.exec(mask)) {
    const bracket = match.index + match[0].length - 1
    const args = parts(text, mask, bracket)
    const chain = text.slice(match.index, mask.indexOf(';', match.index))
    found.push(...laravelColumn(match[1]!, args, chain, table, `${path}:${lineAt(text, match.index)}`))
  }
  return found
}

function laravelColumn(verb: string, args: string[], chain: string, table: string, at: string): Change[] {
  const name = literal(args[0])
  const column = (it: string, type = verb, more: Partial<Column> = {}): Change => ({
    kind: 'column',
    table,
    column: { name: it, type: type.toLowerCase(), at, ...more },
  })
  if (verb === 'dropColumn') return literals(args.join(',')).map(it => ({ kind: 'drop column', table, column: it }))
  if (verb === 'renameColumn')
    return name ? [{ kind: 'rename column', table, column: name, to: literal(args[1]) ?? name }] : []
  if (verb === 'rename') return name ? [{ kind: 'rename', table, to: name }] : []
  if (verb === 'foreign' && name) {
    const on = chain.match(/->on\(\s*['"](\w+)/)?.[1] ?? chain.match(/->constrained\(\s*['"](\w+)/)?.[1]
    return on ? [{ kind: 'reference', table, column: name, references: on }] : []
  }
  if (/^(timestamps|timestampsTz|nullableTimestamps)$/.test(verb))
    return [column('created_at', 'timestamp'), column('updated_at', 'timestamp')]
  if (/^softDeletes/.test(verb)) return [column('deleted_at', 'timestamp')]
  if (verb === 'rememberToken') return [column('remember_token', 'string')]
  if (/^(id|increments|bigIncrements)$/.test(verb)) return [column(name ?? 'id')]
  if (/morphs$/i.test(verb) && name) return [column(`${name}_type`, 'string'), column(`${name}_id`, 'integer')]
  if (!name || !laravelType.test(verb)) return []
  const references =
    chain.match(/->on\(\s*['"](\w+)/)?.[1] ??
    chain.match(/->constrained\(\s*['"](\w+)/)?.[1] ??
    (/->constrained\(/.test(chain) ? `${name.replace(/_id$/, '')}s` : undefined)
  const values = /^(enum|set)$/.test(verb) ? literals(args[1] ?? '') : undefined
  return [column(name, verb, { ...(references && { references }), ...(values?.length && { values }) })]
}

const laravelType = anyName(
  /\w*integer/,
  'foreignId foreignUuid foreignUlid string char',
  /\w*text/,
  'boolean',
  /date\w*|time\w*/,
  'year decimal unsignedDecimal float double',
  /json\w*/,
  'uuid ulid binary enum set ipAddress macAddress geometry point',
)

function inStrings(file: SourceFile): Change[] {
  const back = file.text.search(/function\s+down\s*\(/)
  const text = back > 0 ? file.text.slice(0, back) : file.text
  return [...text.matchAll(/(["'])((?:CREATE|ALTER|DROP|RENAME)\s+TABLE\b(?:(?!\1)[^\\]|\\.)*)\1/gi)].flatMap(it =>
    sqlChanges(file, it[2]!, it.index + 1),
  )
}
