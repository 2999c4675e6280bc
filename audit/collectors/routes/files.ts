import type { Route } from '../../model.ts'
import { type Modules, withHelpers } from '../modules.ts'
import type { SourceFile } from '../tree.ts'
import { joined } from './paths.ts'

/** Routes that exist by where their file lies: Next, SvelteKit, Nuxt, Remix. Groups in brackets are no part of the address. */
export function fileRoutes(files: SourceFile[], modules: Modules): Route[] {
  const gate = files.find(it => /(^|\/)(src\/)?(middleware|proxy|hooks\.server)\.(ts|js)$/.test(it.path))
  return files.flatMap(file => {
    const place = placeOf(file)
    if (!place) return []
    const script = modules.scripts.get(file.path)
    const path = joined(place.path.replace(/\/?\([^)/]*\)/g, '').replace(/\/@[\w-]+/g, ''))
    const route = { path, guards: gateOf(gate, path), handler: file.path, at: `${file.path}:1` }
    if (place.page) return [{ ...route, method: 'GET', body: file.text, page: inBrowser(file) }]
    const exported = [
      ...file.text.matchAll(
        /export\s+(?:async\s+)?(?:function|const)\s+(GET|POST|PUT|PATCH|DELETE|loader|action|actions|load)\b/g,
      ),
    ]
    const methods = exported.map(it => ({ name: it[1]!, line: file.text.slice(0, it.index).split('\n').length }))
    if (!methods.length) return [{ ...route, method: 'ANY', body: script ? withHelpers(file.text, script) : file.text }]
    return methods.map(({ name, line }) => ({
      ...route,
      method: /^[A-Z]+$/.test(name) ? name : /^action/.test(name) ? 'POST' : 'GET',
      body: script?.functions.get(name) ? withHelpers(script.functions.get(name)!.text, script) : file.text,
      at: `${file.path}:${line}`,
    }))
  })
}

/** A page that has no logic on the server. */
const inBrowser = ({ path, text }: SourceFile) =>
  /\.(svelte|vue)$/.test(path) ||
  /^['"]use client['"]/m.test(text.slice(0, 2000)) ||
  (/(^|\/)pages\//.test(path) && !/get(ServerSide|Static|Initial)Props/.test(text))

function placeOf({ path }: SourceFile): { path: string; page: boolean } | undefined {
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
  const remix = path.match(/(?:^|\/)app\/routes\/([\w.$+-]+)\.[jt]sx$/)
  if (remix)
    return {
      path: remix[1]!
        .replace(/\./g, '/')
        .replace(/\$(\w+)/g, '[$1]')
        .replace(/(^|\/)_\w+/g, ''),
      page: false,
    }
  return undefined
}

const nextPage = (path: string) =>
  !/components?|src\/pages\/.*\/(components|hooks)\//.test(path) && /\.[jt]sx$/.test(path)

/** A middleware that turns visitors away guards every page that it does not name. */
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
