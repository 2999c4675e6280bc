import { dirname, join } from 'node:path/posix'
import type { Script } from './javascript.ts'
import type { Piece } from './pieces.ts'

/** The JavaScript and TypeScript of a tree, with the file that each import leads to. */
export interface Modules {
  scripts: Map<string, Script>
  resolve(from: string, asked: string): string | undefined
}

export function modulesOf(scripts: Map<string, Script>, paths: Set<string>): Modules {
  const endings = new Map<string, string>()
  for (const path of paths) {
    const short = path.replace(/\.(tsx?|jsx?|mts|mjs|cjs)$/, '').replace(/\/index$/, '')
    if (short !== path && !endings.has(short)) endings.set(short, path)
  }
  const cut = (path: string) => path.replace(/\.(tsx?|jsx?|mts|mjs|cjs)$/, '').replace(/\/index$/, '')
  return {
    scripts,
    resolve(from, asked) {
      if (asked.startsWith('.')) return endings.get(cut(join(dirname(from), asked)))
      const inside = asked.match(/^(?:@|~|src|app|#)\/(.+)$/)?.[1]
      if (!inside) return undefined
      const parts = from.split('/')
      for (let depth = parts.length - 1; depth >= 0; depth--)
        for (const root of ['', 'src/', 'app/', 'server/']) {
          const found = endings.get(cut([...parts.slice(0, depth), `${root}${inside}`].join('/')))
          if (found) return found
        }
      return undefined
    },
  }
}

/** The text of a handler: where it stands, in the same file, or where it was imported from; with what it calls nearby. */
export function bodyOf(piece: Piece | undefined, script: Script, modules: Modules): { name: string; text: string } {
  if (!piece) return { name: '', text: '' }
  if (piece.isFunction) return { name: 'inline', text: withHelpers(piece.text, script) }
  const inner = piece.call?.args.find(it => it.isFunction)
  if (inner) return { name: piece.call!.name, text: withHelpers(inner.text, script) }
  const named = piece.call
    ? (piece.call.args.find(it => /^[\w$.]+$/.test(it.text) && it.string === undefined)?.text ?? piece.call.name)
    : piece.text.replace(/\.bind\(.*$/, '')
  const found = named.split('.').length > 1 ? member(named, script, modules) : lookUp(named, script, modules)
  return { name: named, text: found?.text ?? '' }
}

/** A function with the file that it is in. */
interface Found {
  text: string
  script: Script
}

/** A function by its name alone, `guard` or `guards.signedIn`, in the same file or where it was imported from. */
export function functionNamed(name: string, script: Script, modules: Modules): Found | undefined {
  if (!/^\w+(\.\w+)?$/.test(name)) return undefined
  return name.includes('.') ? member(name, script, modules) : lookUp(name, script, modules)
}

function lookUp(name: string, script: Script, modules: Modules, depth = 0): Found | undefined {
  const own = script.functions.get(name)
  if (own) return { text: withHelpers(own.text, script), script }
  const imported = script.imports.get(name)
  const file = imported && modules.resolve(script.file.path, imported.from)
  const other = file ? modules.scripts.get(file) : undefined
  if (!other || depth > 3) return undefined
  const local = other.exports.get(imported!.name) || imported!.name
  return lookUp(local, other, modules, depth + 1) ?? lookUp(imported!.name, other, modules, depth + 1)
}

function member(named: string, script: Script, modules: Modules): Found | undefined {
  const parts = named.split('.')
  const method = parts.at(-1)!
  const imported = script.imports.get(parts[0]!)
  const file = imported && modules.resolve(script.file.path, imported.from)
  const other = file ? modules.scripts.get(file) : script
  if (!other) return undefined
  const found = other.functions.get(method) ?? [...other.functions].find(([key]) => key.endsWith(`.${method}`))?.[1]
  return found ? { text: withHelpers(found.text, other), script: other } : lookUp(method, other, modules)
}

/** A handler with the functions of its own file that it calls. */
export function withHelpers(text: string, script: Script): string {
  const called = new Set([...text.matchAll(/\b(\w+)\(/g)].map(it => it[1]!))
  const helpers = [...called]
    .map(it => script.functions.get(it)?.text)
    .filter(it => it !== undefined && it !== text && it.length < 6000)
  return [text, ...helpers.slice(0, 8)].join('\n').slice(0, 40_000)
}
