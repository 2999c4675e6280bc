import type { Route } from '../../model.ts'
import { lineAt } from '../text.ts'
import type { SourceFile } from '../tree.ts'
import { joined } from './paths.ts'

/** Pages of a Frappe site lie in `www/`; rules in `hooks.py` give addresses to lists of documents. */
export function frappeRoutes(files: SourceFile[]): Route[] {
  const hooks = files.filter(it => it.path.endsWith('hooks.py') && /website_route_rules/.test(it.text))
  return [
    ...hooks.flatMap(it => ruled(it, files)),
    ...files.filter(it => /(^|\/)www\/.*\.(py|html)$/.test(it.path) && !/\/__init__/.test(it.path)).map(page),
  ]
}

const rule = /["']from_route["']\s*:\s*["']([^"']+)["']\s*,\s*["']to_route["']\s*:\s*["']([^"']+)/g

function ruled(file: SourceFile, files: SourceFile[]): Route[] {
  return [...file.text.matchAll(rule)].map(({ index, 1: from, 2: to = '' }) => {
    const folders = to.split('/').map(it => it.toLowerCase().replaceAll(' ', '_'))
    const opened = files
      .filter(it => /\.(py|html)$/.test(it.path) && folders.every(part => it.path.includes(`/doctype/${part}/`)))
      .slice(0, 3)
    const body = opened.map(it => it.text).join('\n') || to
    // A document's own code says which of a party's people may see it.
    const guards = /has_website_permission|get_list_context|frappe\.session\.user/.test(body)
      ? ['portal permission of the document']
      : []
    return {
      method: 'GET',
      path: joined(from),
      guards,
      handler: to,
      body,
      at: `${file.path}:${lineAt(file.text, index)}`,
    }
  })
}

const page = ({ path, text }: SourceFile): Route => ({
  method: 'GET',
  path: joined(path.split(/(?:^|\/)www\//)[1]!.replace(/\.(py|html)$/, '')),
  guards: /Guest/.test(text) && /PermissionError|redirect/i.test(text) ? ['session user'] : [],
  handler: path,
  body: text,
  at: `${path}:1`,
})
