/** A node of Babel's tree, of which only what is here is relied on. */
export type Node = { type: string; start: number; end: number; loc: { start: { line: number } }; [key: string]: any }

export interface Piece {
  text: string
  line: number
  /** What it is, where it is a string without parts that vary. */
  string?: string
  /** Where it is a function: its text. */
  isFunction?: boolean
  /** Where it is an array or an object: what is in it. */
  items?: Piece[]
  entries?: Record<string, Piece>
  /** Where it is a call. */
  call?: { name: string; args: Piece[] }
}

export interface Class {
  name: string
  parent?: string
  decorators: Piece[]
  members: { name: string; text: string; type: string; line: number; decorators: Piece[] }[]
  line: number
}

export const classOf = (node: Node, text: string): Class => ({
  name: node.id?.name ?? '',
  ...(node.superClass && { parent: text.slice(node.superClass.start, node.superClass.end) }),
  decorators: (node.decorators ?? []).map((it: Node) => piece(it.expression, text)),
  line: node.loc.start.line,
  members: node.body.body
    .filter((it: Node) => it.key)
    .map((it: Node) => ({
      name: it.key.name ?? it.key.value ?? '',
      text: text.slice(it.start, it.end),
      type: it.typeAnnotation ? text.slice(it.typeAnnotation.start, it.typeAnnotation.end).replace(/^:\s*/, '') : '',
      line: it.key.loc.start.line,
      decorators: (it.decorators ?? []).map((one: Node) => piece(one.expression, text)),
    })),
})

export function piece(node: Node, text: string): Piece {
  const made: Piece = { text: text.slice(node.start, node.end), line: node.loc?.start.line ?? 0 }
  const string = stringOf(node)
  if (string !== undefined) made.string = string
  if (isFunction(node)) made.isFunction = true
  if (node.type === 'ArrayExpression') made.items = node.elements.filter(Boolean).map((it: Node) => piece(it, text))
  if (node.type === 'ObjectExpression') {
    made.entries = {}
    for (const it of node.properties) {
      const key = it.key?.name ?? it.key?.value
      if (key !== undefined && (it.value || it.body)) made.entries[key] = piece(it.value ?? it, text)
    }
  }
  if (node.type === 'CallExpression' || node.type === 'NewExpression')
    made.call = { name: calleeName(node.callee, text), args: node.arguments.map((it: Node) => piece(it, text)) }
  return made
}

export function stringOf(node: Node): string | undefined {
  if (node.type === 'StringLiteral') return node.value
  if (node.type === 'TemplateLiteral' && !node.expressions.length) return node.quasis[0].value.cooked
  return undefined
}

/** The name of what is called, without arguments: `app.route.get` for `app.route('/x').get`. */
export function calleeName(node: Node, text: string): string {
  if (node.type === 'MemberExpression' || node.type === 'OptionalMemberExpression')
    return `${calleeName(node.object, text)}.${node.computed ? '?' : (node.property.name ?? '')}`
  if (node.type === 'CallExpression') return calleeName(node.callee, text)
  return (
    node.name ?? (node.type === 'ThisExpression' ? 'this' : text.slice(node.start, Math.min(node.end, node.start + 40)))
  )
}

export const isFunction = (node: Node | undefined) =>
  node?.type === 'ArrowFunctionExpression' || node?.type === 'FunctionExpression' || node?.type === 'ObjectMethod'
