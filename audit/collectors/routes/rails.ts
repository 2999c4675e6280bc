import type { Route } from '../../model.ts'
import type { Classes, ClassText } from '../classes.ts'
import type { SourceFile } from '../tree.ts'
import { joined } from './paths.ts'

interface Scope {
  path: string
  module: string
  controller?: string
  guards: string[]
}

/** A statement of a routes file. */
interface Statement {
  line: string
  /** Its first word: `resources`, `get`, `namespace`. */
  method: string
  /** Its first argument. */
  name: string
  at: string
  scope: Scope
  classes: Classes
}

/** What a statement adds: its routes, and the scope of its block where it opens one. */
interface Outcome {
  routes?: Route[]
  inner?: Scope
}

/** `config/routes.rb`, read line by line: namespaces, scopes, resources, and the filters of their controllers. */
export function railsRoutes(files: SourceFile[], classes: Classes): Route[] {
  return files
    .filter(it => /(^|\/)config\/routes(\/\w+)?\.rb$/.test(it.path))
    .flatMap(file => routesOfFile(file, classes))
}

function routesOfFile(file: SourceFile, classes: Classes): Route[] {
  const scopes: Scope[] = [{ path: '', module: '', guards: [] }]
  const routes: Route[] = []
  /** For each open block, whether it has a scope of its own. */
  const blocks: boolean[] = []
  const text = file.text.replace(/^=begin[\s\S]*?^=end/gm, it => it.replace(/[^\n]/g, ''))
  for (const [index, source] of text.split('\n').entries()) {
    const line = source.replace(/(^|\s)#(?!\{).*$/, '').trim()
    const method = line.match(/^(\w+)/)?.[1] ?? ''
    const name = line.match(/[:"'/]([\w/:.*()-]+)/)?.[1] ?? ''
    const at = `${file.path}:${index + 1}`
    const { routes: added = [], inner } = interpret({ line, method, name, at, scope: scopes.at(-1)!, classes })
    routes.push(...added)
    if (/\bdo(\s*\|[^|]*\|)?\s*$/.test(line)) {
      blocks.push(inner !== undefined)
      if (inner) scopes.push(inner)
    } else if (/^end\b/.test(line) && blocks.pop()) scopes.pop()
  }
  return routes
}

function interpret(statement: Statement): Outcome {
  const { method, name, scope, line } = statement
  switch (method) {
    case 'namespace':
    case 'scope':
      return { inner: nestedScope(statement) }
    case 'authenticate':
    case 'authenticated':
      return { inner: { ...scope, guards: [...scope.guards, `authenticate ${name}`] } }
    case 'constraints':
    case 'concern':
    case 'draw':
    case 'devise_scope':
    case 'defaults':
    case 'member':
      return { inner: { ...scope } }
    case 'collection':
      return { inner: { ...scope, path: withoutParameter(scope.path) } }
    case 'devise_for':
      return { routes: deviseRoutes(statement) }
    case 'resource':
    case 'resources':
      return resourceRoutes(statement)
    case 'mount':
      return { routes: [routeOf(statement, 'ANY', optionOf(line, 'at') ?? name, { controller: name, name: 'mount' })] }
    default:
      return /^(get|post|put|patch|delete|match|root)$/.test(method) ? { routes: [singleRoute(statement)] } : {}
  }
}

const optionOf = (line: string, key: string) => line.match(new RegExp(`\\b${key}:\\s*[:"'/]?([\\w/:-]*)`))?.[1]

const withoutParameter = (path: string) => path.replace(/\/:\w+$/, '')

function nestedScope({ method, line, name, scope }: Statement): Scope {
  const path = optionOf(line, 'path')
  if (method === 'namespace')
    return { ...scope, path: `${scope.path}/${path ?? name}`, module: `${scope.module}${name}/` }
  const named = /^scope\s*\(?\s*["':]/.test(line)
  const module = optionOf(line, 'module')
  return {
    ...scope,
    path: `${scope.path}/${named ? name : (path ?? '')}`,
    module: module ? `${scope.module}${module}/` : scope.module,
  }
}

/** `resources :invoices, :quotes, only: [:index]`: the usual routes of each, and the scope of what is nested in the last. */
function resourceRoutes(statement: Statement): Outcome {
  const names = statement.line.replace(/^resources?\s*\(?/, '').match(/^(?:\s*[:"'][\w/]+["']?\s*,?)+/)?.[0]
  const resources = names?.match(/\w+/g) ?? []
  const last = resources.at(-1)
  return {
    routes: resources.flatMap(it => routesOfResource(it, statement)),
    ...(last !== undefined && { inner: scopeOfResource(last, statement) }),
  }
}

function routesOfResource(resource: string, statement: Statement): Route[] {
  const { path, controller, single } = placeOfResource(resource, statement)
  const only = statement.line.match(/only:\s*(\[[^\]]*\]|%i\[[^\]]*\]|:\w+)/)?.[1]
  const except = statement.line.match(/except:\s*(\[[^\]]*\]|%i\[[^\]]*\]|:\w+)/)?.[1]
  const member = single ? path : `${path}/:id`
  const usual = [
    ['GET', path, 'index'],
    ['POST', path, 'create'],
    ['GET', member, 'show'],
    ['PATCH', member, 'update'],
    ['DELETE', member, 'destroy'],
  ] as const
  const unprefixed = { ...statement, scope: { ...statement.scope, path: '' } }
  return usual
    .filter(([, , action]) => (!only || only.includes(action)) && !except?.includes(action))
    .filter(([, , action]) => !single || action !== 'index')
    .map(([method, address, action]) => routeOf(unprefixed, method, address, { controller, name: action }))
}

function scopeOfResource(resource: string, statement: Statement): Scope {
  const { path, controller, single } = placeOfResource(resource, statement)
  const parameter = optionOf(statement.line, 'param') ?? `${resource.replace(/s$/, '')}_id`
  return { ...statement.scope, path: single ? path : `${path}/:${parameter}`, controller }
}

function placeOfResource(resource: string, { method, line, scope }: Statement) {
  const single = method === 'resource'
  return {
    single,
    path: `${scope.path}/${optionOf(line, 'path') ?? resource}`,
    controller: optionOf(line, 'controller') ?? (single ? plural(resource) : resource),
  }
}

/** `get 'quotes/:token', to: 'quotes#public'` */
function singleRoute(statement: Statement): Route {
  const { method, line, name, scope } = statement
  const target = line.match(/(?:to:|=>)\s*["']([\w/]+)#(\w+)["']/)
  const path = method === 'root' ? '' : name
  const action = {
    controller: target?.[1] ?? optionOf(line, 'controller') ?? scope.controller ?? '',
    name: target?.[2] ?? optionOf(line, 'action') ?? path.split('/').at(-1)!,
  }
  const ofCollection = /on:\s*:collection/.test(line)
  const place = ofCollection ? { ...statement, scope: { ...scope, path: withoutParameter(scope.path) } } : statement
  return routeOf(place, httpMethods[method] ?? method.toUpperCase(), path, action)
}

const httpMethods: Record<string, string> = { match: 'ANY', root: 'GET' }

interface Action {
  controller: string
  name: string
}

function routeOf({ scope, at, classes }: Statement, method: string, path: string, action: Action): Route {
  const name = `${scope.module}${action.controller}`.replace(/^\//, '')
  const className = `${camelCase(name.split('/').at(-1) ?? '')}Controller`
  const controller = classes.find(className, `app/controllers/${name}`)
  const filters = controller ? filtersOf(controller, action.name, classes) : []
  return {
    method,
    path: joined(scope.path, path),
    guards: [...scope.guards, ...filters],
    handler: `${name}#${action.name}`,
    body: controller?.method(action.name)?.text ?? '',
    at,
  }
}

/** The filters in front of an action, those that its controller inherits first. */
function filtersOf(controller: ClassText, action: string, classes: Classes, depth = 0): string[] {
  const parentName = controller.parent.split('::').at(-1)
  const parent = parentName && depth < 5 ? classes.find(parentName, controller.file.path) : undefined
  const inherited = parent ? filtersOf(parent, action, classes, depth + 1) : []
  const lines = controller.text.split('\n').filter(it => appliesTo(action, it))
  const own = lines.filter(it => filterCall.test(it)).map(it => it.match(/[:"'](\w+[?!]?)/)?.[1] ?? it.trim())
  const skipped = lines.filter(it => /^\s*skip_before_action/.test(it)).flatMap(it => it.match(/:\w+[?!]?/g) ?? [])
  return [...inherited, ...own].filter(name => !skipped.includes(`:${name}`))
}

const filterCall = /^\s*(before_action|prepend_before_action|authorize_resource|load_and_authorize_resource)/

function appliesTo(action: string, line: string): boolean {
  const only = line.match(/only:\s*(.*)$/)?.[1]
  const except = line.match(/except:\s*(.*)$/)?.[1]
  const isNamedIn = (list: string) => new RegExp(`\\b${action}\\b`).test(list)
  if (only) return isNamedIn(only)
  return except ? !isNamedIn(except) : true
}

const deviseRoutes = ({ name, line, scope, at }: Statement): Route[] =>
  [
    ['GET', 'sign_in'],
    ['POST', 'sign_in'],
    ['POST', 'password'],
  ].map(([method = '', page]) => ({
    method,
    path: joined(scope.path, optionOf(line, 'path') ?? name, page),
    guards: [],
    open: true,
    handler: `devise ${name}`,
    body: 'authenticate sign_in session password',
    at,
  }))

function plural(name: string): string {
  if (name.endsWith('s')) return name
  return name.endsWith('y') ? `${name.slice(0, -1)}ies` : `${name}s`
}

const camelCase = (name: string) => name.replace(/(^|_)(\w)/g, (_, __, letter) => letter.toUpperCase())
