import type { Route } from '../../model.ts'
import { either } from '../../patterns.ts'
import type { Classes, ClassText } from '../classes.ts'
import { hashes, indented, lineAt, literal, literals, masked, parts } from '../text.ts'
import type { SourceFile } from '../tree.ts'
import { decorators } from './decorated.ts'
import { joined } from './paths.ts'

/** What the routes of a Django project are read from. */
interface Project {
  files: SourceFile[]
  classes: Classes
  /** The URL files by module: `shop.urls`. */
  modules: Map<string, SourceFile>
  /** The guards of REST views that name none. */
  defaultGuards: string[]
}

/** Django's URL files with their includes, and the views behind them with their permissions. */
export function djangoRoutes(files: SourceFile[], classes: Classes): Route[] {
  const urlFiles = files.filter(it => /\b(urlpatterns|patterns)\b/.test(it.text))
  const modules = new Map(urlFiles.map(it => [it.path.replace(/\.py$/, '').replaceAll('/', '.'), it]))
  const project: Project = { files, classes, modules, defaultGuards: readDefaultGuards(files) }
  const included = new Set(urlFiles.flatMap(it => includedFiles(it, project)).map(it => it.path))
  const gate = loginMiddleware(files)
  return urlFiles
    .filter(it => !included.has(it.path))
    .flatMap(it => routesOfFile(it, '', project, new Set()))
    .map(it => (gate ? behind(gate, it) : it))
}

/** A middleware that sends everybody to the sign-in, but at some addresses. */
interface Gate {
  name: string
  exempt: RegExp[]
}

/** The middleware of the settings that asks for a signed-in user, and the lists of addresses that it lets through. */
function loginMiddleware(files: SourceFile[]): Gate | undefined {
  const settings = files.filter(it => /^MIDDLEWARE\w*\s*(\+?=|:)/m.test(it.text))
  const listed = settings.flatMap(it => it.text.match(/^MIDDLEWARE\w*\s*\+?=\s*[[(]([\s\S]*?)^[\])]/m)?.[1] ?? [])
  const names = listed.flatMap(literals).map(it => it.split('.').at(-1)!)
  for (const name of names) {
    const file = files.find(it => it.text.includes(`class ${name}`) || it.text.includes(`def ${name}(`))
    if (name !== 'LoginRequiredMiddleware' && !(file && sendsToLogin(file.text))) continue
    const lists = [...settings, ...(file ? [file] : [])].flatMap(it =>
      [...it.text.matchAll(exemptList)].map(one => one[1]!),
    )
    return { name, exempt: lists.flatMap(literals).flatMap(pattern) }
  }
  return undefined
}

const sendsToLogin = (text: string) =>
  /is_authenticated|is_anonymous/.test(text) && /redirect|Forbidden|Unauthorized|40[13]|login_required/i.test(text)
const exemptList =
  /\b\w*(?:EXEMPT|PUBLIC|OPEN|IGNORE|ALLOW|WHITELIST)\w*(?:URL|PATH|PREFIX|ROUTE)\w*\s*=\s*[[({]([\s\S]*?)[\])}]\s*\n/gi

function pattern(text: string): RegExp[] {
  try {
    return [new RegExp(text.startsWith('^') ? text : `^${text.startsWith('/') ? '' : '/'}${text}`)]
  } catch {
    return []
  }
}

function behind({ name, exempt }: Gate, route: Route): Route {
  const free = exempt.some(it => it.test(route.path) || it.test(route.path.slice(1)))
  if (free || /login_(not_required|exempt)/.test(route.body))
    return route.guards.length ? route : { ...route, open: true }
  return route.open ? route : { ...route, guards: [name, ...route.guards] }
}

function readDefaultGuards(files: SourceFile[]): string[] {
  const settings = files.find(it => /DEFAULT_PERMISSION_CLASSES/.test(it.text))
  const permissions = settings?.text.match(/DEFAULT_PERMISSION_CLASSES['"]?\s*[:=]\s*[[(]([^\])]*)/)?.[1]
  if (permissions) {
    const names = literals(permissions).map(it => it.split('.').at(-1)!)
    return names.filter(it => it !== 'AllowAny')
  }
  const authenticated = files.some(it => /DEFAULT_AUTHENTICATION_CLASSES/.test(it.text))
  return authenticated ? ['default authentication'] : []
}

const includedFiles = ({ text }: SourceFile, project: Project): SourceFile[] =>
  [...text.matchAll(/include\(\s*\(?\s*["']([\w.]+)["']/g)].flatMap(it => findModule(it[1]!, project) ?? [])

const findModule = (name: string, { modules }: Project): SourceFile | undefined =>
  [...modules].find(([key]) => key === name || key.endsWith(`.${name}`))?.[1]

function routesOfFile(file: SourceFile, prefix: string, project: Project, seen: Set<string>): Route[] {
  if (seen.has(file.path)) return []
  const { path, text } = file
  const mask = masked(text, hashes)
  const routes = [...mask.matchAll(/\b(?:path|re_path|url)\s*\(/g)].flatMap(match => {
    const [pattern, view] = parts(text, mask, match.index + match[0].length - 1)
    const address = literal(pattern)
    if (address === undefined || !view) return []
    const place = { file, prefix, address, at: `${path}:${lineAt(text, match.index)}` }
    return routesOfPattern(view, place, project, new Set([...seen, path]))
  })
  const appended = /router\.urls/.test(text) && !/include\(\s*router\.urls/.test(text)
  return appended ? [...routes, ...registeredRoutes(file, prefix, `${path}:1`, project)] : routes
}

/** An address under the prefix of its file, and where it is written. */
interface Place {
  file: SourceFile
  prefix: string
  address: string
  at: string
}

/** The second argument of `path(…)`: another URL file, a router of REST views, or a view. */
function routesOfPattern(view: string, place: Place, project: Project, seen: Set<string>): Route[] {
  const include = view.match(/include\(\s*\(?\s*["']?([\w.]+)["']?/)?.[1]
  const includedFile = include && findModule(include, project)
  const prefix = `${place.prefix}/${place.address}`
  if (includedFile) return routesOfFile(includedFile, prefix, project, seen)
  if (include === 'router.urls' || /\.urls\b/.test(view)) return registeredRoutes(place.file, prefix, place.at, project)
  return viewRoutes(view, place, project)
}

const registeredRoutes = (file: SourceFile, prefix: string, at: string, project: Project): Route[] =>
  [...file.text.matchAll(/\.register\(\s*r?["']([^"']*)["']\s*,\s*([\w.]+)/g)].flatMap(it =>
    viewRoutes(`${it[2]}.as_view()`, { file, prefix, address: it[1]!, at }, project),
  )

function viewRoutes(view: string, { file, prefix, address, at }: Place, project: Project): Route[] {
  const path = joined(prefix, address)
  const decorator = view.match(/\b(login_required|staff_member_required|permission_required|csrf_exempt)\b/)?.[1]
  const guards = decorator && decorator !== 'csrf_exempt' ? [decorator] : []
  const className = lastPart(view.match(/([\w.]+)\.as_view/)?.[1])
  const viewClass = className ? project.classes.find(className, file.path) : undefined
  if (viewClass) return classRoutes(viewClass, path, guards, project)
  const unwrapped = view.replace(/^[\w.]*\(\s*(?=views?\.)/, '')
  const name = lastPart(unwrapped.match(/([\w.]+)\)?\s*$/)?.[1]) ?? ''
  const found = findFunction(name, file, project.files)
  return [
    {
      method: 'ANY',
      path,
      guards: [...guards, ...(found?.guards ?? [])],
      handler: name || view.slice(0, 60),
      body: found?.text ?? '',
      at: found?.at ?? at,
    },
  ]
}

const lastPart = (name: string | undefined) => name?.split('.').at(-1)

function classRoutes(view: ClassText, path: string, outerGuards: string[], project: Project): Route[] {
  const { guards, open } = guardsOfClass(view, project)
  const route = { path, guards: [...outerGuards, ...guards], ...(open && { open }) }
  const methods = view.methods().filter(it => viewMethod.test(it.name))
  if (!methods.length) {
    const writes = /Create|Update|Delete|Form|ModelViewSet/.test(view.parent)
    const at = `${view.file.path}:${view.line}`
    return [{ ...route, method: writes ? 'ANY' : 'GET', handler: view.name, body: view.text, at }]
  }
  return methods.map(it => ({
    ...route,
    method: methodsByName[it.name] ?? 'GET',
    handler: `${view.name}.${it.name}`,
    body: it.text,
    at: `${view.file.path}:${it.line}`,
  }))
}

function guardsOfClass({ text, parent }: ClassText, { defaultGuards }: Project): { guards: string[]; open: boolean } {
  const permissions = text.match(/permission_classes\s*=\s*[[(]([^\])]*)/)?.[1]
  const unauthenticated = /authentication_classes\s*=\s*(\[\s*\]|\(\s*\))/.test(text)
  const open = unauthenticated || /AllowAny/.test(permissions ?? '') || permissions?.trim() === ''
  const mixins = parent.match(/\w*(LoginRequired|PermissionRequired|UserPassesTest|StaffRequired|Auth)\w*/g) ?? []
  if (open) return { guards: mixins, open }
  const isRestView = /APIView|ViewSet|GenericAPI|generics\./.test(parent)
  const named = permissions?.match(/\w+/g) ?? (isRestView ? defaultGuards : [])
  return { guards: [...mixins, ...named], open }
}

/** The view function of that name; of several, one in the folder of the URL file. */
function findFunction(name: string, urlFile: SourceFile, files: SourceFile[]) {
  const folder = urlFile.path.slice(0, urlFile.path.lastIndexOf('/') + 1)
  const candidates = files.filter(it => it.text.includes(`def ${name}(`))
  const file = candidates.find(it => it.path.startsWith(folder)) ?? candidates[0]
  if (!file || !name) return undefined
  const start = file.text.indexOf(`def ${name}(`)
  const head = file.text.slice(file.text.lastIndexOf('\n\n', start) + 1, start)
  return {
    text: indented(file.text, start),
    at: `${file.path}:${lineAt(file.text, start)}`,
    guards: decorators(head).filter(it => /login|auth|permission|staff|required/i.test(it)),
  }
}

const viewMethods = either(
  'get post put patch delete list retrieve create update destroy dispatch form_valid get_context_data get_queryset',
)

const viewMethod = new RegExp(`^(${viewMethods.source})$`)

const methodsByName: Record<string, string> = {
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
