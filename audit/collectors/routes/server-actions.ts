import type { Route } from '../../model.ts'
import type { Script } from '../javascript.ts'
import { type Modules, withHelpers } from '../modules.ts'
import { insideGuards, tokenArgument } from './inside.ts'
import { joined } from './paths.ts'

/** Whether a file begins with the directive, behind comments alone. */
const isServerFile = (text: string) =>
  /^\s*['"]use server['"]/.test(text.slice(0, 20_000).replace(/\/\*[\s\S]*?\*\/|^[ \t]*\/\/[^\n]*/gm, ''))

const ownDirective = /\{\s*['"]use server['"]/

/** Server actions of Next: functions that the browser calls by name, of a file or by themselves marked `'use server'`. */
export const serverActions = ({ scripts }: Modules): Route[] =>
  [...scripts.values()].flatMap(script => {
    const { text } = script.file
    if (!text.includes('use server')) return []
    const names = isServerFile(text) ? exportedFunctions(script) : markedFunctions(script)
    return names.map(name => action(name, script))
  })

const exportedFunctions = ({ exports, functions }: Script) =>
  [...exports].map(([name, local]) => local || name).filter(it => functions.has(it))

const markedFunctions = ({ functions }: Script) =>
  [...functions].filter(([, it]) => isMarked(it.text.slice(0, 600))).map(([name]) => name)

/** Whether the directive stands in the function's own body, and not in that of one inside of it. */
function isMarked(text: string): boolean {
  const before = text.slice(0, ownDirective.exec(text)?.index ?? 0)
  return ownDirective.test(text) && before.split('{').length === before.split('}').length
}

function action(name: string, script: Script): Route {
  const { text, line } = script.functions.get(name)!
  const guards = insideGuards(text)
  const token = guards.length ? undefined : tokenArgument(text)
  return {
    method: reads.test(name) ? 'GET' : 'POST',
    path: joined(placeOf(script.file.path), name, token && `:${token}`),
    guards,
    handler: name,
    body: withHelpers(text, script),
    at: `${script.file.path}:${line}`,
  }
}

const reads = /^(get|list|fetch|find|search|load|count|is|has|can|check|read|query|preview|download|export)(?![a-z])/

/** The address of the page that it stands beside, or else the name of its file. */
function placeOf(path: string): string {
  const page = path.match(/(?:^|\/)app\/(.*\/)?[^/]+$/)
  if (page) return (page[1] ?? '').replace(/\([^)/]*\)\/?|@[\w-]+\/?|_[\w-]+\/?|(^|\/)actions\//g, '')
  return path
    .split('/')
    .at(-1)!
    .replace(/\.\w+$/, '')
}
