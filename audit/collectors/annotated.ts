import { closing, lineAt, masked, parts } from './text.ts'
import type { SourceFile } from './tree.ts'

/** A class of Java, Kotlin or C#, with the annotations or attributes in front of it. */
export interface AnnotatedClass {
  name: string
  kind: string
  file: SourceFile
  mask: string
  /** Annotations, attributes and modifiers. */
  head: string
  /** What stands between its name and its body: parents, or in Kotlin the constructor. */
  parents: string
  /** Positions of its brackets in the file. */
  open: number
  close: number
  line: number
}

export interface AnnotatedMethod {
  name: string
  head: string
  /** Its parameters, with their annotations. */
  parameters: string
  /** From its name to its end. */
  text: string
  line: number
}

const declaration = /\b(class|interface|record|object)\s+(\w+)([^{};]*)\{/g

/** The classes of a file of Java, Kotlin or C#, those inside of others too. */
export function annotatedClasses(file: SourceFile): AnnotatedClass[] {
  const mask = masked(file.text)
  return [...mask.matchAll(declaration)].map(match => {
    const open = match.index + match[0].length - 1
    const start = headStart(mask, match.index)
    return {
      name: match[2]!,
      kind: match[1]!,
      file,
      mask,
      head: file.text.slice(start, match.index),
      parents: file.text.slice(open - match[3]!.length, open),
      open,
      close: closing(mask, open),
      line: lineAt(file.text, match.index),
    }
  })
}

const endOfLine = /[ \t]*\r?\n/y

/** Where the annotations and modifiers of a declaration begin: behind what stands before it. */
function headStart(mask: string, from: number, floor = 0): number {
  for (let at = from - 1; at >= floor; at--) {
    endOfLine.lastIndex = at + 1
    if (/[;{}]/.test(mask[at]!) && endOfLine.test(mask)) return at + 1
  }
  return floor
}

/** The methods of a class that fit a pattern, whose last group is the name in front of the parameters. */
export function methodsIn(owner: AnnotatedClass, pattern: RegExp): AnnotatedMethod[] {
  const { mask, file, open, close } = owner
  const found: AnnotatedMethod[] = []
  const method = new RegExp(pattern.source, 'g')
  let floor = open + 1
  method.lastIndex = open + 1
  for (let match = method.exec(mask); match && match.index < close; match = method.exec(mask)) {
    const bracket = match.index + match[0].length - 1
    const ends = closing(mask, bracket)
    const body = bodyAfter(mask, ends + 1)
    const start = headStart(mask, match.index, floor)
    found.push({
      name: match.at(-1)!,
      head: file.text.slice(start, bracket),
      parameters: file.text.slice(bracket + 1, ends),
      text: file.text.slice(bracket - match.at(-1)!.length, body),
      line: lineAt(file.text, bracket),
    })
    floor = body
    method.lastIndex = Math.max(body, method.lastIndex)
  }
  return found
}

/** The end of what follows a signature: a block, an expression, or nothing. */
function bodyAfter(mask: string, from: number): number {
  const open = mask.indexOf('{', from)
  const semicolon = mask.indexOf(';', from)
  const expression = mask.slice(from, from + 200).match(/^[^;{]*?(=>|=)/)
  if (expression && (open === -1 || from + expression[0].length <= open)) {
    const end = mask.slice(from).search(/;|\n\s*\n/)
    return end === -1 ? mask.length : from + end
  }
  if (open === -1 || (semicolon !== -1 && semicolon < open)) return semicolon === -1 ? mask.length : semicolon
  return closing(mask, open) + 1
}

/** A type and a name in front of a bracket. */
export const javaMethod =
  /(?<!\w)(?!(?:new|return|else|throw|case|yield|in|is|as)\b)[\w.<>?,[\]]*[\w>\]?]\s+(?!(?:if|for|while|switch|catch|synchronized|when)\b)(\w+)\s*\(/
export const sharpMethod =
  /\bpublic\s+(?:async\s+|virtual\s+|override\s+|static\s+|new\s+)*[\w<>,.?[\]() ]+?\s(\w+)\s*(?:<\w+>)?\(/

/** The arguments of an annotation or attribute in a head; undefined where it has none of that name. */
export function annotation(head: string, name: string): string[] | undefined {
  const match = head.match(new RegExp(`[@[,\\s](?:[\\w.]+\\.)?${name}\\b\\s*(\\()?`))
  if (!match) return undefined
  return match[1] ? parts(head, masked(head), match.index! + match[0].length - 1) : []
}

/** A method with those of its own class that it calls. */
export function withOwn(method: AnnotatedMethod, all: AnnotatedMethod[]): string {
  const called = new Set([...method.text.matchAll(/(?<![.\w]|new )(?:this\.)?(\w+)\(/g)].map(it => it[1]!))
  const helpers = all.filter(it => it !== method && called.has(it.name) && it.text.length < 6000)
  return [method.text, ...helpers.slice(0, 6).map(it => it.text)].join('\n').slice(0, 40_000)
}

/** A role as a guard: those of clients by their name, everything else as a permission. */
export const roleGuard = (value: string): string => {
  const role = value.replace(/^ROLE_/, '')
  return clientRole.test(role) ? `role ${role}` : `permission ${role}`
}

const clientRole = /^(end_?)?(client|customer|contact|portal|guest)s?(_?(user|portal|role|contact))?$|^portal_?\w*$/i
