import type { Route } from '../../model.ts'
import type { Classes, ClassText } from '../classes.ts'
import type { SourceFile } from '../tree.ts'
import { joined } from './paths.ts'

interface Scope {
  path: string
  module: string
  controller?: string
  guards: string[]
  /** The parameter of a `resources` that nested ones carry. */
  member?: string
}

/** `config/routes.rb`, read line by line: namespaces, scopes, resources, and the filters of their controllers. */
export function railsRoutes(files: SourceFile[], classes: Classes): Route[] {
  return files
    .filter(it => /(^|\/)config\/routes(\/\w+)?\.rb$/.test(it.path))
    .flatMap(file => routesFile(file, classes))
}

function routesFile(file: SourceFile, classes: Classes): Route[] {
  const scopes: Scope[] = [{ path: '', module: '', guards: [] }]
  const found: Route[] = []
  const opened: boolean[] = []
  const text = file.text.replace(/^=begin[\s\S]*?^=end/gm, it => it.replace(/[^\n]/g, ''))
  text.split('\n').forEach((raw, number) => {
    const line = raw.replace(/(^|\s)#(?!\{).*$/, '').trim()
    const scope = scopes.at(-1)!
    const at = `${file.path}:${number + 1}`
    const add = (method: string, path: string, action: string, controller: string) =>
      found.push(routeOf(method, path, controller, action, scope, at, classes))
    const name = line.match(/[:"'/]([\w/:.*()-]+)/)?.[1] ?? ''
    const option = (key: string) => line.match(new RegExp(`\\b${key}:\\s*[:"'/]?([\\w/:-]*)`))?.[1]
    const verb = line.match(/^(\w+)/)?.[1] ?? ''
    let inner: Scope | undefined
    if (verb === 'namespace')
      inner = { ...scope, path: `${scope.path}/${option('path') ?? name}`, module: `${scope.module}${name}/` }
    else if (verb === 'scope')
      inner = {
        ...scope,
        path: `${scope.path}/${/^scope\s*\(?\s*["':]/.test(line) ? name : (option('path') ?? '')}`,
        module: option('module') ? `${scope.module}${option('module')}/` : scope.module,
      }
    else if (verb === 'authenticate' || verb === 'authenticated')
      inner = { ...scope, guards: [...scope.guards, `authenticate ${name}`] }
    else if (
      verb === 'constraints' ||
      verb === 'concern' ||
      verb === 'draw' ||
      verb === 'devise_scope' ||
      verb === 'defaults'
    )
      inner = { ...scope }
    else if (verb === 'member') inner = { ...scope, path: scope.member ? `${scope.path}` : scope.path }
    else if (verb === 'collection') inner = { ...scope, path: scope.path.replace(/\/:\w+$/, '') }
    else if (verb === 'devise_for') found.push(...devise(name, option('path') ?? name, scope, at))
    else if (/^resources?$/.test(verb)) {
      for (const it of line
        .replace(/^resources?\s*\(?/, '')
        .match(/^(?:\s*[:"'][\w/]+["']?\s*,?)+/)?.[0]
        .match(/\w+/g) ?? []) {
        const path = `${scope.path}/${option('path') ?? it}`
        const single = verb === 'resource'
        const controller = option('controller') ?? (single ? plural(it) : it)
        const only = line.match(/only:\s*(\[[^\]]*\]|%i\[[^\]]*\]|:\w+)/)?.[1]
        const except = line.match(/except:\s*(\[[^\]]*\]|%i\[[^\]]*\]|:\w+)/)?.[1]
        const one = single ? path : `${path}/:id`
        for (const [method, place, action] of [
          ['GET', path, 'index'],
          ['POST', path, 'create'],
          ['GET', one, 'show'],
          ['PATCH', one, 'update'],
          ['DELETE', one, 'destroy'],
        ] as const)
          if ((!only || only.includes(action)) && !except?.includes(action) && !(single && action === 'index'))
            found.push(routeOf(method, place, controller, action, { ...scope, path: '' }, at, classes))
        inner = {
          ...scope,
          path: single ? path : `${path}/:${option('param') ?? `${it.replace(/s$/, '')}_id`}`,
          controller,
          member: it,
        }
      }
    } else if (/^(get|post|put|patch|delete|match|root)$/.test(verb)) {
      const to = line.match(/(?:to:|=>)\s*["']([\w/]+)#(\w+)["']/)
      const path = verb === 'root' ? '' : name
      const action = to?.[2] ?? option('action') ?? path.split('/').at(-1)!
      const nested = /on:\s*:collection/.test(line) ? { ...scope, path: scope.path.replace(/\/:\w+$/, '') } : scope
      found.push(
        routeOf(
          verb === 'match' ? 'ANY' : verb === 'root' ? 'GET' : verb.toUpperCase(),
          path,
          to?.[1] ?? option('controller') ?? scope.controller ?? '',
          action,
          nested,
          at,
          classes,
        ),
      )
    } else if (verb === 'mount') add('ANY', option('at') ?? name, 'mount', name)
    if (/\bdo(\s*\|[^|]*\|)?\s*$/.test(line)) {
      opened.push(inner !== undefined)
      if (inner) scopes.push(inner)
    } else if (/^end\b/.test(line) && opened.pop()) scopes.pop()
  })
  return found
}

function routeOf(
  method: string,
  path: string,
  controller: string,
  action: string,
  scope: Scope,
  at: string,
  classes: Classes,
): Route {
  const name = `${scope.module}${controller}`.replace(/^\//, '')
  const found = classes.find(`${camel(name.split('/').at(-1) ?? '')}Controller`, `app/controllers/${name}`)
  const text = found?.method(action)?.text ?? ''
  return {
    method,
    path: joined(scope.path, path),
    guards: [...scope.guards, ...(found ? filtersOf(found, action, classes) : [])],
    handler: `${name}#${action}`,
    body: text,
    at,
  }
}

function filtersOf(it: ClassText, action: string, classes: Classes, depth = 0): string[] {
  const parent = it.parent.split('::').at(-1)
  const above = parent && depth < 5 ? classes.find(parent, it.file.path) : undefined
  const applies = (line: string) => {
    const only = line.match(/only:\s*(.*)$/)?.[1]
    const except = line.match(/except:\s*(.*)$/)?.[1]
    return only
      ? new RegExp(`:?\\b${action}\\b`).test(only)
      : except
        ? !new RegExp(`\\b${action}\\b`).test(except)
        : true
  }
  const lines = it.text.split('\n')
  const skipped = lines
    .filter(line => /^\s*skip_before_action/.test(line) && applies(line))
    .flatMap(line => line.match(/:\w+[?!]?/g) ?? [])
  const own = lines
    .filter(
      line =>
        /^\s*(before_action|prepend_before_action|authorize_resource|load_and_authorize_resource)/.test(line) &&
        applies(line),
    )
    .map(line => line.match(/[:"'](\w+[?!]?)/)?.[1] ?? line.trim())
  const inherited = above ? filtersOf(above, action, classes, depth + 1) : []
  return [...inherited, ...own].filter(name => !skipped.includes(`:${name}`))
}

const devise = (name: string, path: string, scope: Scope, at: string): Route[] =>
  [
    ['GET', 'sign_in'],
    ['POST', 'sign_in'],
    ['POST', 'password'],
  ].map(([method, end]) => ({
    method: method!,
    path: joined(scope.path, path, end),
    guards: [],
    open: true,
    handler: `devise ${name}`,
    body: 'authenticate sign_in session password',
    at,
  }))

const plural = (name: string) =>
  name.endsWith('s') ? name : name.endsWith('y') ? `${name.slice(0, -1)}ies` : `${name}s`
const camel = (name: string) => name.replace(/(^|_)(\w)/g, (_, __, letter) => letter.toUpperCase())
