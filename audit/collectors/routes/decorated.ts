import type { Route } from '../../model.ts'
import { hashes, indented, lineAt, literal, literals, masked, parts } from '../text.ts'
import type { SourceFile } from '../tree.ts'
import { joined } from './paths.ts'

export const decorators = (head: string) => [...head.matchAll(/^[ \t]*@([\w.]+(?:\([^\n]*\))?)/gm)].map(it => it[1]!)

/** The decorated functions of Flask, FastAPI, Odoo and Frappe. */
export function decoratedFunctions(file: SourceFile, files: SourceFile[]): Route[] {
  if (!/^[ \t]*@[\w.]*(route|get|post|put|patch|delete|whitelist)\b/m.test(file.text)) return []
  const mask = masked(file.text, hashes)
  return [...mask.matchAll(/^[ \t]*@([\w.]*?)\.?(route|get|post|put|patch|delete|whitelist)\s*(\(|\n)/gm)].flatMap(
    match => {
      const [whole, receiver = '', verb] = match
      const open = match.index + whole.length - 1
      const args = whole.endsWith('(') ? parts(file.text, mask, open) : []
      const definition = /\bdef\s+(\w+)/g
      definition.lastIndex = match.index
      const def = definition.exec(mask)
      if (!def) return []
      const head = file.text.slice(match.index, def.index)
      const before = file.text.slice(file.text.lastIndexOf('\n\n', match.index) + 1, def.index)
      const body = indented(file.text, def.index)
      const shared = {
        handler: def[1]!,
        body,
        at: `${file.path}:${lineAt(file.text, match.index + whole.search(/@/))}`,
      }
      if (verb === 'whitelist') {
        const path = `/api/method/${file.path.replace(/\.py$/, '').replaceAll('/', '.')}.${def[1]}`
        return [
          {
            ...shared,
            method: 'ANY',
            path,
            guards: /allow_guest\s*=\s*True/.test(head) ? [] : ['frappe session'],
            ...(/allow_guest\s*=\s*True/.test(head) && { open: true }),
          },
        ]
      }
      const paths = args[0]?.startsWith('[') ? literals(args[0]) : [literal(args[0]?.replace(/^\w+\s*=\s*/, ''))]
      const auth = head.match(/\bauth\s*=\s*["'](\w+)/)?.[1]
      const methods =
        verb === 'route' ? literals(head.match(/methods\s*=\s*([[(][^\])]*)/)?.[1] ?? '') : [verb!.toUpperCase()]
      const prefix = receiver ? prefixOf(receiver.split('.')[0]!, file, files) : { path: '', guards: [] }
      const guards = [
        ...prefix.guards,
        ...decorators(before).filter(
          it => /login|auth|permission|required|jwt|roles?\b/i.test(it) && !/^http\.route|\.route/.test(it),
        ),
        ...[...body.slice(0, 1500).matchAll(/Depends\(\s*([\w.]*(?:user|auth|current|login|admin|require)\w*)/gi)].map(
          it => it[1]!,
        ),
        ...(auth && auth !== 'public' && auth !== 'none' ? [`auth=${auth}`] : []),
      ]
      return paths.flatMap(path =>
        path === undefined
          ? []
          : (methods.length ? methods : auth ? ['ANY'] : ['GET']).map(method => ({
              ...shared,
              method,
              path: joined(prefix.path, path),
              guards,
              ...(auth && /public|none/.test(auth) && { open: true }),
            })),
      )
    },
  )
}

/** The prefix of a blueprint or an APIRouter, and of where it is included. */
function prefixOf(name: string, file: SourceFile, files: SourceFile[]): { path: string; guards: string[] } {
  const made =
    file.text.match(
      new RegExp(`\\b${name}\\s*=\\s*(?:\\w+\\.)?(?:Blueprint|APIRouter|Router)\\(([\\s\\S]*?)\\)\\s*\\n`),
    )?.[1] ?? ''
  const own = made.match(/(?:url_)?prefix\s*=\s*["']([^"']*)/)?.[1] ?? ''
  const guards = [...made.matchAll(/Depends\(\s*([\w.]+)/g)].map(it => it[1]!)
  const module = file.path.split('/').at(-1)!.replace(/\.py$/, '')
  const folder = file.path.split('/').at(-2) ?? ''
  for (const { text } of files) {
    const mount = text.match(
      new RegExp(
        `(?:include_router|register_blueprint)\\(\\s*(?:[\\w.]*\\b(?:${module}|${folder})\\.)?(?:${name === 'router' || name === 'bp' ? `${module}\\w*|${module}\\.${name}` : name})\\b([^)]*(?:\\([^)]*\\)[^)]*)*)\\)`,
      ),
    )
    if (mount)
      return {
        path: `${mount[1]!.match(/prefix\s*=\s*["']([^"']*)/)?.[1] ?? ''}/${own}`,
        guards: [...guards, ...[...mount[1]!.matchAll(/Depends\(\s*([\w.]+)/g)].map(it => it[1]!)],
      }
  }
  return { path: own, guards }
}
