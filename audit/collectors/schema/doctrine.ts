import type { Column } from '../../model.ts'
import { lineAt } from '../text.ts'
import type { SourceFile } from '../tree.ts'
import { type Change, snake } from './changes.ts'

interface Part {
  name: string
  columns: Column[]
  /** The traits that it uses and the class that it extends: their columns are its own too. */
  more: string[]
  /** Where it is an entity: its table. */
  table?: string
  at: string
}

/** Doctrine's entities by attribute or annotation, with the columns of their traits and mapped superclasses. */
export function doctrineChanges(files: SourceFile[]): Change[] {
  const parts = files.filter(it => it.path.endsWith('.php') && /@ORM\\|#\[ORM\\/.test(it.text)).flatMap(partsOf)
  const named = Map.groupBy(parts, it => it.name)
  const columnsOf = (part: Part, depth = 0): Column[] =>
    depth > 5
      ? []
      : [
          ...part.columns,
          ...part.more.flatMap(it => columnsOf(named.get(it)?.[0] ?? part, named.has(it) ? depth + 1 : 6)),
        ]
  return parts
    .filter(it => it.table)
    .map(it => ({ kind: 'table', table: it.table!, columns: columnsOf(it), at: it.at, model: it.name }))
}

function partsOf({ path, text }: SourceFile): Part[] {
  const found = [...text.matchAll(/^(?:abstract\s+|final\s+)*(class|trait)\s+(\w+)(?:\s+extends\s+([\w\\]+))?/gm)]
  return found.map(({ index, 0: whole, 2: name, 3: parent }, position) => {
    const head = text.slice(position ? found[position - 1]!.index : 0, index)
    const body = text.slice(index + whole.length, found[position + 1]?.index)
    const uses = [...body.matchAll(/^ {4}use\s+([\w\\, ]+);/gm)].flatMap(it => it[1]!.split(',')).map(short)
    const entity = /ORM\\Entity\b/.test(head)
    return {
      name: name!,
      columns: columnsIn(body, line => `${path}:${lineAt(text, index + whole.length + line)}`),
      more: [...uses, ...(parent ? [short(parent)] : [])],
      ...(entity && { table: tableOf(head, text) ?? snake(name!) }),
      at: `${path}:${lineAt(text, index)}`,
    }
  })
}

const short = (name: string) => name.trim().split('\\').at(-1)!

function tableOf(head: string, text: string): string | undefined {
  const table = head.match(/ORM\\Table\(\s*(?:name\s*[:=]\s*)?(?:["'`]+(\w+)|\w+::(\w+))/)
  return (
    table?.[1] ??
    (table?.[2] ? text.match(new RegExp(`const\\s+(?:string\\s+)?${table[2]}\\s*=\\s*['"](\\w+)`))?.[1] : undefined)
  )
}

const property =
  /((?:@ORM\\\w+|#\[ORM\\\w+)[^;{]*?)(?:private|protected|public)\s+(?:readonly\s+)?(?:(\??[\w\\|]+)\s+)?\$(\w+)/g

const columnsIn = (body: string, at: (index: number) => string): Column[] =>
  [...body.matchAll(property)].flatMap(match => {
    const { index } = match
    const [whole, source = '', hint = '', name = ''] = match
    const place = at(index + whole.length)
    const typed = short(hint.replace('?', ''))
    if (/ORM\\(ManyToOne|OneToOne)/.test(source)) {
      if (/mappedBy/.test(source)) return []
      const target = source.match(/targetEntity\s*[:=]\s*["']?([\w\\]+)/)?.[1]
      const column = source.match(/JoinColumn\([^)]*\bname\s*[:=]\s*["'](\w+)/)?.[1] ?? `${snake(name)}_id`
      return [
        {
          name: column,
          type: '',
          at: place,
          references: snake(target ? short(target.replace(/\\?::class/, '')) : typed),
        },
      ]
    }
    if (!/ORM\\(Column|Id)\b/.test(source)) return []
    const own = source.match(/ORM\\Column\([^)]*\bname\s*[:=]\s*["'`]+(\w+)/)?.[1]
    return [{ name: own ?? snake(name), type: source.match(/type\s*[:=]\s*["']?([\w:\\]+)/)?.[1] ?? typed, at: place }]
  })
