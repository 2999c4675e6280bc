import { type ParserPlugin, parse } from '@babel/parser'
import { either } from '../patterns.ts'
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
  visit(root, { within: [] }, { script, text })
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

/** Where a node stands: the names around it, and the variable that it is assigned to. */
interface Position {
  within: string[]
  into?: string
}

/** Reads a node, then the nodes in it, unless its reader has visited those itself. */
function visit(node: Node, position: Position, reading: Reading): void {
  const inside = readers[node.type]?.(node, position, reading) ?? { within: position.within }
  if (inside !== 'visited') visitChildren(node, inside.within, reading)
}

/** Takes from a node what matters; says under which names its children stand, or that they are visited. */
type NodeReader = (node: Node, position: Position, reading: Reading) => { within: string[] } | 'visited' | undefined

const readers: Record<string, NodeReader> = {
  CallExpression: readCall,
  OptionalCallExpression: readCall,
  NewExpression: readCall,
  ImportDeclaration: readImport,
  ExportDefaultDeclaration: readDefaultExport,
  ExportNamedDeclaration: readNamedExport,
  VariableDeclarator: readVariable,
  AssignmentExpression: readAssignment,
  FunctionDeclaration: readFunction,
  ObjectMethod: readProperty,
  ObjectProperty: readProperty,
  ClassDeclaration: readClass,
  ClassExpression: readClass,
  ClassMethod: (node, { within }) => ({ within: [...within, node.key?.name ?? ''] }),
  JSXOpeningElement: readElement,
}

function readCall(node: Node, { within, into }: Position, { script, text }: Reading): undefined {
  const name = calleeName(node.callee, text)
  if (!isRelevant(name, node.arguments[0])) return
  const args = node.arguments.map((it: Node) => piece(it, text))
  const { start, end } = node
  script.calls.push({ name, args, line: lineOf(node), start, end, within, ...(into && { into }) })
}

const lineOf = (node: Node) => node.loc?.start.line

function readImport(node: Node, _: Position, { script }: Reading): 'visited' {
  for (const it of node.specifiers)
    script.imports.set(it.local.name, { from: node.source.value, name: importedName(it) })
  return 'visited'
}

function readDefaultExport(node: Node, _: Position, { script }: Reading): undefined {
  script.exports.set('default', node.declaration.id?.name ?? node.declaration.name ?? '')
}

function readNamedExport(node: Node, _: Position, { script }: Reading): undefined {
  for (const it of node.specifiers) script.exports.set(it.exported.name ?? it.exported.value, it.local?.name ?? '')
  for (const name of declaredNames(node.declaration)) script.exports.set(name, name)
  if (!node.source) return
  for (const it of node.specifiers) {
    const name = it.local?.name ?? 'default'
    script.imports.set(it.exported.name ?? it.exported.value, { from: node.source.value, name })
  }
}

function readVariable({ id, init }: Node, { within }: Position, reading: Reading): 'visited' {
  if (!init) return 'visited'
  readInitialValue(id, init, reading)
  visit(init, { within: id.name ? [...within, id.name] : within, into: id.name }, reading)
  return 'visited'
}

function readAssignment(node: Node, { within }: Position, reading: Reading): 'visited' {
  const { left, right } = node
  const into = reading.text.slice(left.start, left.end)
  readAssignedValue(into, right, reading)
  visit(right, { within: [...within, left.property?.name ?? ''], into }, reading)
  return 'visited'
}

function readFunction(node: Node, { within }: Position, { script, text }: Reading) {
  if (node.id) script.functions.set(node.id.name, textAndLine(node, text))
  return { within: [...within, node.id?.name ?? ''] }
}

function readProperty(node: Node, { within }: Position, { script, text }: Reading) {
  const name = node.key?.name ?? node.key?.value
  const value = node.type === 'ObjectMethod' ? node : node.value
  if (typeof name === 'string' && isFunction(value) && !script.functions.has(name))
    script.functions.set(name, textAndLine(node, text))
  return { within: [...within, String(name ?? '')] }
}

function readClass(node: Node, { within }: Position, { script, text }: Reading) {
  script.classes.push(classOf(node, text))
  const name = node.id?.name
  for (const it of node.body.body)
    if (it.key?.name) script.functions.set(`${name}.${it.key.name}`, textAndLine(it, text))
  return { within: [...within, name ?? ''] }
}

const textAndLine = (node: Node, text: string) => ({ text: text.slice(node.start, node.end), line: lineOf(node) })

/** Of the many calls of a file: does it make routes, tables or strategies, or carry SQL? */
const isRelevant = (name: string, firstArgument: Node | undefined): boolean =>
  relevantMethod.test(name) ||
  /schema|query(interface|runner)/i.test(name) ||
  (firstArgument !== undefined && /Literal$/.test(firstArgument.type) && firstArgument.end - firstArgument.start > 20)

const routeMethods = either(
  'get post put patch delete del all head use route register define init model setGlobalPrefix',
)
const schemaMethods = either('references inTable dropColumns? renameColumn timestamps', /\w*Table/)
const columnTypes = either(
  /\w*[iI]ncrements|\w*int|\w*[iI]nteger/,
  'float double real decimal numeric string varchar char text boolean bool',
  /date\w*|time\w*/,
  'uuid jsonb? binary enum? specificType geometry point',
)
const relevantMethod = new RegExp(`(^|\\.)(${routeMethods.source}|${schemaMethods.source}|${columnTypes.source})$`)

function visitChildren(node: Node, within: string[], reading: Reading) {
  for (const key in node) {
    if (key === 'loc' || key.endsWith('omments')) continue
    const value = node[key]
    if (Array.isArray(value)) {
      for (const it of value) if (it && typeof it.type === 'string') visit(it, { within }, reading)
    } else if (value && typeof value.type === 'string') visit(value, { within }, reading)
  }
}

function readInitialValue(id: Node, init: Node, { script, text }: Reading) {
  const from = requiredModule(init)
  if (from && id.type === 'Identifier') script.imports.set(id.name, { from, name: '*' })
  if (from && id.type === 'ObjectPattern')
    for (const it of id.properties)
      if (it.key?.name) script.imports.set(it.value?.name ?? it.key.name, { from, name: it.key.name })
  if (id.type !== 'Identifier') return
  const string = stringOf(init)
  if (string !== undefined) script.strings.set(id.name, string)
  if (holdsFunction(init)) script.functions.set(id.name, textAndLine(init, text))
}

/** `name` is what stands on the left: `module.exports`, `exports.list`, `controller.list`. */
function readAssignedValue(name: string, value: Node, { script, text }: Reading) {
  if (name === 'module.exports') readModuleExports(value, script)
  const member = name.match(/^(?:module\.)?exports\.(\w+)$/)?.[1] ?? name.match(/^\w+\.(\w+)$/)?.[1]
  if (!member) return
  if (/exports\./.test(name)) script.exports.set(member, value.name ?? member)
  if (holdsFunction(value)) script.functions.set(member, textAndLine(value, text))
}

function readModuleExports(value: Node, script: Script) {
  script.exports.set('default', value.name ?? '')
  if (value.type === 'ObjectExpression')
    for (const it of value.properties) if (it.key?.name) script.exports.set(it.key.name, it.value?.name ?? it.key.name)
  const from = requiredModule(value)
  if (from) script.imports.set('default', { from, name: '*' })
}

/** A function, or a call that wraps one. */
const holdsFunction = (node: Node) =>
  isFunction(node) || (node.type === 'CallExpression' && node.arguments.some(isFunction))

/** The module that `require('…')` or `import('…')` loads. */
function requiredModule(node: Node): string | undefined {
  const loaded = moduleArgument(unwrapped(node))
  return loaded?.type === 'StringLiteral' ? loaded.value : undefined
}

/** `require('…').name` and `await import('…')` without what is around the call. */
function unwrapped(node: Node): Node | undefined {
  if (node.type === 'MemberExpression') return node.object
  return node.type === 'AwaitExpression' ? node.argument : node
}

function moduleArgument(call: Node | undefined): Node | undefined {
  if (call?.type === 'CallExpression' && call.callee.name === 'require') return call.arguments[0]
  return call?.type === 'ImportExpression' ? call.source : undefined
}

function readElement(node: Node, _: Position, { script, text }: Reading): undefined {
  const path = node.attributes.find((it: Node) => it.name?.name === 'path' && it.value?.type === 'StringLiteral')
  if (!path) return
  const tag = text.slice(node.name.start, node.name.end)
  script.elements.push({ tag, path: path.value.value, ...textAndLine(node, text) })
}

function importedName(specifier: Node): string {
  if (specifier.type === 'ImportDefaultSpecifier') return 'default'
  if (specifier.type === 'ImportNamespaceSpecifier') return '*'
  return specifier.imported.name ?? specifier.imported.value
}

const declaredNames = (node: Node | null): string[] =>
  node?.declarations?.map((it: Node) => it.id.name).filter(Boolean) ?? (node?.id ? [node.id.name] : [])
