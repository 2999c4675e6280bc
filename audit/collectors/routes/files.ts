import type { Route } from '../../model.ts'
import type { Script } from '../javascript.ts'
import { type Modules, withHelpers } from '../modules.ts'
import { lineAt, masked, spans } from '../text.ts'
import type { SourceFile } from '../tree.ts'
import { insideGuards } from './inside.ts'
import { joined } from './paths.ts'

/** Routes named after their files: Next, SvelteKit, Nuxt, Remix. Groups in brackets are not part of the address. */
export function fileRoutes(files: SourceFile[], modules: Modules): Route[] {
  const gate = files.find(it => /(^|\/)(src\/)?(middleware|proxy|hooks\.server)\.(ts|js)$/.test(it.path))
  return files.flatMap(file => {
    const place = placeOf(file)
    if (!place) return []
    const script = modules.scripts.get(file.path)
    const path = joined(place.path.replace(/\/?\([^)/]*\)/g, '').replace(/\/@[\w-]+/g, ''))
    const route = { path, guards: gateOf(gate, path), handler: file.path, at: `${file.path}:1` }
    if (place.page) {
      const page = inBrowser(file)
      const guards = page ? route.guards : [...route.guards, ...insideGuards(file.text)]
      return [{ ...route, guards, method: 'GET', body: file.text, page }]
    }
    const named = exportedHandlers(file, script)
    if (!named.length) {
      const body = script ? withHelpers(file.text, script) : file.text
      return [{ ...route, guards: [...route.guards, ...insideGuards(file.text)], method: 'ANY', body }]
    }
    return named.map(({ method, name, text, line }) => ({
      ...route,
      guards: [...route.guards, ...insideGuards(text)],
      method,
      ...(name && { path: joined(path, name), handler: name }),
      body: script ? withHelpers(text, script) : text,
      at: `${file.path}:${line}`,
    }))
  })
}

interface Handler {
  method: string
  /** Of several that one address has: `?/accept`. */
  name?: string
  text: string
  line: number
}

const handler = /export\s+(?:async\s+)?(?:function|const)\s+(GET|POST|PUT|PATCH|DELETE|loader|action|actions|load)\b/g

function exportedHandlers({ text }: SourceFile, script: Script | undefined): Handler[] {
  return [...text.matchAll(handler)].flatMap(({ index, 0: whole, 1: name = '' }) => {
    if (name === 'actions') return formActions(text, index + whole.length)
    return [{ method: methodOf(name), text: script?.functions.get(name)?.text ?? text, line: lineAt(text, index) }]
  })
}

/** `export const actions = { accept: async event => …, async reject(event) { … } }` of SvelteKit. */
function formActions(text: string, from: number): Handler[] {
  const mask = masked(text)
  const open = mask.indexOf('{', mask.indexOf('=', from))
  if (open < 0) return []
  return spans(mask, open).flatMap(([start, end]) => {
    const source = text.slice(start, end)
    const name = source.match(/^\s*(?:\/\/[^\n]*\n\s*)*(?:async\s+)?['"]?(\w+)['"]?\s*[:(]/)?.[1]
    if (!name) return []
    const line = lineAt(text, start + source.search(/\S/))
    return [{ method: 'POST', ...(name !== 'default' && { name }), text: source, line }]
  })
}

/** The method that an exported function answers: its name, or that of Remix and SvelteKit. */
function methodOf(name: string): string {
  if (/^[A-Z]+$/.test(name)) return name
  return /^action/.test(name) ? 'POST' : 'GET'
}

/** A page that has no logic on the server. */
const inBrowser = ({ path, text }: SourceFile) =>
  /\.(svelte|vue)$/.test(path) ||
  /^['"]use client['"]/m.test(text.slice(0, 2000)) ||
  (/(^|\/)pages\//.test(path) && !/get(ServerSide|Static|Initial)Props/.test(text))

function placeOf({ path, text }: SourceFile): { path: string; page: boolean } | undefined {
  const remix = path.match(/(?:^|\/)app\/routes\/([\w.$+/()-]+?)(?:\/(?:route|index))?\.[jt]sx?$/)
  if (remix && /export\s+(async\s+)?(function|const)\s+(loader|action)\b|export default/.test(text))
    return { path: remixPath(remix[1]!), page: false }
  const next = path.match(/(?:^|\/)app\/(?:(.*)\/)?(route|page)\.[jt]sx?$/)
  if (next) return { path: next[1] ?? '', page: next[2] === 'page' }
  const pages = path.match(/(?:^|\/)pages\/(.*?)(?:\/index)?\.[jt]sx?$/)
  if (pages && !/^_/.test(pages[1]!) && (pages[1]!.startsWith('api/') || nextPage(path)))
    return { path: pages[1]!, page: !pages[1]!.startsWith('api/') }
  const kit = path.match(/(?:^|\/)routes\/(?:(.*)\/)?\+(page|server|page\.server)\.(svelte|[jt]s)$/)
  if (kit) return { path: kit[1] ?? '', page: kit[3] === 'svelte' }
  const nuxt = path.match(
    /(?:^|\/)(?:pages|server\/(api|routes))\/(.*?)(?:\/index)?(?:\.(get|post|put|delete|patch))?\.(vue|ts)$/,
  )
  if (nuxt && (nuxt[4] === 'vue' || nuxt[1]))
    return { path: `${nuxt[1] === 'api' ? 'api/' : ''}${nuxt[2]}`, page: nuxt[4] === 'vue' }
  return undefined
}

/** `portal.quotes.$id_.accept` is `portal/quotes/[id]/accept`; what begins with an underscore is a layout. */
const remixPath = (name: string) =>
  name
    .replace(/[.+]/g, '/')
    .replace(/_(?=\/|$)/g, '')
    .replace(/(^|\/)_\w+/g, '')
    .replace(/\(([^)]*)\)/g, '$1')
    .replace(/\$(\w+)/g, '[$1]')
    .replace(/\$$/g, '[rest]')

const nextPage = (path: string) =>
  !/components?|src\/pages\/.*\/(components|hooks)\//.test(path) && /\.[jt]sx$/.test(path)

/** A middleware that rejects requests without a session guards every page that it does not name. */
function gateOf(gate: SourceFile | undefined, path: string): string[] {
  if (!gate || !/redirect|401|403|auth\.protect|locals\.user/.test(gate.text)) return []
  if (path.startsWith('/api') && !/['"`]\/api\b/.test(gate.text.replace(/\(\?!api[^)]*\)/g, ''))) return []
  const named = [...gate.text.matchAll(/['"`](\/[\w\-/.:*()]*)['"`]/g)]
    .map(it => it[1]!.replace(/\(?\.\*\)?|:path\*|\/\*$/g, '').replace(/\/$/, ''))
    .filter(it => it.length > 1)
  const bare = path.replace(/^\/:(locale|lang|lng)/, '')
  const hit = named.some(it => bare === it || bare.startsWith(`${it}/`))
  const guardsNamed =
    /matcher:\s*\[\s*['"`]\/(?!\(\(|:path|\()/.test(gate.text) && !/(public|PUBLIC|open|unauth)/.test(gate.text)
  return hit === guardsNamed ? [`${gate.path} requires a session`] : []
}
