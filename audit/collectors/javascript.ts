import { type ParserPlugin, parse } from '@babel/parser'
import { type Class, calleeName, classOf, isFunction, type Node, type Piece, piece, stringOf } from './pieces.ts'
import type { SourceFile } from './tree.ts'

/** A call as it stands in the source: `router.get('/x', guard, handler)`. */
export interface Call {
  /** What is called, without its arguments: `router.get`, `mongoose.Schema`. */
  name: string
  args: Piece[]
  line: number
  start: number
  end: number
  /** The names of the functions and classes that it stands in, the outermost first. */
  within: string[]
  /** The variable that its result goes to. */
  into?: string
}

export interface Script {
  file: SourceFile
  calls: Call[]
  classes: Class[]
  /** Local names, and where they come from. */
  imports: Map<string, { from: string; name: string }>
  /** Exported names (`default` too), and what they are called inside. */
  exports: Map<string, string>
  functions: Map<string, { text: string; line: number }>
  strings: Map<string, string>
  /** `path="…"` of JSX elements, and their tag. */
  elements: { tag: string; path: string; text: string; line: number }[]
}

/** Reads a JavaScript or TypeScript file; undefined where no parser could. Of Vue and Svelte files it reads the scripts. */
export function readScript(file: SourceFile): Script | undefined {
  const text = /\.(vue|svelte)$/.test(file.path) ? onlyScripts(file.text) : file.text
  const root = parsed(text, file.path)
  if (!root) return undefined
  const script: Script = {
    file,
    calls: [],
    classes: [],
    imports: new Map(),
    exports: new Map(),
    functions: new Map(),
    strings: new Map(),
    elements: [],
  }
  visit(root, [], { script, text })
  return script
}

function parsed(text: string, path: string): Node | undefined {
  const typed = /\.([cm]?ts|tsx|vue|svelte)$/.test(path)
  const plugins: ParserPlugin[] = typed ? ['typescript', 'decorators-legacy'] : ['jsx', 'flow', 'decorators-legacy']
  if (path.endsWith('.tsx')) plugins.push('jsx')
  try {
    const options = {
      sourceType: 'unambiguous',
      errorRecovery: true,
      allowReturnOutsideFunction: true,
      plugins,
    } as const
    return parse(text, options).program as unknown as Node
  } catch {
    return undefined
  }
}

/** The same text with all but the scripts blanked, so that lines stay. */
function onlyScripts(text: string): string {
  const out = text.replace(/[^\n]/g, ' ').split('')
  for (const { index, 0: whole, 1: inner } of text.matchAll(/<script[^>]*>([\s\S]*?)<\/script>/g)) {
    const from = index + whole.indexOf(inner!)
    for (let at = 0; at < inner!.length; at++) out[from + at] = inner![at]!
  }
  return out.join('')
}

interface Reading {
  script: Script
  text: string
}

function visit(node: Node, within: string[], reading: Reading, into?: string): void {
  const { script, text } = reading
  const line = node.loc?.start.line
  let inside = within
  switch (node.type) {
    case 'CallExpression':
    case 'OptionalCallExpression':
    case 'NewExpression': {
      const name = calleeName(node.callee, text)
      if (!kept(name, node.arguments[0])) break
      const args = node.arguments.map((it: Node) => piece(it, text))
      script.calls.push({ name, args, line, start: node.start, end: node.end, within, ...(into && { into }) })
      break
    }
    case 'ImportDeclaration':
      for (const it of node.specifiers)
        script.imports.set(it.local.name, { from: node.source.value, name: importedName(it) })
      return
    case 'ExportDefaultDeclaration':
      script.exports.set('default', node.declaration.id?.name ?? node.declaration.name ?? '')
      break
    case 'ExportNamedDeclaration':
      for (const it of node.specifiers) script.exports.set(it.exported.name ?? it.exported.value, it.local?.name ?? '')
      for (const name of declared(node.declaration)) script.exports.set(name, name)
      if (node.source)
        for (const it of node.specifiers)
          script.imports.set(it.exported.name ?? it.exported.value, {
            from: node.source.value,
            name: it.local?.name ?? 'default',
          })
      break
    case 'VariableDeclarator':
      remember(node.id, node.init, reading)
      if (node.init) visit(node.init, node.id.name ? [...within, node.id.name] : within, reading, node.id.name)
      return
    case 'AssignmentExpression':
      assigned(node, reading)
      visit(
        node.right,
        [...within, node.left.property?.name ?? ''],
        reading,
        text.slice(node.left.start, node.left.end),
      )
      return
    case 'FunctionDeclaration':
      if (node.id) script.functions.set(node.id.name, { text: text.slice(node.start, node.end), line })
      inside = [...within, node.id?.name ?? '']
      break
    case 'ObjectMethod':
    case 'ObjectProperty': {
      const name = node.key?.name ?? node.key?.value
      const value = node.type === 'ObjectMethod' ? node : node.value
      if (typeof name === 'string' && isFunction(value) && !script.functions.has(name))
        script.functions.set(name, { text: text.slice(node.start, node.end), line })
      inside = [...within, String(name ?? '')]
      break
    }
    case 'ClassDeclaration':
    case 'ClassExpression':
      script.classes.push(classOf(node, text))
      for (const it of node.body.body)
        if (it.key?.name)
          script.functions.set(`${node.id?.name}.${it.key.name}`, {
            text: text.slice(it.start, it.end),
            line: it.loc.start.line,
          })
      inside = [...within, node.id?.name ?? '']
      break
    case 'ClassMethod':
      inside = [...within, node.key?.name ?? '']
      break
    case 'JSXOpeningElement':
      jsx(node, reading)
      break
  }
  children(node, inside, reading)
}

/** Of the many calls of a file only those are kept that make routes, tables or strategies, or carry SQL. */
const kept = (name: string, first: Node | undefined): boolean =>
  making.test(name) ||
  /schema|query(interface|runner)/i.test(name) ||
  (first !== undefined && /Literal$/.test(first.type) && first.end - first.start > 20)

const making =
  /(^|\.)(get|post|put|patch|delete|del|all|head|use|route|register|define|init|model|setGlobalPrefix|references|inTable|dropColumns?|renameColumn|timestamps|\w*Table|\w*[iI]ncrements|\w*int|\w*[iI]nteger|float|double|real|decimal|numeric|string|varchar|char|text|boolean|bool|date\w*|time\w*|uuid|jsonb?|binary|enum?|specificType|geometry|point)$/

function children(node: Node, within: string[], reading: Reading) {
  for (const key in node) {
    if (key === 'loc' || key.endsWith('omments')) continue
    const value = node[key]
    if (Array.isArray(value)) {
      for (const it of value) if (it && typeof it.type === 'string') visit(it, within, reading)
    } else if (value && typeof value.type === 'string') visit(value, within, reading)
  }
}

function remember(id: Node, init: Node | null, { script, text }: Reading) {
  if (!init) return
  const from = required(init)
  if (from && id.type === 'Identifier') script.imports.set(id.name, { from, name: '*' })
  if (from && id.type === 'ObjectPattern')
    for (const it of id.properties)
      if (it.key?.name) script.imports.set(it.value?.name ?? it.key.name, { from, name: it.key.name })
  if (id.type !== 'Identifier') return
  const string = stringOf(init)
  if (string !== undefined) script.strings.set(id.name, string)
  const wrapped = isFunction(init) || (init.type === 'CallExpression' && init.arguments.some(isFunction))
  if (wrapped) script.functions.set(id.name, { text: text.slice(init.start, init.end), line: init.loc.start.line })
}

function assigned({ left, right }: Node, { script, text }: Reading) {
  const name = text.slice(left.start, left.end)
  if (name === 'module.exports') {
    script.exports.set('default', right.name ?? '')
    if (right.type === 'ObjectExpression')
      for (const it of right.properties)
        if (it.key?.name) script.exports.set(it.key.name, it.value?.name ?? it.key.name)
    const from = required(right)
    if (from) script.imports.set('default', { from, name: '*' })
  }
  const member = name.match(/^(?:module\.)?exports\.(\w+)$/)?.[1] ?? name.match(/^\w+\.(\w+)$/)?.[1]
  if (!member) return
  if (/exports\./.test(name)) script.exports.set(member, right.name ?? member)
  if (isFunction(right) || (right.type === 'CallExpression' && right.arguments.some(isFunction)))
    script.functions.set(member, { text: text.slice(right.start, right.end), line: right.loc.start.line })
}

const required = (node: Node): string | undefined => {
  const call = node.type === 'MemberExpression' ? node.object : node.type === 'AwaitExpression' ? node.argument : node
  const asked =
    call?.type === 'CallExpression' && call.callee.name === 'require'
      ? call.arguments[0]
      : call?.type === 'ImportExpression'
        ? call.source
        : undefined
  return asked?.type === 'StringLiteral' ? asked.value : undefined
}

function jsx(node: Node, { script, text }: Reading) {
  const path = node.attributes.find((it: Node) => it.name?.name === 'path' && it.value?.type === 'StringLiteral')
  if (!path) return
  const tag = text.slice(node.name.start, node.name.end)
  script.elements.push({
    tag,
    path: path.value.value,
    text: text.slice(node.start, node.end),
    line: node.loc.start.line,
  })
}

const importedName = (it: Node) =>
  it.type === 'ImportDefaultSpecifier'
    ? 'default'
    : it.type === 'ImportNamespaceSpecifier'
      ? '*'
      : (it.imported.name ?? it.imported.value)

const declared = (node: Node | null): string[] =>
  node?.declarations?.map((it: Node) => it.id.name).filter(Boolean) ?? (node?.id ? [node.id.name] : [])
