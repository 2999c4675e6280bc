import type { Route } from '../../model.ts'
import type { Classes, ClassText } from '../classes.ts'
import { hashes, indented, lineAt, literal, literals, masked, parts } from '../text.ts'
import type { SourceFile } from '../tree.ts'
import { decorators } from './decorated.ts'
import { joined } from './paths.ts'

/** Django's URL files with their includes, and the views behind them with their permissions. */
export function djangoRoutes(files: SourceFile[], classes: Classes): Route[] {
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
