import { closing, hashes, indented, lineAt, masked } from './text.ts'
import type { SourceFile } from './tree.ts'

/** Classes of PHP, Python and Ruby by name, and their methods, looked at only when asked for. */
export interface Classes {
  /** `near`, a path or the end of one, decides between several classes of one name. */
  find(name: string, near?: string): ClassText | undefined
  all(): ClassText[]
}

export interface ClassText {
  name: string
  parent: string
  file: SourceFile
  line: number
  /** From its first line to its end. */
  text: string
  method(name: string): { text: string; line: number } | undefined
  methods(): { name: string; text: string; line: number; before: string }[]
}

export function classesOf(files: SourceFile[]): Classes {
  const found = new Map<string, ClassText[]>()
  for (const file of files) {
    const pattern = patterns[file.path.slice(file.path.lastIndexOf('.'))]
    if (!pattern) continue
    for (const match of file.text.matchAll(pattern)) {
      const name = match[1]!.split('::').at(-1)!
      found.set(name, [...(found.get(name) ?? []), classText(name, (match[2] ?? '').trim(), file, match.index)])
    }
  }
  /** How much of an end, or else of a beginning, two paths share. */
  const common = (path: string, near: string) => {
    const own = path
      .toLowerCase()
      .replace(/\.\w+$/, '')
      .split('/')
    const asked = near
      .toLowerCase()
      .replace(/\.\w+$/, '')
      .split('/')
      .filter(Boolean)
    const end = asked.toReversed().findIndex((it, index) => own.at(-1 - index) !== it)
    const start = asked.findIndex((it, index) => own[index] !== it)
    return (end === -1 ? asked.length : end) * 10 + (start === -1 ? asked.length : start) - path.length / 1000
  }
  return {
    find: (name, near = '') =>
      found.get(name)?.toSorted((a, b) => common(b.file.path, near) - common(a.file.path, near))[0],
    all: () => [...found.values()].flat(),
  }
}

const patterns: Record<string, RegExp> = {
  '.php': /^[ \t]*(?:abstract\s+|final\s+|readonly\s+)*class\s+(\w+)(?:\s+extends\s+([\w\\]+))?/gm,
  '.py': /^class\s+(\w+)\s*(?:\(([^)]*)\))?\s*:/gm,
  '.rb': /^[ \t]*class\s+([\w:]+)(?:\s*<\s*([\w:]+))?/gm,
}

function classText(name: string, parent: string, file: SourceFile, index: number): ClassText {
  const line = lineAt(file.text, index)
  let text: string | undefined
  let listed: ReturnType<ClassText['methods']> | undefined
  const read = () => (text ??= endOf(file, index))
  const methods = () => (listed ??= methodsOf(read(), file.path, line))
  return {
    name,
    parent,
    file,
    line,
    get text() {
      return read()
    },
    methods,
    method: asked => methods().find(it => it.name.toLowerCase() === asked.toLowerCase()),
  }
}

function endOf({ path, text }: SourceFile, index: number): string {
  if (path.endsWith('.py')) return indented(text, index)
  if (path.endsWith('.rb')) {
    const depth = text.slice(index).match(/^[ \t]*/)![0]
    const end = text.indexOf(`\n${depth}end`, index)
    return text.slice(index, end === -1 ? undefined : end + depth.length + 4)
  }
  const mask = masked(text)
  const open = mask.indexOf('{', index)
  return open === -1 ? text.slice(index) : text.slice(index, closing(mask, open) + 1)
}

/** How methods are found in a language, and where they end. */
interface Language {
  comments: typeof hashes | undefined
  method: RegExp
  end(text: string, mask: string, match: RegExpExecArray): number
}

const python: Language = {
  comments: hashes,
  method: /^[ \t]+(?:async\s+)?def\s+(\w+)/gm,
  end: (text, _, { index, 0: head }) => index + indented(text, index + head.length).length + head.length,
}

const ruby: Language = {
  comments: hashes,
  method: /^[ \t]*def\s+(?:self\.)?(\w+[?!]?)/gm,
  end: (text, _, { index, 0: head }) => text.indexOf(`\n${head.match(/^[ \t]*/)![0]}end`, index),
}

const php: Language = {
  comments: undefined,
  method: /function\s+&?\s*(\w+)\s*\(/g,
  end(_, mask, { index }) {
    const open = mask.indexOf('{', index)
    const semicolon = mask.indexOf(';', index)
    const abstract = open === -1 || (semicolon !== -1 && semicolon < open)
    return abstract ? index : closing(mask, open) + 1
  },
}

function languageOf(path: string): Language {
  if (path.endsWith('.py')) return python
  return path.endsWith('.rb') ? ruby : php
}

function methodsOf(text: string, path: string, firstLine: number) {
  const { comments, method, end } = languageOf(path)
  const mask = masked(text, comments)
  let last = 0
  return [...mask.matchAll(method)].map(match => {
    const to = end(text, mask, match)
    const before = text.slice(Math.max(last, match.index - 1500), match.index)
    last = to
    return {
      name: match[1]!,
      text: text.slice(match.index, to === -1 ? undefined : to),
      line: firstLine + lineAt(text, match.index + match[0].search(/\S/)) - 1,
      before,
    }
  })
}
