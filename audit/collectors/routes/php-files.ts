import { basename } from 'node:path/posix'
import type { Route } from '../../model.ts'
import { either } from '../../patterns.ts'
import type { Classes } from '../classes.ts'
import { lineAt } from '../text.ts'
import type { SourceFile } from '../tree.ts'
import { joined } from './paths.ts'

/** Routes by convention: CodeIgniter's controllers and their methods, and PHP files that a browser opens themselves. */
export function conventionalRoutes(files: SourceFile[], classes: Classes): Route[] {
  const controllers = classes
    .all()
    .filter(
      it =>
        /(^|\/)controllers\//i.test(it.file.path) &&
        it.file.path.endsWith('.php') &&
        /_?Controller$|^CI_|^ClientsController|^AdminController|^App/.test(it.parent),
    )
  const igniter = files.some(it => /defined\(['"]BASEPATH|CI_Controller|CodeIgniter\\/.test(it.text.slice(0, 4000)))
  return igniter ? controllers.flatMap(it => methodsOf(it, classes)) : pages(files)
}

function methodsOf(it: ReturnType<Classes['all']>[number], classes: Classes): Route[] {
  const [before, after] = it.file.path.split(/(?:^|\/)controllers\//i)
  const module = before!.match(/modules\/(\w+)$/)?.[1] ?? ''
  const place = after!.replace(/\.php$/, '').toLowerCase()
  const guards = ancestors(it, classes)
  const own = it.method('__construct')?.text ?? ''
  const inside = guardIn(own)
  return it
    .methods()
    .filter(method => !method.name.startsWith('_') && !/(private|protected)\s+(static\s+)?$/.test(method.before))
    .map(method => {
      const parameter = method.text.match(/\(\s*(?:\w+\s+)?\$(\w+)/)?.[1]
      const path = joined(
        module,
        place === module ? '' : place,
        method.name === 'index' ? '' : method.name,
        parameter && `{${parameter}}`,
      )
      const within = guardIn(method.text.slice(0, 1500))
      return {
        method: /->post\(|\$_POST|getPost\(/.test(method.text) ? 'POST' : 'GET',
        path,
        guards: [...guards, ...inside, ...within],
        handler: `${it.name}::${method.name}`,
        body: method.text,
        at: `${it.file.path}:${method.line}`,
      }
    })
}

/** The base classes up to one that rejects requests without a session; none if there is no such class. */
function ancestors(it: ReturnType<Classes['all']>[number], classes: Classes, depth = 0): string[] {
  const parent = it.parent.split('\\').at(-1)!
  const found = parent && depth < 5 ? classes.find(parent, it.file.path) : undefined
  if (!found) return []
  const above = ancestors(found, classes, depth + 1)
  return above.length || turnsAway.test(found.method('__construct')?.text ?? '') ? [parent, ...above] : []
}

const sessionCheck = 'userdata\\(|session|logged|login|auth|permission|user_type'
const rejection = 'redirect|show_error|show_404|access_denied|exit\\b|die\\b'
const turnsAway = new RegExp(`(${sessionCheck})[^;{]{0,200}\\{[^}]{0,300}(${rejection})`, 'i')

const guardFunctions = either(
  'is_client_logged_in is_client_logged is_logged_in is_admin_logged isLoggedIn is_staff_logged_in',
  'require_?login check_?login checkAuth restrictedArea accessforbidden check_auth auth_check requireAuth',
  /ensureLogged\w*/,
)
const sessionKeys = /user\w*|admin\w*|login\w*|uid|id|client\w*|customer\w*|contact\w*/
const sessionVariable = `\\$_SESSION\\[['"](?:${sessionKeys.source})['"]\\]`
const guardCode = new RegExp(`(${guardFunctions.source}|${sessionVariable})`)

/** The check of a session that a handler begins with, by its name. */
export const guardIn = (text: string) => {
  const sign = text.match(guardCode)?.[1]
  return sign ? [sign] : []
}

function pages(files: SourceFile[]): Route[] {
  const php = files.filter(it => it.path.endsWith('.php'))
  const named = Map.groupBy(php, it => basename(it.path))
  const gates = new Map<string, boolean>()
  const gate = (name: string): boolean => {
    if (!gates.has(name))
      gates.set(
        name,
        (named.get(name) ?? [])
          .slice(0, 3)
          .some(
            it =>
              guardCode.test(it.text) &&
              /(header\(\s*['"]Location|exit|die|redirect|->login\b|loginfunction)/i.test(it.text),
          ),
      )
    return gates.get(name)!
  }
  return php.filter(isPage).flatMap(file => {
    const open = /define\(\s*['"]NO_?LOGIN['"]/i.test(file.text)
    const included = [
      ...file.text.slice(0, 8000).matchAll(/(?:require|include)(?:_once)?\b[^;]*?([\w.-]+\.php)['"]/g),
    ].map(it => it[1]!)
    const guards = open ? [] : [...guardIn(file.text.slice(0, 6000)), ...included.filter(gate)]
    const token = file.text.match(
      /(?:\$_(?:GET|REQUEST)\[['"]|GETPOST\(\s*['"])(token|key|hash|securekey|access_?key|ref_?hash|uuid|secret)['"]/i,
    )
    const path = `/${file.path.replace(/^(htdocs|public|public_html|www|web|src)\//, '')}`
    const page = {
      method: /\$_POST|GETPOST\(|\$_REQUEST/.test(file.text) ? 'ANY' : 'GET',
      path: token ? `${path}/:${token[1]}` : path,
      guards,
      ...(open && { open }),
      handler: file.path,
      body: file.text.slice(0, 60_000),
      at: `${file.path}:${token ? lineAt(file.text, token.index!) : 1}`,
    }
    return [page, ...actionsIn(file, path, page)]
  })
}

/** One file may answer many forms: `if (isset($_POST['accept_quote'])) { … }`. */
function actionsIn({ path, text }: SourceFile, address: string, page: Route): Route[] {
  const found = [...text.matchAll(/if\s*\(\s*isset\(\s*\$_(POST|GET)\[['"](\w+)['"]\]([^)]*)\)/g)]
  if (found.length < 3) return []
  return found.map((match, position) => {
    const body = text.slice(match.index, found[position + 1]?.index).slice(0, 20_000)
    const token = match[3]!.match(/\[['"](\w*(?:token|key|hash))['"]\]/i)?.[1]
    return {
      ...page,
      method: match[1]!,
      path: `${address}/${match[2]}${token ? `/:${token}` : ''}`,
      handler: `${path} ${match[2]}`,
      body,
      at: `${path}:${lineAt(text, match.index)}`,
    }
  })
}

/** A file that defines only classes and functions is included, not opened. */
const isPage = ({ path, text }: SourceFile) =>
  !includedFolder.test(path) &&
  !/\.(class|lib|inc|tpl|modules?)\.php$/.test(path) &&
  /<html|<form|\becho\b|print |header\(|json_encode|llxHeader|render|include|require/.test(text) &&
  !/^\s*(?:abstract\s+|final\s+)?(?:class|interface|trait)\s+\w+/m.test(text)

const includedFolders = either(
  'classes class lib libs core includes? config conf models? migrations? install views? templates? tpl',
  /src\/\w+|app\/\w+/,
)
const includedFolder = new RegExp(`(^|/)(${includedFolders.source})/`)
