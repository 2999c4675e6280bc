import type { Route } from '../../model.ts'
import type { Classes, ClassText } from '../classes.ts'
import { hashes, indented, lineAt, literal, literals, masked, parts } from '../text.ts'
import type { SourceFile } from '../tree.ts'
import { joined } from './paths.ts'

/** Django's URL files with their includes, and the decorated functions of Flask, FastAPI, Odoo and Frappe. */
export function pythonRoutes(files: SourceFile[], classes: Classes): Route[] {
  const python = files.filter(it => it.path.endsWith('.py'))
  return [...django(python, classes), ...python.flatMap(it => decorated(it, python)), ...frappePages(files)]
}

function django(files: SourceFile[], classes: Classes): Route[] {
  const urls = files.filter(it => /\b(urlpatterns|patterns)\b/.test(it.text))
  const modules = new Map(urls.map(it => [it.path.replace(/\.py$/, '').replaceAll('/', '.'), it]))
  const asked = new Set<string>()
  const included = (name: string) => [...modules].find(([key]) => key === name || key.endsWith(`.${name}`))?.[1]
  const standard = files
    .find(it => /DEFAULT_PERMISSION_CLASSES/.test(it.text))
    ?.text.match(/DEFAULT_PERMISSION_CLASSES['"]?\s*[:=]\s*[[(]([^\])]*)/)?.[1]
  const authenticated = files.some(it => /DEFAULT_AUTHENTICATION_CLASSES/.test(it.text))
  const defaults = standard
    ? literals(standard)
        .map(it => it.split('.').at(-1)!)
        .filter(it => it !== 'AllowAny')
    : authenticated
      ? ['default authentication']
      : []
  for (const it of urls)
    for (const match of it.text.matchAll(/include\(\s*\(?\s*["']([\w.]+)["']/g))
      if (included(match[1]!)) asked.add(included(match[1]!)!.path)
  return urls.filter(it => !asked.has(it.path)).flatMap(it => expand(it, '', [], new Set()))

  function expand(file: SourceFile, prefix: string, outer: string[], seen: Set<string>): Route[] {
    if (seen.has(file.path)) return []
    const mask = masked(file.text, hashes)
    const direct = [...mask.matchAll(/\b(?:path|re_path|url)\s*\(/g)].flatMap(match => {
      const args = parts(file.text, mask, match.index + match[0].length - 1)
      const path = literal(args[0])
      if (path === undefined || !args[1]) return []
      const include = args[1].match(/include\(\s*\(?\s*["']?([\w.]+)["']?/)?.[1]
      const target = include && included(include)
      if (target) return expand(target, `${prefix}/${path}`, outer, new Set([...seen, file.path]))
      const at = `${file.path}:${lineAt(file.text, match.index)}`
      if (include === 'router.urls' || /\.urls\b/.test(args[1])) return registered(file, `${prefix}/${path}`, at)
      return viewRoutes(args[1], joined(prefix, path), at, file)
    })
    return direct.concat(
      /router\.urls/.test(file.text) && !/include\(\s*router\.urls/.test(file.text)
        ? registered(file, prefix, `${file.path}:1`)
        : [],
    )
  }

  function registered(file: SourceFile, prefix: string, at: string): Route[] {
    return [...file.text.matchAll(/\.register\(\s*r?["']([^"']*)["']\s*,\s*([\w.]+)/g)].flatMap(it =>
      viewRoutes(`${it[2]}.as_view()`, joined(prefix, it[1]), at, file),
    )
  }

  function viewRoutes(view: string, path: string, at: string, file: SourceFile): Route[] {
    const wrapped = view.match(/\b(login_required|staff_member_required|permission_required|csrf_exempt)\b/)?.[1]
    const name = view
      .match(/([\w.]+)\.as_view/)?.[1]
      ?.split('.')
      .at(-1)
    const made = name ? classes.find(name, file.path) : undefined
    const outer = wrapped && wrapped !== 'csrf_exempt' ? [wrapped] : []
    if (made) return classRoutes(made, path, outer)
    const call =
      view
        .replace(/^[\w.]*\(\s*(?=views?\.)/, '')
        .match(/([\w.]+)\)?\s*$/)?.[1]
        ?.split('.')
        .at(-1) ?? ''
    const found = findFunction(call, file)
    return [
      {
        method: 'ANY',
        path,
        guards: [...outer, ...(found?.guards ?? [])],
        handler: call || view.slice(0, 60),
        body: found?.text ?? '',
        at: found?.at ?? at,
      },
    ]
  }

  function classRoutes(made: ClassText, path: string, outer: string[]): Route[] {
    const own = made.text.match(/permission_classes\s*=\s*[[(]([^\])]*)/)
    const none =
      /authentication_classes\s*=\s*(\[\s*\]|\(\s*\))/.test(made.text) ||
      /AllowAny/.test(own?.[1] ?? '') ||
      (own && own[1]!.trim() === '')
    const mixins =
      made.parent.match(/\w*(LoginRequired|PermissionRequired|UserPassesTest|StaffRequired|Auth)\w*/g) ?? []
    const restful = /APIView|ViewSet|GenericAPI|generics\./.test(made.parent)
    const named = own?.[1]?.match(/\w+/g) ?? (restful && !none ? defaults : [])
    const guards = [...outer, ...mixins, ...(none ? [] : named)]
    const methods = made
      .methods()
      .filter(it =>
        /^(get|post|put|patch|delete|list|retrieve|create|update|destroy|dispatch|form_valid|get_context_data|get_queryset)$/.test(
          it.name,
        ),
      )
    const route = { path, guards, ...(none && { open: true }) }
    if (!methods.length)
      return [
        {
          ...route,
          method: /Create|Update|Delete|Form|ModelViewSet/.test(made.parent) ? 'ANY' : 'GET',
          handler: made.name,
          body: made.text,
          at: `${made.file.path}:${made.line}`,
        },
      ]
    return methods.map(it => ({
      ...route,
      method: verbs[it.name] ?? 'GET',
      handler: `${made.name}.${it.name}`,
      body: it.text,
      at: `${made.file.path}:${it.line}`,
    }))
  }

  function findFunction(name: string, near: SourceFile) {
    const folder = near.path.slice(0, near.path.lastIndexOf('/') + 1)
    const holders = files
      .filter(it => it.text.includes(`def ${name}(`))
      .toSorted((a, b) => Number(b.path.startsWith(folder)) - Number(a.path.startsWith(folder)))
    const file = holders[0]
    if (!file || !name) return undefined
    const start = file.text.indexOf(`def ${name}(`)
    const head = file.text.slice(file.text.lastIndexOf('\n\n', start) + 1, start)
    return {
      text: indented(file.text, start),
      at: `${file.path}:${lineAt(file.text, start)}`,
      guards: decorators(head).filter(it => /login|auth|permission|staff|required/i.test(it)),
    }
  }
}

const verbs: Record<string, string> = {
  post: 'POST',
  put: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  create: 'POST',
  update: 'PUT',
  destroy: 'DELETE',
  form_valid: 'POST',
  dispatch: 'ANY',
}

const decorators = (head: string) => [...head.matchAll(/^[ \t]*@([\w.]+(?:\([^\n]*\))?)/gm)].map(it => it[1]!)

function decorated(file: SourceFile, files: SourceFile[]): Route[] {
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

/** Pages of a Frappe site lie in `www/`; rules in `hooks.py` give addresses to lists of documents. */
function frappePages(files: SourceFile[]): Route[] {
  const hooks = files.filter(it => it.path.endsWith('hooks.py') && /website_route_rules/.test(it.text))
  if (!hooks.length && !files.some(it => /(^|\/)www\/.*\.py$/.test(it.path))) return []
  const rules = hooks.flatMap(file =>
    [...file.text.matchAll(/["']from_route["']\s*:\s*["']([^"']+)["']\s*,\s*["']to_route["']\s*:\s*["']([^"']+)/g)].map(
      it => ({
        method: 'GET',
        path: joined(it[1]),
        guards: ['website permission of the document'],
        handler: it[2]!,
        body:
          files
            .filter(
              one =>
                it[2]!.split('/').every(part => one.path.includes(part.toLowerCase().replaceAll(' ', '_'))) &&
                /\.(py|html)$/.test(one.path),
            )
            .slice(0, 3)
            .map(one => one.text)
            .join('\n') || it[2]!,
        at: `${file.path}:${lineAt(file.text, it.index)}`,
      }),
    ),
  )
  const pages = files
    .filter(it => /(^|\/)www\/.*\.(py|html)$/.test(it.path) && !/\/__init__/.test(it.path))
    .map(it => ({
      method: 'GET',
      path: joined(it.path.split(/(?:^|\/)www\//)[1]!.replace(/\.(py|html)$/, '')),
      guards: /Guest/.test(it.text) && /PermissionError|redirect/i.test(it.text) ? ['session user'] : [],
      handler: it.path,
      body: it.text,
      at: `${it.path}:1`,
    }))
  return [...rules, ...pages]
}
